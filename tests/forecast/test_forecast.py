"""The forecast as a result: tables, text, and into a policy; and held against what came."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore import (
    Month,
    Policy,
    PolicyError,
    backtest_shares,
    backtest_summary,
    forecast_shares,
    monthly_totals,
    settle_month,
)
from drgcore.errors import DrgcoreError
from drgcore.forecast import METHODS, ShareForecast
from drgcore.forecast.seasonal import seasonal_mean
from drgcore.forecast.series import Series
from tests.forecast.histories import history, misplaced, shares, table, truth

YEARS = range(2022, 2027)
POOLS = pd.concat(
    [
        table(history(YEARS, 0.03, 1)).assign(pool="employee"),
        table(history(YEARS, 0.03, 2, festival=0.8)).assign(pool="resident"),
    ],
    ignore_index=True,
)


@pytest.mark.parametrize("method", METHODS)
def test_the_tables_of_a_forecast(method: str) -> None:
    forecast = forecast_shares(POOLS, 2027, method)
    assert forecast.table.columns.tolist() == ["pool", "month", "share", "lower", "upper"]
    assert forecast.table["month"].tolist() == [f"2027-{m:02d}" for m in range(1, 13)] * 2
    assert forecast.history == {"employee": tuple(YEARS), "resident": tuple(YEARS)}
    for pool in forecast.history:
        assert forecast.shares(pool).sum() == pytest.approx(1, abs=1e-12)
        assert forecast.shares(pool).index[0] == "2027-01"
    rows = forecast.table
    assert (rows["lower"] < rows["share"]).all()
    assert (rows["share"] < rows["upper"]).all()
    assert forecast.found.columns.tolist() == ["pool", "parameter", "month", "value"]
    text = str(forecast)
    assert text.startswith(f"shares of 2027 by {method}, interval of 90%\n\nemployee, from 2022")
    assert f"2027-01 {rows['share'][0]:6.2%}" in text


@pytest.mark.parametrize("method", METHODS)
def test_neither_order_nor_unit_nor_the_other_pool_matters(method: str) -> None:
    whole = forecast_shares(POOLS, 2027, method).table
    shuffled = forecast_shares(POOLS.sample(frac=1, random_state=5), 2027, method).table
    pd.testing.assert_frame_equal(shuffled, whole, check_exact=True)
    alone = forecast_shares(POOLS[POOLS["pool"] == "resident"], 2027, method).table
    pd.testing.assert_frame_equal(alone, whole[12:].reset_index(drop=True), check_exact=True)
    dearer = forecast_shares(POOLS.assign(value=POOLS["value"] * 100), 2027, method).table
    pd.testing.assert_frame_equal(dearer, whole, atol=1e-5, rtol=0)


@given(seed=st.integers(0, 10**6), places=st.integers(2, 8))
@settings(max_examples=25)
def test_decimals_for_a_policy_add_up_to_one(seed: int, places: int) -> None:
    monthly = table(history(YEARS, 0.5, seed))
    forecast = forecast_shares(monthly, 2027, "last_year")
    (decimals,) = forecast.shares_for_policy(places).values()
    assert sum(decimals) == 1
    unit = Decimal(1).scaleb(-places)
    for exact, written in zip(forecast.shares(), decimals, strict=True):
        assert abs(Decimal(exact) - written) < unit
    read = tomllib.loads(forecast.to_toml(places), parse_float=Decimal)
    assert tuple(read["budget"]["pools"]["p"]["months"]) == decimals


def cases_of(year: int, per_day: int, seed: int) -> pd.DataFrame:
    """Cases with points in both pools of the shipped example."""
    random = np.random.default_rng(seed)
    every = pd.date_range(f"{year}-01-01", f"{year}-12-31").repeat(per_day)
    return pd.DataFrame(
        {
            "case_id": [f"{year}-{i}" for i in range(len(every))],
            "hospital": "H01",
            "discharge_date": every,
            "pool": random.choice(["employee", "resident"], len(every)),
            "case_class": "normal",
            "points": random.lognormal(4.5, 0.6, len(every)).round(4),
            "total_cost": 9000.0,
            "patient_paid": 2000.0,
        }
    )


def test_from_cases_to_a_settlement() -> None:
    asked = Policy.load("example").with_months({"employee": ["0.08"] * 11 + ["0.12"]})
    data = {**asked._data, "budget": {**asked._data["budget"]}}
    data["budget"]["months"] = "forecast"
    data["budget"]["pools"] = {
        name: {k: v for k, v in pool.items() if k != "months"}
        for name, pool in data["budget"]["pools"].items()
    }
    policy = Policy.from_data(data, folder=Policy.load("example")._folder)
    coming = cases_of(2027, 1, 9)
    with pytest.raises(PolicyError, match="to be forecast") as error:
        settle_month(coming, policy, Month(2027, 1))
    assert "drgcore.forecast_shares" in str(error.value)
    past = pd.concat([cases_of(year, 8, year) for year in (2024, 2025, 2026)])
    forecast = forecast_shares(monthly_totals(past, "points"), 2027)
    filled = policy.with_months(forecast.shares_for_policy())
    settled = settle_month(coming, filled, Month(2027, 1))
    for pool, months in forecast.shares_for_policy().items():
        terms = filled.for_year(2027).budget.pools[pool]
        assert terms.months == months
        value = settled.point_values.set_index("pool").loc[pool]
        exact = terms.budget * (1 - terms.reserve_share) * months[0] * 100
        assert abs(Decimal(int(value["budget_fen"])) - exact) <= 1


def test_doubling_every_case_changes_no_share() -> None:
    past = pd.concat([cases_of(year, 8, year) for year in (2025, 2026)])
    once = forecast_shares(monthly_totals(past, "points"), 2027)
    twice = forecast_shares(monthly_totals(pd.concat([past, past]), "points"), 2027)
    pd.testing.assert_frame_equal(twice.table, once.table, rtol=1e-9)


def test_one_series_is_for_the_pools_that_are_named() -> None:
    one = forecast_shares(POOLS[POOLS["pool"] == "employee"].drop(columns="pool"), 2027, by=None)
    assert one.table.columns.tolist() == ["month", "share", "lower", "upper"]
    assert one.shares().sum() == pytest.approx(1)
    found = one.shares_for_policy(pools=["employee", "resident"])
    assert found["employee"] == found["resident"]
    assert '[budget.pools."职工"]' in one.to_toml(pools=["职工"])
    with pytest.raises(DrgcoreError, match="for no pool yet"):
        one.shares_for_policy()
    by_pool = forecast_shares(POOLS, 2027)
    with pytest.raises(DrgcoreError, match="names its groups itself: employee, resident"):
        by_pool.shares_for_policy(pools=["employee"])
    for group in (None, "other"):
        with pytest.raises(DrgcoreError, match=f"no group {group}"):
            by_pool.shares(group)


def test_years_left_out_and_months_set_aside_are_told() -> None:
    spoilt = POOLS.assign(value=POOLS["value"].where(POOLS["month"] != "2023-06", 5000.0))
    cut = spoilt[spoilt["month"] < "2026-10"]
    with pytest.raises(DrgcoreError, match="2 years are not whole"):
        forecast_shares(cut, 2027)
    forecast = forecast_shares(cut, 2027, incomplete="leave_out")
    assert sum("left out: 2026 of" in note for note in forecast.notes) == 2
    assert sum("2023-06 was set aside" in note for note in forecast.notes) == 2
    assert all(note in str(forecast) for note in forecast.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "guess"}, "no method guess"),
        ({"method": "uniform", "window": (0, 1)}, "uniform has no option window"),
        ({"method": "calendar", "windows": (0, 1)}, "calendar has no option windows"),
        ({"level": 0.0}, "the level is 0.0"),
        ({"level": 90}, "the level is 90"),
        ({"year": 2022}, "no whole year before 2022"),
        ({"year": 2101}, "2101 is not known"),
    ],
)
def test_what_cannot_be_asked(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DrgcoreError, match=words):
        forecast_shares(POOLS, **{"year": 2027, **change})


def test_options_and_methods_of_ones_own() -> None:
    median = forecast_shares(POOLS, 2027, "seasonal_mean", centre="median")
    same = forecast_shares(POOLS, 2027, partial(seasonal_mean, centre="median"))
    pd.testing.assert_frame_equal(median.table, same.table)
    wide = forecast_shares(POOLS, 2027, level=0.5).table
    narrow = forecast_shares(POOLS, 2027, level=0.99).table
    assert (narrow["lower"] < wide["lower"]).all()
    assert (wide["upper"] < narrow["upper"]).all()


# --- Backtest ------------------------------------------------------------------------------


def plain_row(series: Series, place: int, method: str) -> tuple[float, float, float, float]:
    """Misplaced share, RMSE, worst error and coverage, computed month by month."""
    past = table(Series("p", series.years[:place], series.values[:place]))
    forecast: ShareForecast = forecast_shares(past, series.years[place], method)
    total = sum(series.values[place])
    wrong, squares, worst, inside = 0.0, 0.0, 0.0, 0
    for row, value in zip(forecast.table.to_dict("records"), series.values[place], strict=True):
        error = row["share"] - value / total
        wrong += abs(error) / 2
        squares += error**2
        worst = error if abs(error) > abs(worst) else worst
        inside += row["lower"] <= value / total <= row["upper"]
    return wrong, (squares / 12) ** 0.5, worst, inside / 12


def test_a_backtest_is_its_forecasts_month_by_month() -> None:
    series = history(YEARS, 0.03, 6)
    found = backtest_shares(table(series), ["uniform", "last_year", "calendar"])
    assert found["year"].tolist() == [2023] * 3 + [2024] * 3 + [2025] * 3 + [2026] * 3
    for row in found[found["reason"] == ""].to_dict("records"):
        place = row["year"] - 2022
        wrong, rmse, worst, coverage = plain_row(series, place, row["method"])
        assert row["years"] == place
        assert row["misplaced"] == pytest.approx(wrong)
        assert row["rmse"] == pytest.approx(rmse)
        assert row["worst_error"] == pytest.approx(worst)
        at = int(row["worst_month"][-2:]) - 1
        assert row["worst_month"][:4] == str(row["year"])
        if not (row["method"] == "last_year" and place == 1):
            assert row["coverage"] == pytest.approx(coverage)
        assert np.abs(worst) > 0
        assert 0 <= at < 12
    first = found[(found["year"] == 2023) & (found["method"] == "calendar")].iloc[0]
    assert "two whole years" in first["reason"]
    assert np.isnan(first["misplaced"])
    assert first["worst_month"] == ""
    only = found[(found["year"] == 2023) & (found["method"] == "last_year")].iloc[0]
    assert np.isnan(only["coverage"])


def test_a_summary_compares_the_same_years() -> None:
    found = backtest_shares(POOLS)
    summary = backtest_summary(found).set_index(["pool", "method"])
    calendar = found[(found["pool"] == "resident") & (found["method"] == "calendar")]
    row = summary.loc[("resident", "calendar")]
    assert (row["years"], row["failed"]) == (3, 1)
    uniform = found[(found["pool"] == "resident") & (found["method"] == "uniform")]
    later = uniform[uniform["year"] > 2023]
    expected = calendar["misplaced"].sum() / later["misplaced"].sum()
    assert row["to_uniform"] == pytest.approx(expected)
    assert row["misplaced"] == pytest.approx(calendar["misplaced"].mean())
    assert summary.loc[("employee", "uniform"), "to_uniform"] == 1
    assert summary.loc[("employee", "last_year"), "to_last_year"] == 1


def test_a_backtest_finds_the_better_method() -> None:
    monthly = table(history(range(2013, 2027), 0.02, 7))
    summary = backtest_summary(backtest_shares(monthly, first_year=2017)).set_index("method")
    assert summary["years"].tolist() == [10] * 4
    assert summary.loc["calendar", "to_last_year"] < 0.8
    assert summary.loc["calendar", "to_uniform"] < 0.4
    assert summary.loc["calendar", "misplaced"] == summary["misplaced"].min()


def test_a_backtest_leaves_the_future_alone() -> None:
    monthly = table(history(YEARS, 0.03, 6))
    other = table(history([2026], 0.5, 99))
    changed = pd.concat([monthly[monthly["month"] < "2026"], other])
    early = backtest_shares(monthly, before=2026)
    pd.testing.assert_frame_equal(backtest_shares(changed, before=2026), early)
    whole = backtest_shares(changed)
    pd.testing.assert_frame_equal(whole[whole["year"] < 2026], early)


def test_nothing_to_hold_out() -> None:
    with pytest.raises(DrgcoreError, match="no year to hold out"):
        backtest_shares(table(history([2026])))
    with pytest.raises(DrgcoreError, match="no year to hold out"):
        backtest_shares(POOLS, first_year=2027)


def test_pools_of_different_years() -> None:
    part = POOLS[(POOLS["pool"] == "employee") | (POOLS["month"] >= "2025")]
    found = backtest_shares(part, ["seasonal_mean"])
    assert found.groupby("pool")["year"].apply(list).to_dict() == {
        "employee": [2023, 2024, 2025, 2026],
        "resident": [2026],
    }
    forecast = forecast_shares(part, 2027, "seasonal_mean")
    assert forecast.history["resident"] == (2025, 2026)


def test_misplaced_is_what_must_move() -> None:
    series = history([2024, 2025], 0.1, 4)
    found = backtest_shares(table(series), ["last_year"])
    expected = misplaced(shares(series.values[0]), shares(series.values[1]))
    assert found["misplaced"][0] == pytest.approx(expected)
    assert expected > misplaced(shares(truth(2024)), shares(truth(2025))) / 10
