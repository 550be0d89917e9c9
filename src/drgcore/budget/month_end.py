"""A month: point values, entitlements, what is paid in advance and what is held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from drgcore.budget.accounts import RESERVE, Accounts
from drgcore.budget.allocate import split_share
from drgcore.budget.frames import (
    CLASS_COLUMNS,
    FLOW_COLUMNS,
    RESERVE_COLUMNS,
    STATEMENT_COLUMNS,
    VALUE_COLUMNS,
    value_from_row,
    value_row,
)
from drgcore.budget.month import Month
from drgcore.budget.month_value import (
    ACCOUNT_CLOSING,
    ON_TOP,
    QUALITY_HELD,
    SET_ASIDE,
    month_value,
)
from drgcore.budget.pointvalue import PointValue
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.sheets import Sheet, SheetField, Sheets
from drgcore.budget.tally import Tally, by_hospital, tally
from drgcore.budget.terms import PoolTerms, Terms
from drgcore.errors import BudgetError
from drgcore.language import _


class Before(Protocol):
    """What comes before a month: the month before it, or last year's settlement."""

    def carried(self) -> dict[tuple[str, str], int]:
        """Give the negative amounts that are carried forward, by pool and hospital [fen]."""
        ...

    def next_month(self) -> Month:
        """Give the month that may follow."""
        ...

    def hospitals(self) -> set[str]:
        """Give the hospitals of the statement, none of which may disappear."""
        ...

    def reserve_closing(self, pool: str) -> int:
        """Give what the pool's reserve holds at its end [fen]."""
        ...

    def accounts(self, pool: str) -> dict[str, int]:
        """Give what other accounts hold for the pool, where months paid from them [fen]."""
        ...


@dataclass(frozen=True)
class MonthSettlement(Sheets):
    """A settled month (月度结算).

    Amounts are whole fen, points integers of 10**-places; `drgcore.budget.tables` shows them as
    yuan and points.

    Parameters
    ----------
    month : Month
        The month.
    point_values : pandas.DataFrame
        One row a pool, `VALUE_COLUMNS`.
    statement : pandas.DataFrame
        One row a pool and hospital, `STATEMENT_COLUMNS`: gross = v·Q; entitlement = gross, less
        what patients bore with basis total_cost; entitlement − refused + carried in = prepaid +
        held + carried out.
    classes : pandas.DataFrame
        Cases and points by case class, `CLASS_COLUMNS`.
    reserve : pandas.DataFrame
        One row a pool, `RESERVE_COLUMNS`.
    other_cases : int
        Cases of the input that were discharged in other months of the year; not settled here.
    flows : pandas.DataFrame
        Money beside the statement or a named part of it, `FLOW_COLUMNS`; none where the policy has
        no rule that moves any.
    """

    month: Month
    point_values: SheetField = SheetField()
    statement: SheetField = SheetField()
    classes: SheetField = SheetField()
    reserve: SheetField = SheetField()
    other_cases: int = 0
    flows: SheetField = SheetField(FLOW_COLUMNS)

    def carried(self) -> dict[tuple[str, str], int]:
        """Give the negative amounts carried to the next month, by pool and hospital [fen]."""
        names = ("pool", "hospital", "carried_out_fen")
        rows = zip(*self.columns("statement", *names).values(), strict=True)
        return {(pool, hospital): amount for pool, hospital, amount in rows if amount}

    def next_month(self) -> Month:
        """Give the month after."""
        return self.month.next

    def hospitals(self) -> set[str]:
        """Give the hospitals of the statement."""
        return set(self.columns("statement", "hospital")["hospital"])

    def reserve_closing(self, pool: str) -> int:
        """Give what the pool's reserve holds after the month [fen]."""
        return next(row["closing_fen"] for row in self.records("reserve") if row["pool"] == pool)

    def accounts(self, pool: str) -> dict[str, int]:
        """Give what other accounts hold for the pool after the month [fen]."""
        return {
            row["account"]: row["amount_fen"]
            for row in self.records("flows")
            if (row["pool"], row["item"]) == (pool, ACCOUNT_CLOSING)
        }

    def value(self, pool: str) -> PointValue:
        """Give the point value of a pool."""
        return value_from_row(self.records("point_values"), pool, str(self.month))


