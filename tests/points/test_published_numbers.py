"""Published formulas on small numbers, to the last decimal; and what a policy cannot say."""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import pytest

from drgcore.budget import Month, settle_month
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.points import compute_points, explain_points, policy_sentences
from drgcore.points.policy import build
from drgcore.points.policy_file import merge
from tests.points.regions import SMALL, cases, small

GROUPS = {
    "ES23": {"base_points": "120", "mean_cost": "12000", "cases": 50, "cv": "1"},
    "BR15": {"base_points": "80", "mean_cost": "8000", "cases": 50, "cv": "1"},
    "GB19": {"base_points": "100", "mean_cost": "10000", "cases": 50, "cv": "1"},
}


def k_is(value: str) -> dict[str, Any]:
    return {"components": [{"name": "k", "weight": 1, "method": "constant", "value": value}]}


def points(change: dict[str, Any], **case: Any) -> float:
    change = merge({"base_points": {"groups": {**GROUPS, "CB69": "", "TR19": ""}}}, change)
    return float(compute_points(cases(case), small(change))["points"][0])


def piece(up_to: str, name: str, **more: Any) -> dict[str, Any]:
    found = {"up_to": up_to, "case_class": name, "k": "times", **more}
    return {key: value for key, value in found.items() if value != ""}


NO_MULTIPLES = {"high": "", "low": ""}
WHOLE = piece("", "normal", a=1, b=0)


def zhejiang_2019() -> dict[str, Any]:
    incomplete = piece("0.4", "low_cost", a=0, b=1, cap="P")
    return {"outliers": {**NO_MULTIPLES, "pieces": [incomplete, WHOLE]},
            "coefficients": k_is("1.05")}  # fmt: skip


def zhejiang_2025() -> dict[str, Any]:
    low = piece("0.4", "low_cost", a=0, b=1)
    middle = piece("0.8", "normal", above="0.4", a="0.2", b=1)
    return {"outliers": {**NO_MULTIPLES, "pieces": [low, middle, WHOLE]},
            "coefficients": k_is("1")}  # fmt: skip


def test_zhejiang_2019() -> None:
    assert points(zhejiang_2019(), drg="ES23", total_cost=12000.0) == 126.0
    assert points(zhejiang_2019(), drg="ES23", total_cost=4000.0) == 42.0
    # At most P = 120: an incomplete stay just below its limit with k = 3 would earn 143.64.
    dear = merge(zhejiang_2019(), {"coefficients": k_is("3")})
    assert points(dear, drg="ES23", total_cost=4788.0) == 120.0


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0.39, 46.8), (0.4, 48.0), (0.41, 73.2), (0.6, 96.0), (0.8, 120.0), (0.81, 120.0)],
)
def test_zhejiang_2025(ratio: float, expected: float) -> None:
    assert points(zhejiang_2025(), drg="ES23", total_cost=round(12000 * ratio, 2)) == expected


def test_the_side_of_a_limit() -> None:
    change = zhejiang_2025()
    change["outliers"]["pieces"][0]["limit"] = "next"
    # 0.4 now belongs to the middle piece: 120·(0.4 + 0.2).
    assert points(change, drg="ES23", total_cost=4800.0) == 72.0
    assert points(change, drg="ES23", total_cost=4799.99) == 47.9999


def test_jinhua_2017(tmp_path: Any) -> None:
    # P = 8,000/10,000·100 = 80, k = 8,800/8,000 = 1.1; incomplete P·C/m.
    (tmp_path / "k.csv").write_text("hospital,drg,coefficient\nH1,BR15,1.1\n", "utf-8")
    part = {"name": "cost", "weight": 1, "method": "hospital_drg", "file": "k.csv",
            "otherwise": 1}  # fmt: skip
    change = {"base_points": {"group_means": "derived", "groups": {
        "BR15": {"mean_cost": ""}, "ES23": {"mean_cost": ""}, "GB19": {"mean_cost": ""}}},
        "coefficients": {"components": [part]}}  # fmt: skip
    policy = small(change, tmp_path)
    table = cases({"total_cost": 8800.0}, {"total_cost": 2000.0}, {"hospital": "H2"})
    assert compute_points(table, policy)["points"].tolist() == [88.0, 20.0, 80.0]


