"""Random policies with every rule beyond high and low multiples: pieces, quotas, tiers, factors."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import strategies as st

from tests.points.random_regions import (
    DRGS,
    FLAG,
    HOSPITALS,
    LEVELS,
    bands,
    case_rows,
    decimals,
    policies,
)

SHARE = "tcm_share"
_CLASSES = ["normal", "high_cost", "low_cost", "unstable", "bed_day", "fixed_price"]


@st.composite
def wider_policies(draw: st.DrawFn) -> dict[str, Any]:
    """What to change in the small policy."""
    change = draw(policies())
    change["rounding"]["points"] = draw(st.sampled_from([0, 2, 4, 8]))
    # Most groups are stable and few cases on lists, so that costs decide.
    if draw(st.sampled_from([True, True, False])):
        change["stability"] = {"rule": "all_stable"}
        change["exclusions"], change["bed_day"], change["fixed_price"] = [], [], []
    outliers = draw(st.sampled_from(["pieces", "quota", "levels"]))
    high, low = change["outliers"]["high"], change["outliers"]["low"]
    if outliers == "pieces":
        change["outliers"] = {"high": {"rule": "none", "multiples": "", "cap": "", "rate": ""},
                              "low": {"rule": "none", "multiples": "", "rate": ""},
                              "pieces": draw(pieces())}  # fmt: skip
    if outliers == "quota":
        high["quota"] = draw(st.fixed_dictionaries({
            "share": decimals(0, 0.6, 2),
            "among": st.sampled_from(["hospital", "drg"]),
            "period": st.sampled_from(["month", "quarter", "half_year", "year"]),
            "rounding": st.sampled_from(["down", "nearest", "up"]),
        }))  # fmt: skip
        if high["rule"] == "none":
            high["rule"] = "outside"
        if high["rule"] in ("outside", "by_cost") and draw(st.booleans()):
            high["multiples"] = ""
    if outliers == "levels":
        high["rule"] = draw(st.sampled_from(["added", "outside", "by_cost", "capped_at_hi"]))
        low["rule"] = draw(st.sampled_from(["proportional", "outside"]))
        high["multiples_by_level"] = {"3": draw(bands(decimals(1.5, 4, 2), 300))}
        low["multiples_by_level"] = {"1": draw(decimals(0.3, 0.6, 2))}
    change["base_points"]["tiers"] = draw(
        st.lists(_tier(change), max_size=2, unique_by=lambda tier: tier["name"])
    )
    parts = change["coefficients"]["components"]
    for part in parts:
        if part["method"] in ("hospital", "hospital_drg") and draw(st.booleans()):
            part["fallbacks"] = draw(st.lists(_fallback(parts), min_size=1, max_size=2))
    change["coefficients"]["level_order"] = list(reversed(LEVELS))
    change["coefficients"]["same_price_lists"] = draw(st.sampled_from([[], ["chs-drg-3.0"]]))
    lists = draw(st.sampled_from(["exclusions", "bed_day", "fixed_price", "none"]))
    if lists == "exclusions":
        change["exclusions"].append({"reason": "e", **draw(_conditions())})
    if lists == "bed_day":
        change["bed_day"].append(draw(_wide_bed_day()))
    if lists == "fixed_price":
        change["fixed_price"].append(draw(_share_of_base()))
    if draw(st.booleans()):
        factors = draw(st.lists(_factor(), min_size=1, max_size=3, unique_by=lambda f: f["name"]))
        change["factors"] = {"each": factors}
        change["factors"] |= draw(st.sampled_from([{}, {"maximum": "1.06", "minimum": "0.97"}]))
    return change


@st.composite
def pieces(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to four pieces whose limits are multiples that costs lie on."""
    limits = sorted(draw(st.sets(st.sampled_from(["0.3", "0.4", "0.6", "1.5", "2.5", "4"]),
                                 max_size=3)), key=float)  # fmt: skip
    found = []
    for up_to in [*limits, ""]:
        piece = {
            "up_to": up_to,
            "limit": draw(st.sampled_from(["this", "next"])),
            "case_class": draw(st.sampled_from(["normal", "high_cost", "low_cost"])),
            "rule": draw(st.sampled_from(["formula"] * 4 + ["by_cost", "outside"])),
            "a": draw(decimals(-2, 2, 2)),
            "b": draw(decimals(-1, 2, 2)),
            "x": draw(st.sampled_from(["C/m", "(C − U)/m"])),
            "k": draw(st.sampled_from(["times", "plus", "none"])),
            "cap": draw(st.sampled_from(["none", "P", "P·k"])),
            "cap_multiple": draw(decimals(0.5, 2, 1)),
            "rate": draw(decimals(0, 1.5, 2)),
        }
        found.append({name: value for name, value in piece.items() if value != ""})
    return found


def _names(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2)


