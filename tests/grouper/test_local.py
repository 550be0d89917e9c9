"""Local variables on the way of a user's data: from files and frames to groups and reasons."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgcore.cases import LOCAL_SCHEMA, CaseMapping
from drgcore.errors import CaseSchemaError
from drgcore.grouper import cover, explain, group, group_file, stream
from drgcore.grouper.plain import group_plainly
from drgcore.schemes import Scheme
from drgcore.schemes.rules import LOCAL_VARIABLES
from tests.grouper.helpers import (
    Row,
    assert_same,
    by_kernel,
    by_plain,
    case_row,
    local_schema,
    table_of,
    twin_of,
)
from tests.grouper.strategies import DIAGNOSES, PROCEDURES, SchemeRows, scheme_of
from tests.grouper.test_random_schemes import _plain_case

pytestmark = pytest.mark.usefixtures("small_dictionaries")

# One group cut by each of the four; what is left over goes to AA19.
CUTS = (
    ("AA11", "ZYTS > 60"),
    ("AA12", "LYFS = 5"),
    ("AA13", "ICUSC >= 96 and CYKB not in DEPT_X"),
    ("AA14", "CYKB in {DEPT_X, DEPT_Y}"),
    ("AA19", ""),
)


def _scheme(cuts: tuple[tuple[str, str], ...] = CUTS) -> Scheme:
    rows: SchemeRows = {
        "mdc": [("MDCA", "", "", 1)],
        "adrg": [("AA1", "named", "", "MDCA", 1)],
        "drg": [(c, c, rule, "AA1", "MDCA", i) for i, (c, rule) in enumerate(cuts)],
        "sets": [("DEPT_X", "0301"), ("DEPT_X", "ICU"), ("DEPT_Y", "内科"), ("DEPT_Y", "a1")],
    }
    return scheme_of(rows, "city")


def _case(**local: Any) -> Row:
    """An adult; what is not named is missing."""
    values = {name: local.get(name) for name in LOCAL_SCHEMA.names}
    return {**case_row("A00", sex=1, age_years=40), **values}


def _drg(of: Scheme, schema: pa.Schema | None = None, **local: Any) -> str | None:
    """Group one case in all three ways, which must agree."""
    case = _case(**local)
    kernel = by_kernel([case], of, schema or local_schema())
    assert_same(kernel, [twin_of(of, DIAGNOSES, PROCEDURES).group(case)], [case], "twin")
    assert_same(kernel, [by_plain(group_plainly(of, _plain_case(of, case)))], [case], "plain")
    drg: str | None = kernel[0]["drg"]
    return drg


@pytest.mark.parametrize(
    ("local", "drg"),
    [
        ({}, "AA19"),
        ({"length_of_stay": 61}, "AA11"),
        ({"length_of_stay": 60}, "AA19"),
        ({"length_of_stay": 36_500}, "AA11"),
        ({"leaving_way": 5}, "AA12"),
        ({"leaving_way": 4}, "AA19"),
        ({"length_of_stay": 61, "leaving_way": 5}, "AA11"),
        ({"icu_hours": 96}, "AA13"),
        ({"icu_hours": 95}, "AA19"),
        ({"icu_hours": 96, "department": "0301"}, "AA14"),
        ({"icu_hours": 96, "department": "none of them"}, "AA13"),
        ({"department": "0301"}, "AA14"),
        ({"department": "icu"}, "AA14"),
        ({"department": " ＩＣＵ "}, "AA14"),
        ({"department": "A1"}, "AA14"),
        ({"department": "内科"}, "AA14"),
        ({"department": "301"}, "AA19"),
        ({"department": "-"}, "AA19"),
        # Out of its range a number is unreadable, and no comparison with it holds.
        ({"length_of_stay": 36_501}, "AA19"),
        ({"length_of_stay": -1}, "AA19"),
        ({"icu_hours": 200_001}, "AA19"),
    ],
)
def test_what_a_local_variable_says(local: dict[str, Any], drg: str) -> None:
    assert _drg(_scheme(), **local) == drg


@pytest.mark.parametrize(
    ("rule", "missing", "present"),
    [
        ("ZYTS >= 0", False, True),
        ("not ZYTS >= 0", True, False),
        ("ZYTS > 0 or ZYTS = 0", False, True),
        ("LYFS < 10", False, True),
        ("not LYFS > 3", True, True),
        ("ICUSC <= 200000", False, True),
        ("CYKB in DEPT_X", False, True),
        ("CYKB not in DEPT_X", True, False),
        ("not CYKB not in DEPT_X", False, True),
        ("CYKB in DEPT_NONE", False, False),
        ("CYKB not in DEPT_NONE", True, True),
    ],
)
def test_a_missing_value_makes_a_condition_false_and_no_case_invalid(
    rule: str, missing: bool, present: bool
) -> None:
    of = _scheme((("AA11", rule), ("AA19", "")))
    there = _drg(of, length_of_stay=3, leaving_way=1, icu_hours=0, department="ICU")
    assert there == ("AA11" if present else "AA19")
    for value in (None, "x", "-5", "9e9"):
        text = local_schema(pa.string())
        local = dict.fromkeys(("length_of_stay", "leaving_way", "icu_hours", "department"), value)
        assert _drg(of, text, **local) == ("AA11" if missing else "AA19")


def test_a_local_condition_at_every_level() -> None:
    rows: SchemeRows = {
        "mdc": [("MDCA", "", "ZYTS > 3", 1), ("MDCB", "", "CYKB in DEPT_X or ZYZD in DI_A", 2)],
        "adrg": [("AA1", "a", "LYFS = 1", "MDCA", 1), ("BA1", "b", "ICUSC > 0", "MDCB", 1)],
        "drg": [("AA19", "", "", "AA1", "MDCA", 1), ("BA19", "", "", "BA1", "MDCB", 1)],
        "sets": [("DEPT_X", "ICU"), ("DI_A", "A00")],
    }
    of = scheme_of(rows)
    assert _drg(of, length_of_stay=4, leaving_way=1) == "AA19"
    assert _drg(of, length_of_stay=4, leaving_way=2) is None
    assert _drg(of, length_of_stay=3, leaving_way=1, icu_hours=1, department="ICU") == "BA19"
    assert _drg(of, icu_hours=1) == "BA19"


@pytest.mark.parametrize(
    ("rule", "column", "value", "kind", "holds"),
    [
        ("ZYZLZB >= 0.573", "tcm_share", 0.573, None, True),
        ("ZYZLZB >= 0.573", "tcm_share", math.nextafter(0.573, 0), None, False),
        ("ZYZLZB > 0.573", "tcm_share", 0.573, None, False),
        ("ZYZLZB > 0.573", "tcm_share", math.nextafter(0.573, 1), None, True),
        ("ZYZLZB = 0.6", "tcm_share", "60%", pa.string(), True),
        ("ZYZLZB >= 0.573", "tcm_share", "57.3 ％", pa.string(), True),
        ("ZYZLZB > 0.5", "tcm_share", "60", pa.string(), False),
        ("ZYZLZB <= 0", "tcm_share", None, None, False),
        ("CSTZ < 1500", "birth_weight_g", 1499, None, True),
        ("CSTZ < 1500", "birth_weight_g", "1.499", pa.string(), False),
        ("RJSS = 1", "day_surgery", True, pa.bool_(), True),
        ("RJSS = 0", "day_surgery", False, pa.bool_(), True),
        ("RJSS = 0", "day_surgery", None, pa.bool_(), False),
        ("DBW = 1", "several_sites", "是", pa.string(), True),
        ("XJS = 1", "new_technique", 1, pa.int64(), True),
        ("XJS = 0 or XJS = 1", "new_technique", 2, pa.int64(), False),
        ("ZZJH = 0", "intensive_care", "无", pa.string(), True),
    ],
)
def test_shares_weights_at_birth_and_answers(
    rule: str, column: str, value: Any, kind: pa.DataType | None, holds: bool
) -> None:
    schema = local_schema()
    if kind is not None:
        place = schema.get_field_index(column)
        schema = schema.set(place, pa.field(column, kind))
    drg = _drg(_scheme((("AA11", rule), ("AA19", ""))), schema, **{column: value})
    assert drg == ("AA11" if holds else "AA19")


# --- Data -------------------------------------------------------------------------------------


CASES = [
    _case(length_of_stay=61),
    _case(leaving_way=5),
    _case(icu_hours=100),
    _case(department="内科"),
    _case(),
]
DRGS = ["AA11", "AA12", "AA13", "AA14", "AA19"]


def test_frames_files_and_text_give_the_same_groups(tmp_path: Path) -> None:
    of = _scheme()
    table = table_of(CASES, local_schema())
    assert group(table, of)["drg"].to_pylist() == DRGS
    frame = group(table.to_pandas(), of)
    assert isinstance(frame, pd.DataFrame)
    assert frame["drg"].tolist() == DRGS
    pq.write_table(table, tmp_path / "in.parquet")
    summary = group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", of)
    written = pq.read_table(tmp_path / "out.parquet")
    assert written["drg"].to_pylist() == DRGS
    # The department is read as a dictionary and written as what it was.
    assert written.schema.field("department").type == pa.string()
    assert summary.rows_with_unreadable_local == 0
    group_file(tmp_path / "in.parquet", tmp_path / "out.csv", of)
    again = group_file(tmp_path / "out.csv", tmp_path / "b.parquet", of, prefix="b_")
    assert pq.read_table(tmp_path / "b.parquet")["b_drg"].to_pylist() == DRGS
    assert again.rows == len(CASES)


def test_a_case_does_not_depend_on_those_beside_it() -> None:
    of = _scheme()
    cases = CASES * 50
    whole = group(table_of(cases, local_schema()), of, threads=2)["drg"].to_pylist()
    assert whole == DRGS * 50
    pieces = pa.chunked_array([pa.array([c["department"]], pa.string()) for c in cases])
    chunked = table_of(cases, local_schema())
    at = chunked.schema.get_field_index("department")
    chunked = chunked.set_column(at, "department", pieces.dictionary_encode())
    assert group(chunked, of)["drg"].to_pylist() == whole
    backwards = group(table_of(cases[::-1], local_schema()), of)["drg"].to_pylist()
    assert backwards == whole[::-1]


def test_an_empty_table_has_the_columns_too() -> None:
    empty = table_of([], local_schema())
    assert group(empty, _scheme())["drg"].to_pylist() == []
    with pytest.raises(CaseSchemaError, match="icu_hours"):
        group(empty.drop_columns(["icu_hours"]), _scheme())


@pytest.mark.parametrize("column", LOCAL_SCHEMA.names)
def test_a_column_that_the_scheme_needs_must_be_there(column: str, tmp_path: Path) -> None:
    """A condition that is never true would group every case wrongly without a word."""
    each = [f"{name} = 1" for name in LOCAL_VARIABLES]
    of = _scheme((*CUTS[:-1], ("AA15", " or ".join(each)), CUTS[-1]))
    table = table_of(CASES, local_schema()).drop_columns([column])
    pq.write_table(table, tmp_path / "in.parquet")
    without = dataclasses.replace(CaseMapping.preset("canonical"), **{column: None})
    whole = table_of(CASES, local_schema())
    for attempt in (
        lambda: group(table, of),
        lambda: group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", of),
        lambda: explain(table.slice(0, 1), of),
        lambda: group(whole, of, mapping=without),
    ):
        with pytest.raises(CaseSchemaError, match=rf"{column}: .*rules of the scheme ask for it"):
            attempt()
    assert not (tmp_path / "out.parquet").exists()
    # A scheme that does not ask for it does not miss it.
    cuts = tuple((c, "NL > 200" if column in _columns_of(r) else r) for c, r in CUTS)
    assert group(table, _scheme(cuts)).num_rows == len(CASES)


def _columns_of(rule: str) -> set[str]:
    return set(_scheme((("AA11", rule), ("AA19", ""))).local_columns.values())


def test_a_column_that_the_scheme_does_not_ask_for_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[str] | None] = []
    opened = stream.open_cases

    def spy(*arguments: Any, **options: Any) -> Any:
        read.append(options.get("columns"))
        return opened(*arguments, **options)

    monkeypatch.setattr(stream, "open_cases", spy)
    pq.write_table(table_of(CASES, local_schema()), tmp_path / "in.parquet")
    of = _scheme((("AA11", "ZYTS > 60"), ("AA19", "")))
    group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", of, columns=["sex"])
    assert read[0] is None  # the first look is for the names
    assert read[1] is not None
    assert set(read[1]) & set(LOCAL_SCHEMA.names) == {"length_of_stay"}


def test_unreadable_numbers_are_counted(tmp_path: Path) -> None:
    texts = ["61", None, "", "x", "-1", "40000", "3天"]
    cases = [_case(length_of_stay=t, leaving_way="1", icu_hours="0") for t in texts]
    cases.append(_case(length_of_stay="?", leaving_way="0", icu_hours="12:30", department="?"))
    # An unknown other code is counted beside it, not instead.
    cases[3]["other_diagnoses"] = ["?"]
    cases[-1]["other_procedures"] = ["?"]
    pq.write_table(table_of(cases, local_schema(pa.string())), tmp_path / "in.parquet")
    summary = group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", _scheme())
    assert summary.rows_with_unreadable_local == 4
    assert summary.rows_with_unknown_diagnosis == 1
    assert summary.rows_with_unknown_procedure == 1
    assert summary.statuses["invalid"] == 0
    assert "  rows with an unreadable local number: 4" in str(summary)
    official = group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", _scheme(CUTS[-1:]))
    assert official.rows_with_unreadable_local is None
    assert "local" not in str(official)


def test_an_hqms_export() -> None:
    # What the export holds of the four; ICU hours come with a mapping of one's own.
    of = _scheme(tuple(cut for cut in CUTS if "ICUSC" not in cut[1]))
    names = {"length_of_stay": "B20", "leaving_way": "B34C", "department": "B16C"}
    columns = {
        "C03C": ["A00"] * 5,
        "C06x01C": [None] * 5,
        "C14x01C": [None] * 5,
        "C35x01C": [None] * 5,
        "A12C": ["1"] * 5,
        "A14": ["40"] * 5,
        **{n: [None if c[k] is None else str(c[k]) for c in CASES] for k, n in names.items()},
    }
    schema = pa.schema({name: pa.string() for name in columns})
    found = group(pa.table(columns, schema=schema), of, mapping="hqms", columns=[])
    assert found["drg"].to_pylist() == ["AA11", "AA12", "AA19", "AA14", "AA19"]


# --- Explanations and coverage ----------------------------------------------------------------


def test_an_explanation_shows_the_values_and_what_made_a_condition_hold() -> None:
    of = _scheme()
    case = {"principal_diagnosis": "A00", "sex": 1, "age_years": 40}
    why = explain({**case, "length_of_stay": "70", "department": "icu", "leaving_way": "x"}, of)
    assert why.result.drg is not None
    assert why.result.drg.code == "AA11"
    assert (why.case.length_of_stay, why.case.department, why.case.icu_hours) == (70, "ICU", None)
    text = str(why)
    assert "length_of_stay 70, leaving_way ?, icu_hours ?, department ICU" in text
    assert "ZYTS > 60: length_of_stay is 70" in text
    text = str(explain({**case, "department": "内科"}, of))
    assert "CYKB in {DEPT_X, DEPT_Y}: department is 内科" in text
    # What a dict leaves out is missing, as it is of the official columns.
    last = explain(case, of).result.drg
    assert last is not None
    assert last.code == "AA19"
    assert "length_of_stay" not in str(explain(case, _scheme(CUTS[-1:])))


def test_witnesses_have_the_values_that_lead_to_their_groups() -> None:
    found = cover(_scheme())
    assert not found.unreachable
    assert not found.open
    stay = found.witnesses["AA11"].length_of_stay
    assert stay is not None
    assert stay > 60
    assert found.witnesses["AA12"].leaving_way == 5
    assert found.witnesses["AA14"].department in {"0301", "ICU", "内科", "a1"}
    for drg, case in found.witnesses.items():
        row = {**_case(), **{n: getattr(case, n) for n in LOCAL_SCHEMA.names}}
        assert by_kernel([row], _scheme(), local_schema())[0]["drg"] == drg


@pytest.mark.parametrize(
    ("rule", "reachable"),
    [
        ("ZYTS > 3 and ZYTS < 4", False),
        ("ZYTS > 36500", False),
        ("LYFS < 1", False),
        ("ICUSC > 0 and not ICUSC > 0", False),
        ("CYKB in DEPT_X and CYKB in DEPT_Y", False),
        ("CYKB in DEPT_X and CYKB not in DEPT_X", False),
        ("CYKB in DEPT_NONE", False),
        # Only a case without the value meets these.
        ("not ZYTS >= 0", True),
        ("not LYFS <= 9 and not ICUSC >= 0 and CYKB not in {DEPT_X, DEPT_Y}", True),
    ],
)
def test_what_no_value_meets_is_proven_to_be_out_of_reach(rule: str, reachable: bool) -> None:
    found = cover(_scheme((("AA11", rule), ("AA19", ""))))
    assert ("AA11" in found.witnesses) is reachable
    assert ("AA11" in found.unreachable) is not reachable


def test_a_group_that_only_a_missing_value_leaves_open_is_found() -> None:
    found = cover(_scheme((("AA11", "ZYTS <= 3"), ("AA12", "ZYTS > 3"), ("AA19", ""))))
    assert found.witnesses["AA19"].length_of_stay is None
    assert found.witnesses["AA12"].length_of_stay == 4
