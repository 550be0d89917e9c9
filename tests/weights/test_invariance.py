"""What must not matter: order of rows, threads, unit of cost; and cases counted twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.weights import (
    Credibility,
    base_points,
    compare_groupings,
    group_statistics,
    grouping_performance,
    hospital_coefficients,
    level_coefficients,
    level_cost_coefficients,
    read_history,
    riv,
    standardise_costs,
    trim_iqr,
    trim_multiples,
    trim_norm,
    trim_percentiles,
)
from drgcore.weights.segments import sort_by_group
from tests.weights.histories import clean, histories

some = settings(max_examples=12, deadline=None)
YEARS = {2024: 1, 2025: 2, 2026: 7}
NATIONAL = {"AA11": 0.9, "AA13": 1.2, "BR11": 0.4}


def tables(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Every table of the room, from one history of clean cases."""
    cases = read_history(frame)
    trimming = trim_iqr(cases, log=True)
    weights = [
        base_points(cases, scale=100),
        base_points(cases, scale=100, year_weights=YEARS, trimming=trimming),
        base_points(cases, scale=100, year_weights=YEARS, year_method="of_cases"),
        base_points(cases, scale=100, credibility=Credibility("adrg", k=7), absent=["adrg"]),
        base_points(cases, scale=100, credibility=Credibility("national", k=3), national=NATIONAL),
    ]
    return [
        trimming.table,
        trim_percentiles(cases, 10, 90).table,
        trim_multiples(cases, 0.4, 2.5).table,
        trim_norm(cases, high={"1": 2.0, "2": 2.0, "3": 3.0}).table,
        *(w.table for w in weights),
        *(w.policy_table() for w in weights),
        pd.DataFrame({"mean": [w.mean_cost for w in weights]}),
        group_statistics(cases, ["drg", "hospital"]),
        group_statistics(cases, ["year", "mdc", "pool"]),
        level_cost_coefficients(cases, n_min=1, trimming=trimming),
        level_coefficients(cases),
        hospital_coefficients(frame.assign(patient_paid=frame["total_cost"] / 4)),
    ]


@some
@given(cases=clean(), seed=st.integers(0, 2**32 - 1))
def test_order_of_rows(cases: pd.DataFrame, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(cases))
    shuffled = cases.iloc[order]
    for before, after in zip(tables(cases), tables(shuffled), strict=True):
        pd.testing.assert_frame_equal(before, after, check_exact=True)
    assert np.array_equal(trim_iqr(cases).keep[order], trim_iqr(shuffled).keep)


@some
@given(cases=histories(), seed=st.integers(0, 2**32 - 1))
def test_order_of_hostile_rows(cases: pd.DataFrame, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(cases))
    shuffled = cases.iloc[order]

    def measured(rows: pd.DataFrame) -> list[pd.DataFrame]:
        both = rows, rows.assign(drg=rows["drg"].str[:3])
        return [
            grouping_performance(rows, bootstrap=20),
            compare_groupings(*both, bootstrap=20),
            group_statistics(rows, ["drg", "adrg"]),
            read_history(rows).left_out,
        ]

    for before, after in zip(measured(cases), measured(shuffled), strict=True):
        pd.testing.assert_frame_equal(before, after, check_exact=True)


