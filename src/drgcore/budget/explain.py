"""A hospital's payment, printed step by step as a person would check it by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from math import floor
from typing import Any

from drgcore.budget.allocate import decimal_text
from drgcore.budget.closing import ClosedMonth
from drgcore.budget.explain_year import year_lines
from drgcore.budget.formula import Formula, down, greatest, money, number, points, up
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.month_value import CLAIMS, GIVEN, ON_TOP, QUALITY_HELD
from drgcore.budget.pointvalue import PointValue
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.pool_rows import FUND_SHARED
from drgcore.budget.pool_terms import PoolTerms
from drgcore.budget.statement_lines import Line, StatementPart, printed, stated
from drgcore.budget.tables import VALUE_PLACES, points_text
from drgcore.budget.terms import Terms
from drgcore.budget.year_end import ClosedYear, YearSettlement
from drgcore.errors import BudgetError
from drgcore.language import _, word

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
    H1 · January 2026 · pool resident
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
    return printed(explain_lines(hospital, period, policy, months))


def explain_lines(
    hospital: str,
    period: Settled,
    policy: Any,
    months: Sequence[ClosedMonth | MonthSettlement] = (),
) -> list[StatementPart]:
    """Give a hospital's statement of a month or a year as lines with keys.

    Parameters
    ----------
    hospital, period, policy, months
        Those of `explain_payment`, which prints these lines.

    Returns
    -------
    list of StatementPart
        One a pool. Keys, amounts and formulas are the same in every language; what a line is called
        is in the language that is spoken.

    Raises
    ------
    BudgetError
        If the hospital is not in the statement.
    """
    settled = period.settlement if isinstance(period, ClosedMonth | ClosedYear) else period
    month = settled if isinstance(settled, MonthSettlement) else None
    year = settled.month.year if isinstance(settled, MonthSettlement) else settled.year
    terms = terms_of(policy, year)
    rows = [row for row in settled.records("statement") if row["hospital"] == hospital]
    if not rows:
        raise BudgetError(
            _("{hospital} is not in the statement", hospital=hospital),
            where=str(month.month if month else year),
            hint=_("hospitals appear by their code in the cases"),
        )
    closed = [m.settlement if isinstance(m, ClosedMonth) else m for m in months]
    parts = []
    for row in rows:
        pool = terms.pool(row["pool"])
        now = pool if month is None else pool.in_month(month.month.number)
        lines = [*_heading(settled, row, terms, now)]
        if isinstance(settled, YearSettlement):
            lines += year_lines(settled, row, terms, closed)
        else:
            lines += _month_lines(settled, row, terms, now)
        when = settled.value(row["pool"]).period
        parts.append(StatementPart(hospital, when, row["pool"], tuple(lines)))
    return parts


def _heading(
    settled: MonthSettlement | YearSettlement,
    row: Mapping[str, Any],
    terms: Terms,
    pool: PoolTerms,
) -> Iterator[Line]:
    """Points by class, the point value as numerator over denominator, and v·Q."""
    value = settled.value(row["pool"])
    named = terms.articles
    yield Line("points", "note", _("points (基金点数)"), article=named.get("points"))
    mine = [
        part
        for part in settled.records("classes")
        if (part["pool"], part["hospital"]) == (row["pool"], row["hospital"])
    ]
    for part in mine:
        kind = part["case_class"]
        yield _points(f"points.{kind}", word(kind), part["cases"], part["points"], value.places)
    other = row["points"] - sum(part["points"] for part in mine)
    if other:
        yield _points("points.other", _("withdrawn or awarded"), 0, other, value.places)
    yield _points("points.all", _("all"), row["cases"], row["points"], value.places)
    yield from _value_lines(settled, value, terms, pool)
    yield from _gross_lines(row, value, pool, terms)
    if value.basis == "total_cost":
        text = _("− borne by patients and other payers")
        yield from stated("patient_paid", text, -row["patient_paid_fen"])
        due = money(row["gross_fen"]) - money(row["patient_paid_fen"])
        yield from stated("entitlement", _("entitlement"), row["entitlement_fen"], due)
    if row["refused_fen"]:
        text, by = _("− refused by audit"), named.get("refused")
        yield from stated("refused", text, -row["refused_fen"], article=by)
    if row["carried_in_fen"]:
        yield from stated("carried_in", _("carried in"), row["carried_in_fen"])


def _value_lines(
    settled: MonthSettlement | YearSettlement, value: PointValue, terms: Terms, pool: PoolTerms
) -> Iterator[Line]:
    title = partial(Line, "point_value", "note", article=terms.articles.get("point_value"))
    given = pool.value if pool.value is not None else pool.month_value
    if value.limited == CLAIMS:
        yield title(_("point value (点值): none; the month pays claims"))
        return
    if value.limited == GIVEN and given is not None:
        yuan = number(given).text
        text = _("point value (点值): given, {yuan} yuan", yuan=yuan)
        if pool.value is not None:
            text = _("{point_value}; a case at most its claim", point_value=text)
        yield title(text)
        return
    for move in settled.records("flows"):
        if (move["pool"], move["item"]) == (value.pool, FUND_SHARED):
            before = value.budget_fen - move["amount_fen"]
            account = word(move["account"])
            text = _("budget after sharing with the fund, A' ({account})", account=account)
            shared = money(before) + money(move["amount_fen"])
            yield from stated("shared_budget", text, value.budget_fen, shared)
    raw = money(value.budget_fen)
    if value.basis == "total_cost":
        raw = raw + money(value.patient_paid_fen)
    if value.limited and pool.last_value is not None:
        limit = pool.ceiling if value.limited == "ceiling" else pool.floor
        assert limit is not None
        bound = number(limit) * number(pool.last_value) * points(value.points, value.places)
        if value.limited == "ceiling":
            most, left = down(bound), raw - money(value.numerator_fen)
            yield from stated("ceiling", _("ceiling"), value.numerator_fen, most, inner=True)
            text = _("left by it to the reserve")
            yield from stated("to_reserve", text, value.to_reserve_fen, left, inner=True)
        else:
            least = value.numerator_fen + value.unmet_fen
            yield from stated("floor", _("floor"), least, up(bound), inner=True)
            text = _("paid by the reserve")
            yield from stated("from_reserve", text, value.from_reserve_fen, inner=True)
            whole = raw + money(value.from_reserve_fen)
            text = _("to be divided")
            yield from stated("numerator", text, value.numerator_fen, whole, inner=True)
        raw = money(value.numerator_fen)
    above = f"({raw.text})" if " + " in raw.text else raw.text
    below = points_text(value.points, value.places)
    v = decimal_text(value.yuan, VALUE_PLACES)
    shown = f"{above} ÷ {below}"
    yield title(_("point value (点值): {shown} points = {v} yuan", shown=shown, v=v))


def _gross_lines(
    row: Mapping[str, Any], value: PointValue, pool: PoolTerms, terms: Terms
) -> Iterator[Line]:
    """v·Q with its formula; or claims, or the sum of what each case is paid."""
    q = points(row["points"], value.places)
    top = terms.on_top_from is not None
    if value.limited == CLAIMS:
        text = _("claims − money on top") if top else _("claims")
        yield from stated("gross", text, row["gross_fen"])
        return
    if pool.value is not None:
        worth = number(pool.value) * q
        less = row["gross_fen"] - floor(worth.value * 100 + Fraction(1, 2))
        text = _("cut by claims, and each case rounded to the fen")
        yield from stated("cut", text, less, inner=True)
        text = (
            _("cases at the given value, Σ min(v·Q, claim − money on top)")
            if top
            else _("cases at the given value, Σ min(v·Q, claim)")
        )
        yield from stated("gross", text, row["gross_fen"], worth + money(less))
        return
    formula = None
    if value.points:
        formula = q * money(value.numerator_fen) / points(value.points, value.places)
    yield from stated("gross", _("points × point value"), row["gross_fen"], formula)


def _month_lines(
    settled: MonthSettlement, row: Mapping[str, Any], terms: Terms, pool: PoolTerms
) -> Iterator[Line]:
    due = money(row["entitlement_fen"])
    if row["refused_fen"]:
        due = due - money(row["refused_fen"])
    if row["carried_in_fen"]:
        due = due + money(row["carried_in_fen"])
    paid = greatest(due, ZERO) if due.value < 0 else due
    theta = pool.prepayment
    text, by = _("prepaid (预付), θ = {theta}", theta=number(theta).text), terms.articles
    prepaid = number(theta) * paid
    yield from stated("prepaid", text, row["prepaid_fen"], prepaid, article=by.get("prepayment"))
    text = _("held back into the incentive pool")
    yield from stated("held", text, row["held_fen"], number(1 - theta) * paid)
    for move in flows_of(settled, row, QUALITY_HELD):
        share = terms.quality_money.share if terms.quality_money else None
        part = 1 - theta if share is None else min(share, 1 - theta)
        formula = number(part) * money(row["held_fen"]) / number(1 - theta)
        text = _("of it quality money (质量保证金)")
        yield from stated("quality_held", text, move["amount_fen"], formula, inner=True)
    if row["carried_out_fen"]:
        text = _("carried forward, not paid")
        yield from stated("carried_out", text, row["carried_out_fen"], due)
    if row["outside_fen"]:
        text = _("paid by item, outside the points")
        yield from stated("outside", text, row["outside_fen"])
    for move in flows_of(settled, row, ON_TOP):
        text = _("money on top of points, from {account}", account=word(move["account"]))
        yield from stated("on_top", text, move["amount_fen"])


def flows_of(
    settled: MonthSettlement | YearSettlement, row: Mapping[str, Any], item: str
) -> list[dict[str, Any]]:
    """Give a hospital's flows of one item in a pool."""
    key = (row["pool"], row["hospital"], item)
    return [m for m in settled.records("flows") if (m["pool"], m["hospital"], m["item"]) == key]


def _points(key: str, text: str, cases: int, amount: int, places: int) -> Line:
    shown = points_text(amount, places)
    return Line(key, "points", text, shown, cases, inner=True)
