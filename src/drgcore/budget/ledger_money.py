"""Whether a decision's hospital is known and its account can pay it, by what the ledger holds."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from drgcore.budget.accounts import RESERVE
from drgcore.budget.adjustments import Adjustment
from drgcore.budget.allocate import fen, yuan
from drgcore.budget.ledger_tables import Row, Store
from drgcore.budget.month_value import ACCOUNT_CLOSING
from drgcore.errors import BudgetError
from drgcore.language import _

LinesOf = Callable[[Row, str], list[Row]]


def check_money(
    adjustment: Adjustment,
    store: Store,
    lines_of: LinesOf,
    decisions: Sequence[tuple[int, Adjustment]],
) -> None:
    """Refuse a decision about a hospital that nobody knows, or money that its account cannot pay.

    The reserve holds what the last closed month of the year, or the settled year, closed with, less
    what was decided since. An account of the policy holds what the policy states, less what closed
    months and decisions took from it.

    Parameters
    ----------
    adjustment : Adjustment
        The decision.
    store : Store
        The ledger's database.
    lines_of : callable
        The lines of an entry in one table.
    decisions : sequence of (int, Adjustment)
        The decisions entered so far, with the numbers of their entries.

    Raises
    ------
    BudgetError
        Says what the account holds; or that the policy has no such account, or the pool or hospital
        is unknown.
    """
    where = _(
        "adjustment of {hospital} {month}", hospital=adjustment.hospital, month=adjustment.month
    )
    pool, year = adjustment.pool, adjustment.month.year
    months = [e for e in store.select("entry", kind="month") if e["period"][:4] == str(year)]
    last = max(months, key=lambda entry: str(entry["period"]))
    settled = store.select("entry", kind="year", period=str(year))
    pools = [str(row["pool"]) for row in lines_of(last, "month_reserve")]
    if pool not in pools:
        raise BudgetError(
            _("the closed months have no pool {pool}", pool=pool),
            where=where,
            hint=_("take {pools}", pools=" or ".join(pools)),
        )
    known = {str(row["hospital"]) for e in months for row in lines_of(e, "month_statement")}
    known |= {str(row["hospital"]) for e in settled for row in lines_of(e, "year_statement")}
    if adjustment.hospital not in known:
        raise _unknown(adjustment.hospital, sorted(known), where)
    same = [
        (seq, d)
        for seq, d in decisions
        if (d.pool, d.account, d.month.year) == (pool, adjustment.account, year)
    ]
    if adjustment.account == RESERVE:
        if settled:
            lines = lines_of(settled[0], "reserve_line")
            same = [(seq, d) for seq, d in same if seq > settled[0]["seq"]]
            holds = next(r for r in lines if (r["pool"], r["item"]) == (pool, "closing"))
            opening = int(holds["amount_fen"])
        else:
            rows = lines_of(last, "month_reserve")
            opening = next(int(r["closing_fen"]) for r in rows if r["pool"] == pool)
    else:
        opening = _stated(adjustment.account, pool, last, store, where)
        flows = [row for entry in months for row in lines_of(entry, "flow")]
        opening -= sum(
            int(row["amount_fen"])
            for row in flows
            if (row["pool"], row["account"]) == (pool, adjustment.account)
            # What a month leaves in the account is no payment from it.
            and row["item"] != ACCOUNT_CLOSING
        )
    holds_fen = opening - sum(d.amount_fen for _, d in same)
    if adjustment.amount_fen > max(holds_fen, 0):
        other = "another account of the policy, or " if adjustment.account == RESERVE else ""
        raise BudgetError(
            _(
                "{account} of pool {pool} holds {yuan} yuan and cannot pay {needed}",
                account=adjustment.account,
                pool=pool,
                yuan=yuan(holds_fen),
                needed=yuan(adjustment.amount_fen),
            ),
            where=where,
            hint=_("name {other}an amount that it holds", other=other),
        )


def _unknown(hospital: str, known: Sequence[str], where: str) -> BudgetError:
    """Say how many hospitals the closed periods have, and which is meant by likeness."""
    near = difflib.get_close_matches(hospital, known, n=1, cutoff=0)
    return BudgetError(
        _(
            "{hospital} is none of the {count} hospitals of the closed months",
            hospital=hospital,
            count=len(known),
        ),
        where=where,
        hint=_("hospitals appear by their code in the cases; the nearest is {near}", near=near[0])
        if near
        else _("close a month with its cases first"),
    )


def _stated(account: str, pool: str, entry: Row, store: Store, where: str) -> int:
    """Give what the policy of a closed month says that an account holds for a pool [fen]."""
    text = store.select("policy_text", digest=entry["policy_digest"])[0]["text"]
    try:
        accounts: Any = json.loads(text, parse_float=Decimal)["policy"].get("accounts", {})
    except (ValueError, TypeError, KeyError):
        accounts = {}
    if account not in accounts:
        raise BudgetError(
            _(
                "the policy of {entry} has no account {account}",
                entry=entry["period"],
                account=account,
            ),
            where=where,
            hint=_("name one of [accounts] of the policy, or the reserve"),
        )
    return fen(str(accounts[account].get(pool, 0)))
