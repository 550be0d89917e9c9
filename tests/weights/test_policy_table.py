"""Weights and coefficients on their way into a policy, and one run on cases as they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import drgcore
from drgcore.errors import PolicyError
from drgcore.points import Policy, compute_points
from drgcore.weights import (
    Credibility,
    base_points,
    compare_groupings,
    group_statistics,
    grouping_performance,
    hospital_coefficients,
    level_coefficients,
    level_cost_coefficients,
    trim_iqr,
)
from tests.points.regions import SMALL

COST = {"BR13": 12_000.0, "BR15": 9_000.0, "ES23": 4_000.0, "GB19": 30_000.0}


def history() -> pd.DataFrame:
    """Ten cases of each group at its cost, three of BR15, and a wide spread in GB19."""
    rows = [
        {"drg": drg, "total_cost": cost, "hospital": hospital, "hospital_level": level}
        for drg, cost in COST.items()
        for n, (hospital, level) in enumerate([("H1", "3"), ("H2", "2")] * 5)
        if drg != "BR15" or n < 3
    ]
    cases = pd.DataFrame(rows).assign(status="grouped", pool="employee")
    dear = cases["drg"].eq("GB19") & (cases.groupby("drg").cumcount() == 0)
    return cases.assign(total_cost=cases["total_cost"].where(~dear, 300_000.0))


def policy_with(
    table: str, folder: Path, mean_cost: float, stability: Any, components: Any = None
) -> Policy:
    data = {
        **SMALL,
        "base_points": {
            "holds": "base_points", "file": table, "scale": 100, "mean_cost": str(mean_cost),
            "group_means": "column", "missing": "error",
        },
        "stability": stability,
    }  # fmt: skip
    if components is not None:
        data["coefficients"] = {"components": components}
    return Policy.from_data(data, folder=folder)


def new_cases(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    cases = pd.DataFrame(rows, columns=["drg", "hospital", "hospital_level", "total_cost"])
    return cases.assign(
        case_id=[f"c{n}" for n in range(len(cases))], pool="employee", status="grouped",
        admission_date=pd.Timestamp("2026-03-01"), discharge_date=pd.Timestamp("2026-03-09"),
        length_of_stay=8, unreasonable_cost=0.0, patient_paid=0.0,
    )  # fmt: skip


TEST = {"rule": "test", "n_min": 5, "cv_max": "1"}


@pytest.mark.parametrize("stability", [TEST, {"rule": "column"}])
def test_points_by_the_written_table(tmp_path: Path, stability: Any) -> None:
    weights = base_points(history(), scale=100)
    weights.write(tmp_path / "points.csv")
    # Means: 12,000; 9,000; 4,000; 57,000. All: (120 + 27 + 40 + 570) thousand over 33 cases.
    mean = 757_000 / 33
    assert weights.mean_cost == pytest.approx(mean)
    policy = policy_with("points.csv", tmp_path, weights.mean_cost, stability)
    base = {drg: round(cost / mean * 100, 4) for drg, cost in COST.items()}
    result = compute_points(
        new_cases(
            ("BR13", "H1", "2", 11_000.0),
            ("ES23", "H1", "3", 4_000.0),
            ("ES23", "H1", "2", 12_000.01),
            ("ES23", "H1", "2", 1_000.0),
            ("BR15", "H1", "2", 9_000.0),
            ("GB19", "H1", "2", 30_000.0),
        ),
        policy,
    )
    assert result["case_class"].tolist() == [
        "normal", "normal", "high_cost", "low_cost", "unstable", "unstable"
    ]  # fmt: skip
    expected = [
        base["BR13"],
        base["ES23"] * 1.1,
        base["ES23"] + base["ES23"] * (12_000.01 / 4_000 - 3),
        base["ES23"] * 0.25,
        # Few cases; and a CV of 81,000 / 57,000: by cost.
        9_000 / mean * 100,
        30_000 / mean * 100,
    ]
    np.testing.assert_allclose(result["points"], expected, atol=1.1e-4)


def test_a_drg_without_weight_stops_the_policy(tmp_path: Path) -> None:
    weights = base_points(history(), scale=100, scheme="chs-drg-3.0")
    assert "AA19" in weights.without
    weights.write(tmp_path / "points.csv")
    policy = policy_with("points.csv", tmp_path, weights.mean_cost, TEST)
    with pytest.raises(PolicyError, match="AA19"):
        compute_points(new_cases(("AA19", "H1", "2", 1e5)), policy)
    filled = base_points(
        history(), scale=100, scheme="chs-drg-3.0", absent=["national"], national={"AA19": 8.0}
    )
    filled.write(tmp_path / "points.csv")
    policy = policy_with("points.csv", tmp_path, filled.mean_cost, {"rule": "all_stable"})
    points = compute_points(new_cases(("AA19", "H1", "2", 1e5)), policy)["points"]
    assert points.tolist() == [800.0]


def test_outliers_of_a_smoothed_group_are_told_by_what_is_paid(tmp_path: Path) -> None:
    weights = base_points(
        history(), scale=100, credibility=Credibility("national", k=10), national={"ES23": 0.5}
    )
    row = weights.table.set_index("drg").loc["ES23"]
    own = 4_000 / (757_000 / 33)
    assert row["relative_weight"] == pytest.approx((own + 0.5) / 2)
    weights.write(tmp_path / "points.csv")
    written = pd.read_csv(tmp_path / "points.csv").set_index("drg")
    limit = 3 * row["relative_weight"] * weights.mean_cost
    assert written.loc["ES23", "mean_cost"] == pytest.approx(limit / 3, abs=0.005)
    assert written.loc["BR13", "mean_cost"] == 12_000
    policy = policy_with("points.csv", tmp_path, weights.mean_cost, TEST)
    result = compute_points(
        new_cases(("ES23", "H1", "2", limit - 1), ("ES23", "H1", "2", limit + 1)), policy
    )
    assert result["case_class"].tolist() == ["normal", "high_cost"]


@pytest.mark.parametrize("sixth", [6.0, 6.000004, 6.00001, 5.9999])
def test_the_policy_tests_stability_as_the_column_says(tmp_path: Path, sixth: float) -> None:
    """Costs 1, 1, 1, 1 and 6 have a CV of exactly 1; the last decides."""
    cost = np.array([1.0, 1.0, 1.0, 1.0, sixth]) * 1001.1
    weights = base_points(pd.DataFrame({"drg": "BR13", "total_cost": cost}), scale=100)
    weights.write(tmp_path / "points.csv")
    stable = bool(weights.table["stable"][0])
    assert stable == (round(float(np.std(cost) / np.mean(cost)), 6) <= 1)
    case = new_cases(("BR13", "H1", "2", float(cost.mean())))
    for stability in (TEST, {"rule": "column"}):
        policy = policy_with("points.csv", tmp_path, weights.mean_cost, stability)
        result = compute_points(case, policy)
        assert result["case_class"].tolist() == ["normal" if stable else "unstable"]


def test_coefficients_as_components(tmp_path: Path) -> None:
    cases = history()
    factor = cases["hospital_level"].map({"3": 1.2, "2": 0.8})
    cases = cases[cases["drg"] != "GB19"].assign(total_cost=cases["total_cost"] * factor)
    weights = base_points(cases, scale=100)
    weights.write(tmp_path / "points.csv")
    level_cost_coefficients(cases).to_csv(tmp_path / "levels.csv", index=False)
    level = level_coefficients(cases).set_index("level")["coefficient"]
    hospital = hospital_coefficients(cases).set_index("hospital")["own_history"]
    k: dict[str, dict[str, Any]] = {
        "by_group": {"method": "level_cost", "file": "levels.csv", "otherwise": "1"},
        "by_level": {
            "method": "level",
            "levels": {name: f"{value:.6f}" for name, value in level.items()},
        },
        "by_hospital": {
            "method": "hospital",
            "hospitals": {name: f"{value:.6f}" for name, value in hospital.items()},
        },
    }
    data = new_cases(("BR13", "H1", "3", 12_000.0), ("BR13", "H2", "2", 12_000.0))
    for name, component in k.items():
        policy = policy_with(
            "points.csv",
            tmp_path,
            weights.mean_cost,
            {"rule": "all_stable"},
            [{"name": name, "weight": 1, **component}],
        )
        result = compute_points(data, policy)
        # BR13 has five cases of each level, 1.2 and 0.8 times its mean; the levels as a whole have
        # other numbers, because BR15 has two cases of one and one of the other.
        expected = [1.2, 0.8] if name == "by_group" else [level["3"], level["2"]]
        np.testing.assert_allclose(result["coefficient"], expected, atol=1e-4)
        np.testing.assert_allclose(
            result["points"], result["base_points"] * result["coefficient"], atol=1e-4
        )


@pytest.fixture(scope="module")
def year() -> pa.Table:
    """A year of a made-up region, grouped; some of its rows are faulty."""
    return drgcore.group(drgcore.sample_cases(30_000, seed=4, dirty=0.02))


def test_a_realistic_year(year: pa.Table) -> None:
    trimming = trim_iqr(year, log=True)
    weights = base_points(year, scale=100, trimming=trimming, scheme="chs-drg-3.0", absent=["adrg"])
    table = weights.table.set_index("drg")
    named = {drg.code for drg in drgcore.load_scheme("chs-drg-3.0").drgs}
    assert set(table.index) <= named
    assert weights.mean_relative_weight == pytest.approx(1)
    assert 3_000 < weights.mean_cost < 40_000
    assert table["cases"].sum() == trimming.keep.sum()
    assert 0.95 < trimming.keep.sum() / (30_000 - weights.left_out["cases"].sum()) <= 1
    assert set(weights.left_out["reason"]) <= {"ambiguous", "ungrouped", "invalid"}
    assert table["relative_weight"].between(0.05, 30).sum() == (table["source"] != "none").sum()
    # A surgical group weighs more than a medical one in the middle.
    surgical = table.index.str[1].isin(list("BCDEFGHJ"))
    medians = [table.loc[mask, "own_weight"].median() for mask in (surgical, ~surgical)]
    assert medians[0] > medians[1]
    of_adrg = table[table["source"] == "adrg"]
    for drg, weight in of_adrg["relative_weight"].items():
        kin = table[(table.index.str[:3] == drg[:3]) & (table["cases"] > 0)]
        assert weight == pytest.approx(np.average(kin["own_weight"], weights=kin["cases"]))

    performance = grouping_performance(year, trimming=trimming).set_index("metric")
    value = performance["value"]
    assert 0.3 < value["riv"] < value["riv_log"] < 0.95
    assert 0.9 < value["grouping_rate"] < 1
    assert 0 < value["ambiguous_rate"] < 0.05
    assert value["groups"] == (table["cases"] > 0).sum()
    assert value["groups_below_n_min"] == table["cases"].between(1, 4).sum()
    inside = (performance["low"] <= value) & (value <= performance["high"])
    assert inside.all()


def test_realistic_parts_add_up(year: pa.Table) -> None:
    whole = group_statistics(year, "mdc")
    parts = group_statistics(year, ["mdc", "hospital"])
    joined = parts.groupby("mdc")[["cases", "total_cost"]].sum()
    assert joined["cases"].tolist() == whole["cases"].tolist()
    np.testing.assert_allclose(joined["total_cost"], whole["total_cost"])
    hospitals = hospital_coefficients(year)
    assert hospitals["cost"].sum() == pytest.approx(hospitals["expected_cost"].sum())
    assert np.average(hospitals["case_mix"], weights=hospitals["cases"]) == pytest.approx(1)
    level = level_coefficients(year).set_index("level")["coefficient"]
    # The region was made with dearer care in third-level hospitals.
    assert level["3"] > 1 > level["2"] > level["1"]


def test_realistic_comparison(year: pa.Table) -> None:
    """What an ADRG's cases differ by is lost where its DRGs are put together."""
    frame = year.select(["drg", "adrg", "status", "total_cost"]).to_pandas()
    coarse = frame.assign(drg=frame["adrg"])
    table = compare_groupings(frame, coarse, bootstrap=50).set_index("metric")
    assert table.loc["riv_log", "high"] < 0
    assert table.loc["groups", "after"] < table.loc["groups", "before"]
