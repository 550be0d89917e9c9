"""One case out of a file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases import open_cases
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
    found: list[pa.RecordBatch] = []
    seen = 0
    with open_cases(path) as source:
        if case_id is not None and id_column not in source.schema.names:
            raise CaseSchemaError(
                f"{path}: no column {id_column!r} to look the id up in",
                hint=f"Name it with --id-column. The file has: {', '.join(source.schema.names)}",
            )
        for batch in source.batches():
            if row is not None:
                found.append(batch.slice(max(0, row - 1 - seen), int(seen < row)))
            else:
                ids = pc.cast(batch.column(id_column), pa.string())
                found.append(batch.filter(pc.fill_null(pc.equal(ids, case_id), False)))
            seen += batch.num_rows
            if row is not None and seen >= row:
                break
        table = pa.Table.from_batches(found, source.schema)
    if table.num_rows != 1:
        which = f"row {row} (the file has {seen})" if row is not None else f"id {case_id!r}"
        raise CaseSchemaError(f"{path}: {table.num_rows} cases of {which}, expected one")
    return table
