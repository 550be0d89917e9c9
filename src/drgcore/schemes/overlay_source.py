"""An overlay as a folder of .csv files that a person can read and write: only what differs.

``base.txt`` names the scheme that it lies on. ``<table>.csv`` holds the rows that are new or
changed, ``<table>.removed.csv`` the keys of the rows that are gone: codes of groups and of
complications, pairs of set and code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from drgcore.errors import SchemeError
from drgcore.language import _
from drgcore.schemes.model import TABLE_SCHEMAS
from drgcore.schemes.overlay import ADD, CHANGE, CHANGE_FIELD, KEYED, REMOVE, lay_on
from drgcore.schemes.source import SourceTables, TableReader, read_sheet

BASE_FILE = "base.txt"
REMOVED = ".removed"


def base_of_source(path: str | Path) -> str | None:
    """The name of the base where `path` is the folder of an overlay, else None.

    Raises
    ------
    SchemeError
        When the file that should name it is empty or no text.
    """
    file = Path(path) / BASE_FILE
    if not file.is_file():
        return None
    try:
        name = file.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SchemeError(
            _("the file cannot be read: {error}", error=error), where=str(file)
        ) from None
    if not name or len(name.split()) != 1:
        raise SchemeError(
            _("the file must hold the name of one scheme, the base of the overlay"), where=str(file)
        )
    return name


def read_overlay_source(path: str | Path, base: Mapping[str, pa.Table]) -> SourceTables:
    """The six whole tables that the folder of an overlay describes.

    Parameters
    ----------
    path : str or Path
        The folder.
    base : mapping of str to pyarrow.Table
        The six tables of its base.

    Returns
    -------
    SourceTables

    Raises
    ------
    SchemeError
        When a file is of no table, cannot be read, or removes what the base does not have.
    """
    path = Path(path)
    reader = TableReader(path)
    parts: dict[str, list[pa.Table]] = {}
    for file in sorted(path.glob("*.[cC][sS][vV]")):
        table, removed = file.stem.removesuffix(REMOVED).lower(), file.stem.endswith(REMOVED)
        if table not in TABLE_SCHEMAS:
            raise SchemeError(
                _(
                    "there is no table {table}; there are {table_schemas}",
                    table=table,
                    table_schemas=", ".join(TABLE_SCHEMAS),
                ),
                where=str(file),
            )
        key = (["code"] if table in KEYED else TABLE_SCHEMAS[table].names) if removed else None
        rows = reader.table(table, read_sheet(file), key)
        mark = pa.array([REMOVE if removed else ADD] * rows.num_rows, pa.string())
        parts.setdefault(table, []).append(rows.append_column(CHANGE, mark))
    reader.raise_problems()
    changes = {}
    for table, schema in TABLE_SCHEMAS.items():
        if table in parts:
            # Keys alone have fewer columns than the table; the empty one has them all.
            whole = [schema.append(CHANGE_FIELD).empty_table(), *parts[table]]
            changes[table] = pa.concat_tables(whole, promote_options="default").combine_chunks()
    try:
        tables = lay_on(base, changes)
    except SchemeError as error:
        raise SchemeError(str(error), where=str(path)) from None
    return SourceTables(path.name, tables, {}, tuple(reader.repairs))