def _conditions(**more: Any) -> st.SearchStrategy[dict[str, Any]]:
    test = st.fixed_dictionaries(
        {"column": st.just(SHARE)},
        optional={name: decimals(0.2, 0.8, 1) for name in ("at_least", "above")},
    ).filter(lambda t: len(t) == 2)
    below = st.fixed_dictionaries(
        {"column": st.just(SHARE)},
        optional={name: decimals(0.2, 0.8, 1) for name in ("at_most", "below")},
    ).filter(lambda t: len(t) == 2)
    days = st.integers(1, 60)
    return (
        st.fixed_dictionaries({}, optional={
            "from_days": days, "above_days": days, "up_to_days": days.map(lambda d: d + 35),
            "groups": st.just("all") | _names(DRGS), "pools": _names(("employee", "resident")),
            "hospitals": _names(HOSPITALS), "levels": _names(LEVELS), "flag": st.just(FLAG),
            "tests": st.lists(test | below, min_size=1, max_size=2), **more,
        })
        .map(lambda c: {k: v for k, v in c.items() if k != "above_days" or "from_days" not in c})
        .filter(lambda c: bool(c) and _possible(c))
    )  # fmt: skip


def _possible(condition: dict[str, Any]) -> bool:
    low = condition.get("from_days", condition.get("above_days", -1) + 1)
    return bool(low <= condition.get("up_to_days", 10**6))


def _wide_bed_day() -> st.SearchStrategy[dict[str, Any]]:
    rule = st.fixed_dictionaries({
        "name": st.just("b3"), "groups": st.just("all") | _names(DRGS),
        "tiers": st.sampled_from(["whole", "marginal"]),
        "points_per_day": bands(decimals(1, 9, 8), 90),
    })  # fmt: skip
    return st.tuples(_conditions(), rule).map(
        lambda pair: (
            {"from_days": 0, **pair[0], **pair[1]}
            if "above_days" not in pair[0]
            else {**pair[0], **pair[1]}
        )
    )


def _share_of_base() -> st.SearchStrategy[dict[str, Any]]:
    rule = st.fixed_dictionaries({"name": st.just("f3"), "groups": _names(DRGS),
                                  "share_of_base": decimals(0.5, 1, 3)})  # fmt: skip
    return st.tuples(_conditions(), rule).map(lambda pair: {**pair[0], **pair[1]})


def _factor() -> st.SearchStrategy[dict[str, Any]]:
    rule = st.fixed_dictionaries({
        "name": st.sampled_from(["TCM", "key specialty", "CMI"]),
        "classes": st.lists(st.sampled_from(_CLASSES), min_size=1, max_size=4, unique=True),
    })  # fmt: skip
    value = st.fixed_dictionaries(
        {},
        optional={
            "value": decimals(0.8, 1.2, 3),
            "by_hospital": st.dictionaries(
                st.sampled_from(HOSPITALS), decimals(0.8, 1.2, 3), min_size=1
            ),
        },
    ).filter(bool)
    return st.tuples(_conditions() | st.just({}), rule, value).map(
        lambda parts: {**parts[0], **parts[1], **parts[2]}
    )


def _fallback(parts: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    constant = {"take": "constant", "factor": "0.9"}
    by_level = [part["name"] for part in parts if part["method"] in ("level", "level_cost")]
    if not by_level:
        return st.just(constant)
    taken = st.sampled_from(["own_level", "next_higher_level", "next_lower_level"])
    return st.just(constant) | st.fixed_dictionaries(
        {"take": taken, "of": st.sampled_from(by_level), "factor": decimals(0.8, 1.2, 2)}
    )


@st.composite
def _tier(draw: st.DrawFn, change: dict[str, Any]) -> dict[str, Any]:
    """Base points of their own for some hospitals, for some DRGs or by a factor."""
    base = change["base_points"]
    tier: dict[str, Any] = {"name": draw(st.sampled_from(["primary", "county"]))}
    if draw(st.booleans()):
        tier["levels"] = draw(_names(LEVELS))
    if "levels" not in tier or draw(st.booleans()):
        tier["hospitals"] = draw(_names(HOSPITALS))
    tier["factor"] = draw(st.sampled_from(["0.9", "1.05"]))
    if draw(st.booleans()):
        names = draw(st.lists(st.sampled_from(DRGS), min_size=1, max_size=2, unique=True))
        own = [{base["holds"]: draw(decimals(1, 3, 4))} for _ in names]
        if base["group_means"] == "column" and draw(st.booleans()):
            own = [{**row, "mean_cost": draw(decimals(500, 40000, 2))} for row in own]
        tier["groups"] = dict(zip(names, own, strict=True))
    return tier


@st.composite
def wider_regions(draw: st.DrawFn) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """A policy, its cases over two quarters, and panels' decisions on some of them."""
    change = draw(wider_policies())
    table = draw(case_rows(change, least=10))
    days = st.sampled_from(["2026-03-31", "2026-04-01", "2026-05-05", "2026-07-01"])
    table["discharge_date"] = pd.to_datetime([draw(days) for _ in range(len(table))])
    table[SHARE] = [draw(st.integers(0, 10)) / 10 for _ in range(len(table))]
    kinds = ["special", "outside", "refused"]
    if change["outliers"]["high"]["rule"] == "added_reviewed":
        kinds.append("added")
    decided = draw(st.lists(st.sampled_from(table["case_id"].tolist()), max_size=2, unique=True))
    points = st.none() | st.integers(0, 40_000).map(lambda p: p / 100)
    decisions = pd.DataFrame({
        "case_id": decided,
        "decision": [draw(st.sampled_from(kinds)) for _ in decided],
        "points": pd.array([draw(points) for _ in decided], "Float64"),
    })  # fmt: skip
    return change, table, decisions
