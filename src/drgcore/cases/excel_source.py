"""Cases in workbooks: .xlsx, .xls and what else calamine reads, every column as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineWorkbook

from drgcore.cases.sheet_rows import SheetRows
from drgcore.cases.source import CaseSource, select
from drgcore.errors import CaseSchemaError

ZIP_MAGIC, OLE_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""How files of .xlsx and of .xls begin."""


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
        super().__init__(batch_rows)
        self._path = path
        self._sheet = sheet
        self._rows: SheetRows | None = self._open()
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
        self._rows = None

    def _open(self) -> SheetRows:
        with damage_as_error(self._path):
            book = CalamineWorkbook.from_path(str(self._path))
            names = list(book.sheet_names)
        if not names:
            raise CaseSchemaError("the workbook has no sheets", where=str(self._path))
        chosen, rows = self._choose(book, names)
        found = SheetRows(rows, f"{self._path}, sheet {chosen!r}")
        if len(names) > 1 and self._sheet is None:
            others = [name for name in names if name != chosen]
            found.notes.insert(
                0, f"sheet {chosen!r} is read; the others are {', '.join(map(repr, others[:5]))}"
            )
        return found

    def _choose(self, book: CalamineWorkbook, names: list[str]) -> tuple[str, Iterator[list[Any]]]:
        if self._sheet is None:
            for name in names:
                with damage_as_error(self._path):
                    found = book.get_sheet_by_name(name)
                    if found.total_height and found.total_width:
                        return name, self._iterate(found)
            return names[0], iter([])
        chosen = self._sheet
        if chosen not in names and str(chosen).isdigit() and 1 <= int(chosen) <= len(names):
            chosen = names[int(chosen) - 1]
        if chosen not in names:
            raise CaseSchemaError(
                f"there is no sheet {chosen!r}",
                where=str(self._path),
                hint=f"The workbook has: {', '.join(map(repr, names))}",
            )
        with damage_as_error(self._path):
            return str(chosen), self._iterate(book.get_sheet_by_name(str(chosen)))

    def _iterate(self, sheet: Any) -> Iterator[list[Any]]:
        with damage_as_error(self._path):
            yield from sheet.iter_rows()

    def _read(self) -> Iterator[pa.RecordBatch]:
        # The sheet that was opened for its header is read once; later readings open it anew.
        rows, self._rows = self._rows or self._open(), None
        yield from rows.batches(self.schema.names, self._batch_rows, self._codes)
        self.notes = rows.notes


class damage_as_error:
    """Whatever calamine says about a damaged workbook, as one error; its own text quotes cells."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is None or isinstance(error, CaseSchemaError | GeneratorExit | KeyboardInterrupt):
            return
        if type(error).__name__ == "PasswordError":
            raise CaseSchemaError(
                "the workbook is locked with a password",
                where=str(self._path),
                hint="Save it without a password.",
            ) from None
        # A panic of the library is no Exception, only a BaseException.
        raise CaseSchemaError(
            "the workbook is damaged or no workbook",
            where=str(self._path),
            hint="Open it in Excel and save it again as .xlsx.",
        ) from None
