"""Surplus kept and deficit shared in a statement: unit, E, F, ratio, share and formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from drgcore.budget.allocate import allocate
from drgcore.budget.formula import Formula, down, equation, money, number
from drgcore.budget.pool_rows import CLASS_SURPLUS
from drgcore.budget.risk import deficit_share, surplus_share
from drgcore.budget.statement_lines import Line, stated
from drgcore.budget.terms import Terms, exact
from drgcore.budget.year_end import YearSettlement
from drgcore.language import _
from drgcore.points.payment_rules import ByClass, Marginal

Row = Mapping[str, Any]


def band_lines(year: YearSettlement, row: Row, terms: Terms) -> Iterator[Line]:
    """Give what the bands say for a hospital's settlement unit, and the hospital's part of it.

    Parameters
    ----------
    year : YearSettlement
        The year.
    row : mapping
        The hospital's row of the statement in one pool.
    terms : Terms
        The parameters of the year.

    Yields
    ------
    Line
        Lines; none where the unit's difference moves no money.
    """
    units = [unit for unit in year.records("units") if unit["pool"] == row["pool"]]
    unit = next(u for u in units if u["unit"] == row["unit"])
    if unit["transfer_fen"] == 0 and unit["unmet_fen"] == 0:
        return
    members = [h for h in year.records("statement") if _same_unit(h, row)]
    alone = len(members) == 1
    text = _("surplus and deficit (结余留用、合理超支分担)")
    yield Line("bands", "note", text, article=terms.articles.get("bands"))
    if not alone:
        all_names = unit["hospitals"]
        text = _("settled together as {unit}: {hospitals}", unit=unit["unit"], hospitals=all_names)
        yield Line("unit", "note", text, inner=True)
    capitated = any(u.name == unit["unit"] and row["pool"] in u.capitation_fen for u in terms.units)
    first, second = ("capitation_fen", "charged_fen") if capitated else _EF
    income, cost = unit[first], unit[second]
    text = _("K, the capitated budget") if capitated else _("E, entitlement")
    yield from stated(f"bands.{first.removesuffix('_fen')}", text, income, inner=True)
    text = _("V, charged for its insured") if capitated else _("F, cost by item")
    yield from stated(f"bands.{second.removesuffix('_fen')}", text, cost, inner=True)
    if unit["ratio"]:
        of = "K ÷ V" if capitated else "E ÷ F"
        text = _("{of} = {ratio}, share {share}", of=of, ratio=unit["ratio"], share=unit["share"])
        yield Line("ratio", "note", text, inner=True)
    moved = abs(unit["transfer_fen"])
    surplus = income >= cost
    if surplus and not capitated:
        key, text, sign = "surplus_returned", _("− surplus returned"), -1
        formula = _returned(year, unit, units, terms)
    elif surplus:
        key, text, sign = "capitation_paid", _("from the capitated budget"), 1
        formula = _granted(unit, units, _kept(year, unit, terms, income, cost))
    elif capitated:
        key, text, sign = "capitation_paid", _("from the capitated budget"), -1
        formula = (money(cost) - money(income)) - _borne(terms, unit, income, cost)
    else:
        key, text, sign = "deficit_borne", _("deficit borne by the reserve"), 1
        formula = _granted(unit, units, _claim(unit, units, terms))
    column = _COLUMN[key]
    if not alone:
        whole = _("{line}, {unit}", line=text, unit=unit["unit"])
        yield from stated(f"{key}.unit", whole, sign * moved, inner=True)
        yield Line(f"{key}.unit", "formula", equation(formula, moved), inner=True)
        weights = [max(h["entitlement_fen"], 0) for h in members]
        weight = max(row["entitlement_fen"], 0)
        if not any(weights):
            weights, weight = [1] * len(weights), 1
        one, every = Fraction(weight, 100), Fraction(sum(weights), 100)
        formula = money(moved) * number(one) / number(every)
    yield from stated(key, text, sign * abs(row[column]))
    yield Line(key, "formula", equation(formula, abs(row[column])), inner=True)


_EF = ("entitlement_fen", "item_cost_fen")
_COLUMN = {
    "surplus_returned": "surplus_returned_fen",
    "deficit_borne": "deficit_borne_fen",
    "capitation_paid": "capitation_fen",
}


def _same_unit(one: Row, other: Row) -> bool:
    return (one["pool"], one["unit"]) == (other["pool"], other["unit"])


def _parts(rule: Marginal, difference: int, income: int, cost: int) -> Formula:
    """Σ sᵢ · overlapᵢ of marginal bands, with the part of each band in yuan."""
    base = max(income, 0) if rule.of == "entitlement" else cost
    total: Formula | None = None
    for share, amount in rule.parts(Fraction(difference), Fraction(base)):
        part = number(share) * number(amount / 100)
        total = part if total is None else total + part
    return total if total is not None else number(Fraction(0))


def _kept(year: YearSettlement, unit: Row, terms: Terms, income: int, cost: int) -> Formula:
    """What a unit keeps of a surplus by the policy's rule, before a cap."""
    rule = terms.surplus
    if not unit["ratio"]:
        # Without any cost there is no ratio: a capitated unit keeps all.
        return money(income) - money(cost)
    if isinstance(rule, Marginal):
        return _parts(rule, income - cost, income, cost)
    if isinstance(rule, ByClass):
        own = {
            move["account"]: move["amount_fen"]
            for move in year.records("flows")
            if (move["pool"], move["hospital"], move["item"])
            == (unit["pool"], unit["unit"], CLASS_SURPLUS)
        }
        if own:
            total: Formula | None = None
            for kind, amount in own.items():
                share = exact(rule.classes.get(kind, rule.otherwise))
                part = number(share) * money(amount)
                total = part if total is None else total + part
            assert total is not None
            return total / money(sum(own.values())) * (money(income) - money(cost))
        return number(exact(rule.otherwise)) * (money(income) - money(cost))
    return number(Fraction(unit["share"])) * (money(income) - money(cost))


