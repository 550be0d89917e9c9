"""The ledger's tables in an SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from drgcore.budget.ledger_tables import LATER, LINES, Row, all_columns, is_integer, tables
from drgcore.errors import BudgetError
from drgcore.language import _

_APPLICATION_ID = 0x44524743  # "DRGC": another program's SQLite file is refused
_VERSION = 2
_READINGS = 5
_WAIT_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_REFUSED = (
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
)


class SqliteStore:
    """A ledger in one file: WAL, foreign keys, STRICT tables, append-only by triggers.

    Parameters
    ----------
    path : str or Path
        The file; made if it is not there.
    read_only : bool
        Open it for reading alone, without a trace on the disk; it must be there.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        if sqlite3.sqlite_version_info < (3, 37):
            raise BudgetError(
                _(
                    "SQLite {sqlite_version} has no STRICT tables",
                    sqlite_version=sqlite3.sqlite_version,
                ),
                hint=_("use a Python with SQLite 3.37 or later"),
            )
        self._where = str(path)
        if read_only:
            self._connection = _to_read(Path(path))
            self._connection.row_factory = sqlite3.Row
            return
        with _told(self._where):
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=_WAIT_SECONDS)
        self._connection.row_factory = sqlite3.Row
        try:
            with _told(self._where):
                # FULL: a closing that was reported is on the disk, also when the power fails.
                self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute("PRAGMA foreign_keys = ON")
                self._create(path)
                self._write_ahead()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise BudgetError(
                _("this is not a ledger: {error}", error=error), where=str(path)
            ) from error
        except BaseException:
            # Also who was asked to stop: SQLite's side files go with the connection.
            self._connection.close()
            raise

    def _kind(self) -> tuple[int, int]:
        application = self._connection.execute("PRAGMA application_id").fetchone()[0]
        return application, self._connection.execute("PRAGMA user_version").fetchone()[0]

    def _write_ahead(self) -> None:
        """Have it written ahead (WAL), which SQLite refuses as long as another one is at it.

        Only after the tables are made: then the file itself says from its first bytes on what it
        is, also when its process was killed.
        """
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if _code(error) not in _BUSY or time.monotonic() > until:
                    raise
            time.sleep(_PAUSE_SECONDS)

    def _create(self, path: str | Path) -> None:
        if self._kind() == (_APPLICATION_ID, _VERSION):
            return
        with self.write():
            application, version = self._kind()
            if (application, version) == (_APPLICATION_ID, _VERSION):
                return  # Another process was faster.
            if (application, version) == (_APPLICATION_ID, 1):
                for statement in ddl(LATER):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
                return
            if self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise BudgetError(
                    _("this SQLite file holds something else than a ledger of this version"),
                    where=str(path),
                    hint=_("name another file"),
                )
            for statement in ddl():
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def write(self) -> Iterator[None]:
        """Open a transaction that excludes other writers; all of it is kept, or nothing."""
        with _told(self._where):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows within a transaction."""
        columns = all_columns(table)
        marks = ", ".join(f":{column}" for column in columns)
        text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        self._connection.executemany(text, rows)

    def select(self, table: str, **equal: Any) -> list[Row]:
        """Give rows, in the order of `seq` or `line`."""
        columns = all_columns(table)
        where = " AND ".join(f"{name} = :{name}" for name in equal) or "1"
        text = f"SELECT {', '.join(columns)} FROM {table} WHERE {where} ORDER BY 1, 2"
        with _told(self._where):
            return [dict(row) for row in self._connection.execute(text, equal)]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _code(error: sqlite3.Error) -> int:
    """SQLite's number of an error, without what extends it."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


