"""Cases in text files: encoding, delimiter and header found, every column read as text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from drgcore.cases.arrow_arrays import flag_array
from drgcore.cases.csv_rows import FIRST_COLUMNS, CsvRows, of_several_lines, with_wrong_bytes
from drgcore.cases.encodings import BLOCK_BYTES, find_encoding
from drgcore.cases.header import LOOKED_AT, OF_A_CASE, find_layout, rows_as_text
from drgcore.cases.source import CaseSource, select
from drgcore.cases.text_stream import WRONG_BYTES, TextStream
from drgcore.errors import CaseSchemaError
from drgcore.language import _

_HEADER_BYTES = 1 << 20
_DELIMITERS = (",", "\t", ";", "|")

# A row's number is all that is taken from Arrow's messages: they quote the row itself.
_RAGGED = re.compile(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_CASE_CELL = re.compile(OF_A_CASE)
_QUOTED = re.compile(r'"[^"]*"')
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


class CsvSource(CaseSource):
    """A .csv, .tsv or .txt file, also gzipped; all columns are strings.

    Parameters
    ----------
    path : Path
        The file. UTF-8 with or without BOM, GB18030 or UTF-16; commas, tabs, ``;`` or ``|``.
    columns : sequence of str or None
        The columns wanted; None for all.
    batch_rows : int
        Rows of a batch at most.

    Raises
    ------
    CaseSchemaError
        The file is empty or no text, or names a column twice.
    """

    num_rows = None
    kind = "csv"

    def __init__(self, path: Path, columns: Sequence[str] | None, batch_rows: int) -> None:
        super().__init__(batch_rows, str(path))
        self._path = path
        self._where = str(path)
        text: TextStream | None = None
        try:
            with self._open() as stream:
                self._encoding = find_encoding(stream, self._where)
            with TextStream(self._open(), self._encoding) as text:
                start = text.read(_HEADER_BYTES)
        except (OSError, EOFError):
            raise self._nul(text) or self._unreadable(0) from None
        names = self._header(start)
        self._names = names
        # Arrow is given names of its own: those of the file may be empty.
        self._inner = [f"c{place}" for place in range(len(names))]
        whole = pa.schema([pa.field(name, pa.string()) for name in names])
        self.schema = select(whole, columns, self._where)
        self._rows = CsvRows(names, self._rows_above)
        self._tail: bytes | None = None
        self._blank_everywhere: npt.NDArray[np.bool_] | None = None

    def _open(self) -> Any:
        compression = "gzip" if self._is_packed else None
        return pa.input_stream(str(self._path), compression=compression)

    @property
    def _is_packed(self) -> bool:
        return self._path.suffix.lower() == ".gz"

    def _expected(self, done: int) -> int | None:
        # Arrow reads some blocks ahead, so that this is a little low at first.
        if self._is_packed or not self._stream.bytes_read:
            return None
        return max(done, round(done / self._stream.bytes_read * self._path.stat().st_size))

    def _header(self, start: bytes) -> list[str]:
        """Find the names, and where in the decoded file the rows below them begin."""
        text = start.decode("utf-8", errors="ignore")
        marked = text.startswith("\ufeff")
        lines = _LINES.findall(text.removeprefix("\ufeff"))
        # Only a file that has comments is asked about each odd row.
        self._commented = any(line.lstrip().startswith("#") for line in lines)
        self._delimiter = _find_delimiter(lines[:LOOKED_AT])
        reader = csv.reader(iter(lines), delimiter=self._delimiter)
        rows: list[list[str]] = []
        ends: list[int] = []
        try:
            for row in reader:
                # Arrow leaves lines without anything out, and counts no rows for them.
                if row:
                    rows.append(row)
                    ends.append(reader.line_num)
                if len(rows) == LOOKED_AT:
                    break
        except csv.Error:
            # What comes far below may be a quote that is never closed: Arrow finds its row.
            pass
        if not rows:
            raise CaseSchemaError(
                _("the row of column names cannot be read"),
                where=self._where,
                hint=_("Look for a quote that is not closed in the first row."),
            )
        layout = find_layout(rows)
        names = rows[layout.header]
        if any(WRONG_BYTES in name for name in names):
            raise CaseSchemaError(
                _(
                    "row {row}, the column names, holds bytes that are not "
                    "{encoding}, which the rest is",
                    row=layout.header + 1,
                    encoding=self._encoding.upper(),
                ),
                where=self._where,
                hint=_("Save the whole file as UTF-8, or correct the row."),
            )
        # Spreadsheets leave empty columns behind the last one; no mapping can name those.
        twice = sorted({name for name in names if name.strip() and names.count(name) > 1})
        if twice:
            raise CaseSchemaError(
                _("column names occur more than once: {twice}", twice=", ".join(map(repr, twice))),
                where=self._where,
                hint=_("Rename or remove the repeated columns."),
            )
        below = "".join(lines[: ends[layout.first - 1]])
        self._skip = len(below.encode()) + 3 * marked
        self._rows_above = layout.first
        self._layout_notes = layout.notes
        self.notes = list(layout.notes)
        return [name if name.strip() else "" for name in names]

    def _read(self) -> Iterator[pa.RecordBatch]:
        self._rows = CsvRows(self._names, self._rows_above)
        rows = 0
        problem: CaseSchemaError | None = None
        include, kept = self._included()
        stream = self._stream = TextStream(self._open(), self._encoding)
        try:
            for batch in self._parse(stream, include):
                # Without quotes no value has several lines.
                if stream.quoted:
                    self._refuse_swallowed(batch, rows)
                blank = self._rows.blank(batch)
                if blank.any() and len(include) < len(self._names):
                    blank &= self._blank_rows()[rows : rows + batch.num_rows]
                out = self._rows.left_out(batch, blank, rows)
                if stream.wrong_bytes:
                    self._refuse_wrong_bytes(batch, [include[place] for place in kept], ~out, rows)
                rows += batch.num_rows
                filtered = batch.filter(flag_array(~out)) if out.any() else batch
                if filtered.num_rows:
                    yield pa.RecordBatch.from_arrays(
                        [filtered.column(place) for place in kept], schema=self.schema
                    )
            if stream.quoted and len(include) < len(self._names) and stream.newlines > rows:
                # Some value has several lines, in a column that may not have been read.
                self._check_all_columns()
            unread = self._wrong_bytes_unread() if stream.wrong_bytes else []
        # The errors below hold text of the file, which must not reach a log: they are dropped.
        except pa.ArrowException as error:
            problem = self._explain(error, rows)
        except (OSError, EOFError):
            problem = self._nul(stream) or self._unreadable(rows)
        finally:
            stream.close()
        if problem is not None:
            raise problem
        self.notes = [*self._layout_notes, *self._rows.notes(), *unread]

    def _included(self) -> tuple[list[str], list[int]]:
        """Columns that Arrow is to read, and the places of the wanted ones among them."""
        wanted = self.schema.names
        if wanted == self._names:
            return self._inner, list(range(len(wanted)))
        places = [self._names.index(name) for name in wanted]
        # The first columns tell rows of totals; the last one tells an open quote.
        first = range(min(FIRST_COLUMNS, len(self._names)))
        every = list(dict.fromkeys([*places, *first, len(self._names) - 1]))
        return [self._inner[place] for place in every], list(range(len(places)))

    def _parse(self, stream: TextStream, include: list[str]) -> Iterator[pa.RecordBatch]:
        stream.skip(self._skip)
        if not stream.has_more():
            return
        yield from pa_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            # One thread reads as fast, and only then do Arrow's messages number the rows.
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=self._inner
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                invalid_row_handler=self._comment_or_error if self._commented else None,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(self._inner, pa.string()), include_columns=include
            ),
        )

    def _comment_or_error(self, row: Any) -> str:
        """Pass over a line that begins with #; any other of a wrong length is an error."""
        first, *others = row.text.lstrip().split(self._delimiter)
        # A case may have an id that begins with #, and then no words follow it.
        of_a_case = " " not in first.strip() and any(map(_CASE_CELL.match, others))
        if not first.startswith("#") or of_a_case:
            return "error"
        self._rows.pass_over(row.number)
        return "skip"

    def _blank_rows(self) -> npt.NDArray[np.bool_]:
        """Which rows hold nothing in any column, where not all columns are read."""
        if self._blank_everywhere is None:
            with TextStream(self._open(), self._encoding) as stream:
                parts = [CsvRows.blank(batch) for batch in self._parse(stream, self._inner)]
            self._blank_everywhere = np.concatenate(parts)
        return self._blank_everywhere

    def _check_all_columns(self) -> None:
        rows = 0
        with TextStream(self._open(), self._encoding) as stream:
            for batch in self._parse(stream, self._inner):
                self._refuse_swallowed(batch, rows)
                rows += batch.num_rows

    def _refuse_swallowed(self, batch: pa.RecordBatch, before: int) -> None:
        """Refuse a quoted value that holds whole rows: they would be lost without a word."""
        between = len(self._names) - 1
        for name, row, lines in of_several_lines(batch):
            held = any(line.count(self._delimiter) >= max(between, 1) for line in lines[1:])
            # In the last column, a quote that is never closed holds the rest of the file.
            if held or (name == self._inner[-1] and self._ends_open(lines)):
                raise CaseSchemaError(
                    _(
                        "a quote in row {rows} is never closed, or only rows later",
                        rows=self._rows.number(before + row),
                    ),
                    where=self._where,
                    hint=_("Close the quote; the row of column names is counted."),
                )

    def _refuse_wrong_bytes(
        self,
        batch: pa.RecordBatch,
        wanted: Sequence[str],
        cases: npt.NDArray[np.bool_],
        before: int,
    ) -> None:
        for name, wrong in with_wrong_bytes(batch, wanted):
            if (wrong & cases).any():
                row = self._rows.number(before + int(np.flatnonzero(wrong & cases)[0]))
                raise CaseSchemaError(
                    _(
                        "row {row} of column {names!r} holds bytes that are not "
                        "{encoding}, which the rest is",
                        row=row,
                        names=self._names[int(name[1:])],
                        encoding=self._encoding.upper(),
                    ),
                    where=self._where,
                    hint=_("Save the whole file as UTF-8, or correct the row."),
                )

    def _wrong_bytes_unread(self) -> list[str]:
        """Say where in columns that are not read bytes are not of the encoding."""
        unread = [
            inner
            for inner, name in zip(self._inner, self._names, strict=True)
            if name not in self.schema.names
        ]
        found: dict[str, list[int]] = {}
        if not unread:
            return []
        rows = 0
        with TextStream(self._open(), self._encoding) as stream:
            for batch in self._parse(stream, self._inner):
                for name, wrong in with_wrong_bytes(batch, unread):
                    numbers = self._rows.numbers(np.flatnonzero(wrong) + rows)
                    found.setdefault(self._names[int(name[1:])], []).extend(numbers.tolist())
                rows += batch.num_rows
        return [
            _(
                "column {name!r}, which is not read, holds bytes that are not {encoding} in {rows}",
                name=name,
                encoding=self._encoding.upper(),
                rows=rows_as_text(at),
            )
            for name, at in found.items()
        ]

    def _ends_open(self, lines: list[str]) -> bool:
        """Whether the file ends with these lines and no quote behind them."""
        if self._tail is None:
            self._tail = b""
            with TextStream(self._open(), self._encoding) as stream:
                while chunk := stream.read(BLOCK_BYTES):
                    self._tail = (self._tail + chunk).rstrip(b"\r\n")[-4096:]
        if self._tail.endswith(b'"'):
            return False
        end = next((line for line in reversed(lines) if line.strip()), "\0")
        return self._tail.decode("utf-8", "ignore").endswith(end.rstrip("\r")[-64:])

    def _explain(self, error: Exception, rows: int) -> CaseSchemaError | None:
        after = _("after row {row}", row=self._rows.number(rows - 1)) if rows else _("at the start")
        if ragged := _RAGGED.search(str(error)):
            row, expected, found = ragged.groups()
            place = (
                _("row {row}", row=int(row) + self._rows_above)
                if row
                else _("a row {after}", after=after)
            )
            return CaseSchemaError(
                _(
                    "{place} has {found} values where the row of column names has {expected}",
                    place=place,
                    found=found,
                    expected=expected,
                ),
                where=self._where,
                hint=(
                    _(
                        "Quote values that contain the delimiter. The row of column "
                        "names is counted; empty rows are not."
                    )
                ),
            )
        return CaseSchemaError(
            _("rows {after} cannot be read", after=after),
            where=self._where,
            hint=_("Look for a quote that is not closed."),
        )

    def _nul(self, stream: TextStream | None) -> CaseSchemaError | None:
        if stream is None or stream.nul_line is None:
            return None
        return CaseSchemaError(
            _("line {line} holds a byte 0, which no text does", line=stream.nul_line),
            where=self._where,
            hint=_("Export the file again as CSV in UTF-8, or correct the line."),
        )

    def _unreadable(self, rows: int) -> CaseSchemaError:
        last = self._rows.number(rows - 1) if rows else 0
        beyond = _("the file cannot be read beyond row {last}", last=last)
        return CaseSchemaError(
            beyond if rows else _("the file is unreadable"),
            where=self._where,
            hint=_("Check that it may be read, and that it was copied as a whole."),
        )


def _find_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that stands equally often in most lines, and then most often."""
    best, score = _DELIMITERS[0], (0, 0)
    # What is quoted may hold any of them: 1,000.00 stands in some rows and not in others.
    bare = [_QUOTED.sub("", line) for line in lines if line.strip()]
    for delimiter in _DELIMITERS:
        counts = [line.count(delimiter) for line in bare]
        there = [count for count in counts if count]
        if there:
            usual = max(set(there), key=there.count)
            found = (there.count(usual), usual)
            if found > score:
                best, score = delimiter, found
    return best
