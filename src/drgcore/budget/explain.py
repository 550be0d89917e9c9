"""A hospital's payment, printed step by step as a person would check it by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from drgcore.budget.allocate import decimal_text, yuan
from drgcore.budget.closing import ClosedMonth
from drgcore.budget.frames import records
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.pointvalue import PointValue
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.tables import VALUE_PLACES, points_text
from drgcore.budget.terms import Terms
from drgcore.budget.year_end import ClosedYear, YearSettlement
from drgcore.errors import BudgetError

Settled = MonthSettlement | YearSettlement | ClosedMonth | ClosedYear


def explain_payment(hospital: str, period: Settled, policy: Any) -> str:
    """Print a hospital's statement of a month or a year, every step with its numbers.

    Parameters
    ----------
    hospital : str
        The hospital.
    period : MonthSettlement, YearSettlement, ClosedMonth or ClosedYear
        The settled month or year.
    policy : Policy or Terms
        The policy, for θ, κ's rule and the articles that it names.

    Returns
    -------
    str
        For each pool: points by class, the point value with numerator and denominator, deductions,
        what is prepaid, held back and carried; for a year also the adjustments with their months,
        the pool share with κ, surplus and deficit, the final amount and the balance.

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
        normal                                              1 cases             250.0000
        all                                                 1 cases             250.0000
      point value (点值): 1,000.00 ÷ 250.0000 points = 4.000000 yuan
      points × point value                                                      1,000.00
      prepaid (预付), θ = 1                                                     1,000.00
      held back into the incentive pool                                             0.00
    """
    settled = period.settlement if isinstance(period, ClosedMonth | ClosedYear) else period
    month = settled if isinstance(settled, MonthSettlement) else None
    year = settled.month.year if isinstance(settled, MonthSettlement) else settled.year
    terms = terms_of(policy, year)
    rows = [row for row in records(settled.statement) if row["hospital"] == hospital]
    if not rows:
        raise BudgetError(
            f"{hospital} is not in the statement",
            where=str(month.month if month else year),
            hint="hospitals appear by their code in the cases",
        )
    lines: list[str] = []
    for row in rows:
        lines += _heading(settled, row, terms)
        if isinstance(settled, YearSettlement):
            lines += _year_lines(settled, row, terms)
        else:
            lines += _month_lines(row, terms)
    return "\n".join(lines)


def _heading(
    settled: MonthSettlement | YearSettlement, row: Mapping[str, Any], terms: Terms
) -> Iterator[str]:
    """Points by class, and the point value as numerator over denominator."""
    value = settled.value(row["pool"])
    yield f"{row['hospital']} · {value.period} · pool {row['pool']}"
    yield f"  points (基金点数){_article(terms, 'points')}"
    for part in records(settled.classes):
        if (part["pool"], part["hospital"]) == (row["pool"], row["hospital"]):
            yield _points(part["case_class"], part["cases"], part["points"], value.places)
    by_class = sum(
        part["points"]
        for part in records(settled.classes)
        if (part["pool"], part["hospital"]) == (row["pool"], row["hospital"])
    )
    if row["points"] != by_class:
        yield _points("withdrawn or awarded", 0, row["points"] - by_class, value.places)
    yield _points("all", row["cases"], row["points"], value.places)
    yield f"  point value (点值): {_division(value)}{_article(terms, 'point_value')}"
    if value.limited:
        moved = value.to_reserve_fen or -value.from_reserve_fen
        yield f"    {value.limited}: {yuan(moved)} to the reserve"
    yield _money("points × point value", row["gross_fen"])
    if value.basis == "total_cost":
        yield _money("− borne by patients and other payers", -row["patient_paid_fen"])
        yield _money("entitlement", row["entitlement_fen"])
    if row["refused_fen"]:
        yield _money(f"− refused by audit{_article(terms, 'refused')}", -row["refused_fen"])
    if row["carried_in_fen"]:
        yield _money("carried in", row["carried_in_fen"])


def _month_lines(row: Mapping[str, Any], terms: Terms) -> Iterator[str]:
    theta = terms.pool(row["pool"]).prepayment
    name = f"prepaid (预付), θ = {float(theta):g}{_article(terms, 'prepayment')}"
    yield _money(name, row["prepaid_fen"])
    yield _money("held back into the incentive pool", row["held_fen"])
    if row["carried_out_fen"]:
        yield _money("carried forward, not paid", row["carried_out_fen"])
    if row["outside_fen"]:
        yield _money("paid by item, outside the points", row["outside_fen"])


def _year_lines(year: YearSettlement, row: Mapping[str, Any], terms: Terms) -> Iterator[str]:
    yield _money("prepaid in the months", row["prepaid_fen"])
    yield f"  adjustments{_article(terms, 'adjustments')}"
    places = year.value(row["pool"]).places
    for item in records(year.adjustments):
        if (item["pool"], item["hospital"]) == (row["pool"], row["hospital"]):
            detail = f", {points_text(item['points'], places)} points" if item["points"] else ""
            yield _money(f"  {item['month']} {item['kind']}{detail}", item["amount_fen"])
    yield _money("  all adjustments", row["adjustments_fen"])
    yield from _pool_share(year, row, terms)
    for column, name, sign in (
        ("surplus_returned_fen", "− surplus returned", -1),
        ("deficit_borne_fen", "deficit borne by the reserve", 1),
        ("capitation_fen", "from the capitated budget", 1),
    ):
        if row[column]:
            yield _money(name + _article(terms, "bands"), sign * row[column])
    if row["carried_out_fen"]:
        yield _money("carried forward, not paid", row["carried_out_fen"])
    yield _money(f"final payment (清算额){_article(terms, 'final')}", row["final_fen"])
    yield _money("− prepaid", -row["prepaid_fen"])
    yield _money(
        "balance due" if row["balance_fen"] >= 0 else "to be recovered", row["balance_fen"]
    )
    if row["outside_fen"]:
        yield _money("paid by item, outside the points", row["outside_fen"])


def _pool_share(year: YearSettlement, row: Mapping[str, Any], terms: Terms) -> Iterator[str]:
    """The hospital's part of the incentive pool, as pool × κE ÷ Σ κE."""
    rows = [r for r in records(year.statement) if r["pool"] == row["pool"]]
    pool = sum(r["held_fen"] for r in rows)
    yield f"  incentive pool (激励机制基金池){_article(terms, 'pool')}"
    yield _money("  held back from all hospitals", pool)
    yield _money("  held back here", row["held_fen"])
    if row["kappa"]:
        all_weights = sum(Fraction(r["kappa"] or 0) * max(r["entitlement_fen"], 0) for r in rows)
        total = decimal_text(Fraction(all_weights) / 100, 2)
        name = f"{row['kappa']} × {yuan(row['entitlement_fen'])} ÷ {total}"
        yield f"    pool × κ·E ÷ Σ κ·E = {yuan(pool)} × {name}"
    yield _money("  share of the pool", row["pool_share_fen"])


def _division(value: PointValue) -> str:
    above = yuan(value.numerator_fen)
    if value.basis == "total_cost" and not value.limited:
        above = f"({yuan(value.budget_fen)} + {yuan(value.patient_paid_fen)})"
    below = points_text(value.points, value.places)
    return f"{above} ÷ {below} points = {decimal_text(value.yuan, VALUE_PLACES)} yuan"


def _points(name: str, cases: int, points: int, places: int) -> str:
    return f"    {name:<44}{cases:>9,} cases{points_text(points, places):>21}"


def _money(name: str, amount_fen: int) -> str:
    return f"  {name:<62}{yuan(amount_fen):>20}"


def _article(terms: Terms, step: str) -> str:
    return f" [{terms.articles[step]}]" if step in terms.articles else ""
