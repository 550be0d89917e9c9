"""The methods find what is known, are moved by nothing else, and know their error."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.errors import DrgcoreError
from drgcore.forecast.loglinear import calendar, robust_fit
from drgcore.forecast.seasonal import Estimate, last_year, seasonal_mean, uniform
from drgcore.forecast.series import Series
from drgcore.forecast.shares import METHODS
from drgcore.forecast.smoothing import holt_winters
from tests.forecast.histories import PROFILE, history, misplaced, shares, truth
from tests.reference import plain_shares

random_years = st.sets(st.integers(2010, 2026), min_size=2, max_size=6).map(sorted)


def calendar_or_none(series: Series, year: int, **options: Any) -> Estimate | None:
    """The forecast, or None where the years do not tell the festival's effect."""
    try:
        return calendar(series, year, **options)
    except DrgcoreError as error:
        if "too much alike" not in error.message:
            raise
        return None


def total_of(estimate: Estimate) -> float:
    assert (estimate.shares >= 0).all()
    return float(estimate.shares.sum())


# --- The fit against one least-squares problem ---------------------------------------------


@settings(max_examples=60)
@given(
    years=random_years,
    ahead=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    sigma=st.floats(0, 1.5),
    window=st.sampled_from([(-1, 13), (-7, 7), (0, 29)]),
    known=st.one_of(st.none(), st.floats(0.2, 2)),
    trend=st.booleans(),
)
def test_calendar_without_robustness_is_least_squares(
    years: list[int], ahead: int, seed: int, sigma: float, window: tuple[int, int],
    known: float | None, trend: bool,
) -> None:  # fmt: skip
    series, year = history(years, sigma, seed), years[-1] + ahead
    options: dict[str, Any] = {"window": window, "trend": trend, "festival_effect": known}
    expected, found = plain_shares.calendar_shares(
        dict(zip(years, series.values.tolist(), strict=True)), year, window, known, trend
    )
    estimate = calendar_or_none(series, year, robust=False, **options)
    if estimate is None:
        # Windows that lie exactly alike are told from the months by none of many solutions.
        windows = {tuple(plain_shares.in_window(y, m, window) for m in range(1, 13)) for y in years}
        assert len(windows) == 1 or found["error"] > 1.999
        return
    assert known is not None or found["error"] < 2.001
    np.testing.assert_allclose(estimate.shares, expected, atol=1e-9)
    assert total_of(estimate) == pytest.approx(1, abs=1e-12)
    if "festival effect" in estimate.found and found:
        assert estimate.found["festival effect"] == pytest.approx(found["festival effect"])


@settings(max_examples=60)
@given(years=random_years, trend=st.booleans(), festival=st.floats(0.3, 1.2))
def test_without_noise_the_robust_fit_is_exact(
    years: list[int], trend: bool, festival: float
) -> None:
    series, year = history(years, festival=festival), years[-1] + 1
    estimate = calendar_or_none(series, year, trend=trend)
    if estimate is None:
        return
    if "festival effect" in estimate.found:
        assert estimate.found["festival effect"] == pytest.approx(festival, abs=0.01)
    np.testing.assert_allclose(estimate.shares, shares(truth(year, festival=festival)), atol=1e-6)
    assert not any("set aside" in note for note in estimate.notes)
    assert estimate.found["growth a year"] == pytest.approx(0.05, abs=1e-4)


# --- What is known is found ----------------------------------------------------------------


def test_profile_festival_and_growth_are_found() -> None:
    estimate = calendar(history(range(2017, 2027), 0.02, seed=3), 2027)
    # Growth within the year is part of the profile of each year.
    slope = 1.05 ** (np.arange(12) / 12)
    known = PROFILE * slope / np.exp(np.log(PROFILE * slope).mean())
    np.testing.assert_allclose(estimate.found["profile"], known, atol=0.03)
    error = estimate.found["festival effect, standard error of its logarithm"]
    assert abs(np.log(estimate.found["festival effect"]) - np.log(0.6)) < 3 * error < 0.2
    assert estimate.found["growth a year"] == pytest.approx(0.05, abs=0.01)
    assert estimate.found["sigma"] == pytest.approx(0.02, rel=0.3)


def test_a_trend_over_all_months_is_found() -> None:
    estimate = calendar(history(range(2020, 2027), 0.02, seed=4, growth=0.12), 2027, trend=True)
    assert np.log1p(estimate.found["growth a year"]) == pytest.approx(np.log(1.12), abs=0.01)


@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024])
@pytest.mark.parametrize("month", [1, 2, 6, 12])
@pytest.mark.parametrize("factor", [0.35, 2.0])
def test_one_disturbed_month_moves_little_and_is_named(
    year: int, month: int, factor: float
) -> None:
    clean = history(range(2021, 2027), 0.01, seed=year + month)
    values = clean.values.copy()
    values[year - 2021, month - 1] *= factor
    spoilt = Series("p", clean.years, values)
    estimate, before = calendar(spoilt, 2027), calendar(clean, 2027)
    assert any(f"{year}-{month:02d} was set aside" in note for note in estimate.notes)
    assert misplaced(estimate.shares, before.shares) < 0.005
    # Ordinary least squares is moved by much more.
    moved = calendar(spoilt, 2027, robust=False)
    assert misplaced(moved.shares, before.shares) > 2 * misplaced(estimate.shares, before.shares)


