"""The same cases by two schemes: what moves, where to, and by which difference of the schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.budget.allocate import FEN_PER_YUAN
from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.attributes import numbers_of
from drgcore.cases.guessing import mapping_for
from drgcore.grouper.batch import BATCH_ROWS, BatchGrouper, thread_count
from drgcore.grouper.group import kept_columns
from drgcore.language import _
from drgcore.migration.flows import (
    LEVELS,
    count_causes,
    count_flows,
    count_reasons,
    count_statuses,
    list_groups,
)
from drgcore.migration.pairing import pair_groups
from drgcore.migration.reasons import SIDES
from drgcore.migration.regroup import Regrouping
from drgcore.migration.summary import migration_text
from drgcore.migration.tables import MigrationTables
from drgcore.progress import step
from drgcore.schemes import Scheme

# More than any case costs; sums of fen stay far from the limit of their type.
_MOST_YUAN = 1e9


class Migration(MigrationTables):
    """The same cases by two schemes; see `MigrationTables` for what it holds.

    Its `str()` is a summary for people.
    """

    def __str__(self) -> str:
        return migration_text(self)


def migrate(
    cases: Any,
    before: str | Path | Scheme = "chs-drg-1.1",
    after: str | Path | Scheme = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    case_id: str = "case_id",
    cost: str = "total_cost",
    threads: int | None = None,
    sheet: str | int | None = None,
) -> Migration:
    """Group the same cases by two schemes and say what moves, where to and why.

    Parameters
    ----------
    cases : DataFrame, pyarrow.Table, path, or anything else that `open_cases` takes
        One row a case.
    before, after : str, Path or Scheme
        As for `group`.
    mapping, clinical_codes, threads
        As for `group`.
    case_id, cost : str
        Columns with the case's id and its cost [yuan]; they may be absent.

    Returns
    -------
    Migration

    Raises
    ------
    CaseSchemaError
        When a column is missing or of a wrong type.
    SchemeError
        When there is no such scheme.

    Notes
    -----
    Every changed case is explained by itself from the rules' syntax trees; nothing is sampled. See
    `drgcore.migration.parting` for why every change has a reason.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(2000, "chs-drg-1.1", seed=1)
    >>> moved = drgcore.migrate(cases, "chs-drg-1.1", "suzhou-2023")
    >>> moved.results.num_rows, moved.changed.num_rows < 2000
    (2000, True)
    """
    mapping = mapping_for(mapping, cases, sheet=sheet)
    groupers = [BatchGrouper.of(scheme, clinical_codes) for scheme in (before, after)]
    pairs = pair_groups(*(grouper.tables.scheme for grouper in groupers))
    with open_cases(cases, batch_rows=BATCH_ROWS, sheet=sheet) as source:
        names = kept_columns(source.schema.names, None)
        kept = [name for name in dict.fromkeys((case_id, cost)) if name in names]
        asked = {c for g in groupers for c in g.tables.scheme.local_columns.values()}
        resolved = mapping.resolve(source.schema, sorted(asked))
        source.expect_codes(resolved.code_names())
        regrouping = Regrouping(groupers, pairs)
        results, others, reasons = regrouping.run(source, resolved, kept, thread_count(threads))
    with step(_("counting what moved"), _("tables"), 6) as told:
        cost_fen, without_cost = _cost_fen(others[cost]) if cost in kept else (None, None)
        changed = _changed(results, others, reasons, case_id)
        told.advance()
        flows = count_flows(results, cost_fen, pairs)
        told.advance()
        groups = list_groups(flows, pairs)
        told.advance()
        counted = count_reasons(changed)
        told.advance()
        causes = count_causes(changed, pairs)
        told.advance()
        statuses = count_statuses(results)
        told.advance()
    return Migration(
        pairs, results, changed, flows, groups, counted, causes, statuses, without_cost
    )


def _cost_fen(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], int]:
    """Costs in whole fen, 0 where there is none that can be read, and how many those are."""
    if pa.types.is_dictionary(column.type) or not pa.types.is_primitive(column.type):
        amounts = pd.to_numeric(column.cast(pa.string()).to_pandas(), errors="coerce").to_numpy()
    else:
        amounts = numbers_of(pa.table({"cost": column}), "cost")
    readable = np.isfinite(amounts) & (amounts >= 0) & (amounts < _MOST_YUAN)
    fen = np.rint(np.where(readable, amounts, 0.0) * FEN_PER_YUAN).astype(np.int64)
    return fen, int((~readable).sum())


def _changed(results: pa.Table, others: pa.Table, reasons: pa.Table, case_id: str) -> pa.Table:
    """The table of changed cases: row, id, both results, reason."""
    rows = reasons["row"]
    columns: dict[str, pa.ChunkedArray] = {"row": pc.add(rows, 1)}
    if case_id in others.column_names:
        columns["case_id"] = others[case_id].take(rows)
    moved = results.select(
        [f"{side}_{name}" for side in SIDES for name in (*LEVELS, "status")]
    ).take(rows)
    columns.update(zip(moved.column_names, moved.columns, strict=True))
    rest = reasons.drop_columns("row")
    columns.update(zip(rest.column_names, rest.columns, strict=True))
    return pa.table(columns)
