"""Presets find the columns of the exports that they are for."""

from __future__ import annotations

import pytest

from drgcore import group
from drgcore.cases import CaseMapping
from drgcore.errors import CaseSchemaError
from tests.cli.conftest import run

N041 = {
    "BAH": "1",
    "XB": "1",
    "NL": "0",
    "BZYZSNL": "",
    "CSRQ": "2027-01-01",
    "RYSJ": "2027/1/13 08:00",
    "XSERYTZ": "1200",
    "XSECSTZ": "1180",
    "LYFS": "1",
    "SJZYTS": "9",
    "JBDM": "P07.200",
    "JBDM1": "I50.900",
    "SSJCZBM1": "",
    "SSJCZBM2": "",
}
CHINESE = {
    "病案号": "1",
    "性别": "男",
    "年龄（岁）": "45岁",
    "主要诊断编码": "K80.101",
    "其他诊断编码1": "I50.900",
    "主要手术操作编码": "51.2300",
    "其他手术操作编码1": "",
}


@pytest.mark.parametrize(
    ("preset", "row", "drg"), [("n041", N041, "PS29"), ("chinese", CHINESE, "HC43")]
)
def test_a_preset_reads_its_export(preset, row, drg, tmp_path):
    assert group(row, mapping=preset)["drg"].to_pylist() == [drg]
    path = tmp_path / "cases.csv"
    lines = [",".join(row), ",".join(row.values())]
    path.write_text("\n".join(lines), encoding="utf-8")
    mapping = tmp_path / "mine.toml"
    mapping.write_text(run("mapping", "guess", path), encoding="utf-8")
    assert CaseMapping.from_file(mapping) == CaseMapping.preset(preset)


def test_all_diagnoses_in_one_column_the_principal_one_first(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'preset = "canonical"\ndiagnoses = "ICD10"\nprocedures = "CM3"\nseparator = ","',
        encoding="utf-8",
    )
    row = {"ICD10": "K80.101,I50.900", "CM3": "51.2300,54.5100", "sex": "1", "age_years": "45"}
    [found] = group(row, mapping=path).to_pylist()
    assert (found["drg"], found["severity"]) == ("HC43", "MCC")
    path.write_text('preset = "canonical"\ndiagnoses = "d"\nprincipal_diagnosis = "p"', "utf-8")
    with pytest.raises(CaseSchemaError, match="both mapped"):
        CaseMapping.from_file(path)
