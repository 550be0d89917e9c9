"""Results as a workbook, written row by row in memory that does not grow."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.workbooks import new_workbook

MAX_ROWS, MAX_COLUMNS, MAX_TEXT = 1_048_576, 16_384, 32_767
"""What a sheet of .xlsx can hold: rows, columns, characters of a cell."""

# A sheet has no days before.
_FIRST_YEAR = 1900


@contextmanager
def xlsx_writer(path: Path, schema: pa.Schema) -> Iterator[XlsxWriter]:
    """Write batches of a schema into the one sheet of a workbook.

    Text is written as text, whatever it begins with, so that no cell becomes a formula; codes keep
    their zeros. Numbers are numbers, days are days; lists are joined by ``|``.

    Parameters
    ----------
    path : Path
        The file.
    schema : pyarrow.Schema
        Of the batches.

    Yields
    ------
    XlsxWriter

    Raises
    ------
    DrgcoreError
        The sheet has no room for that many rows or columns.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "out.xlsx")
    >>> batch = pa.RecordBatch.from_pydict({"drg": ["ES43"], "note": ["=1+1"]})
    >>> with xlsx_writer(path, batch.schema) as writer:
    ...     writer.write(batch)
    >>> path.read_bytes()[:2]
    b'PK'
    """
    if len(schema) > MAX_COLUMNS:
        raise DrgcoreError(
            _("a sheet has no room for {count:,} columns", count=len(schema)),
            hint=_("Write .parquet or .csv, or keep fewer with --columns."),
        )
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    made_by = {
        key.decode(): value.decode()
        for key, value in (schema.metadata or {}).items()
        if key.startswith(b"drgcore.")
    }
    with new_workbook(path, options) as book:
        said = {"comments": "; ".join(f"{k} {v}" for k, v in made_by.items())}
        book.set_properties(said | {"created": dt.datetime(2000, 1, 1)})
        yield XlsxWriter(book, schema)


class XlsxWriter:
    """The sheet that is being written."""

    def __init__(self, book: Any, schema: pa.Schema) -> None:
        self._sheet = book.add_worksheet("cases")
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._sheet.freeze_panes(1, 0)
        for place, name in enumerate(schema.names):
            self._sheet.write_string(0, place, name)
        self._row = 1

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch below those that stand there.

        Raises
        ------
        DrgcoreError
            The sheet is full.
        """
        if self._row + batch.num_rows > MAX_ROWS:
            raise DrgcoreError(
                _("a sheet has no room for more than {max_rows:,} cases", max_rows=MAX_ROWS - 1),
                hint=_("Write .parquet or .csv."),
            )
        try:
            columns = [_cells(column) for column in batch.columns]
        except UnicodeDecodeError:
            raise DrgcoreError(
                _("a text of the cases is no UTF-8, which a workbook cannot hold"),
                hint=_("Write .parquet, or correct the text."),
            ) from None
        for cells in zip(*columns, strict=True):
            for place, cell in enumerate(cells):
                if cell is not None and cell != "":
                    self._cell(place, cell)
            self._row += 1

    def _cell(self, place: int, cell: Any) -> None:
        sheet, row = self._sheet, self._row
        if isinstance(cell, str):
            self._text(place, cell)
        elif isinstance(cell, bool):
            sheet.write_boolean(row, place, cell)
        elif isinstance(cell, int | float | Decimal):
            # A sheet's numbers have 15 digits: a longer one, as an identity number, is text.
            if not math.isfinite(cell) or abs(float(cell)) >= 1e15:
                self._text(place, str(cell))
            else:
                sheet.write_number(row, place, cell)
        elif isinstance(cell, dt.date) and cell.year < _FIRST_YEAR:
            self._text(place, str(cell))
        elif isinstance(cell, dt.datetime):
            sheet.write_datetime(row, place, cell.replace(tzinfo=None), self._time)
        elif isinstance(cell, dt.date):
            sheet.write_datetime(row, place, cell, self._day)
        elif isinstance(cell, list):
            self._text(place, "|".join("" if part is None else str(part) for part in cell))
        else:
            self._text(place, str(cell))

    def _text(self, place: int, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise DrgcoreError(
                _(
                    "a text of row {row} has {count:,} characters; a cell holds {max_text:,}",
                    row=self._row,
                    count=len(text),
                    max_text=MAX_TEXT,
                ),
                hint=_("Write .parquet or .csv, or keep fewer columns with --columns."),
            )
        self._sheet.write_string(self._row, place, text)


def _cells(column: pa.Array) -> list[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        # Python's times end at microseconds, a sheet's earlier.
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        return [_cell(scalar) for scalar in column]


def _cell(scalar: pa.Scalar) -> Any:
    """A value as Python has it; a day or time beyond its calendar as the text that .csv has."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return f"<value out of range: {scalar.value}>"
