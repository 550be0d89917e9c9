"""The year's part of a hospital's statement, every amount with its formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from drgcore.budget import adjustments as adj
from drgcore.budget.explain_bands import band_lines
from drgcore.budget.formula import Formula, down, equation, least, money, number, points
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.month_value import QUALITY_HELD
from drgcore.budget.pointvalue import PointValue
from drgcore.budget.pool_rows import (
    ADVANCE,
    ON_TOP,
    ON_TOP_PAID,
    QUALITY_RETURNED,
    QUALITY_SHARED,
)
from drgcore.budget.statement_lines import Line, stated
from drgcore.budget.tables import points_text
from drgcore.budget.terms import Terms
from drgcore.budget.year_end import YearSettlement
from drgcore.dates import period_text
from drgcore.language import _, word

Rows = Mapping[str, Any]
ZERO = Formula("0", Fraction(0))


def year_lines(
    year: YearSettlement, row: Rows, terms: Terms, months: Sequence[MonthSettlement]
) -> Iterator[Line]:
    """Give a hospital's year from what was prepaid to the balance.

    Parameters
    ----------
    year : YearSettlement
        The year.
    row : mapping
        The hospital's row of the statement in one pool.
    terms : Terms
        The parameters of the year.
    months : sequence of MonthSettlement
        Its closed months; without them the value of their points has no formula.

    Yields
    ------
    Line
        Lines.
    """
    yield from stated("prepaid", _("prepaid in the months"), row["prepaid_fen"])
    yield from _adjustment_lines(year, row, terms, months)
    yield from _pool_lines(year, row, terms)
    final = money(row["prepaid_fen"]) + money(row["adjustments_fen"]) + money(row["pool_share_fen"])
    yield from band_lines(year, row, terms)
    for column, sign in (
        ("surplus_returned_fen", -1),
        ("deficit_borne_fen", 1),
        ("capitation_fen", 1),
    ):
        if row[column]:
            final = final + money(sign * row[column])
    if row["carried_out_fen"]:
        yield from stated("carried_out", _("carried forward, not paid"), row["carried_out_fen"])
        final = final - money(row["carried_out_fen"])
    text, by = _("final payment (清算额)"), terms.articles.get("final")
    yield from stated("final", text, row["final_fen"], final, article=by)
    yield from stated("less_prepaid", _("− prepaid"), -row["prepaid_fen"])
    due = money(row["final_fen"]) - money(row["prepaid_fen"])
    advance = _sum(year, row, ADVANCE)
    if advance:
        yield from stated("advance", _("− advance at the start of the year (预付金)"), -advance)
        due = due - money(advance)
    text = _("balance due") if row["balance_fen"] >= 0 else _("to be recovered")
    yield from stated("balance", text, row["balance_fen"], due)
    if row["outside_fen"]:
        text = _("paid by item, outside the points")
        yield from stated("outside", text, row["outside_fen"])
    on_top, paid = _sum(year, row, ON_TOP), _sum(year, row, ON_TOP_PAID)
    if on_top or paid:
        text = _("money on top of points, from {account}", account=word(str(terms.on_top_from)))
        yield from stated("on_top", text, on_top)
        rest = money(on_top) - money(paid)
        text = _("still to be paid of it")
        yield from stated("on_top_due", text, on_top - paid, rest, inner=True)


def _adjustment_lines(
    year: YearSettlement, row: Rows, terms: Terms, months: Sequence[MonthSettlement]
) -> Iterator[Line]:
    """What each closed month's amount became: points at the year's value, and what was deducted."""
    by = terms.articles.get("adjustments")
    yield Line("adjustments", "note", _("adjustments"), article=by)
    value, pool = year.value(row["pool"]), terms.pool(row["pool"])
    key = (row["pool"], row["hospital"])
    closed = {
        str(m.month): next(
            (r for r in m.records("statement") if (r["pool"], r["hospital"]) == key), {}
        )
        for m in months
    }
    rate = None
    if pool.value is None and value.points:
        rate = money(value.numerator_fen) / points(value.points, value.places)
    total = ZERO
    for item in year.records("adjustments"):
        if (item["pool"], item["hospital"]) != key:
            continue
        amount = item["amount_fen"]
        text = f"{period_text(item['month'])} {word(item['kind'])}"
        if item["points"]:
            shown = points_text(item["points"], value.places)
            text = _("{adjustment}, {points} points", adjustment=text, points=shown)
        total = money(amount) if total is ZERO else total + money(amount)
        formula = _of_adjustment(item, rate, closed, value)
        name = f"adjustment.{item['month']}.{item['kind']}"
        yield from stated(name, text, amount, formula, inner=True)
    text = _("all adjustments")
    yield from stated("all_adjustments", text, row["adjustments_fen"], total, inner=True)


def _of_adjustment(
    item: Rows, rate: Formula | None, closed: Mapping[str, Rows], value: PointValue
) -> Formula | None:
    """How an adjustment was found; nothing where its month or the year's value is not known."""
    if item["kind"] == adj.CARRIED or rate is None:
        return None
    if item["kind"] == adj.VALUE:
        then = closed.get(item["month"])
        if then is None:
            return None
        q = points(then.get("points", 0), value.places)
        return q * rate - money(then.get("gross_fen", 0))
    formula = points(item["points"], value.places) * rate
    less = item["patient_paid_fen"] if value.basis == "total_cost" else 0
    if less:
        formula = formula - money(less)
    if item["refused_fen"]:
        formula = formula - money(item["refused_fen"])
    decided = item["amount_fen"] - item["value_fen"] + less + item["refused_fen"]
    return formula + money(decided) if decided else formula


