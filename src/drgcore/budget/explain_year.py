"""The year's part of a hospital's statement, every amount with its formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from drgcore.budget import adjustments as adj
from drgcore.budget.explain_bands import band_lines
from drgcore.budget.formula import (
    Formula,
    down,
    equation,
    least,
    money,
    number,
    points,
    shown_amount,
)
from drgcore.budget.frames import records
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.month_value import QUALITY_HELD
from drgcore.budget.pool_rows import (
    ADVANCE,
    ON_TOP,
    ON_TOP_PAID,
    QUALITY_RETURNED,
    QUALITY_SHARED,
)
from drgcore.budget.tables import points_text
from drgcore.budget.terms import Terms
from drgcore.budget.year_end import YearSettlement

Rows = Mapping[str, Any]
ZERO = Formula("0", Fraction(0))


def year_lines(
    year: YearSettlement, row: Rows, terms: Terms, months: Sequence[MonthSettlement]
) -> Iterator[str]:
    """Print a hospital's year from what was prepaid to the balance.

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
    str
        Lines.
    """
    yield shown_amount("prepaid in the months", row["prepaid_fen"])
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
        yield shown_amount("carried forward, not paid", row["carried_out_fen"])
        final = final - money(row["carried_out_fen"])
    yield shown_amount(f"final payment (清算额){article(terms, 'final')}", row["final_fen"])
    yield equation(final, row["final_fen"])
    yield shown_amount("− prepaid", -row["prepaid_fen"])
    due = money(row["final_fen"]) - money(row["prepaid_fen"])
    advance = _sum(year, row, ADVANCE)
    if advance:
        yield shown_amount("− advance at the start of the year (预付金)", -advance)
        due = due - money(advance)
    name = "balance due" if row["balance_fen"] >= 0 else "to be recovered"
    yield shown_amount(name, row["balance_fen"])
    yield equation(due, row["balance_fen"])
    if row["outside_fen"]:
        yield shown_amount("paid by item, outside the points", row["outside_fen"])
    on_top, paid = _sum(year, row, ON_TOP), _sum(year, row, ON_TOP_PAID)
    if on_top or paid:
        yield shown_amount(f"money on top of points, from {terms.on_top_from}", on_top)
        yield shown_amount("  still to be paid of it", on_top - paid)
        yield equation(money(on_top) - money(paid), on_top - paid)


def article(terms: Terms, step: str) -> str:
    """Give the policy's article for a step in brackets, or nothing."""
    return f" [{terms.articles[step]}]" if step in terms.articles else ""


def _adjustment_lines(
    year: YearSettlement, row: Rows, terms: Terms, months: Sequence[MonthSettlement]
) -> Iterator[str]:
    """What each closed month's amount became: points at the year's value, and what was deducted."""
    yield f"  adjustments{article(terms, 'adjustments')}"
    value, pool = year.value(row["pool"]), terms.pool(row["pool"])
    key = (row["pool"], row["hospital"])
    closed = {
        str(m.month): next(
            (r for r in records(m.statement) if (r["pool"], r["hospital"]) == key), {}
        )
        for m in months
    }
    rate = None
    if pool.value is None and value.points:
        rate = money(value.numerator_fen) / points(value.points, value.places)
    total = ZERO
    for item in records(year.adjustments):
        if (item["pool"], item["hospital"]) != key:
            continue
        amount = item["amount_fen"]
        detail = points_text(item["points"], value.places) if item["points"] else ""
        detail = f", {detail} points" if detail else ""
        yield shown_amount(f"  {item['month']} {item['kind']}{detail}", amount)
        total = money(amount) if total is ZERO else total + money(amount)
        if item["kind"] == adj.CARRIED or rate is None:
            continue
        if item["kind"] == adj.VALUE:
            then = closed.get(item["month"])
            if then is None:
                continue
            q = points(then.get("points", 0), value.places)
            yield equation(q * rate - money(then.get("gross_fen", 0)), amount)
            continue
        formula = points(item["points"], value.places) * rate
        less = item["patient_paid_fen"] if value.basis == "total_cost" else 0
        if less:
            formula = formula - money(less)
        if item["refused_fen"]:
            formula = formula - money(item["refused_fen"])
        decided = amount - item["value_fen"] + less + item["refused_fen"]
        if decided:
            formula = formula + money(decided)
        yield equation(formula, amount)
    yield shown_amount("  all adjustments", row["adjustments_fen"])
    yield equation(total, row["adjustments_fen"])


