"""One case out of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases import CaseMapping, CaseSource, open_cases
from drgcore.cases.attributes import some_of
from drgcore.cases.text import stripped
from drgcore.errors import CaseSchemaError
from drgcore.language import _


def one_case(
    path: Path,
    *,
    row: int | None,
    case_id: str | None,
    id_column: str,
    mapping: CaseMapping,
    sheet: str | None = None,
) -> pa.Table:
    """The row of a number (from 1), or the one row of an id.

    Raises
    ------
    CaseSchemaError
        When not exactly one of `row` and `case_id` is given, or no row or several are found; or a
        sheet has numbers in a column that the mapping says holds codes.
    """
    if (row is None) == (case_id is None):
        raise CaseSchemaError(_("say which case: either --row or --id"))
    with open_cases(path, sheet=sheet) as source:
        # The row comes out as text, in which nobody sees the zeros that a number has lost.
        source.expect_codes(mapping.resolve(source.schema).code_names())
        if row is not None:
            return _by_row(source, row, str(path))
        return _by_id(source, str(case_id), id_column, str(path))


def _by_row(source: CaseSource, row: int, where: str) -> pa.Table:
    if row < 1:
        raise CaseSchemaError(_("there is no row {row}: the first is row 1", row=row), where=where)
    seen = 0
    for batch in source.batches():
        if row <= seen + batch.num_rows:
            return pa.Table.from_batches([batch.slice(row - 1 - seen, 1)], source.schema)
        seen += batch.num_rows
    raise CaseSchemaError(
        _("there is no row {row}: the file has {seen:,}", row=row, seen=seen), where=where
    )


def _by_id(source: CaseSource, case_id: str, id_column: str, where: str) -> pa.Table:
    names = source.schema.names
    if names.count(id_column) != 1:
        raise CaseSchemaError(
            _(
                "{number} column {id_column!r} to look the id up in",
                number=_("no") if id_column not in names else _("more than one"),
                id_column=id_column,
            ),
            where=where,
            hint=_("Name it with --id-column. The file has: {names}", names=", ".join(names)),
        )
    wanted = stripped(pa.array([case_id]))[0]
    found: list[pa.RecordBatch] = []
    rows: list[int] = []
    seen = 0
    for batch in source.batches():
        try:
            ids = stripped(pc.cast(batch.column(id_column), pa.string()))
        except pa.ArrowException:
            # Arrow's message quotes values.
            kind = source.schema.field(id_column).type
            raise CaseSchemaError(
                _(
                    "column {id_column!r} is {kind}, which holds no ids",
                    id_column=id_column,
                    kind=kind,
                ),
                where=where,
                hint=_("Name another one with --id-column."),
            ) from None
        places = np.flatnonzero(pc.fill_null(pc.equal(ids, wanted), False).to_numpy(False))
        rows += (places + seen + 1).tolist()
        found.append(batch.take(pa.array(places)))
        seen += batch.num_rows
    if len(rows) != 1:
        hint = None
        count = _("no case has")
        if rows:
            count = _("{count} cases have", count=len(rows))
            hint = _(
                "They are the rows {rows}: name one with --row.",
                rows=some_of(list(map(str, rows)), most=10),
            )
        raise CaseSchemaError(
            _(
                "{count} the id {case_id!r} in column {id_column!r}",
                count=count,
                case_id=case_id,
                id_column=id_column,
            ),
            where=where,
            hint=hint,
        )
    return pa.Table.from_batches(found, source.schema)
