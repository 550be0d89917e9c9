"""`drgcore scenario`, on the worked example."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from drgcore.cli import scenario
from drgcore.errors import PolicyError

FOLDER = Path(__file__).parents[2] / "docs" / "worked_example"
RUN = CliRunner()


def test_compare_prints_and_writes(tmp_path: Path) -> None:
    text = (FOLDER / "policy.toml").read_text("utf-8")
    other = tmp_path / "round 2.toml"
    other.write_text(
        text.replace("AA11 = { base_points = 100", "AA11 = { base_points = 110"), "utf-8"
    )
    arguments = ["compare", FOLDER / "cases_year.csv", "--year", 2027]
    arguments += ["--decisions", FOLDER / "decisions_year.csv"]
    arguments += ["--policy", FOLDER / "policy.toml", "--policy", other]
    arguments += ["--out", tmp_path / "tables", "--excel", tmp_path / "round.xlsx"]
    done = RUN.invoke(scenario.app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    for word in ("pools", "winners", "losers", "round 2", "132.862191", "%"):
        assert word in done.output
    table = pd.read_csv(tmp_path / "tables" / "pools.csv", dtype=str)
    assert table["policy"].tolist() == ["policy", "round 2"] * 2
    assert (tmp_path / "round.xlsx").stat().st_size > 0


def test_one_policy_once() -> None:
    arguments = ["compare", str(FOLDER / "cases_year.csv"), "--year", "2027"]
    arguments += ["--policy", str(FOLDER / "policy.toml")] * 2
    with pytest.raises(PolicyError, match="given twice"):
        RUN.invoke(scenario.app, arguments, catch_exceptions=False)
