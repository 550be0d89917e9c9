"""The year end: the year's point value, adjustments, incentive pool, bands and what is due."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from drgcore.budget import adjustments as adj
from drgcore.budget.adjustments import Adjustment
from drgcore.budget.closing import ClosedMonth, digest_of, snapshot
from drgcore.budget.frames import (
    ADJUSTMENT_COLUMNS,
    CLASS_COLUMNS,
    FLOW_COLUMNS,
    MOVE_COLUMNS,
    UNIT_COLUMNS,
    VALUE_COLUMNS,
    YEAR_COLUMNS,
    value_from_row,
)
from drgcore.budget.month import Month
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.pointvalue import PointValue
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.pool_rows import PoolFacts
from drgcore.budget.pool_year import settle_pool
from drgcore.budget.quality import assess
from drgcore.budget.sheets import Sheet, SheetField, Sheets
from drgcore.budget.tally import Tally, tally
from drgcore.budget.terms import Terms
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.points.policy import Policy
from drgcore.points.reviews import refuse_over_quota
from drgcore.progress import tracked


@dataclass(frozen=True)
class YearSettlement(Sheets):
    """A settled year (年终清算).

    Amounts are whole fen, points integers of 10**-places; `drgcore.budget.tables` shows them as
    yuan and points.

    Parameters
    ----------
    year : int
        The year.
    point_values : pandas.DataFrame
        The year's point value of each pool, `VALUE_COLUMNS`.
    statement : pandas.DataFrame
        One row a pool and hospital, `YEAR_COLUMNS`: final + carried out = prepaid + adjustments +
        pool share − surplus returned + deficit borne by the reserve + capitation; balance = final
        − prepaid.
    units : pandas.DataFrame
        One row a pool and settlement unit, `UNIT_COLUMNS`.
    adjustments : pandas.DataFrame
        `ADJUSTMENT_COLUMNS`: what each closed month's amount became, and why. Kind `value` is the
        year's point value in place of the month's; `carried` is what was still carried forward.
    classes : pandas.DataFrame
        Cases and points by case class, `CLASS_COLUMNS`.
    pool, reserve, reconciliation : pandas.DataFrame
        Accounts as lines, `MOVE_COLUMNS`. The reconciliation places every fen of the budget and
        ends in what is unaccounted for, 0.
    flows : pandas.DataFrame
        Money beside the statement or a named part of it, `FLOW_COLUMNS`; none where the policy has
        no rule that moves any.
    decided : tuple of Adjustment or None
        The decisions that it was settled with; a ledger that holds more refuses the closing. None
        for one that came out of a ledger.
    """

    year: int
    point_values: SheetField = SheetField()
    statement: SheetField = SheetField()
    units: SheetField = SheetField()
    adjustments: SheetField = SheetField()
    classes: SheetField = SheetField()
    pool: SheetField = SheetField()
    reserve: SheetField = SheetField()
    reconciliation: SheetField = SheetField()
    flows: SheetField = SheetField(FLOW_COLUMNS)
    decided: tuple[Adjustment, ...] | None = None

    def carried(self) -> dict[tuple[str, str], int]:
        """Give the negative amounts carried to next year, by pool and hospital [fen]."""
        names = ("pool", "hospital", "carried_out_fen")
        rows = zip(*self.columns("statement", *names).values(), strict=True)
        return {(pool, hospital): amount for pool, hospital, amount in rows if amount}

    def next_month(self) -> Month:
        """Give next year's January."""
        return Month(self.year + 1, 1)

    def hospitals(self) -> set[str]:
        """Give the hospitals of the statement."""
        return set(self.columns("statement", "hospital")["hospital"])

    def reserve_closing(self, pool: str) -> int:
        """Give what the pool's reserve holds at the end of the year [fen]."""
        lines = self.records("reserve")
        return next(
            line["amount_fen"]
            for line in lines
            if (line["pool"], line["item"]) == (pool, "closing")
        )

    def accounts(self, pool: str) -> dict[str, int]:
        """Give nothing: next year's accounts open with what its policy states."""
        return {}

    def value(self, pool: str) -> PointValue:
        """Give the year's point value of a pool."""
        return value_from_row(self.records("point_values"), pool, str(self.year))


