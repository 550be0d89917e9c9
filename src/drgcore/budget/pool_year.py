"""One pool's year end, from the year's points to the place of every fen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import floor

from drgcore.budget.accounts import RESERVE, Accounts, share_with_fund
from drgcore.budget.adjustments import Adjustment
from drgcore.budget.allocate import exact_text
from drgcore.budget.frames import value_row
from drgcore.budget.incentive import return_quality_money, share_pool
from drgcore.budget.month_value import GIVEN, QUALITY_HELD, claim_of
from drgcore.budget.pointvalue import PointValue, point_value, value_of_points
from drgcore.budget.pool_rows import (
    ADVANCE,
    CLASS_SURPLUS,
    FUND_SHARED,
    ON_TOP,
    ON_TOP_PAID,
    QUALITY_RETURNED,
    QUALITY_SHARED,
    PoolFacts,
    PoolYear,
    UnitFacts,
    adjustment_rows,
    places_of,
    settle_unit,
    worth_of,
)
from drgcore.budget.risk import apply_bands, grant, own_surplus
from drgcore.budget.tally import by_hospital
from drgcore.budget.terms import Terms
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.points.payment_rules import ByClass

BONUS = "bonus_points"
"""Kind of the adjustment by which a quality assessment adds or takes away points."""


def settle_pool(facts: PoolFacts) -> PoolYear:
    """Settle one pool's year; `settle_year` gives the formulas.

    Parameters
    ----------
    facts : PoolFacts
        What the year end is made from.

    Returns
    -------
    PoolYear
        The pool's rows of every table.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> pool = PoolTerms("p", 0, last_value=Fraction(1))
    >>> from drgcore.budget.quality import Assessment
    >>> from drgcore.budget.tally import Tally, _no_cells, _no_insured
    >>> none = Tally(_no_cells(), _no_insured(), None, None, 4)
    >>> facts = PoolFacts(Terms(2026, (pool,)), pool, [], none, {}, [], [], Assessment())
    >>> settle_pool(facts).statement
    []
    """
    terms, pool, hospitals = facts.terms, facts.pool, facts.hospitals
    facts = _with_bonus(facts)
    sums = by_hospital(facts.whole, pool.pool, hospitals)
    points = {h: row["points"] for h, row in sums.items()}
    for item in facts.decided:
        points[item.hospital] += item.points
    borne = {h: row["patient_paid_fen"] for h, row in sums.items()}
    outside = sum(row["outside_fen"] for row in sums.values()) if terms.outside_from_budget else 0
    on_top = {h: row["on_top_fen"] for h, row in sums.items()}
    # What is paid on top is no cost that the points must cover.
    item_cost = {h: claim_of(row) for h, row in sums.items()}
    before = sum(on_top.values()) if terms.on_top_from == "budget" else 0
    others = {name: holds.get(pool.pool, 0) for name, holds in terms.accounts.items()}
    accounts = Accounts(pool.reserve_fen, others)
    year = PoolYear(())
    budget = pool.budget_fen - pool.reserve_fen - outside - before
    budget = _share_with_fund(facts, year, accounts, budget, sum(item_cost.values()))
    value, gross = _value(facts, budget, points, borne, sums, accounts)
    deducted = borne if pool.basis == "total_cost" else dict.fromkeys(hospitals, 0)
    entitlement = {h: gross[h] - deducted[h] for h in hospitals}
    year.value = value_row(value, outside)
    year.adjustments = [
        row for h in hospitals for row in adjustment_rows(facts, value, h, gross[h])
    ]

    held = {h: facts.of_months(h, "held_fen") for h in hospitals}
    shares, to_reserve, rest = _held_money(facts, year, held, entitlement)
    by_class = _by_class(facts, value) if isinstance(terms.surplus, ByClass) else {}
    units = apply_bands(
        terms if pool.value is None else _without_bands(terms),
        pool.pool,
        hospitals,
        entitlement,
        item_cost,
        _charged(facts, value) if pool.value is None and _capitated(terms) else {},
        by_class,
    )
    year.flows += [
        (pool.pool, unit.unit, CLASS_SURPLUS, kind, "", int(amount))
        for unit in units
        for kind, amount in own_surplus(unit.hospitals, by_class).items()
        if amount > 0
    ]
    accounts.move(RESERVE, "left by the ceiling", value.to_reserve_fen)
    accounts.move(RESERVE, "used for the floor", -value.from_reserve_fen)
    accounts.move(RESERVE, "pool beyond the cap", to_reserve)
    accounts.move(RESERVE, "surpluses returned", sum(u.returned_fen for u in units))
    accounts.move(RESERVE, "borne by capitated units", sum(u.borne_fen for u in units))
    accounts.move(RESERVE, "decided adjustments", 0)
    for item in facts.decided:
        accounts.move(item.account, "decided adjustments", -item.amount_fen)
    for name in accounts.moves:
        if accounts.holds(name) < 0:
            what = _("the reserve") if name == RESERVE else _("account {name}", name=name)
            raise BudgetError(
                _(
                    "decided adjustments take {value} fen more than {what} holds",
                    value=-accounts.holds(name),
                    what=what,
                ),
                where=f"{pool.pool} {terms.year}",
            )
    on_top_fen = _pay_on_top(facts, year, accounts, on_top)
    units = grant(units, accounts.holds(RESERVE))
    capitated = {u.unit for u in units if u.capitation_fen is not None}
    borne_fen = sum(u.granted_fen for u in units if u.unit not in capitated)
    kept_fen = sum(u.granted_fen for u in units if u.unit in capitated)
    accounts.move(RESERVE, "deficits borne", -borne_fen)
    accounts.move(RESERVE, "kept by capitated units", -kept_fen)
    moves = accounts.moves[RESERVE] | {"closing": accounts.holds(RESERVE)}
    year.reserve = [(pool.pool, item, fen) for item, fen in moves.items()]
    year.pool = [
        *(
            (pool.pool, f"held back in {month}", sum(row["held_fen"] for row in rows.values()))
            for month, rows in facts.by_month
        ),
        (pool.pool, "shared out", -sum(shares.values())),
        (pool.pool, "to the reserve", -to_reserve),
        (pool.pool, "not shared out", rest),
    ]
    year.flows += [
        (pool.pool, h, ADVANCE, "", "", fen) for h, fen in sorted(pool.advances_fen.items()) if fen
    ]

    changed = dict.fromkeys(hospitals, 0)
    for row in year.adjustments:
        changed[row[1]] += row[-1]
    of = UnitFacts(sums, points, gross, entitlement, item_cost, held, shares, changed)
    for unit in units:
        settle_unit(year, facts, unit, of)
    year.statement.sort(key=lambda row: row[1])
    year.reconciliation = places_of(facts, year, sums, outside, rest, accounts, on_top_fen)
    return year


def _without_bands(terms: Terms) -> Terms:
    """Leave out surplus, deficit and capitation: a given value pays at most the claim."""
    units = tuple(replace(unit, capitation_fen={}) for unit in terms.units)
    return replace(terms, surplus=None, deficit=None, units=units)


def _capitated(terms: Terms) -> bool:
    return any(unit.capitation_fen for unit in terms.units)


def _with_bonus(facts: PoolFacts) -> PoolFacts:
    """Add the points of the quality assessment, a share of each hospital's, to the decisions."""
    bonus = facts.assessment.bonus
    if not bonus or not facts.statements:
        return facts
    sums = by_hospital(facts.whole, facts.pool.pool, facts.hospitals)
    last = max(facts.statements)
    found = []
    for h, row in sums.items():
        points = floor(row["points"] * bonus.get(h, Fraction(0)) + Fraction(1, 2))
        if points:
            found.append(Adjustment(last, facts.pool.pool, h, BONUS, points))
    return replace(facts, decided=[*facts.decided, *found])


