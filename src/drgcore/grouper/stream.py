"""Grouping of files larger than memory: batches in, batches out, a whole file at the end."""

from __future__ import annotations

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

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.arrow_arrays import filled, number_array, text_array
from drgcore.cases.folders import CaseFile, are_several, find_files
from drgcore.cases.guessing import mapping_for
from drgcore.cases.repeated import Hashes, RepeatedIds
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.files import whole_file
from drgcore.grouper.batch import BATCH_ROWS, in_order, thread_count
from drgcore.grouper.dated import Grouping, grouper_of
from drgcore.grouper.extras import Extras
from drgcore.grouper.folder_run import result_options, run_folder
from drgcore.grouper.group import kept_columns
from drgcore.grouper.parquet_writer import parquet_writer
from drgcore.grouper.result import check_free, result_fields
from drgcore.grouper.summary import GroupingSummary, SummaryCount
from drgcore.grouper.xlsx_writer import xlsx_writer
from drgcore.language import _
from drgcore.progress import step
from drgcore.schemes import Scheme
from drgcore.schemes.calendar import SchemeCalendar

Source = str | Path | Sequence[str | Path] | CaseFile
Progress = Callable[[int, int | None], None]
"""Called with the rows written so far and, where it is known, the number of all rows."""

_EMPTY, _BETWEEN = text_array(["", "|"])


