"""Mappings guessed by headings and contents; what cannot be told is refused with what was seen."""

from __future__ import annotations

import pandas as pd
import pytest

from drgcore import group, group_file
from drgcore.cases import CaseMapping, guess_mapping
from drgcore.errors import CaseSchemaError
from tests.cli.conftest import run, run_alone

ROWS = {
    "姓名": ["张三丰", "李四光"],
    "登记号": ["000123", "000124"],
    "患者性别": ["男", "女"],
    "年龄": ["45", "70"],
    "年龄不足1周岁的天数": ["", ""],
    "门诊诊断码": ["K80.000", "I10.x00"],
    "主诊断ICD": ["K80.101", "I10.x00"],
    "次诊断ICD_1": ["I50.900", ""],
    "次诊断ICD_2": ["", "E11.900"],
    "首要操作主码": ["51.2300", ""],
    "操作码2": ["54.5100", ""],
    "入院日期": ["2027-01-02", "2027-01-03"],
    "吸烟": ["1", "2"],
}


def frame(**changes):
    columns = {**ROWS, **changes}
    return pd.DataFrame({name: values for name, values in columns.items() if values is not None})


def test_columns_are_known_by_what_they_hold(tmp_path):
    guessed = guess_mapping(frame())
    mapping = guessed.mapping
    assert mapping.principal_diagnosis == "主诊断ICD"
    assert mapping.other_diagnoses == ("次诊断ICD_1", "次诊断ICD_2")
    assert mapping.principal_procedure == "首要操作主码"
    assert mapping.other_procedures == ("操作码2",)
    assert (mapping.sex, mapping.age_years) == ("患者性别", "年龄")
    assert mapping.age_days == "年龄不足1周岁的天数"
    assert mapping.front_page["admission_date"] == "入院日期"
    # Samples are of what was understood, and of nobody.
    assert "K80.101" in guessed.text
    assert not any(secret in guessed.text for secret in ("张三丰", "李四光", "000123"))
    source, toml = tmp_path / "cases.csv", tmp_path / "mine.toml"
    frame().to_csv(source, index=False)
    toml.write_text(run("mapping", "guess", source), encoding="utf-8")
    assert CaseMapping.from_file(toml) == mapping
    group_file(source, tmp_path / "out.csv", mapping=toml)
    by_file = pd.read_csv(tmp_path / "out.csv")["drg"].tolist()
    assert by_file == group(frame(), mapping="auto")["drg"].tolist()
    assert by_file[0] == "HC43"


def test_auto_is_never_silent(tmp_path, capsys):
    frame().to_csv(tmp_path / "cases.csv", index=False)
    done = run_alone("group", "cases.csv", "out.csv", "--mapping", "auto", cwd=tmp_path)
    assert done.code == 0, done.err
    assert 'principal_diagnosis = "主诊断ICD"' in done.err
    assert "principal_diagnosis" not in done.out
    group(frame(), mapping="auto")
    assert 'sex = "患者性别"' in capsys.readouterr().err


def test_one_column_of_lists_holds_the_principal_diagnosis_first():
    codes = ["K80.101;I50.900", "I10.x00,E11.900"]
    data = frame(**{n: None for n in ROWS if "诊断ICD" in n}, ICD10_DRGS=codes)
    guessed = guess_mapping(data)
    assert guessed.mapping.diagnoses == "ICD10_DRGS"
    assert "the first is the principal one" in guessed.text
    assert group(data, mapping="auto")["drg"].tolist()[0] == "HC43"


def test_of_a_series_the_one_without_number_or_the_first_is_the_principal():
    codes = {"诊断ICD_1": None, "次诊断ICD_2": None, "次诊断ICD_1": None, "主诊断ICD": None}
    data = frame(**codes, DX=["K80.101", "I10.x00"], DX1=["I50.900", ""])
    assert guess_mapping(data).mapping.principal_diagnosis == "DX"
    data = frame(**codes, DX2=["I50.900", ""], DX1=["K80.101", "I10.x00"])
    assert guess_mapping(data).mapping.principal_diagnosis == "DX1"
    assert guess_mapping(data).mapping.other_diagnoses == ("DX2",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"主诊断ICD": None, "甲": ["K80.101", "I10.x00"]}, "which column holds the principal"),
        ({"主要病因": ["I50.900", ""]}, "which column holds the principal"),
        ({"主诊断ICD": None, "次诊断ICD_1": None, "次诊断ICD_2": None}, "no column of principal"),
        ({"maindiag_flag": ["1", "0"]}, "not a case"),
        ({"患者性别": None}, "no column of sex"),
        ({"家属性别": ["女", "男"]}, "several columns may be sex"),
        ({"年龄": None}, "no column of age_years"),
        ({"配偶年龄": ["46", "69"]}, "several columns may be age_years"),
    ],
)
def test_what_cannot_be_told_is_refused_with_what_was_seen(changes, message):
    with pytest.raises(CaseSchemaError, match=message) as refused:
        guess_mapping(frame(**changes))
    text = str(refused.value)
    assert "What was seen" in text or "cases join" in text
    assert not any(secret in text for secret in ("张三丰", "000123"))


def test_a_heading_does_not_stand_against_the_contents():
    data = pd.DataFrame(
        {
            "principal_diagnosis": ["胆囊结石", "高血压"],
            "other_diagnoses": ["", ""],
            "principal_procedure": ["", ""],
            "other_procedures": ["", ""],
            "sex": ["1", "2"],
            "age_years": ["45", "70"],
        }
    )
    with pytest.raises(CaseSchemaError, match="no column of principal diagnoses"):
        guess_mapping(data)


def test_a_stream_is_not_read_away(tmp_path):
    import pyarrow as pa

    stream = pa.Table.from_pandas(frame()).to_reader()
    with pytest.raises(CaseSchemaError, match="stream"):
        group(stream, mapping="auto")