def settle_month(
    cases: Any, policy: Any, month: Month, previous: Before | None = None
) -> MonthSettlement:
    """Settle one month: divide its budget by the points earned in it.

    For every pool: budget of the month = (A − reserve) · s_t; point value v by the policy's basis;
    E = v·Q (less B with basis total_cost); from E the refused amounts are deducted and a negative
    amount of the month before is set off; θ of what is left is prepaid, the rest held in the
    incentive pool; a negative rest is carried forward and nothing is paid.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table, Arrow stream or Tally
        Cases with points. Those of other months of the year are counted and left aside.
    policy : Policy or Terms
        The policy in force.
    month : Month
        The month to settle.
    previous : MonthSettlement or YearSettlement, optional
        The month before; for January last year's settlement, if it carried anything forward.

    Returns
    -------
    MonthSettlement
        Point values, statement, classes, reserve.

    Raises
    ------
    BudgetError
        For a month without points in a pool that has a budget for it, or a `previous` that is not
        the month before.
    CaseSchemaError
        For cases that cannot be settled, see `tally`.

    Examples
    --------
    >>> import pandas as pd
    >>> terms = Terms(2026, (PoolTerms("p", 1_200_000),))
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["p"], "case_class": ["normal"]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-01-31"]), "points": [250.0]}
    >>> january = settle_month(pd.DataFrame(case), terms, Month(2026, 1))
    >>> january.value("p").yuan
    Fraction(4, 1)
    """
    terms = terms_of(policy, month.year)
    _check_previous(previous, month, terms)
    whole = cases if isinstance(cases, Tally) else tally(cases, terms)
    carried = previous.carried() if previous else {}
    earlier = previous.hospitals() if previous else set()
    hospitals = sorted(earlier | set(terms.hospitals) | whole.hospitals)

    values, statements, reserves, flows = [], [], [], []
    for pool in terms.pools:
        now = pool.in_month(month.number)
        # January starts with the new year's reserve, whatever last year's held.
        opening = now.reserve_fen
        if previous is not None and month.number > 1:
            opening = previous.reserve_closing(pool.pool)
        set_aside = pool.set_aside_in(month.number)
        if set_aside:
            flows.append((pool.pool, "", SET_ASIDE, "reserve", "", set_aside))
        if opening + set_aside < 0:
            raise BudgetError(
                _(
                    "the changed reserve is {value} fen less than floors have used",
                    value=-opening - set_aside,
                ),
                where=f"{pool.pool} {month}",
                hint=_("correct the amendment's budget or reserve_share"),
            )
        sums = by_hospital(whole, pool.pool, hospitals, month)
        outside = _total(sums, "outside_fen") if terms.outside_from_budget else 0
        on_top = {h: row["on_top_fen"] for h, row in sums.items()}
        before = sum(on_top.values()) if terms.on_top_from == "budget" else 0
        budget = pool.month_budgets[month.number - 1] - outside - before
        value, gross = month_value(now, month, budget, sums, whole.places, opening + set_aside)
        values.append(value_row(value, outside))
        rows = _pool_statement(now, value, gross, sums, carried)
        statements += rows
        flows += _quality_held(terms, now, rows)
        closing = opening + set_aside + value.to_reserve_fen - value.from_reserve_fen
        if terms.on_top_from is not None:
            holds = _holdings(terms, pool.pool, closing, previous)
            if terms.on_top_from == "budget":
                paid = on_top
            else:
                paid = holds.pay(terms.on_top_from, ON_TOP, on_top)
            at = (ON_TOP, terms.on_top_from)
            flows += [(pool.pool, h, *at, "", fen) for h, fen in paid.items() if fen]
            flows += [
                (pool.pool, "", ACCOUNT_CLOSING, name, "", holds.holds(name))
                for name in terms.accounts
            ]
            closing = holds.holds(RESERVE)
        reserves.append((pool.pool, opening, value.to_reserve_fen, value.from_reserve_fen, closing))
    return MonthSettlement(
        month,
        Sheet(values, VALUE_COLUMNS),
        Sheet(statements, STATEMENT_COLUMNS),
        Sheet(lambda: whole.classes.get(month.index, []), CLASS_COLUMNS),
        Sheet(reserves, RESERVE_COLUMNS),
        whole.cases - whole.months.get(month.index, 0),
        Sheet(flows, FLOW_COLUMNS),
    )


def _total(sums: Mapping[str, Mapping[str, int]], name: str) -> int:
    return sum(row[name] for row in sums.values())


def _quality_held(terms: Terms, pool: PoolTerms, rows: list[tuple[Any, ...]]) -> list[Any]:
    """Tell quality money from the rest of what is held back from each hospital."""
    if terms.quality_money is None:
        return []
    at = STATEMENT_COLUMNS.index("held_fen")
    share, rest = terms.quality_money.share, 1 - pool.prepayment
    part = rest if share is None else min(share, rest)
    of_held = Fraction(part) / Fraction(rest) if rest else Fraction(0)
    return [
        (pool.pool, row[1], QUALITY_HELD, "", "", split_share(row[at], of_held)[0])
        for row in rows
        if row[at]
    ]


def _holdings(terms: Terms, pool: str, reserve_fen: int, previous: Before | None) -> Accounts:
    """Give what the accounts hold: after the month before, or at the start of the year."""
    holds = {name: amounts.get(pool, 0) for name, amounts in terms.accounts.items()}
    return Accounts(reserve_fen, holds | (previous.accounts(pool) if previous else {}))


def _pool_statement(
    pool: PoolTerms,
    value: PointValue,
    gross: Mapping[str, int],
    sums: Mapping[str, Mapping[str, int]],
    carried: Mapping[tuple[str, str], int],
) -> list[tuple[Any, ...]]:
    """Follow each hospital's amount from v·Q to what is prepaid, held and carried."""
    rows, prepayment = [], Fraction(pool.prepayment)
    for hospital, row in sums.items():
        borne = row["patient_paid_fen"] if pool.basis == "total_cost" else 0
        entitlement = gross[hospital] - borne
        carried_in = carried.get((pool.pool, hospital), 0)
        due = entitlement - row["refused_fen"] + carried_in
        prepaid, held = split_share(max(due, 0), prepayment)
        rows.append(
            (
                pool.pool,
                hospital,
                row["cases"],
                row["points"],
                gross[hospital],
                row["patient_paid_fen"],
                entitlement,
                row["refused_fen"],
                carried_in,
                prepaid,
                held,
                min(due, 0),
                row["outside_fen"],
                f"{row['fingerprint']:016x}",
            )
        )
    return rows


def _check_previous(previous: Before | None, month: Month, terms: Terms) -> None:
    if previous is not None:
        if previous.next_month() != month:
            raise BudgetError(
                _(
                    "the settlement given as previous is followed by {previous}",
                    previous=previous.next_month(),
                ),
                where=str(month),
                hint=_("settle the months in order"),
            )
        return
    if any(any(pool.month_budgets[: month.number - 1]) for pool in terms.pools):
        raise BudgetError(
            _(
                "earlier months of the year have a budget, so the settlement of "
                "{previous} is needed: it carries negative amounts and the "
                "reserve",
                previous=month.previous,
            ),
            where=str(month),
            hint=_("pass it as previous"),
        )
