"""What one pool's year end is made from, and the rows that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import floor
from typing import Any

from drgcore.budget import adjustments as adj
from drgcore.budget.accounts import Accounts
from drgcore.budget.adjustments import Adjustment, Change
from drgcore.budget.allocate import allocate, decimal_text, exact_text, round_to_total
from drgcore.budget.month import Month
from drgcore.budget.pointvalue import PointValue
from drgcore.budget.quality import Assessment
from drgcore.budget.risk import UnitResult, to_members
from drgcore.budget.tally import Tally
from drgcore.budget.terms import PoolTerms, Terms
from drgcore.errors import BudgetError
from drgcore.language import _

Statements = Mapping[Month, Mapping[str, Mapping[str, Any]]]
"""The closed months' statement rows of one pool, by month and hospital."""

Row = tuple[Any, ...]

ON_TOP, ON_TOP_PAID = "on_top", "on_top_paid"
ADVANCE = "advance"
QUALITY_RETURNED, QUALITY_SHARED = "quality_money_returned", "quality_money_shared"
FUND_SHARED = "fund_sharing"
CLASS_SURPLUS = "surplus_of_class"
"""Items of the flows of a year."""


@dataclass(frozen=True)
class UnitFacts:
    """What the rows of settlement units are made from, by hospital; amounts in fen."""

    sums: Mapping[str, Mapping[str, int]]
    points: Mapping[str, int]
    gross: Mapping[str, int]
    entitlement: Mapping[str, int]
    item_cost: Mapping[str, int]
    held: Mapping[str, int]
    shares: Mapping[str, int]
    changed: Mapping[str, int]


