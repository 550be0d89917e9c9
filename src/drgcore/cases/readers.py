"""Open cases wherever they are: a parquet or text file, a frame, any Arrow stream."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from numbers import Number
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from drgcore.cases.csv_source import CsvSource
from drgcore.cases.source import CaseSource, Kind, select
from drgcore.errors import CaseSchemaError

_MAGIC = b"PAR1"
_PARQUET_SUFFIXES = (".parquet", ".pq")
_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")

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
        A parquet file (.parquet, .pq); a text file (.csv, .tsv, .txt, also with .gz), in UTF-8 or
        GB18030, with commas or tabs, all of whose columns are read as strings; a pandas frame; a
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
        The file is absent, a directory, empty, damaged, of an unknown kind, or repeats a column;
        or a wanted column is not there. Messages name columns and rows, never a value.

    Examples
    --------
    >>> with open_cases({"sex": [1, 2], "age_years": [65, 0]}) as cases:
    ...     cases.num_rows, [batch.num_rows for batch in cases.batches()]
    (2, [2])
    """
    if isinstance(source, str | os.PathLike):
        return _open_file(Path(source), columns, dictionary_columns or (), batch_rows, sheet)
    if isinstance(source, pa.RecordBatchReader):
        return StreamSource(source, columns, batch_rows)
    if isinstance(source, pa.Table):
        return TableSource(source, "arrow", columns, batch_rows)
    if isinstance(source, pa.RecordBatch):
        return TableSource(pa.Table.from_batches([source]), "arrow", columns, batch_rows)
    if isinstance(source, pd.DataFrame):
        names = [str(name) for name in source.columns]
        series = [source.iloc[:, i] for i in range(len(names))]
        return TableSource(_table(names, series), "pandas", columns, batch_rows)
    if hasattr(source, "__arrow_c_stream__"):
        return StreamSource(pa.RecordBatchReader.from_stream(source), columns, batch_rows)
    if hasattr(source, "__arrow_c_array__"):
        table = pa.Table.from_batches([pa.record_batch(source)])
        return TableSource(table, "arrow", columns, batch_rows)
    if isinstance(source, Mapping):
        table = _table([str(name) for name in source], list(source.values()))
        return TableSource(table, "arrow", columns, batch_rows)
    if isinstance(source, list) and all(isinstance(row, Mapping) for row in source):
        names = list(dict.fromkeys(name for row in source for name in row))
        table = _table(names, [[row.get(name) for row in source] for name in names])
        return TableSource(table, "arrow", columns, batch_rows)
    raise CaseSchemaError(
        f"cases cannot be read from {type(source).__name__}",
        hint="Give a path, a frame, an Arrow table or stream, a dict of columns, a list of dicts.",
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
        self._where = str(path)
        _check_magic(path)
        try:
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
        except (pa.ArrowException, OSError):
            raise self._damaged() from None
        self.schema = select(whole, columns, self._where)
        self.num_rows = metadata.num_rows
        self._columns = None if columns is None else list(columns)
        # Arrow cannot give one batch of lists of dictionaries out of two row groups.
        self._nested = any(path not in whole.names for path in dictionaries)

    def close(self) -> None:
        super().close()
        self._file.close()

    def _read(self) -> Iterator[pa.RecordBatch]:
        groups = range(self._file.num_row_groups)
        try:
            for part in [[group] for group in groups] if self._nested else [list(groups)]:
                for batch in self._file.iter_batches(
                    batch_size=self._batch_rows, row_groups=part, columns=self._columns
                ):
                    # iter_batches gives the columns in the order of the file.
                    yield batch.select(self.schema.names) if self._columns else batch
        except (pa.ArrowException, OSError):
            raise self._damaged() from None

    def _damaged(self) -> CaseSchemaError:
        return CaseSchemaError(
            "the parquet file is damaged or truncated",
            where=self._where,
            hint="Copy or write it again.",
        )


class TableSource(CaseSource):
    """A table in memory."""

    def __init__(
        self, table: pa.Table, kind: Kind, columns: Sequence[str] | None, batch_rows: int
    ) -> None:
        super().__init__(batch_rows)
        self.kind = kind
        self.schema = select(table.schema, columns, None)
        self.num_rows = table.num_rows
        self._table = table if columns is None else table.select(list(columns))

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
                "a stream of cases can be read only once",
                hint="Collect it into a table, or open it again.",
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
    if path.is_dir():
        raise CaseSchemaError(
            "this is a directory", where=where, hint="Give the path of one file of cases."
        )
    if not path.exists():
        raise CaseSchemaError("there is no such file", where=where, hint="Check the path.")
    if path.stat().st_size == 0:
        raise CaseSchemaError(
            "the file is empty (0 bytes)", where=where, hint="Write or copy it again."
        )
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    if path.suffix.lower() in _PARQUET_SUFFIXES:
        return ParquetSource(path, columns, dictionary_columns, batch_rows)
    if suffix.lower() in _TEXT_SUFFIXES:
        return CsvSource(path, columns, batch_rows)
    raise CaseSchemaError(
        f"files of the kind {path.suffix or 'without suffix'!r} cannot be read as cases",
        where=where,
        hint=f"Save the cases as one of {', '.join(_PARQUET_SUFFIXES + _TEXT_SUFFIXES)}.",
    )


def _check_magic(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
        file.seek(max(0, path.stat().st_size - len(_MAGIC)))
        tail = file.read()
    if head != _MAGIC:
        raise CaseSchemaError(
            "the file is not parquet",
            where=str(path),
            hint="If it is text, give it the suffix .csv; otherwise write it again.",
        )
    if tail != _MAGIC:
        raise CaseSchemaError(
            "the parquet file is truncated: its end is missing",
            where=str(path),
            hint="Copy or write it again.",
        )


def _stands_for(wanted: str, leaf: str) -> bool:
    # Writers call the leaf of a list list.element, list.item, bag.array_element and more.
    column = wanted.removesuffix(".list.element")
    return leaf == column or leaf.startswith(f"{column}.")


def _table(names: list[str], columns: list[Any]) -> pa.Table:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CaseSchemaError(
            f"column names occur more than once: {', '.join(map(repr, twice))}",
            hint="Rename or remove the repeated columns.",
        )
    arrays = [_array(name, column) for name, column in zip(names, columns, strict=True)]
    if len({len(array) for array in arrays}) > 1:
        raise CaseSchemaError(
            "the columns have different numbers of rows",
            hint="Give every column one value for each case.",
        )
    return pa.table(arrays, names=names)


def _array(name: str, column: Any) -> pa.Array | pa.ChunkedArray:
    try:
        if isinstance(column, pa.Array | pa.ChunkedArray):
            return column
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # Arrow's message quotes the value. Numbers and text in one column, as spreadsheets give
        # them, are text.
        values = [None if _is_nothing(value) else value for value in column]
    if all(value is None or isinstance(value, str | Number | Decimal | date) for value in values):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    raise CaseSchemaError(
        f"column {name!r} holds values of kinds that do not go together",
        hint="Make it a column of text, of numbers, or of lists of text.",
    )


def _is_nothing(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))
