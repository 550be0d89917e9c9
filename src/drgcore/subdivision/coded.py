"""Cases as the grouper reads them, their groups and their cost, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import FIRST_CODE, CaseArrays, CaseMapping, CodeIndex, open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import (
    BATCH_ROWS,
    BatchGrouper,
    in_order,
    thread_count,
)
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.grouper.result import GroupedRows
from drgcore.grouper.tables import compile_tables
from drgcore.language import _
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
    mapping = mapping_for(mapping, cases)
    parts: list[tuple[CaseArrays, GroupedRows]] = []
    kept: list[pa.RecordBatch] = []
    with open_cases(cases, batch_rows=BATCH_ROWS) as source:
        names = source.schema.names
        if cost not in names:
            raise CaseSchemaError(_("the cases have no column {cost}", cost=cost), where="history")
        wanted = [name for name in (cost, *_KEPT) if name in names]
        asked = {*grouper.tables.scheme.local_columns.values(), *local}
        resolved = mapping.resolve(source.schema, sorted(asked))
        source.expect_codes(resolved.code_names())

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
    grouped = zip(*(part.every() for _, part in parts), strict=True)
    rows = GroupedRows(*(np.concatenate(arrays) for arrays in grouped))
    # Joined, they need not stay a second time while the history is read.
    del parts
    columns = rows.columns(grouper.tables)
    table = pa.Table.from_batches(kept, schema)
    for name in ("drg", "status"):
        table = table.append_column(name, columns[name])
    return CodedCases(grouper.tables, arrays, rows, read_history(table, cost=cost))


def regrouped(coded: CodedCases, scheme: Scheme, threads: int | None = None) -> History:
    """Group the same cases by a scheme that was cut from theirs, without reading them again.

    Parameters
    ----------
    coded : CodedCases
    scheme : Scheme
        Must ask for no local column that was not read.
    threads : int, optional
        As for `drgcore.group`.

    Returns
    -------
    History
        In the same order.

    Examples
    --------
    >>> import drgcore
    >>> coded = code_cases(drgcore.sample_cases(200, seed=1), "chs-drg-3.0")
    >>> bool((regrouped(coded, coded.tables.scheme).drg.codes == coded.history.drg.codes).all())
    True
    """
    from drgcore.grouper.kernel import group_rows

    tables = compile_tables(scheme)
    inputs = tables.inputs(_renumbered(coded, tables))
    rows = GroupedRows.empty(len(coded.cases))

    def work(start: int) -> None:
        stop = min(start + BATCH_ROWS, len(rows))
        group_rows(*tables.kernel, inputs, start, stop, rows.arrays())

    with ThreadPoolExecutor(thread_count(threads)) as pool:
        list(pool.map(work, range(0, len(rows), BATCH_ROWS)))
    columns, before = rows.columns(tables), coded.history
    table = pa.table(
        {"drg": columns["drg"], "status": columns["status"], "total_cost": before.cost}
    )
    return replace(
        read_history(table),
        hospital=before.hospital,
        hospital_level=before.hospital_level,
        pool=before.pool,
        year=before.year,
    )


def _renumbered(coded: CodedCases, tables: GrouperTables) -> CaseArrays:
    """The cases with the code ids of other tables: a new list may move what no dictionary has."""
    old, cases = coded.tables, coded.cases
    diagnoses = _new_ids(old.diagnoses, tables.diagnoses)
    procedures = _new_ids(old.procedures, tables.procedures)
    departments = _new_ids(old.departments, tables.departments)
    local = {
        name: values if name != "department" or departments is None else departments[values]
        for name, values in cases.local.items()
    }
    if diagnoses is not None:
        cases = replace(
            cases,
            principal_diagnosis=diagnoses[cases.principal_diagnosis],
            other_diagnoses=diagnoses[cases.other_diagnoses],
        )
    if procedures is not None:
        cases = replace(
            cases,
            principal_procedure=procedures[cases.principal_procedure],
            other_procedures=procedures[cases.other_procedures],
        )
    return replace(cases, local=local)


def _new_ids(old: CodeIndex, new: CodeIndex) -> NDArray[np.int32] | None:
    """The id in `new` of each id of `old`; None where they are the same."""
    if old.codes.equals(new.codes):
        return None
    ids = np.arange(len(old), dtype=np.int32)
    ids[FIRST_CODE:] = new.encode(old.codes)
    return ids
