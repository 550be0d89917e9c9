"""Cases in text files: encoding and delimiter found, every column read as text."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from drgcore.cases.source import CaseSource, select
from drgcore.errors import CaseSchemaError

_BLOCK_BYTES = 4 << 20
_HEADER_BYTES = 1 << 20

# Text in GB18030 does not look like UTF-8 for thousands of characters by chance.
_CONVINCING_BYTES = 8192

# A row's number is all that is taken from Arrow's messages: they quote the row itself.
_RAGGED = re.compile(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")


class CsvSource(CaseSource):
    """A .csv, .tsv or .txt file, also gzipped; all columns are strings.

    Parameters
    ----------
    path : Path
        The file. UTF-8 with or without BOM, else GB18030; commas or tabs.
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
        super().__init__(batch_rows)
        self._path = path
        self._where = str(path)
        try:
            with self._open() as stream:
                self._encoding = self._find_encoding(stream)
            with self._open() as stream:
                start: bytes = stream.read(_HEADER_BYTES)
        except OSError as error:
            raise self._unreadable(0) from error
        names, self._delimiter = self._header(start)
        self._names = names
        whole = pa.schema([pa.field(name, pa.string()) for name in names])
        self.schema = select(whole, columns, self._where)

    def _open(self) -> Any:
        compression = "gzip" if self._path.suffix.lower() == ".gz" else None
        return pa.input_stream(str(self._path), compression=compression)

    def _find_encoding(self, stream: Any) -> str:
        """UTF-8 if the file is, as far as is needed to be sure; else GB18030."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        first = chunk = stream.read(_BLOCK_BYTES)
        if not first.removeprefix(codecs.BOM_UTF8).strip():
            raise CaseSchemaError(
                "the file is empty",
                where=self._where,
                hint="A file of cases starts with a row of column names.",
            )
        if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in first:
            raise CaseSchemaError(
                "the file is no text in UTF-8 or GB18030",
                where=self._where,
                hint="Save it as CSV in UTF-8, or as parquet.",
            )
        if first.startswith(codecs.BOM_UTF8):
            return "utf-8"
        beyond_ascii = 0
        try:
            # A file in ASCII is read to its end: its first Chinese character may be its last.
            while chunk and beyond_ascii < _CONVINCING_BYTES:
                beyond_ascii += max(0, len(chunk) - len(decoder.decode(chunk)))
                chunk = stream.read(_BLOCK_BYTES)
            if not chunk:
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
        return "utf-8"

    def _header(self, start: bytes) -> tuple[list[str], str]:
        text = start.decode(self._encoding, errors="ignore").removeprefix("\ufeff")
        text = text.lstrip("\r\n")
        line = text.splitlines()[0]
        delimiter = "\t" if line.count("\t") > line.count(",") else ","
        try:
            names = next(csv.reader(io.StringIO(text, newline=None), delimiter=delimiter))
        except csv.Error:
            raise CaseSchemaError(
                "the row of column names cannot be read",
                where=self._where,
                hint="Look for a quote that is not closed in the first row.",
            ) from None
        # Spreadsheets leave empty columns behind the last one; no mapping can name those.
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            raise CaseSchemaError(
                f"column names occur more than once: {', '.join(map(repr, twice))}",
                where=self._where,
                hint="Rename or remove the repeated columns.",
            )
        return names, delimiter

    def _read(self) -> Iterator[pa.RecordBatch]:
        rows = 0
        end = None
        include, kept, last = self._layout()
        try:
            with self._open() as stream:
                for batch in self._parse(stream, include):
                    yield pa.RecordBatch.from_arrays(
                        [batch.column(place) for place in kept], schema=self.schema
                    )
                    if batch.num_rows:
                        rows += batch.num_rows
                        end = batch.column(last)[-1].as_py()
        # The errors below hold text of the file, which must not reach a log: they are dropped.
        except (pa.ArrowInvalid, UnicodeError) as error:
            problem = self._explain(error, rows)
        except OSError:
            problem = self._unreadable(rows)
        else:
            problem = None
        if problem is None and end is not None and "\n" in end and not self._ends_in_quote():
            # Arrow takes the rest of a file behind an open quote for one value; those rows would
            # be lost without a word.
            problem = CaseSchemaError(
                f"a quote in row {rows + 1} is never closed",
                where=self._where,
                hint="Close the quote; the row of column names is row 1.",
            )
        if problem is not None:
            raise problem

    def _layout(self) -> tuple[list[str], list[int], int]:
        """Columns that Arrow is to read, places of the wanted ones, place of the file's last."""
        names = self._names
        if len(set(names)) < len(names):
            # Columns without a name cannot be asked for by name: all are read.
            wanted = self.schema.names
            every = list(range(len(names)))
            return [], every if wanted == names else [names.index(n) for n in wanted], every[-1]
        # The last column is read in any case, for the check of an open quote.
        include = list(dict.fromkeys([*self.schema.names, names[-1]]))
        return include, list(range(len(self.schema))), include.index(names[-1])

    def _parse(self, stream: Any, include: list[str]) -> Iterator[pa.RecordBatch]:
        reader = pa_csv.open_csv(
            stream,
            # One thread reads as fast, and only then do Arrow's messages number the rows.
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK_BYTES, encoding=self._encoding
            ),
            parse_options=pa_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.string()), include_columns=include
            ),
        )
        yield from reader

    def _ends_in_quote(self) -> bool:
        tail = b""
        with self._open() as stream:
            while chunk := stream.read(_BLOCK_BYTES):
                tail = (tail + chunk).rstrip(b"\r\n")[-1:]
        return tail == b'"'

    def _explain(self, error: Exception, rows: int) -> CaseSchemaError | None:
        text = str(error)
        if "Empty CSV file" in text:
            return None
        after = f"after row {rows + 1}" if rows else "at the start"
        if ragged := _RAGGED.search(text):
            row, expected, found = ragged.groups()
            place = f"row {row}" if row else f"a row {after}"
            return CaseSchemaError(
                f"{place} has {found} values where the row of column names has {expected}",
                where=self._where,
                hint=(
                    "Quote values that contain the delimiter. The row of column names is row 1; "
                    "empty rows are not counted."
                ),
            )
        if isinstance(error, UnicodeError) or "UTF8" in text:
            return CaseSchemaError(
                f"bytes {after} are not {self._encoding.upper()}, which the rest of the file is",
                where=self._where,
                hint="Save the whole file as UTF-8.",
            )
        return CaseSchemaError(
            f"rows {after} cannot be read",
            where=self._where,
            hint="Look for a quote that is not closed.",
        )

    def _unreadable(self, rows: int) -> CaseSchemaError:
        return CaseSchemaError(
            f"the file cannot be read beyond row {rows + 1}" if rows else "the file is unreadable",
            where=self._where,
            hint="Check that it may be read, and that it was copied as a whole.",
        )
