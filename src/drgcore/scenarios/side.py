"""One side of a comparison: what cases, added up, are worth under one policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from drgcore.budget.accounts import RESERVE, Accounts, share_with_fund
from drgcore.budget.allocate import allocate
from drgcore.budget.month_value import GIVEN as LIMITED_BY_CLAIMS
from drgcore.budget.pointvalue import PointValue, point_value, value_of_points
from drgcore.budget.terms import PoolTerms, Terms
from drgcore.points.records import CLASSES
from drgcore.scenarios.sums import (
    BORNE,
    CASES,
    GIVEN,
    ITEM_COST,
    ON_TOP,
    OUTSIDE,
    POINTS,
    Counts,
    Labels,
    Sums,
)

_OUTSIDE = CLASSES.index("outside")


class Amounts(NamedTuple):
    """What some cases are worth.

    Parameters
    ----------
    cases, outside_cases : int
        All of them, and those outside the points.
    points : int
        Points in units of the last decimal place.
    money_fen : int
        v·Q, less B where the point value is that of the total cost [fen].
    outside_fen : int
        What is paid by item for those outside the points [fen].
    """

    cases: int
    outside_cases: int
    points: int
    money_fen: int
    outside_fen: int


@dataclass(frozen=True)
class PoolSide:
    """One pool under one policy.

    Parameters
    ----------
    terms : PoolTerms
        The pool's parameters.
    value : PointValue
        The year's point value.
    paid_by_item_fen : int
        What cases outside the points take from the budget before it is divided [fen].
    on_top_fen : int
        What is paid on top of points from the budget before it is divided [fen].
    fund_shared_fen : int
        What sharing with the fund adds to the budget, negative: takes from it [fen].
    hospitals, levels, mdcs, classes : dict of str to Amounts
        The pool's cases by each of them. Money adds up to that of the pool in each.
    """

    terms: PoolTerms
    value: PointValue
    paid_by_item_fen: int
    on_top_fen: int
    fund_shared_fen: int
    hospitals: dict[str, Amounts]
    levels: dict[str, Amounts]
    mdcs: dict[str, Amounts]
    classes: dict[str, Amounts]

    @property
    def total(self) -> Amounts:
        """What all hospitals together have."""
        return Amounts(*map(sum, zip(*self.hospitals.values(), strict=True)))


def pool_sides(
    sums: Sums, labels: Labels, hospitals: Sequence[str], levels: Sequence[str], terms: Terms
) -> list[PoolSide]:
    """Value the points of every pool, and split its money to the fen.

    The hospitals' money is their entitlement of the year as `settle_year` finds it: the year's
    budget, less the reserve and what is paid by item or on top from it, shared with the fund, is
    divided by the year's points, and split by largest remainder; a pool with a given value pays
    each case min(v·Q, claim). That of a hospital's levels is split from the hospital's; MDCs and
    classes split that of the pool.

    Parameters
    ----------
    sums : Sums
        The cases under the policy.
    labels : Labels
        What they are added up by.
    hospitals, levels : sequence of str
        All hospitals and levels, with cases or without.
    terms : Terms
        The policy's parameters of the year.

    Returns
    -------
    list of PoolSide
        In the order of `terms.pools`.

    Raises
    ------
    BudgetError
        For a pool with money and no points, see `point_value`.

    Examples
    --------
    >>> terms = Terms(2027, (PoolTerms("p", 1000_00),))
    >>> labels = Labels((("H1", "2"),), np.array([0]), ("",), np.array([0]))
    >>> by_site = np.zeros((1, 1, len(CLASSES), 7), np.int64)
    >>> by_site[0, 0, 0, :2] = 1, 120_0000
    >>> side = pool_sides(Sums(by_site, by_site), labels, ["H1", "H2"], ["2"], terms)[0]
    >>> side.hospitals["H1"].money_fen, side.hospitals["H2"].money_fen, side.value.yuan
    (100000, 0, Fraction(25, 3))
    """
    sides = []
    for number, pool in enumerate(terms.pools):
        sites, mdcs = sums.by_site[number], sums.by_mdc[number]
        total = sites.sum(axis=(0, 1)).tolist()
        by_item = total[OUTSIDE] if terms.outside_from_budget else 0
        on_top = total[ON_TOP] if terms.on_top_from == "budget" else 0
        of_hospital = np.zeros((len(hospitals), *sites.shape[1:]), np.int64)
        place = {name: at for at, name in enumerate(hospitals)}
        np.add.at(of_hospital, [place[hospital] for hospital, _ in labels.sites], sites)
        budget = pool.budget_fen - pool.reserve_fen - by_item - on_top
        others = {name: holds.get(pool.pool, 0) for name, holds in terms.accounts.items()}
        accounts = Accounts(pool.reserve_fen, others)
        cost = of_hospital.sum(axis=1)
        # What is paid on top is no cost that the points must cover.
        item_cost = int(np.maximum(cost[:, ITEM_COST] - cost[:, ON_TOP], 0).sum())
        _, shared = share_with_fund(pool.fund_sharing, accounts, budget, item_cost)
        value = _value(pool, terms, total, budget + shared, accounts.holds(RESERVE))
        gross = _worth(pool, value, hospitals, of_hospital)
        by_mdc = _worth(pool, value, labels.mdcs, mdcs)
        sides.append(
            PoolSide(
                pool,
                value,
                by_item,
                on_top,
                shared,
                _amounts(pool, hospitals, of_hospital, gross),
                _by_level(pool, labels, levels, sites, gross),
                _amounts(pool, labels.mdcs, mdcs, by_mdc),
                _by_class(pool, value, sites),
            )
        )
    return sides


def _value(
    pool: PoolTerms, terms: Terms, total: Sequence[int], budget_fen: int, reserve_fen: int
) -> PointValue:
    """Divide the budget by the points; or add up what the cases are paid at a given value."""
    places = terms.point_places
    if pool.value is None:
        of_year = (pool, str(terms.year), budget_fen, total[POINTS], total[BORNE])
        return point_value(*of_year, places, reserve_fen)
    sums = (0, total[BORNE], total[GIVEN], total[POINTS])
    return PointValue(
        pool.pool, str(terms.year), pool.basis, *sums, places, limited=LIMITED_BY_CLAIMS
    )


def _worth(
    pool: PoolTerms, value: PointValue, keys: Sequence[str], counts: Counts
) -> dict[str, int]:
    """Give v·Q by key, or Σ min(v·Q, claim) where the value is given."""
    if pool.value is None:
        return value_of_points(value, _points(keys, counts))
    return dict(zip(keys, counts[..., GIVEN].sum(axis=1).tolist(), strict=True))


def _points(keys: Sequence[str], counts: Counts) -> dict[str, int]:
    return dict(zip(keys, counts[..., POINTS].sum(axis=1).tolist(), strict=True))


def _amounts(
    pool: PoolTerms, keys: Sequence[str], counts: Counts, gross: dict[str, int]
) -> dict[str, Amounts]:
    """Take B from each key's v·Q where the policy says so; `counts` is by key and class."""
    borne = 1 if pool.basis == "total_cost" else 0
    outside = counts[:, _OUTSIDE, CASES].tolist()
    return {
        key: Amounts(row[CASES], out, row[POINTS], gross[key] - borne * row[BORNE], row[OUTSIDE])
        for key, row, out in zip(keys, counts.sum(axis=1).tolist(), outside, strict=True)
    }