def _pool_lines(year: YearSettlement, row: Rows, terms: Terms) -> Iterator[Line]:
    """The hospital's part of the incentive pool, and its quality money."""
    rows = [r for r in year.records("statement") if r["pool"] == row["pool"]]
    quality = {r["hospital"]: _sum(year, r, QUALITY_HELD) for r in rows}
    pool = sum(r["held_fen"] - quality[r["hospital"]] for r in rows)
    own = row["held_fen"] - quality[row["hospital"]]
    returned, shared = _sum(year, row, QUALITY_RETURNED), _sum(year, row, QUALITY_SHARED)
    share = row["pool_share_fen"] - returned - shared
    by = terms.articles.get("pool")
    yield Line("pool", "note", _("incentive pool (激励机制基金池)"), article=by)
    yield from stated("pool_held", _("held back from all hospitals"), pool, inner=True)
    yield from stated("held", _("held back here"), own, inner=True)
    kappa = {r["hospital"]: Fraction(r["kappa"] or 0) for r in rows}
    whole = sum((kappa[r["hospital"]] * max(r["entitlement_fen"], 0) for r in rows), Fraction(0))
    yield from stated("pool_share", _("share of the pool"), share, inner=True)
    if row["kappa"] and whole and row["entitlement_fen"] > 0:
        weight = number(kappa[row["hospital"]]) * money(row["entitlement_fen"])
        formula = money(pool) * weight / number(whole / 100)
        text = _("pool × κ·E ÷ Σ κ·E")
        if terms.pool_rule == "cap" and terms.pool_cap is not None:
            cap = number(terms.pool_cap)
            formula = least(formula, down(cap * money(own)))
            text = _("pool × κ·E ÷ Σ κ·E, at most {cap} × held back here", cap=cap.text)
        yield Line("pool_share", "note", text, inner=True)
        yield Line("pool_share", "formula", equation(formula, share), inner=True)
    results = _results(year, row["pool"])
    if quality[row["hospital"]]:
        mine = money(quality[row["hospital"]])
        text = _("quality money (质量保证金) held back here")
        yield from stated("quality_held", text, quality[row["hospital"]], inner=True)
        rho = results.get(row["hospital"])
        own_share = None if rho is None else number(rho) * mine
        text = _("returned by its own result")
        yield from stated("quality_returned", text, returned, own_share, inner=True)
    if shared:
        full = [r for r in rows if results.get(r["hospital"]) == 1 and r["entitlement_fen"] > 0]
        weights = sum((kappa[r["hospital"]] * r["entitlement_fen"] for r in full), Fraction(0))
        everyones = money(sum(_sum(year, r, QUALITY_SHARED) for r in rows))
        weight = number(kappa[row["hospital"]]) * money(row["entitlement_fen"])
        formula = everyones * weight / number(weights / 100)
        text = _("of what others did not get back, by κ·E")
        yield from stated("quality_shared", text, shared, formula, inner=True)
    if share != row["pool_share_fen"]:
        formula = money(share) + money(returned)
        if shared:
            formula = formula + money(shared)
        text = _("of what was held back, in all")
        yield from stated("held_returned", text, row["pool_share_fen"], formula, inner=True)


def _results(year: YearSettlement, pool: str) -> dict[str, Fraction]:
    """Give ρ of every hospital that has one."""
    return {
        move["hospital"]: Fraction(move["share"])
        for move in year.records("flows")
        if (move["pool"], move["item"]) == (pool, QUALITY_RETURNED)
    }


def _sum(year: YearSettlement, row: Rows, item: str) -> int:
    """Add up a hospital's flows of one item in a pool [fen]."""
    key = (row["pool"], row["hospital"], item)
    return sum(
        move["amount_fen"]
        for move in year.records("flows")
        if (move["pool"], move["hospital"], move["item"]) == key
    )
