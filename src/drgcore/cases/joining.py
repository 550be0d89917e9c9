"""The settlement interface's long tables as one row a case."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.readers import open_cases
from drgcore.errors import CaseSchemaError
from drgcore.language import _

ID = "setl_id"
"""Column that joins the tables (结算ID)."""

FINDINGS = "join_findings"
"""Column that says of each case what was wrong with its rows, joined by ``|``."""

CANONICAL_NAMES = {
    ID: "case_id",
    "gend": "sex",
    "age": "age_years",
    "nwb_age": "age_days",
    "nwb_adm_wt": "newborn_weight_g",
    "nwb_bir_wt": "birth_weight_g",
    "brdy": "birth_date",
    "adm_time": "admission_date",
    "dscg_time": "discharge_date",
    "act_ipt_days": "length_of_stay",
    "dscg_way": "leaving_way",
    "medfee_sumamt": "total_cost",
    "fixmedins_code": "hospital",
}
"""Column of the settlement information (4101) → canonical column."""

_TRUE = pa.array(["1", "1.0", "true", "y", "是"], pa.string())
_WESTERN = pa.array(["1", "1.0", ""], pa.string())


@dataclass(frozen=True)
class JoinedCases:
    """Cases of the interface's tables.

    Attributes
    ----------
    table : pyarrow.Table
        One row a row of the settlement information, in its order: its columns under canonical
        names, `principal_diagnosis`, `other_diagnoses`, `principal_procedure`, `other_procedures`
        and `join_findings`.
    counts : dict of str to int
        Cases by finding; rows that were left out: `tcm_diagnoses_left_out`,
        `diagnoses_of_no_case`, `operations_of_no_case`.
    """

    table: pa.Table
    counts: dict[str, int]

    def __str__(self) -> str:
        lines = [_("{rows:,} cases", rows=self.table.num_rows)]
        lines += [f"  {name:<28} {n:>12,}" for name, n in self.counts.items() if n]
        return "\n".join(lines)


def join_cases(
    info: str | os.PathLike[str] | Any,
    diagnoses: str | os.PathLike[str] | Any,
    operations: str | os.PathLike[str] | Any | None = None,
) -> JoinedCases:
    """Join settlement information, diagnoses and operations (接口4101) into one row a case.

    Parameters
    ----------
    info : path, DataFrame or pyarrow.Table
        One row a case, with `setl_id`.
    diagnoses : path, DataFrame or pyarrow.Table
        One row a diagnosis: `setl_id`, `diag_code`, `maindiag_flag` and, where it is there,
        `inhosp_diag_type`, of which only 1 (西医诊断) is taken: the others are Chinese medicine's.
    operations : path, DataFrame or pyarrow.Table, optional
        One row an operation: `setl_id`, `oprn_oprt_code`, `main_oprn_flag`.

    Returns
    -------
    JoinedCases
        Where no row, or more than one, is the main one, the case has no principal code: all its
        codes are others, and `join_findings` says so (`no_main_diagnosis`,
        `several_main_diagnoses`, `no_main_procedure`, `several_main_procedures`).

    Raises
    ------
    CaseSchemaError
        A table cannot be read or lacks a column; `setl_id` is missing or occurs twice in `info`.

    Examples
    --------
    >>> joined = join_cases(
    ...     pa.table({"setl_id": ["S1"], "gend": ["1"], "age": ["45"]}),
    ...     pa.table({"setl_id": ["S1", "S1"], "maindiag_flag": ["0", "1"],
    ...               "diag_code": ["I50.900", "K80.101"]}))
    >>> joined.table.select(["case_id", "principal_diagnosis", "other_diagnoses"]).to_pylist()
    [{'case_id': 'S1', 'principal_diagnosis': 'K80.101', 'other_diagnoses': ['I50.900']}]
    """
    cases = _whole(info)
    ids = _texts(cases, ID, _("the settlement information"))
    _check_ids(ids)
    coded = _whole(diagnoses)
    rows = _rows(coded, "diag_code", "maindiag_flag", _("the diagnoses"))
    counts: dict[str, int] = {}
    if "inhosp_diag_type" in coded.column_names:
        kind = _texts(coded, "inhosp_diag_type", _("the diagnoses")).fill_null("")
        western = pc.is_in(kind, value_set=_WESTERN)
        counts["tcm_diagnoses_left_out"] = len(rows) - int(pc.sum(western).as_py() or 0)
        rows = rows.filter(western)
    principal, others, findings, counts["diagnoses_of_no_case"] = _grouped(
        rows, ids, ("no_main_diagnosis", "several_main_diagnoses"), every=True
    )
    table = cases.rename_columns([CANONICAL_NAMES.get(n, n) for n in cases.column_names])
    new = {"principal_diagnosis": principal, "other_diagnoses": others}
    if operations is None:
        new["principal_procedure"] = pa.nulls(len(ids), pa.string())
        new["other_procedures"] = pa.nulls(len(ids), pa.list_(pa.string()))
    else:
        rows = _rows(_whole(operations), "oprn_oprt_code", "main_oprn_flag", _("the operations"))
        principal, others, more, counts["operations_of_no_case"] = _grouped(
            rows, ids, ("no_main_procedure", "several_main_procedures")
        )
        new |= {"principal_procedure": principal, "other_procedures": others}
        findings |= more
    taken = [name for name in (*new, FINDINGS) if name in table.column_names]
    table = table.drop_columns(taken)
    for name, column in new.items():
        table = table.append_column(name, column)
    counts = {name: int(flags.sum()) for name, flags in findings.items()} | counts
    return JoinedCases(table.append_column(FINDINGS, _as_text(findings, len(ids))), counts)


def _whole(source: Any) -> pa.Table:
    with open_cases(source) as opened:
        return opened.table()


def _texts(table: pa.Table, name: str, what: str) -> pa.ChunkedArray:
    if table.column_names.count(name) != 1:
        raise CaseSchemaError(
            _("{what} have no column {name!r}", what=what, name=name)
            if name not in table.column_names
            else _("{what} have several columns {name!r}", what=what, name=name),
            hint=_("They have: {column_names}", column_names=", ".join(table.column_names[:30])),
        )
    try:
        return pc.utf8_trim_whitespace(table[name].cast(pa.string()))
    except pa.ArrowException:
        raise CaseSchemaError(
            _("column {name!r} of {what} holds no text", name=name, what=what)
        ) from None


def _check_ids(ids: pa.ChunkedArray) -> None:
    empty = pc.fill_null(pc.equal(ids, ""), True).to_numpy()
    if empty.any():
        raise CaseSchemaError(
            _(
                "row {row} of the settlement information has no {id}",
                row=int(np.argmax(empty)) + 1,
                id=ID,
            )
        )
    counts = pc.value_counts(ids.combine_chunks())
    twice = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(twice):
        raise CaseSchemaError(
            _(
                "{count:,} ids occur more than once in the settlement information, first {twice}",
                count=len(twice),
                twice=twice[0]["values"].as_py(),
            ),
            hint=_("The table must have one row a settlement: leave out reversed and older ones."),
        )


def _rows(table: pa.Table, code: str, main: str, what: str) -> pa.Table:
    flags = pc.utf8_lower(_texts(table, main, what))
    return pa.table(
        {
            "id": _texts(table, ID, what),
            "code": _texts(table, code, what),
            "main": pc.fill_null(pc.is_in(flags, value_set=_TRUE), False),
        }
    ).filter(pc.greater(pc.fill_null(pc.utf8_length(_texts(table, code, what)), 0), 0))


def _grouped(
    rows: pa.Table, ids: pa.ChunkedArray, names: tuple[str, str], *, every: bool = False
) -> tuple[pa.Array, pa.Array, dict[str, npt.NDArray[np.bool_]], int]:
    """Principal codes, lists of the others, findings, and how many rows are of no case.

    With `every`, a case without any code lacks its main one too.
    """
    n = len(ids)
    case = pc.index_in(rows["id"], value_set=ids.combine_chunks()).fill_null(-1).to_numpy()
    place = np.flatnonzero(case >= 0)
    place = place[np.argsort(case[place], kind="stable")]
    of = case[place]
    main = rows["main"].to_numpy()[place]
    number = np.bincount(of[main], minlength=n)
    there = np.bincount(of, minlength=n) > 0
    chosen = main & (number[of] == 1)
    at = np.full(n, -1, np.int64)
    at[of[chosen]] = place[chosen]
    codes = rows["code"].combine_chunks()
    principal = codes.take(pa.array(at, mask=at < 0))
    rest = place[~chosen]
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(of[~chosen], minlength=n), out=offsets[1:])
    others = pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32)), codes.take(pa.array(rest))
    )
    findings = {
        names[0]: (there | every) & (number == 0),
        names[1]: number > 1,
    }
    return principal, others, findings, int(np.count_nonzero(case < 0))


def _as_text(findings: dict[str, npt.NDArray[np.bool_]], n: int) -> pa.Array:
    """The names of a case's findings joined by |, null where there are none."""
    bits = np.zeros(n, np.int64)
    for bit, flags in enumerate(findings.values()):
        bits |= flags.astype(np.int64) << bit
    names = list(findings)
    texts = [
        "|".join(name for bit, name in enumerate(names) if key >> bit & 1)
        for key in range(1 << len(names))
    ]
    return pa.array(texts, pa.string()).take(pa.array(bits, mask=bits == 0))
