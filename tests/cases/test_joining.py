"""The interface's long tables become one row a case."""

from __future__ import annotations

import random

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgcore import group, join_cases
from drgcore.cases.joining import FINDINGS
from drgcore.errors import CaseSchemaError
from tests.cli.conftest import run

INFO = """setl_id,gend,age,nwb_age,nwb_adm_wt,adm_time,dscg_time,act_ipt_days,dscg_way,medfee_sumamt
S001,1,45,,,2027-01-02 10:00:00,2027-01-09 09:30:00,7,1,12345.67
S002,2,0,10,1200,2027-01-05 08:00:00,2027-02-20 10:00:00,46,1,98765.43
S003,2,75,,,2027-01-07 08:00:00,2027-01-10 10:00:00,3,1,4321.00
"""
DIAGNOSES = """setl_id,inhosp_diag_type,maindiag_flag,diag_code,diag_name,adm_cond_type
S001,1,1,K80.101,x,1
S001,1,0,I50.900,x,1
S002,1,1,P07.200,x,1
S003,1,1,E10.300x051+H42.0*,x,1
S003,2,0,A07.06.,x,1
"""
OPERATIONS = """setl_id,main_oprn_flag,oprn_oprt_code
S001,0,54.5100
S001,1,51.2300
"""


@pytest.fixture
def tables(tmp_path):
    for name, text in (("info", INFO), ("diagnoses", DIAGNOSES), ("operations", OPERATIONS)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_three_tables_on_the_command_line(tables):
    out = tables / "cases.parquet"
    options = [f"--{name}={tables / name}.csv" for name in ("info", "diagnoses", "operations")]
    text = run("cases", "join", *options, out)
    assert text.startswith("3 cases\n")
    assert "tcm_diagnoses_left_out" in text
    assert run("group", out, tables / "grouped.parquet").startswith("3 cases by chs-drg-3.0")
    rows = pq.read_table(tables / "grouped.parquet").to_pylist()
    assert [r["drg"] for r in rows] == ["HC43", "PS29", "CV1H"]
    assert rows[0]["other_diagnoses"] == ["I50.900"]
    assert rows[0]["other_procedures"] == ["54.5100"]
    assert rows[2]["other_diagnoses"] == []
    assert (rows[0]["case_id"], rows[0]["total_cost"]) == ("S001", "12345.67")


def test_no_and_several_main_rows_are_said_and_nothing_is_guessed():
    info = pa.table({"setl_id": ["a", "b", "c", "d"], "gend": ["1"] * 4, "age": ["45"] * 4})
    rows = [("a", "0", "K80.101"), ("b", "1", "K80.101"), ("b", "1", "I50.900"), ("z", "1", "x")]
    diagnoses = pa.table(
        {
            n: [row[i] for row in rows]
            for i, n in enumerate(("setl_id", "maindiag_flag", "diag_code"))
        }
    )
    joined = join_cases(info, diagnoses)
    found = joined.table.select(["principal_diagnosis", "other_diagnoses", FINDINGS]).to_pylist()
    assert [tuple(row.values()) for row in found] == [
        (None, ["K80.101"], "no_main_diagnosis"),
        (None, ["K80.101", "I50.900"], "several_main_diagnoses"),
        (None, [], "no_main_diagnosis"),
        (None, [], "no_main_diagnosis"),
    ]
    assert joined.counts["diagnoses_of_no_case"] == 1
    assert set(group(joined.table)["reason"].to_pylist()) == {"principal_diagnosis_missing"}


def test_ids_that_repeat_or_are_missing_are_refused():
    diagnoses = pd.DataFrame({"setl_id": ["a"], "maindiag_flag": [1], "diag_code": ["K80.101"]})
    with pytest.raises(CaseSchemaError, match="more than once"):
        join_cases(pd.DataFrame({"setl_id": ["a", "a "]}), diagnoses)
    with pytest.raises(CaseSchemaError, match="row 2"):
        join_cases(pd.DataFrame({"setl_id": ["a", None]}), diagnoses)
    with pytest.raises(CaseSchemaError, match="no column 'setl_id'"):
        join_cases(pd.DataFrame({"id": ["a"]}), diagnoses)


def plainly(ids, rows):
    found = []
    for case in ids:
        own = [(flag, code) for i, flag, code in rows if i == case]
        main = [code for flag, code in own if flag == "1"]
        principal = main[0] if len(main) == 1 else None
        others = [code for flag, code in own if not (len(main) == 1 and flag == "1")]
        found.append((principal, others))
    return found


def test_the_join_is_that_of_a_loop():
    draw = random.Random(5)
    for _ in range(50):
        ids = [f"c{i}" for i in draw.sample(range(20), draw.randint(1, 12))]
        rows = [
            (f"c{draw.randrange(20)}", draw.choice("0001"), f"X{draw.randrange(9)}")
            for _ in range(draw.randrange(40))
        ]
        table = pa.table(
            {
                name: pa.array([row[i] for row in rows], pa.string())
                for i, name in enumerate(("setl_id", "maindiag_flag", "diag_code"))
            }
        )
        joined = join_cases(pa.table({"setl_id": ids}), table).table
        pairs = zip(
            joined["principal_diagnosis"].to_pylist(),
            joined["other_diagnoses"].to_pylist(),
            strict=True,
        )
        assert list(pairs) == plainly(ids, rows)
