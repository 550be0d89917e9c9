"""Decisions in the ledger: what is entered, what is refused, and what a year must know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict

from drgcore.budget.accounts import RESERVE
from drgcore.budget.adjustments import Adjustment
from drgcore.budget.ledger_money import LinesOf, check_money
from drgcore.budget.ledger_tables import Row, Store, append_entry, facts_digest
from drgcore.budget.month import Month
from drgcore.errors import BudgetError
from drgcore.language import _

HeaderOf = Callable[[str, str, str, str, str, str], Row]


def enter_decision(
    store: Store, lines_of: LinesOf, header_of: HeaderOf, adjustment: Adjustment
) -> int:
    """Enter a decision within a transaction; its entry's number.

    Parameters
    ----------
    store : Store
        The ledger's database, in whose `write` this is called.
    lines_of : callable
        The lines of an entry in one table.
    header_of : callable
        Makes an entry's header of kind, period, policy's name and text, scheme and cases' digest.
    adjustment : Adjustment
        The decision.

    Raises
    ------
    BudgetError
        See `Ledger.adjust`.
    """
    where = _(
        "adjustment of {hospital} {month}", hospital=adjustment.hospital, month=adjustment.month
    )
    row = asdict(adjustment) | {"month": str(adjustment.month)}
    account = row.pop("account")
    lines = {
        "decision": [row],
        "decision_account": [{"account": account}] if account != RESERVE else [],
    }
    if not store.select("entry", kind="month", period=row["month"]):
        raise BudgetError(_("the month is not closed"), where=where)
    settled = store.select("entry", kind="year", period=str(adjustment.month.year))
    if settled and adjustment.points:
        raise BudgetError(
            _(
                "the year {year} is settled; its points do not change",
                year=adjustment.month.year,
            ),
            where=where,
            hint=_("enter the amount of money instead"),
        )
    header = header_of("adjustment", row["month"], "", "", "", "")
    header["facts_digest"] = facts_digest(header, lines)
    same = store.select("entry", facts_digest=header["facts_digest"])
    if same:
        raise BudgetError(
            _("entry {same} is the same decision", same=same[0]["seq"]),
            where=where,
            hint=_("if it is meant a second time, give a reason that tells them apart"),
        )
    check_money(adjustment, store, lines_of, decisions(store, lines_of))
    return append_entry(store, header, lines)


def decisions(store: Store, lines_of: LinesOf) -> list[tuple[int, Adjustment]]:
    """All decisions with the numbers of their entries, in the order in which they were entered."""
    found = []
    for entry in store.select("entry", kind="adjustment"):
        named = lines_of(entry, "decision_account")
        for row in lines_of(entry, "decision"):
            more = {"month": Month.parse(row["month"])} | (named[0] if named else {})
            found.append((int(entry["seq"]), Adjustment(**row | more)))
    return found


def refuse_unknown_decisions(
    year: int, entered: Iterable[tuple[int, Adjustment]], known: Iterable[Adjustment]
) -> None:
    """Refuse a year that was settled without a decision that the ledger holds by now.

    Parameters
    ----------
    year : int
        The year.
    entered : iterable of (int, Adjustment)
        The ledger's decisions.
    known : iterable of Adjustment
        Those that the year was settled with.

    Raises
    ------
    BudgetError
        Names the entries.

    Examples
    --------
    >>> one = Adjustment(Month(2026, 1), "p", "H1", "upcoding", points=-10000)
    >>> refuse_unknown_decisions(2026, [(4, one)], [one])
    >>> refuse_unknown_decisions(2026, [(4, one)], [])
    Traceback (most recent call last):
    drgcore.errors.BudgetError: the year 2026 was settled without the decisions of the entries 4
    settle it again, with what the ledger holds now
    """
    known = list(known)
    missing = [str(seq) for seq, one in entered if one.month.year == year and one not in known]
    if missing:
        raise BudgetError(
            _(
                "the year {year} was settled without the decisions of the entries {entries}",
                year=year,
                entries=", ".join(missing),
            ),
            hint=_("settle it again, with what the ledger holds now"),
        )