def _share_with_fund(
    facts: PoolFacts, year: PoolYear, accounts: Accounts, budget: int, item_cost: int
) -> int:
    """Give A' = F + s·(A − F); the fund's part of the difference moves from or to an account."""
    rule = facts.pool.fund_sharing
    account, moved = share_with_fund(rule, accounts, budget, item_cost)
    if rule is not None:
        year.flows.append((facts.pool.pool, "", FUND_SHARED, account, "", moved))
    return budget + moved


def _value(
    facts: PoolFacts,
    budget: int,
    points: Mapping[str, int],
    borne: Mapping[str, int],
    sums: Mapping[str, Mapping[str, int]],
    accounts: Accounts,
) -> tuple[PointValue, dict[str, int]]:
    """Give the year's point value and v·Q of every hospital."""
    pool, places = facts.pool, facts.whole.places
    year, all_points, all_borne = str(facts.terms.year), sum(points.values()), sum(borne.values())
    if pool.value is None:
        reserve = accounts.holds(RESERVE)
        value = point_value(pool, year, budget, all_points, all_borne, places, reserve)
        return value, value_of_points(value, points)
    gross = {h: row["given_fen"] for h, row in sums.items()}
    for item in facts.decided:
        gross[item.hospital] += worth_of(facts, item.points)
    total = sum(gross.values())
    of_year = (pool.pool, year, pool.basis)
    return PointValue(*of_year, 0, all_borne, total, all_points, places, GIVEN), gross