def zigong(hospitals: dict[str, str]) -> dict[str, Any]:
    fallbacks = [
        {"take": "next_higher_level", "of": "level", "factor": "0.9"},
        {"take": "next_lower_level", "of": "level", "factor": "1.1"},
    ]
    own = {"name": "hospital", "weight": "0.6", "method": "hospital", "hospitals": hospitals,
           "fallbacks": fallbacks}  # fmt: skip
    level = {"name": "level", "weight": "0.4", "method": "level",
             "levels": {"1": "0.8", "2": "1.1", "3": "1.3"}}  # fmt: skip
    return {"coefficients": {"components": [own, level], "level_order": ["1", "2", "3"]}}


def test_zigong_2023() -> None:
    # 1.2·0.6 + 1.1·0.4 = 1.16; without the hospital's (0.9·1.3)·0.6 + 1.1·0.4 = 1.142.
    case = {"drg": "GB19", "total_cost": 10000.0}
    assert points(zigong({"H1": "1.2"}), **case) == 116.0
    assert points(zigong({"H9": "1"}), **case) == 114.2
    # At the highest level 110 % of the next lower's: (1.1·1.1)·0.6 + 1.3·0.4 = 1.246.
    assert points(zigong({"H9": "1"}), **case, hospital_level="3") == 124.6


def bed_day(**more: Any) -> dict[str, Any]:
    rule = {"name": "psychiatric", "groups": "all", "from_days": 1, **more}
    return {"bed_day": [rule], "rounding": {"points": 8}}


def test_hezhou_2022() -> None:
    change = bed_day(points_per_day="2.36182972", levels=["3"])
    case = {"length_of_stay": 45, "hospital_level": "3", "drg": "BR15"}
    assert points(change, **case) == 106.2823374
    # At another level the rule does not hold; of every group it does, and without one.
    assert points(change, **{**case, "hospital_level": "2"}) == 80.0
    assert points(change, **{**case, "drg": None, "status": "ungrouped"}) == 106.2823374


@pytest.mark.parametrize(("days", "expected"), [(0, 0), (60, 240), (61, 243), (90, 330)])
def test_marginal_bed_days(days: int, expected: float) -> None:
    tiers = [{"up_to": 60, "value": 4}, {"value": 3}]
    change = bed_day(points_per_day=tiers, tiers="marginal", from_days=0)
    assert points(change, length_of_stay=days) == expected
    whole = bed_day(points_per_day=tiers, from_days=0)
    assert points(whole, length_of_stay=61) == 183.0


def test_marginal_bed_days_are_explained() -> None:
    policy = small(bed_day(points_per_day=[{"up_to": 60, "value": 4}, {"value": 3}],
                           tiers="marginal"))  # fmt: skip
    row = compute_points(cases({"length_of_stay": 61}), policy).to_dict("records")[0]
    assert explain_points(row, policy).endswith("points = 60 days × 4 + 1 days × 3 = 243")


def test_qingyang_2025() -> None:
    change = {"exclusions": [{"reason": "short", "up_to_days": 2},
                             {"reason": "long", "from_days": 60},
                             {"reason": "bed-day", "flag": "bed_day"}]}  # fmt: skip
    rows = [{"length_of_stay": days, "bed_day": days == 30} for days in (1, 2, 3, 30, 59, 60)]
    found = compute_points(cases(*rows), small(change))["case_class"].tolist()
    assert found == ["outside", "outside", "normal", "outside", "normal", "outside"]


def test_outliers_by_item_and_by_level() -> None:
    change = {"outliers": {
        "high": {"rule": "outside", "multiples": 2, "multiples_by_level": {"3": 3}},
        "low": {"rule": "outside"},
    }}  # fmt: skip
    rows = [{"total_cost": 20000.0, "hospital_level": "2"},
            {"total_cost": 20000.0, "hospital_level": "3"},
            {"total_cost": 24000.01, "hospital_level": "3"}, {"total_cost": 3199.99}]  # fmt: skip
    policy = small(change)
    table = compute_points(cases(*rows), policy)
    assert table["case_class"].tolist() == ["outside", "normal", "outside", "outside"]
    assert "hi·m = 24,000.00" in explain_points(table.to_dict("records")[2], policy)


QUOTA = {"share": "0.05", "among": "hospital", "period": "quarter", "rounding": "down"}


