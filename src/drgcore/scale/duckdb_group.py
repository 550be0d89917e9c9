"""Cases of a DuckDB database grouped in a stream, or by a function in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from drgcore.cases import CaseMapping
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import BATCH_ROWS, in_order, thread_count
from drgcore.grouper.dated import grouper_of
from drgcore.grouper.extras import Extras
from drgcore.grouper.group import kept_columns
from drgcore.grouper.result import check_free, result_fields
from drgcore.language import _
from drgcore.scale.partitions import plain, refuse_guess
from drgcore.schemes import Scheme
from drgcore.schemes.calendar import SchemeCalendar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FUNCTION = "drg_group"
"""The name of the function in SQL."""


def group_duckdb(
    connection: DuckDBPyConnection,
    query: str,
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
) -> pa.RecordBatchReader:
    """Group what a query finds, as a stream: neither cases nor results are ever held as a whole.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Its tables, views and files are those of `query`. It is busy until the stream is read.
    query : str
        One row a case, for example ``FROM cases`` or ``SELECT * FROM
        read_parquet('lake/**/*.parquet', hive_partitioning = true)``.
    scheme, columns, prefix, clinical_codes, restore_zeros, names, severity_codes, stamp, threads
        As for `drgcore.group`.
    mapping : str, Path or CaseMapping, default "canonical"
        As for `drgcore.group`, but not ``"auto"``: what is guessed must not depend on which rows
        come first.

    Returns
    -------
    pyarrow.RecordBatchReader
        The columns kept and the result columns of `drgcore.group`, in the order of the query:
        strings, and lists of strings.

    Raises
    ------
    CaseSchemaError
        When a column is missing or of a wrong type, or a result would replace an input column.
    SchemeError
        When there is no such scheme.

    Notes
    -----
    `drgcore.group` warns of repeated ids; nothing is said of them here, where SQL counts them.

    Examples
    --------
    The stream is read by another cursor of the same database:

    >>> import duckdb, drgcore
    >>> db = duckdb.connect()
    >>> sample = drgcore.sample_cases(1000, seed=1)
    >>> _ = db.execute("CREATE TABLE cases AS SELECT * FROM sample")
    >>> groups = drgcore.group_duckdb(db, "FROM cases", columns=["case_id"])
    >>> _ = db.cursor().execute("CREATE TABLE groups AS SELECT * FROM groups")
    >>> db.sql("SELECT count(*), count(drg) FROM groups").fetchall()
    [(1000, 1000)]
    """
    refuse_guess(mapping)
    extras = Extras(names, severity_codes, stamp)
    grouper = grouper_of(scheme, clinical_codes, restore_zeros=restore_zeros, extras=extras)
    workers = thread_count(threads)
    relation: Any = connection.sql(query)
    # DuckDB renamed it in 1.4.
    opened = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    reader: pa.RecordBatchReader = opened(BATCH_ROWS)
    keep = kept_columns(reader.schema.names, columns)
    check_free(keep, prefix, "columns=", grouper.result_columns)
    resolved = grouper.resolve(CaseMapping.of(mapping), reader.schema)
    schema = pa.schema(
        [
            *(reader.schema.field(name) for name in keep),
            *result_fields(prefix, grouper.result_columns),
        ]
    )

    def batches() -> Iterator[pa.RecordBatch]:
        for batch, rows in in_order(lambda b: grouper.group(b, resolved), reader, workers):
            found = grouper.columns(rows)
            results = [plain(found[name]) for name in grouper.result_columns]
            kept = [batch.column(name) for name in keep]
            yield pa.RecordBatch.from_arrays([*kept, *results], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def register_duckdb(
    connection: DuckDBPyConnection,
    scheme: str | Path | Scheme | SchemeCalendar = "chs-drg-3.0",
    *,
    name: str = FUNCTION,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    restore_zeros: bool = False,
    names: bool = False,
    severity_codes: bool = False,
    stamp: bool = False,
) -> None:
    """Make grouping a function in the SQL of a connection.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        It alone, and its cursors, know the function.
    scheme, clinical_codes, restore_zeros, names, severity_codes, stamp
        As for `drgcore.group`.
    name : str, default "drg_group"
        Of the function.
    mapping : str, Path or CaseMapping, default "canonical"
        Which field of a row holds what; not ``"auto"``.

    Raises
    ------
    CaseSchemaError
        For ``"auto"``; in a query, when a field is missing or of a wrong type.
    SchemeError
        When there is no such scheme.

    Notes
    -----
    The function takes a row, ``drg_group(t)`` of ``FROM cases t``, and gives a STRUCT of the result
    columns of `drgcore.group`; every field of the row is handed over, so a row of the columns that
    are needed is faster. DuckDB calls it with some 2,000 rows at a time and one call after the
    other: for many millions `group_duckdb` is the faster way.

    Examples
    --------
    >>> import duckdb, drgcore
    >>> db = duckdb.connect()
    >>> drgcore.register_duckdb(db)
    >>> sample = drgcore.sample_cases(1000, seed=1)
    >>> db.sql("SELECT g.status, count(*) FROM (SELECT drg_group(t) AS g FROM sample t) "
    ...        "GROUP BY ALL ORDER BY ALL").fetchall()
    [('ambiguous', 14), ('grouped', 985), ('ungrouped', 1)]
    """
    refuse_guess(mapping)
    extras = Extras(names, severity_codes, stamp)
    grouper = grouper_of(scheme, clinical_codes, restore_zeros=restore_zeros, extras=extras)
    fields = result_fields("", grouper.result_columns)
    chosen = CaseMapping.of(mapping)
    last: list[tuple[pa.Schema, Any]] = []

    def drg_group(*rows: pa.ChunkedArray) -> pa.Array:
        if len(rows) != 1 or not pa.types.is_struct(rows[0].type):
            raise CaseSchemaError(
                _("{name} takes one row", name=name),
                hint=_("Write {name}(t) of FROM cases t.", name=name),
            )
        row = rows[0].combine_chunks()
        # Of a row that is null, as an outer join gives it, every field is.
        batch = pa.RecordBatch.from_arrays(row.flatten(), [field.name for field in row.type])
        if not (last and last[0][0].equals(batch.schema)):
            last[:] = [(batch.schema, grouper.resolve(chosen, batch.schema))]
        found = grouper.columns(grouper.group(batch, last[0][1]))
        results = [plain(found[column]) for column in grouper.result_columns]
        return pa.StructArray.from_arrays(results, fields=fields)

    types = ", ".join(
        f'"{field.name}" {"VARCHAR[]" if pa.types.is_list(field.type) else "VARCHAR"}'
        for field in fields
    )
    # Its types know Arrow's arrays as neither what a function takes nor what it gives.
    untyped: Any = connection
    untyped.create_function(
        name,
        drg_group,
        None,
        untyped.dtype(f"STRUCT({types})"),
        type="arrow",
        null_handling="special",
    )