def test_the_median_is_not_moved_by_one_year() -> None:
    clean = history(range(2022, 2027), festival=1.0, growth=0.0)
    values = clean.values.copy()
    values[1, 3] *= 0.2
    spoilt = Series("p", clean.years, values)
    actual = shares(truth(2027, festival=1.0, growth=0.0))
    by_median = misplaced(seasonal_mean(spoilt, 2027, centre="median").shares, actual)
    assert by_median < 0.002 < misplaced(seasonal_mean(spoilt, 2027).shares, actual)


def test_calendar_beats_the_simple_methods_on_a_moving_festival() -> None:
    errors: dict[str, list[float]] = {}
    for seed, year in enumerate(range(2019, 2035)):
        series = history(range(year - 5, year), 0.02, seed)
        for name in ("uniform", "last_year", "seasonal_mean", "calendar"):
            found = METHODS[name](series, year).shares
            errors.setdefault(name, []).append(misplaced(found, shares(truth(year))))
    mean = {name: float(np.mean(values)) for name, values in errors.items()}
    assert mean["calendar"] < 0.5 * mean["last_year"]
    assert mean["calendar"] < 0.25 * mean["uniform"]
    assert mean["calendar"] < 0.7 * mean["seasonal_mean"]


def test_a_given_effect_is_used_as_it_is() -> None:
    # Two years whose window lies alike tell nothing; with the effect given they are enough.
    series = history([2002, 2005], festival=0.5)
    with pytest.raises(DrgcoreError, match="too much alike in 2002, 2005 to tell") as error:
        calendar(series, 2028)
    assert "give festival_effect" in str(error.value)
    # With a day or two of difference, noise would decide.
    with pytest.raises(DrgcoreError, match=r"of 2028 would be 3\.4 times as uncertain"):
        calendar(history([2026, 2027]), 2028)
    estimate = calendar(series, 2028, festival_effect=0.5)
    np.testing.assert_allclose(estimate.shares, shares(truth(2028, festival=0.5)), atol=1e-9)
    # A coming year with the same window needs no effect at all.
    same = calendar(series, 2013)
    assert "festival effect" not in same.found
    assert same.notes == (
        "the Spring Festival lies alike in all years: its effect is in the months'",
    )
    # A leap year's February is hardly another: the forecast is sound, the effect is not.
    hardly = calendar(history([2024, 2027, 2029], 0.03, 1), 2030)
    assert hardly.notes == ("these years hardly tell the Spring Festival's effect",)
    assert misplaced(hardly.shares, shares(truth(2030))) < 0.03
    np.testing.assert_allclose(same.shares, shares(truth(2013, festival=0.5)), atol=1e-4)


def test_smoothing_finds_a_profile() -> None:
    series = history(range(2021, 2027), 0.005, seed=1, festival=1.0)
    found = holt_winters(series, 2027).shares
    assert misplaced(found, shares(truth(2027, festival=1.0))) < 0.005
    # Two years ahead it is the profile again, with the days of a leap year.
    found = holt_winters(series, 2028).shares
    assert misplaced(found, shares(truth(2028, festival=1.0))) < 0.005


# --- What must not move them ---------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("factor", [2.0, 1e-6, 12345.678])
def test_the_unit_changes_nothing(method: Callable[..., Estimate], factor: float) -> None:
    series = history(range(2022, 2027), 0.03, seed=8)
    scaled = Series("p", series.years, series.values * factor)
    before, after = method(series, 2027), method(scaled, 2027)
    np.testing.assert_allclose(after.shares, before.shares, atol=1e-6)
    np.testing.assert_allclose(after.bounds(0.9), before.bounds(0.9), atol=1e-5)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_the_same_again_is_the_same(method: Callable[..., Estimate]) -> None:
    series = history(range(2022, 2027), 0.03, seed=9)
    first, second = method(series, 2028), method(series, 2028)
    assert first.shares.tobytes() == second.shares.tobytes()
    assert first.bounds(0.8).tobytes() == second.bounds(0.8).tobytes()
    assert total_of(first) == pytest.approx(1, abs=1e-12)
    lower, upper = first.bounds(0.8)
    narrow = first.bounds(0.5)
    assert (lower <= narrow[0]).all()
    assert (narrow[1] <= upper).all()


# --- Intervals -----------------------------------------------------------------------------


@pytest.mark.parametrize("years", [2, 3, 5])
@pytest.mark.parametrize("name", ["uniform", "last_year", "seasonal_mean", "calendar"])
def test_intervals_cover_about_their_level(name: str, years: int) -> None:
    inside = []
    for seed in range(60):
        year = 2016 + seed % 15
        if name == "calendar" and years == 2 and year in (2020, 2023, 2028):
            # The two years before these do not tell the festival's effect.
            continue
        series = history(range(year - years, year + 1), 0.03, seed)
        lower, upper = METHODS[name](series.before(year), year).bounds(0.9)
        inside.append((lower <= series.shares[-1]) & (series.shares[-1] <= upper))
    coverage = float(np.mean(inside))
    print(f"{name}, {years} years: {coverage:.3f} of 0.9")
    assert 0.84 <= coverage <= 0.96


