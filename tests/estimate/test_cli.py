"""`drgcore what-if`, `in-stay` and `compare-groups` as they are called."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import drgcore
from drgcore.cli.app import app


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("estimate") / "cases.parquet"
    drgcore.write_sample(path, 1500, "chs-drg-3.0", seed=3)
    return path


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_what_if_of_one_case(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "w.csv"
    options = ["--other", "chs-drg-2.0", "--policy", "example"]
    options += ["--value", "employee=64", "--value", "resident=50", "--out", out]
    text = run("what-if", cases, "--row", 5, *options)
    assert "Coding follows the record" in text
    assert "as_coded" in text
    table = pd.read_csv(out)
    assert table["kind"].iloc[-1] == "scheme"
    assert table["payment"].iloc[0] > 0
    # The policy's table is of scheme 3.0: another scheme's group may have no base points there.
    assert (table["payment"].notna() == table["points"].notna()).all()


def test_cases_that_hang_on_a_code(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.parquet"
    text = run("what-if", cases, "--pivotal", out)
    assert "cases hang on one code" in text
    assert pq.read_table(out).num_rows == len(drgcore.pivotal_codes(cases))


def test_patients_in_house(cases: Path, tmp_path: Path) -> None:
    text = run("in-stay", cases, tmp_path / "i.xlsx", "--history", cases, "--high", 3, "--low", 0.4)
    assert text.startswith("1,500 patients; of ")
    assert (tmp_path / "i.xlsx").exists()


def test_groups_beside_the_official_ones(cases: Path, tmp_path: Path) -> None:
    official = tmp_path / "official.csv"
    table = drgcore.group(pq.read_table(cases), "chs-drg-2.0").select(["case_id", "drg"])
    table.to_pandas().to_csv(official, index=False)
    text = run("compare-groups", cases, official, "--out", tmp_path / "c.xlsx")
    assert "version" in text
    run("compare-groups", cases, official, "--min-mdc", 0.5)
    text = run("compare-groups", cases, official, "--min-drg", 0.99, code=1)
    assert "less than 99.00%" in text


@pytest.mark.parametrize("value", ["employee", "employee=x", "=", "a=1=2"])
def test_values_that_cannot_be_read(value: str, cases: Path) -> None:
    done = CliRunner().invoke(app, ["what-if", str(cases), "--row", "1", "--value", value])
    assert isinstance(done.exception, drgcore.DrgcoreError)
