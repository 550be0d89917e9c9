"""A history made with known weights, coefficients and outliers gives them back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from drgcore.weights import (
    Credibility,
    base_points,
    hospital_coefficients,
    level_coefficients,
    level_cost_coefficients,
    standardise_costs,
    trim_iqr,
    trim_multiples,
    trim_norm,
    trim_percentiles,
)
from drgcore.weights.credibility import buhlmann_k

NAMES = np.array([f"{chr(65 + a)}R1{d}" for a in range(15) for d in (1, 3, 5)])


def lognormal(rng: np.random.Generator, mean: Any, sigma: float) -> NDArray[np.float64]:
    """Costs with these means."""
    mean = np.asarray(mean, np.float64)
    return mean * rng.lognormal(-(sigma**2) / 2, sigma, mean.shape)


def test_relative_weights() -> None:
    rng = np.random.default_rng(1)
    truth = rng.lognormal(0, 0.6, len(NAMES))
    group = rng.integers(0, len(NAMES), 200_000)
    cases = pd.DataFrame(
        {"drg": NAMES[group], "total_cost": lognormal(rng, 9e3 * truth[group], 0.5)}
    )
    table = base_points(cases, scale=100).table
    expected = truth[np.argsort(NAMES)] / truth[group].mean()
    # 4,400 cases a group with CV 0.53: a standard error of 0.8 %.
    np.testing.assert_allclose(table["relative_weight"], expected, rtol=0.035)
    np.testing.assert_allclose(table["cv"], np.sqrt(np.exp(0.25) - 1), rtol=0.1)
    assert table["stable"].all()


@pytest.mark.parametrize("method", ["of_means", "of_cases"])
def test_inflation_between_years_moves_no_weight(method: Any) -> None:
    """Costs grow by 20 % a year and case numbers differ; the groups' relations do not."""
    rng = np.random.default_rng(2)
    truth = rng.lognormal(0, 0.6, len(NAMES))
    parts = []
    for year, factor, n in ((2024, 1.0, 90_000), (2025, 1.2, 30_000), (2026, 1.44, 60_000)):
        group = rng.integers(0, len(NAMES), n)
        cost = lognormal(rng, 9e3 * factor * truth[group], 0.4)
        parts.append(pd.DataFrame({
            "drg": NAMES[group], "total_cost": cost, "discharge_date": f"{year}-06-30",
        }))  # fmt: skip
    weights = base_points(
        pd.concat(parts), scale=100, year_weights={2024: 1, 2025: 2, 2026: 7}, year_method=method
    )
    expected = truth[np.argsort(NAMES)] / truth.mean()
    np.testing.assert_allclose(weights.table["relative_weight"], expected, rtol=0.05)
    inflated = 9e3 * truth.mean() * (1 + 2 * 1.2 + 7 * 1.44) / 10
    assert weights.mean_cost == pytest.approx(inflated, rel=0.02)


