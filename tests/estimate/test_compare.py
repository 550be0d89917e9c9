"""Our groups beside official ones: each planted difference is found under its name."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import drgcore
from drgcore.errors import CaseSchemaError
from drgcore.estimate import DIFFERENCE_REASONS, compare_groups

SAMPLE = drgcore.sample_cases(600, "chs-drg-3.0", seed=8, dirty=0.2)
GROUPED = drgcore.group(SAMPLE).to_pandas()


def official(**changes: str | None) -> pd.DataFrame:
    table = GROUPED[["case_id", "drg"]].astype(object)
    for case, drg in changes.items():
        table.loc[table["case_id"] == case, "drg"] = drg
    return table


def case_of(**columns: Any) -> pa.Table:
    case: dict[str, Any] = {"case_id": "x", "principal_diagnosis": "G11.900"}
    case |= {"other_diagnoses": ["S52.804"], "principal_procedure": None, "other_procedures": []}
    return pa.Table.from_pylist([case | {"sex": 2, "age_years": 69} | columns])


def kind_of(cases: pa.Table, drg: str | None, **options: Any) -> tuple[Any, Any]:
    returned = pd.DataFrame({"case_id": ["x"], "drg": [drg]})
    found = compare_groups(cases, returned, **options).differing
    assert len(found) == 1
    return found["kind"].iloc[0], found["detail"].iloc[0]


def test_the_same_groups_agree_at_every_level() -> None:
    found = compare_groups(SAMPLE, official())
    assert found.agreement["share"].tolist() == [1.0] * 3
    assert found.differing.empty
    assert found.kinds.empty
    assert found.below({"mdc": 1, "adrg": 1, "drg": 1}) == {}
    assert found.by_month["month"].nunique() == 12
    assert found.by_month.groupby("level")["cases"].sum().tolist() == [600] * 3


def test_no_group_is_written_in_several_ways() -> None:
    none = GROUPED[GROUPED["drg"].isna()]["case_id"].tolist()
    drgs = dict(zip(none, ["0000", "", None, "B000", " 0000 "] * len(none), strict=False))
    assert none
    assert compare_groups(SAMPLE, official(**drgs)).differing.empty


def test_a_version_a_local_rule_and_the_translation_of_codes() -> None:
    older = drgcore.group(SAMPLE, "chs-drg-2.0").select(["case_id", "drg"])
    found = compare_groups(SAMPLE, older)
    assert set(found.kinds["kind"]) == {"version"}
    local = drgcore.group(SAMPLE, "suzhou-2023").select(["case_id", "drg"])
    found = compare_groups(SAMPLE, local, "chs-drg-1.1", schemes=["suzhou-2023"])
    assert set(found.kinds["kind"]) == {"local_rule"}
    assert set(found.differing["detail"]) == {"suzhou-2023"}
    translated = drgcore.group(SAMPLE, clinical_codes=True).select(["case_id", "drg"])
    found = compare_groups(SAMPLE, translated, schemes=["chs-drg-3.0"])
    assert set(found.kinds["kind"]) <= {"code_translation"}


def test_another_principal_diagnosis_and_a_missing_code() -> None:
    assert kind_of(case_of(), "IS19") == ("principal_diagnosis", "S52.804")
    only_own = {"schemes": ["chs-drg-3.0"]}
    assert kind_of(case_of(), "BU25", **only_own) == ("missing_code", "S52.804")
    assert kind_of(case_of(), "ZZ99") == ("unexplained", None)
    assert kind_of(case_of(), None) == ("unexplained", None)


def test_an_excluded_complication() -> None:
    scheme = drgcore.load_scheme("chs-drg-3.0")
    listed = scheme.complications["S52.804"]
    for principal in sorted(scheme.exclusions[listed.exclusion]):
        plain = case_of(principal_diagnosis=principal)
        own = drgcore.group(plain, scheme)["drg"][0].as_py()
        adrg = own and own[:3]
        counting = [d.code for d in scheme.drgs_of(adrg or "") if d.code.endswith("3")]
        if own and own.endswith("5") and counting:
            assert kind_of(plain, counting[0], schemes=[scheme]) == ("exclusion", "S52.804")
            return
    pytest.fail("no principal diagnosis excludes S52.804 in a group that asks for CC")


def test_what_one_side_lacks() -> None:
    returned = official().iloc[1:]
    more = pd.DataFrame({"case_id": ["new"], "drg": ["BU23"]})
    found = compare_groups(SAMPLE, pd.concat([returned, more]))
    kinds = found.kinds.set_index("kind")["cases"].to_dict()
    assert kinds == {"official_missing": 1, "ours_missing": 1}
    assert found.agreement["cases"].tolist() == [599] * 3


def test_thresholds() -> None:
    first = GROUPED[GROUPED["status"] == "grouped"]["case_id"].tolist()[:60]
    found = compare_groups(SAMPLE, official(**dict.fromkeys(first, "ZZ99")))
    assert found.share("drg") == 0.9
    assert found.below({"drg": 0.9}) == {}
    assert found.below({"drg": 0.95, "mdc": 0.5}) == {"drg": 0.9}
    with pytest.raises(CaseSchemaError, match="no level case"):
        found.below({"case": 1})
    assert found.differing["level"].tolist() == ["mdc"] * 60
    assert str(found).startswith("MDC")
    assert set(found.kinds["kind"]) <= set(DIFFERENCE_REASONS)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"case_id": ["1", "1"], "drg": ["A", "B"]}, "more than once: rows 1, 2"),
        ({"case_id": ["1", " "], "drg": ["A", "B"]}, "row 2 has no id"),
        ({"case_id": ["1"], "group": ["A"]}, "need the columns case_id and drg"),
    ],
)
def test_official_groups_that_cannot_be_compared(table: dict[str, Any], message: str) -> None:
    with pytest.raises(CaseSchemaError, match=message):
        compare_groups(SAMPLE, pd.DataFrame(table))