def _by_level(
    pool: PoolTerms, labels: Labels, levels: Sequence[str], sites: Counts, gross: dict[str, int]
) -> dict[str, Amounts]:
    """Split each hospital's v·Q over the levels that its cases have, most often a single one."""
    # The cases of a given value are worth what they are, which adds up to the hospital's.
    points = sites[..., POINTS if pool.value is None else GIVEN].sum(axis=1).tolist()
    of_hospital: dict[str, list[int]] = {}
    for at, (hospital, _other) in enumerate(labels.sites):
        of_hospital.setdefault(hospital, []).append(at)
    worth = dict.fromkeys(levels, 0)
    for hospital, places in of_hospital.items():
        names = [labels.sites[at][1] for at in places]
        parts = allocate(gross[hospital], [points[at] for at in places], names)
        for name, part in zip(names, parts, strict=True):
            worth[name] += part
    counts = np.zeros((len(levels), *sites.shape[1:]), np.int64)
    place = {name: at for at, name in enumerate(levels)}
    np.add.at(counts, [place[level] for _, level in labels.sites], sites)
    return _amounts(pool, levels, counts, worth)


def _by_class(pool: PoolTerms, value: PointValue, sites: Counts) -> dict[str, Amounts]:
    by_class = sites.sum(axis=0)
    # One row a class, with its cases in the class's own column.
    counts = np.zeros((len(CLASSES), *by_class.shape), np.int64)
    counts[np.arange(len(CLASSES)), np.arange(len(CLASSES))] = by_class
    return _amounts(pool, CLASSES, counts, _worth(pool, value, CLASSES, counts))
