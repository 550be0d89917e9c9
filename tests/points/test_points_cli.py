"""`drgcore points` as a user calls it."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from drgcore.cli.points import app
from drgcore.points import Policy
from tests.points.regions import cases

run = CliRunner().invoke

RULES = """
[special_review.quota]
share = 0.5
period = "quarter"
rounding = "down"
counts = "filed"

[[readmissions]]
kind = "again"
within_days = 15
same = "drg"
hospital = "same"

[violations.points]
again = 0.5
"""


def files(folder: Path) -> tuple[str, str, str]:
    source = Policy.load("example").path_of("example.toml")
    text = source.read_text("utf-8")
    i = text.index("[violations]")
    text = text[:i] + text[text.index("[quality]") :]
    (folder / "mine.toml").write_text(text + RULES, "utf-8")
    table = source.with_name("example-base-points.csv")
    (folder / table.name).write_bytes(table.read_bytes())
    day = {"admission_date": pd.Timestamp("2027-03-02"), "hospital": "H01", "drg": "ES23",
           "discharge_date": pd.Timestamp("2027-03-09"), "patient_id": "p",
           "total_cost": 14000.0}  # fmt: skip
    later = {"admission_date": pd.Timestamp("2027-03-12"),
             "discharge_date": pd.Timestamp("2027-03-20")}  # fmt: skip
    cases(day, {**day, **later}).to_csv(folder / "cases.csv", index=False)
    decisions = folder / "decisions.csv"
    decisions.write_text("case_id,decision,points\nc1,special,\nc2,outside,\n", "utf-8")
    return str(folder / "cases.csv"), str(folder / "mine.toml"), str(decisions)


def test_points_of_cases(tmp_path: Path) -> None:
    table, policy, _ = files(tmp_path)
    out = tmp_path / "points.csv"
    found = run(app, ["compute", table, "--policy", policy, "--out", str(out)])
    assert found.exit_code == 0, found.output
    assert "normal" in found.output
    # 143.25·(0.8·0.98 + 0.2·1.1) = 143.25·1.004.
    assert pd.read_csv(out)["points"].tolist() == [143.823, 143.823]
    why = run(app, ["explain", table, "--id", "c1", "--policy", policy])
    assert why.output.rstrip().endswith("143.25 × 1.004 = 143.823")


def test_points_of_cases_with_lists_of_codes(tmp_path: Path) -> None:
    table, policy, _ = files(tmp_path)
    lists = pd.read_csv(table).assign(other_diagnoses=[["I10.x00", "E11.900"], None])
    lists.to_parquet(tmp_path / "cases.parquet")
    for kind, read in ((".csv", pd.read_csv), (".xlsx", pd.read_excel)):
        out = tmp_path / f"points{kind}"
        asked = ["compute", str(tmp_path / "cases.parquet"), "--policy", policy, "--out", str(out)]
        assert run(app, asked, catch_exceptions=False).exit_code == 0
        options = {"engine": "calamine"} if kind == ".xlsx" else {}
        assert read(out, **options)["other_diagnoses"].tolist()[0] == "I10.x00|E11.900"


def test_readmissions_and_reviews(tmp_path: Path) -> None:
    table, policy, decisions = files(tmp_path)
    out = tmp_path / "again.csv"
    found = run(app, ["readmissions", table, "--policy", policy, "--out", str(out)])
    assert found.exit_code == 0, found.output
    assert pd.read_csv(out)[["case_id", "kind"]].values.tolist() == [["c1", "again"]]
    # Two cases are filed, of which the quota allows half: one is over it.
    found = run(app, ["reviews", table, "--policy", policy, "--decisions", decisions])
    assert found.exit_code == 1
    assert found.output.split()[-8:] == ["H01", "2", "2027-Q1", "2", "1", "2", "2", "1"]
    assert not re.search("None|NA|nan", found.output)
    # Filed on a day that the quota has no deadline for: late stays empty in the file, too.
    out = tmp_path / "reviews.csv"
    run(app, ["reviews", table, "--policy", policy, "--decisions", decisions, "--out", str(out)])
    assert pd.read_csv(out)["late"].isna().all()
