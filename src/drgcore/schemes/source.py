"""Reading a scheme's six tables from an official workbook or from a folder of the same tables."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from drgcore.errors import RuleSyntaxError, SchemeError
from drgcore.language import _
from drgcore.schemes import cells
from drgcore.schemes.cells import CellError, Repair, RepairKind
from drgcore.schemes.model import TABLE_SCHEMAS
from drgcore.schemes.parser import parse_rule
from drgcore.schemes.workbook import Sheet, read_workbook

SHEETS: Mapping[str, tuple[str, ...]] = {
    "mdc": ("MDC",),
    "adrg": ("ADRG",),
    "drg": ("DRG",),
    "sets": ("集合", "SETS"),
    "cc": ("CC",),
    "exclusions": ("排除表", "EXCLUSIONS"),
}
"""Table → the names of its sheet, or of its .csv file; a longer name that holds one will do."""

HEADERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "mdc": {
        "code": ("MDC编码", "MDC代码", "CODE", "MDC"),
        "name": ("MDC名称", "NAME"),
        "rule": ("MDC规则", "规则", "RULE"),
        "sort": ("排序", "MDC排序", "SORT"),
    },
    "adrg": {
        "code": ("ADRG编码", "ADRG代码", "CODE", "ADRG"),
        "name": ("ADRG名称", "NAME"),
        "rule": ("ADRG规则", "规则", "RULE"),
        "mdc": ("所属MDC编码", "所属MDC", "MDC编码", "MDC"),
        "sort": ("MDC内排序", "排序", "ADRG排序", "SORT"),
    },
    "drg": {
        "code": ("DRG编码", "DRG", "DRG代码", "DRGS编码", "CODE"),
        "name": ("DRG名称", "DRGS名称", "NAME"),
        "rule": ("DRG规则", "规则", "RULE"),
        "adrg": ("所属ADRG编码", "所属ADRG", "ADRG编码", "ADRG"),
        "mdc": ("所属MDC编码", "所属MDC", "MDC编码", "MDC"),
        "sort": ("排序", "ADRG内排序", "DRG排序", "SORT"),
    },
    "sets": {
        "set_id": ("集合编号", "集合编码", "集合", "SET_ID"),
        "code": ("ICD编码", "ICD代码", "编码", "CODE"),
    },
    "cc": {
        "code": ("疾病编码", "ICD编码", "诊断编码", "CODE"),
        "exclusion": ("排除表", "排除表编号", "排除表编码", "EXCLUSION"),
        "type": ("类型", "CC类型", "并发症类型", "TYPE"),
    },
    "exclusions": {
        "set_id": ("排除表编号", "排除表编码", "集合编号", "集合编码", "排除表", "SET_ID"),
        "code": ("ICD编码", "疾病编码", "诊断编码", "编码", "CODE"),
    },
}
"""Table → column → accepted headers, the likeliest first; compared by `cells.header`."""

_OPTIONAL = {("mdc", "name"), ("adrg", "name"), ("drg", "name"), ("mdc", "sort")}
_MAY_BE_EMPTY = {"name", "rule", "exclusion"}
_Reading = Callable[[object, cells.Note], str | int]
_READ: Mapping[str, _Reading] = {
    "name": cells.text,
    "rule": cells.rule,
    "sort": cells.sort,
}
_HEADER_ROWS = 20  # the header stands in the first row or two; titles and notes may come before
_SHOWN = 20


@dataclass(frozen=True)
class SourceTables:
    """What a source says: six clean tables, and what it took to make them clean.

    Parameters
    ----------
    origin : str
        File or folder name of the source.
    tables : mapping of str to pyarrow.Table
        The six tables of `TABLE_SCHEMAS`, in the order of the source, repeated rows once.
    source_rows : mapping of str to int
        Rows that each table has in the source, with its repeats.
    repairs : tuple of Repair
        Everything that was put right.
    """

    origin: str
    tables: Mapping[str, pa.Table] = field(repr=False)
    source_rows: Mapping[str, int]
    repairs: tuple[Repair, ...] = field(default=(), repr=False)

    def repairs_by_kind(self) -> dict[str, int]:
        """How many repairs of each kind were made, by sheet and kind."""
        counted: dict[str, int] = {}
        for repair in self.repairs:
            key = f"{repair.sheet}: {repair.kind}"
            counted[key] = counted.get(key, 0) + 1
        return dict(sorted(counted.items()))


def read_source(path: str | Path) -> SourceTables:
    """Read the six tables of a scheme from an official workbook or a folder of .csv files.

    Parameters
    ----------
    path : str or Path
        The configuration workbook (分组方案配置信息, .xlsx), or a folder with one .csv file for
        each of its sheets. Columns are found by their headers, wherever the header row stands.

    Returns
    -------
    SourceTables
        Clean tables and the repairs made.

    Raises
    ------
    SchemeError
        Naming file, sheet, row and column of everything that has no single reading.

    Examples
    --------
    >>> read_source("no-such-file.xlsx")
    Traceback (most recent call last):
    drgcore.errors.SchemeError: no-such-file.xlsx: there is no such file or folder
    """
    path = Path(path)
    if path.is_dir():
        sheets = [read_sheet(file) for file in sorted(path.glob("*.[cC][sS][vV]"))]
        if not sheets:
            raise SchemeError(_("the folder holds no .csv files"), where=str(path))
    elif path.exists():
        sheets = read_workbook(path)
    else:
        raise SchemeError(_("there is no such file or folder"), where=str(path))
    reader = TableReader(path)
    chosen = _choose_sheets(sheets, path)
    tables = {table: reader.table(table, chosen[table]) for table in TABLE_SCHEMAS}
    reader.raise_problems()
    return SourceTables(path.name, tables, reader.source_rows, tuple(reader.repairs))


def read_sheet(path: Path) -> Sheet:
    """A .csv file as a sheet of the name of its stem."""
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            content = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SchemeError(_("the file is neither UTF-8 nor GB18030 text"), where=str(path))
    try:
        return Sheet(path.stem, list(csv.reader(io.StringIO(content, newline=""))))
    except csv.Error as error:
        raise SchemeError(
            _("the file is no table of comma-separated values: {error}", error=error),
            where=str(path),
        ) from None


def _choose_sheets(sheets: Sequence[Sheet], path: Path) -> dict[str, Sheet]:
    """The sheet of each table: by its very name, else the one sheet whose name holds it."""
    titles = {id(sheet): cells.header(sheet.name) for sheet in sheets}
    exact = {t: [s for s in sheets if titles[id(s)] in names] for t, names in SHEETS.items()}
    left = [s for s in sheets if not any(s in found for found in exact.values())]
    chosen: dict[str, Sheet] = {}
    for table, names in SHEETS.items():
        found = exact[table] or [s for s in left if table in _named_in(titles[id(s)])]
        if len(found) > 1:
            raise SchemeError(
                _(
                    "sheets {found} could all be {names}",
                    found=", ".join(s.name for s in found),
                    names=names[0],
                ),
                where=str(path),
                hint=_("Name the right one {names} and the others otherwise.", names=names[0]),
            )
        if not found:
            raise SchemeError(
                _(
                    "there is no sheet {names}; there are {sheets}",
                    names=names[0],
                    sheets=", ".join(s.name for s in sheets) or _("none"),
                ),
                where=str(path),
            )
        chosen[table] = found[0]
    return chosen


def _named_in(title: str) -> set[str]:
    """The tables that a sheet's name speaks of; `CC排除表` is the exclusion tables of the CC."""
    found = {
        table
        for table, names in SHEETS.items()
        # ADRG holds DRG, and MCC holds CC, but neither speaks of it.
        if any(re.search(rf"(?<![A-Z]){n}(?![A-Z])" if n.isascii() else n, title) for n in names)
    }
    return found - {"cc", "sets"} if "exclusions" in found else found


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table in its sheet."""

    name: str
    place: int
    title: str
    read: _Reading
    clean: dict[str, str | int]  # texts that need no repair; codes recur by the thousand


class TableReader:
    """Collects tables, repairs and problems of one source."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.repairs: list[Repair] = []
        self.source_rows: dict[str, int] = {}
        self._problems: list[SchemeError] = []

    def raise_problems(self) -> None:
        if len(self._problems) == 1:
            raise self._problems[0]
        if self._problems:
            shown = [str(problem) for problem in self._problems[:_SHOWN]]
            if len(self._problems) > _SHOWN:
                shown.append(_("… and {count} more", count=len(self._problems) - _SHOWN))
            raise SchemeError(
                _("problems: {count}\n{shown}", count=len(self._problems), shown="\n".join(shown)),
                where=str(self._path),
            )

    def table(self, table: str, sheet: Sheet, only: Sequence[str] | None = None) -> pa.Table:
        """The clean table of a sheet, or of its columns `only`; problems are kept for later."""
        header_row, columns = self._locate(table, sheet, only)
        names = [column.name for column in columns]
        keyed = "rule" in names
        rows: list[tuple[str | int, ...]] = []
        first: dict[object, int] = {}
        self.source_rows[table] = 0
        for number, row in self._rows(sheet, header_row, columns):
            self.source_rows[table] += 1
            key = row[0] if keyed else row
            if key not in first:
                first[key] = number
                rows.append(row)
                if keyed:
                    self._check_rule(sheet, number, str(row[0]), str(row[names.index("rule")]))
            elif keyed:
                self._problem(
                    sheet,
                    number,
                    _("group {key} stands in row {first} already", key=key, first=first[key]),
                )
            else:
                text, kept = " ".join(map(str, row)), f"row {first[key]}"
                self._note(sheet, number, names[0], RepairKind.REPEATED_ROW, text, kept)
        if not self.source_rows[table] and not self._problems:
            self._problem(sheet, header_row, _("there is nothing below the header"))
        schema = TABLE_SCHEMAS[table] if only is None else _part(TABLE_SCHEMAS[table], only)
        data: dict[str, list[object]] = {n: [r[i] for r in rows] for i, n in enumerate(names)}
        if "sort" in schema.names and "sort" not in names:
            data["sort"] = list(range(1, len(rows) + 1))
            self._note(sheet, header_row, "sort", RepairKind.SORT_FROM_ORDER, "", "1, 2, 3 …")
        return pa.table({n: data.get(n, [""] * len(rows)) for n in schema.names}, schema=schema)

    def _locate(
        self, table: str, sheet: Sheet, only: Sequence[str] | None
    ) -> tuple[int, list[_Column]]:
        """The number of the header row, and the columns below it."""
        titles = [[cells.header(v) for v in row] for row in sheet.rows[:_HEADER_ROWS]] or [[]]
        found = [_match_headers(table, row) for row in titles]
        index = max(range(len(found)), key=lambda i: len(found[i]))
        places, there = found[index], titles[index]
        if only is not None:
            places = {name: title for name, title in places.items() if name in only}
        asked_for = [c for c in HEADERS[table] if (table, c) not in _OPTIONAL]
        missing = [c for c in (asked_for if only is None else only) if c not in places]
        if missing:
            wanted = HEADERS[table][missing[0]][0]
            near = difflib.get_close_matches(wanted, filter(None, there), n=3, cutoff=0.3)
            listed = ", ".join(near or list(filter(None, there))[:8]) or "none"
            asked = "; ".join(" or ".join(HEADERS[table][c][:2]) for c in missing)
            raise self._error(
                sheet,
                index + 1,
                _("there is no column {asked}; nearest: {listed}", asked=asked, listed=listed),
            )
        for title in places.values():
            if there.count(title) > 1:
                raise self._error(sheet, index + 1, _("there are two columns {title}", title=title))
        if len(set(places.values())) < len(places):
            both = ", ".join(f"{name}: {title}" for name, title in places.items())
            raise self._error(
                sheet, index + 1, _("one column would be two things ({both})", both=both)
            )
        return index + 1, [
            _Column(name, there.index(places[name]), places[name], _reading(table, name), {})
            for name in TABLE_SCHEMAS[table].names
            if name in places
        ]

    def _rows(
        self, sheet: Sheet, header_row: int, columns: Sequence[_Column]
    ) -> Iterator[tuple[int, tuple[str | int, ...]]]:
        """The readable rows below the header; a run of blank rows is one repair."""
        blank = 0
        for number, raw in enumerate(sheet.rows[header_row:], start=header_row + 1):
            values = [raw[c.place] if c.place < len(raw) else None for c in columns]
            if all(map(cells.is_blank, values)):
                blank += 1
                continue
            self._note_blank(sheet, number, blank)
            blank = 0
            row = [self._cell(sheet, number, *pair) for pair in zip(columns, values, strict=True)]
            if None not in row:
                yield number, tuple(value for value in row if value is not None)
        self._note_blank(sheet, len(sheet.rows) + 1, blank)

    def _cell(self, sheet: Sheet, row: int, column: _Column, value: object) -> str | int | None:
        if isinstance(value, str) and value in column.clean:
            return column.clean[value]
        made: list[tuple[RepairKind, str, str]] = []
        try:
            if column.name not in _MAY_BE_EMPTY and cells.is_blank(value):
                raise CellError(_("the cell is empty"))
            result = column.read(value, lambda *repair: made.append(repair))
        except CellError as error:
            self._problem(sheet, row, str(error), column=column.title)
            return None
        if made:
            for repair in made:
                self._note(sheet, row, column.title, *repair)
        elif isinstance(value, str):
            column.clean[value] = result
        return result

    def _check_rule(self, sheet: Sheet, row: int, group: str, rule: str) -> None:
        try:
            parse_rule(rule, where=f"{self._at(sheet, row)}, {group}")
        except RuleSyntaxError as error:
            self._problems.append(error)

    def _note_blank(self, sheet: Sheet, end: int, count: int) -> None:
        if count:
            self._note(sheet, end - count, "", RepairKind.BLANK_ROWS, str(count), "")

    def _note(
        self, sheet: Sheet, row: int, column: str, kind: RepairKind, before: str, after: str
    ) -> None:
        self.repairs.append(Repair(sheet.name, row, column, kind, before, after))

    def _problem(self, sheet: Sheet, row: int, message: str, column: str = "") -> None:
        self._problems.append(self._error(sheet, row, message, column))

    def _error(self, sheet: Sheet, row: int, message: str, column: str = "") -> SchemeError:
        where = self._at(sheet, row) + (_(", column {name}", name=column) if column else "")
        return SchemeError(message, where=where)

    def _at(self, sheet: Sheet, row: int) -> str:
        return f"{self._path}, sheet {sheet.name}, row {row}"


def _part(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in names])


def _match_headers(table: str, titles: Sequence[str]) -> dict[str, str]:
    """Column → its header among `titles`, the likeliest of the accepted ones."""
    places = {}
    for column, accepted in HEADERS[table].items():
        title = next((name for name in accepted if name in titles), None)
        if title is not None:
            places[column] = title
    return places


def _reading(table: str, column: str) -> _Reading:
    if column == "code" and table in ("sets", "cc", "exclusions"):
        return cells.icd
    return _READ.get(column, cells.label)