def test_only_the_dearest_are_high_cost() -> None:
    change = {"outliers": {"high": {"rule": "outside", "multiples": 2, "quota": QUOTA}}}
    # 40 cases of the quarter: two are the dearest 5 %. Three have the same C/m, one is in the
    # next quarter with 1 case, of which nothing is 5 %.
    rows = [{"total_cost": 8000.0}] * 36 + [{"total_cost": 40000.0}] * 3 + [
        {"drg": "ES23", "total_cost": 76000.0},
        {"total_cost": 90000.0, "discharge_date": pd.Timestamp("2026-04-01")},
    ]  # fmt: skip
    table = compute_points(cases(*rows), small(change))
    assert table.query("case_class == 'outside'")["case_id"].tolist() == ["c37", "c40"]
    beyond = table.iloc[37]
    assert beyond["class_reason"] == "C > hi·m, but not among the dearest of the quota: P·k"
    assert beyond["points"] == 80.0


def test_a_quota_needs_no_multiple() -> None:
    change = {"outliers": {"high": {"rule": "outside", "multiples": "", "quota": QUOTA},
                           "low": {"rule": "outside"}}}  # fmt: skip
    rows = [{"total_cost": 8000.0 + n} for n in range(19)] + [{"total_cost": 3000.0}]
    table = compute_points(cases(*rows), small(change))
    outside = table.query("case_class == 'outside'")
    assert outside["case_id"].tolist() == ["c19", "c20"]
    assert outside["class_reason"].tolist() == [
        "among the dearest 5 % by C/m: outside the points", "C < lo·m: outside the points",
    ]  # fmt: skip


def test_an_amendment_of_something_else_does_not_cut_a_quota() -> None:
    change = {
        "outliers": {"high": {"rule": "outside", "multiples": 2, "quota": QUOTA}},
        "amendments": [
            {"from": datetime.date(2026, 3, 15), "outliers": {"low": {"multiples": "0.3"}}}
        ],
    }
    rows = [{"total_cost": 8000.0}] * 18 + [{"total_cost": 40000.0}] + [
        {"total_cost": 50000.0, "discharge_date": pd.Timestamp("2026-03-20")}]  # fmt: skip
    table = compute_points(cases(*rows), small(change))
    assert table.query("case_class == 'outside'")["case_id"].tolist() == ["c20"]


def test_factors_are_a_step_of_their_own() -> None:
    change = {"factors": {"each": [
        {"name": "TCM", "value": "1.05", "classes": ["normal"],
         "tests": [{"column": "tcm_share", "at_least": "0.6"}]},
        {"name": "key specialty", "by_hospital": {"H1": "1.02"}, "groups": ["BR1"],
         "classes": ["normal", "high_cost"]},
    ], "maximum": "1.06"}}  # fmt: skip
    policy = small(change)
    rows = [{"tcm_share": 0.6}, {"tcm_share": 0.59}, {"tcm_share": 0.6, "hospital": "H2"},
            {"tcm_share": None, "total_cost": 32000.0}]  # fmt: skip
    with pytest.raises(CaseSchemaError, match="1 cases that a rule tests have no tcm_share: c4"):
        compute_points(cases(*rows), policy)
    rows[3]["tcm_share"] = 0
    table = compute_points(cases(*rows), policy)
    # 80·min(1.05·1.02, 1.06) = 84.8; 80·1.02; 80·1.05; (80 + 80)·1.02.
    assert table["points"].tolist() == [84.8, 81.6, 84.0, 163.2]
    assert table["factor"].tolist() == [1.06, 1.02, 1.05, 1.02]
    text = explain_points(table.to_dict("records")[0], policy)
    assert text.endswith(
        "points = base · coefficient = 80 × 1 = 80\n"
        "factors: TCM 1.05 · key specialty 1.02 (at most 1.06) = 1.06\n"
        "points = 80 × 1.06 = 84.8"
    )
    assert any("tcm_share ≥ 0.6" in s for _, part in policy_sentences(policy) for s in part)


def test_day_surgery_as_a_share_of_base_points() -> None:
    change = {"fixed_price": [{"name": "day surgery", "groups": "all", "flag": "day_surgery",
                               "share_of_base": "0.9"}]}  # fmt: skip
    rows = [{"day_surgery": True, "hospital_level": "3"}, {"day_surgery": False}]
    policy = small(change)
    table = compute_points(cases(*rows), policy)
    assert table["points"].tolist() == [72.0, 80.0]
    assert explain_points(table.to_dict("records")[0], policy).endswith("80 × 0.9 = 72")
    with pytest.raises(PolicyError, match="1 groups of 1 cases have no base points"):
        compute_points(cases({"day_surgery": True, "drg": "ZZ11"}), policy)