def _held_money(
    facts: PoolFacts, year: PoolYear, held: Mapping[str, int], entitlement: Mapping[str, int]
) -> tuple[dict[str, int], int, int]:
    """Give out what was held back: what each hospital gets, what the reserve gets, what is left."""
    terms, pool, assessed = facts.terms, facts.pool.pool, facts.assessment
    quality = {h: facts.of_flows(h, QUALITY_HELD) for h in held}
    shared_out = {h: fen - quality[h] for h, fen in held.items()}
    shares, rest = share_pool(terms, pool, shared_out, entitlement, assessed.kappas)
    to_reserve = rest if terms.pool_rule == "cap" else 0
    if terms.quality_money is None:
        return shares, to_reserve, rest - to_reserve
    returned, shared, left = return_quality_money(
        terms, pool, quality, entitlement, assessed.results, assessed.kappas
    )
    for item, amounts in ((QUALITY_HELD, quality), (QUALITY_SHARED, shared)):
        year.flows += [(pool, h, item, "", "", fen) for h, fen in sorted(amounts.items()) if fen]
    year.flows += [
        (pool, h, QUALITY_RETURNED, "", exact_text(assessed.results[h]), fen)
        for h, fen in sorted(returned.items())
        if h in assessed.results
    ]
    whole = {h: fen + returned[h] + shared[h] for h, fen in shares.items()}
    return whole, to_reserve + left, rest - to_reserve


def _pay_on_top(
    facts: PoolFacts, year: PoolYear, accounts: Accounts, claims: Mapping[str, int]
) -> int:
    """Pay money on top of points; name what each hospital gets and what the months paid of it."""
    account, pool = facts.terms.on_top_from, facts.pool.pool
    if account is None:
        return 0
    paid = dict(claims)
    if account != "budget":
        paid = accounts.pay(account, "money on top of points", claims)
    months = {h: facts.of_flows(h, ON_TOP) for h in claims}
    for item, amounts in ((ON_TOP, paid), (ON_TOP_PAID, months)):
        year.flows += [
            (pool, h, item, account, "", fen) for h, fen in sorted(amounts.items()) if fen
        ]
    return sum(paid.values())


def _by_class(facts: PoolFacts, value: PointValue) -> dict[str, dict[str, Fraction]]:
    """Give E − F of every hospital by case class, for a surplus kept by class [fen]."""
    found: dict[str, dict[str, Fraction]] = {}
    names = ["pool", "hospital", "case_class", "points"]
    names += ["patient_paid_fen", "item_cost_fen", "on_top_fen"]
    columns = (facts.whole.cells[name].tolist() for name in names)
    for pool, h, kind, points, borne, cost, top in zip(*columns, strict=True):
        if pool != facts.pool.pool:
            continue
        less = cost - top + (borne if facts.pool.basis == "total_cost" else 0)
        own = found.setdefault(h, {})
        own[kind] = own.get(kind, Fraction(0)) + value.fen_per_unit * points - less
    # To the fen, so that a person can add them up.
    return {
        h: {kind: Fraction(floor(amount + Fraction(1, 2))) for kind, amount in own.items()}
        for h, own in found.items()
    }


def _charged(facts: PoolFacts, value: PointValue) -> dict[str, int]:
    """Value what the insured of each capitated unit used, anywhere; '' holds all others."""
    insured = facts.whole.insured
    insured = insured[insured["pool"] == facts.pool.pool]
    points = {"": sum(a.points for a in facts.decided)}
    borne: dict[str, int] = {}
    columns = (insured[name].tolist() for name in ("unit", "points", "patient_paid_fen"))
    for unit, earned, paid in zip(*columns, strict=True):
        points[unit] = points.get(unit, 0) + earned
        borne[unit] = paid if facts.pool.basis == "total_cost" else 0
    worth = value_of_points(value, points)
    return {unit: fen - borne.get(unit, 0) for unit, fen in worth.items()}
