"""The same cases by two schemes: what moves, where to, and by which difference of the schemes."""

from __future__ import annotations

from dataclasses import dataclass, field
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
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import BATCH_ROWS, BatchGrouper, as_mapping, thread_count
from drgcore.grouper.group import kept_columns
from drgcore.migration.flows import (
    LEVELS,
    count_causes,
    count_flows,
    count_reasons,
    count_statuses,
    list_groups,
)
from drgcore.migration.pairing import Pairing, pair_groups
from drgcore.migration.reasons import SIDES
from drgcore.migration.regroup import Regrouping
from drgcore.migration.summary import migration_text
from drgcore.schemes import Scheme

# More than any case costs; sums of fen stay far from the limit of their type.
_MOST_YUAN = 1e9


@dataclass(frozen=True, eq=False)
class Migration:
    """The same cases by two schemes.

    Attributes
    ----------
    pairs : Pairing
        Which group of the one scheme is which of the other, and the two schemes.
    results : pyarrow.Table
        One row a case in the order of the input: ``before_`` and ``after_`` ``mdc``, ``adrg``,
        ``drg``, ``status``, ``reason`` and ``severity``.
    changed : pyarrow.Table
        One row a changed case: its ``row`` (from 1) and ``case_id``, the groups and the status of
        both schemes, where they part (``parted``), and the reason; see Notes.
    flows : pandas.DataFrame
        Cases by ``level`` and by status and group before and after; see `count_flows`.
    groups : pandas.DataFrame
        What became of each group; see `list_groups`.
    reasons : pandas.DataFrame
        Changed cases by flow and kind of reason.
    causes : pandas.DataFrame
        Changed cases by reason: each different reason once, with the rules before and after.
    statuses : pandas.DataFrame
        Cases by status and reason before and after.
    without_cost : int or None
        Cases without a readable cost, which the flows' cost leaves out; None without that column.

    Notes
    -----
    A case *changed* when it is valid in one scheme only, when its group after is not the one that
    is paired with its group before, or when that group has another code. A reason is

    - ``kind``: one of `drgcore.REASON_KINDS`
    - ``side``: whether the reason names a group of the scheme ``before``, which the case left, or
      of the scheme ``after``, which it entered
    - ``level``: the level of the rule that differs: ``MDC``, ``ADRG``, ``DRG``; ``case`` for what
      is asked of every case
    - ``group``: the group whose rule that is
    - ``set_id``: the set, the exclusion table, ``MCC`` or ``CC``, or the number of the case
    - ``codes``: the diagnoses or procedures of the case that make the difference, joined by ``|``

    with a second reason in ``then_…`` where a case left its group for one reason and came into its
    new group for another, or where the ADRG is cut otherwise and a complication that changed as
    well decides between its new DRG.
    """

    pairs: Pairing
    results: pa.Table = field(repr=False)
    changed: pa.Table = field(repr=False)
    flows: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    reasons: pd.DataFrame = field(repr=False)
    causes: pd.DataFrame = field(repr=False)
    statuses: pd.DataFrame = field(repr=False)
    without_cost: int | None = None

    def matrix(self, level: str = "adrg") -> pd.DataFrame:
        """Cases by group before (rows) and after (columns); ``""`` stands for no group.

        Parameters
        ----------
        level : {"mdc", "adrg", "drg"}
        """
        if level not in LEVELS:
            raise CaseSchemaError(f"there is no level {level!r}", hint=f"It is one of {LEVELS}.")
        flows = self.flows[self.flows["level"] == level]
        return (
            flows.assign(before=flows["before"].fillna(""), after=flows["after"].fillna(""))
            .pivot_table(
                index="before", columns="after", values="cases", aggfunc="sum", fill_value=0
            )
            .astype(np.int64)
        )

    def tables(self) -> dict[str, pd.DataFrame | pa.Table]:
        """The tables by name, to be written or looked at."""
        return {
            "flows": self.flows,
            "groups": self.groups,
            "reasons": self.reasons,
            "causes": self.causes,
            "statuses": self.statuses,
            "changed": self.changed,
        }

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
    groupers = [BatchGrouper.of(scheme, clinical_codes) for scheme in (before, after)]
    pairs = pair_groups(*(grouper.tables.scheme for grouper in groupers))
    with open_cases(cases, batch_rows=BATCH_ROWS, sheet=sheet) as source:
        names = kept_columns(source.schema.names, None)
        kept = [name for name in dict.fromkeys((case_id, cost)) if name in names]
        asked = {c for g in groupers for c in g.tables.scheme.local_columns.values()}
        resolved = as_mapping(mapping).resolve(source.schema, sorted(asked))
        source.expect_codes(resolved.code_names())
        regrouping = Regrouping(groupers, pairs)
        results, others, reasons = regrouping.run(source, resolved, kept, thread_count(threads))
    cost_fen, without_cost = _cost_fen(others[cost]) if cost in kept else (None, None)
    changed = _changed(results, others, reasons, case_id)
    flows = count_flows(results, cost_fen, pairs)
    return Migration(
        pairs,
        results,
        changed,
        flows,
        list_groups(flows, pairs),
        count_reasons(changed),
        count_causes(changed, pairs),
        count_statuses(results),
        without_cost,
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