def test_intervals_of_smoothing_cover_about_their_level() -> None:
    inside = []
    for seed in range(15):
        year = 2016 + seed % 15
        series = history(range(year - 4, year + 1), 0.03, seed, festival=1.0)
        lower, upper = holt_winters(series.before(year), year).bounds(0.9)
        inside.append((lower <= series.shares[-1]) & (series.shares[-1] <= upper))
    print(f"holt_winters, 4 years: {np.mean(inside):.3f} of 0.9")
    assert 0.8 <= np.mean(inside) <= 0.98


def test_a_disturbed_month_does_not_widen_the_interval() -> None:
    clean = history(range(2021, 2027), 0.02, seed=5)
    values = clean.values.copy()
    values[2, 6] *= 0.3
    lower, upper = calendar(clean, 2027).bounds(0.9)
    lower_spoilt, upper_spoilt = calendar(Series("p", clean.years, values), 2027).bounds(0.9)
    assert (upper_spoilt - lower_spoilt).mean() < 1.5 * (upper - lower).mean()


# --- Histories that a method cannot use ----------------------------------------------------


def test_one_year() -> None:
    one = history([2026], 0.02)
    np.testing.assert_allclose(uniform(one, 2027).shares, 1 / 12)
    assert np.isfinite(uniform(one, 2027).bounds(0.9)).all()
    for method in (last_year, seasonal_mean):
        estimate = method(one, 2027)
        np.testing.assert_allclose(estimate.shares, one.shares[0])
        assert np.isnan(estimate.bounds(0.9)).all()
        assert "no interval" in estimate.notes[-1]
    for method in (calendar, holt_winters):
        with pytest.raises(DrgcoreError, match="two whole years"):
            method(one, 2027)


def test_a_month_with_nothing() -> None:
    series = history([2024, 2025, 2026])
    series.values[1, 4] = 0
    for method in (calendar, holt_winters):
        with pytest.raises(DrgcoreError, match="nothing in 2025-05"):
            method(series, 2027)
    assert last_year(series.before(2026), 2027).shares[4] == 0
    assert total_of(seasonal_mean(series, 2027)) == pytest.approx(1)
    lower = seasonal_mean(series, 2027).bounds(0.99)[0]
    assert (lower >= 0).all()


def test_years_with_a_gap() -> None:
    series = history([2021, 2023, 2026], 0.001)
    with pytest.raises(DrgcoreError, match="without a gap, and there are 2021, 2023, 2026"):
        holt_winters(series, 2027)
    assert misplaced(calendar(series, 2027).shares, shares(truth(2027))) < 0.002
    assert last_year(series, 2027).notes == ()
    assert last_year(series, 2028).notes == ("the last whole year is 2026",)


def test_medians_of_which_all_are_nothing() -> None:
    values = np.zeros((3, 12))
    values[[0, 1, 2], [0, 1, 2]] = 1
    with pytest.raises(DrgcoreError, match="median of every month is 0"):
        seasonal_mean(Series("p", (2024, 2025, 2026), values), 2027, centre="median")


@pytest.mark.parametrize("effect", [0.0, -1.0, 10.0, float("nan")])
def test_an_effect_that_is_none(effect: float) -> None:
    with pytest.raises(DrgcoreError, match="festival's effect is"):
        calendar(history([2025, 2026]), 2027, festival_effect=effect)


def test_a_centre_that_is_none() -> None:
    with pytest.raises(DrgcoreError, match="mean or median"):
        seasonal_mean(history([2025, 2026]), 2027, centre="mode")  # type: ignore[arg-type]


def test_two_years_that_disagree_on_a_month_meet_halfway() -> None:
    series = history([2025, 2026], 0.005, seed=2)
    series.values[1, 8] *= 3
    estimate = calendar(series, 2027)
    assert np.isfinite(estimate.shares).all()
    named = [note for note in estimate.notes if "-09 was set aside" in note]
    assert len(named) == 2
    only = calendar(history([2025, 2026], 0.005, seed=2), 2027).shares[8]
    assert estimate.shares[8] == pytest.approx(only * 3**0.5, rel=0.12)


def test_a_fit_of_as_many_unknowns_as_numbers() -> None:
    fit = robust_fit(np.eye(3), np.array([1.0, 2.0, 3.0]))
    assert fit.coefficients.tolist() == [1.0, 2.0, 3.0]


def test_without_statsmodels_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **rest: Any) -> Any:
        if name.startswith("statsmodels"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DrgcoreError, match="needs statsmodels") as error:
        holt_winters(history([2025, 2026]), 2027)
    assert "pip install 'drgcore[forecast]'" in str(error.value)
