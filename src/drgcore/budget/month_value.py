"""What the points of a month are worth: by its budget, at a given value, or as claims."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from drgcore.budget.month import Month
from drgcore.budget.pointvalue import PointValue, point_value, value_of_points
from drgcore.budget.pool_terms import PoolTerms

SET_ASIDE = "reserve_set_aside"
QUALITY_HELD = "quality_money_held"
ON_TOP = "on_top"
ACCOUNT_CLOSING = "account_closing"
"""Items of the flows of a month."""

GIVEN, CLAIMS = "given", "claims"
"""What limits a value that is not a budget divided by points."""


def month_value(
    pool: PoolTerms,
    month: Month,
    budget_fen: int,
    sums: Mapping[str, Mapping[str, int]],
    places: int,
    reserve_fen: int,
) -> tuple[PointValue, dict[str, int]]:
    """Give a month's point value, and what each hospital's points are worth by it.

    Parameters
    ----------
    pool : PoolTerms
        The parameters of the month.
    month : Month
        The month.
    budget_fen : int
        Its budget, after what is paid from it first [fen].
    sums : mapping of str to mapping of str to int
        Sums of its cases by hospital, see `by_hospital`. Of claims what is paid on top of points is
        taken off, so that no cost is paid twice.
    places : int
        Decimals of a point.
    reserve_fen : int
        What the reserve holds [fen].

    Returns
    -------
    value : PointValue
        `limited` is ``given`` for a given value and ``claims`` where claims are paid.
    gross : dict of str to int
        v·Q of every hospital, or its claims [fen].

    Examples
    --------
    >>> pool = PoolTerms("p", 0, month_payment="given_value", month_value=Fraction(64))
    >>> sums = {"A": {"points": 174_098, "patient_paid_fen": 0}}
    >>> month_value(pool, Month(2026, 1), 0, sums, 0, 0)[1]
    {'A': 1114227200}
    """
    points = {h: row["points"] for h, row in sums.items()}
    borne = sum(row["patient_paid_fen"] for row in sums.values())
    of_month = (pool.pool, str(month), pool.basis)
    all_points = sum(points.values())
    if pool.value is not None:
        gross = {h: row["given_fen"] for h, row in sums.items()}
        total = sum(gross.values())
        return PointValue(*of_month, 0, borne, total, all_points, places, GIVEN), gross
    if pool.month_payment == "claims":
        more = "patient_paid_fen" if pool.basis == "total_cost" else ""
        gross = {h: claim_of(row) + row.get(more, 0) for h, row in sums.items()}
        total = sum(gross.values())
        return PointValue(*of_month, budget_fen, borne, total, all_points, places, CLAIMS), gross
    if pool.month_payment == "given_value":
        assert pool.month_value is not None
        worth = pool.month_value * 100 * all_points / 10**places
        total = floor(worth + Fraction(1, 2))
        value = PointValue(*of_month, budget_fen, borne, total, all_points, places, GIVEN)
        return value, value_of_points(value, points)
    value = point_value(
        pool, str(month), budget_fen, all_points, borne, places, max(reserve_fen, 0)
    )
    return value, value_of_points(value, points)


def claim_of(row: Mapping[str, int]) -> int:
    """Give what a hospital's points must cover of its cases' cost by item.

    Parameters
    ----------
    row : mapping of str to int
        Sums of its cases, see `by_hospital`.

    Returns
    -------
    int
        C − B less what is paid on top of points, not less than 0 [fen].

    Examples
    --------
    >>> claim_of({"item_cost_fen": 120_000, "on_top_fen": 65_000})
    55000
    """
    return max(row["item_cost_fen"] - row["on_top_fen"], 0)
