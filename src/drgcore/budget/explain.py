"""A hospital's payment, printed step by step as a person would check it by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

from drgcore.budget.allocate import decimal_text
from drgcore.budget.closing import ClosedMonth
from drgcore.budget.explain_year import article, year_lines
from drgcore.budget.formula import (
    Formula,
    down,
    equation,
    greatest,
    money,
    number,
    points,
    shown_amount,
    up,
)
from drgcore.budget.frames import records
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.month_value import CLAIMS, GIVEN, ON_TOP, QUALITY_HELD
from drgcore.budget.pointvalue import PointValue
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.pool_rows import FUND_SHARED
from drgcore.budget.pool_terms import PoolTerms
from drgcore.budget.tables import VALUE_PLACES, points_text
from drgcore.budget.terms import Terms
from drgcore.budget.year_end import ClosedYear, YearSettlement
from drgcore.errors import BudgetError
from drgcore.language import _

Settled = MonthSettlement | YearSettlement | ClosedMonth | ClosedYear
ZERO = Formula("0", Fraction(0))


def explain_payment(
    hospital: str,
    period: Settled,
    policy: Any,
    months: Sequence[ClosedMonth | MonthSettlement] = (),
) -> str:
    """Print a hospital's statement of a month or a year, every step with its numbers.

    Parameters
    ----------
    hospital : str
        The hospital.
    period : MonthSettlement, YearSettlement, ClosedMonth or ClosedYear
        The settled month or year.
    policy : Policy or Terms
        The policy, for θ, κ's rule, bands and the articles that it names.
    months : sequence of ClosedMonth or MonthSettlement
        A year's closed months, so that their adjustments are printed with formulas too.

    Returns
    -------
    str
        For each pool: points by class, the point value with numerator and denominator, deductions,
        what is prepaid, held back and carried; for a year also the adjustments with their months,
        the pool share with κ, surplus and deficit with E, F and share, the final amount and the
        balance. Under each amount stands its formula; where largest remainders moved a fen of it,
        the formula says so.

    Raises
    ------
    BudgetError
        If the hospital is not in the statement.

    Examples
    --------
    >>> import pandas as pd
    >>> from drgcore.budget.month import Month
    >>> from drgcore.budget.month_end import settle_month
    >>> from drgcore.budget.terms import PoolTerms
    >>> terms = Terms(2026, (PoolTerms("resident", 1_200_000),))
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["resident"], "points": [250.0]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-01-31"]), "case_class": ["normal"]}
    >>> january = settle_month(pd.DataFrame(case), terms, Month(2026, 1))
    >>> print(explain_payment("H1", january, terms))
    H1 · 2026-01 · pool resident
      points (基金点数)
        normal                                          1 cases             250.0000
        all                                             1 cases             250.0000
      point value (点值): 1,000.00 ÷ 250.0000 points = 4.000000 yuan
      points × point value                                              1,000.00
        250.0000 × 1,000.00 ÷ 250.0000 = 1,000.00
      prepaid (预付), θ = 1                                           1,000.00
        1 × 1,000.00 = 1,000.00
      held back into the incentive pool                                     0.00
        0 × 1,000.00 = 0.00
    """
    settled = period.settlement if isinstance(period, ClosedMonth | ClosedYear) else period
    month = settled if isinstance(settled, MonthSettlement) else None
    year = settled.month.year if isinstance(settled, MonthSettlement) else settled.year
    terms = terms_of(policy, year)
    rows = [row for row in records(settled.statement) if row["hospital"] == hospital]
    if not rows:
        raise BudgetError(
            _("{hospital} is not in the statement", hospital=hospital),
            where=str(month.month if month else year),
            hint=_("hospitals appear by their code in the cases"),
        )
    closed = [m.settlement if isinstance(m, ClosedMonth) else m for m in months]
    lines: list[str] = []
    for row in rows:
        pool = terms.pool(row["pool"])
        now = pool if month is None else pool.in_month(month.month.number)
        lines += _heading(settled, row, terms, now)
        if isinstance(settled, YearSettlement):
            lines += year_lines(settled, row, terms, closed)
        else:
            lines += _month_lines(settled, row, terms, now)
    return "\n".join(lines)


def _heading(
    settled: MonthSettlement | YearSettlement,
    row: Mapping[str, Any],
    terms: Terms,
    pool: PoolTerms,
) -> Iterator[str]:
    """Points by class, the point value as numerator over denominator, and v·Q."""
    value = settled.value(row["pool"])
    yield f"{row['hospital']} · {value.period} · pool {row['pool']}"
    yield f"  points (基金点数){article(terms, 'points')}"
    mine = [
        part
        for part in records(settled.classes)
        if (part["pool"], part["hospital"]) == (row["pool"], row["hospital"])
    ]
    for part in mine:
        yield _points(part["case_class"], part["cases"], part["points"], value.places)
    other = row["points"] - sum(part["points"] for part in mine)
    if other:
        yield _points("withdrawn or awarded", 0, other, value.places)
    yield _points("all", row["cases"], row["points"], value.places)
    yield from _value_lines(settled, value, terms, pool)
    yield from _gross_lines(row, value, pool, terms)
    if value.basis == "total_cost":
        yield shown_amount("− borne by patients and other payers", -row["patient_paid_fen"])
        yield shown_amount("entitlement", row["entitlement_fen"])
        formula = money(row["gross_fen"]) - money(row["patient_paid_fen"])
        yield equation(formula, row["entitlement_fen"])
    if row["refused_fen"]:
        yield shown_amount(f"− refused by audit{article(terms, 'refused')}", -row["refused_fen"])
    if row["carried_in_fen"]:
        yield shown_amount("carried in", row["carried_in_fen"])


def _value_lines(
    settled: MonthSettlement | YearSettlement, value: PointValue, terms: Terms, pool: PoolTerms
) -> Iterator[str]:
    title = f"  point value (点值){{}}{article(terms, 'point_value')}"
    given = pool.value if pool.value is not None else pool.month_value
    if value.limited == CLAIMS:
        yield title.format(": none; the month pays claims")
        return
    if value.limited == GIVEN and given is not None:
        most = "; a case at most its claim" if pool.value is not None else ""
        yield title.format(f": given, {number(given).text} yuan{most}")
        return
    for move in records(settled.flows):
        if (move["pool"], move["item"]) == (value.pool, FUND_SHARED):
            before = value.budget_fen - move["amount_fen"]
            name = f"budget after sharing with the fund, A' ({move['account']})"
            yield shown_amount(name, value.budget_fen)
            yield equation(money(before) + money(move["amount_fen"]), value.budget_fen)
    raw = money(value.budget_fen)
    if value.basis == "total_cost":
        raw = raw + money(value.patient_paid_fen)
    if value.limited and pool.last_value is not None:
        limit = pool.ceiling if value.limited == "ceiling" else pool.floor
        assert limit is not None
        bound = number(limit) * number(pool.last_value) * points(value.points, value.places)
        if value.limited == "ceiling":
            yield shown_amount("  ceiling", value.numerator_fen)
            yield equation(down(bound), value.numerator_fen)
            yield shown_amount("  left by it to the reserve", value.to_reserve_fen)
            yield equation(raw - money(value.numerator_fen), value.to_reserve_fen)
        else:
            yield shown_amount("  floor", value.numerator_fen + value.unmet_fen)
            yield equation(up(bound), value.numerator_fen + value.unmet_fen)
            yield shown_amount("  paid by the reserve", value.from_reserve_fen)
            yield shown_amount("  to be divided", value.numerator_fen)
            yield equation(raw + money(value.from_reserve_fen), value.numerator_fen)
        raw = money(value.numerator_fen)
    above = f"({raw.text})" if " + " in raw.text else raw.text
    below = points_text(value.points, value.places)
    v = decimal_text(value.yuan, VALUE_PLACES)
    yield title.format(f": {above} ÷ {below} points = {v} yuan")


def _gross_lines(
    row: Mapping[str, Any], value: PointValue, pool: PoolTerms, terms: Terms
) -> Iterator[str]:
    """v·Q with its formula; or claims, or the sum of what each case is paid."""
    q = points(row["points"], value.places)
    less_top = "" if terms.on_top_from is None else " − money on top"
    if value.limited == CLAIMS:
        yield shown_amount(f"claims{less_top}", row["gross_fen"])
        return
    if pool.value is not None:
        worth = number(pool.value) * q
        less = row["gross_fen"] - floor(worth.value * 100 + Fraction(1, 2))
        yield shown_amount("  cut by claims, and each case rounded to the fen", less)
        name = f"cases at the given value, Σ min(v·Q, claim{less_top})"
        yield shown_amount(name, row["gross_fen"])
        yield equation(worth + money(less), row["gross_fen"])
        return
    yield shown_amount("points × point value", row["gross_fen"])
    if value.points:
        formula = q * money(value.numerator_fen) / points(value.points, value.places)
        yield equation(formula, row["gross_fen"])


def _month_lines(
    settled: MonthSettlement, row: Mapping[str, Any], terms: Terms, pool: PoolTerms
) -> Iterator[str]:
    due = money(row["entitlement_fen"])
    if row["refused_fen"]:
        due = due - money(row["refused_fen"])
    if row["carried_in_fen"]:
        due = due + money(row["carried_in_fen"])
    paid = greatest(due, ZERO) if due.value < 0 else due
    theta = pool.prepayment
    yield shown_amount(
        f"prepaid (预付), θ = {number(theta).text}{article(terms, 'prepayment')}",
        row["prepaid_fen"],
    )
    yield equation(number(theta) * paid, row["prepaid_fen"])
    yield shown_amount("held back into the incentive pool", row["held_fen"])
    yield equation(number(1 - theta) * paid, row["held_fen"])
    for item, name in ((QUALITY_HELD, "of it quality money (质量保证金)"),):
        for move in flows_of(settled, row, item):
            yield shown_amount(f"  {name}", move["amount_fen"])
            share = terms.quality_money.share if terms.quality_money else None
            part = 1 - theta if share is None else min(share, 1 - theta)
            formula = number(part) * money(row["held_fen"]) / number(1 - theta)
            yield equation(formula, move["amount_fen"])
    if row["carried_out_fen"]:
        yield shown_amount("carried forward, not paid", row["carried_out_fen"])
        yield equation(due, row["carried_out_fen"])
    if row["outside_fen"]:
        yield shown_amount("paid by item, outside the points", row["outside_fen"])
    for move in flows_of(settled, row, ON_TOP):
        yield shown_amount(f"money on top of points, from {move['account']}", move["amount_fen"])


def flows_of(
    settled: MonthSettlement | YearSettlement, row: Mapping[str, Any], item: str
) -> list[dict[str, Any]]:
    """Give a hospital's flows of one item in a pool."""
    key = (row["pool"], row["hospital"], item)
    return [m for m in records(settled.flows) if (m["pool"], m["hospital"], m["item"]) == key]


def _points(name: str, cases: int, amount: int, places: int) -> str:
    return f"    {name:<40}{cases:>9,} cases{points_text(amount, places):>21}"