def test_primary_care_has_base_points_of_its_own() -> None:
    tiers = [{"name": "primary", "levels": ["1"], "groups": {"BR15": {"base_points": "70"}}},
             {"name": "county", "hospitals": ["H5"], "factor": "1.1"}]  # fmt: skip
    policy = small({"base_points": {"tiers": tiers}})
    rows = [{"hospital_level": "1"}, {"hospital_level": "2"}, {"hospital": "H5"},
            {"hospital_level": "1", "drg": "ES23", "total_cost": 15000.0}]  # fmt: skip
    table = compute_points(cases(*rows), policy)
    # 70·0.9; 80·1; 88·1; 150·0.9, which the tier does not have.
    assert table["points"].tolist() == [63.0, 80.0, 88.0, 135.0]
    assert "of primary P = 70" in explain_points(table.to_dict("records")[0], policy)


def test_basic_groups_by_name() -> None:
    groups = {"BR29": {"base_points": "80", "mean_cost": "8000", "cases": 50, "cv": "0.5"}}
    change = {"base_points": {"groups": groups},
              "coefficients": {"same_price_lists": ["chs-drg-3.0"]}}  # fmt: skip
    rows = [{"drg": "BR29", "hospital_level": "3"}, {"drg": "BR15", "hospital_level": "3"}]
    assert compute_points(cases(*rows), small(change))["points"].tolist() == [80.0, 88.0]
    change["coefficients"]["same_price_lists"] = ["no-such-scheme"]
    policy = small(change)
    with pytest.raises(PolicyError, match="no-such-scheme"):
        compute_points(cases({}), policy)


def pieces(*items: dict[str, Any]) -> dict[str, Any]:
    return {"outliers": {**NO_MULTIPLES, "pieces": list(items)}}


