"""One case out of a file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases import CaseSource, open_cases
from drgcore.errors import CaseSchemaError


def one_case(path: Path, *, row: int | None, case_id: str | None, id_column: str) -> pa.Table:
    """The row of a number (from 1), or the one row of an id.

    Raises
    ------
    CaseSchemaError
        When not exactly one of `row` and `case_id` is given, or no row or several are found.
    """
    if (row is None) == (case_id is None):
        raise CaseSchemaError("say which case: either --row or --id")
    with open_cases(path) as source:
        if row is not None:
            return _by_row(source, row, str(path))
        return _by_id(source, str(case_id), id_column, str(path))


def _by_row(source: CaseSource, row: int, where: str) -> pa.Table:
    if row < 1:
        raise CaseSchemaError(f"there is no row {row}: the first is row 1", where=where)
    seen = 0
    for batch in source.batches():
        if row <= seen + batch.num_rows:
            return pa.Table.from_batches([batch.slice(row - 1 - seen, 1)], source.schema)
        seen += batch.num_rows
    raise CaseSchemaError(f"there is no row {row}: the file has {seen:,}", where=where)


def _by_id(source: CaseSource, case_id: str, id_column: str, where: str) -> pa.Table:
    names = source.schema.names
    if names.count(id_column) != 1:
        raise CaseSchemaError(
            f"{'no' if id_column not in names else 'more than one'} column {id_column!r} "
            "to look the id up in",
            where=where,
            hint=f"Name it with --id-column. The file has: {', '.join(names)}",
        )
    found: list[pa.RecordBatch] = []
    for batch in source.batches():
        try:
            ids = pc.cast(batch.column(id_column), pa.string())
        except pa.ArrowException:
            # Arrow's message quotes values.
            kind = source.schema.field(id_column).type
            raise CaseSchemaError(
                f"column {id_column!r} is {kind}, which holds no ids",
                where=where,
                hint="Name another one with --id-column.",
            ) from None
        found.append(batch.filter(pc.fill_null(pc.equal(ids, case_id), False)))
    table = pa.Table.from_batches(found, source.schema)
    if table.num_rows != 1:
        count = f"{table.num_rows} cases have" if table.num_rows else "no case has"
        raise CaseSchemaError(f"{count} the id {case_id!r} in column {id_column!r}", where=where)
    return table
