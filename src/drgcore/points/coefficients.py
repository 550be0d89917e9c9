"""The hospital's coefficient k (机构系数) for every hospital, level and DRG that occur."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.points.case_rules import (
    Component,
    ConstantComponent,
    HospitalComponent,
    LevelComponent,
    LevelCostComponent,
)
from drgcore.points.parameters import covers
from drgcore.points.policy import Policy
from drgcore.points.tables import coefficient_rows
from drgcore.rounding import round_half_up

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
    total = np.zeros((len(sites), len(drgs)))
    for component in rules.components:
        total += float(component.weight) * _values(policy, component, sites, drgs)
    if rules.minimum is not None:
        total = np.maximum(total, float(rules.minimum))
    if rules.maximum is not None:
        total = np.minimum(total, float(rules.maximum))
    total = round_half_up(total, policy.rounding.coefficient)
    same = np.array([covers(rules.same_price, drg) for drg in drgs], bool)
    total[:, same] = 1.0
    return total


def lacking(policy: Policy, site: Site, drg: str) -> str:
    """Say which component has no value for a hospital and DRG.

    Parameters
    ----------
    policy : Policy
        The policy.
    site : (hospital, level)
        The hospital.
    drg : str
        The DRG.

    Returns
    -------
    str
        The names of the components.

    Examples
    --------
    >>> lacking(Policy.load("example"), ("H77", "9"), "BR13")
    'level'
    """
    parts = policy.coefficients.components
    return ", ".join(c.name for c in parts if np.isnan(_values(policy, c, [site], [drg])[0, 0]))


def _values(
    policy: Policy, part: Component, sites: Sequence[Site], drgs: Sequence[str]
) -> NDArray[np.float64]:
    """Give a component's values; NaN where it has none."""
    shape = (len(sites), len(drgs))
    if isinstance(part, ConstantComponent):
        return np.full(shape, float(part.value))
    if isinstance(part, LevelComponent):
        return _by_site(part.levels, [level for _, level in sites], None, shape)
    if isinstance(part, HospitalComponent):
        return _by_site(part.hospitals, [name for name, _ in sites], part.otherwise, shape)
    # A table by level or by hospital, and DRG.
    keys = [level if isinstance(part, LevelCostComponent) else name for name, level in sites]
    index = pd.MultiIndex.from_product([list(keys), list(drgs)])
    found = coefficient_rows(policy, part).reindex(index).to_numpy(np.float64).reshape(shape)
    if part.otherwise is not None:
        found = np.where(np.isnan(found), float(part.otherwise), found)
    return found


def _by_site(
    table: Mapping[str, Decimal],
    keys: Sequence[str | None],
    otherwise: Decimal | None,
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    values = [table.get(key, otherwise) if key is not None else otherwise for key in keys]
    column = np.array([np.nan if value is None else float(value) for value in values])
    return np.broadcast_to(column[:, None], shape).copy()


def uses_level(policy: Policy) -> bool:
    """Say whether any rule looks at the hospital's level.

    Parameters
    ----------
    policy : Policy
        The policy.

    Returns
    -------
    bool
        True if a case's hospital must have a level.

    Examples
    --------
    >>> uses_level(Policy.load("example"))
    True
    """
    by_level = LevelComponent | LevelCostComponent
    limited = [rule.levels for rule in policy.bed_day] + [r.levels for r in policy.fixed_price]
    components = policy.coefficients.components
    return any(isinstance(part, by_level) for part in components) or any(
        levels is not None for levels in limited
    )