@dataclass(frozen=True)
class ClosedYear:
    """A settled year with the facts that it was settled from.

    Parameters
    ----------
    settlement : YearSettlement
        The settlement.
    policy_name, policy_text, scheme : str
        As in `ClosedMonth`.
    cases_digest : str
        SHA-256 over the digests of the twelve months' cases.
    """

    settlement: YearSettlement
    policy_name: str
    policy_text: str
    scheme: str
    cases_digest: str


def close_year(settlement: YearSettlement, cases: Any, policy: Any, scheme: str = "") -> ClosedYear:
    """Join a settled year with the facts that it was settled from.

    Parameters
    ----------
    settlement : YearSettlement
        What `settle_year` gave.
    cases : pandas.DataFrame, pyarrow.Table or Arrow stream
        The year's cases.
    policy : Policy or Terms
        The policy.
    scheme : str
        Name of the grouping scheme.

    Returns
    -------
    ClosedYear
        What `Ledger.close_year` stores.

    Raises
    ------
    PolicyError
        If a hospital has more special reviews than the policy's quota.

    Examples
    --------
    >>> import pandas as pd
    >>> from drgcore.budget.month_end import settle_month
    >>> from drgcore.budget.terms import PoolTerms
    >>> terms = Terms(2026, (PoolTerms("p", 0),))
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["p"], "case_class": ["normal"]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-01-31"]), "points": [250.0]}
    >>> case = pd.DataFrame(case)
    >>> year = settle_year(case, [settle_month(case, terms, Month(2026, 1))], terms)
    >>> len(close_year(year, case, terms).cases_digest)
    64
    """
    if isinstance(policy, Policy):
        refuse_over_quota(cases, policy)
    terms = terms_of(policy, settlement.year)
    months = tracked(Month.of_year(settlement.year), _("closing the year"), _("months"))
    digests = [digest_of(snapshot(cases, terms, month)) for month in months]
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return ClosedYear(settlement, terms.name, terms.text, scheme, digest)


