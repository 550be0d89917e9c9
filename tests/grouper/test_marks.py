"""What files hold that is no code or no number: read where it is certain, marked where not."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from drgcore.errors import CaseSchemaError
from drgcore.grouper import CODE_FLAGS, REASONS, explain, group, group_file
from drgcore.language import use_language
from tests.grouper.helpers import DATA

FOLDED = {
    *("good", "trailing space", "lower case", "full width", "nbsp", "tab inside"),
    *("quoted excel text", "formula"),
}
PAIRS = {"plus", "plus full width", "X upper"}
INVALID = {
    "0.5": "age_days_missing",
    "Y3": "age_invalid",
    "3Y": "age_invalid",
    "0 age + 1月 in days": "age_days_invalid",
    "0 age + 366 days": "age_days_invalid",
    "-1": "age_invalid",
    "999": "age_invalid",
    "birth date": "age_invalid",
    "kg 3.2": "newborn_weight_invalid",
    "0 weight": "newborn_weight_missing",
    "sex 未知": "sex_missing",
    "sex 9": "sex_missing",
    "sex 0": "sex_missing",
    "sex 男1": "sex_invalid",
}


def grouped(name: str, folder: Path, **options: Any) -> tuple[dict[str, dict[str, str]], Any]:
    """The rows of a carried file by id, grouped; and the summary."""
    summary = group_file(DATA / name, folder / "out.csv", **options)
    with (folder / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}, summary


def test_codes_are_folded_or_marked(tmp_path: Path) -> None:
    rows, summary = grouped("codes_as_written.csv", tmp_path)
    for name, row in rows.items():
        if name in FOLDED:
            assert (row["drg"], row["code_flags"]) == ("HC43", ""), name
        elif name in PAIRS:
            assert (row["drg"], row["code_flags"]) == ("CV1H", ""), name
        else:
            assert row["code_flags"], name
    assert rows["excel lost zeros"]["code_flags"] == "principal_procedure"
    assert summary.rows_with_unknown_principal_procedure == 3
    near = {(u.column, u.text): u.near for u in summary.reading.unknown_codes()}
    assert near["principal_procedure", "51.23"] == ("51.2300",)
    for text in ("K80. 101", "K8O.101", "K80,101", "K80。101", "K80101"):
        assert near["principal_diagnosis", text] == ("K80.101",)
    text = str(summary)
    assert "in 3 rows the principal procedure is unknown" in text
    # What may be a name is not repeated.
    assert "胆囊" not in text


def test_zeros_are_restored_on_request_and_counted(tmp_path: Path) -> None:
    rows, summary = grouped("codes_as_written.csv", tmp_path, restore_zeros=True)
    assert rows["excel lost zeros"]["drg"] == "HC43"
    assert rows["excel lost zeros"]["code_flags"] == ""
    assert summary.reading.zeros_restored == 1


def test_ages_and_weights_are_read_where_they_are_certain(tmp_path: Path) -> None:
    rows, summary = grouped("values_as_written.csv", tmp_path)
    invalid = {n: r["reason"] for n, r in rows.items() if r["status"] == "invalid"}
    assert invalid == INVALID
    infant = rows["0 age + days 12"]["drg"]
    for name in ("empty age + days 12", "dash age + days 12", "0 age + 12日", "0 age + 0天12小时"):
        assert rows[name]["drg"] == infant
    assert rows["1.2公斤"]["drg"] == rows["1,200"]["drg"] == rows["1200g"]["drg"] == infant
    assert rows["1 year + 12 days conflict"]["reason"] == "no_mdc_age"
    assert rows["3岁5月"]["drg"] == rows["3岁"]["drg"]
    assert summary.reading.ages_deduced == 2


def case(**values: Any) -> dict[str, Any]:
    return {
        "principal_diagnosis": "K80.101",
        "other_diagnoses": "I50.900",
        "principal_procedure": "51.2300",
        "other_procedures": "",
        "sex": "1",
        "age_years": "45",
        **values,
    }


@pytest.mark.parametrize(
    "text",
    [
        "I10.x00;I50.900",
        "I10.x00，I50.900",
        "I10.x00、I50.900",
        "I10.x00｜I50.900",
        "I10.x00/I50.900",
        "I10.x00 I50.900",
        '["I10.x00", "I50.900"]',
        "['I10.x00', 'I50.900']",
        "I10.x00;Z99.zzz;I50.900".replace("zzz", "9"),
    ],
)
def test_a_list_is_read_whatever_stands_between_its_codes(text: str) -> None:
    [row] = group(case(other_diagnoses=text)).to_pylist()
    assert (row["drg"], row["severity"]) == ("HC43", "MCC")
    assert row["code_flags"] == ("other_diagnoses" if "Z99" in text else None)


def test_a_principal_text_of_several_codes_is_read_and_marked() -> None:
    [row] = group(case(principal_procedure="51.2300;54.5100")).to_pylist()
    assert (row["drg"], row["code_flags"]) == ("HC43", "list_of_procedures")


def test_all_faults_are_named_and_have_a_sentence() -> None:
    [row] = group(case(principal_diagnosis="x", sex="", age_years="abc")).to_pylist()
    assert row["reason"] == "principal_diagnosis_unknown"
    assert row["reasons"] == ["principal_diagnosis_unknown", "sex_missing", "age_invalid"]
    with use_language("zh"):
        chinese = {**REASONS, **CODE_FLAGS}
    with use_language("en"):
        english = {**REASONS, **CODE_FLAGS}
    assert all(re.search("[一-鿿]", text) for text in chinese.values())
    assert not any(re.search("[一-鿿]", text) for text in english.values())


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ({"principal_diagnosis": "N40.x00", "sex": "2"}, ["no_mdc_sex"]),
        ({"principal_diagnosis": "P07.200"}, ["no_mdc_age"]),
    ],
)
def test_why_no_mdc_takes_a_case(values: dict[str, str], reasons: list[str]) -> None:
    one = case(principal_procedure="", **values)
    [row] = group(one).to_pylist()
    assert row["reasons"] == reasons == list(explain(one).result.reasons)


def test_numbers_beside_text_in_a_code_column_are_refused() -> None:
    frame = pd.DataFrame([case(principal_procedure=51.23), case()])
    with pytest.raises(CaseSchemaError, match="principal_procedure"):
        group(frame)


def test_one_case_is_a_dict_or_a_row_of_a_frame() -> None:
    frame = pd.DataFrame([case(), case(sex="2")])
    assert group(frame.iloc[1])["drg"].to_pylist() == group(frame)["drg"].tolist()[1:]
    assert explain(frame.iloc[0]).result.drg.code == "HC43"
    with pytest.raises(CaseSchemaError):
        explain({"principal_diagnosis": object(), "sex": 1})


def test_an_explanation_shows_unknown_codes_in_their_place() -> None:
    text = str(explain(case(principal_procedure="51.23")))
    assert "✗ 51.23 unknown; near: 51.2300" in text


def test_a_result_says_what_made_it_and_repeated_ids_are_a_warning(tmp_path: Path) -> None:
    source = tmp_path / "joined.csv"
    pd.DataFrame([case(case_id="S001"), case(case_id="S001"), case(case_id="S002")]).to_csv(
        source, index=False
    )
    summary = group_file(source, tmp_path / "out.parquet")
    made_by = pq.read_schema(tmp_path / "out.parquet").metadata
    assert made_by[b"drgcore.scheme"] == b"chs-drg-3.0"
    assert len(made_by[b"drgcore.digest"]) > 20
    assert made_by[b"drgcore.version"]
    assert "1 row repeats the case_id of another row" in str(summary)
