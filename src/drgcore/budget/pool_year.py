"""One pool's year end, from the year's points to the place of every fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from drgcore.budget import adjustments as adj
from drgcore.budget.adjustments import Adjustment, Change
from drgcore.budget.allocate import allocate, decimal_text, exact_text, round_to_total
from drgcore.budget.frames import value_row
from drgcore.budget.incentive import share_pool
from drgcore.budget.month import Month
from drgcore.budget.pointvalue import PointValue, point_value, value_of_points
from drgcore.budget.risk import UnitResult, apply_bands, grant, to_members
from drgcore.budget.tally import Tally, by_hospital
from drgcore.budget.terms import PoolTerms, Terms
from drgcore.errors import BudgetError

Statements = Mapping[Month, Mapping[str, Mapping[str, Any]]]
"""The closed months' statement rows of one pool, by month and hospital."""

Row = tuple[Any, ...]


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
    kappas : mapping of str to Fraction
        Encouragement coefficients.
    """

    terms: Terms
    pool: PoolTerms
    hospitals: Sequence[str]
    whole: Tally
    statements: Statements
    changes: Sequence[Change]
    decided: Sequence[Adjustment]
    kappas: Mapping[str, Fraction]

    def of_months(self, hospital: str, name: str) -> int:
        """Add up one column of a hospital's closed months."""
        return sum(rows[hospital][name] for rows in self.statements.values() if hospital in rows)


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
    >>> pool = PoolTerms("p", 0, last_value=Fraction(1))
    >>> from drgcore.budget.tally import _no_cells, _no_insured
    >>> none = Tally(_no_cells(), _no_insured(), None, None, 4)
    >>> settle_pool(PoolFacts(Terms(2026, (pool,)), pool, [], none, {}, [], [], {})).statement
    []
    """
    terms, pool, hospitals = facts.terms, facts.pool, facts.hospitals
    cells = facts.whole.cells
    sums = by_hospital(cells[cells["pool"] == pool.pool], hospitals)
    points = {h: row["points"] for h, row in sums.items()}
    for item in facts.decided:
        points[item.hospital] += item.points
    borne = {h: row["patient_paid_fen"] for h, row in sums.items()}
    outside = sum(row["outside_fen"] for row in sums.values()) if terms.outside_from_budget else 0
    value = point_value(
        pool,
        str(terms.year),
        pool.budget_fen - pool.reserve_fen - outside,
        sum(points.values()),
        sum(borne.values()),
        facts.whole.places,
        pool.reserve_fen,
    )
    gross = value_of_points(value, points)
    deducted = borne if pool.basis == "total_cost" else dict.fromkeys(hospitals, 0)
    entitlement = {h: gross[h] - deducted[h] for h in hospitals}
    year = PoolYear(value_row(value, outside))
    year.adjustments = [
        row for h in hospitals for row in _adjustment_rows(facts, value, h, gross[h])
    ]

    held = {h: facts.of_months(h, "held_fen") for h in hospitals}
    shares, rest = share_pool(terms, pool.pool, held, entitlement, facts.kappas)
    to_reserve = rest if terms.pool_rule == "cap" else 0
    units = apply_bands(
        terms,
        pool.pool,
        hospitals,
        entitlement,
        {h: row["item_cost_fen"] for h, row in sums.items()},
        _charged(facts, value),
    )
    moves = {
        "opening": pool.reserve_fen,
        "left by the ceiling": value.to_reserve_fen,
        "used for the floor": -value.from_reserve_fen,
        "pool beyond the cap": to_reserve,
        "surpluses returned": sum(u.returned_fen for u in units),
        "borne by capitated units": sum(u.borne_fen for u in units),
        "decided adjustments": -sum(a.amount_fen for a in facts.decided),
    }
    available = sum(moves.values())
    if available < 0:
        raise BudgetError(
            f"decided adjustments take {-available} fen more than the reserve holds",
            where=f"{pool.pool} {terms.year}",
        )
    units = grant(units, available)
    capitated = {u.unit for u in units if u.capitation_fen is not None}
    moves["deficits borne"] = -sum(u.granted_fen for u in units if u.unit not in capitated)
    moves["kept by capitated units"] = -sum(u.granted_fen for u in units if u.unit in capitated)
    moves["closing"] = sum(moves.values())
    year.reserve = [(pool.pool, item, fen) for item, fen in moves.items()]
    year.pool = [
        *(
            (pool.pool, f"held back in {month}", sum(row["held_fen"] for row in rows.values()))
            for month, rows in sorted(facts.statements.items())
        ),
        (pool.pool, "shared out", -sum(shares.values())),
        (pool.pool, "to the reserve", -to_reserve),
        (pool.pool, "not shared out", rest - to_reserve),
    ]

    changed = dict.fromkeys(hospitals, 0)
    for row in year.adjustments:
        changed[row[1]] += row[-1]
    for unit in units:
        _settle_unit(year, facts, unit, sums, points, gross, entitlement, held, shares, changed)
    year.statement.sort(key=lambda row: row[1])
    year.reconciliation = _places(facts, year, sums, outside, rest - to_reserve)
    return year


def _adjustment_rows(facts: PoolFacts, value: PointValue, hospital: str, gross: int) -> list[Row]:
    """Value a hospital's closed points and every later change at the year's point value.

    The parts are rounded so that they add up to the hospital's v·Q.
    """
    pool = facts.pool.pool
    items: list[tuple[Month, str, int, int, int, int, int, int]] = []
    for month, rows in sorted(facts.statements.items()):
        row = rows.get(hospital, {"points": 0, "gross_fen": 0})
        items.append((month, adj.VALUE, 0, row["points"], -row["gross_fen"], 0, 0, 0))
    for change in facts.changes:
        if change.key[1] == hospital:
            deltas = (change.cases, change.points, 0, change.patient_paid_fen, change.refused_fen)
            items.append((change.key[2], change.kind, *deltas, 0))
    for decision in facts.decided:
        if decision.hospital == hospital:
            given = (0, decision.points, 0, 0, 0, decision.amount_fen)
            items.append((decision.month, decision.kind, *given))
    quotas = [value.fen_per_unit * item[3] for item in items]
    keys = [(item[0], item[1], i) for i, item in enumerate(items)]
    total_cost = facts.pool.basis == "total_cost"
    rows_out: list[Row] = []
    for item, worth in zip(items, round_to_total(quotas, gross, keys), strict=True):
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
    last = max(facts.statements)
    carried = facts.statements[last].get(hospital, {}).get("carried_out_fen", 0)
    if carried:
        rows_out.append((pool, hospital, str(last), adj.CARRIED, 0, 0, 0, 0, 0, carried))
    return rows_out


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


def _settle_unit(
    year: PoolYear,
    facts: PoolFacts,
    unit: UnitResult,
    sums: Mapping[str, Mapping[str, int]],
    points: Mapping[str, int],
    gross: Mapping[str, int],
    entitlement: Mapping[str, int],
    held: Mapping[str, int],
    shares: Mapping[str, int],
    changed: Mapping[str, int],
) -> None:
    """Add a unit's row and its members' rows: final amounts, balances, what is carried."""
    pool = facts.pool.pool
    is_capitated = unit.capitation_fen is not None
    returned = to_members(unit.returned_fen, unit, entitlement)
    granted = to_members(0 if is_capitated else unit.granted_fen, unit, entitlement)
    transfer = unit.granted_fen - unit.borne_fen if is_capitated else 0
    capitation = to_members(transfer, unit, entitlement)
    prepaid = {h: facts.of_months(h, "prepaid_fen") for h in unit.hospitals}
    raw = {
        h: prepaid[h] + changed[h] + shares[h] - returned[h] + granted[h] + capitation[h]
        for h in unit.hospitals
    }
    # Members of a unit stand in for each other; what the whole unit lacks is carried forward.
    lacking = min(sum(raw.values()), 0)
    parts = allocate(lacking, [max(-fen, 0) for fen in raw.values()], list(raw))
    carried = dict(zip(raw, parts, strict=True))
    first = min(facts.statements)
    for h in unit.hospitals:
        row = sums[h]
        year.statement.append(
            (
                pool,
                h,
                unit.unit,
                row["cases"],
                points[h],
                gross[h],
                row["patient_paid_fen"],
                entitlement[h],
                row["refused_fen"],
                facts.statements[first].get(h, {}).get("carried_in_fen", 0),
                prepaid[h],
                held[h],
                changed[h],
                exact_text(facts.kappas[h]) if h in facts.kappas else "",
                shares[h],
                returned[h],
                granted[h],
                capitation[h],
                raw[h] - carried[h],
                raw[h] - carried[h] - prepaid[h],
                carried[h],
                row["item_cost_fen"],
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
            sum(points[h] for h in unit.hospitals),
            unit.entitlement_fen,
            unit.item_cost_fen,
            "" if unit.ratio is None else decimal_text(unit.ratio, 6),
            "" if unit.share is None else exact_text(unit.share),
            unit.capitation_fen or 0,
            unit.charged_fen or 0,
            unit.granted_fen - unit.returned_fen - unit.borne_fen,
            unit.claim_fen - unit.granted_fen,
            final,
            final - sum(prepaid.values()),
            lacking,
        )
    )


def _places(
    facts: PoolFacts,
    year: PoolYear,
    sums: Mapping[str, Mapping[str, int]],
    outside: int,
    pool_rest: int,
) -> list[Row]:
    """Name the place of every fen of the budget; the last line is what no place holds."""
    pool = facts.pool
    first = min(facts.statements, default=None)
    before = facts.statements[first].values() if first else ()
    prepaid = sum(facts.of_months(h, "prepaid_fen") for h in facts.hospitals)
    places = {
        "paid in advance": prepaid,
        "balance paid at the year end": sum(row[12] for row in year.units) - prepaid,
        "refused by audit": sum(row["refused_fen"] for row in sums.values()),
        "paid by item outside the points": outside,
        "reserve": year.reserve[-1][2],
        "incentive pool, not shared out": pool_rest,
        "owed by hospitals, carried forward": sum(row[14] for row in year.units),
        "carried in from the year before": -sum(row["carried_in_fen"] for row in before),
    }
    unaccounted = pool.budget_fen - sum(places.values())
    if unaccounted:
        raise BudgetError(
            f"{unaccounted} fen of the budget are in no place: closed months, cases or decisions "
            "do not belong together",
            where=f"{pool.pool} {facts.terms.year}",
        )
    return [
        (pool.pool, "budget of the year", pool.budget_fen),
        *((pool.pool, place, fen) for place, fen in places.items()),
        (pool.pool, "unaccounted", unaccounted),
    ]
