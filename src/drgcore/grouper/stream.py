"""Grouping of files larger than memory: batches in, batches out, a whole file at the end."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.cases.repeated import RepeatedIds
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.files import whole_file
from drgcore.grouper.batch import BATCH_ROWS, in_order, thread_count
from drgcore.grouper.dated import grouper_of
from drgcore.grouper.extras import Extras
from drgcore.grouper.group import kept_columns
from drgcore.grouper.result import check_free, result_fields
from drgcore.grouper.summary import GroupingSummary, SummaryCount
from drgcore.grouper.xlsx_writer import xlsx_writer
from drgcore.language import _
from drgcore.schemes import Scheme
from drgcore.schemes.calendar import SchemeCalendar

Progress = Callable[[int, int | None], None]
"""Called with the rows written so far and, where it is known, the number of all rows."""


def group_file(
    src: str | Path,
    dst: str | Path,
    scheme: str | Path | Scheme | SchemeCalendar = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    columns: Sequence[str] | None = None,
    prefix: str = "",
    clinical_codes: bool = False,
    restore_zeros: bool = False,
    names: bool = False,
    severity_codes: bool = False,
    stamp: bool = False,
    threads: int | None = None,
    batch_rows: int = BATCH_ROWS,
    progress: Progress | None = None,
    sheet: str | int | None = None,
) -> GroupingSummary:
    """Group a file into another, with memory that does not grow with the rows.

    But for 8 bytes a row: a hash of each case's id, by which ids that occur twice are found.

    Parameters
    ----------
    src : str or Path
        A parquet, .xlsx, .xls, .csv, .tsv, .txt or .dbf file, as `open_cases` reads them.
    dst : str or Path
        The file to write, by its ending (``.parquet``, ``.csv``, ``.xlsx``). It is written
        next to its name and renamed when whole; an older file of that name stays until then.
    scheme, mapping, columns, prefix, clinical_codes, restore_zeros, names, severity_codes, stamp, \
    threads
        As for `group`.
    batch_rows : int, default 131072
        Rows read and grouped at a time. The result does not depend on it.
    progress : callable, optional
        Called after every batch with the rows done and the number of all rows (None for CSV).
    sheet : str or int, optional
        The sheet of a workbook: its name, or its number from 1.

    Returns
    -------
    GroupingSummary
        Rows by status and reason; `warnings` where rows repeat an id or have none.

    Raises
    ------
    CaseSchemaError
        When `src` cannot be read as case data.
    DrgcoreError
        When `dst` cannot be written; nothing is left of it.

    Notes
    -----
    The columns kept come out as they came in; the result columns are those of `group`, as strings.

    Examples
    --------
    >>> import drgcore, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> drgcore.write_sample(folder / "cases.parquet", rows=1000, seed=7)
    >>> summary = drgcore.group_file(folder / "cases.parquet", folder / "grouped.parquet")
    >>> summary.rows, sum(summary.statuses.values())
    (1000, 1000)
    """
    source_path, target = Path(src), Path(dst)
    threads = thread_count(threads)
    if target.exists() and source_path.exists() and os.path.samefile(source_path, target):
        raise DrgcoreError(
            _("{target} is the input itself", target=target), hint=_("Name another output file.")
        )
    writer_of = _writer_for(target)
    grouper = grouper_of(
        scheme,
        clinical_codes,
        restore_zeros=restore_zeros,
        extras=Extras(names, severity_codes, stamp),
    )
    counts = SummaryCount()
    with open_cases(source_path, batch_rows=batch_rows, sheet=sheet) as plain:
        keep = kept_columns(plain.schema.names, columns)
        check_free(keep, prefix, "--columns", grouper.result_columns)
        case_mapping = mapping_for(mapping, source_path, sheet=sheet)
        resolved = grouper.resolve(case_mapping, plain.schema)
        schema = _output_schema(plain.schema, keep, prefix, grouper.result_columns)
        schema = schema.with_metadata({**(schema.metadata or {}), **grouper.made_by})
        ids = RepeatedIds(case_mapping, plain.schema)
    needed = list(dict.fromkeys([*keep, *resolved.columns(), *ids.columns]))
    with (
        open_cases(
            source_path,
            columns=needed,
            dictionary_columns=resolved.code_columns(),
            batch_rows=batch_rows,
            sheet=sheet,
        ) as source,
        whole_file(target) as part,
        writer_of(part, schema) as writer,
    ):
        resolved = grouper.resolve(case_mapping, source.schema)
        source.expect_codes(resolved.code_names())
        for batch, rows in in_order(
            lambda b: grouper.group(b, resolved), source.batches(), threads
        ):
            results = grouper.columns(rows)
            arrays = [batch.column(n) for n in keep] + [results[c] for c in grouper.result_columns]
            writer.write(pa.RecordBatch.from_arrays(arrays, names=schema.names))
            grouper.count(counts, rows)
            ids.add(batch)
            if progress is not None:
                progress(counts.rows, source.num_rows)
        notes = tuple(source.notes)
    summary = counts.summary(grouper.name, *grouper.translated(), local=grouper.asks_local)
    return replace(summary, notes=notes, warnings=ids.warnings(), reading=grouper.notes)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as its ending says, whole or not at all: .parquet, .csv or .xlsx."""
    writer_of = _writer_for(path)
    with whole_file(path) as part, writer_of(part, table.schema) as writer:
        for batch in table.combine_chunks().to_batches(max_chunksize=BATCH_ROWS):
            writer.write(batch)


