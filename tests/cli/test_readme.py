"""The commands that the readmes show for files of one's own, run as they stand there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgcore import group, sample_cases
from drgcore.cases import read_table
from tests.cli.conftest import run, run_alone

ROOT = Path(__file__).parents[2]
README = ["README.md", "README.zh.md"]
INFO = """setl_id,mdtrt_id,medcasno,gend,age,nwb_age,nwb_adm_wt,nwb_bir_wt,adm_time,dscg_time
S001,M001,C001,1,45,,,,2027-01-02 10:00:00,2027-01-09 09:30:00
S002,M002,C002,2,0,10,1200,1180,2027-01-05 08:00:00,2027-02-20 10:00:00
S003,M003,C003,2,75,,,,2027-01-07 08:00:00,2027-01-10 10:00:00
"""
DIAGNOSES = """setl_id,inhosp_diag_type,maindiag_flag,diag_code
S001,1,1,K80.101
S001,1,0,I50.900
S002,1,1,P07.200
S003,2,1,BNG000
"""
OPERATIONS = """setl_id,main_oprn_flag,oprn_oprt_code
S001,1,51.2300
"""


def commands(readme: str, *starts: str) -> list[str]:
    """The lines of a readme that are these commands, each once."""
    lines = (ROOT / readme).read_text(encoding="utf-8").splitlines()
    found = [line for start in starts for line in lines if line.startswith(start)]
    assert len(found) == len(starts), found
    return found


@pytest.mark.parametrize("readme", README)
def test_the_three_tables_of_the_interface(readme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("setlinfo", INFO), ("diseinfo", DIAGNOSES), ("oprninfo", OPERATIONS)):
        Path(f"{name}.csv").write_text(text, encoding="utf-8")
    join, by_scheme, one = commands(
        readme,
        "drgcore cases join",
        "drgcore group cases.parquet grouped.parquet --unknown-codes",
        "drgcore group-one",
    )
    assert "3 cases" in run(*shlex.split(join)[1:])
    run(*shlex.split(by_scheme)[1:])
    rows = pq.read_table("grouped.parquet").to_pylist()
    assert [(r["case_id"], r["drg"]) for r in rows[:2]] == [("S001", "HC43"), ("S002", "PS29")]
    assert "no_main_diagnosis" in rows[2]["join_findings"]
    assert rows[2]["reason"] == "principal_diagnosis_missing"
    assert Path("unknown.csv").exists()
    assert "HC43" in run(*shlex.split(one)[1:])


@pytest.mark.parametrize("readme", README)
def test_a_file_of_ones_own(readme, tmp_path):
    frame = pd.DataFrame(
        {
            "患者性别": ["男", "女"],
            "年龄": ["45", "70"],
            "主诊断ICD": ["K80.101", "I10.x00"],
            "次诊断ICD_1": ["I50.900", ""],
            "首要操作主码": ["51.2300", ""],
        }
    )
    frame.to_excel(tmp_path / "cases.xlsx", index=False, engine="xlsxwriter")
    hqms = {
        "A12C": ["1"],
        "A14": ["45"],
        "C03C": ["K80.101"],
        "C06x01C": [""],
        "C14x01C": ["51.2300"],
        "C35x01C": [""],
    }
    pd.DataFrame(hqms).to_csv(tmp_path / "hqms.csv", index=False)
    guess, excel, national = commands(
        readme,
        "drgcore mapping guess cases.xlsx > mine.toml",
        "drgcore group cases.xlsx grouped.xlsx --mapping mine.toml",
        "drgcore group hqms.csv grouped.parquet --mapping hqms --stamp",
    )
    done = run_alone(*shlex.split(guess)[1:4], cwd=tmp_path)
    assert done.code == 0, done.err
    (tmp_path / "mine.toml").write_text(done.out, encoding="utf-8")
    for command in (excel, national):
        done = run_alone(*shlex.split(command)[1:], cwd=tmp_path)
        assert done.code == 0, done.err
    grouped = read_table(tmp_path / "grouped.xlsx").to_pylist()
    assert grouped[0]["drg"] == "HC43"
    assert grouped[0]["severity_codes"] == "I50.900"
    assert grouped[0]["drg_name"]
    [row] = pq.read_table(tmp_path / "grouped.parquet").to_pylist()
    assert (row["drg"], row["scheme"]) == ("HC45", "chs-drg-3.0")


SHEET = """of = ["department"]
min_cases = 5
missing = "left_out"
[[indicators]]
name = "cmi"
weight = 1
zero = 0.5
target = 1.2
"""


@pytest.mark.parametrize("readme", README)
def test_the_month_of_a_drg_office(readme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases = sample_cases(3000, seed=3, hospitals=4)
    grouped = group(cases)
    pq.write_table(cases, "cases.parquet")
    pq.write_table(grouped, "grouped.parquet")
    pq.write_table(group(sample_cases(3000, seed=4, hospitals=4)), "earlier.parquet")
    frame = grouped.select(["case_id", "drg"]).to_pandas().astype(str)
    # The bureau has another group for a few cases.
    frame.loc[::50, "drg"] = "ZZ99"
    frame.to_excel("official.xlsx", index=False, engine="xlsxwriter")
    house = cases.slice(0, 20).select(
        ["case_id", "principal_diagnosis", "sex", "age_years", "total_cost", "length_of_stay"]
    )
    empty = [pa.nulls(20, pa.string())] * 3
    names = ["other_diagnoses", "principal_procedure", "other_procedures"]
    for name, column in zip(names, empty, strict=True):
        house = house.append_column(name, column)
    house.to_pandas().to_excel("in-house.xlsx", index=False, engine="xlsxwriter")
    Path("sheet.toml").write_text(SHEET, encoding="utf-8")
    starts = ("drgcore indicators", "drgcore pnl", "drgcore score", "drgcore what-if cases.parquet")
    lines = (ROOT / readme).read_text(encoding="utf-8").splitlines()
    starts += ("drgcore in-stay", "drgcore compare-groups", "drgcore audit")
    found = [line for line in lines if line.startswith(starts)]
    assert len(found) == 9, found
    said = {line: run(*shlex.split(line, comments=True)[1:]) for line in found}
    text = "\n".join(said.values())
    for word in ("cmi", "10,000 yuan", "骨科", "Coding follows the record", "upcoding"):
        assert word in text, word
    for name in ("watch", "pivotal", "estimates", "differences", "audit"):
        assert Path(f"{name}.xlsx").exists(), name