@dataclass
class PoolYear:
    """The rows that one pool adds to the tables of `YearSettlement`."""

    value: Row
    statement: list[Row] = field(default_factory=list)
    units: list[Row] = field(default_factory=list)
    adjustments: list[Row] = field(default_factory=list)
    pool: list[Row] = field(default_factory=list)
    reserve: list[Row] = field(default_factory=list)
    reconciliation: list[Row] = field(default_factory=list)
    flows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class PoolFacts:
    """What a pool's year end is made from.

    Parameters
    ----------
    terms : Terms
        The parameters of the year.
    pool : PoolTerms
        Those of the pool.
    hospitals : sequence of str
        All hospitals, sorted.
    whole : Tally
        The year's cases.
    statements : Statements
        The closed months.
    changes : sequence of Change
        What differs from the closed months.
    decided : sequence of Adjustment
        Decisions about closed months.
    assessment : Assessment
        What the quality assessment says.
    flows : mapping of Month to sequence
        The rows of the closed months' `flows` of this pool.
    """

    terms: Terms
    pool: PoolTerms
    hospitals: Sequence[str]
    whole: Tally
    statements: Statements
    changes: Sequence[Change]
    decided: Sequence[Adjustment]
    assessment: Assessment
    flows: Mapping[Month, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def of_months(self, hospital: str, name: str) -> int:
        """Add up one column of a hospital's closed months."""
        if name not in self._month_sums:
            found: dict[str, int] = {}
            for rows in self.statements.values():
                for own, row in rows.items():
                    found[own] = found.get(own, 0) + row[name]
            self._month_sums[name] = found
        return self._month_sums[name].get(hospital, 0)

    def of_flows(self, hospital: str, item: str) -> int:
        """Add up one item of a hospital's flows in the closed months [fen]."""
        return self._flow_sums.get((hospital, item), 0)

    @cached_property
    def _month_sums(self) -> dict[str, dict[str, int]]:
        return {}

    @cached_property
    def _flow_sums(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for rows in self.flows.values():
            for row in rows:
                key = row["hospital"], row["item"]
                found[key] = found.get(key, 0) + row["amount_fen"]
        return found

    @cached_property
    def changes_of(self) -> dict[str, list[Change]]:
        """The changes by hospital."""
        found: dict[str, list[Change]] = {}
        for change in self.changes:
            found.setdefault(change.key[1], []).append(change)
        return found

    @cached_property
    def decided_of(self) -> dict[str, list[Adjustment]]:
        """The decisions by hospital."""
        found: dict[str, list[Adjustment]] = {}
        for decision in self.decided:
            found.setdefault(decision.hospital, []).append(decision)
        return found

    @cached_property
    def by_month(self) -> list[tuple[Month, Mapping[str, Mapping[str, Any]]]]:
        """The closed months in order."""
        return sorted(self.statements.items())


def adjustment_rows(facts: PoolFacts, value: PointValue, hospital: str, gross: int) -> list[Row]:
    """Value a hospital's closed points and every later change at the year's point value.

    The parts are rounded so that they add up to the hospital's v·Q.
    """
    pool = facts.pool.pool
    if facts.pool.value is not None:
        return _rows_at_given_value(facts, value, hospital)
    items: list[tuple[Month, str, int, int, int, int, int, int]] = []
    for month, rows in facts.by_month:
        row = rows.get(hospital, {"points": 0, "gross_fen": 0})
        items.append((month, adj.VALUE, 0, row["points"], -row["gross_fen"], 0, 0, 0))
    for change in facts.changes_of.get(hospital, ()):
        deltas = (change.cases, change.points, 0, change.patient_paid_fen, change.refused_fen)
        items.append((change.key[2], change.kind, *deltas, 0))
    for decision in facts.decided_of.get(hospital, ()):
        given = (0, decision.points, 0, 0, 0, decision.amount_fen)
        items.append((decision.month, decision.kind, *given))
    rate = value.fen_per_unit
    quotas = [rate.numerator * item[3] for item in items]
    keys = [(item[0], item[1], i) for i, item in enumerate(items)]
    total_cost = facts.pool.basis == "total_cost"
    rows_out: list[Row] = []
    worths = round_to_total(quotas, rate.denominator, gross, keys)
    for item, worth in zip(items, worths, strict=True):
        month, kind, cases, points, less, borne, refused, amount = item
        change_fen = worth + less - (borne if total_cost else 0) - refused + amount
        if kind != adj.VALUE or change_fen:
            rows_out.append(
                (
                    pool,
                    hospital,
                    str(month),
                    kind,
                    cases,
                    0 if kind == adj.VALUE else points,
                    worth + less,
                    borne,
                    refused,
                    change_fen,
                )
            )
    return rows_out + _carried_rows(facts, hospital)


def _carried_rows(facts: PoolFacts, hospital: str) -> list[Row]:
    last = max(facts.statements)
    carried = facts.statements[last].get(hospital, {}).get("carried_out_fen", 0)
    row = (facts.pool.pool, hospital, str(last), adj.CARRIED, 0, 0, 0, 0, 0, carried)
    return [row] if carried else []


def _rows_at_given_value(facts: PoolFacts, value: PointValue, hospital: str) -> list[Row]:
    """The same where each case has its own amount, min(v·Q, claim).

    What the cases of a closed month are worth now takes the place of what they were worth; changes
    name the points, decisions are worth v times their points.
    """
    pool = facts.pool.pool
    assert facts.pool.value is not None
    found: list[Row] = []
    for month, rows in facts.by_month:
        now = facts.whole.sums.get((pool, month.index), {}).get(hospital, {}).get("given_fen", 0)
        worth = now - rows.get(hospital, {"gross_fen": 0})["gross_fen"]
        if worth:
            found.append((pool, hospital, str(month), adj.VALUE, 0, 0, worth, 0, 0, worth))
    total_cost = facts.pool.basis == "total_cost"
    for change in facts.changes_of.get(hospital, ()):
        borne, refused = change.patient_paid_fen, change.refused_fen
        amount = -(borne if total_cost else 0) - refused
        start = (pool, hospital, str(change.key[2]), change.kind, change.cases, change.points)
        found.append((*start, 0, borne, refused, amount))
    for decision in facts.decided_of.get(hospital, ()):
        worth = worth_of(facts, decision.points)
        start = (pool, hospital, str(decision.month), decision.kind, 0, decision.points)
        found.append((*start, worth, 0, 0, worth + decision.amount_fen))
    return found + _carried_rows(facts, hospital)


def worth_of(facts: PoolFacts, points: int) -> int:
    """Value decided points of a pool with a given value, halves of a fen rounded up."""
    assert facts.pool.value is not None
    exact = facts.pool.value * 100 * points / 10**facts.whole.places
    return floor(exact + Fraction(1, 2))


def settle_unit(
    year: PoolYear,
    facts: PoolFacts,
    unit: UnitResult,
    of: UnitFacts,
) -> None:
    """Add a unit's row and its members' rows: final amounts, balances, what is carried."""
    pool, entitlement = facts.pool.pool, of.entitlement
    advances = facts.pool.advances_fen
    is_capitated = unit.capitation_fen is not None
    returned = to_members(unit.returned_fen, unit, entitlement)
    granted = to_members(0 if is_capitated else unit.granted_fen, unit, entitlement)
    transfer = unit.granted_fen - unit.borne_fen if is_capitated else 0
    capitation = to_members(transfer, unit, entitlement)
    prepaid = {h: facts.of_months(h, "prepaid_fen") for h in unit.hospitals}
    raw = {
        h: prepaid[h] + of.changed[h] + of.shares[h] - returned[h] + granted[h] + capitation[h]
        for h in unit.hospitals
    }
    # Members of a unit stand in for each other; what the whole unit lacks is carried forward.
    lacking = min(sum(raw.values()), 0)
    parts = allocate(lacking, [max(-fen, 0) for fen in raw.values()], list(raw))
    carried = dict(zip(raw, parts, strict=True))
    first, kappas = min(facts.statements), facts.assessment.kappas
    for h in unit.hospitals:
        row = of.sums[h]
        year.statement.append(
            (
                pool,
                h,
                unit.unit,
                row["cases"],
                of.points[h],
                of.gross[h],
                row["patient_paid_fen"],
                entitlement[h],
                row["refused_fen"],
                facts.statements[first].get(h, {}).get("carried_in_fen", 0),
                prepaid[h],
                of.held[h],
                of.changed[h],
                exact_text(kappas[h]) if h in kappas else "",
                of.shares[h],
                returned[h],
                granted[h],
                capitation[h],
                raw[h] - carried[h],
                raw[h] - carried[h] - prepaid[h] - advances.get(h, 0),
                carried[h],
                of.item_cost[h],
                row["outside_fen"],
                facts.of_months(h, "outside_fen"),
            )
        )
    final = sum(raw.values()) - lacking
    year.units.append(
        (
            pool,
            unit.unit,
            ", ".join(unit.hospitals),
            sum(of.points[h] for h in unit.hospitals),
            unit.entitlement_fen,
            unit.item_cost_fen,
            "" if unit.ratio is None else decimal_text(unit.ratio, 6),
            "" if unit.share is None else _share_text(unit.share),
            unit.capitation_fen or 0,
            unit.charged_fen or 0,
            unit.granted_fen - unit.returned_fen - unit.borne_fen,
            unit.claim_fen - unit.granted_fen,
            final,
            final - sum(prepaid.values()) - sum(advances.get(h, 0) for h in unit.hospitals),
            lacking,
        )
    )


def places_of(
    facts: PoolFacts,
    year: PoolYear,
    sums: Mapping[str, Mapping[str, int]],
    outside: int,
    pool_rest: int,
    accounts: Accounts,
    on_top_fen: int,
) -> list[Row]:
    """Name the place of every fen of the budget; the last line is what no place holds."""
    pool = facts.pool
    first = min(facts.statements, default=None)
    before = facts.statements[first].values() if first else ()
    prepaid = sum(facts.of_months(h, "prepaid_fen") for h in facts.hospitals)
    advances = sum(pool.advances_fen.values())
    places = {
        "paid in advance": prepaid,
        "balance paid at the year end": sum(row[12] for row in year.units) - prepaid - advances,
        "refused by audit": sum(row["refused_fen"] for row in sums.values()),
        "paid by item outside the points": outside,
        "reserve": year.reserve[-1][2],
        "incentive pool, not shared out": pool_rest,
        "owed by hospitals, carried forward": sum(row[14] for row in year.units),
        "carried in from the year before": -sum(row["carried_in_fen"] for row in before),
    }
    if advances:
        places["advance at the start of the year"] = advances
    if facts.terms.on_top_from is not None:
        places["money on top of points"] = on_top_fen
    if pool.value is not None:
        # What has no budget is asked of those that insure the patients, as a whole.
        top = on_top_fen if facts.terms.on_top_from == "budget" else 0
        entitled = sum(row[7] for row in year.statement)
        places["claimed from other regions"] = -(entitled + outside + top)
    for name, taken in accounts.taken().items():
        places[f"from account {name}"] = -taken
    unaccounted = pool.budget_fen - sum(places.values())
    if unaccounted:
        raise BudgetError(
            _(
                "{unaccounted} fen of the budget are in no place: closed "
                "months, cases or decisions do not belong together",
                unaccounted=unaccounted,
            ),
            where=f"{pool.pool} {facts.terms.year}",
        )
    return [
        (pool.pool, "budget of the year", pool.budget_fen),
        *((pool.pool, place, fen) for place, fen in places.items()),
        (pool.pool, "unaccounted", unaccounted),
    ]


def _share_text(share: Fraction) -> str:
    """Write a share as its decimal; one that has none is rounded, its formula is the policy's."""
    text = exact_text(share)
    return decimal_text(share, 6) if "/" in text else text
