"""Random policies, and random cases that lie on, beside and between their limits."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import strategies as st

DRGS = ("BR15", "BR11", "ES23", "GB19", "TR19", "XR21", "CB69")
HOSPITALS = ("H1", "H2", "H3", "H4")
LEVELS = ("3", "2", "1")
FLAG = "accident"
HOSPITAL_TABLE = "by_hospital.csv"
LEVEL_TABLE = "by_level.csv"


def decimals(low: float, high: float, places: int) -> st.SearchStrategy[str]:
    return st.decimals(str(low), str(high), places=places, allow_nan=False).map(str)


def bands(values: st.SearchStrategy[str], top: int) -> st.SearchStrategy[Any]:
    limits = st.lists(st.integers(1, top), max_size=2, unique=True).map(sorted)

    def fill(up_to: list[int]) -> st.SearchStrategy[Any]:
        each = st.lists(values, min_size=len(up_to) + 1, max_size=len(up_to) + 1)
        return each.map(
            lambda vs: (
                [{"up_to": u, "value": v} for u, v in zip(up_to, vs, strict=False)]
                + [{"value": vs[-1]}]
            )
        )

    return limits.flatmap(fill)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """What to change in the small policy."""
    rate = decimals(0, 1.5, 2)
    weights = draw(st.sampled_from([["1"], ["0.6", "0.4"], ["0.3", "0.3", "0.4"]]))
    cost_rule = st.one_of(
        st.fixed_dictionaries({"rule": st.just("by_cost"), "rate": rate}),
        st.just({"rule": "outside"}),
    )
    held = draw(st.sampled_from(["base_points", "relative_weight"]))
    derived = draw(st.booleans())
    groups = {}
    for drg in DRGS:
        weight = draw(st.decimals("0.1", "4", places=4))
        row = {
            held: str(weight if held == "relative_weight" else weight * 100),
            "cases": draw(st.integers(3, 8)),
            "cv": draw(decimals(0.5, 1.2, 2)),
            "stable": draw(st.booleans()),
        }
        if not derived:
            row["mean_cost"] = draw(decimals(500, 40000, 2))
        groups[drg] = row
    change: dict[str, Any] = {
        "base_points": {
            "holds": held,
            "groups": groups,
            "group_means": "derived" if derived else "column",
            "mean_cost": draw(decimals(5000, 15000, 2)),
            "missing": "by_cost",
            "missing_rate": draw(rate),
            "factor": draw(st.sampled_from(["1", "1.1", "0.9375"])),
            "frozen": draw(
                st.dictionaries(st.sampled_from(DRGS), decimals(10, 400, 4), max_size=2)
            ),
        },
        "stability": draw(
            st.sampled_from([
                {"rule": "test", "n_min": 5, "cv_max": "1"},
                {"rule": "column"},
                {"rule": "all_stable"},
            ])
        ),
        "rounding": {
            "base_points": draw(st.integers(2, 4)),
            "coefficient": draw(st.integers(2, 4)),
            "points": draw(st.integers(0, 4)),
        },
        "outliers": {
            "high": {
                "rule": draw(st.sampled_from(
                    ["none", "added", "added_capped", "added_reviewed", "capped_at_hi", "by_cost"]
                )),
                "multiples": draw(bands(decimals(1.5, 4, 2), 300)),
                "cap": draw(rate),
                "rate": draw(rate),
            },
            "low": {
                "rule": draw(st.sampled_from(["none", "proportional", "by_cost"])),
                "multiples": draw(bands(decimals(0.3, 0.6, 2), 300)),
                "rate": draw(rate),
            },
        },
        "by_cost": {
            name: draw(cost_rule) for name in ("unstable", "ambiguous", "ungrouped", "invalid")
        },
        "coefficients": {"components": [draw(_component(*w)) for w in enumerate(weights)]},
        "special_review": {"without_points": "by_cost", "rate": draw(rate)},
        "costs": {"unreasonable": draw(st.sampled_from(["deducted", "not_used"]))},
    }  # fmt: skip
    if draw(st.booleans()):
        change["coefficients"] |= {"minimum": "0.9", "maximum": "1.05"}
    change["coefficients"]["same_price"] = draw(st.sampled_from([[], ["BR1"], ["MDCX", "GB19"]]))
    change["bed_day"] = draw(st.lists(_bed_day(), max_size=2, unique_by=lambda r: r["name"]))
    change["fixed_price"] = draw(st.lists(_fixed(), max_size=2, unique_by=lambda r: r["name"]))
    change["exclusions"] = draw(st.lists(_exclusion(), max_size=2))
    return change


@st.composite
def _component(draw: st.DrawFn, number: int, weight: str) -> dict[str, Any]:
    k = decimals(0.5, 1.5, 3)
    method = draw(st.sampled_from(["constant", "level", "hospital", "hospital_drg", "level_cost"]))
    more: dict[str, Any] = {
        "constant": {"value": draw(k)},
        "level": {"levels": {level: draw(k) for level in LEVELS}},
        "hospital": {"hospitals": {"H1": draw(k), "H2": draw(k)}, "otherwise": draw(k)},
        "hospital_drg": {"file": HOSPITAL_TABLE, "otherwise": draw(k)},
        "level_cost": {"file": LEVEL_TABLE, "otherwise": draw(k)},
    }[method]
    return {"name": f"{method} {number}", "weight": weight, "method": method, **more}


def _groups() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([*DRGS, "BR1", "XR2", "MDCT", "MDCE"]), min_size=1, max_size=2)


def _levels() -> st.SearchStrategy[list[str] | None]:
    return st.none() | st.lists(st.sampled_from(LEVELS), min_size=1, max_size=2)


def _bed_day() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({
        "name": st.sampled_from(["b1", "b2"]),
        "groups": _groups(),
        "above_days": st.integers(10, 60),
        "levels": _levels(),
        "points_per_day": bands(decimals(1, 9, 2), 90),
    })  # fmt: skip


def _fixed() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({
        "name": st.sampled_from(["f1", "f2"]),
        "groups": _groups() | st.just([]),
        "up_to_days": st.none() | st.integers(1, 5),
        "levels": _levels(),
        "points": decimals(1, 99, 4),
    })  # fmt: skip


def _exclusion() -> st.SearchStrategy[dict[str, Any]]:
    condition = st.fixed_dictionaries({}, optional={
        "above_days": st.integers(40, 80),
        "no_fund_part": st.just(True),
        "groups": _groups(),
        "pools": st.just(["resident"]),
        "hospitals": st.just(["H2"]),
        "flag": st.just(FLAG),
    })  # fmt: skip
    return condition.filter(bool).map(lambda c: {"reason": "excluded", **c})


@st.composite
def case_rows(draw: st.DrawFn, change: dict[str, Any], least: int = 1) -> pd.DataFrame:
    """Up to 12 cases; half of the costs lie within a few fen of a multiple of the mean."""
    groups = change["base_points"]["groups"]
    near = [0.3, 0.4, 0.5, 0.6, 1.5, 2, 2.5, 3, 4]
    rows = []
    for number in range(draw(st.integers(least, max(12, least + 2)))):
        status = draw(st.sampled_from(["grouped"] * 6 + ["ambiguous", "ungrouped", "invalid"]))
        drg = draw(st.sampled_from([*DRGS, *DRGS, "ZZ11"])) if status == "grouped" else None
        mean = float(groups.get(drg, {}).get("mean_cost", 9000))
        around = st.sampled_from(near).map(lambda m, mean=mean: round(m * mean, 2))
        shifted = st.tuples(around, st.integers(-2, 2)).map(lambda t: round(t[0] + t[1] / 100, 2))
        anywhere = st.integers(0, 15_000_000).map(lambda fen: fen / 100)
        cost = max(0.0, draw(shifted | anywhere))
        rows.append({
            "case_id": f"c{number}",
            "hospital": draw(st.sampled_from(HOSPITALS)),
            "hospital_level": draw(st.sampled_from(LEVELS)),
            "pool": draw(st.sampled_from(["employee", "resident"])),
            "discharge_date": pd.Timestamp("2026-05-05"),
            "length_of_stay": draw(st.integers(1, 100)),
            "total_cost": cost,
            "unreasonable_cost": round(cost * draw(st.sampled_from([0, 0, 0.1, 0.5, 1])), 2),
            "patient_paid": round(cost * draw(st.sampled_from([0, 0.3, 1])), 2),
            "drg": "TQY" if status == "ambiguous" else drg,
            "status": status,
            "list_item": draw(st.sampled_from([None, None, "f1"])),
            FLAG: draw(st.booleans()),
        })  # fmt: skip
    return pd.DataFrame(rows)


@st.composite
def regions(draw: st.DrawFn) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """A policy, its cases, and panels' decisions on some of them."""
    change = draw(policies())
    table = draw(case_rows(change))
    kinds = ["special"]
    if change["outliers"]["high"]["rule"] == "added_reviewed":
        kinds.append("added")
    decided = draw(st.lists(st.sampled_from(table["case_id"].tolist()), max_size=3, unique=True))
    points = st.none() | st.integers(0, 40_000).map(lambda p: p / 100)
    decisions = pd.DataFrame({
        "case_id": decided,
        "decision": [draw(st.sampled_from(kinds)) for _ in decided],
        "points": pd.array([draw(points) for _ in decided], "Float64"),
    })  # fmt: skip
    return change, table, decisions