def settle_year(
    cases: Any,
    closed_months: Sequence[ClosedMonth | MonthSettlement],
    policy: Any,
    quality: Any = None,
    *,
    adjustments: Iterable[Adjustment] = (),
) -> YearSettlement:
    """Settle a year: its point value from all its cases, and what is still due.

    The year's cases are compared with the closed months; what differs becomes an adjustment that
    names its month and is worth points times the year's point value. The months' held back amounts
    form the incentive pool, shared out ∝ κ_h·E_h. Bands divide surplus and deficit with the
    reserve. A hospital or unit whose final amount is negative carries it forward.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table, Arrow stream or Tally
        All cases of the year with points. With a Tally, or months closed without their cases,
        differences are known for each hospital and month, but not their kind.
    closed_months : sequence of ClosedMonth or MonthSettlement
        The closed months, all that have a budget or cases.
    policy : Policy or Terms
        The policy in force at the end of the year.
    quality : mapping or table, optional
        κ of every hospital with an entitlement, or its scores, as the policy asks for; with quality
        money also its result ρ (`result`).
    adjustments : iterable of Adjustment
        Sanctions and other decisions about closed months.

    Returns
    -------
    YearSettlement
        The tables of the year.

    Raises
    ------
    BudgetError
        If a month is missing or given twice, a κ is missing, or a pool has no points.

    Examples
    --------
    >>> import pandas as pd
    >>> from fractions import Fraction
    >>> from drgcore.budget.month_end import settle_month
    >>> from drgcore.budget.terms import PoolTerms
    >>> shares = (Fraction(1),) + (Fraction(0),) * 11
    >>> terms = Terms(2026, (PoolTerms("p", 1000_00, shares, prepayment=Fraction(9, 10)),))
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["p"], "case_class": ["normal"]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-01-31"]), "points": [250.0]}
    >>> case = pd.DataFrame(case)
    >>> january = settle_month(case, terms, Month(2026, 1))
    >>> year = settle_year(case, [january], terms, {"H1": "1.02"})
    >>> year.statement[["prepaid_fen", "pool_share_fen", "final_fen"]].values.tolist()
    [[90000, 10000, 100000]]
    """
    closed = {item.month: item for item in closed_months}
    year = min(closed).year if closed else None
    if len(closed) != len(closed_months) or year is None:
        raise BudgetError(_("a year needs its closed months, each once"))
    terms = terms_of(policy, year)
    whole = cases if isinstance(cases, Tally) else tally(cases, terms)
    _check_months(closed, whole, terms)
    months = [closed[month] for month in sorted(closed)]
    settlements = [m.settlement if isinstance(m, ClosedMonth) else m for m in months]
    decided = adj.check_adjustments(adjustments, terms)
    hospitals = sorted(
        set(terms.hospitals)
        | whole.hospitals
        | {a.hospital for a in decided}
        | {h for unit in terms.units for h in unit.hospitals}
        # An advance is recovered from a hospital without a case, too.
        | {h for pool in terms.pools for h in pool.advances_fen}
        | {h for settlement in settlements for h in settlement.hospitals()}
    )
    changes = adj.find_changes(cases, whole, months, terms)
    assessment = assess(policy, quality, year)
    statements = {s.month: s.records("statement") for s in settlements}
    flows = {s.month: s.records("flows") for s in settlements}
    pools = [
        settle_pool(
            PoolFacts(
                terms,
                pool,
                hospitals,
                whole,
                {
                    month: {r["hospital"]: r for r in rows if r["pool"] == pool.pool}
                    for month, rows in statements.items()
                },
                [change for change in changes if change.key[0] == pool.pool],
                [decision for decision in decided if decision.pool == pool.pool],
                assessment,
                {
                    month: [row for row in rows if row["pool"] == pool.pool]
                    for month, rows in flows.items()
                },
            )
        )
        for pool in terms.pools
    ]
    return YearSettlement(
        year,
        Sheet([p.value for p in pools], VALUE_COLUMNS),
        Sheet([row for p in pools for row in p.statement], YEAR_COLUMNS),
        Sheet([row for p in pools for row in p.units], UNIT_COLUMNS),
        Sheet([row for p in pools for row in p.adjustments], ADJUSTMENT_COLUMNS),
        Sheet(partial(_classes, whole), CLASS_COLUMNS),
        Sheet([row for p in pools for row in p.pool], MOVE_COLUMNS),
        Sheet([row for p in pools for row in p.reserve], MOVE_COLUMNS),
        Sheet([row for p in pools for row in p.reconciliation], MOVE_COLUMNS),
        Sheet([row for p in pools for row in p.flows], FLOW_COLUMNS),
        tuple(decided),
    )


def _classes(whole: Tally) -> list[tuple[str, str, str, int, int]]:
    """Add up the months' cases and points by pool, hospital and class."""
    keys = ["pool", "hospital", "case_class"]
    found = whole.cells.groupby(keys, sort=True)[["cases", "points"]].sum().reset_index()
    return list(zip(*(found[name].tolist() for name in found), strict=True))


def _check_months(closed: Mapping[Month, Any], whole: Tally, terms: Terms) -> None:
    others = [str(month) for month in closed if month.year != terms.year]
    if others:
        raise BudgetError(_("closed months of another year: {others}", others=", ".join(others)))
    with_budget = {
        month
        for month in Month.of_year(terms.year)
        for pool in terms.pools
        if pool.in_month(month.number).budget_fen
        and pool.in_month(month.number).shares[month.number - 1]
    }
    with_cases = {Month.at(index) for index in whole.months}
    missing = sorted((with_budget | with_cases) - set(closed))
    if missing:
        raise BudgetError(
            _(
                "months with a budget or cases are not closed: {missing}",
                missing=", ".join(map(str, missing)),
            ),
            where=str(terms.year),
            hint=_("settle and close them first"),
        )
