"""The change of the base rate that keeps a total."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drgcore.errors import BudgetError, PolicyError
from drgcore.points import compute_points, group_table
from drgcore.scenarios import compare, keep_total
from tests.points.regions import GROUPS, cases, small

YEAR = 2026
FIXED = {
    "budget": {
        "reserve_share": 0,
        "pools": {
            pool: {"reference": "mean_cost", "floor": "1", "ceiling": "1", "budget": "9000000"}
            for pool in ("employee", "resident")
        },
    }
}
"""A point is worth 100 yuan whatever the points, and the budget is enough for it."""


def ordinary() -> pd.DataFrame:
    """Cases of every group, normal ones and outliers, in both pools."""
    costs = [8000, 15000, 90000, 12000, 6000, 2000, 50000, 29000]
    return cases(
        *(
            {"drg": drg, "total_cost": float(cost), "pool": pool, "hospital": f"H{n % 3 + 1}"}
            for n, cost in enumerate(costs)
            for drg in GROUPS
            for pool in ("employee", "resident")
        )
    )


def no_cost_classes(change: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"stability": {"rule": "all_stable"}, **(change or {})}


@settings(max_examples=25, deadline=None)
@given(known=st.decimals("0.5", "3", places=2))
@example(known=Decimal("1.1"))
def test_a_known_factor_is_found_again(known: Decimal) -> None:
    policy = small(no_cost_classes({"outliers": {"high": {"rule": "none"}}}))
    lower = {drg: {"base_points": round(Decimal(row["base_points"]) / known, 4)}
             for drg, row in GROUPS.items()}  # fmt: skip
    changed = policy.with_changes({"base_points": {"groups": lower}})
    kept = keep_total(ordinary(), changed, policy, year=YEAR)
    assert abs(kept.factor - known) < Decimal("1e-5")
    # The quotients have four decimals, which the factor multiplies.
    assert abs(kept.remaining) <= Decimal("0.01")
    mine = compute_points(ordinary(), kept.policy)["points"]
    assert (mine - compute_points(ordinary(), policy)["points"]).abs().max() <= 0.001
    if known == Decimal("1.1"):
        assert kept.remaining == 0


def test_the_factor_sets_off_outliers_and_classes_by_cost() -> None:
    policy = small()
    changed = policy.with_changes({"by_cost": {"unstable": {"rate": "0.9"}}})
    kept = keep_total(ordinary(), changed, policy, year=YEAR)
    points = compute_points(ordinary(), kept.policy)["points"].sum()
    assert float(kept.reached) == pytest.approx(points, abs=1e-6)
    assert float(kept.target) == pytest.approx(
        compute_points(ordinary(), policy)["points"].sum(), abs=1e-6
    )
    assert kept.factor > 1
    # Base points have four decimals, so 80 cases move by about a thousandth at once.
    assert abs(kept.remaining) < Decimal("0.05")
    # No factor beside it comes nearer.
    for step in (-1, 1):
        beside = kept.factor + step * Decimal("1e-8")
        other = changed.with_changes({"base_points": {"factor": beside}})
        total = compute_points(ordinary(), other)["points"].sum()
        assert abs(float(kept.target) - total) >= abs(float(kept.remaining)) - 1e-6


def test_a_total_that_is_jumped_over() -> None:
    # With 80·1.25 = 100 points BR15 passes to the band above 100, whose hi is lower.
    policy = small()
    factors = ["1.25", "1.2501"]
    below, above = (
        compute_points(ordinary(), policy.with_changes({"base_points": {"factor": factor}}))[
            "points"
        ].sum()
        for factor in factors
    )
    assert above - below > 50
    target = Decimal(round((below + above) / 2))
    kept = keep_total(ordinary(), policy, target, year=YEAR)
    assert Decimal("1.25") <= kept.factor <= Decimal("1.2501")
    assert abs(kept.remaining) > 20
    assert kept.reached + kept.remaining == target


def test_frozen_base_points_stay() -> None:
    policy = small()
    changed = policy.with_changes({"base_points": {"frozen": {"GB19": "240"}}})
    kept = keep_total(ordinary(), changed, policy, year=YEAR)
    table = group_table(kept.policy)
    assert table.base_points[table.drgs.index("GB19")] == 240
    before = group_table(changed)
    assert table.base_points[0] == pytest.approx(float(kept.factor) * before.base_points[0], 1e-5)
    assert table.mean_cost.tolist() == before.mean_cost.tolist()
    found = compare(ordinary(), {"a": policy, "b": kept.policy}, year=YEAR)
    assert found.pools["points_difference"].abs().max() < 50000


def test_a_factor_that_there_is_already_is_multiplied() -> None:
    policy = small(no_cost_classes({"base_points": {"factor": "0.5"}}))
    kept = keep_total(ordinary(), policy, policy, year=YEAR)
    assert (kept.factor, kept.remaining) == (1, 0)
    assert kept.policy.base_points.factor == Decimal("0.5")
    kept = keep_total(ordinary(), policy, kept.reached * 2, year=YEAR)
    assert kept.policy.base_points.factor == kept.factor * Decimal("0.5")


@pytest.mark.parametrize("change", ["base_points", "point_value"])
def test_money_at_a_fixed_value_of_the_point(change: Any) -> None:
    policy = small(FIXED)
    generous = policy.with_changes({"coefficients": {"components": [
        {"name": "all", "weight": 1, "method": "constant", "value": "1.3"}]}})  # fmt: skip
    kept = keep_total(ordinary(), generous, policy, year=YEAR, total="money", change=change)
    found = compare(ordinary(), {"a": policy, "b": kept.policy}, year=YEAR)
    money = found.pools.groupby("policy")["money_fen"].sum()
    assert Decimal(int(money["a"])) == kept.target * 100
    assert Decimal(int(money["b"])) == kept.reached * 100
    assert kept.factor < 1 < kept.before / kept.target
    assert abs(kept.remaining) < 1
    if change == "point_value":
        pools = kept.policy.budget.pools.values()
        assert {(pool.floor, pool.ceiling) for pool in pools} == {(kept.factor, kept.factor)}
        assert kept.policy.base_points == generous.base_points


def test_the_rows_may_come_in_any_order() -> None:
    policy, target = small(), Decimal("9000.5")
    kept = keep_total(ordinary(), policy, target, year=YEAR)
    again = keep_total(ordinary().sample(frac=1, random_state=1), policy, "9000.5", year=YEAR)
    assert (kept.factor, kept.reached) == (again.factor, again.reached)
    assert str(kept).startswith(f"factor {kept.factor.normalize():f}: ")


@pytest.mark.parametrize(
    ("change", "target", "arguments", "error", "words"),
    [
        ({}, 10**9, {}, BudgetError, "with a factor of 1 and 153,240.0000 with 10"),
        # Classes by cost and frozen groups alone have more.
        ({"base_points": {"frozen": dict.fromkeys(GROUPS, 90)}}, 5000, {}, BudgetError,
         "cannot be reached"),
        # A budget that is divided whole is the same with any points.
        ({}, 10**6, {"total": "money"}, BudgetError, "the total of 1,000,000 cannot be reached"),
        ({}, 10**6, {"total": "money", "change": "point_value"}, PolicyError,
         "the point value of employee, resident is not fixed"),
        ({}, 10**6, {"total": "Points"}, PolicyError, "there is no total 'Points'"),
        ({}, 10**6, {"change": "points"}, PolicyError, "take base_points or point_value"),
        ({}, "many", {}, PolicyError, "is no number"),
        ({}, 0.5, {}, PolicyError, "give it as a Decimal"),
        ({}, "NaN", {}, PolicyError, "give it as a Decimal"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept(
    change: dict[str, Any], target: Any, arguments: dict[str, Any], error: Any, words: str
) -> None:
    with pytest.raises(error) as raised:
        keep_total(ordinary(), small(change), target, year=YEAR, **arguments)
    assert words in str(raised.value)


def test_a_factor_that_changes_within_the_policy() -> None:
    from datetime import date

    later = {"from": date(2026, 7, 1), "base_points": {"factor": "1.1"}}
    with pytest.raises(PolicyError, match="changes in an amendment"):
        keep_total(ordinary(), small({"amendments": [later]}), 9000, year=YEAR)
