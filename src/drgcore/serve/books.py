"""What pages show of a ledger: its periods, the statement of a hospital. It is only read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from drgcore.budget import ClosedMonth, ClosedYear, Ledger, Month
from drgcore.budget.case_files import CaseFiles
from drgcore.budget.explain import explain_lines
from drgcore.budget.frames import records
from drgcore.budget.ledger_sqlite import SqliteStore
from drgcore.budget.statement_lines import StatementPart, printed
from drgcore.budget.tables import plain
from drgcore.errors import BudgetError, PolicyError
from drgcore.language import _
from drgcore.points import PRESETS, Policy
from drgcore.serve.shelf import Shelf
from drgcore.serve.tables import Row, rows_of

_PAID = ("hospital", "pool", "cases", "points", "prepaid", "pool_share", "final", "balance")
_SUMS = ("cases", "prepaid", "held", "final", "balance")


@contextmanager
def opened(place: str | Path, *, with_cases: bool = False) -> Iterator[Ledger]:
    """A ledger for reading alone.

    Parameters
    ----------
    place : str or Path
        An SQLite file, or the address of a PostgreSQL database.
    with_cases : bool
        Also the cases that it keeps beside the file, which take longer to read.
    """
    if isinstance(place, str):
        with Ledger.open(place, read_only=True) as book:
            yield book
        return
    folder = Path(f"{place}.cases") if with_cases else None
    with Ledger(SqliteStore(place, read_only=True), folder) as book:
        yield book


def overview(book: Ledger) -> Row:
    """Give what a ledger holds: entries, a row a period and pool, and what is wrong with it.

    Parameters
    ----------
    book : Ledger

    Returns
    -------
    dict
        ``entries``; ``periods`` with point value, budget and the sums of the statements [yuan];
        ``months``, ``years``; ``values``, of a point by pool and month [yuan]; ``seen``, their
        lowest and highest; ``decisions``;
        ``faults``, empty for a ledger whose chain and sums are right.
    """
    entries = book.entries()
    rows = [
        row
        for entry in entries
        if entry["kind"] != "adjustment"
        for row in _pools(book, entry["period"])
    ]
    shown = ("seq", "kind", "period", "created_at", "scheme", "hash")
    return {
        "entries": [{name: entry[name] for name in shown} for entry in entries],
        "periods": rows,
        **_by_month(rows),
        "decisions": _decisions(book, entries),
        "faults": book.verify(),
    }


def closed_last(book: Ledger) -> Row:
    """Give the period that was closed last, and what it came to by pool.

    Parameters
    ----------
    book : Ledger

    Returns
    -------
    dict
        ``period``, None where nothing is closed; ``pools``: a row each, as `overview` has them.
    """
    periods = [entry["period"] for entry in book.entries() if entry["kind"] != "adjustment"]
    if not periods:
        return {"period": None, "pools": []}
    return {"period": periods[-1], "pools": _pools(book, periods[-1])}


def paid(book: Ledger) -> Row:
    """Give what the last year of a ledger came to, as far as it is closed.

    Parameters
    ----------
    book : Ledger

    Returns
    -------
    dict
        ``months``, ``values`` and ``seen``, as `overview` has them, of that year; ``period``, the
        year or its last month; ``hospitals``, a row a hospital and pool of its statements [yuan].
    """
    periods = [entry["period"] for entry in book.entries() if entry["kind"] != "adjustment"]
    year = max(period[:4] for period in periods)
    of_year = [period for period in periods if period[:4] == year]
    last = year if year in of_year else max(of_year)
    statement = rows_of(plain(_closed(book, last).settlement)["statement"])
    rows = [row for p in of_year if p != year for row in _pools(book, p)]
    hospitals = [{name: row[name] for name in _PAID if name in row} for row in statement]
    return {**_by_month(rows), "period": last, "hospitals": hospitals}


def _pools(book: Ledger, period: str) -> list[Row]:
    tables = plain(_closed(book, period).settlement)
    rows: list[Row] = []
    for value in rows_of(tables["point_values"]):
        mine = tables["statement"][tables["statement"]["pool"] == value["pool"]]
        row = {"period": period, "pool": value["pool"]}
        row |= {name: value[name] for name in ("budget", "points", "point_value")}
        # A month has no final payment yet.
        rows.append(row | {n: sum(mine[n].tolist()) if n in mine else None for n in _SUMS})
    return rows


def _by_month(rows: list[Row]) -> Row:
    """The periods, and the values of a point as series over the months."""
    periods = list(dict.fromkeys(row["period"] for row in rows))
    months = sorted(period for period in periods if "-" in period)
    values: dict[str, list[float | None]] = {}
    for row in rows:
        if "-" in row["period"]:
            series = values.setdefault(row["pool"], [None] * len(months))
            series[months.index(row["period"])] = float(row["point_value"])
    seen = []
    for pool, series in values.items():
        known = [(value, month) for value, month in zip(series, months, strict=True) if value]
        if known:
            (low, first), (high, last) = min(known), max(known)
            ends = {"low": f"{low:.4f}", "low_month": first, "high": f"{high:.4f}"}
            seen.append({"pool": pool, **ends, "high_month": last})
    years = [period for period in periods if "-" not in period]
    return {"months": months, "years": years, "values": values, "seen": seen}


def _decisions(book: Ledger, entries: list[Row]) -> list[Row]:
    years = sorted({int(e["period"][:4]) for e in entries if e["kind"] == "adjustment"})
    return [
        {
            "month": str(one.month),
            "pool": one.pool,
            "hospital": one.hospital,
            "kind": one.kind,
            "amount": Decimal(one.amount_fen).scaleb(-2),
            "reason": one.reason,
        }
        for year in years
        for one in book.adjustments(year)
    ]


def period_of(book: Ledger, period: str) -> Row:
    """Give a closed month or year: what it was closed with, and its tables in yuan.

    Parameters
    ----------
    book : Ledger
    period : str
        ``2027-01`` or ``2027``.

    Returns
    -------
    dict
        ``period``, ``policy``, ``scheme``, ``hospitals``, ``tables`` (name → rows).
    """
    closed = _closed(book, period)
    tables = {name: rows_of(table) for name, table in plain(closed.settlement).items()}
    return {
        "period": period,
        "policy": closed.policy_name,
        "scheme": closed.scheme,
        "hospitals": sorted({row["hospital"] for row in tables["statement"]}),
        "tables": tables,
    }


def statement_of(book: Ledger, period: str, hospital: str, shelf: Shelf) -> Row:
    """Give a hospital's statement of a closed month or year, explained to the fen.

    Parameters
    ----------
    book : Ledger
    period, hospital : str
    shelf : Shelf
        Where a policy is looked for that the ledger alone does not give.

    Returns
    -------
    dict
        ``text``, as ``drgcore settle explain`` prints it; ``pools``, the same as lines, see
        `told`.
    """
    closed = _closed(book, period)
    months = book.closed_months(int(period)) if isinstance(closed, ClosedYear) else []
    parts = explain_lines(hospital, closed, policy_of(closed, shelf), months)
    return {"period": period, "hospital": hospital, **told(parts)}


def told(parts: Sequence[StatementPart]) -> Row:
    """Give an explained statement as text and as lines, in the language that is spoken.

    Parameters
    ----------
    parts : sequence of StatementPart
        What `explain_lines` gives.

    Returns
    -------
    dict
        ``text``, as it is printed; ``pools``: ``pool`` and its ``lines`` as `Line` has them.
    """
    pools = [{"pool": part.pool, "lines": [*map(asdict, part.lines)]} for part in parts]
    return {"text": printed(parts), "pools": pools}


def policy_of(closed: ClosedMonth | ClosedYear, shelf: Shelf) -> Policy:
    """Give the policy that a period was closed with.

    Parameters
    ----------
    closed : ClosedMonth or ClosedYear
    shelf : Shelf
        Policies that name other files stand there, or are presets.

    Raises
    ------
    PolicyError
        The policy names files, and none that is there has the same text.
    """
    whole = json.loads(closed.policy_text)
    if not whole["files"]:
        return Policy.from_data(whole["policy"], where=closed.policy_name)
    places: list[str | Path] = [item.path for item in shelf.items("policy")]
    for place in [*places, *PRESETS]:
        try:
            found = Policy.load(place)
        except PolicyError:
            continue
        if found.text == closed.policy_text:
            return found
    raise PolicyError(
        _("its policy names other files, and no policy here has the same text"),
        where=closed.policy_name,
        hint=_("Put the policy that it was closed with into a data folder."),
    )


def cases_of(closed: ClosedMonth, shelf: Shelf) -> pa.Table:
    """Give a month's cases as a settlement takes them.

    Parameters
    ----------
    closed : ClosedMonth
    shelf : Shelf
        Where the cases are looked for of a ledger that has no folder beside it: they are known by
        their digest, so whatever folder has them has those that the month was closed with.

    Raises
    ------
    BudgetError
        They are not kept.
    """
    cases = closed.cases
    if cases is None and (folder := shelf.kept_cases(closed.cases_digest)) is not None:
        cases = CaseFiles(folder).get(closed.cases_digest)
    if cases is None:
        raise BudgetError(
            _("the ledger has not kept the month's cases"),
            where=str(closed.month),
            hint=_(
                "Compare by hospital, or keep the cases: <ledger>.cases beside the file, or for a "
                "database --cases-folder, a folder <name>.cases in a data folder."
            ),
        )
    places = max(row["places"] for row in records(closed.settlement.point_values))
    table = cases.to_pandas()
    first = pd.Timestamp(closed.month.year, closed.month.number, 1)
    return pa.table(
        {
            **{name: table[name] for name in ("case_id", "pool", "hospital", "drg", "case_class")},
            "points": table["points"] / 10**places,
            "patient_paid": table["patient_paid_fen"] / 100,
            "refused_amount": table["refused_fen"] / 100,
            "discharge_date": pa.array([first.date()] * len(table), pa.date32()),
        }
    )


def _closed(book: Ledger, period: str) -> Any:
    if re.fullmatch(r"\d{4}", period):
        return book.year(int(period))
    return book.month(Month.parse(period))


def prices_of(book: Ledger, shelf: Shelf) -> tuple[Policy, dict[str, float]]:
    """Give policy and yuan a point by pool of the last closed year, or else of the last month.

    Parameters
    ----------
    book : Ledger
    shelf : Shelf
        See `policy_of`.

    Raises
    ------
    BudgetError
        No period is closed.
    """
    periods = [e["period"] for e in book.entries() if e["kind"] in ("year", "month")]
    years = [period for period in periods if "-" not in period]
    if not periods:
        raise BudgetError(_("the ledger has no closed month"), where="ledger")
    closed = _closed(book, max(years or periods))
    pools = closed.settlement.point_values["pool"].tolist()
    values = {pool: closed.settlement.value(pool) for pool in pools}
    return policy_of(closed, shelf), {p: float(v.yuan) for p, v in values.items() if v.points}