def levels_and_hospitals(rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Third-level hospitals have dearer groups and are dearer in each group, by 1.3 : 1 : 0.8."""
    n, factor = 300_000, np.array([1.3, 1.0, 0.8])
    level = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    group = np.where(level == 0, rng.integers(10, 20, n), rng.integers(0, 20, n))
    cost = lognormal(rng, 3e3 * (1 + group) * factor[level], 0.5)
    hospital = np.array(["三甲医院", "县医院", "镇卫生院"])[level]
    return pd.DataFrame({
        "drg": NAMES[group], "hospital": hospital, "total_cost": cost,
        "hospital_level": np.array(["3", "2", "1"])[level],
        "patient_paid": cost * 0.2 * factor[level],
    }), factor  # fmt: skip


def test_level_coefficients() -> None:
    cases, factor = levels_and_hospitals(np.random.default_rng(3))
    by_group = level_cost_coefficients(cases).pivot(
        index="drg", columns="level", values="coefficient"
    )
    # In every group that all levels have, the ratios are those that the costs were made with.
    both = by_group.dropna()
    assert len(both) == 10
    np.testing.assert_allclose(both["3"] / both["2"], factor[0] / factor[1], rtol=0.06)
    np.testing.assert_allclose(both["1"] / both["2"], factor[2] / factor[1], rtol=0.06)
    level = level_coefficients(cases).set_index("level")["coefficient"]
    hospital = hospital_coefficients(cases).set_index("hospital")
    # The mix is taken out: a third of the costs apart, though the mean costs differ by far more.
    crude = cases.groupby("hospital_level")["total_cost"].mean()
    assert crude["3"] / crude["2"] > 1.8
    assert 1 < level["3"] < 1.3
    assert level["2"] < 1 < level["3"]
    assert level.to_dict() == dict(
        zip("321", hospital.loc[["三甲医院", "县医院", "镇卫生院"], "own_history"], strict=True)
    )
    # Costs add up to what is expected, over all levels.
    table = level_coefficients(cases)
    assert table["cost"].sum() == pytest.approx(table["expected_cost"].sum())
    assert table["cost"].sum() == pytest.approx(cases["total_cost"].sum())
    weighed = np.average(hospital["case_mix"], weights=hospital["cases"])
    assert weighed == pytest.approx(1)
    paid = cases.groupby("hospital")[["patient_paid", "total_cost"]].sum()
    share = cases["patient_paid"].sum() / cases["total_cost"].sum()
    burden = share / (paid["patient_paid"] / paid["total_cost"])
    np.testing.assert_allclose(hospital["patient_burden"], burden[hospital.index])


def test_levels_with_one_mix_have_their_factors() -> None:
    rng = np.random.default_rng(4)
    n, factor = 100_000, np.array([1.2, 1.0, 0.7])
    level, group = rng.integers(0, 3, n), rng.integers(0, 20, n)
    cases = pd.DataFrame({
        "drg": NAMES[group], "total_cost": lognormal(rng, 3e3 * (1 + group) * factor[level], 0.4),
        "hospital_level": np.array(["3", "2", "1"])[level],
    })  # fmt: skip
    k = level_coefficients(cases).set_index("level")["coefficient"]
    np.testing.assert_allclose(k[["3", "2", "1"]], factor / factor.mean(), rtol=0.01)


def test_trimming_finds_the_outliers() -> None:
    """One case in a hundred costs six times, one a twentieth of what it should."""
    rng = np.random.default_rng(5)
    n = 30_000
    group, fate = rng.integers(0, len(NAMES), n), rng.random(n)
    clean = lognormal(rng, 2e3 * (1 + group), 0.2)
    dear, cheap = fate < 0.01, fate > 0.99
    cost = clean * np.select([dear, cheap], [6.0, 0.05], 1.0)
    cases = pd.DataFrame({"drg": NAMES[group], "total_cost": cost, "hospital_level": "3"})
    planted = dear | cheap
    for trimming, most_lost in [
        (trim_iqr(cases, log=True), 0.02),
        (trim_multiples(cases, 0.3, 3), 0.001),
        (trim_norm(cases), 0.001),
        (trim_percentiles(cases, 2, 98), 0.04),
    ]:
        cut = ~trimming.keep
        assert cut[planted].mean() > 0.97, trimming.method
        assert cut[~planted].mean() < most_lost, trimming.method
        assert trimming.table[["cut_low", "cut_high"]].to_numpy().sum() == cut.sum()
        raw, cut_means = (
            base_points(cases, scale=100, trimming=t).table["mean_cost"] for t in (None, trimming)
        )
        true = pd.Series(clean).groupby(NAMES[group]).mean()
        assert np.abs(cut_means.to_numpy() / true - 1).max() < 0.03
        assert np.abs(raw.to_numpy() / true - 1).max() > 0.03
    # The plain fence lies below 0 for skewed costs that it keeps, and cuts dear cases.
    assert (~trim_iqr(cases).keep)[dear].mean() > 0.99


def groups_of_cases(
    rng: np.random.Generator, sizes: NDArray[np.int64], spread: float, noise: float
) -> tuple[pd.DataFrame, NDArray[np.float64], NDArray[np.float64]]:
    """Three DRGs an ADRG, whose true means lie around that of the ADRG with a CV of `spread`.

    Gives the cases, the true means and those of the ADRGs.
    """
    adrgs = len(sizes) // 3
    names = [f"{chr(65 + a // 30)}{chr(65 + a % 30)}1{d}" for a in range(adrgs) for d in "135"]
    of_adrg = np.repeat(rng.lognormal(9, 0.5, adrgs), 3)
    truth = of_adrg * rng.gamma(1 / spread**2, spread**2, len(sizes))
    drg = np.repeat(np.arange(len(sizes)), sizes)
    # A gamma of this shape has mean 1 and a standard deviation of `noise`, of the ADRG's mean.
    share = truth[drg] / of_adrg[drg]
    cost = of_adrg[drg] * rng.gamma((share / noise) ** 2, noise**2 / share)
    return pd.DataFrame({"drg": np.array(names)[drg], "total_cost": cost}), truth, of_adrg


@pytest.mark.parametrize("least", [3, 20])
def test_buhlmann_k_towards_the_adrg(least: int) -> None:
    """k is variance within over between: 0.6² / 0.2² = 9, whatever the size of the groups."""
    ks = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(least, 3 * least, 600)
        cases, _, _ = groups_of_cases(rng, sizes, 0.2, 0.6)
        ks.append(base_points(cases, scale=100, credibility=Credibility("adrg")).k)
    assert 9 * 0.65 < np.median(np.array(ks)) < 9 * 1.5, ks


def test_buhlmann_k_towards_national_weights() -> None:
    rng = np.random.default_rng(11)
    cases, _, of_adrg = groups_of_cases(rng, rng.integers(5, 40, 600), 0.2, 0.6)
    names = np.unique(cases["drg"])
    national = dict(zip(names, of_adrg / of_adrg.mean(), strict=True))
    k = base_points(cases, scale=100, credibility=Credibility("national"), national=national).k
    assert 9 * 0.7 < k < 9 * 1.4


def test_smoothing_comes_nearer_to_the_truth() -> None:
    own, smooth, given_k = [], [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(2, 15, 300)
        cases, truth, _ = groups_of_cases(rng, sizes, 0.2, 0.8)
        right = truth / np.average(truth, weights=sizes)
        for errors, credibility in (
            (own, None),
            (smooth, Credibility("adrg")),
            (given_k, Credibility("adrg", k=16)),
        ):
            table = base_points(cases, scale=100, credibility=credibility).table
            errors.append((((table["relative_weight"] - right) / right) ** 2).mean())
    assert np.mean(smooth) < 0.75 * np.mean(own)
    assert np.mean(given_k) < 0.75 * np.mean(own)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_k_lies_between_its_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 30, 40)
    mean = rng.lognormal(0, 0.2, 40)
    k = buhlmann_k(n, mean, 0.1 * n, np.ones(40))
    assert k > 0
    # Without spread within groups own history is all; without groups that differ the target is.
    assert buhlmann_k(n, mean, 0.0 * n, np.ones(40)) == 0
    assert buhlmann_k(n, np.ones(40), 0.1 * n, np.ones(40)) == np.inf
    # The order of the groups and the unit of cost do not matter.
    order = rng.permutation(40)
    again = buhlmann_k(n[order], 7 * mean[order], 4.9 * n[order], np.full(40, 7.0))
    assert again == pytest.approx(k)
    family = np.repeat(np.arange(20), 2)
    one = buhlmann_k(n, mean, 0.1 * n, np.ones(40), family)
    relabelled = buhlmann_k(n, mean, 0.1 * n, np.ones(40), 19 - family)
    assert one == pytest.approx(relabelled)


def test_k_by_hand() -> None:
    """Two families of two groups of 10, means 8, 12 and 20, 24 around 10 and 22."""
    n = np.full(4, 10)
    mean, target = np.array([8.0, 12.0, 20.0, 24.0]), np.array([10.0, 10.0, 22.0, 22.0])
    squares = np.array([40.0, 40.0, 193.6, 193.6])
    within = (40 + 40) / 100 + 2 * 193.6 / 484
    within /= 36
    between = 10 * (2 * 0.2**2 + 2 * (2 / 22) ** 2) - 2 * within
    room = 40 - (200 / 20 + 200 / 20)
    k = buhlmann_k(n, mean, squares, target, np.array([0, 0, 1, 1]))
    assert k == pytest.approx(within / (between / room))
    # Groups alone in their family say nothing, and change nothing.
    more = [np.append(a, b) for a, b in ((n, 99), (mean, 5.0), (squares, 1e9), (target, 5.0))]
    assert buhlmann_k(*more, np.array([0, 0, 1, 1, 2])) == pytest.approx(k)
    assert np.isnan(buhlmann_k(n, mean, squares, target, np.arange(4)))


def test_standardised_weights_follow_the_work() -> None:
    """A group that costs only drugs loses, one that costs only nursing gains, as 0.4 to 0.6."""
    cases = pd.DataFrame({
        "drg": ["AA11"] * 4 + ["BA11"] * 4, "drugs": [600.0] * 4 + [0.0] * 4,
        "nursing": [0.0] * 4 + [400.0] * 4,
    })  # fmt: skip
    cost, table = standardise_costs(cases, {"drugs": 0.4, "nursing": 0.6})
    weights = base_points(cases.assign(total_cost=cost), scale=100)
    assert weights.table["relative_weight"].tolist() == pytest.approx([0.8, 1.2])
    assert table["factor"].tolist() == pytest.approx([2 / 3, 1.5])
    assert weights.mean_cost == pytest.approx(500)
