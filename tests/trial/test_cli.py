"""`drgcore settle trial` and `compare-returned` as they are called."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import drgcore
from drgcore.budget import Month
from drgcore.cli.app import app
from drgcore.errors import BudgetError, CaseSchemaError
from drgcore.points import Policy
from drgcore.trial import case_amounts, hospital_amounts, settle_trial

from .test_year import scores


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grouped cases, scores, and the statements that a bureau might return."""
    folder = tmp_path_factory.mktemp("trial")
    cases = drgcore.group(drgcore.sample_cases(3000, "chs-drg-3.0", seed=5))
    drgcore.write_sample(folder / "raw.parquet", 3000, "chs-drg-3.0", seed=5)
    drgcore.group_file(folder / "raw.parquet", folder / "cases.parquet")
    quality = scores(set(cases["hospital"].to_pylist()))
    quality.to_csv(folder / "quality.csv", index=False)
    trial = settle_trial(cases, Policy.load("example"), 2027, quality)
    amounts = case_amounts(trial.cases, trial.months[0])
    statement = pd.DataFrame({"结算ID": amounts["case_id"], "病组编码": amounts["drg"]})
    statement["支付金额"] = [f"{fen / 100:.2f}" for fen in amounts["amount_fen"]]
    statement.to_csv(folder / "same.csv", index=False)
    statement.loc[0, "支付金额"] = "1.00"
    statement.to_csv(folder / "other.csv", index=False)
    hospitals = hospital_amounts(trial.year)
    hospitals = hospitals.assign(amount=hospitals["amount_fen"] / 100)
    hospitals[["hospital", "pool", "points", "amount"]].to_csv(folder / "year.csv", index=False)
    return folder


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_a_year_in_one_command(folder: Path, tmp_path: Path) -> None:
    common = ["--policy", "example", "--year", 2027, "--quality", folder / "quality.csv"]
    text = run("settle", "trial", folder / "cases.parquet", *common, "--out", tmp_path / "t")
    assert "unaccounted" in text
    statement = pd.read_csv(tmp_path / "t" / "months_statement.csv")
    assert statement["month"].nunique() == 12
    assert pd.api.types.is_numeric_dtype(statement["prepaid"])
    hospital = statement["hospital"].iloc[0]
    text = run("settle", "trial", folder / "cases.parquet", *common, "--explain", hospital)
    assert "final payment" in text
    month = ["--explain", hospital, "--month", "2027-03"]
    text = run("settle", "trial", folder / "cases.parquet", *common, *month)
    assert "March 2027" in text
    assert "final payment" not in text


def test_a_returned_statement(folder: Path, tmp_path: Path) -> None:
    common = ["--cases", folder / "cases.parquet", "--policy", "example"]
    january = ["--month", "2027-01"]
    text = run("settle", "compare-returned", folder / "same.csv", *common, *january)
    assert "100.00% agree" in text
    out = ["--out", tmp_path / "r.xlsx"]
    text = run("settle", "compare-returned", folder / "other.csv", *common, *january, *out)
    assert "other" in text
    assert (tmp_path / "r.xlsx").exists()
    year = ["--year", 2027, "--quality", folder / "quality.csv"]
    text = run("settle", "compare-returned", folder / "year.csv", *common, *year)
    assert "100.00% agree" in text


def test_a_hospital_that_knows_the_value_only(folder: Path) -> None:
    common = ["--cases", folder / "cases.parquet", "--policy", "example", "--month", "2027-01"]
    values = ["--value", "employee=64", "--value", "resident=50"]
    text = run("settle", "compare-returned", folder / "same.csv", *common, *values)
    assert "value" in text


def test_what_is_not_said_clearly(folder: Path) -> None:
    common = ["--cases", str(folder / "cases.parquet"), "--policy", "example"]
    command = ["settle", "compare-returned", str(folder / "same.csv"), *common]
    done = CliRunner().invoke(app, command)
    assert "either --month or --year" in str(done.exception)
    done = CliRunner().invoke(app, [*command, "--month", "2027-01", "--hospital", "nobody"])
    assert "no cases of hospital nobody" in str(done.exception)
    done = CliRunner().invoke(
        app,
        [
            *("settle", "trial", common[1], "--policy", "example", "--year", "2027"),
            *("--explain", "H01", "--month", str(Month(2026, 1))),
        ],
    )
    assert "2026-01 is no month of 2027" in str(done.exception)


def test_what_would_change_nothing_is_refused(folder: Path, tmp_path: Path) -> None:
    common = ["--policy", "example", "--year", 2027, "--quality", folder / "quality.csv"]
    start = ["settle", "trial", folder / "cases.parquet", *common]
    done = CliRunner().invoke(app, list(map(str, [*start, "--month", "2027-03"])))
    assert isinstance(done.exception, BudgetError)
    assert "--explain" in str(done.exception)
    earned = tmp_path / "earned.parquet"
    run("points", "compute", folder / "cases.parquet", "--policy", "example", "--out", earned)
    panel = tmp_path / "panel.csv"
    panel.write_text("case_id,decision,points\n1,special,9\n", "utf-8")
    start = ["settle", "trial", earned, *common, "--decisions", panel]
    done = CliRunner().invoke(app, list(map(str, start)))
    assert isinstance(done.exception, CaseSchemaError)
    assert "points already" in str(done.exception)


def test_the_months_money_beside_the_statement_is_written(folder: Path, tmp_path: Path) -> None:
    common = ["--policy", "example", "--year", 2027, "--quality", folder / "quality.csv"]
    run("settle", "trial", folder / "cases.parquet", *common, "--out", tmp_path / "t")
    flows = pd.read_csv(tmp_path / "t" / "months_flows.csv")
    assert flows.columns.tolist() == [
        "month",
        "pool",
        "hospital",
        "item",
        "account",
        "share",
        "amount",
    ]
