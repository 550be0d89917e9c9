"""The hospital's coefficient k (机构系数) for every hospital, level and DRG that occur."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.cases.attributes import some_of
from drgcore.errors import PolicyError, SchemeError
from drgcore.language import _
from drgcore.points.coefficient_rules import (
    Component,
    ConstantComponent,
    Fallback,
    HospitalComponent,
    HospitalGroupComponent,
    LevelComponent,
    LevelCostComponent,
)
from drgcore.points.parameters import covers
from drgcore.points.policy import Policy
from drgcore.points.tables import coefficient_rows
from drgcore.rounding import round_half_up
from drgcore.schemes.lists import code_lists

Site = tuple[str, str | None]
"""A hospital and its level."""


def coefficients(policy: Policy, sites: Sequence[Site], drgs: Sequence[str]) -> NDArray[Any]:
    """Compute k of every hospital for every DRG: ``min(max(Σ weight·component, lowest), highest)``.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.
    sites : sequence of (hospital, level)
        Hospitals with their levels.
    drgs : sequence of str
        DRGs.

    Returns
    -------
    ndarray of float64, shape (sites, drgs)
        k, rounded as the policy says; 1 for groups on the same-price list (同城同病同价); NaN
        where a component has no value, which is an error only if such a case occurs.

    Examples
    --------
    >>> coefficients(Policy.load("example"), [("H01", "3"), ("H12", "1")], ["BR13", "CB69"])
    array([[1.084, 1.   ],
           [0.88 , 1.   ]])
    """
    rules = policy.coefficients
    if not any(isinstance(part, HospitalGroupComponent) for part in rules.components):
        # Hospitals of a level with equal values of their own have the same k, computed once.
        own = [part.hospitals for part in rules.components if isinstance(part, HospitalComponent)]
        alike: dict[tuple[Any, ...], Site] = {}
        keys = [(level, *(values.get(name) for values in own)) for name, level in sites]
        for key, site in zip(keys, sites, strict=True):
            alike.setdefault(key, site)
        if len(alike) < len(sites):
            rows = {key: row for row, key in enumerate(alike)}
            return coefficients(policy, list(alike.values()), drgs)[[rows[key] for key in keys]]
    total = np.zeros((len(sites), len(drgs)))
    for component in rules.components:
        total += float(component.weight) * _values(policy, component, sites, drgs)
    if rules.minimum is not None:
        total = np.maximum(total, float(rules.minimum))
    if rules.maximum is not None:
        total = np.minimum(total, float(rules.maximum))
    total = round_half_up(total, policy.rounding.coefficient)
    same_price = (*rules.same_price, *basic_groups(rules.same_price_lists))
    same = np.array([covers(same_price, drg) for drg in drgs], bool)
    total[:, same] = 1.0
    return total


def basic_groups(schemes: Sequence[str]) -> tuple[str, ...]:
    """Give the basic groups (基层病组) of schemes, which have one price everywhere.

    Parameters
    ----------
    schemes : sequence of str
        Names of schemes.

    Returns
    -------
    tuple of str
        DRG codes, sorted.

    Raises
    ------
    PolicyError
        For a scheme that has no such list.

    Examples
    --------
    >>> len(basic_groups(["chs-drg-3.0"]))
    31
    """
    found: set[str] = set()
    for scheme in schemes:
        try:
            groups = code_lists(scheme).basic_groups
        except SchemeError as error:
            raise PolicyError(
                _("scheme {scheme} has no lists", scheme=scheme),
                where="coefficients.same_price_lists",
            ) from error
        if not groups:
            raise PolicyError(
                _("scheme {scheme} has no list of basic groups", scheme=scheme),
                where="coefficients.same_price_lists",
                hint=_("chs-drg-3.0 has one; name the groups themselves in same_price"),
            )
        found |= groups
    return tuple(sorted(found))


def lacking(policy: Policy, cases: Sequence[tuple[Site, str]], most: int = 5) -> list[str]:
    """Say which components lack a value for what.

    Parameters
    ----------
    policy : Policy
        The policy.
    cases : sequence of ((hospital, level), DRG)
        Pairs for which there is no coefficient.
    most : int
        How many to name of each component.

    Returns
    -------
    list of str
        For each component that lacks a value, its name and the hospitals, levels or pairs with a
        DRG that it lacks; a component by level names no hospital.

    Examples
    --------
    >>> lacking(Policy.load("example"), [(("H77", "9"), "BR13"), (("H78", "9"), "BR13")])
    ['component level has no value for level 9']
    """
    found = []
    for part in policy.coefficients.components:
        names: dict[str, None] = {}
        for site, drg in cases:
            if np.isnan(_values(policy, part, [site], [drg])[0, 0]):
                names[_named(part, site, drg)] = None
        if names:
            some = some_of(list(names), most)
            found.append(_("component {name} has no value for {some}", name=part.name, some=some))
    return found


def _named(part: Component, site: Site, drg: str) -> str:
    hospital, level = site
    if isinstance(part, LevelComponent | LevelCostComponent):
        text = _("a hospital without level") if level is None else _("level {level}", level=level)
    else:
        text = _("hospital {hospital}", hospital=hospital)
    by_group = isinstance(part, HospitalGroupComponent | LevelCostComponent)
    return _("{where} in {drg}", where=text, drg=drg) if by_group else text


def _values(
    policy: Policy, part: Component, sites: Sequence[Site], drgs: Sequence[str]
) -> NDArray[np.float64]:
    """Give a component's values, those of its fallbacks, or its `otherwise`; NaN without any."""
    levels = [level for _, level in sites]
    if isinstance(part, LevelComponent | LevelCostComponent):
        found = _of_levels(policy, part, levels, drgs)
    else:
        found = _own(policy, part, sites, drgs)
    for fallback in part.fallbacks:
        if not np.isnan(found).any():
            break
        stand_in = _stand_in(policy, part, fallback, levels, drgs)
        found = np.where(np.isnan(found), stand_in, found)
    otherwise = None if isinstance(part, ConstantComponent | LevelComponent) else part.otherwise
    return found if otherwise is None else np.where(np.isnan(found), float(otherwise), found)


