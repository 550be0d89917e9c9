"""RIV by other formulas, and intervals that hold what they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.weights import (
    compare_groupings,
    group_statistics,
    grouping_performance,
    riv,
    trim_percentiles,
)

Floats = NDArray[np.float64]


def one_minus_within(x: Floats, code: NDArray[np.int64]) -> float:
    """1 − SSW/SST."""
    within = sum(((x[code == g] - x[code == g].mean()) ** 2).sum() for g in np.unique(code))
    return float(1 - within / ((x - x.mean()) ** 2).sum())


def r_squared(x: Floats, code: NDArray[np.int64]) -> float:
    """R² of a regression on group dummies, one of which is the constant."""
    dummies = (code[:, None] == np.unique(code)[None, 1:]).astype(float)
    design = np.column_stack([np.ones(len(x)), dummies])
    fitted = design @ np.linalg.lstsq(design, x, rcond=None)[0]
    return float(1 - ((x - fitted) ** 2).sum() / ((x - x.mean()) ** 2).sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(1, 8), st.booleans())
def test_riv_by_three_formulas(seed: int, n: int, groups: int, with_gaps: bool) -> None:
    rng = np.random.default_rng(seed)
    code = rng.integers(0, groups, n) * (3 if with_gaps else 1)
    x = rng.lognormal(9 + 0.3 * code, 0.6)
    value = riv(x, code)
    assert value == pytest.approx(one_minus_within(x, code), abs=1e-9)
    assert value == pytest.approx(r_squared(x, code), abs=1e-7)
    cases = pd.DataFrame({"drg": [f"AA{c:02d}" for c in code], "total_cost": x})
    table = grouping_performance(cases, bootstrap=0).set_index("metric")["value"]
    assert table["riv"] == pytest.approx(value, abs=1e-9)
    assert table["riv_log"] == pytest.approx(r_squared(np.log(x), code), abs=1e-7)


def test_riv_at_its_ends() -> None:
    assert riv([1.0, 1.0, 5.0, 5.0], [0, 0, 1, 1]) == 1
    assert riv([1.0, 5.0, 1.0, 5.0], [0, 0, 1, 1]) == 0
    assert riv([1.0, 5.0, 9.0], [0, 0, 0]) == 0
    assert riv([1.0, 5.0, 9.0], [0, 1, 2]) == 1
    for equal in ([0.1] * 7, [1e7 / 3] * 7, [5.0], []):
        assert np.isnan(riv(equal, list(range(len(equal)))))


def test_riv_keeps_its_digits_far_from_zero() -> None:
    rng = np.random.default_rng(3)
    code, x = np.repeat(np.arange(5), 40), rng.normal(size=200) + np.repeat(np.arange(5.0), 40)
    assert riv(x + 1e9, code) == pytest.approx(riv(x, code), rel=1e-5)


def test_trimmed_cases_count_as_grouped() -> None:
    cases = pd.DataFrame({"drg": ["A"] * 10 + [None], "total_cost": [*range(1, 11), 5.0]})
    trimming = trim_percentiles(cases, 10, 90)
    table = grouping_performance(cases, trimming=trimming, bootstrap=0).set_index("metric")["value"]
    assert trimming.keep.sum() == 8
    assert table["grouping_rate"] == pytest.approx(10 / 11)


class Region:
    """Groups of very different sizes, many of them small; lognormal cost."""

    def __init__(self, groups: int, seed: int = 7) -> None:
        rng = np.random.default_rng(seed)
        share = rng.lognormal(0, 1.2, groups)
        self.share = share / share.sum()
        self.mean = rng.lognormal(9, 0.6, groups)
        self.names = np.array([f"{chr(65 + g // 50)}A{g % 50:02d}" for g in range(groups)])

    def draw(self, rng: np.random.Generator, n: int) -> pd.DataFrame:
        group = rng.choice(len(self.share), n, p=self.share)
        cost = self.mean[group] * rng.lognormal(0, 0.5, n)
        status = np.where(rng.random(n) < 0.03, "ungrouped", "grouped")
        return pd.DataFrame({"drg": self.names[group], "total_cost": cost, "status": status})


@pytest.mark.parametrize("groups", [12, 120])
def test_intervals_cover_the_value_of_the_region(groups: int) -> None:
    """Of 40 draws of a region, most intervals hold the mean over draws.

    With 120 groups many are small: percentiles that are not moved to the value cover it in less
    than half of the draws.
    """
    region, draws = Region(groups), []
    for seed in range(40):
        cases = region.draw(np.random.default_rng(1000 + seed), 900)
        draws.append(grouping_performance(cases, bootstrap=100, seed=seed))
    for metric in ("riv", "riv_log", "grouping_rate"):
        rows = pd.concat([d[d["metric"] == metric] for d in draws])
        truth = rows["value"].mean()
        covered = ((rows["low"] <= truth) & (truth <= rows["high"])).mean()
        assert covered >= 0.8, (metric, covered)
        # Nor are they so wide that they say nothing: 95 % of a normal figure is ±1.96 sd.
        width = (rows["high"] - rows["low"]).mean() / 3.92 / rows["value"].std()
        assert 0.6 < width < 1.6, (metric, width)
    for draw in draws:
        assert ((draw["low"] <= draw["value"]) & (draw["value"] <= draw["high"])).all()
        shares = draw[~draw["metric"].str.startswith("groups")]
        assert (shares["low"] >= 0).all()
        assert (shares["high"] <= 1).all()


def test_intervals_narrow_with_cases_and_confidence() -> None:
    region, rng = Region(30), np.random.default_rng(0)
    few, many = region.draw(rng, 500), region.draw(rng, 20_000)

    def width(cases: pd.DataFrame, level: float) -> float:
        row = grouping_performance(cases, level=level).loc[0]
        return float(row["high"] - row["low"])

    assert width(many, 0.95) < 0.5 * width(few, 0.95)
    assert width(many, 0.5) < 0.7 * width(many, 0.95)


def test_seed_repeats_and_changes_the_intervals() -> None:
    cases = Region(20).draw(np.random.default_rng(0), 800)
    first, again = (grouping_performance(cases, bootstrap=50, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    other = grouping_performance(cases, bootstrap=50, seed=5)
    np.testing.assert_allclose(other["value"], first["value"], rtol=1e-12)
    assert first.loc[0, "low"] != other.loc[0, "low"]


def test_a_paired_difference_is_narrower() -> None:
    """One grouping is a coarser one of the other: much of what chance changes they share."""
    cases = Region(100).draw(np.random.default_rng(1), 3000)
    coarse = cases.assign(drg=cases["drg"].str[:3])
    table = compare_groupings(cases, coarse).set_index("metric")
    apart = [grouping_performance(c, seed=1).set_index("metric") for c in (cases, coarse)]
    paired = table.loc["riv", "high"] - table.loc["riv", "low"]
    widths = [side.loc["riv", "high"] - side.loc["riv", "low"] for side in apart]
    assert paired < np.hypot(*widths)
    assert table["before"].tolist() == pytest.approx(apart[0]["value"].tolist())
    assert table["after"].tolist() == pytest.approx(apart[1]["value"].tolist())
    np.testing.assert_allclose(table["difference"], table["after"] - table["before"])
    # A coarser grouping explains less, beyond doubt; the grouping rate is the same in both.
    assert table.loc["riv", "high"] < 0
    assert table.loc["grouping_rate", ["difference", "low", "high"]].tolist() == [0, 0, 0]


def test_a_grouping_compared_with_itself() -> None:
    cases = Region(30).draw(np.random.default_rng(2), 500)
    table = compare_groupings(cases, cases, bootstrap=20)
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)


def test_cases_that_one_grouping_leaves_out() -> None:
    before = pd.DataFrame({"drg": ["A", "A", "B", "B"], "total_cost": [1.0, 2.0, 8.0, 9.0]})
    after = before.assign(status=["grouped", "grouped", "ambiguous", "grouped"])
    table = compare_groupings(before, after, bootstrap=0).set_index("metric")
    alone = [grouping_performance(c, bootstrap=0)["value"].tolist() for c in (before, after)]
    assert table[["before", "after"]].T.to_numpy().tolist() == alone
    assert table.loc["ambiguous_rate", "difference"] == 0.25


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"bootstrap": -1}, "bootstrap=-1 must not be negative"),
        ({"level": 1.0}, "level=1.0 must lie between 0 and 1"),
        ({"level": float("nan")}, "level=nan must lie between 0 and 1"),
    ],
)
def test_wrong_parameters(options: dict[str, Any], what: str) -> None:
    cases = pd.DataFrame({"drg": ["A"], "total_cost": [1.0]})
    with pytest.raises(DrgcoreError, match=what):
        grouping_performance(cases, **options)


def test_other_cases_are_not_compared() -> None:
    cases = pd.DataFrame({"drg": ["A", "B"], "total_cost": [1.0, 2.0]})
    for other in (cases.iloc[::-1], cases.iloc[:1]):
        with pytest.raises(CaseSchemaError, match="not of the same cases in the same order") as e:
            compare_groupings(cases, other)
        assert "group one table twice" in str(e.value)


def test_trimming_of_other_cases_does_not_fit() -> None:
    cases = pd.DataFrame({"drg": ["A", "B"], "total_cost": [1.0, 2.0]})
    trimming = trim_percentiles(cases.iloc[:1], 0, 100)
    for measure in (grouping_performance, group_statistics):
        with pytest.raises(CaseSchemaError, match="1 marks do not fit 2 cases") as e:
            measure(cases, trimming=trimming)
        assert "trim the same cases, in the same order" in str(e.value)