def group_file(
    src: str | Path | Sequence[str | Path],
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
    kind: str | None = None,
    fresh: bool = False,
    stop_at_first_error: bool = False,
) -> GroupingSummary:
    """Group a file into another, or a folder into another, with memory that does not grow.

    Of a file of millions of rows, a hash of each case's id, by which ids that occur twice are
    found, lies in a nameless file beside the result until the end: 8 bytes a row.

    Parameters
    ----------
    src : str, Path, or sequence of them
        A parquet, .xlsx, .xls, .csv, .tsv, .txt or .dbf file, as `open_cases` reads them; or a
        folder, a pattern of names or several paths, as `find_files` takes them.
    dst : str or Path
        The file to write, by its ending (``.parquet``, ``.csv``, ``.xlsx``). It is written
        next to its name and renamed when whole; an older file of that name stays until then.
        Several files become one where `dst` ends so, else a folder in which the result of each has
        its name, and a manifest says what it was made from: a run that was stopped goes on with
        what is not done or has changed.
    scheme, mapping, columns, prefix, clinical_codes, restore_zeros, names, severity_codes, stamp, \
    threads
        As for `group`.
    batch_rows : int, default 131072
        Rows read and grouped at a time. The result does not depend on it.
    progress : callable, optional
        Called after every batch with the rows done and the number of all rows (None for CSV).
    sheet : str or int, optional
        The sheet of a workbook: its name, or its number from 1.
    kind : {".parquet", ".csv", ".xlsx"}, optional
        What the files of a folder become; by default each its own kind, and text and .dbf ``.csv``.
    fresh : bool, default False
        Make every result of a folder anew, whatever its manifest says.
    stop_at_first_error : bool, default False
        Do not go on behind a file of a folder that cannot be read.

    Returns
    -------
    GroupingSummary
        Rows by status and reason; `warnings` where rows repeat an id or have none. For a folder a
        `FolderSummary` of all its files.

    Raises
    ------
    CaseSchemaError
        When `src` cannot be read as case data.
    UnfinishedError
        When files of a folder cannot; the others are done.
    DrgcoreError
        When `dst` cannot be written; nothing is left of it. Or the results that a folder holds
        were made with other options, by another scheme, or by nobody knows what.

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
    target, threads, extras = Path(dst), thread_count(threads), Extras(names, severity_codes, stamp)
    into_folder = becomes_folder(src, target)
    if not into_folder and (kind is not None or fresh or stop_at_first_error):
        raise DrgcoreError(
            _("kind, fresh and stop_at_first_error are for a folder of results"),
            hint=_("Give a folder of cases and, as the output, a folder."),
        )

    def work(source: Source, target: Path, mapping: str | Path | CaseMapping) -> GroupingSummary:
        grouper = grouper_of(scheme, clinical_codes, restore_zeros=restore_zeros, extras=extras)
        return _group_one(
            *(source, target, grouper, mapping, columns, prefix),
            threads=threads,
            batch_rows=batch_rows,
            progress=progress,
            sheet=sheet,
        )

    if not into_folder:
        return work(src, target, mapping)
    if kind is not None:
        kind = f".{kind.lower().removeprefix('.')}"
        _writer_for(Path(f"*{kind}"))
    cases = find_files(src)
    chosen = mapping_for(mapping, cases.files[0].path, sheet=sheet)
    grouper = grouper_of(scheme, clinical_codes, restore_zeros=restore_zeros, extras=extras)
    options = {
        **result_options(grouper, chosen),
        "columns": None if columns is None else list(columns),
        "prefix": prefix,
        "clinical_codes": clinical_codes,
        "restore_zeros": restore_zeros,
        "names": names,
        "severity_codes": severity_codes,
        "stamp": stamp,
        "sheet": sheet,
        "kind": kind,
    }
    return run_folder(
        cases,
        target,
        lambda file, path: work(file, path, chosen),
        options,
        scheme=grouper.name,
        kind=kind,
        fresh=fresh,
        stop_at_first_error=stop_at_first_error,
    )


def becomes_folder(src: str | Path | Sequence[str | Path], dst: Path) -> bool:
    """Whether cases become a folder of results, file by file.

    Examples
    --------
    >>> becomes_folder("2027-*/cases.csv", Path("grouped")), becomes_folder("*.csv", Path("a.csv"))
    (True, False)
    """
    return are_several(src) and (dst.is_dir() or dst.suffix.lower() not in _WRITERS)


def _group_one(
    source_path: Source,
    target: Path,
    grouper: Grouping,
    mapping: str | Path | CaseMapping,
    columns: Sequence[str] | None,
    prefix: str,
    *,
    threads: int,
    batch_rows: int,
    progress: Progress | None,
    sheet: str | int | None,
) -> GroupingSummary:
    """Group one source into one file."""
    if _same_file(source_path, target):
        raise DrgcoreError(
            _("{target} is the input itself", target=target), hint=_("Name another output file.")
        )
    writer_of = _writer_for(target)
    counts = SummaryCount()
    with open_cases(source_path, batch_rows=batch_rows, sheet=sheet) as plain:
        keep = kept_columns(plain.schema.names, columns)
        if isinstance(source_path, CaseFile):
            # The result lies in folders of the same names, which give it these columns.
            keep = [name for name in keep if name not in plain.partition_columns]
        check_free(keep, prefix, "--columns", grouper.result_columns)
        case_mapping = mapping_for(mapping, source_path, sheet=sheet)
        resolved = grouper.resolve(case_mapping, plain.schema)
        schema = _output_schema(plain.schema, keep, prefix, grouper.result_columns)
        schema = schema.with_metadata({**(schema.metadata or {}), **grouper.made_by})
        # Beside the result, where a run of that many cases has space if anywhere.
        ids = RepeatedIds(case_mapping, plain.schema, target.parent)
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
        ids,
        writer_of(part, schema) as writer,
    ):
        resolved = grouper.resolve(case_mapping, source.schema)
        source.expect_codes(resolved.code_names())

        def step(batch: pa.RecordBatch) -> tuple[Any, dict[str, pa.Array], Hashes]:
            rows = grouper.group(batch, resolved)
            return rows, grouper.columns(rows), ids.hashes(batch)

        # All but writing is done by the threads.
        for batch, (rows, results, hashes) in in_order(step, source.batches(), threads):
            arrays = [batch.column(n) for n in keep] + [results[c] for c in grouper.result_columns]
            writer.write(pa.RecordBatch.from_arrays(arrays, names=schema.names))
            grouper.count(counts, rows)
            ids.take(hashes)
            if progress is not None:
                progress(counts.rows, source.num_rows)
        notes, warnings = tuple(source.notes), ids.warnings()
    summary = counts.summary(grouper.name, *grouper.translated(), local=grouper.asks_local)
    return replace(summary, notes=notes, warnings=warnings, reading=grouper.notes)


def _same_file(source: Source, target: Path) -> bool:
    if not isinstance(source, str | Path) or are_several(source) or not target.exists():
        return False
    return Path(source).exists() and os.path.samefile(source, target)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as its ending says, whole or not at all: .parquet, .csv or .xlsx."""
    writer_of = _writer_for(path)
    writing = _("writing {name}", name=path.name)
    with whole_file(path) as part, writer_of(part, table.schema) as writer:
        batches = table.combine_chunks().to_batches(max_chunksize=BATCH_ROWS)
        with step(writing, _("cases"), len(table)) as written:
            done = 0
            for batch in batches:
                writer.write(batch)
                done += batch.num_rows
                written.update(done)


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
    lengths = filled(pc.list_value_length(lists), 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    texts = lists.flatten().fill_null(_EMPTY)
    whole = pa.ListArray.from_arrays(number_array(offsets), texts, mask=lists.is_null())
    return pc.binary_join(whole, _BETWEEN)


def _fits_csv(kind: pa.DataType) -> bool:
    try:
        _flat(pa.nulls(0, kind)).cast(flat := _flat_type(kind))
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
    try:
        return _WRITERS[path.suffix.lower()]
    except KeyError:
        raise DrgcoreError(
            _("{path}: unknown kind of output {suffix!r}", path=path, suffix=path.suffix),
            hint=_("Name the output with the ending .parquet, .csv or .xlsx."),
        ) from None


_WRITERS = {
    ".parquet": parquet_writer,
    ".pq": parquet_writer,
    ".csv": _csv_writer,
    ".xlsx": xlsx_writer,
}