@some
@given(
    costs=st.lists(st.floats(0.01, 1e6), min_size=2, max_size=60), seed=st.integers(0, 2**32 - 1)
)
def test_order_of_riv(costs: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, groups = np.array(costs), rng.integers(0, 4, len(costs))
    order = rng.permutation(len(costs))
    np.testing.assert_array_equal(riv(values, groups), riv(values[order], groups[order]))


def test_order_of_standardised_costs() -> None:
    rng = np.random.default_rng(5)
    names = [f"c{i:02d}" for i in range(38)]
    cases = pd.DataFrame(rng.lognormal(5, 2, (1003, 38)), columns=names)
    target = dict(zip(names, rng.dirichlet(np.ones(38)), strict=True))
    cost, table = standardise_costs(cases, target)
    for _ in range(5):
        order = rng.permutation(len(cases))
        shuffled = standardise_costs(cases.iloc[order], target)
        assert np.array_equal(shuffled[0], cost[order])
        pd.testing.assert_frame_equal(shuffled[1], table, check_exact=True)


@some
@given(
    pairs=st.lists(st.tuples(st.integers(-1, 9), st.floats(-1e9, 1e9)), max_size=200),
    threads=st.integers(1, 12),
)
def test_threads_and_plain_groups(pairs: list[tuple[int, float]], threads: int) -> None:
    codes = np.array([code for code, _ in pairs], np.int64)
    values = np.array([value for _, value in pairs], np.float64)
    parts = sort_by_group(codes, values, 11, threads)
    one = sort_by_group(codes, values, 11, 1)
    assert parts.values.tobytes() == one.values.tobytes()
    assert parts.sd.tobytes() == one.sd.tobytes()
    for group in range(11):
        here = sorted(values[codes == group])
        assert parts.values[parts.starts[group] : parts.starts[group + 1]].tolist() == here
        if not here:
            assert np.isnan([parts.mean[group], parts.sd[group], parts.quantile(0.5)[group]]).all()
            assert parts.total[group] == 0
            continue
        tolerance = {"rel": 1e-9, "abs": 1e-3}
        assert parts.mean[group] == pytest.approx(np.mean(here), **tolerance)
        assert parts.sd[group] == pytest.approx(np.std(here), **tolerance)
        for share in (0.0, 0.1, 1 / 3, 0.9, 1.0):
            expected = np.quantile(here, share)
            assert parts.quantile(share)[group] == pytest.approx(expected, **tolerance)


def test_threads_on_many_groups() -> None:
    rng = np.random.default_rng(0)
    codes, values = rng.integers(-1, 700, 50_000), rng.lognormal(9, 1, 50_000)
    one = sort_by_group(codes, values, 700, 1)
    for threads in (2, 3, 8, 1000):
        assert np.array_equal(sort_by_group(codes, values, 700, threads).values, one.values)


UNITLESS = ["own_weight", "target", "relative_weight", "base_points", "credibility", "cv",
            "coefficient", "case_mix", "own_history", "patient_burden"]  # fmt: skip
FACTS = ["stable", "why_unstable", "source", "cases", "kept", "cut_low", "cut_high"]


@some
@given(cases=clean(), factor=st.sampled_from([2.0, 0.5, 4096.0]))
def test_power_of_two_changes_no_weight(cases: pd.DataFrame, factor: float) -> None:
    after = tables(cases.assign(total_cost=cases["total_cost"] * factor))
    for before, scaled in zip(tables(cases), after, strict=True):
        # What is not rounded to fen is the same to the last bit.
        same = [n for n in before if n in UNITLESS or n in FACTS]
        pd.testing.assert_frame_equal(before[same], scaled[same], check_exact=True)


@some
@given(cases=clean(), factor=st.floats(0.001, 1000.0))
def test_unit_of_cost_changes_no_weight(cases: pd.DataFrame, factor: float) -> None:
    after = tables(cases.assign(total_cost=cases["total_cost"] * factor))
    for before, scaled in zip(tables(cases), after, strict=True):
        facts = [name for name in before if name in FACTS]
        pd.testing.assert_frame_equal(before[facts], scaled[facts])
        for name in set(before) & set(UNITLESS):
            # Base points and the policy's CV are rounded: one unit of the last decimal at most.
            slack = {"base_points": 1.1e-4, "cv": 1.1e-6}.get(name, 1e-9)
            np.testing.assert_allclose(scaled[name], before[name], rtol=1e-9, atol=slack)
        for name in set(before) & {"mean_cost", "sd", "q50", "high", "cost_cut", "expected_cost"}:
            if name == "mean_cost" and "base_points" in before and "source" not in before:
                continue  # The policy's table has whole fen.
            np.testing.assert_allclose(scaled[name], before[name] * factor, rtol=1e-9, atol=1e-9)


@some
@given(cases=clean(), factor=st.floats(0.001, 1000.0))
def test_unit_of_cost_changes_no_performance(cases: pd.DataFrame, factor: float) -> None:
    scaled = cases.assign(total_cost=cases["total_cost"] * factor)
    before, after = (grouping_performance(c, bootstrap=10)["value"] for c in (cases, scaled))
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)


@some
@given(cases=clean())
def test_every_case_twice(cases: pd.DataFrame) -> None:
    twice = pd.concat([cases, cases])
    before, after = group_statistics(cases), group_statistics(twice)
    assert after["cases"].tolist() == (2 * before["cases"]).tolist()
    np.testing.assert_allclose(after["total_cost"], 2 * before["total_cost"])
    for name in ("mean_cost", "sd", "cv", "min", "max", "mean_stay"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-9, atol=1e-9)
    by_year: dict[str, Any] = {"year_weights": YEARS}
    for options in ({}, by_year, by_year | {"year_method": "of_cases"}):
        one, two = (base_points(c, scale=100, **options).table for c in (cases, twice))
        assert two["cases"].tolist() == (2 * one["cases"]).tolist()
        np.testing.assert_allclose(two["relative_weight"], one["relative_weight"])
    metrics = ["riv", "riv_log", "grouping_rate", "ambiguous_rate", "groups"]
    one, two = (grouping_performance(c, bootstrap=0).set_index("metric") for c in (cases, twice))
    np.testing.assert_allclose(two.loc[metrics, "value"], one.loc[metrics, "value"], atol=1e-9)


@some
@given(cases=clean())
def test_weights_average_one(cases: pd.DataFrame) -> None:
    """Σ n·RW = n, and the points of all cases are what the fund's scale says."""
    weights = base_points(cases, scale=100)
    assert weights.mean_relative_weight == pytest.approx(1)
    paid: Any = (weights.table["base_points"] * weights.table["cases"]).sum()
    assert paid == pytest.approx(100 * len(cases), abs=len(cases) * 0.5e-4 + 1e-9)