def _pool_lines(year: YearSettlement, row: Rows, terms: Terms) -> Iterator[str]:
    """The hospital's part of the incentive pool, and its quality money."""
    rows = [r for r in records(year.statement) if r["pool"] == row["pool"]]
    quality = {r["hospital"]: _sum(year, r, QUALITY_HELD) for r in rows}
    pool = sum(r["held_fen"] - quality[r["hospital"]] for r in rows)
    own = row["held_fen"] - quality[row["hospital"]]
    returned, shared = _sum(year, row, QUALITY_RETURNED), _sum(year, row, QUALITY_SHARED)
    share = row["pool_share_fen"] - returned - shared
    yield f"  incentive pool (激励机制基金池){article(terms, 'pool')}"
    yield shown_amount("  held back from all hospitals", pool)
    yield shown_amount("  held back here", own)
    kappa = {r["hospital"]: Fraction(r["kappa"] or 0) for r in rows}
    whole = sum((kappa[r["hospital"]] * max(r["entitlement_fen"], 0) for r in rows), Fraction(0))
    yield shown_amount("  share of the pool", share)
    if row["kappa"] and whole and row["entitlement_fen"] > 0:
        weight = number(kappa[row["hospital"]]) * money(row["entitlement_fen"])
        formula = money(pool) * weight / number(whole / 100)
        if terms.pool_rule == "cap" and terms.pool_cap is not None:
            limit = down(number(terms.pool_cap) * money(own))
            formula = least(formula, limit)
        yield "    pool × κ·E ÷ Σ κ·E" + (
            f", at most {number(terms.pool_cap).text} × held back here"
            if terms.pool_rule == "cap" and terms.pool_cap is not None
            else ""
        )
        yield equation(formula, share)
    if quality[row["hospital"]]:
        yield shown_amount("  quality money (质量保证金) held back here", quality[row["hospital"]])
        yield shown_amount("  returned by its own result", returned)
        results = _results(year, row["pool"])
        rho = results.get(row["hospital"])
        if rho is not None:
            yield equation(number(rho) * money(quality[row["hospital"]]), returned)
    if shared:
        results = _results(year, row["pool"])
        full = [r for r in rows if results.get(r["hospital"]) == 1 and r["entitlement_fen"] > 0]
        weights = sum((kappa[r["hospital"]] * r["entitlement_fen"] for r in full), Fraction(0))
        everyones = money(sum(_sum(year, r, QUALITY_SHARED) for r in rows))
        weight = number(kappa[row["hospital"]]) * money(row["entitlement_fen"])
        yield shown_amount("  of what others did not get back, by κ·E", shared)
        yield equation(everyones * weight / number(weights / 100), shared)
    if share != row["pool_share_fen"]:
        formula = money(share) + money(returned)
        if shared:
            formula = formula + money(shared)
        yield shown_amount("  of what was held back, in all", row["pool_share_fen"])
        yield equation(formula, row["pool_share_fen"])


def _results(year: YearSettlement, pool: str) -> dict[str, Fraction]:
    """Give ρ of every hospital that has one."""
    return {
        move["hospital"]: Fraction(move["share"])
        for move in records(year.flows)
        if (move["pool"], move["item"]) == (pool, QUALITY_RETURNED)
    }


def _sum(year: YearSettlement, row: Rows, item: str) -> int:
    """Add up a hospital's flows of one item in a pool [fen]."""
    key = (row["pool"], row["hospital"], item)
    return sum(
        move["amount_fen"]
        for move in records(year.flows)
        if (move["pool"], move["hospital"], move["item"]) == key
    )
