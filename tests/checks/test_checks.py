"""Files of checks, the expression language, the commands, and what single checks find."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

import drgcore
from drgcore.checks import Catalogue, ExpressionError, check_cases
from drgcore.checks.language import parse
from drgcore.errors import DrgcoreError
from tests.cli.conftest import run

ROOT = Path(__file__).parents[2]

CASE: dict[str, Any] = {
    "principal_diagnosis": "I10.x00x002",
    "other_diagnoses": [],
    "principal_procedure": None,
    "other_procedures": [],
    "sex": 1,
    "age_years": 60,
    "age_days": None,
}


def found(**changes: Any) -> set[str]:
    """The checks that find something in a case."""
    return set(check_cases([{**CASE, **changes}]).findings["check"].to_pylist())


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("S01", {"other_diagnoses": ["O80.000"]}),
        ("S02", {"sex": 2, "other_diagnoses": ["N40.x00"]}),
        ("S03", {"principal_procedure": "74.1x01"}),
        ("S05", {"sex": 2, "principal_diagnosis": "N40.x00"}),
        ("C05", {"principal_diagnosis": "M49.0*"}),
        ("C06", {"principal_diagnosis": "V01.x00"}),
        ("C08", {"principal_diagnosis": "B95.000"}),
        ("C10", {"other_diagnoses": ["A00.000"]}),
        ("C12", {"other_diagnoses": ["I10.x00x002"]}),
        ("P01", {"other_procedures": ["51.2300"]}),
        ("C14", {"principal_diagnosis": "K80.101", "principal_procedure": "13.4100x001",
                 "other_procedures": ["51.2300"]}),
        ("D01", {"admission_date": "2027年1月9日", "discharge_date": "20270107"}),
        ("D03", {"admission_date": "2027-01-01", "discharge_date": "2027-01-04",
                 "length_of_stay": 4}),
        ("M12", {"discharge_date": "soon"}),
        ("P05", {"principal_procedure": "51.2300", "principal_procedure_date": "2027-01-09",
                 "other_procedure_date_1": None, "discharge_date": "2027-01-07"}),
        ("F01", {"total_cost": 100.0, "cost_category_1": 60.0, "cost_category_2": 30.0}),
        ("O03", {"sex": 2, "age_years": 30, "principal_diagnosis": "O84.000",
                 "other_diagnoses": ["Z37.000"]}),
        ("X01", {"other_diagnoses": ["E10.900", "E11.900"]}),
        ("N03", {"other_diagnoses": ["P07.000"], "birth_weight_g": 1200}),
    ],
)  # fmt: skip
def test_a_fault_is_found_and_its_absence_is_none(check: str, changes: dict[str, Any]) -> None:
    assert check in found(**changes)
    assert check not in found()


def test_a_sound_case_has_no_finding() -> None:
    assert found() == set()
    days = {"admission_date": "2027-01-05", "discharge_date": "2027-01-05", "length_of_stay": 1}
    assert found(**days, total_cost=10.0) == set()


def test_an_unknown_code_is_told_with_the_nearest() -> None:
    report = check_cases([{**CASE, "principal_procedure": "51.23", "other_diagnoses": ["I50.9OO"]}])
    values = dict(
        zip(
            report.findings["check"].to_pylist(), report.findings["values"].to_pylist(), strict=True
        )
    )
    assert values["C03"] == "principal_procedure=51.23(→51.2300?)"
    assert values["C02"].startswith("other_diagnoses=I50.9OO(→I50.900")


def test_an_id_of_an_earlier_batch_is_seen(tmp_path: Path) -> None:
    cases = [
        {**CASE, "case_id": i, "hospital": h} for i, h in [("1", "A"), ("1", "B"), (" 1", "A")]
    ]
    pq.write_table(drgcore.check_cases(cases).findings, tmp_path / "x.parquet")
    report = check_cases(cases)
    rows = [f["row"] for f in report.findings.to_pylist() if f["check"] == "M19"]
    assert rows == [3]


def test_a_file_switches_and_adds(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        """
[switch]
"*" = false
S02 = "hint"
[sets.mine]
diagnoses = "I10-I15"
without = "I15"
[[checks]]
code = "MY1"
level = "warning"
when = "principal_diagnosis in mine and age_years > limit"
zh = "问题"
en = "a problem"
[parameters]
limit = 59
""",
        encoding="utf-8",
    )
    report = check_cases([CASE, {**CASE, "age_years": 59}], checks=path)
    status = {r["check"]: (r["status"], r["level"]) for r in report.checks.to_pylist()}
    assert status["S01"] == ("off", "error")
    assert status["S02"] == ("run", "hint")
    # What is not named is off, one's own check as well.
    assert status["MY1"] == ("off", "warning")
    path.write_text(path.read_text("utf-8").replace('"*" = false\n', ""), encoding="utf-8")
    report = check_cases([CASE, {**CASE, "age_years": 59}], checks=path)
    mine = [f["row"] for f in report.findings.to_pylist() if f["check"] == "MY1"]
    assert mine == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[switch]\nS99 = false", "no check S99"),
        ("[sets.x]\ndiagnosis = 'A'", "unknown key 'diagnosis'"),
        ("[[checks]]\ncode='M01'", "there is a check M01 already"),
        ("[[checks]]\ncode='Q1'\nlevel='bad'\nwhen='sex == 1'\nzh='x'\nen='x'", "level is 'bad'"),
        ("[[checks]]\ncode='Q1'\nlevel='hint'\nzh='x'\nen='x'", "when is missing"),
        ("switch", "no TOML"),
    ],
)
def test_a_wrong_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DrgcoreError, match=message):
        Catalogue.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "sex",
        "sex ==",
        "sex == 'x'",
        "sexx == 1",
        "diagnoses in \"A00\"",
        "any(sex in \"A00\")",
        "principal_diagnosis in \"A00-B\"",
        "principal_diagnosis in no_part_procedures",
        "birth_date + birth_date > 1",
        "(lambda: 1)() == 1",
        "sex.__class__ == 1",
        "[x for x in (1,)] == 1",
        "open('x') == 1",
        "matches(case_id, \"(\")",
        "(" * 500 + "sex == 1" + ")" * 500,
        "not " * 3000 + "sex == 1",
        "sex == 1 if sex else 2",
        "sex == 10**10",
        "f'{sex}' == 'x'",
    ],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text, sets={"no_part_procedures": "procedure"}, parameters={}, where="x")


def test_the_command_writes_what_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = "drgcore check cases.parquet findings.xlsx"
    for readme in ("README.md", "README.zh.md"):
        assert command in (ROOT / readme).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    drgcore.write_sample("cases.parquet", 300, seed=3, dirty=0.3)
    output = run(*command.split()[1:])
    assert "300 cases" in output
    assert "not run" in output
    assert all(len(line) <= 80 for line in output.splitlines())
    book = CalamineWorkbook.from_path(tmp_path / "findings.xlsx")
    assert book.sheet_names == ["Checks", "By department", "Findings"]
    rows = book.get_sheet_by_name("Findings").to_python()
    run("check", "cases.parquet", "findings.csv", "--profile", "profile.csv")
    run("check", "cases.parquet", "findings.parquet")
    table = pq.read_table("findings.parquet")
    assert len(rows) - 1 == len(table) == len(pa_csv.read_csv("findings.csv")) > 50
    assert [int(r[0]) for r in rows[1:]] == table["row"].to_pylist()
    assert len(pa_csv.read_csv("profile.csv")) > 10
    chinese = run("--lang", "zh", "check", "cases.parquet", "findings.csv")
    assert "未发现问题" in chinese


def test_no_cell_becomes_a_formula(tmp_path: Path) -> None:
    cases = [{**CASE, "case_id": "=1+1", "principal_procedure": "@x"}]
    path = tmp_path / "cases.csv"
    path.write_text(
        "case_id,principal_diagnosis,other_diagnoses,principal_procedure,other_procedures,sex,age_years\n"
        "=1+1,-x,,@x,,1,60\n",
        encoding="utf-8",
    )
    assert cases
    drgcore.check_file(path, tmp_path / "f.csv")
    assert '"\'=1+1"' in (tmp_path / "f.csv").read_text(encoding="utf-8-sig")
    drgcore.check_file(path, tmp_path / "f.xlsx")
    cells = (
        CalamineWorkbook.from_path(tmp_path / "f.xlsx").get_sheet_by_name("Findings").to_python()
    )
    assert cells[1][1] == "=1+1"


def test_batches_change_nothing(tmp_path: Path) -> None:
    drgcore.write_sample(tmp_path / "c.parquet", 500, seed=5, dirty=0.3)
    drgcore.check_file(tmp_path / "c.parquet", tmp_path / "a.parquet")
    drgcore.check_file(tmp_path / "c.parquet", tmp_path / "b.parquet", batch_rows=37)
    assert pq.read_table(tmp_path / "a.parquet") == pq.read_table(tmp_path / "b.parquet")


def test_the_page_is_that_of_the_data() -> None:
    spec = importlib.util.spec_from_file_location("build_checks", ROOT / "docs/build_checks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "python docs/build_checks.py"


def test_answers_of_yes_and_no_are_asked(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    asked = {
        "Q1": "day_surgery and length_of_stay > 1",
        "Q2": "not new_technique",
        "Q3": "missing(day_surgery)",
        "Q4": "unreadable(several_sites) or intensive_care",
    }
    path.write_text(
        '[switch]\n"*" = false\n'
        + "".join(f"{code} = true\n" for code in asked)
        + "".join(
            f"[[checks]]\ncode = '{code}'\nlevel = 'hint'\nwhen = '{when}'\n"
            "zh = '问'\nen = 'asked'\nsource = 'own'\n"
            for code, when in asked.items()
        ),
        encoding="utf-8",
    )
    answers = [
        {"day_surgery": "是", "new_technique": "0", "several_sites": "2", "intensive_care": ""},
        {"day_surgery": "", "new_technique": "有", "several_sites": "无", "intensive_care": "√"},
        {"day_surgery": "否", "new_technique": None, "several_sites": "1", "intensive_care": "n"},
    ]
    cases = [{**CASE, "length_of_stay": 2, **answer} for answer in answers]
    done = check_cases(cases, checks=path)
    pairs = [(row["row"], row["check"]) for row in done.findings.to_pylist()]
    assert pairs == [(1, "Q1"), (1, "Q2"), (1, "Q4"), (2, "Q3"), (2, "Q4")]
    assert done.findings["values"].to_pylist()[0] == "day_surgery=是; length_of_stay=2"
    # What is neither yes nor no leaves a check open.
    open_ones = {row["check"]: row["undecided"] for row in done.checks.to_pylist()}
    assert (open_ones["Q1"], open_ones["Q2"]) == (1, 1)
    with pytest.raises(ExpressionError, match="it is never missing"):
        parse("missing(accepted)", sets={}, parameters={}, where="here")


N041 = {
    "JBDM": "S82.100x011", "JBDM1": "", "SSJCZBM1": "79.3600x001", "SSJCZBM2": "86.2200x011",
    "XB": "1", "NL": "45", "BAH": "7", "YLJGDM": "H1", "ZZYS": "D1", "RYSJ": "2027-01-05",
    "CYSJ": "2027-01-09", "SSJCZRQ1": "2027-01-06", "SSJCZRQ2": "2027-01-11", "WBYY": "",
    "RYBQ": "4", "ZFY": "100", "ZFJE": "120", "SSZLF": "50", "MAF": "40", "SSF": "30",
}  # fmt: skip
CHINESE = {
    "主要诊断编码": "S82.100x011", "其他诊断编码1": "", "主要手术操作编码": "79.3600x001",
    "其他手术操作编码1": "86.2200x011", "性别": "男", "年龄": "45", "病案号": "7",
    "医疗机构代码": "H1", "主治医师": "D1", "入院时间": "2027-01-05", "出院时间": "2027-01-09",
    "主要手术操作日期": "2027-01-06", "其他手术操作日期1": "2027-01-11",
    "损伤中毒外部原因编码": "", "入院病情": "4", "总费用": "100", "自付金额": "120",
    "手术治疗费": "50", "麻醉费用": "40", "手术费": "30",
}  # fmt: skip
SETTLEMENT_LIST = {
    "主要诊断代码": "S82.100x011", "其他诊断代码1": "", "主要手术及操作代码": "79.3600x001",
    "其他手术及操作代码1": "86.2200x011", "性别": "男", "年龄": "45", "病案号": "7",
    "定点医疗机构代码": "H1", "主治医师代码": "D1", "入院时间": "2027-01-05",
    "出院时间": "2027-01-09", "主要手术及操作日期": "2027-01-06",
    "其他手术及操作日期1": "2027-01-11", "入院病情": "4", "总金额": "100", "个人自付": "120",
}  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "row", "more"),
    [
        ("n041", N041, {"C19", "F04"}),
        ("chinese", CHINESE, {"C19", "F04"}),
        # The list has no external cause and other categories of fees.
        ("settlement-list", SETTLEMENT_LIST, set()),
    ],
)
def test_presets_have_the_columns_of_the_front_page(
    preset: str, row: dict[str, str], more: set[str], tmp_path: Path
) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n", encoding="utf-8")
    run("check", path, tmp_path / "out.parquet", "--mapping", preset)
    findings = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert {"P05", "C17", "F03"} | more <= {finding["check"] for finding in findings}
    of_dates = next(f for f in findings if f["check"] == "P05")
    assert "2027-01-11" in of_dates["values"]
    keys = {(f["row"], f["case_id"], f["hospital"], f["doctor_id"]) for f in findings}
    assert keys == {(1, "7", "H1", "D1")}
