"""Cases as the grouper reads them, their groups and their cost, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from drgcore.cases import CaseArrays, CaseMapping, open_cases
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import (
    BATCH_ROWS,
    BatchGrouper,
    as_mapping,
    in_order,
    thread_count,
)
from drgcore.grouper.result import GroupedRows
from drgcore.grouper.tables import GrouperTables
from drgcore.schemes import Scheme
from drgcore.weights.history import History, read_history

_KEPT = ("hospital", "hospital_level", "pool", "discharge_date")


@dataclass(frozen=True, eq=False)
class CodedCases:
    """n cases: code ids and numbers, groups, cost.

    Parameters
    ----------
    tables : GrouperTables
        The compiled scheme, whose code ids and groups the arrays refer to.
    cases : CaseArrays
        What rules look at.
    rows : GroupedRows
        The groups.
    history : History
        Cost, hospital and what else history knows.
    """

    tables: GrouperTables
    cases: CaseArrays
    rows: GroupedRows
    history: History


def code_cases(
    cases: Any,
    scheme: str | Path | Scheme,
    *,
    mapping: str | Path | CaseMapping = "canonical",
    cost: str = "total_cost",
    clinical_codes: bool = False,
    local: Iterable[str] = (),
    threads: int | None = None,
) -> CodedCases:
    """Encode and group cases, and read their cost.

    Parameters
    ----------
    cases : DataFrame, Arrow table, or anything with the Arrow PyCapsule interface
        Cases with the columns of the mapping and a cost; `hospital` and `hospital_level` where they
        are known.
    scheme : str, Path or Scheme
    mapping, clinical_codes, threads
        As for `drgcore.group`.
    cost : str
        The column of cost [yuan].
    local : iterable of str
        Columns of `LOCAL_SCHEMA` to read beside those that the scheme asks for.

    Returns
    -------
    CodedCases

    Raises
    ------
    CaseSchemaError
        As `drgcore.group` and `read_history` raise.

    Examples
    --------
    >>> import drgcore
    >>> coded = code_cases(drgcore.sample_cases(500, seed=1), "chs-drg-3.0")
    >>> len(coded.cases), int(coded.history.usable.sum())
    (500, 492)
    """
    grouper = BatchGrouper.of(scheme, clinical_codes)
    parts: list[tuple[CaseArrays, GroupedRows]] = []
    kept: list[pa.RecordBatch] = []
    with open_cases(cases, batch_rows=BATCH_ROWS) as source:
        names = source.schema.names
        if cost not in names:
            raise CaseSchemaError(f"the cases have no column {cost}", where="history")
        wanted = [name for name in (cost, *_KEPT) if name in names]
        asked = {*grouper.tables.scheme.local_columns.values(), *local}
        resolved = as_mapping(mapping).resolve(source.schema, sorted(asked))

        def work(batch: pa.RecordBatch) -> tuple[CaseArrays, GroupedRows]:
            arrays = grouper.encode(batch, resolved)
            return arrays, grouper.group_arrays(arrays)

        for batch, part in in_order(work, source.batches(), thread_count(threads)):
            kept.append(batch.select(wanted))
            parts.append(part)
        schema = pa.schema([source.schema.field(name) for name in wanted])
        if not parts:
            parts.append(work(source.schema.empty_table()))
    arrays = CaseArrays.joined([part for part, _ in parts])
    rows = GroupedRows(
        *(np.concatenate(a) for a in zip(*(r.arrays() for _, r in parts), strict=True))
    )
    columns = rows.columns(grouper.tables)
    table = pa.Table.from_batches(kept, schema)
    for name in ("drg", "status"):
        table = table.append_column(name, columns[name])
    return CodedCases(grouper.tables, arrays, rows, read_history(table, cost=cost))
