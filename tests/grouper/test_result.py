"""Numbers that two modules must agree on, the result columns, and the summary."""

from __future__ import annotations

import inspect
import math
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from drgcore.errors import CaseSchemaError
from drgcore.grouper import REASONS, RESULT_COLUMNS, STATUSES, group, kernel, summarise
from drgcore.grouper.intervals import NUMBER_RANGES, VARIABLE_ORDER
from drgcore.grouper.lowering import ACCEPT, FIELD_OPS, Op
from drgcore.grouper.result import SEVERITIES, GroupedRows, check_free
from drgcore.grouper.summary import SummaryCount
from drgcore.grouper.tables import compile_tables
from drgcore.schemes.model import GroupKind
from drgcore.schemes.rules import LOCAL_VARIABLES
from tests.grouper.helpers import DATA, RESULT, SCHEMES, read_samples, scheme, table_of

# --- what the kernel repeats as literals ------------------------------------------------------


def test_the_kernels_statuses_are_in_order() -> None:
    names = [s.upper() for s in STATUSES]
    assert [getattr(kernel, n) for n in names] == list(range(len(STATUSES)))


def test_the_kernels_reasons_are_in_order() -> None:
    names = {
        "principal_diagnosis_missing": "DIAGNOSIS_MISSING",
        "principal_diagnosis_unknown": "DIAGNOSIS_UNKNOWN",
        "newborn_weight_missing": "WEIGHT_MISSING",
        "newborn_weight_invalid": "WEIGHT_INVALID",
    }
    # Behind them stand those that are given before or after the kernel.
    given_out = [r for r in REASONS if not r.startswith(("no_mdc_", "discharge_date"))]
    numbers = [getattr(kernel, names.get(r, r.upper())) for r in given_out]
    assert numbers == list(range(1, len(given_out) + 1))
    assert list(REASONS)[: len(given_out)] == given_out
    assert kernel.NO_REASON == 0


def test_the_kernels_instructions_are_those_of_op() -> None:
    source = inspect.getsource(kernel._run.py_func)
    branches = re.findall(r"if op == (\d):\n\s+truth = (.*)\n", source)
    says = {
        Op.PRINCIPAL_DIAGNOSIS: "t.principal_row",
        Op.PRINCIPAL_PROCEDURE: "t.procedure_row",
        Op.OTHER_DIAGNOSIS: "_test(bits, 0, a)",
        Op.OTHER_PROCEDURE: "_test(bits, t.other_diagnosis_words, a)",
        Op.MCC: "_HAS_MCC",
        Op.CC: "_HAS_CC",
        Op.COMPARE: "t.compare_truth",
    }
    assert [int(n) for n, _ in branches] == list(range(len(says)))
    for number, text in branches:
        assert says[Op(int(number))] in text
    # The last one is what is left.
    assert max(Op) == Op.COUNT == len(branches)
    assert kernel._ACCEPT == ACCEPT
    assert set(FIELD_OPS.values()) == set(list(Op)[:4])


def test_the_numbers_of_the_kernel_are_in_the_order_of_the_rule_language() -> None:
    assert VARIABLE_ORDER == ("XB", "NL", "XSRTL", "XSRTZ") == tuple(NUMBER_RANGES)[:4]
    assert tuple(NUMBER_RANGES)[4:] == tuple(LOCAL_VARIABLES)
    assert (kernel._SEX, kernel._AGE, kernel._DAYS, kernel._WEIGHT) == (0, 1, 2, 3)


def test_severities_and_kinds_of_group_are_in_the_kernels_order() -> None:
    assert SEVERITIES == ("none", "CC", "MCC")
    of = scheme("chs-drg-3.0")
    tables = compile_tables(of)
    at = int(tables.kernel.layout["adrg_status"])
    statuses = tables.kernel.ints[at : at + len(of.adrgs)]
    meant = {GroupKind.NAMED: "grouped", GroupKind.AMBIGUOUS: "ambiguous"}
    assert [STATUSES[s] for s in statuses] == [meant.get(a.kind, "ungrouped") for a in of.adrgs]


# --- compiled tables --------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMES)
def test_compiled_tables_stay_inside_their_arrays(name: str) -> None:
    tables = compile_tables(scheme(name))
    layout, ints, words = tables.kernel
    assert (ints.dtype, words.dtype) == (np.int32, np.uint64)
    codes, procedures = len(tables.diagnoses), len(tables.procedures)
    rows = {
        "principal_row": (codes, layout["mask_words"]),
        "procedure_row": (procedures, layout["mask_words"]),
        "other_diagnosis_row": (codes, layout["other_diagnosis_words"]),
        "other_procedure_row": (procedures, layout["other_procedure_words"]),
        "exclusion_row": (codes, 1),
    }
    for field, (count, width) in rows.items():
        starts = ints[int(layout[field]) :][:count]
        assert len(starts) == count
        assert starts.min() >= 0
        assert starts.max() + width <= len(words)
    assert compile_tables(scheme(name)) is tables


