"""The commands, on the worked example."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from drgcore.cli import ledger, settle
from drgcore.errors import BudgetError

FOLDER = Path(__file__).parents[2] / "docs" / "worked_example"
POLICY = ["--policy", str(FOLDER / "policy.toml")]
RUN = CliRunner()


def call(app: typer.Typer, *arguments: object) -> str:
    done = RUN.invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_three_months_a_sanction_and_the_year(tmp_path: Path) -> None:
    book = tmp_path / "example.sqlite"
    first = ["--decisions", FOLDER / "decisions.csv", *POLICY]
    kept = tmp_path / "kept.cases"
    common = ["--ledger", book, "--scheme", "fictitious", "--close", "--cases-folder", kept]
    for month in ("2027-01", "2027-02", "2027-03"):
        out = call(settle.app, "month", FOLDER / "cases.csv", "--month", month, *first, *common)
        assert f"{month} is closed" in out
    # Once more: the same facts, so the same entry.
    again = call(settle.app, "month", FOLDER / "cases.csv", "--month", "2027-03", *first, *common)
    assert "entry 3" in again
    files = (FOLDER / "cases.csv", FOLDER / "sanctions.csv")
    assert "upcoding of A in January 2027" in call(ledger.app, "sanction", book, *files, *first)
    tables = tmp_path / "tables"
    cases = FOLDER / "cases_year.csv"
    later = ["--decisions", FOLDER / "decisions_year.csv", *POLICY]
    out = call(
        settle.app,
        "year",
        cases,
        "--year",
        2027,
        *later,
        *common,
        "--out",
        tables,
    )
    assert "42,007.27" in out
    assert "2027 is closed: entry 5" in out
    account = pd.read_csv(tables / "reconciliation.csv", dtype=str)
    assert account.iloc[-1].tolist() == ["resident", "unaccounted", "0.00"]
    kinds = pd.read_csv(tables / "adjustments.csv")["kind"]
    assert {"late", "regrouped", "reviewed", "upcoding"} <= set(kinds)
    assert len([*kept.iterdir()]) == 3

    assert "5 entries, chain and sums are right" in call(ledger.app, "verify", book)
    assert "adjustment" in call(ledger.app, "list", book)
    explained = call(settle.app, "explain", "A", "2027", *POLICY, "--ledger", book)
    assert explained.strip() in (FOLDER.parent / "worked_example.md").read_text(encoding="utf-8")


def test_a_month_before_its_predecessor_is_an_error(tmp_path: Path) -> None:
    arguments = ["month", FOLDER / "cases.csv", "--month", "2027-02", *POLICY]
    arguments += ["--decisions", FOLDER / "decisions.csv", "--ledger", tmp_path / "l.sqlite"]
    with pytest.raises(BudgetError, match="settlement of 2027-01 is needed"):
        call(settle.app, *arguments)


def test_verify_ends_with_1_where_something_is_wrong(tmp_path: Path) -> None:
    import sqlite3

    book = tmp_path / "l.sqlite"
    arguments = ["month", FOLDER / "cases.csv", "--month", "2027-01", *POLICY, "--close"]
    arguments += ["--decisions", FOLDER / "decisions.csv", "--ledger", book]
    call(settle.app, *arguments)
    connection = sqlite3.connect(book)
    connection.execute("DROP TRIGGER month_statement_no_update")
    connection.execute("UPDATE month_statement SET held_fen = held_fen + 1")
    connection.commit()
    connection.close()
    done = RUN.invoke(ledger.app, ["verify", str(book)])
    assert done.exit_code == 1
    assert "its amounts do not add up" in done.output


def worked_month(book: Path, *more: object) -> list[str]:
    arguments = ["month", FOLDER / "cases.csv", "--month", "2027-01", *POLICY, "--close"]
    arguments += ["--decisions", FOLDER / "decisions.csv", "--ledger", book, *more]
    return [str(argument) for argument in arguments]


def test_a_closed_pipe_keeps_nothing_from_being_closed_and_written(tmp_path: Path) -> None:
    book, out = tmp_path / "l.sqlite", tmp_path / "tables"
    program = [sys.executable, "-m", "drgcore", "settle", *worked_month(book, "--out", out)]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(program, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr.strip()) == (0, b"")
    assert (out / "statement.csv").exists()
    assert "1 entries" in call(ledger.app, "verify", book)


def test_tables_are_whole_in_a_pipe_and_plain_in_files(tmp_path: Path) -> None:
    book, out = tmp_path / "l.sqlite", tmp_path / "month.xlsx"
    printed = call(settle.app, *worked_month(book, "--out", out))
    header = next(
        line for line in printed.splitlines() if line.startswith("pool") and "gross" in line
    )
    assert "carried" in header or "prepaid" in header
    assert "…" not in printed
    sheet = pd.read_excel(out, sheet_name="statement", engine="calamine")
    assert sheet["prepaid"].tolist()[:2] == [51984.0, 34086.0]
    folder = tmp_path / "tables"
    call(settle.app, *worked_month(book, "--out", folder))
    text = (folder / "statement.csv").read_text(encoding="utf-8")
    assert "51984.00" in text
    assert '"' not in text


def test_a_ledger_of_the_first_version_is_opened_and_goes_on(tmp_path: Path) -> None:
    import sqlite3

    book = tmp_path / "l.sqlite"
    call(settle.app, *worked_month(book))
    connection = sqlite3.connect(book)
    for table in ("flow", "decision_account"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    assert "1 entries, chain and sums are right" in call(ledger.app, "verify", book)
    arguments = [a if a != "2027-01" else "2027-02" for a in worked_month(book)]
    assert "2027-02 is closed: entry 2" in call(settle.app, *arguments)


def test_a_decision_about_a_hospital_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    book = tmp_path / "l.sqlite"
    call(settle.app, *worked_month(book))
    decision = ["adjust", str(book), "--month", "2027-01", "--pool", "resident", "--kind", "award"]
    decision += ["--amount", "1", "--reason", "appeal", "--hospital"]
    with pytest.raises(BudgetError, match="AA is none of the 3 hospitals of the closed months"):
        call(ledger.app, *decision, "AA")
    assert "award of A in January 2027" in call(ledger.app, *decision, "A")
