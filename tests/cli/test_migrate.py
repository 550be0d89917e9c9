"""`drgcore scheme migrate`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from drgcore.errors import BudgetError, CaseSchemaError, SchemeError
from drgcore.migration import migrate, migration_effect
from tests.cli.conftest import ROWS, plain, run


def test_tables_and_summary(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    shown = plain(
        run(
            "scheme",
            "migrate",
            cases,
            "--before",
            "chs-drg-1.1",
            "--after",
            "suzhou-2023",
            "--out",
            out,
        )
    )
    assert f"{ROWS} cases, chs-drg-1.1 → suzhou-2023:" in shown
    assert "subdivision_changed" in shown
    assert "6 tables in" in shown
    tables = {path.stem: pd.read_csv(path) for path in out.iterdir()}
    assert set(tables) == {"flows", "groups", "reasons", "causes", "statuses", "changed"}
    assert tables["statuses"]["cases"].sum() == ROWS
    assert len(tables["changed"]) == tables["causes"]["cases"].sum() > 0
    assert f"{len(tables['changed'])} changed" in shown


def test_weights_of_hospitals(cases: Path, tmp_path: Path) -> None:
    arguments = [
        "scheme",
        "migrate",
        cases,
        "--before",
        "chs-drg-1.1",
        "--after",
        "suzhou-2023",
        "--out",
        tmp_path,
    ]
    shown = run(*arguments, "--effect")
    table = pd.read_csv(tmp_path / "effect_hospitals.csv")
    sample = pq.read_table(cases)
    moved = migrate(sample, "chs-drg-1.1", "suzhou-2023")
    expected = migration_effect(sample, moved).hospitals
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)
    for hospital in expected["hospital"]:
        assert any(line.split()[:1] == [hospital] for line in shown.splitlines())
    plain_file = tmp_path / "plain.parquet"
    pq.write_table(sample.drop_columns(["hospital"]), plain_file)
    with pytest.raises(CaseSchemaError, match="no column hospital"):
        run(
            "scheme",
            "migrate",
            plain_file,
            "--before",
            "chs-drg-1.1",
            "--after",
            "suzhou-2023",
            "--effect",
        )


def test_money_of_hospitals_and_departments(cases: Path, tmp_path: Path) -> None:
    budgets = ["--budget", "employee=9000000", "--budget", "resident=7000000.50"]
    shown = run(
        "scheme",
        "migrate",
        cases,
        "--before",
        "chs-drg-1.1",
        "--after",
        "suzhou-2023",
        "--out",
        tmp_path,
        *budgets,
    )
    assert "money of hospitals [yuan]" in shown
    assert "money of departments [yuan]: the " in shown
    assert "\nMDC\n" in shown
    for name in ("money", "money_departments", "money_mdcs"):
        table = pd.read_csv(tmp_path / f"effect_{name}.csv")
        assert table["before_fen"].sum() == table["after_fen"].sum() == 1600000050
    with pytest.raises(BudgetError, match="'employee' is no budget"):
        run("scheme", "migrate", cases, "--budget", "employee")
    with pytest.raises(BudgetError, match="no budget is given for the pool resident"):
        run("scheme", "migrate", cases, "--budget", "employee=1")


def test_a_scheme_that_is_none(cases: Path) -> None:
    with pytest.raises(SchemeError, match="no scheme 'chs-drg-9'"):
        run("scheme", "migrate", cases, "--after", "chs-drg-9")


def test_by_itself_it_compares_the_scheme_in_force_with_the_next(
    cases: Path, tmp_path: Path
) -> None:
    shown = plain(run("scheme", "migrate", cases, "--out", tmp_path))
    assert f"{ROWS} cases, chs-drg-2.0 → chs-drg-3.0:" in shown