def _output_schema(
    schema: pa.Schema, keep: Sequence[str], prefix: str, results: Sequence[str]
) -> pa.Schema:
    """The kept columns as they came in, then the results as strings."""
    fields = [schema.field(n) for n in keep]
    fields += result_fields(prefix, results)
    return pa.schema(fields, schema.metadata)


class _Writer(Protocol):
    def write(self, batch: pa.RecordBatch) -> None: ...


@contextmanager
def _parquet_writer(path: Path, schema: pa.Schema) -> Iterator[_Writer]:
    writer = _ParquetWriter(path, schema)
    try:
        yield writer
    finally:
        writer.close()


class _ParquetWriter:
    """Writes batches whose strings are dictionaries as the plain strings that `schema` says.

    Codes are read and written as dictionaries, because that spares hashing every string twice.
    Readers of the file shall get the types that came in all the same, so the Arrow schema that
    parquet files carry is written here and not taken from the batches.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        writer = self._writer or self._open(batch.schema)
        writer.write_table(pa.Table.from_batches([batch], self._physical))

    def _open(self, physical: pa.Schema) -> pq.ParquetWriter:
        self._physical = physical
        self._writer = pq.ParquetWriter(self._path, physical, store_schema=False)
        arrow_schema = base64.b64encode(self._schema.serialize().to_pybytes())
        self._writer.add_key_value_metadata(
            {**(self._schema.metadata or {}), b"ARROW:schema": arrow_schema}
        )
        return self._writer

    def close(self) -> None:
        writer = self._writer or self._open(self._schema)
        writer.close()


@contextmanager
def _csv_writer(path: Path, schema: pa.Schema) -> Iterator[_Writer]:
    wrong = [field.name for field in schema if not _fits_csv(field.type)]
    if wrong:
        raise CaseSchemaError(
            _("CSV cannot hold the columns {wrong}", wrong=", ".join(map(repr, wrong))),
            hint=_("Write parquet, or keep other columns only."),
        )
    # With a byte order mark, so that Excel takes the file for UTF-8.
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        flat = pa.schema([pa.field(f.name, _flat_type(f.type)) for f in schema])
        with pa_csv.CSVWriter(file, flat) as writer:
            yield _CsvWriter(writer, flat)


class _CsvWriter:
    """Writes batches as text; lists joined by `|`, as the canonical mapping reads them."""

    def __init__(self, writer: pa_csv.CSVWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema

    def write(self, batch: pa.RecordBatch) -> None:
        columns = [_flat(batch.column(i)).cast(field.type) for i, field in enumerate(self._schema)]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _flat_type(kind: pa.DataType) -> pa.DataType:
    if _is_list(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _flat(column: pa.Array) -> pa.Array:
    if not _is_list(column.type):
        return column
    lists = column.cast(pa.list_(pa.string()))
    # A null among the codes would make null of all that is joined.
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    texts = lists.flatten().fill_null("")
    whole = pa.ListArray.from_arrays(pa.array(offsets), texts, mask=lists.is_null())
    return pc.binary_join(whole, "|")


def _fits_csv(kind: pa.DataType) -> bool:
    try:
        _flat(pa.array([], kind)).cast(flat := _flat_type(kind))
        pa_csv.CSVWriter(pa.BufferOutputStream(), pa.schema([("column", flat)])).close()
    except pa.ArrowException:
        return False
    return True


def _writer_for(path: Path) -> Callable[[Path, pa.Schema], Any]:
    """The writer of the file's ending.

    Raises
    ------
    DrgcoreError
        When the ending is that of no kind that is written.
    """
    writers = {
        ".parquet": _parquet_writer,
        ".pq": _parquet_writer,
        ".csv": _csv_writer,
        ".xlsx": xlsx_writer,
    }
    try:
        return writers[path.suffix.lower()]
    except KeyError:
        raise DrgcoreError(
            _("{path}: unknown kind of output {suffix!r}", path=path, suffix=path.suffix),
            hint=_("Name the output with the ending .parquet, .csv or .xlsx."),
        ) from None