def _returned(year: YearSettlement, unit: Row, units: list[Any], terms: Terms) -> Formula:
    """What a unit returns of its surplus, after a cap of what all units keep."""
    income, cost = (unit[name] for name in _EF)
    difference, kept = (money(income) - money(cost)), _kept(year, unit, terms, income, cost)
    rule = terms.surplus
    if isinstance(rule, Marginal) and rule.cap is not None:
        budget = terms.pool(unit["pool"]).budget_fen
        most = down(number(exact(rule.cap)) * money(budget))
        others = {u["unit"]: _whole_kept(u, terms) for u in units if _has_surplus(u, terms)}
        if sum(others.values()) > most.value * 100:
            own = money(others[unit["unit"]])
            return difference - most * own / money(sum(others.values()))
    return difference - kept


def _has_surplus(unit: Row, terms: Terms) -> bool:
    income, cost = (unit[name] for name in _EF)
    return bool(unit["ratio"]) and income > cost and not _is_capitated(unit, terms)


def _is_capitated(unit: Row, terms: Terms) -> bool:
    return any(u.name == unit["unit"] and unit["pool"] in u.capitation_fen for u in terms.units)


def _whole_kept(unit: Row, terms: Terms) -> int:
    income, cost = (unit[name] for name in _EF)
    share = surplus_share(terms.surplus, income, cost, {})
    return allocate(income - cost, [share, 1 - share])[0]


def _claim(unit: Row, units: list[Any], terms: Terms) -> Formula:
    """What a unit may claim for its deficit, after a cap of all claims."""
    income, cost = (unit[name] for name in _EF)
    rule = terms.deficit
    if not isinstance(rule, Marginal):
        return number(Fraction(unit["share"] or 0)) * (money(cost) - money(income))
    if rule.cap is not None:
        most = down(number(exact(rule.cap)) * money(terms.pool(unit["pool"]).budget_fen))
        claims = {}
        for u in units:
            e, f = (u[name] for name in _EF)
            if f > 0 and e < f and not _is_capitated(u, terms):
                share = deficit_share(rule, e, f)
                claims[u["unit"]] = allocate(f - e, [share, 1 - share])[0]
        if sum(claims.values()) > most.value * 100:
            return most * money(claims[unit["unit"]]) / money(sum(claims.values()))
    return _parts(rule, cost - income, income, cost)


def _borne(terms: Terms, unit: Row, income: int, cost: int) -> Formula:
    """What the reserve bears of a capitated unit's deficit."""
    if isinstance(terms.deficit, Marginal):
        return _parts(terms.deficit, cost - income, income, cost)
    return number(Fraction(unit["share"] or 0)) * (money(cost) - money(income))


def _granted(unit: Row, units: list[Any], claim: Formula) -> Formula:
    """What the reserve pays of a claim: all, or in proportion to all claims."""
    if not unit["unmet_fen"]:
        return claim
    # A unit grants or gives, never both: what is positive was granted.
    granted = sum(max(u["transfer_fen"], 0) for u in units)
    claims = sum(max(u["transfer_fen"], 0) + u["unmet_fen"] for u in units)
    own = max(unit["transfer_fen"], 0) + unit["unmet_fen"]
    return money(granted) * money(own) / money(claims)
