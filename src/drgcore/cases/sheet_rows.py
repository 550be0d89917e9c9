"""Rows of cells, from whatever program, as columns of text; rows that are no cases left out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import pyarrow as pa

from drgcore.cases.header import (
    FOOTER,
    LOOKED_AT,
    OF_A_CASE,
    TOTAL_WORDS,
    Layout,
    find_layout,
    note_of,
)
from drgcore.errors import CaseSchemaError
from drgcore.language import N_, _

Cells = Sequence[Any]

_FOOTER = re.compile(FOOTER)
_OF_A_CASE = re.compile(OF_A_CASE)
_CHUNK_CELLS = 1 << 19
_NUMBERS = (float, int, Decimal)


class SheetRows:
    """Rows of a sheet, cut at its header.

    Parameters
    ----------
    rows : iterable of sequences
        Cells of text, numbers, dates, times, truth values; an empty text or None for nothing.
    where : str
        The file and sheet, for messages.

    Attributes
    ----------
    names : list of str
        Of the columns.
    notes : list of str
        What was left out, complete when all batches were read.

    Raises
    ------
    CaseSchemaError
        The sheet is empty, or names a column twice.

    Examples
    --------
    >>> title, names = ["出院病例", "", ""], ["id", "cost", "day"]
    >>> rows = SheetRows([title, names, [1.0, 2.5, "x"], ["合计"]], "cases.xlsx")
    >>> rows.names, [batch.to_pylist() for batch in rows.batches(["id", "cost"], 10, [])]
    (['id', 'cost', 'day'], [[{'id': '1', 'cost': '2.5'}]])
    >>> rows.notes
    ['row 1 above the column names left out', 'row 4 of totals or footers left out']
    """

    def __init__(self, rows: Iterable[Cells], where: str) -> None:
        self._rows = iter(rows)
        self._where = where
        self._first = list(islice(self._rows, LOOKED_AT))
        texts = [[text_of(cell) or "" for cell in row] for row in self._first]
        if not any(cell.strip() for row in texts for cell in row):
            raise CaseSchemaError(
                _("the sheet is empty"),
                where=where,
                hint=_("Name another sheet with --sheet; cases start with a row of column names."),
            )
        self._layout: Layout = find_layout(texts)
        self.names = [name if name.strip() else "" for name in texts[self._layout.header]]
        twice = sorted({name for name in self.names if name and self.names.count(name) > 1})
        if twice:
            raise CaseSchemaError(
                _("column names occur more than once: {twice}", twice=", ".join(map(repr, twice))),
                where=where,
                hint=_("Rename or remove the repeated columns."),
            )
        self.notes = list(self._layout.notes)

    def batches(
        self, names: Sequence[str], batch_rows: int, codes: Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        """Read the rows below the header as text.

        Parameters
        ----------
        names : sequence of str
            The columns wanted.
        batch_rows : int
            Rows of a batch at most.
        codes : sequence of str
            Columns of codes, in which a number is refused: Excel eats its zeros.

        Yields
        ------
        pyarrow.RecordBatch

        Raises
        ------
        CaseSchemaError
            A number stands where a code belongs.
        """
        width = len(self.names)
        places = [self.names.index(name) for name in names]
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        size = max(1, min(batch_rows, _CHUNK_CELLS // max(width, 1)))
        cases = self._cases(chain(self._first[self._layout.first :], self._rows), width)
        numbers: list[int] = []
        while block := list(islice(cases, size)):
            numbers = [number for number, _ in block]
            columns = list(zip(*(row for _, row in block), strict=True))
            arrays = []
            for name, place in zip(names, places, strict=True):
                column = columns[place]
                if name in codes:
                    self._refuse_numbers(name, column, numbers)
                arrays.append(_array(column))
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _cases(self, rows: Iterable[Cells], width: int) -> Iterator[tuple[int, Cells]]:
        """Rows that are cases, with their numbers in the sheet, all of one width."""
        left_out: dict[str, list[int]] = {}
        header = [name.strip() for name in self.names]
        for number, cells in enumerate(rows, self._layout.first + 1):
            row = cells if len(cells) == width else [*cells, *[""] * (width - len(cells))]
            # A cell beyond the last name would be lost.
            beyond = [cell for cell in row[width:] if cell not in ("", None)]
            if beyond:
                raise CaseSchemaError(
                    _("row {number} has values beyond the last named column", number=number),
                    where=self._where,
                    hint=_("Name all columns, or remove what stands behind them."),
                )
            what = _no_case(row, header)
            if what:
                left_out.setdefault(what, []).append(number)
            else:
                yield number, row[:width]
        self.notes += [note_of(what, at) for what, at in left_out.items()]

    def _refuse_numbers(self, name: str, column: Cells, numbers: Sequence[int]) -> None:
        for number, cell in zip(numbers, column, strict=True):
            if isinstance(cell, _NUMBERS) and not isinstance(cell, bool):
                raise CaseSchemaError(
                    _(
                        "column {name!r} holds a number where a code belongs, first in "
                        "row {number}",
                        name=name,
                        number=number,
                    ),
                    where=self._where,
                    hint=_(
                        "Excel drops zeros of numbers, 51.2300 becomes 51.23: make the "
                        "column text in the source and export it again."
                    ),
                )


def text_of(cell: Any) -> str | None:
    """A cell as text: whole numbers without point, dates as 2027-01-07.

    Examples
    --------
    >>> import datetime
    >>> [text_of(cell) for cell in (45.0, 51.23, datetime.date(2027, 1, 7), True, "x", None)]
    ['45', '51.23', '2027-01-07', 'true', 'x', None]
    """
    if isinstance(cell, str):
        return cell
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def _array(column: Cells) -> pa.Array:
    if column.count("") == len(column):
        return pa.nulls(len(column), pa.string())
    try:
        return pa.array(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([text_of(cell) for cell in column], pa.string())


def _no_case(row: Cells, header: Sequence[str]) -> str:
    first = next((cell for cell in row if cell not in ("", None)), "")
    if not isinstance(first, str):
        return ""
    text = first.strip()
    if not text:
        filled = any(cell.strip() if isinstance(cell, str) else cell is not None for cell in row)
        return "" if filled else N_("without any value")
    if text in TOTAL_WORDS or _FOOTER.match(text):
        of_a_case = any(isinstance(cell, str) and _OF_A_CASE.match(cell) for cell in row)
        return "" if of_a_case else N_("of totals or footers")
    if text in header and all(
        (text_of(c) or "").strip() == n for c, n in zip(row, header, strict=False)
    ):
        return N_("that repeat the column names")
    return ""
