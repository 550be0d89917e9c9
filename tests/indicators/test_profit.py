"""Profit and loss: the parts add up to the fen, and are what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import drgcore
from drgcore.errors import DrgcoreError
from drgcore.indicators import PARTS, fee_structure, profit_and_loss, quadrants
from drgcore.points import Policy
from tests.reference import plain_profit as plain

WEIGHTS = {"AA11": "0.5", "AB13": "1.37", "BC15": "12.3456"}
RATES = {"employee": "11000.5", "resident": "9000"}
_FEN = st.integers(0, 9_000_000).map(lambda fen: fen / 100)
CASE = {
    "drg": st.sampled_from([*WEIGHTS, "ZZ99"]),
    "status": st.sampled_from(["grouped", "grouped", "grouped", "ungrouped"]),
    "hospital": st.sampled_from(["H1", "H2", "=H3"]),
    "pool": st.sampled_from(list(RATES)),
    "total_cost": st.one_of(_FEN, _FEN, st.sampled_from([None, -1.0, float("inf")])),
    "refused_amount": st.one_of(st.just(0.0), st.none(), _FEN),
}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(rows=st.lists(st.fixed_dictionaries(CASE), min_size=1, max_size=30))
def test_estimates_are_their_definition_and_add_up(rows: list[dict[str, Any]]) -> None:
    frame = pd.DataFrame(rows).astype({"total_cost": float, "refused_amount": float})
    found = profit_and_loss(
        frame,
        weights={drg: float(w) for drg, w in WEIGHTS.items()},
        rate={pool: float(r) for pool, r in RATES.items()},
    )
    expected = plain.estimated(rows, WEIGHTS, RATES)
    assert found.counted.tolist() == [row is not None for row in expected]
    assert int(found.left_out["cases"].sum()) == expected.count(None)
    for i, row in enumerate(expected):
        if row is None:
            continue
        assert found.payment_fen[i] == row["payment"]
        assert found.cost_fen[i] == row["cost"]
        own = {name: int(found.parts_fen[name][i]) for name in PARTS}
        # The reference value is a mean of floats, so a step that ends at it may differ by a fen.
        assert all(abs(own[name] - row[name]) <= 1 for name in PARTS)
        assert sum(own.values()) == row["payment"] - row["cost"]
    check_sums(found, ["hospital", ["hospital", "drg"], "case_class", ()])


def check_sums(found: drgcore.ProfitAndLoss, keys: list[Any]) -> None:
    surplus = int((found.payment_fen - found.cost_fen).sum())
    for by in keys:
        table = found.by(by)
        parts = table[[f"{name}_fen" for name in PARTS]].sum(axis=1)
        assert (parts == table["surplus_fen"]).all()
        assert (table["payment_fen"] - table["cost_fen"] == table["surplus_fen"]).all()
        assert int(table["surplus_fen"].sum()) == surplus
        assert int(table["cases"].sum()) == int(found.counted.sum())


@pytest.fixture(scope="module")
def region() -> pd.DataFrame:
    cases = drgcore.sample_cases(3000, seed=11)
    frame = pd.DataFrame(drgcore.group(cases).to_pandas())
    frame["refused_amount"] = 0.0
    frame.loc[::50, "refused_amount"] = 12.34
    return frame


def test_by_a_policy_every_case_adds_up(region: pd.DataFrame) -> None:
    policy = Policy.load("example")
    found = profit_and_loss(region, policy, {"employee": 64.5, "resident": 58.25})
    assert found.counted.all()
    keys: list[Any] = ["hospital", "department", "doctor", "month", ["level", "pool"], "case_class"]
    check_sums(found, [*keys, "adrg", "mdc", ()])
    cases = found.cases()
    earned = drgcore.compute_points(region, policy)
    value = earned["pool"].map({"employee": 64.5, "resident": 58.25}).astype(float)
    inside = earned["case_class"].astype(str).to_numpy() != "outside"
    paid = (earned["points"] * value * 100 + 0.5).astype("int64")
    refused = (region["refused_amount"] * 100).round().astype("int64")
    due = (paid - refused)[inside].to_numpy()
    assert abs(cases.loc[inside, "payment_fen"].to_numpy() - due).max() <= 1
    of_class = cases.groupby("case_class")[[f"{name}_fen" for name in PARTS]].sum()
    # Outlier rules move outliers alone; a normal case has nothing beside its price.
    others = of_class.index.difference(["high_cost", "low_cost"])
    assert (of_class.loc[others, "outliers_fen"] == 0).all()
    assert of_class.loc["high_cost", "outliers_fen"] > 0 > of_class.loc["low_cost", "outliers_fen"]
    assert abs(of_class.loc["normal", "other_rules_fen"]) < 100
    assert of_class.loc["ambiguous", ["case_mix_fen", "coefficient_fen", "value_fen"]].eq(0).all()
    # What a dearer pool pays more, the other pays less.
    by_pool = found.by("pool").set_index("pool")["value_fen"]
    assert by_pool["employee"] > 0 > by_pool["resident"]
    # Costs per case of a group add up to nothing over its region, but for half fens.
    by_drg = found.by("drg")
    assert abs(by_drg["cost_per_case_fen"].sum()) <= len(region)


def test_by_hand() -> None:
    frame = pd.DataFrame(
        {
            "drg": ["A", "A"],
            "status": "grouped",
            "pool": ["e", "r"],
            "coefficient": [1.1, 1.0],
            "total_cost": [900.0, 1100.0],
        }
    )
    found = profit_and_loss(frame, weights={"A": 10.0}, rate={"e": 120.0, "r": 100.0})
    # v0 = (11·120 + 10·100) / 21 = 110.4762; m = 1000.
    assert found.reference_value == pytest.approx(2320 / 21)
    first = {name: int(found.parts_fen[name][0]) for name in PARTS}
    assert first == {
        "case_mix": 110476 - 100000,
        "coefficient": 121524 - 110476,
        "value": 132000 - 121524,
        "cost_per_case": 10000,
        "outliers": 0,
        "other_rules": 0,
        "deductions": 0,
    }


def test_the_fund_does_not_pay_what_the_patient_pays() -> None:
    frame = pd.DataFrame({"drg": ["A"], "total_cost": [900.0], "patient_paid": [200.0]})
    found = profit_and_loss(frame, weights={"A": 1.0}, rate=750.0, basis="fund")
    assert found.by()[["cost_fen", "surplus_fen"]].values.tolist() == [[70000, 5000]]


@pytest.mark.parametrize(
    "how", [{}, {"weights": {"A": 1.0}}, {"policy": Policy.load("example"), "rate": 5.0}]
)
def test_it_must_be_clear_how_cases_are_paid(how: dict[str, Any]) -> None:
    with pytest.raises(DrgcoreError, match="not clear how"):
        profit_and_loss(pd.DataFrame({"drg": ["A"], "total_cost": [1.0]}), **how)


def test_a_pool_without_value(region: pd.DataFrame) -> None:
    with pytest.raises(DrgcoreError, match="no value of a point of pool resident"):
        profit_and_loss(region, Policy.load("example"), {"employee": 60.0})


def test_fees_add_up_and_peers_are_the_others(region: pd.DataFrame) -> None:
    table = fee_structure(region, ["hospital", "mdc"])
    drugs = table[table["category"] == "drug_cost"].dropna(subset=["mdc"])
    row = drugs.sort_values("cases").iloc[-1]
    mdc = region["drg"].astype(str).str[0].radd("MDC")
    own = region[(region["hospital"] == row["hospital"]) & (mdc == row["mdc"])]
    peers = region[(region["hospital"] != row["hospital"]) & (mdc == row["mdc"])]
    assert row["mean"] == pytest.approx(own["drug_cost"].mean())
    assert row["peer_mean"] == pytest.approx(peers["drug_cost"].mean())
    assert table.groupby(["hospital", "mdc"])["share"].sum().round(9).eq(1).all()


def test_quadrants_need_weight_and_cost() -> None:
    frame = pd.DataFrame({"drg": ["A", "B"], "hospital": ["H1", "H1"], "total_cost": [None, 5.0]})
    table = quadrants(frame).set_index("drg")
    assert table.loc["A", "quadrant"] is None
    assert table.loc["B", "quadrant"] == "advantage"
    assert table["few_cases"].all()


def test_the_commands(region: pd.DataFrame, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from drgcore.cli import indicators as watch
    from drgcore.cli import pnl

    path = tmp_path / "grouped.parquet"
    region.to_parquet(path)
    run = CliRunner()
    book = tmp_path / "out.xlsx"
    arguments = [path, "--policy", "example", "--value", "employee=64.5,resident=58"]
    arguments += ["--by", "department,drg", "--groups", "--cases", "--out", book]
    done = run.invoke(pnl.app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "surplus" in done.output
    assert "quadrants:" in done.output
    sheets = pd.read_excel(book, sheet_name=None, engine="calamine")
    assert list(sheets) == ["total", "department-drg", "quadrants", "fees", "cases"]
    assert len(sheets["cases"]) == len(region)
    csv = tmp_path / "watch.csv"
    arguments = [path, "--by", "hospital", "--by", "month", "--outliers", "0.4,3", "--out", csv]
    done = run.invoke(watch.app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    names = {p.name for p in tmp_path.iterdir()}
    assert {"watch-hospital.csv", "watch-hospital-long.csv", "watch-month.csv"} <= names
