"""Codes that an unknown text may have meant."""

from __future__ import annotations

import pytest

from drgcore.cases.dictionary import code_table, translation_table
from drgcore.cases.nearest import MAX_NEAREST, Kind, nearest_codes, restored_zeros


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("51.23", "51.2300"),
        ("5123", "51.2300"),
        ("512300", "51.2300"),
        ("51,2300", "51.2300"),
        ("51。2300", "51.2300"),
        ("51. 2300", "51.2300"),
        ("'51.2300", "51.2300"),
        ('="51.2300"', "51.2300"),
        ("51.23OO", "51.2300"),
        ("51.2300 腹腔镜下胆囊切除术", "51.2300"),
        ("51.2300腹腔镜下胆囊切除术", "51.2300"),
        ("3.31", "03.3100"),
        ("51.2300x999", "51.2300"),
        ("37.8300x002", "00.5000x004"),
    ],
)
def test_a_procedure(text: str, code: str) -> None:
    if text == "37.8300x002" and text in code_table("procedures")["code"].to_pylist():
        pytest.skip("a code of both versions")
    assert nearest_codes([text], "procedure")[0][0] == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("K80. 101", "K80.101"),
        ("K8O.101", "K80.101"),
        ("K80,101", "K80.101"),
        ("K80。101", "K80.101"),
        ("K80101", "K80.101"),
        ("I50900", "I50.900"),
        ("'K80.101", "K80.101"),
        ('="K80.101"', "K80.101"),
        ("K80.101 胆囊结石伴急性胆囊炎", "K80.101"),
        ("K80.101;I50.900", "K80.101"),
        ("E10.300x051 + H42.0*", "E10.300x051+H42.0*"),
        ("E10.300x051†H42.0*", "E10.300x051+H42.0*"),
        ("I10", "I10.x00"),
        ("I10x00", "I10.x00"),
        ("K80.1", "K80.100"),
        ("K80.101x999", "K80.101"),
        ("08O.000", "O80.000"),
    ],
)
def test_a_diagnosis(text: str, code: str) -> None:
    assert nearest_codes([text], "diagnosis")[0][0] == code


@pytest.mark.parametrize("text", ["", "无", "lap. chole", "张三", "999999999", "-" * 5000, "\0"])
@pytest.mark.parametrize("kind", ["diagnosis", "procedure"])
def test_what_is_near_to_nothing(text: str, kind: Kind) -> None:
    assert nearest_codes([text], kind) == [()]


@pytest.mark.parametrize(
    ("kind", "table"), [("diagnosis", "diagnoses"), ("procedure", "procedures")]
)
def test_a_code_is_nearest_to_itself_and_a_clinical_one_to_its_translation(
    kind: Kind, table: str
) -> None:
    codes = code_table(table)["code"].to_pylist()  # type: ignore[arg-type]
    assert nearest_codes([c.lower() for c in codes], kind) == [(c,) for c in codes]
    pairs = translation_table(table).to_pylist()  # type: ignore[arg-type]
    known = set(codes)
    only_clinical = [p for p in pairs if p["clinical_code"] not in known]
    found = nearest_codes([p["clinical_code"] for p in only_clinical], kind)
    right = sum(f[:1] == (p["insurance_code"],) for f, p in zip(found, only_clinical, strict=True))
    assert right > 0.99 * len(only_clinical)


def test_every_procedure_that_a_spreadsheet_took_for_a_number_comes_back() -> None:
    codes = [
        c for c in code_table("procedures")["code"].to_pylist() if c.replace(".", "").isdigit()
    ]
    numbers = [c for c in codes if len(c) == 7]
    eaten = [f"{float(c):g}" for c in numbers]
    assert restored_zeros(eaten) == numbers
    assert restored_zeros(["K80.1", "51.23x001", "", "97.77", "51.23001", "1e1"]) == [None] * 6


def test_there_are_never_more_than_a_few_and_all_are_codes() -> None:
    known = set(code_table("diagnoses")["code"].to_pylist())
    texts = ["K80", "K80.10", "K80.1010", "X80.101", "K80.999", "A01.1x1", "Z51.10", "M99.9"]
    for found in nearest_codes(texts, "diagnosis"):
        assert len(found) <= MAX_NEAREST
        assert set(found) <= known