@pytest.mark.parametrize("name", SCHEMES)
def test_codes_of_one_class_stand_in_the_same_sets(name: str) -> None:
    of, tables = scheme(name), compile_tables(scheme(name))
    asked = [s for s in sorted(of.named_sets()) if s in of.sets]
    codes = tables.diagnoses.codes.to_pylist()
    classes = tables.classes["ZYZD"][2:]
    tested = [s for s in asked if any(str(a.rule) == f"ZYZD in {s}" for a in of.adrgs)]
    assert len(tested) >= 50
    for set_id in tested[:15]:
        inside = {int(c) for c, code in zip(classes, codes, strict=True) if code in of.sets[set_id]}
        outside = {
            int(c) for c, code in zip(classes, codes, strict=True) if code not in of.sets[set_id]
        }
        assert not inside & outside, set_id


# --- result columns and summary ---------------------------------------------------------------


def _grouped(rows: int = 300) -> pa.Table:
    cases = read_samples(DATA / "expected_chs-drg-3.0.csv")[:rows]
    broken = [{**c, "sex": None} for c in cases[:7]] + [
        {**c, "principal_diagnosis": None} for c in cases[:3]
    ]
    return group(table_of([*cases, *broken]), scheme("chs-drg-3.0"))


def test_result_columns_are_dictionaries_of_strings() -> None:
    result = _grouped()
    assert tuple(result.column_names[-8:]) == RESULT_COLUMNS == RESULT
    for name in RESULT_COLUMNS:
        lists = name == "reasons"
        kind = pa.list_(pa.string()) if lists else pa.dictionary(pa.int32(), pa.string())
        assert result.schema.field(name).type == kind
    assert set(result["status"].to_pylist()) <= set(STATUSES)
    assert set(result["reason"].to_pylist()) <= {*REASONS, None}


def test_an_invalid_case_has_no_group_and_a_grouped_one_no_reason() -> None:
    for row in _grouped().select(RESULT_COLUMNS).to_pylist():
        if row["status"] == "invalid":
            assert row["mdc"] is row["adrg"] is row["drg"] is row["severity"] is None
        assert (row["reason"] is None) == (row["status"] == "grouped")
        if row["drg"] is not None:
            assert row["drg"].startswith(row["adrg"])
            assert row["severity"] in SEVERITIES


def test_the_summary_adds_up() -> None:
    result = _grouped()
    summary = summarise(result, "chs-drg-3.0")
    assert summary.rows == result.num_rows == sum(summary.statuses.values())
    assert tuple(summary.statuses) == STATUSES
    assert sum(summary.reasons.values()) == summary.rows - summary.statuses["grouped"]
    assert summary.statuses["invalid"] == 10
    assert summary.reasons["sex_missing"] == 7
    assert summary.reasons["principal_diagnosis_missing"] == 3
    assert list(summary.reasons.values()) == sorted(summary.reasons.values(), reverse=True)
    grouped = pc.sum(pc.equal(result["status"].cast(pa.string()), "grouped")).as_py()
    assert summary.grouping_rate == grouped / result.num_rows
    text = str(summary)
    assert text.startswith("310 cases by chs-drg-3.0\n")
    assert re.search(r"invalid +10 +3\.23%", text)
    assert re.search(r"sex_missing +7", text)


def test_the_summary_of_nothing() -> None:
    empty = group(table_of([]), scheme("chs-drg-3.0"))
    assert empty.num_rows == 0
    summary = summarise(empty, "chs-drg-3.0")
    assert summary.rows == 0
    assert set(summary.statuses.values()) == {0}
    assert math.isnan(summary.grouping_rate)
    assert "0 cases" in str(summary)


def test_the_summary_of_a_prefixed_result() -> None:
    cases = read_samples(DATA / "expected_chs-drg-3.0.csv")[:20]
    result = group(table_of(cases), scheme("chs-drg-3.0"), prefix="new_")
    assert summarise(result, "x", prefix="new_").rows == 20
    assert summarise(result.to_pandas(), "x", prefix="new_") == summarise(
        result, "x", prefix="new_"
    )


def test_batches_counted_one_by_one_are_counted_as_one() -> None:
    def rows(status: list[int], reason: list[int], flags: list[int]) -> GroupedRows:
        some = GroupedRows.empty(len(status))
        some.status[:], some.reason[:], some.code_flags[:] = status, reason, flags
        return some

    count = SummaryCount()
    count.add(rows([0, 3, 3], [0, 3, 3], [0, 1, 3]))
    count.add(rows([2], [12], [2]))
    count.add(rows([], [], []))
    summary = count.summary("x", 5, 6)
    assert summary.rows == 4
    assert summary.statuses == {"grouped": 1, "ambiguous": 0, "ungrouped": 1, "invalid": 2}
    assert summary.reasons == {"sex_missing": 2, "no_adrg": 1}
    assert summary.rows_with_unknown_diagnosis == 2
    assert summary.rows_with_unknown_procedure == 2
    assert "translated to the insurance version: 5" in str(summary)


def test_the_input_must_not_have_the_results_names() -> None:
    check_free(["drg", "mdc"], "new_", "columns=")
    with pytest.raises(CaseSchemaError, match="already has a column drg") as one:
        check_free(["sex", "drg"], "", "columns=")
    assert "columns=" in str(one.value)
    with pytest.raises(CaseSchemaError, match="already has columns a_mdc, a_drg"):
        check_free(["a_drg", "a_mdc", "drg"], "a_", "columns=")
