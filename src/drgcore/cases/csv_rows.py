"""Rows of a text file: their numbers, which are no cases, which hold what no case does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.arrow_arrays import filled, flag_array, text_array
from drgcore.cases.header import FOOTER, OF_A_CASE, TOTAL_WORDS, note_of
from drgcore.cases.text import holds_nothing
from drgcore.cases.text_stream import WRONG_BYTES
from drgcore.language import N_

_EMPTY = text_array([""])[0]
_TOTALS = text_array(TOTAL_WORDS)

Flags = npt.NDArray[np.bool_]

FIRST_COLUMNS = 3
"""Columns in which a row of totals names itself."""

_LINE_END = re.compile(b"[\r\n]")


class CsvRows:
    """Rows below the names as Arrow gives them, and their numbers in the file.

    Columns of batches are called c0, c1 and so on by their place in the file.

    Parameters
    ----------
    names : sequence of str
        Of all columns of the file.
    above : int
        Rows above the first case, that of the names among them.

    Examples
    --------
    >>> rows = CsvRows(["id", "cost"], above=1)
    >>> rows.pass_over(1)
    >>> batch = pa.record_batch({"c0": ["7", "合计"], "c1": ["5.2", "5.2"]})
    >>> rows.left_out(batch, rows.blank(batch), 0).tolist()
    [False, True]
    >>> rows.notes()
    ['row 4 of totals or footers left out', 'row 2 of comments left out']
    """

    def __init__(self, names: Sequence[str], above: int) -> None:
        self._names = names
        self._above = above
        self._passed: set[int] = set()
        self._left_out: dict[str, list[int]] = {}

    def pass_over(self, number: int) -> None:
        """Remember a row that Arrow passes over, by Arrow's number for it, from 1."""
        self._passed.add(number)

    def numbers(self, rows: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Numbers in the file of rows of batches, which are counted from 0 over all batches.

        Examples
        --------
        >>> rows = CsvRows(["id"], above=1)
        >>> rows.pass_over(2)
        >>> rows.numbers([0, 1]).tolist()
        [2, 4]
        """
        given = np.asarray(rows, np.int64)
        passed = np.sort(np.fromiter(self._passed, np.int64))
        # As many rows of batches stand before each that was passed over.
        before = np.searchsorted(passed - 1 - np.arange(len(passed)), given, side="right")
        return given + before + self._above + 1

    def number(self, row: int) -> int:
        """The number in the file of one row."""
        return int(self.numbers(row))

    @staticmethod
    def blank(batch: pa.RecordBatch) -> Flags:
        """Which rows hold nothing but blanks in the columns of a batch."""
        blank = np.ones(batch.num_rows, bool)
        for column in batch.columns:
            if not blank.any():
                break
            if not holds_nothing(column):
                cells = pc.utf8_trim_whitespace(column.filter(flag_array(blank)))
                blank[blank] = _flags(pc.equal(cells, _EMPTY))
        return blank

    def left_out(self, batch: pa.RecordBatch, blank: Flags, before: int) -> Flags:
        """Which rows are no cases: empty ones, comments, totals, the column names once more.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            n rows.
        blank : ndarray of bool, shape (n,)
            Which of them hold nothing in any column of the file.
        before : int
            Rows of earlier batches.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        out = np.zeros(batch.num_rows, bool)
        self._leave_out(N_("without any value"), blank, out, before)
        self._leave_out(N_("of comments"), _comments(batch), out, before)
        nothing_before = np.ones(batch.num_rows, bool)
        for name in (f"c{place}" for place in range(FIRST_COLUMNS)):
            if name not in batch.schema.names or not nothing_before.any():
                continue
            cells = pc.utf8_trim_whitespace(batch.column(name))
            total = _flags(pc.is_in(cells, value_set=_TOTALS))
            total |= _flags(pc.match_substring_regex(cells, FOOTER))
            total &= nothing_before
            if total.any():
                total[total] = ~_of_a_case(batch.filter(flag_array(total)))
            self._leave_out(N_("of totals or footers"), total, out, before)
            nothing_before &= _flags(pc.equal(cells, _EMPTY))
        again = np.ones(batch.num_rows, bool)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if not again.any():
                break
            again &= _flags(pc.equal(column, text_array([self._names[int(name[1:])]])[0]))
        self._leave_out(N_("that repeat the column names"), again & ~out, out, before)
        return out

    def _leave_out(self, what: str, rows: Flags, out: Flags, before: int) -> None:
        if rows.any():
            numbers = self.numbers(np.flatnonzero(rows & ~out) + before)
            self._left_out.setdefault(what, []).extend(numbers.tolist())
            out |= rows

    def notes(self) -> list[str]:
        """What was left out, as a reader is told."""
        left_out = dict(self._left_out)
        if self._passed:
            passed = [number + self._above for number in self._passed]
            comments = N_("of comments")
            left_out[comments] = sorted({*left_out.get(comments, []), *passed})
        return [note_of(what, at) for what, at in left_out.items()]


def of_several_lines(batch: pa.RecordBatch) -> list[tuple[str, int, list[str]]]:
    """Values that have several lines: the column, the row of the batch from 0, the lines.

    Examples
    --------
    >>> of_several_lines(pa.record_batch({"c0": ["a", "b\\r\\nc"], "c1": ["d", "e"]}))
    [('c0', 1, ['b', 'c'])]
    """
    found = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        data = column.buffers()[2]
        # Arrow's kernels take longer to start than most columns of a wide export to look through.
        if data is None or not _LINE_END.search(data):
            continue
        suspects = _flags(pc.match_substring_regex(column, "[\r\n]"))
        for row in np.flatnonzero(suspects).tolist():
            text = column[row].as_py().replace("\r\n", "\n").replace("\r", "\n")
            found.append((name, row, text.split("\n")))
    return found


def with_wrong_bytes(batch: pa.RecordBatch, names: Iterable[str]) -> list[tuple[str, Flags]]:
    """Columns with bytes that are not of the file's encoding, and the rows where they stand.

    Examples
    --------
    >>> batch = pa.record_batch({"c0": ["a", "b" + WRONG_BYTES], "c1": ["d", "e"]})
    >>> [(name, rows.tolist()) for name, rows in with_wrong_bytes(batch, ["c0", "c1"])]
    [('c0', [False, True])]
    """
    found = [
        (name, _flags(pc.match_substring(batch.column(name), WRONG_BYTES)))
        for name in dict.fromkeys(names)
        if not holds_nothing(batch.column(name))
    ]
    return [(name, rows) for name, rows in found if rows.any()]


def _comments(batch: pa.RecordBatch) -> Flags:
    """Rows that begin with # and hold nothing else."""
    if "c0" not in batch.schema.names:
        return np.zeros(batch.num_rows, bool)
    found = _flags(pc.match_substring_regex(batch.column("c0"), r"^\s*#."))
    for name in batch.schema.names:
        if name != "c0" and found.any():
            found &= _flags(pc.equal(batch.column(name), _EMPTY))
    return found


def _of_a_case(batch: pa.RecordBatch) -> Flags:
    """Rows that hold a diagnosis or a group: cases, though their id may be a word for totals."""
    found = np.zeros(batch.num_rows, bool)
    for column in batch.columns:
        found |= _flags(pc.match_substring_regex(column, OF_A_CASE))
    return found


def _flags(values: pa.Array) -> Flags:
    return filled(values, False)
