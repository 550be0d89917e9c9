"""Cases whose group hangs on one code, with that code: what a reviewer opens first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.errors import CaseSchemaError
from drgcore.estimate.prices import weights_by_drg
from drgcore.estimate.variants import KINDS, variants_of
from drgcore.estimate.what_if import codes_of
from drgcore.grouper.batch import BatchGrouper
from drgcore.language import _
from drgcore.schemes import Scheme

PIVOTAL_COLUMNS = (
    *("row", "case_id", "kind", "code", "adrg", "drg", "severity"),
    *("adrg_without", "drg_without", "status_without", "severity_without"),
)
_WITHOUT = tuple(i for i, kind in enumerate(KINDS) if kind.startswith("without_"))
_KINDS = ("as_coded", *(KINDS[i] for i in _WITHOUT))
# Cases at a time: their variants are some ten times as many.
_ROWS = 16_384


def pivotal_codes(
    cases: Any,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    case_id: str = "case_id",
    weights: Any = None,
) -> pd.DataFrame:
    """Find the cases whose group hangs on one code: without it the DRG would be another.

    Parameters
    ----------
    cases, scheme, mapping, clinical_codes
        As for `group`.
    case_id : str
        Column with the id of a case; where the data have none, only the row is given.
    weights : mapping of str to float, or table, optional
        Weights by DRG, see `weights_by_drg`.

    Returns
    -------
    pandas.DataFrame
        One row a case and code, in the order of the cases, `PIVOTAL_COLUMNS`: `row` from 1,
        `kind` (`without_diagnosis`, `without_principal_procedure`, `without_procedure`), the code,
        group and severity as coded and without it; with weights `weight`, `weight_without`,
        `weight_of_code`. Cases that are not grouped as coded have no row.

    Examples
    --------
    >>> import drgcore, pyarrow as pa
    >>> cases = pa.table({"principal_diagnosis": ["G11.900"] * 2,
    ...     "other_diagnoses": [["S52.804"], ["S52.804", "S13.101"]],
    ...     "principal_procedure": pa.nulls(2, pa.string()), "other_procedures": [[], []],
    ...     "sex": [2, 2], "age_years": [69, 69]})
    >>> drgcore.pivotal_codes(cases)[["row", "code", "drg", "drg_without"]].values.tolist()
    [[1, 'S52.804', 'BU23', 'BU25']]
    """
    grouper = BatchGrouper.of(scheme, clinical_codes)
    known = None if weights is None else weights_by_drg(weights)
    parts, done = [], 0
    mapping = mapping_for(mapping, cases)
    with open_cases(cases, batch_rows=_ROWS) as source:
        resolved = grouper.resolve(mapping, source.schema)
        source.expect_codes(resolved.code_names())
        for batch in source.batches():
            for found in _of_batch(grouper, batch, resolved, case_id):
                parts.append(found.assign(row=found["row"] + done))
            done += batch.num_rows
    columns = list(PIVOTAL_COLUMNS)
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    if table["case_id"].isna().all():
        columns.remove("case_id")
    table = table[columns]
    if known is not None:
        own = np.array([known.get(drg, np.nan) for drg in table["drg"]], np.float64)
        without = np.array([known.get(d, np.nan) for d in table["drg_without"]], np.float64)
        table = table.assign(weight=own, weight_without=without, weight_of_code=own - without)
    return table


def pivotal_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Add up which codes groups hang on.

    Parameters
    ----------
    table : pandas.DataFrame
        What `pivotal_codes` gives.

    Returns
    -------
    pandas.DataFrame
        `code`, `kind`, `cases`, and `weight_of_code` where there are weights; the most cases first.

    Raises
    ------
    CaseSchemaError
        If it is another table.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(500, "chs-drg-3.0", seed=1)
    >>> summary = pivotal_summary(drgcore.pivotal_codes(cases))
    >>> list(summary.columns)
    ['code', 'kind', 'cases']
    """
    if not {"code", "kind"} <= set(table):
        raise CaseSchemaError(_("this is no table of pivotal codes"), hint=_("See pivotal_codes."))
    grouped = table.groupby(["code", "kind"], sort=True, observed=True)
    summary = grouped.size().rename("cases").to_frame()
    if "weight_of_code" in table:
        summary["weight_of_code"] = grouped["weight_of_code"].sum(min_count=1)
    return summary.sort_values("cases", ascending=False, kind="stable").reset_index()


def _of_batch(
    grouper: BatchGrouper, batch: pa.RecordBatch, resolved: Any, case_id: str
) -> Iterator[pd.DataFrame]:
    arrays = grouper.encode(batch, resolved)
    variants = variants_of(arrays, kinds=_KINDS)
    rows = grouper.group_arrays(variants.cases)
    own = np.flatnonzero(variants.kind == 0)[variants.case]
    moved = np.isin(variants.kind, _WITHOUT) & (rows.status[own] == 0)
    moved &= (rows.drg != rows.drg[own]) | (rows.status != rows.status[own])
    at = np.flatnonzero(moved)
    if not len(at):
        return
    results = rows.columns(grouper.tables)

    def texts(name: str, which: np.ndarray) -> np.ndarray:
        column = results[name].take(pa.array(which)).cast(pa.string())
        found: np.ndarray = column.to_numpy(zero_copy_only=False).astype(object)
        return found

    ids = np.full(batch.num_rows, None, object)
    if case_id in batch.schema.names:
        ids = batch.column(case_id).cast(pa.string()).to_numpy(zero_copy_only=False).astype(object)
    case = variants.case[at]
    columns: dict[str, Any] = {
        "row": case + 1,
        "case_id": ids[case],
        "kind": np.array(KINDS, object)[variants.kind[at]],
        "code": codes_of(grouper, variants, at),
    }
    columns |= {name: texts(name, own[at]) for name in ("adrg", "drg", "severity")}
    columns |= {
        f"{name}_without": texts(name, at) for name in ("adrg", "drg", "status", "severity")
    }
    yield pd.DataFrame(columns)