def _stand_in(
    policy: Policy,
    part: Component,
    fallback: Fallback,
    levels: Sequence[str | None],
    drgs: Sequence[str],
) -> NDArray[np.float64]:
    """Give what a fallback has for each hospital and DRG; NaN where it has nothing."""
    factor = float(fallback.factor)
    if fallback.take == "constant":
        return np.full((len(levels), len(drgs)), factor)
    order = policy.coefficients.level_order
    step = {"own_level": 0, "next_higher_level": 1, "next_lower_level": -1}[fallback.take]
    taken = [_next_level(order, level, step) for level in levels]
    of = fallback.of or part.name
    source = next(c for c in policy.coefficients.components if c.name == of)
    assert isinstance(source, LevelComponent | LevelCostComponent), "checked with the policy"
    return _of_levels(policy, source, taken, drgs) * factor


def _next_level(order: Sequence[str], level: str | None, step: int) -> str | None:
    if step == 0 or level is None:
        return level
    at = order.index(level) + step if level in order else -1
    return order[at] if 0 <= at < len(order) else None


def _of_levels(
    policy: Policy,
    part: LevelComponent | LevelCostComponent,
    levels: Sequence[str | None],
    drgs: Sequence[str],
) -> NDArray[np.float64]:
    """Give the coefficients of levels; NaN where a component has none."""
    if isinstance(part, LevelComponent):
        return _by_site(part.levels, levels, (len(levels), len(drgs)))
    return _from_table(policy, part, levels, drgs)


def _own(
    policy: Policy,
    part: ConstantComponent | HospitalComponent | HospitalGroupComponent,
    sites: Sequence[Site],
    drgs: Sequence[str],
) -> NDArray[np.float64]:
    shape, hospitals = (len(sites), len(drgs)), [name for name, _ in sites]
    if isinstance(part, ConstantComponent):
        return np.full(shape, float(part.value))
    if isinstance(part, HospitalComponent):
        return _by_site(part.hospitals, hospitals, shape)
    return _from_table(policy, part, hospitals, drgs)


def _from_table(
    policy: Policy,
    part: HospitalGroupComponent | LevelCostComponent,
    keys: Sequence[str | None],
    drgs: Sequence[str],
) -> NDArray[np.float64]:
    """Look up a table by level or by hospital, and DRG."""
    index = pd.MultiIndex.from_product([list(keys), list(drgs)])
    found = coefficient_rows(policy, part).reindex(index).to_numpy(np.float64)
    return found.reshape(len(keys), len(drgs))


def _by_site(
    table: Mapping[str, Decimal],
    keys: Sequence[str | None],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    values = [None if key is None else table.get(key) for key in keys]
    column = np.array([np.nan if value is None else float(value) for value in values])
    return np.broadcast_to(column[:, None], shape).copy()