LOW = piece("0.4", "low_cost", a=0, b=1)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (pieces(LOW), "outliers", "a gap: no piece for C/m above 0.4"),
        (pieces(LOW, {**WHOLE, "above": "0.5"}), "outliers", "a gap: piece 1 ends at 0.4"),
        (pieces(LOW, {**WHOLE, "above": "0.3"}), "outliers", "an overlap: piece 1 ends at 0.4"),
        (pieces(LOW, LOW, WHOLE), "outliers", "overlap: one up to 0.4 follows one up to 0.4"),
        (pieces({**LOW, "above": "0.1"}, WHOLE), "outliers", "begins above 0.1, not 0"),
        (pieces(WHOLE, WHOLE), "outliers.pieces.1.up_to", "piece 1 is not the last"),
        (pieces(piece("", "normal", b=1)), "outliers.pieces.1.a", "rule is formula"),
        ({"outliers": {"pieces": [WHOLE]}}, "outliers", "leave high out"),
        ({"outliers": {"high": {"quota": {**QUOTA, "period": ""}}}},
         "outliers.high.quota.period", "not filled in: the period whose cases are counted"),
        ({"outliers": {"high": {"rule": "none", "quota": QUOTA}}}, "outliers.high",
         "a quota needs a rule"),
        ({"outliers": {"high": {"multiples": "", "quota": QUOTA}}}, "outliers.high.multiples",
         "not filled in"),
        ({"outliers": {"low": {"multiples_by_level": {"3": 2}}}}, "outliers", "bands overlap"),
        ({"bed_day": [{"name": "b", "groups": "all", "points_per_day": 1}]},
         "bed_day.1.above_days", "from_days is not given either"),
        ({"bed_day": [{"name": "b", "from_days": 1, "points_per_day": 1}]}, "bed_day.1.groups",
         "all: every case, also one without"),
        ({"exclusions": [{"reason": "e", "from_days": 9, "above_days": 9}]}, "exclusions.1",
         "not both"),
        ({"exclusions": [{"reason": "e", "from_days": 9, "up_to_days": 8}]}, "exclusions.1",
         "no stay fulfils it"),
        ({"exclusions": [{"reason": "e", "tests": [{"column": "tcm_share"}]}]},
         "exclusions.1.tests.1", "needs at_least"),
        ({"exclusions": [{"reason": "e", "tests": [
            {"column": "x", "at_least": 2, "below": 1}]}]}, "exclusions.1.tests.1",
         "no number fulfils"),
        ({"fixed_price": [{"name": "f"}]}, "fixed_price.1.points", "share_of_base is not given"),
        ({"fixed_price": [{"name": "f", "points": 1, "share_of_base": 1}]}, "fixed_price.1",
         "not both"),
        ({"factors": {"each": [{"name": "f", "classes": ["normal"]}]}},
         "factors.each.1.value", "no by_hospital either"),
        ({"factors": {"each": [], "minimum": 2, "maximum": 1}}, "factors", "minimum lies above"),
        ({"factors": {"each": [{"name": "f", "value": 1}]}}, "factors.each.1.classes",
         "not filled in: classes of cases"),
        ({"base_points": {"tiers": [{"name": "t", "factor": 2}]}}, "base_points.tiers.1.levels",
         "no hospitals either"),
        ({"base_points": {"tiers": [{"name": "t", "levels": ["1"]}]}},
         "base_points.tiers.1.file", "neither groups nor a factor"),
        (merge(zigong({"H9": "1"}), {"coefficients": {"level_order": ""}}),
         "coefficients.level_order", "names the next level"),
        ({"readmissions": [{"kind": "r", "within_days": 15, "same": "drg", "hospital": "same"}]},
         "readmissions", "readmissions name r, which is no kind of violations.points"),
        ({"special_review": {"without_points": "error", "quota": {
            "share": "0.005", "rounding": "down", "counts": "filed"}}},
         "special_review.quota.period", "not filled in"),
        ({"special_review": {"without_points": "error", "quota": {
            "share": "0.005", "rounding": "down", "counts": "filed", "period": "quarter",
            "deadline_days": 15}}}, "special_review.quota.deadline_counts", "not filled in"),
        ({"readmissions": [{"kind": "r", "within_days": 15, "hospital": "same"}]},
         "readmissions.1.same", "not filled in"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named(change: dict[str, Any], path: str, words: str) -> None:
    found = {p.path: p.message for p in build(merge(SMALL, change))[1]}
    assert path in found, found
    assert words in found[path], found[path]


@pytest.mark.parametrize(
    ("high", "above"),
    [
        ({"rule": "added"}, {"a": -3, "b": 1, "k": "plus"}),
        ({"rule": "added_capped", "cap": "1.5"},
         {"a": -3, "b": 1, "k": "plus", "cap": "P", "cap_multiple": "1.5"}),
        ({"rule": "capped_at_hi"},
         {"a": 0, "b": 1, "k": "none", "cap": "P", "cap_multiple": 3}),
        ({"rule": "by_cost", "rate": "0.9"}, {"rule": "by_cost", "rate": "0.9"}),
        ({"rule": "outside"}, {"rule": "outside"}),
    ],
)  # fmt: skip
def test_high_and_low_are_short_forms_of_pieces(
    high: dict[str, Any], above: dict[str, Any]
) -> None:
    """The table of docs/policy.md, on and beside both limits and at every level."""
    used = {"costs": {"unreasonable": "deducted"}}
    short = small({**used, "outliers": {"high": {"multiples": 3, **high}}})
    low = {"up_to": "0.4", "limit": "next", "case_class": "low_cost", "a": 0, "b": 1,
           "k": "none", "cap": "P·k"}  # fmt: skip
    middle = {"up_to": 3, "case_class": "normal", "a": 1, "b": 0, "k": "times"}
    top = {"case_class": "high_cost", "x": "(C − U)/m", **above}
    whole = small({**used, **pieces(low, middle, top)})
    costs = [0.0, 1234.56, 3199.99, 3200.0, 3200.01, 8000.0, 24000.0, 24000.01, 31234.56, 99999.99]
    table = cases(*[
        {"total_cost": cost, "unreasonable_cost": round(cost * share, 2), "hospital_level": level}
        for cost in costs for share in (0, 0.1, 0.6) for level in "321"
    ])  # fmt: skip
    one, two = compute_points(table, short), compute_points(table, whole)
    assert one["points"].tolist() == two["points"].tolist()
    assert one["case_class"].tolist() == two["case_class"].tolist()


def test_eight_decimals_are_settled() -> None:
    """Large points of eight decimals are no rounding error to the settlement."""
    change = {"rounding": {"points": 8}, "outliers": {"high": {"rule": "none"}}, "fixed_price": [
        {"name": "f", "points": "123456.12345678"}]}  # fmt: skip
    rows = [{"list_item": "f", "discharge_date": pd.Timestamp("2026-01-31"),
             "admission_date": pd.Timestamp("2026-01-09"), "pool": pool}
            for pool in ("employee", "resident")]  # fmt: skip
    policy = small(change)
    table = compute_points(cases(*rows), policy)
    assert table["points"].tolist() == [123456.12345678] * 2
    settled = settle_month(table, policy, Month(2026, 1))
    assert settled.statement["points"].tolist() == [12345612345678] * 2
