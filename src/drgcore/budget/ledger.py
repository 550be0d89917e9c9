"""The ledger (台账): closed months and years that nothing changes afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drgcore.budget.adjustments import Adjustment
from drgcore.budget.case_files import CaseFiles
from drgcore.budget.closing import ClosedMonth, digest_of
from drgcore.budget.frames import frame
from drgcore.budget.ledger_checks import check_chain, check_sums, differences
from drgcore.budget.ledger_decisions import decisions, enter_decision, refuse_unknown_decisions
from drgcore.budget.ledger_sqlite import SqliteStore, is_ledger
from drgcore.budget.ledger_tables import (
    LINES,
    PARTS,
    Row,
    Store,
    append_entry,
    facts_digest,
    sha256,
)
from drgcore.budget.month import Month
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.year_end import ClosedYear, YearSettlement
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.progress import tracked


class Ledger:
    """An append-only book of closings: a chain of entries, each sealed by a hash.

    The hash of an entry covers all that it states and the hash of the entry before it, so that no
    amount can be changed later without `verify` saying where. Closing a period again with the same
    facts does nothing; with other facts it is an error that says what differs.

    Parameters
    ----------
    store : Store
        The database, see `open`.
    cases_folder : Path or None
        Where the months' cases are kept as parquet files named by their digest; None keeps none.

    Examples
    --------
    >>> with Ledger.open(":memory:") as ledger:
    ...     ledger.entries(), ledger.verify()
    ([], [])
    """

    def __init__(self, store: Store, cases_folder: Path | None = None) -> None:
        self._store = store
        self._cases = CaseFiles(cases_folder)

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        cases_folder: str | Path | None = None,
        read_only: bool = False,
    ) -> Ledger:
        """Open a ledger, or make an empty one.

        Parameters
        ----------
        where : str or Path
            An SQLite file (``:memory:`` for one that is not kept), or the address of a PostgreSQL
            database, ``postgresql://…``.
        cases_folder : str or Path, optional
            Where the months' cases are kept; ``<file>.cases`` beside an SQLite file by default.
        read_only : bool
            Read an SQLite file without a trace on the disk, so that it may lie where nothing can
            be written; a database, in transactions that may not write. It must be there.

        Returns
        -------
        Ledger
            The ledger; a context manager that closes it.

        Examples
        --------
        >>> Ledger.open(":memory:").entries()
        []
        """
        folder = Path(cases_folder) if cases_folder else None
        if str(where).startswith(("postgresql://", "postgresql+psycopg://")):
            from drgcore.budget.ledger_postgres import PostgresStore

            return cls(PostgresStore(str(where), read_only=read_only), folder)
        if folder is None and str(where) != ":memory:":
            folder = Path(f"{where}.cases")
        if read_only and not Path(where).is_file():
            raise BudgetError(_("there is no ledger"), where=str(where))
        # One whose making was cut short is none yet: only writing brings it in order.
        return cls(SqliteStore(where, read_only=read_only and is_ledger(Path(where))), folder)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def entries(self) -> list[Row]:
        """List the entries: number, kind, period, time, digests, hash."""
        return self._store.select("entry")

    def close_month(self, closed: ClosedMonth) -> int:
        """Enter a closed month.

        Parameters
        ----------
        closed : ClosedMonth
            The month.

        Returns
        -------
        int
            Number of the entry; of the one that is there if the month was closed with the same
            facts before.

        Raises
        ------
        BudgetError
            If the month was closed with other facts, if its year is closed, or if it does not
            continue the month before it.
        """
        if closed.cases is not None:
            if digest_of(closed.cases) != closed.cases_digest:
                raise BudgetError(
                    _("the cases are not those of the digest"), where=str(closed.month)
                )
            self._cases.keep(closed.cases, closed.cases_digest)
        return self._close("month", str(closed.month), closed, closed.settlement)

    def close_year(self, closed: ClosedYear) -> int:
        """Enter a settled year.

        Parameters
        ----------
        closed : ClosedYear
            The year.

        Returns
        -------
        int
            Number of the entry, see `close_month`.

        Raises
        ------
        BudgetError
            If the year was closed with other facts, or what it says was prepaid and held back is
            not what the ledger's months say.
        """
        return self._close("year", str(closed.settlement.year), closed, closed.settlement)

    def adjust(self, adjustment: Adjustment) -> int:
        """Enter a decision about a closed month; the month itself stays as it is.

        Parameters
        ----------
        adjustment : Adjustment
            The decision.

        Returns
        -------
        int
            Number of the entry.

        Raises
        ------
        BudgetError
            If the month is not closed, its year is already settled and the decision is about
            points, its account cannot pay, or the same decision was entered before.
        """
        return self.adjust_all([adjustment])[0]

    def adjust_all(self, adjustments: Iterable[Adjustment]) -> list[int]:
        """Enter decisions that belong together: all of them, or none where one is refused.

        Parameters
        ----------
        adjustments : iterable of Adjustment
            The decisions.

        Returns
        -------
        list of int
            Numbers of the entries.

        Raises
        ------
        BudgetError
            See `adjust`.
        """
        with self._store.write():
            return [
                enter_decision(self._store, self._lines, self._header, one) for one in adjustments
            ]

    def adjustments(self, year: int) -> list[Adjustment]:
        """Give the decisions about a year's months, in the order in which they were entered.

        Parameters
        ----------
        year : int
            The year.

        Returns
        -------
        list of Adjustment
            What `settle_year` takes as adjustments.
        """
        entered = decisions(self._store, self._lines)
        return [decided for _, decided in entered if decided.month.year == year]

    def month(self, month: Month) -> ClosedMonth:
        """Give a closed month as it was closed.

        Parameters
        ----------
        month : Month
            The month.

        Returns
        -------
        ClosedMonth
            The month, with its cases if their file is there and whole.
        """
        entry = self._entry("month", str(month))
        parts = self._parts(entry)
        policy = self._policy(entry)
        settlement = MonthSettlement(month, **parts)
        cases = self._cases.get(entry["cases_digest"])
        return ClosedMonth(
            settlement,
            policy["name"],
            policy["text"],
            entry["scheme"],
            entry["cases_digest"],
            cases,
        )

    def before(self, month: Month) -> ClosedMonth | YearSettlement | None:
        """Give what a month continues: the month before it, or last year.

        Parameters
        ----------
        month : Month
            The month to settle.

        Returns
        -------
        ClosedMonth, YearSettlement or None
            What `settle_month` takes as previous; None if that is not in the ledger.
        """
        earlier = month.previous
        if earlier.year < month.year:
            closed = self._store.select("entry", kind="year", period=str(earlier.year))
            return self.year(earlier.year).settlement if closed else None
        there = self._store.select("entry", kind="month", period=str(earlier))
        return self.month(earlier) if there else None

    def closed_months(self, year: int) -> list[ClosedMonth]:
        """Give the closed months of a year in order.

        Parameters
        ----------
        year : int
            The year.

        Returns
        -------
        list of ClosedMonth
            What `settle_year` takes as closed months.
        """
        periods = {entry["period"] for entry in self._store.select("entry", kind="month")}
        there = [m for m in Month.of_year(year) if str(m) in periods]
        return [self.month(m) for m in tracked(there, _("reading closed months"), _("months"))]

    def year(self, year: int) -> ClosedYear:
        """Give a settled year as it was closed.

        Parameters
        ----------
        year : int
            The year.

        Returns
        -------
        ClosedYear
            The year.
        """
        entry = self._entry("year", str(year))
        policy = self._policy(entry)
        settlement = YearSettlement(year, **self._parts(entry))
        facts = (policy["name"], policy["text"], entry["scheme"], entry["cases_digest"])
        return ClosedYear(settlement, *facts)

    def verify(self) -> list[str]:
        """Recompute the chain and the sums.

        Returns
        -------
        list of str
            What is wrong, each with its entry; empty for a sound ledger.
        """
        return check_chain(self.entries(), self._store.select("policy_text"), self._lines)

    def _close(
        self, kind: str, period: str, closed: ClosedMonth | ClosedYear, settlement: Any
    ) -> int:
        parts = PARTS[kind]
        lines = {table: settlement.records(name) for table, name in parts.items()}
        policy = (closed.policy_name, closed.policy_text)
        with self._store.write():
            header = self._header(kind, period, *policy, closed.scheme, closed.cases_digest)
            header["facts_digest"] = facts_digest(header, lines)
            there = self._store.select("entry", kind=kind, period=period)
            if there:
                old = there[0]
                if old["facts_digest"] == header["facts_digest"]:
                    return int(old["seq"])
                stored = {table: self._lines(old, table) for table in parts}
                raise BudgetError(
                    _(
                        "{period} is closed by entry {old} with other facts: {lines}",
                        period=period,
                        old=old["seq"],
                        lines="; ".join(differences(old, stored, header, lines)),
                    ),
                    where="ledger",
                    hint=_("a closed period does not change; enter an adjustment that names it"),
                )
            self._check_order(kind, period, lines, header)
            if isinstance(settlement, YearSettlement) and settlement.decided is not None:
                entered = decisions(self._store, self._lines)
                refuse_unknown_decisions(settlement.year, entered, settlement.decided)
            return append_entry(self._store, header, lines)

    def _check_order(
        self, kind: str, period: str, lines: Mapping[str, Sequence[Row]], header: Row
    ) -> None:
        """Refuse a closing that contradicts what the ledger already holds."""
        if self._store.select("entry", kind="year", period=period[:4]):
            raise BudgetError(
                _("the year {period} is settled", period=period[:4]),
                where=_("ledger {period}", period=period),
            )
        months = {
            entry["period"]: {t: self._lines(entry, t) for t in PARTS["month"]}
            for entry in self._store.select("entry", kind="month")
        }
        found = check_sums(header, lines, months)
        if found:
            raise BudgetError("; ".join(found), where=_("ledger {period}", period=period))

    def _header(
        self, kind: str, period: str, name: str, text: str, scheme: str, cases_digest: str
    ) -> Row:
        digest = sha256([name, text])
        if not self._store.select("policy_text", digest=digest):
            self._store.insert("policy_text", [{"digest": digest, "name": name, "text": text}])
        return {
            "kind": kind,
            "period": period,
            "created_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "policy_digest": digest,
            "scheme": scheme,
            "cases_digest": cases_digest,
        }

    def _entry(self, kind: str, period: str) -> Row:
        found = self._store.select("entry", kind=kind, period=period)
        if not found:
            raise BudgetError(_("{period} is not closed", period=period), where="ledger")
        return found[0]

    def _policy(self, entry: Row) -> Row:
        return self._store.select("policy_text", digest=entry["policy_digest"])[0]

    def _lines(self, entry: Row, table: str) -> list[Row]:
        rows = self._store.select(table, entry=entry["seq"])
        return [{name: row[name] for name in LINES[table]} for row in rows]

    def _parts(self, entry: Row) -> dict[str, Any]:
        return {
            name: frame([tuple(row.values()) for row in self._lines(entry, table)], LINES[table])
            for table, name in PARTS[entry["kind"]].items()
        }
