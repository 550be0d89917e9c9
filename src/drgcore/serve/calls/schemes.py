"""Schemes as their workbooks show them, searched, and compared."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from drgcore.errors import SchemeError
from drgcore.grouper.account import code_name
from drgcore.language import _
from drgcore.schemes import Scheme, diff_schemes
from drgcore.schemes.code_search import folded
from drgcore.schemes.model import TABLE_SCHEMAS
from drgcore.serve.calls.library import Library

Sheet = Literal["mdc", "adrg", "drg", "sets", "cc", "exclusions"]
SHEETS: tuple[Sheet, ...] = ("mdc", "adrg", "drg", "sets", "cc", "exclusions")
ROWS = 100
"""Rows of one part of a sheet."""


def scheme_sheet(
    name: str, library: Library, *, sheet: Sheet = "adrg", text: str = "", part: int = 1
) -> dict[str, Any]:
    """A part of a scheme's sheet, of the rows that hold a text.

    Parameters
    ----------
    name : str
        The scheme.
    library : Library
    sheet : str
        The table; `TABLE_SCHEMAS` names its columns.
    text : str
        Only rows that hold it in some cell, whatever its case and width; of a set and of a code its
        name counts too.
    part : int
        Which part of `ROWS` rows, from 1.

    Returns
    -------
    dict
        ``name``, ``title``, ``counts``, ``sheet``, ``columns``, ``rows`` (lists of cells),
        ``found`` (rows in all), ``part``, ``parts``.

    Examples
    --------
    >>> told = scheme_sheet("chs-drg-3.0", Library(), sheet="adrg", text="心脏移植")
    >>> told["rows"][0][:3]
    ['AA3', '心脏移植', 'ZYSS in OP_AA3']
    """
    scheme = library.scheme(name)
    rows = _sheet(scheme, sheet)
    if wanted := folded(text):
        rows = [row for row in rows if any(wanted in folded(str(cell)) for cell in row)]
    parts = _parts(len(rows), part)
    return {
        "name": scheme.name,
        "title": scheme.metadata.get("title", scheme.name),
        "counts": scheme.counts(),
        "sheet": sheet,
        "columns": _columns(sheet),
        "rows": rows[(part - 1) * ROWS : part * ROWS],
        "text": text,
        "found": len(rows),
        "part": part,
        "parts": parts,
    }


def _columns(sheet: Sheet) -> list[str]:
    named = [name for name in TABLE_SCHEMAS[sheet].names if name != "sort"]
    return [*named, "code_name"] if sheet in ("sets", "cc", "exclusions") else named


def _sheet(scheme: Scheme, sheet: Sheet) -> list[list[Any]]:
    table = scheme.tables[sheet]
    if sheet in ("mdc", "adrg", "drg"):
        groups: Any = {"mdc": scheme.mdcs, "adrg": scheme.adrgs, "drg": scheme.drgs}[sheet]
        place = {group.code: i for i, group in enumerate(groups)}
        rows = sorted(table.to_pylist(), key=lambda row: place[row["code"]])
        return [[row[name] for name in _columns(sheet)] for row in rows]
    return [[*row.values(), code_name(row["code"])] for row in table.to_pylist()]


def compare_schemes(
    before: str, after: str, library: Library, *, sheet: Sheet = "adrg", part: int = 1
) -> dict[str, Any]:
    """What differs between two schemes: how much in each table, and one table's changes.

    Parameters
    ----------
    before, after : str
        The schemes.
    library : Library
    sheet : str
        Of which table the changes are given.
    part : int
        Which part of `ROWS` changes, from 1.

    Examples
    --------
    >>> told = compare_schemes("chs-drg-1.1", "suzhou-2023", Library(), sheet="sets")
    >>> told["summary"]["sets"]["changed"], told["changes"][2]["text"]
    (4, '~ OP_FM1 -36.0700')
    """
    diff = diff_schemes(library.scheme(before), library.scheme(after))
    tables: dict[str, tuple[Any, ...]] = {**diff.rows, **diff.members}
    changes = tables[sheet]
    parts = _parts(len(changes), part)
    return {
        "before": before,
        "after": after,
        "summary": diff.summary(),
        "sheet": sheet,
        "changes": [
            {**asdict(change), "text": str(change)}
            for change in changes[(part - 1) * ROWS : part * ROWS]
        ],
        "part": part,
        "parts": parts,
    }


def _parts(rows: int, part: int) -> int:
    parts = max(1, -(-rows // ROWS))
    if not 1 <= part <= parts:
        raise SchemeError(
            _("there are {parts} parts and no part {part}", parts=parts, part=part),
            hint=_("The first is 1."),
        )
    return parts
