"""Regions for comparisons: random policies with budgets, and cases of one month."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from drgcore.points import CaseWarning, Policy
from drgcore.points.policy_file import merge
from drgcore.scenarios import Comparison, compare
from tests.points.random_regions import FLAG, case_rows, decimals, policies
from tests.points.regions import small

YEAR = 2026
MAY = ["0"] * 4 + ["1"] + ["0"] * 7
"""Random cases are all of May, so the whole budget is."""
POOLS = ("employee", "resident")


@st.composite
def budgets(draw: st.DrawFn) -> dict[str, Any]:
    """What to change in the small policy's budget."""
    place = draw(st.sampled_from(["budget", "elsewhere"]))
    enough = decimals(3_000_000, 9_000_000, 2)
    little = st.sampled_from(["0", "0.07", "31.01"])
    pools = {}
    for pool in POOLS:
        pools[pool] = {
            "budget": draw(enough if place == "budget" else enough | little),
            "reserve_share": draw(decimals(0, 0.2, 3)),
            "basis": draw(st.sampled_from(["fund", "total_cost"])),
        }
        if draw(st.integers(0, 2)) == 0:
            limits = sorted([draw(decimals(0.2, 99, 2)), draw(decimals(0.2, 99, 2))], key=float)
            pools[pool] |= {"reference": "mean_cost", "floor": limits[0], "ceiling": limits[1]}
    return {"budget": {"months": MAY, "pools": pools}, "outside": {"paid_from": place}}


@st.composite
def two_policies(draw: st.DrawFn) -> tuple[list[dict[str, Any]], pd.DataFrame, pd.DataFrame]:
    """Two policies of the same pools, cases on the limits of one of them, panels' decisions."""
    changes = [merge(draw(policies()), draw(budgets())) for _ in range(2)]
    table = draw(case_rows(draw(st.sampled_from(changes))))
    # A pool with a budget needs points: a panel gives them to one case of each.
    sure = [
        table.iloc[0].to_dict()
        | {"case_id": pool, "hospital": "H1", "pool": pool, "drg": None, "status": "ungrouped"}
        | {"total_cost": 9000.0, "unreasonable_cost": 0.0, "patient_paid": 4.5, FLAG: False}
        | {"length_of_stay": 5, "list_item": None}
        for pool in POOLS
    ]
    table = pd.concat([table, pd.DataFrame(sure)], ignore_index=True).astype(table.dtypes)
    table["mdc"] = table["drg"].map(lambda drg: f"MDC{drg[0]}" if isinstance(drg, str) else None)
    others = table["case_id"][: -len(POOLS)].tolist()
    decided = draw(st.lists(st.sampled_from(others), max_size=2, unique=True))
    points = [draw(st.integers(0, 40_000).map(lambda p: p / 100)) for _ in decided]
    decided, points = [*POOLS, *decided], [100.0, 99.5, *points]
    decisions = pd.DataFrame({"case_id": decided, "decision": "special", "points": points})
    return changes, table, decisions


def compared(cases: pd.DataFrame, policies: Mapping[str, Policy], decisions: Any) -> Comparison:
    with warnings.catch_warnings():
        # Random costs may look like fen.
        warnings.simplefilter("ignore", CaseWarning)
        return compare(cases, policies, year=YEAR, decisions=decisions)


def of_may(change: dict[str, Any] | None = None) -> Policy:
    """The small policy with its whole budget in May."""
    return small(merge({"budget": {"months": MAY}}, change or {}))
