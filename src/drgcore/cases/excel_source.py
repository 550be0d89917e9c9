"""Cases in workbooks: .xlsx, .xls and what else calamine reads, every column as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineWorkbook

from drgcore.cases.damage import damage_as_error
from drgcore.cases.large_sheets import large_sheets, rows_in_pieces
from drgcore.cases.sheet_rows import SheetRows
from drgcore.cases.source import CaseSource, select
from drgcore.errors import CaseSchemaError
from drgcore.language import _

# Opening a large sheet takes most of the time of reading it. One that was opened for its names
# alone is handed to the next reader of the same file, once.
_UNREAD: dict[tuple[object, ...], SheetRows] = {}


class ExcelSource(CaseSource):
    """A sheet of a workbook; all columns are strings.

    Parameters
    ----------
    path : Path
        The workbook.
    columns : sequence of str or None
        The columns wanted; None for all.
    batch_rows : int
        Rows of a batch at most.
    sheet : str, int or None
        The sheet: its name, or its number from 1; None for the first that is not empty.

    Raises
    ------
    CaseSchemaError
        The workbook is damaged or locked, has no such sheet, or names a column twice.
    """

    num_rows = None
    kind = "excel"

    def __init__(
        self,
        path: Path,
        columns: Sequence[str] | None,
        batch_rows: int,
        sheet: str | int | None,
    ) -> None:
        super().__init__(batch_rows, str(path))
        self._path = path
        self._sheet = sheet
        self._opened_as = self._key()
        self._rows: SheetRows | None = _UNREAD.pop(self._opened_as, None) or self._open()
        self.notes = self._rows.notes
        self.schema = select(
            pa.schema([pa.field(name, pa.string()) for name in self._rows.names]),
            columns,
            str(path),
        )
        self._codes: Sequence[str] = ()

    def expect_codes(self, columns: Sequence[str]) -> None:
        self._codes = columns

    def close(self) -> None:
        super().close()
        if self._rows is not None:
            _UNREAD.clear()
            _UNREAD[self._opened_as] = self._rows
        self._rows = None

    def _key(self) -> tuple[object, ...]:
        there = self._path.stat()
        return (str(self._path.absolute()), there.st_mtime_ns, there.st_size, self._sheet)

    def _open(self) -> SheetRows:
        with self._careful():
            book = CalamineWorkbook.from_path(str(self._path))
            names = list(book.sheet_names)
            large = large_sheets(self._path)
        if not names:
            raise CaseSchemaError(_("the workbook has no sheets"), where=str(self._path))
        chosen, rows = self._choose(book, names, large)
        found = SheetRows(rows, _("{path}, sheet {sheet!r}", path=self._path, sheet=chosen))
        if chosen in large:
            found.notes.insert(
                0, _("sheet {chosen!r} is large and is read in pieces", chosen=chosen)
            )
        if len(names) > 1 and self._sheet is None:
            others = [name for name in names if name != chosen]
            found.notes.insert(
                0,
                _(
                    "sheet {chosen!r} is read; the others are {others}",
                    chosen=chosen,
                    others=", ".join(map(repr, others[:5])),
                ),
            )
        return found

    def _careful(self) -> AbstractContextManager[None]:
        return damage_as_error(
            self._path, _("workbook"), _("Open it in Excel and save it again as .xlsx.")
        )

    def _choose(
        self, book: CalamineWorkbook, names: list[str], large: dict[str, str]
    ) -> tuple[str, Iterator[list[Any]]]:
        chosen = self._sheet
        if chosen is None:
            for name in names:
                rows = self._iterate(book, name, large)
                if (first := next(rows, None)) is not None:
                    return name, chain([first], rows)
            return names[0], iter([])
        if chosen not in names and str(chosen).isdigit() and 1 <= int(chosen) <= len(names):
            chosen = names[int(chosen) - 1]
        if chosen not in names:
            raise CaseSchemaError(
                _("there is no sheet {chosen!r}", chosen=chosen),
                where=str(self._path),
                hint=_("The workbook has: {names}", names=", ".join(map(repr, names))),
            )
        return str(chosen), self._iterate(book, str(chosen), large)

    def _iterate(
        self, book: CalamineWorkbook, name: str, large: dict[str, str]
    ) -> Iterator[list[Any]]:
        with self._careful():
            if name in large:
                # Its texts are held by no one while pieces bring their own.
                del book
                yield from rows_in_pieces(self._path, name, large[name])
            else:
                yield from book.get_sheet_by_name(name).iter_rows()

    def _read(self) -> Iterator[pa.RecordBatch]:
        # The sheet that was opened for its header is read once; later readings open it anew.
        rows, self._rows = self._rows or self._open(), None
        # They grow while the rows are read.
        self.notes = rows.notes
        yield from rows.batches(self.schema.names, self._batch_rows, self._codes)
