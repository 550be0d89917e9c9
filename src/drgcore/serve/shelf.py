"""The files that a server may look at: ledgers, tables and policies in its data folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from drgcore.budget.ledger_sqlite import is_ledger
from drgcore.errors import DrgcoreError
from drgcore.language import N_, _

Kind = Literal["ledger", "table", "policy"]

_TABLES = (".parquet", ".csv", ".xlsx", ".xls", ".dbf")
_LEDGERS = (".sqlite", ".sqlite3", ".db", ".ledger")
_MOST = 500
_MISSING: dict[Kind, str] = {
    "ledger": N_("the data folders have no ledger of this name"),
    "table": N_("the data folders have no table of this name"),
    "policy": N_("the data folders have no policy of this name"),
}


@dataclass(frozen=True)
class Item:
    """A file of a data folder.

    Parameters
    ----------
    name : str
        The folder's name and the place within it, with slashes; what pages and calls name it by.
    path : Path
        Where it is.
    kind : {"ledger", "table", "policy"}
    """

    name: str
    path: Path
    kind: Kind


class Shelf:
    """What the data folders hold; looked at again with every request, and only read.

    Nothing else of the disk can be named: a name is looked up in the list, never made a path.

    Parameters
    ----------
    folders : sequence of Path
    ledgers : sequence of str
        Addresses of ledgers on a server, which are named by its host and database.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "cases.csv").write_text("case_id\\n")
    >>> [item.name.partition("/")[2] for item in Shelf([folder]).items("table")]
    ['cases.csv']
    >>> Shelf([folder]).path("table", "../etc/passwd")
    Traceback (most recent call last):
    drgcore.errors.DrgcoreError: the data folders have no table of this name
    Start the server with --data FOLDER for each folder it may look at.
    """

    def __init__(self, folders: Sequence[Path], ledgers: Sequence[str] = ()) -> None:
        self._folders = folders
        self._addresses = {_shown(address): address for address in ledgers}

    def items(self, kind: Kind) -> list[Item]:
        """Give the files of a kind by name; at most 500 a folder are looked at."""
        found = {item.name: item for folder in self._folders for item in _within(folder)}
        return [found[name] for name in sorted(found) if found[name].kind == kind]

    def names(self, kind: Kind) -> list[str]:
        """Give the names of a kind's files; of ledgers, also of those on a server."""
        further = self._addresses if kind == "ledger" else ()
        return [*(item.name for item in self.items(kind)), *further]

    def ledger(self, name: str) -> str | Path:
        """Give the address or the file of a ledger.

        Raises
        ------
        DrgcoreError
            There is none of this name.
        """
        return self._addresses.get(name) or self.path("ledger", name)

    def kept_cases(self, digest: str) -> Path | None:
        """Give the folder ``<name>.cases`` that keeps a closed month's cases, if there is one."""
        places = (place for folder in self._folders for place in sorted(folder.glob("*.cases")))
        return next((place for place in places if (place / f"{digest}.parquet").is_file()), None)

    def path(self, kind: Kind, name: str) -> Path:
        """Give the place of a file.

        Raises
        ------
        DrgcoreError
            There is none of this name.
        """
        for item in self.items(kind):
            if item.name == name:
                return item.path
        raise DrgcoreError(
            _(_MISSING[kind]),
            hint=_("Start the server with --data FOLDER for each folder it may look at."),
        )


def _shown(address: str) -> str:
    """Host and database of an address, without user and password.

    Examples
    --------
    >>> _shown("postgresql://bureau:secret@db.local:5433/drg?sslmode=require")
    'db.local:5433/drg'
    """
    parts = urlsplit(address)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


def _within(folder: Path) -> Iterator[Item]:
    seen = 0
    for place, folders, files in os.walk(folder):
        # The cases that a ledger keeps are its own; hidden folders are nobody's to look at.
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and not f.endswith(".cases")
        )
        for file in sorted(files):
            path = Path(place, file)
            kind = _kind(path)
            if kind is None or file.startswith((".", "~$")):
                continue
            seen += 1
            if seen > _MOST:
                return
            inner = path.relative_to(folder).as_posix()
            yield Item(f"{folder.resolve().name}/{inner}", path, kind)


def _kind(path: Path) -> Kind | None:
    suffix = path.suffix.lower()
    if suffix in _TABLES:
        return "table"
    if suffix == ".toml":
        return "policy"
    return "ledger" if suffix in _LEDGERS and is_ledger(path) else None
