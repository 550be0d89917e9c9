"""A scheme as files that people edit: the official sheets as .csv or as one workbook."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from drgcore.errors import SchemeError
from drgcore.files import whole_file
from drgcore.language import _
from drgcore.schemes.model import TABLE_SCHEMAS, Scheme
from drgcore.schemes.overlay import CHANGE, KEYED, REMOVE, cut_overlay
from drgcore.schemes.overlay_source import BASE_FILE, REMOVED
from drgcore.schemes.source import HEADERS, SHEETS
from drgcore.schemes.store import find_base, load_dictionary, load_scheme
from drgcore.workbooks import new_workbook

_NAMED = {"sets": "ICD名称", "cc": "疾病名称", "exclusions": "ICD名称"}
"""Tables of codes → the column that says what a code means; grouping does not read it."""

Row = Sequence[str | int]


def export_scheme(scheme: Scheme, target: str | Path, *, changes: bool = False) -> tuple[Path, ...]:
    """Write a scheme in the official shape, so that a local version can start from it.

    Parameters
    ----------
    scheme : Scheme
        The scheme.
    target : str or Path
        A name that ends in .xlsx for the workbook (needs XlsxWriter); else a folder, new or empty,
        for one .csv file a sheet, in UTF-8 with a byte order mark, as spreadsheets expect.
    changes : bool, default False
        Of an overlay, write only what differs from its base: ``base.txt``, the rows that are new
        or changed, and in ``<table>.removed.csv`` the keys of those that are gone.

    Returns
    -------
    tuple of Path
        The files. `compile_scheme` makes the same six tables of them, in whatever order of rows;
        rows that the official workbook repeats stand there once.

    Raises
    ------
    SchemeError
        When the folder holds files already, or `changes` is asked of a scheme without a base.
    DrgcoreError
        When a file cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from drgcore.schemes import compile_scheme
    >>> scheme, out = load_scheme("chs-drg-1.0r"), Path(mkdtemp())
    >>> files = export_scheme(scheme, out / "sheets")
    >>> [file.name for file in files]
    ['mdc.csv', 'adrg.csv', 'drg.csv', 'sets.csv', 'cc.csv', 'exclusions.csv']
    >>> again = compile_scheme(out / "sheets", out, name="city")
    >>> again.digest == scheme.metadata["digest"]
    True
    """
    target = Path(target)
    is_workbook = target.suffix.lower() == ".xlsx"
    if changes and is_workbook:
        raise SchemeError(
            _("what differs from a base is written as a folder of .csv files, not as a workbook"),
            where=str(target),
        )
    parts = dict(_changes(scheme)) if changes else dict(_whole(scheme))
    if is_workbook:
        _write_workbook(parts, target)
        return (target,)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise SchemeError(
            _("there are files already"),
            where=str(target),
            hint=_("Name a new or an empty folder."),
        )
    target.mkdir(parents=True, exist_ok=True)
    files = []
    for name, rows in parts.items():
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        files.append(target / f"{name}.csv")
        with whole_file(files[-1]) as part:
            part.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
    if changes:
        files.append(target / BASE_FILE)
        with whole_file(files[-1]) as part:
            part.write_text(scheme.metadata["base"] + "\n", encoding="utf-8")
    return tuple(files)


def _whole(scheme: Scheme) -> Iterator[tuple[str, list[Row]]]:
    """Table → header and rows, groups in the order in which they are tried."""
    names = _names()
    order = {
        "mdc": [mdc.code for mdc in scheme.mdcs],
        "adrg": [adrg.code for adrg in scheme.adrgs],
        "drg": [drg.code for drg in scheme.drgs],
    }
    places = {level: {c: place for place, c in enumerate(codes)} for level, codes in order.items()}
    for table in TABLE_SCHEMAS:
        rows = scheme.tables[table].to_pylist()
        if table in places:
            rows.sort(key=lambda row, place=places[table]: place[row["code"]])
        yield table, _sheet(table, rows, names)


def _changes(scheme: Scheme) -> Iterator[tuple[str, list[Row]]]:
    base = scheme.metadata.get("base")
    if base is None:
        raise SchemeError(
            _(
                "{name} is no overlay: there is no base from which it could differ",
                name=scheme.name,
            ),
            hint=_("Without changes the whole scheme is written."),
        )
    names = _names()
    below = load_scheme(find_base(base, Path()))
    for table, marked in cut_overlay(scheme.tables, below.tables).items():
        rows = marked.to_pylist()
        added = [row for row in rows if row[CHANGE] != REMOVE]
        gone = [row for row in rows if row[CHANGE] == REMOVE]
        key = ["code"] if table in KEYED else TABLE_SCHEMAS[table].names
        if added:
            yield table, _sheet(table, added, names)
        if gone:
            yield table + REMOVED, _sheet(table, gone, names, key)


def _sheet(
    table: str,
    rows: Sequence[Mapping[str, str | int]],
    names: Mapping[str, str],
    columns: Sequence[str] | None = None,
) -> list[Row]:
    """The official headers, then the rows; codes with what they mean."""
    columns = columns or TABLE_SCHEMAS[table].names
    header = [HEADERS[table][column][0] for column in columns]
    cells = [[row[column] for column in columns] for row in rows]
    if table in _NAMED:
        after = list(columns).index("code") + 1
        header.insert(after, _NAMED[table])
        for row, line in zip(rows, cells, strict=True):
            line.insert(after, names.get(str(row["code"]), ""))
    return [header, *cells]


def _names() -> dict[str, str]:
    tables: list[pa.Table] = [load_dictionary("diagnoses"), load_dictionary("procedures")]
    return {
        code: name
        for table in tables
        for code, name in zip(table["code"].to_pylist(), table["name"].to_pylist(), strict=True)
    }


def _write_workbook(parts: Mapping[str, list[Row]], path: Path) -> None:
    content = io.BytesIO()
    with new_workbook(content, {"constant_memory": True}) as book:
        # The same scheme gives the same file, so the time of writing is not in it.
        book.set_properties({"created": datetime(2026, 1, 1)})
        text = book.add_format({"num_format": "@"})
        bold = book.add_format({"bold": True})
        for table, rows in parts.items():
            sheet = book.add_worksheet(SHEETS[table][0])
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, int):
                        sheet.write_number(number, column, value)
                    elif value:
                        # As text: a spreadsheet would make a number of 01.0900.
                        sheet.write_string(number, column, value, text if number else bold)
    with whole_file(path) as part:
        part.write_bytes(content.getvalue())
