"""Presets find the columns of the exports that they are for."""

from __future__ import annotations

import pyarrow as pa
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
# The list's own headings, and the fields of the interface beside the list's codes.
LIST = {
    "医疗机构代码": "H001",
    "病案号": "1",
    "性别": "2",
    "年龄": "0",
    "年龄不足1周岁(天)": "10",
    "新生儿出生体重": "1180",
    "新生儿入院体重": "1200",
    "入院时间": "2027-01-05 08:00:00",
    "出院时间": "2027-02-20 10:00:00",
    "实际住院天数": "46",
    "离院方式": "1",
    "主要诊断代码": "P07.200",
    "其他诊断代码1": "I50.900",
    "其他诊断代码2": "",
    "主要手术及操作代码": "",
    "其他手术及操作代码1": "",
    "总金额": "98765.43",
}
FIELDS = {
    "setl_id": "S001",
    "mdtrt_id": "M001",
    "psn_no": "P001",
    "gend": "1",
    "age": "45.0",
    "nwb_age": "",
    "nwb_bir_wt": "",
    "nwb_adm_wt": "",
    "adm_time": "2027-01-02 10:00:00",
    "dscg_time": "2027-01-09 09:30:00",
    "act_ipt_days": "7",
    "dscg_way": "1",
    "主要诊断代码": "K80.101",
    "其他诊断代码1": "I50.900",
    "主要手术及操作代码": "51.2300",
    "其他手术及操作代码1": "",
}


@pytest.mark.parametrize(
    ("preset", "row", "drg"),
    [
        ("n041", N041, "PS29"),
        ("chinese", CHINESE, "HC43"),
        ("settlement-list", LIST, "PS29"),
        ("settlement-list", FIELDS, "HC43"),
    ],
)
def test_a_preset_reads_its_export(preset, row, drg, tmp_path):
    assert group(row, mapping=preset)["drg"].to_pylist() == [drg]
    path = tmp_path / "cases.csv"
    lines = [",".join(row), ",".join(row.values())]
    path.write_text("\n".join(lines), encoding="utf-8")
    mapping = tmp_path / "mine.toml"
    mapping.write_text(run("mapping", "guess", path), encoding="utf-8")
    assert CaseMapping.from_file(mapping) == CaseMapping.preset(preset)


@pytest.mark.parametrize(
    ("months", "reason"),
    [
        ("0 12/30", None),
        ("12/30", None),
        ("2 15/30", "no_mdc_age"),
        ("5", "no_mdc_age"),
        ("1 0/30", "no_mdc_age"),
        ("1", "age_days_invalid"),
        ("", "age_days_missing"),
        ("0", "age_days_missing"),
    ],
)
def test_months_of_the_front_page_give_days(months, reason):
    row = {**N041, "BZYZSNL": months, "CSRQ": ""}
    assert group(row, mapping="n041")["reason"].to_pylist() == [reason]
    # The diagnosis is a newborn's. Where both dates are there they say it better.
    dated = group({**row, "CSRQ": "2027-01-01"}, mapping="n041")["drg"].to_pylist()
    assert dated == ["PS29"]


def test_the_settlement_is_the_case_and_not_the_record():
    schema = pa.schema([(name, pa.string()) for name in FIELDS])
    found = CaseMapping.preset("settlement-list").find_front_page(schema)
    assert found["case_id"] == ("setl_id",)
    assert found["patient_id"] == ("psn_no",)
    assert found["discharge_date"] == ("dscg_time",)


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
