"""Intervals that look at the cases themselves: shares of fees, and the bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from drgcore.cli.app import app
from drgcore.errors import DrgcoreError
from drgcore.indicators import bootstrap_interval, compute_indicators, ratio_interval, tally_cases
from drgcore.indicators.columns import KEYS
from tests.indicators.random_cases import case_rows
from tests.indicators.test_indicators import random_cases, records
from tests.reference import plain_indicators as plain

few_random_cases = settings(random_cases, max_examples=15)
QUOTIENTS = (
    *("cmi", "cost_index", "time_index", "mean_cost", "average_stay"),
    *("drug_share", "consumable_share"),
)
FEE_SHARES = ("drug_share", "consumable_share")


def _limits(frame: pd.DataFrame, by: list[str], names: tuple[str, ...], **options: Any) -> Any:
    """Limits by unit and indicator."""
    long = compute_indicators(frame, by, **options).long(*names)
    # A row of no columns is an empty tuple; `itertuples` of the oldest pandas gives no rows then.
    units = map(tuple, long[by].to_numpy(object).tolist())
    rows = zip(units, long["indicator"], long["lower"], long["upper"], strict=True)
    return {(unit, name): (low, high) for unit, name, low, high in rows}


@few_random_cases
@given(frame=case_rows(40), by=st.lists(st.sampled_from(KEYS), max_size=3, unique=True))
def test_shares_of_fees_have_the_interval_of_their_definition(
    frame: pd.DataFrame, by: list[str]
) -> None:
    found = _limits(frame, by, FEE_SHARES)
    pairs = plain.quotients(records(frame), by)
    assert {unit for unit, _ in found} == set(pairs)
    for (unit, name), limits in found.items():
        wanted = plain.ratio_interval(pairs[unit][name])
        assert limits == pytest.approx(wanted, rel=1e-6, abs=1e-7, nan_ok=True), (unit, name)


@few_random_cases
@given(
    frame=case_rows(30),
    by=st.lists(st.sampled_from(KEYS), max_size=2, unique=True),
    seed=st.integers(0, 99),
)
def test_bootstrap_draws_the_cases_of_each_unit(
    frame: pd.DataFrame, by: list[str], seed: int
) -> None:
    found = _limits(frame, by, QUOTIENTS, interval="bootstrap", seed=seed)
    pairs = plain.quotients(records(frame), by)
    for (unit, name), limits in found.items():
        own = pairs[unit][name]
        wanted = bootstrap_interval(
            [float(x) for x, _ in own], [float(y) for _, y in own], seed=seed
        )
        assert limits == pytest.approx(wanted, rel=1e-9, nan_ok=True), (unit, name)


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 500)), min_size=2, max_size=12),
    st.integers(0, 99),
)
def test_bootstrap_is_that_of_the_plain_way(pairs: list[tuple[int, int]], seed: int) -> None:
    top, below = zip(*pairs, strict=True)
    wanted = plain.bootstrap(pairs, 0.9, 50, seed)
    found = bootstrap_interval(top, below, confidence=0.9, draws=50, seed=seed)
    assert found == pytest.approx(wanted, rel=1e-12)
    # The order of the cases changes nothing.
    again = bootstrap_interval(top[::-1], below[::-1], confidence=0.9, draws=50, seed=seed)
    assert again == found


def _skewed(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    cost = rng.lognormal(9.0, 0.6, n)
    return cost * rng.beta(3, 9, n), cost


def test_the_interval_of_a_ratio_holds_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(1000):
        part, cost = _skewed(rng, 80)
        residual = part - part.sum() / cost.sum() * cost
        low, high = ratio_interval([part.sum()], [cost.sum()], [(residual**2).sum()], [80])
        held.append(low[0] <= 0.25 <= high[0])
    assert 0.92 <= np.mean(held) <= 0.97


def test_of_many_cases_both_ways_tell_the_same() -> None:
    rng = np.random.default_rng(4)
    # More than there are blocks.
    part, cost = _skewed(rng, 5000)
    frame = pd.DataFrame({"drg": "A", "total_cost": cost, "drug_cost": part})
    formula = compute_indicators(frame, []).long("drug_share", "mean_cost")
    drawn = compute_indicators(frame, [], interval="bootstrap").long("drug_share", "mean_cost")
    for side in ("lower", "upper"):
        away = (formula[side] - formula["value"]) / (drawn[side] - drawn["value"])
        assert away.tolist() == pytest.approx([1.0, 1.0], rel=0.1)


def test_the_same_seed_gives_the_same_intervals_and_rates_keep_the_exact_one() -> None:
    frame = pd.DataFrame({"drg": ["A", "B"] * 20, "total_cost": np.arange(40.0) ** 2 + 1})
    frame["severity"] = "CC"
    one, two, other = (
        compute_indicators(frame, [], interval="bootstrap", seed=seed).long("mean_cost", "cc_rate")
        for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, two)
    assert one.loc[0, "upper"] != other.loc[0, "upper"]
    exact = compute_indicators(frame, []).long("cc_rate")
    assert one[["lower", "upper"]].iloc[1].tolist() == exact[["lower", "upper"]].iloc[0].tolist()


def test_cases_that_change_later_and_streams_have_their_intervals() -> None:
    frame = pd.DataFrame({"drg": "A", "total_cost": [1.0, 2.0, 4.0], "drug_cost": [0.5, 0.5, 1.0]})
    wanted = compute_indicators(frame, []).long("drug_share")
    stream = pa.Table.from_pandas(frame).to_reader()
    pd.testing.assert_frame_equal(compute_indicators(stream, []).long("drug_share"), wanted)
    found = compute_indicators(frame, [])
    frame["drug_cost"] = 0.1
    pd.testing.assert_frame_equal(found.long("drug_share"), wanted)


def test_a_tally_has_no_cases_to_look_at() -> None:
    frame = pd.DataFrame({"drg": "A", "total_cost": [1.0, 2.0], "drug_cost": [0.5, 0.5]})
    tally = tally_cases(frame)
    assert compute_indicators(tally, []).long("drug_share")["lower"].isna().all()
    with pytest.raises(DrgcoreError, match="a tally has no cases to draw from"):
        compute_indicators(tally, [], interval="bootstrap")
    with pytest.raises(DrgcoreError, match="interval='jackknife' is not known"):
        compute_indicators(frame, [], interval="jackknife")


def test_the_command_takes_the_kind_of_interval(tmp_path: Any) -> None:
    frame = pd.DataFrame({"drg": "A", "hospital": "H1", "total_cost": [1.0, 2.0, 30.0]})
    cases, out = tmp_path / "grouped.parquet", tmp_path / "long.xlsx"
    frame.to_parquet(cases)
    common = ["indicators", str(cases), "--interval"]
    given = ["bootstrap", "--seed", "7", "--out", str(out)]
    assert CliRunner().invoke(app, [*common, *given]).exit_code == 0
    long = pd.read_excel(out, sheet_name="hospital-long", engine="calamine").set_index("indicator")
    wanted = bootstrap_interval([1.0, 2.0, 30.0], seed=7)
    assert long.loc["mean_cost", ["lower", "upper"]].tolist() == pytest.approx(wanted)
    wrong = CliRunner().invoke(app, [*common, "jackknife"])
    assert isinstance(wrong.exception, DrgcoreError)