@contextmanager
def _told(where: str) -> Iterator[None]:
    """What the system refuses as one message; what concerns the statements stays as it is."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if _code(error) in _BUSY:
            raise BudgetError(
                _("another process is writing the ledger"),
                where=where,
                hint=_("Nothing was entered. Try again when it has ended."),
            ) from error
        if _code(error) in _REFUSED:
            raise BudgetError(
                _("the ledger cannot be written: {error}", error=error),
                where=where,
                hint=_("Nothing was entered. Check the free space and the rights of the folder."),
            ) from error
        raise


def is_ledger(path: Path) -> bool:
    """Whether a file is an SQLite ledger of this version, by its first bytes.

    Parameters
    ----------
    path : Path

    Examples
    --------
    >>> is_ledger(Path(__file__))
    False
    """
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return False
    numbers = int.from_bytes(head[60:64]), int.from_bytes(head[68:72])
    return head[:16] == b"SQLite format 3\0" and numbers == (_VERSION, _APPLICATION_ID)


def _to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing on the disk.

    SQLite would make side files next to one in WAL mode, which then belong to who only looked and
    keep others from writing. So a file that nobody writes is read into memory; one that somebody
    writes has its side files already.
    """
    if not is_ledger(path):
        raise BudgetError(_("this is not a ledger"), where=str(path))
    beside = Path(f"{path}-wal")
    for _again in range(_READINGS):
        if beside.exists() and beside.stat().st_size:
            address = f"{path.absolute().as_uri()}?mode=ro"
            return sqlite3.connect(address, uri=True, isolation_level=None, timeout=60)
        before = path.stat()
        content = bytearray(path.read_bytes())
        after = path.stat()
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            continue
        # In memory there is no WAL; the versions in the header say so.
        content[18:20] = b"\1\1"
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.deserialize(bytes(content))
        return connection
    raise BudgetError(_("the ledger is being written"), where=str(path), hint=_("try again"))


def ddl(only: Sequence[str] = ()) -> Iterator[str]:
    """Write the statements that make an empty ledger, or the tables that an older one lacks.

    Parameters
    ----------
    only : sequence of str
        The tables that are to be made; empty: all, with what keeps entries in order.

    Yields
    ------
    str
        One SQL statement.

    Examples
    --------
    >>> sum("STRICT" in statement for statement in ddl())
    15
    """
    for table in only or tables():
        columns = [_column(table, name) for name in all_columns(table)]
        if table in LINES:
            columns.append("PRIMARY KEY (entry, line)")
        yield f"CREATE TABLE {table} ({', '.join(columns)}) STRICT"
        for event in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )
    # The entry row is written last and seals its lines: none can be added to it afterwards.
    for table in only or LINES:
        yield (
            f"CREATE TRIGGER {table}_sealed BEFORE INSERT ON {table} "
            "WHEN EXISTS (SELECT 1 FROM entry WHERE seq = NEW.entry) "
            "BEGIN SELECT RAISE(ABORT, 'the entry is sealed'); END"
        )
    if only:
        return
    yield (
        "CREATE UNIQUE INDEX one_closing ON entry (kind, period) WHERE kind IN ('month', 'year')"
    )
    # INSERT OR REPLACE deletes without firing the delete trigger, so what it could hit is refused.
    yield (
        "CREATE TRIGGER entry_in_order BEFORE INSERT ON entry "
        "WHEN NEW.seq <> coalesce((SELECT max(seq) FROM entry), 0) + 1 "
        "OR NEW.kind IN ('month', 'year') AND EXISTS "
        "(SELECT 1 FROM entry WHERE kind = NEW.kind AND period = NEW.period) "
        "BEGIN SELECT RAISE(ABORT, 'entries are added in order, a closing once'); END"
    )
    yield (
        "CREATE TRIGGER policy_text_once BEFORE INSERT ON policy_text "
        "WHEN EXISTS (SELECT 1 FROM policy_text WHERE digest = NEW.digest) "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    )


def _column(table: str, name: str) -> str:
    text = f"{name} {'INTEGER' if is_integer(name) else 'TEXT'} NOT NULL"
    if (table, name) in (("entry", "seq"), ("policy_text", "digest")):
        return f"{text} PRIMARY KEY"
    if name == "policy_digest":
        return f"{text} REFERENCES policy_text (digest)"
    if name == "entry":
        return f"{text} REFERENCES entry (seq) DEFERRABLE INITIALLY DEFERRED"
    if (table, name) == ("entry", "kind"):
        return f"{text} CHECK (kind IN ('month', 'year', 'adjustment'))"
    return text
