"""Comparisons under rules that only some regions have: money is that of the settled year."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

from drgcore.budget import Month, settle_month, settle_year
from drgcore.budget.on_top import with_on_top
from drgcore.errors import PolicyError
from drgcore.points import compute_points
from drgcore.scenarios import compare
from tests.points.regions import cases
from tests.scenarios.regions import YEAR, of_may

TABLES = ("hospitals", "levels", "mdcs", "classes")
ON_TOP: dict[str, Any] = {
    "lists": [{"name": "a", "items": ["X"], "valid_from": "2026-01-01"}],
    "paid_from": "budget",
}
RULES: dict[str, dict[str, Any]] = {
    "on top from the budget": {"on_top": ON_TOP},
    "on top from the reserve": {"on_top": {**ON_TOP, "paid_from": "reserve"}},
    "a surplus shared with the fund": {
        "budget": {"fund_sharing": {"surplus": "0.7", "deficit": "0.4"}}
    },
    "a deficit shared by an account": {
        "accounts": {"balance": {"employee": "30000.00", "resident": "2.50"}},
        "budget": {
            "fund_sharing": {"surplus": "0.7", "deficit": "0.4", "paid_from": "balance"},
            "pools": {"employee": {"budget": "150000.00"}, "resident": {"budget": "140000.00"}},
        },
    },
    "all of them, by total cost": {
        "on_top": ON_TOP,
        "budget": {"basis": "total_cost", "fund_sharing": {"surplus": "0.5", "deficit": 1}},
    },
}


def region(seed: int) -> pd.DataFrame:
    """Cases of three hospitals and pools in May, some of which a policy pays by item."""
    draw = random.Random(seed)
    rows = [
        {
            "hospital": draw.choice(["H1", "H2", "H3"]),
            "hospital_level": draw.choice(["2", "3"]),
            "pool": ["employee", "resident", "other"][number % 3],
            "discharge_date": pd.Timestamp(2026, 5, draw.randint(2, 30)),
            "total_cost": cost,
            "patient_paid": draw.choice([0.0, round(cost / 3, 2)]),
            "length_of_stay": draw.choice([8, 8, 90]),
            "drg": draw.choice(["BR15", "GB19", "ES23"]),
            "on_top_amount": draw.choice([0.0, round(cost / 4, 2)]),
        }
        for number in range(40)
        for cost in [round(draw.uniform(2000, 30000), 2)]
    ]
    # Every pool has a case with points, else its budget cannot be divided.
    kept = {"length_of_stay": 8, "drg": "BR15", "total_cost": 8000.0, "patient_paid": 0.0}
    return cases(*({**row, **(kept if at < 3 else {})} for at, row in enumerate(rows)))


@pytest.mark.parametrize("basis", ["fund", "total_cost"])
@pytest.mark.parametrize("name", RULES)
def test_money_is_the_entitlement_of_the_settled_year(name: str, basis: str) -> None:
    other = {"value": "91.37", "basis": basis, "prepayment": 1}
    policy = of_may(
        {"exclusions": [{"reason": "long", "above_days": 60}], "outside": {"paid_from": "budget"}}
    ).with_changes(RULES[name])
    policy = policy.with_changes({"budget": {"pools": {"other": other}}})
    plain = of_may().with_changes({"budget": {"pools": {"other": other}}})
    limited = 0
    for seed in range(4):
        table = region(seed)
        found = compare(table, {"before": plain, "after": policy}, year=YEAR)
        for label, rules in (("before", plain), ("after", policy)):
            earned = compute_points(table, rules)
            # Money on top is of cases that the points pay.
            outside = earned["case_class"] == "outside"
            earned["on_top_amount"] = earned["on_top_amount"].where(~outside, 0.0)
            may = settle_month(earned, rules, Month(YEAR, 5))
            year = settle_year(earned, [may], rules, dict.fromkeys(["H1", "H2", "H3"], 1))
            settled = year.statement.set_index(["pool", "hospital"])
            own = found.hospitals[found.hospitals["policy"] == label]
            for row in own.to_dict("records"):
                there = settled.loc[(row["pool"], row["hospital"])]
                for ours, theirs in (("money_fen", "entitlement_fen"), ("points", "points")):
                    assert row[ours] == there[theirs], (label, row, theirs)
        whole = found.pools.set_index(["pool", "policy"])
        for part in TABLES:
            sums = getattr(found, part).groupby(["pool", "policy"])["money_fen"].sum()
            assert sums.loc[whole.index].tolist() == whole["money_fen"].tolist()
        for row in found.pools.to_dict("records"):
            borne = row["patient_paid_fen"] if row["basis"] == "total_cost" else 0
            assert row["money_fen"] == row["numerator_fen"] - borne
            left = row["budget_fen"] - row["reserve_fen"] - row["paid_by_item_fen"]
            left += row["shared_with_fund_fen"] - row["paid_on_top_fen"]
            moved = row["from_reserve_fen"] - row["to_reserve_fen"]
            if row["pool"] == "other":
                worth = round(row["point_value"] * row["points"] / 100)
                limited += worth < round(91.37 * row["points"] / 100)
            else:
                assert row["money_fen"] == left + moved
    assert limited > 0


def test_items_are_looked_up_in_the_lists_of_each_policy() -> None:
    table = region(5)
    used = pd.DataFrame({"case_id": table["case_id"].iloc[:20], "item": "X", "cost": "2000"})
    exclusions = {"exclusions": [{"reason": "long", "above_days": 60}]}
    pools = {"budget": {"pools": {"other": {"value": "91.37", "prepayment": 1}}}}
    plain = of_may(exclusions | {"outside": {"paid_from": "budget"}}).with_changes(pools)
    listed = plain.with_changes({"on_top": ON_TOP})
    policies = {"without lists": plain, "listed": listed}
    found = compare(table, policies, year=YEAR, items=used)
    earned = with_on_top(compute_points(table, listed), used, listed).to_pandas()
    by_hand = table.assign(on_top_amount=earned["on_top_amount"])
    # A case paid by item has nothing on top: of 20 cases with an item some are.
    assert 0 < (earned["on_top_amount"] == 2000).sum() < 20
    assert set(earned["on_top_amount"]) == {0.0, 2000.0}
    alone = compare(by_hand, {"listed": listed}, year=YEAR)
    none = compare(table.drop(columns="on_top_amount"), {"without lists": plain}, year=YEAR)
    own = found.hospitals.set_index("policy")[["pool", "hospital", "money_fen"]]
    for label, other in (("listed", alone), ("without lists", none)):
        expected = other.hospitals[["pool", "hospital", "money_fen"]].to_dict("records")
        assert own.loc[label].to_dict("records") == expected
    with pytest.raises(PolicyError, match="no policy has lists"):
        compare(table, {"without lists": plain}, year=YEAR, items=used)
