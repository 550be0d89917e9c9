"""Open cases wherever they are: a parquet or text file, a frame, any Arrow stream."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from numbers import Number
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drgcore.cases.arrow_arrays import numpy_of
from drgcore.cases.csv_source import CsvSource
from drgcore.cases.damage import damage_as_error
from drgcore.cases.folder_source import FolderSource
from drgcore.cases.folders import CASE_SUFFIXES, CaseFile, are_several, find_files
from drgcore.cases.frames import is_frame, is_nothing
from drgcore.cases.one_case import one_case
from drgcore.cases.source import CaseSource, Kind, select
from drgcore.errors import CaseSchemaError
from drgcore.language import _

_MAGIC = b"PAR1"
_PARQUET_SUFFIXES = (".parquet", ".pq")
_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
ZIP_MAGIC, OLE_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

# Column chunks are read through a buffer of this size, so that memory does not follow the size of
# a row group.
_BUFFER_BYTES = 1 << 20


def open_cases(
    source: Any,
    *,
    columns: Sequence[str] | None = None,
    dictionary_columns: Sequence[str] | None = None,
    batch_rows: int = 131_072,
    sheet: str | int | None = None,
) -> CaseSource:
    """Open cases for reading in batches.

    Parameters
    ----------
    source : str, path, or object
        A parquet file (.parquet, .pq); a workbook (.xlsx, .xls), a dBase file (.dbf) or a text file
        (.csv, .tsv, .txt, also with .gz), in UTF-8, GB18030 or UTF-16, with commas, tabs, ``;`` or
        ``|``, all of whose columns are read as strings; a folder of such files, a pattern of their
        names, or a list of paths (`find_files`); what this function gave; a pandas frame; a
        pyarrow Table, RecordBatch or RecordBatchReader; anything with the Arrow PyCapsule
        interface (polars, DuckDB); a dict of columns; a list of dicts.
    columns : sequence of str, optional
        The columns to read; all by default.
    dictionary_columns : sequence of str, optional
        Columns, or leaf paths of list columns, that a parquet file's reader returns as
        dictionaries. Other sources return them as they are.
    batch_rows : int
        Cases of a batch at most.
    sheet : str or int, optional
        The sheet of a workbook: its name, or its number from 1. The first that is not empty by
        default.

    Returns
    -------
    CaseSource

    Raises
    ------
    CaseSchemaError
        The file is absent, empty, damaged, of an unknown kind, or repeats a column; a folder has
        none, or files of different columns; or a wanted column is not there. Messages name columns
        and rows, never a value.

    Examples
    --------
    >>> with open_cases({"sex": [1, 2], "age_years": [65, 0]}) as cases:
    ...     cases.num_rows, [batch.num_rows for batch in cases.batches()]
    (2, [2])
    """
    if isinstance(source, CaseSource) and columns is None:
        return source
    if are_several(source) or (isinstance(source, CaseFile) and source.partitions):
        files = (source,) if isinstance(source, CaseFile) else find_files(source).files

        def opener(file: CaseFile, wanted: Sequence[str] | None) -> CaseSource:
            return _open_file(file.path, wanted, dictionary_columns or (), batch_rows, sheet)

        where = source if isinstance(source, str | os.PathLike) else files[0].path
        return FolderSource(files, opener, columns, batch_rows, os.fspath(where))
    if isinstance(source, CaseFile):
        source = source.path
    if isinstance(source, str | os.PathLike):
        return _open_file(Path(source), columns, dictionary_columns or (), batch_rows, sheet)
    if isinstance(source, pa.RecordBatchReader):
        return StreamSource(source, columns, batch_rows)
    if isinstance(source, pa.Table):
        return TableSource(source, "arrow", columns, batch_rows)
    if isinstance(source, pa.RecordBatch):
        return TableSource(pa.Table.from_batches([source]), "arrow", columns, batch_rows)
    if (one := one_case(source)) is not None:
        source = one
    if is_frame(source):
        names = [str(name) for name in source.columns]
        series = [source.iloc[:, i] for i in range(len(names))]
        table, numbers = _table(names, series)
        return TableSource(table, "pandas", columns, batch_rows, numbers)
    if hasattr(source, "__arrow_c_stream__"):
        return StreamSource(pa.RecordBatchReader.from_stream(source), columns, batch_rows)
    if hasattr(source, "__arrow_c_array__"):
        table = pa.Table.from_batches([pa.record_batch(source)])
        return TableSource(table, "arrow", columns, batch_rows)
    if isinstance(source, Mapping):
        table, numbers = _table([str(name) for name in source], list(source.values()))
        return TableSource(table, "arrow", columns, batch_rows, numbers)
    if isinstance(source, list) and all(isinstance(row, Mapping) for row in source):
        names = list(dict.fromkeys(name for row in source for name in row))
        table, numbers = _table(names, [[row.get(name) for row in source] for name in names])
        return TableSource(table, "arrow", columns, batch_rows, numbers)
    raise CaseSchemaError(
        _("cases cannot be read from {name}", name=type(source).__name__),
        hint=_(
            "Give a path, a frame, an Arrow table or stream, a dict of columns, a list of dicts."
        ),
    )


class ParquetSource(CaseSource):
    """A parquet file, read piece by piece."""

    kind = "parquet"

    def __init__(
        self,
        path: Path,
        columns: Sequence[str] | None,
        dictionary_columns: Sequence[str],
        batch_rows: int,
    ) -> None:
        super().__init__(batch_rows)
        self._path, self._where = path, str(path)
        _check_magic(path)
        with self._careful():
            metadata = pq.read_metadata(path)
            leaves = [metadata.schema.column(i) for i in range(metadata.num_columns)]
            dictionaries = [
                leaf.path
                for leaf in leaves
                if leaf.physical_type == "BYTE_ARRAY"
                and any(_stands_for(wanted, leaf.path) for wanted in dictionary_columns)
            ]
            self._file = pq.ParquetFile(
                path, metadata=metadata, read_dictionary=dictionaries, buffer_size=_BUFFER_BYTES
            )
            whole = self._file.schema_arrow
            # A name that is no text is found only when it is looked at.
            _other = whole.names
        self.schema = select(whole, columns, self._where)
        self.num_rows = metadata.num_rows
        self._columns = None if columns is None else list(columns)

    def close(self) -> None:
        super().close()
        self._file.close()

    def _read(self) -> Iterator[pa.RecordBatch]:
        with self._careful():
            # One row group after the other: Arrow lets go of what it read of one with its last
            # batch, and cannot give one batch of lists of dictionaries out of two.
            for group in range(self._file.num_row_groups):
                for batch in self._file.iter_batches(
                    batch_size=self._batch_rows, row_groups=[group], columns=self._columns
                ):
                    # iter_batches gives the columns in the order of the file.
                    found = batch.select(self.schema.names) if self._columns else batch
                    for column in found.columns:
                        _validate(column)
                    yield found

    def _careful(self) -> AbstractContextManager[None]:
        return damage_as_error(self._path, _("parquet file"), _("Copy or write it again."))


def _validate(column: pa.Array) -> None:
    """Refuse text that is none and places beyond a dictionary, for which Arrow does not look."""
    if pa.types.is_dictionary(column.type) and len(column) and not column.null_count:
        # As Arrow's own look at each place, and several times as fast.
        places = numpy_of(column.indices)
        if places.min() >= 0 and places.max() < len(column.dictionary):
            column.dictionary.validate(full=True)
            return
    column.validate(full=True)


class TableSource(CaseSource):
    """A table in memory."""

    def __init__(
        self,
        table: pa.Table,
        kind: Kind,
        columns: Sequence[str] | None,
        batch_rows: int,
        numbers: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(batch_rows)
        self.kind = kind
        self.schema = select(table.schema, columns, None)
        self.num_rows = table.num_rows
        self._numbers = numbers or {}
        self._table = table if columns is None else table.select(list(columns))

    def expect_codes(self, columns: Sequence[str]) -> None:
        for name in columns:
            if name in self._numbers:
                raise CaseSchemaError(
                    _(
                        "column {name!r} holds a number where a code belongs, first in "
                        "row {numbers}",
                        name=name,
                        numbers=self._numbers[name],
                    ),
                    hint=_(
                        "Zeros of numbers are lost, 51.2300 becomes 51.23: read the column as text."
                    ),
                )

    def _read(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches()


class StreamSource(CaseSource):
    """An Arrow stream, which can be read once."""

    num_rows = None
    kind = "arrow"

    def __init__(
        self, reader: pa.RecordBatchReader, columns: Sequence[str] | None, batch_rows: int
    ) -> None:
        super().__init__(batch_rows)
        self.schema = select(reader.schema, columns, None)
        self._reader = reader
        self._columns = None if columns is None else list(columns)
        self._was_read = False

    def _read(self) -> Iterator[pa.RecordBatch]:
        if self._was_read:
            raise CaseSchemaError(
                _("a stream of cases can be read only once"),
                hint=_("Collect it into a table, or open it again."),
            )
        self._was_read = True
        for batch in self._reader:
            yield batch if self._columns is None else batch.select(self._columns)


def _open_file(
    path: Path,
    columns: Sequence[str] | None,
    dictionary_columns: Sequence[str],
    batch_rows: int,
    sheet: str | int | None,
) -> CaseSource:
    where = str(path)
    if not path.exists():
        raise CaseSchemaError(_("there is no such file"), where=where, hint=_("Check the path."))
    if path.stat().st_size == 0:
        raise CaseSchemaError(
            _("the file is empty (0 bytes)"), where=where, hint=_("Write or copy it again.")
        )
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    kind = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(512)
    # What a file is called is not what it is: a system's export may be a workbook called .csv.
    if head.startswith(_MAGIC) or kind in _PARQUET_SUFFIXES:
        return ParquetSource(path, columns, dictionary_columns, batch_rows)
    if head.startswith((ZIP_MAGIC, OLE_MAGIC)) or kind == ".xlsx":
        from drgcore.cases.excel_source import ExcelSource

        return ExcelSource(path, columns, batch_rows, sheet)
    if sheet is not None:
        raise CaseSchemaError(
            _("only a workbook has sheets"), where=where, hint=_("Leave --sheet out for this file.")
        )
    if kind == ".dbf":
        from drgcore.cases.dbf_source import DbfSource

        return DbfSource(path, columns, batch_rows)
    if kind == ".xls" and head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise CaseSchemaError(
            _("this is a web page called .xls"),
            where=where,
            hint=_("Open it in Excel and save it as .xlsx."),
        )
    if suffix.lower() in _TEXT_SUFFIXES or kind == ".xls":
        return CsvSource(path, columns, batch_rows)
    raise CaseSchemaError(
        _(
            "files of the kind {suffix!r} cannot be read as cases",
            suffix=path.suffix or _("without suffix"),
        ),
        where=where,
        hint=_("Save the cases as one of {suffixes}.", suffixes=", ".join(CASE_SUFFIXES)),
    )


def _check_magic(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
        file.seek(max(0, path.stat().st_size - len(_MAGIC)))
        tail = file.read()
    if head != _MAGIC:
        raise CaseSchemaError(
            _("the file is not parquet"),
            where=str(path),
            hint=_("If it is text, give it the suffix .csv; otherwise write it again."),
        )
    if tail != _MAGIC:
        raise CaseSchemaError(
            _("the parquet file is truncated: its end is missing"),
            where=str(path),
            hint=_("Copy or write it again."),
        )


def _stands_for(wanted: str, leaf: str) -> bool:
    # Writers call the leaf of a list list.element, list.item, bag.array_element and more.
    column = wanted.removesuffix(".list.element")
    return leaf == column or leaf.startswith(f"{column}.")


def _table(names: list[str], columns: list[Any]) -> tuple[pa.Table, dict[str, int]]:
    """A table of columns, and of columns of text the first row that is a number."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CaseSchemaError(
            _("column names occur more than once: {twice}", twice=", ".join(map(repr, twice))),
            hint=_("Rename or remove the repeated columns."),
        )
    arrays = [_array(name, column) for name, column in zip(names, columns, strict=True)]
    if len({len(array) for array in arrays}) > 1:
        raise CaseSchemaError(
            _("the columns have different numbers of rows"),
            hint=_("Give every column one value for each case."),
        )
    numbers = {}
    for name, array, column in zip(names, arrays, columns, strict=True):
        if array is not column and pa.types.is_string(array.type) and _is_object(column):
            first = next((i for i, value in enumerate(column) if _is_number(value)), None)
            if first is not None:
                numbers[name] = first + 1
    return pa.table(arrays, names=names), numbers


def _is_object(column: Any) -> bool:
    return not hasattr(column, "dtype") or column.dtype == object


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool) and not is_nothing(value)


def _array(name: str, column: Any) -> pa.Array | pa.ChunkedArray:
    try:
        if isinstance(column, pa.Array | pa.ChunkedArray):
            return column
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # Arrow's message quotes the value. Numbers and text in one column, as spreadsheets give
        # them, are text.
        values = [None if is_nothing(value) else value for value in column]
    if all(value is None or isinstance(value, str | Number | Decimal | date) for value in values):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    raise CaseSchemaError(
        _("column {name!r} holds values of kinds that do not go together", name=name),
        hint=_("Make it a column of text, of numbers, or of lists of text."),
    )
