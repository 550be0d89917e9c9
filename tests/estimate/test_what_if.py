"""What-if and pivotal codes against the plain evaluator, one case and one change at a time."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drgcore
from drgcore.errors import CaseSchemaError
from drgcore.estimate import pivotal_codes, pivotal_summary, what_if
from drgcore.language import use_language
from drgcore.points import Policy
from tests.reference.plain_variants import plain_variants

SAMPLE = drgcore.sample_cases(3000, "chs-drg-3.0", seed=11, dirty=0.05)
CODED = (
    *("principal_diagnosis", "other_diagnoses", "principal_procedure", "other_procedures"),
    *("sex", "age_years", "age_days", "newborn_weight_g"),
)


def row_of(number: int) -> dict[str, Any]:
    return SAMPLE.select(list(CODED)).slice(number, 1).to_pylist()[0]


def one(**columns: Any) -> pa.Table:
    case: dict[str, Any] = {"principal_diagnosis": "G11.900", "other_diagnoses": ["S52.804"]}
    case |= {"principal_procedure": None, "other_procedures": [], "sex": 2, "age_years": 69}
    return pa.Table.from_pylist([case | columns])


@settings(max_examples=60)
@given(st.integers(0, SAMPLE.num_rows - 1))
def test_every_variant_is_the_case_with_one_change(number: int) -> None:
    found = what_if(SAMPLE.slice(number, 1)).table
    expected = plain_variants(row_of(number))
    assert found["kind"].tolist() == [kind for kind, _, _ in expected]
    whole = pa.Table.from_pylist([case for _, _, case in expected], SAMPLE.select(CODED).schema)
    groups = drgcore.group(whole, columns=[]).to_pandas()
    for name in ("mdc", "adrg", "drg", "status", "reason", "severity"):
        assert found[name].fillna("").tolist() == groups[name].astype(object).fillna("").tolist()


def test_pivotal_codes_are_the_variants_that_change_the_group() -> None:
    few = SAMPLE.slice(0, 400)
    expected = []
    for number in range(len(few)):
        table = what_if(few.slice(number, 1)).table
        if table.iloc[0]["status"] != "grouped":
            continue
        without = table[table["changes"] & table["kind"].str.startswith("without_")]
        expected += [(number + 1, r.kind, r.code, r.drg) for r in without.itertuples()]
    found = pivotal_codes(few)
    drgs = found["drg_without"].astype(object)
    listed = list(zip(found["row"], found["kind"], found["code"], drgs, strict=True))
    assert [tuple(map(str, x)) for x in listed] == [tuple(map(str, x)) for x in expected]
    assert len(found) > 100


def test_it_does_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pivotal_codes(SAMPLE)
    monkeypatch.setattr("drgcore.estimate.pivotal._ROWS", 101)
    pd.testing.assert_frame_equal(pivotal_codes(SAMPLE), whole)


def test_weights_of_codes_and_their_sums() -> None:
    found = pivotal_codes(one(), weights={"BU23": 1.5, "BU25": 0.9})
    assert found[["weight", "weight_without"]].values.tolist() == [[1.5, 0.9]]
    assert found["weight_of_code"].round(9).tolist() == [0.6]
    summary = pivotal_summary(found)
    assert summary[["code", "cases"]].values.tolist() == [["S52.804", 1]]
    with pytest.raises(CaseSchemaError, match="no table of pivotal codes"):
        pivotal_summary(pd.DataFrame({"x": [1]}))


def test_a_complication_that_is_excluded_says_so() -> None:
    scheme = drgcore.load_scheme("chs-drg-3.0")
    listed = scheme.complications["S52.804"]
    excluding = min(scheme.exclusions[listed.exclusion])
    for principal, counts in (("G11.900", True), (excluding, False)):
        table = what_if(one(principal_diagnosis=principal)).table
        without = table[table["kind"] == "without_diagnosis"]
        assert without[["complication", "counts"]].values.tolist() == [[listed.type, counts]]
        assert table["complication"].notna().sum() == 1


def test_added_codes_other_schemes_and_the_deciding_rule() -> None:
    found = what_if(
        one(), schemes=["chs-drg-1.1"], add_diagnoses=["I50.900"], add_procedures=["33.6x00"]
    ).table
    assert found["kind"].tolist()[-3:] == ["with_diagnosis", "with_procedure", "scheme"]
    assert found["scheme"].tolist()[-1] == "chs-drg-1.1"
    rules = found.set_index("kind")["decided_by"]
    assert rules["principal_diagnosis"] == "IS1: ZYZD in DI_IS1"
    assert rules["without_diagnosis"].startswith("BU25: ")
    assert rules.isna()["with_procedure"]
    with pytest.raises(CaseSchemaError, match=r"'Z99\.999' is in no dictionary"):
        what_if(one(), add_diagnoses=["Z99.999"])


def test_the_order_is_that_of_the_record_unless_asked() -> None:
    case = one(other_diagnoses=["I10.x00", "S52.804"])
    weights = {"BU23": 1.5, "BU25": 0.9, "IS13": 2.0}
    by_record = what_if(case, weights=weights).table
    assert by_record["code"].dropna().tolist() == ["I10.x00", "S52.804"] * 2
    by_payment = what_if(case, weights=weights, by="payment").table
    assert by_payment["kind"].iloc[0] == "as_coded"
    assert by_payment["weight"].iloc[1:].dropna().is_monotonic_decreasing
    with pytest.raises(CaseSchemaError, match="needs weights or a policy"):
        what_if(case, by="payment")
    found = what_if(case)
    assert str(found).startswith("Coding follows the record")
    with use_language("zh"):
        shown = str(found).splitlines()
    assert shown[0].startswith("编码依据病历记录")
    assert shown[1].split()[:3] == ["类别", "编码", "名称"]
    assert shown[2].split()[0] == "现有编码"


def test_points_and_payment_by_a_policy() -> None:
    cases = drgcore.sample_cases(50, "chs-drg-3.0", seed=4)
    policy = Policy.load("example")
    pools = dict.fromkeys(set(cases["pool"].to_pylist()), 64)
    earned = drgcore.compute_points(drgcore.group(cases), policy)
    for number in range(0, 50, 7):
        table = what_if(cases.slice(number, 1), policy=policy, values=pools).table
        points = earned["points"][number].as_py()
        assert table["points"].iloc[0] == points
        assert table["payment"].iloc[0] == points * 64
    with pytest.raises(CaseSchemaError, match="no point value of pool"):
        what_if(cases.slice(0, 1), policy=policy, values={"other": 1})
    with pytest.raises(CaseSchemaError, match="need a policy"):
        what_if(cases.slice(0, 1), values=pools)


def test_what_is_not_one_case() -> None:
    with pytest.raises(CaseSchemaError, match="takes one case, not 3000 rows"):
        what_if(SAMPLE)


def test_a_case_without_principal_codes() -> None:
    empty = one(principal_diagnosis=None, other_diagnoses=["S52.804", None])
    found = what_if(empty).table
    assert found["kind"].tolist() == ["as_coded", "principal_diagnosis", "without_diagnosis"]
    assert found["status"].tolist() == ["invalid", "grouped", "invalid"]


def test_reasons_and_the_deciding_rule_are_data() -> None:
    found = drgcore.what_if(
        {
            "principal_diagnosis": ["G11.900"],
            "other_diagnoses": [["S52.804", "V01.000"]],
            "principal_procedure": [None],
            "other_procedures": [[]],
            "sex": [None],
            "age_years": [69],
        }
    ).table
    assert found["reasons"].map(lambda reasons: reasons[0]).tolist() == found["reason"].tolist()
    valid = drgcore.what_if(
        {
            "principal_diagnosis": ["G11.900"],
            "other_diagnoses": [["S52.804"]],
            "principal_procedure": [None],
            "other_procedures": [[]],
            "sex": [2],
            "age_years": [69],
        }
    ).table
    assert valid["reasons"].isna().all()
    changed = valid[valid["changes"]]
    assert (
        (changed["deciding_group"] + ": " + changed["deciding_rule"]) == changed["decided_by"]
    ).all()
    assert set(changed["deciding_group"]) == {"IS1", "BU25"}
    assert valid[~valid["changes"]]["deciding_group"].isna().all()


def test_one_case_is_a_dict_a_row_of_a_frame_or_columns_of_one_row() -> None:
    case = {"principal_diagnosis": "K80.101", "other_diagnoses": ["I50.900"], "sex": 1}
    case |= {"principal_procedure": "51.2300", "age_years": 45}
    columns = {name: [value] for name, value in case.items()} | {"other_procedures": [None]}
    whole = drgcore.what_if(columns).table
    pd.testing.assert_frame_equal(drgcore.what_if(case).table, whole)
    pd.testing.assert_frame_equal(drgcore.what_if(pd.Series(case)).table, whole)
    with pytest.raises(drgcore.CaseSchemaError, match="one case, not 2 rows"):
        drgcore.what_if(pd.DataFrame(columns | {"sex": [1]}).iloc[[0, 0]])
