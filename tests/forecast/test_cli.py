"""`drgcore forecast shares`: the library's answers on the command line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import drgcore
from drgcore.errors import CaseSchemaError, DrgcoreError
from tests.cli.conftest import run, run_alone
from tests.forecast.histories import history, table


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three years of cases, one file a year."""
    folder = tmp_path_factory.mktemp("years")
    for year in (2024, 2025, 2026):
        random = np.random.default_rng(year)
        every = pd.date_range(f"{year}-01-01", f"{year}-12-31").repeat(10)
        frame = pd.DataFrame(
            {
                "discharge_date": every,
                "pool": random.choice(["employee", "resident"], len(every)),
                "points": random.lognormal(4.5, 0.6, len(every)).round(4),
                "ward": "unused",
            }
        )
        frame.to_parquet(folder / f"{year}.parquet")
        frame.assign(discharge_date=every.date).to_csv(folder / f"{year}.csv", index=False)
    return folder


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_shares_are_those_of_the_library(cases: Path, tmp_path: Path, ending: str) -> None:
    files = sorted(cases.glob(f"*.{ending}"))
    out = tmp_path / "shares.csv"
    text = run("forecast", "shares", *files, "--year", "2027", "--out", out)
    whole = pd.concat([pd.read_parquet(file) for file in sorted(cases.glob("*.parquet"))])
    monthly = drgcore.monthly_totals(whole, "points")
    forecast = drgcore.forecast_shares(monthly, 2027)
    assert str(forecast) in text
    assert forecast.to_toml() in text
    written = pd.read_csv(out)
    pd.testing.assert_frame_equal(written, forecast.table, check_exact=False, rtol=1e-12)
    assert "backtest: each year from the years before it" in text
    for method in ("uniform", "last_year", "seasonal_mean", "calendar"):
        assert text.count(f" {method} ") == 2
    lines = [line for line in text.splitlines() if line.startswith(("[budget", "months ="))]
    pools = tomllib.loads("\n".join(lines))["budget"]["pools"]
    assert list(pools) == ["employee", "resident"]


@pytest.mark.parametrize(
    "form", ["{}T00:30:00+08:00", "{} 00:30:00.250", "{}T00:30Z", "{} 23:59:59"]
)
def test_a_day_is_the_one_that_is_written(cases: Path, tmp_path: Path, form: str) -> None:
    frame = pd.read_csv(cases / "2026.csv")
    frame["discharge_date"] = frame["discharge_date"].map(form.format)
    frame.to_csv(tmp_path / "2026.csv", index=False)
    arguments = ("--year", "2027", "--method", "last_year")
    text = run("forecast", "shares", tmp_path / "2026.csv", *arguments)
    assert text == run("forecast", "shares", cases / "2026.parquet", *arguments)


def test_of_one_series_and_of_cases(cases: Path) -> None:
    files = sorted(cases.glob("*.parquet"))
    text = run("forecast", "shares", *files, "--year", "2027", "--by", "", "--value", "cases",
               "--method", "seasonal_mean", "--level", "0.5")  # fmt: skip
    assert text.startswith("shares of 2027 by seasonal_mean, interval of 50%\n\nall, from 2024")
    assert "[budget" not in text


def test_monthly_totals_instead_of_cases(tmp_path: Path) -> None:
    file = tmp_path / "totals.csv"
    monthly = table(history([2023, 2024, 2025, 2026], 0.02, 3))
    monthly.to_csv(file, index=False)
    text = run("forecast", "shares", file, "--monthly", "--year", "2027")
    assert str(drgcore.forecast_shares(monthly, 2027)) in text


def test_a_decision_on_what_is_cut_off(cases: Path, tmp_path: Path) -> None:
    cut = tmp_path / "2026.parquet"
    frame = pd.read_parquet(cases / "2026.parquet")
    frame[frame["discharge_date"] < "2026-09-20"].to_parquet(cut)
    files = [cases / "2024.parquet", cases / "2025.parquet", cut]
    with pytest.raises(CaseSchemaError, match="2026-09 looks cut off"):
        run("forecast", "shares", *files, "--year", "2027")
    text = run("forecast", "shares", *files, "--year", "2027", "--leave-out")
    assert "left out: 2026 of employee (nothing in 2026-09" in text


def test_one_year_has_no_backtest(cases: Path) -> None:
    text = run("forecast", "shares", cases / "2026.parquet", "--year", "2027",
               "--method", "last_year")  # fmt: skip
    assert "no backtest: there is no year to hold out" in text
    assert "says nothing about changes: no interval" in text
    assert "nan" not in text
    with pytest.raises(DrgcoreError, match="calendar needs two whole years"):
        run("forecast", "shares", cases / "2026.parquet", "--year", "2027")


def test_bad_input_is_one_message_and_code_2(cases: Path, tmp_path: Path) -> None:
    for arguments, words in (
        ([tmp_path / "none.parquet", "--year", "2027"], "there is no such file"),
        ([cases / "2026.parquet", "--year", "2027", "--value", "cost"], "no column cost"),
        ([cases / "2026.parquet", "--year", "2027", "--method", "guess"], "no method guess"),
    ):
        done = run_alone("forecast", "shares", *arguments)
        assert (done.code, done.out) == (2, "")
        assert words in done.err
        assert "Traceback" not in done.err


def test_files_whose_columns_do_not_go_together(cases: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    pd.read_parquet(cases / "2025.parquet").assign(pool=[[1]] * 3650).to_parquet(other)
    with pytest.raises(CaseSchemaError, match="do not go together"):
        run("forecast", "shares", cases / "2024.parquet", other, "--year", "2027")
