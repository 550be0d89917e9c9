"""Every class of a case and every variant of its rule, with the number derived by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from drgcore.errors import PolicyError
from drgcore.points import CaseWarning, compute_points, explain_points
from tests.points.regions import cases, small


def one(
    change: dict[str, Any] | None = None,
    decision: tuple[str, Any] | None = None,
    **case: Any,
) -> tuple[str, float]:
    """Class and points of one case."""
    decisions = None
    if decision:
        decisions = pd.DataFrame(
            {"case_id": ["c1"], "decision": [decision[0]], "points": [decision[1]]}
        )
    row = compute_points(cases(case), small(change), decisions=decisions).iloc[0]
    return str(row["case_class"]), float(row["points"])


def high(rule: str, **more: Any) -> dict[str, Any]:
    return {"outliers": {"high": {"rule": rule, **more}}}


U = {"costs": {"unreasonable": "deducted"}}


def test_normal_by_level() -> None:
    # P = 80; k = 1.1 at level 3, 1 at level 2, 0.9 at level 1.
    assert one(hospital_level="3") == ("normal", 88.0)
    assert one(hospital_level="2") == ("normal", 80.0)
    assert one(hospital_level="1") == ("normal", 72.0)


@pytest.mark.parametrize(
    ("drg", "cost", "expected"),
    [
        # P = 80 ≤ 100: hi = 3, hi·m = 24,000; a cost on the limit is normal.
        ("BR15", 24000.00, "normal"),
        ("BR15", 24000.01, "high_cost"),
        # P = 150 ≤ 200: hi = 2.5, hi·m = 37,500.
        ("ES23", 37500.00, "normal"),
        ("ES23", 37500.01, "high_cost"),
        # P = 300: hi = 2, hi·m = 60,000.
        ("GB19", 60000.00, "normal"),
        ("GB19", 60000.01, "high_cost"),
        # lo = 0.4: lo·m = 3,200.
        ("BR15", 3200.00, "normal"),
        ("BR15", 3199.99, "low_cost"),
    ],
)
def test_limits(drg: str, cost: float, expected: str) -> None:
    assert one(drg=drg, total_cost=cost)[0] == expected


def test_high_cost_added() -> None:
    # P·k + P·(C/m − hi) = 80·1.1 + 80·(32000/8000 − 3) = 88 + 80 = 168.
    assert one(total_cost=32000.0, hospital_level="3") == ("high_cost", 168.0)


def test_high_cost_added_without_unreasonable_cost() -> None:
    # (C − U)/m = (32000 − 4000)/8000 = 3.5: 80 + 80·0.5 = 120. The class looks at C.
    assert one(U, total_cost=32000.0, unreasonable_cost=4000.0) == ("high_cost", 120.0)
    # (32000 − 12000)/8000 = 2.5 lies below hi: nothing is added, nothing taken away.
    assert one(U, total_cost=32000.0, unreasonable_cost=12000.0) == ("high_cost", 80.0)
    # A policy that does not use U does not look at it.
    assert one(total_cost=32000.0, unreasonable_cost=4000.0) == ("high_cost", 160.0)


def test_high_cost_capped() -> None:
    # Added part P·(6 − 3) = 240, at most 1.5·P = 120: 80 + 120 = 200.
    capped = high("added_capped", cap="1.5")
    assert one(capped, total_cost=48000.0) == ("high_cost", 200.0)
    # P·(4 − 3) = 80 stays below the cap.
    assert one(capped, total_cost=32000.0) == ("high_cost", 160.0)


def test_high_cost_reviewed() -> None:
    reviewed = high("added_reviewed")
    # Before a decision P·k alone; granted: P·(4 − 3) = 80 more; or the 30.5 that review gave.
    assert one(reviewed, total_cost=32000.0) == ("high_cost", 80.0)
    assert one(reviewed, ("added", None), total_cost=32000.0) == ("high_cost", 160.0)
    assert one(reviewed, ("added", 30.5), total_cost=32000.0) == ("high_cost", 110.5)


def test_added_points_for_a_case_that_is_not_high_cost_are_reported() -> None:
    with pytest.warns(CaseWarning, match="1 decisions grant added points"):
        assert one(high("added_reviewed"), ("added", None)) == ("normal", 80.0)


def test_high_cost_capped_at_hi() -> None:
    # P·min((C − U)/m, hi) = 80·3, whatever k; with U: 80·min(20000/8000, 3) = 200.
    assert one(high("capped_at_hi"), total_cost=48000.0, hospital_level="3") == ("high_cost", 240.0)
    change = {**high("capped_at_hi"), **U}
    assert one(change, total_cost=32000.0, unreasonable_cost=12000.0) == ("high_cost", 200.0)


def test_high_cost_by_cost_and_none() -> None:
    # 32000/10000·100·0.9 = 288.
    assert one(high("by_cost", rate="0.9"), total_cost=32000.0) == ("high_cost", 288.0)
    assert one(high("none"), total_cost=32000.0) == ("normal", 80.0)


def test_low_cost() -> None:
    # P·C/m = 80·2000/8000 = 20.
    assert one(total_cost=2000.0) == ("low_cost", 20.0)
    assert one(total_cost=0.0) == ("low_cost", 0.0)
    # At most P·k: with k = 0.3 that is 24, and P·C/m = 80·3000/8000 = 30.
    poor = {
        "coefficients": {
            "components": [{"name": "c", "weight": 1, "method": "constant", "value": "0.3"}]
        }
    }
    assert one(poor, total_cost=3000.0) == ("low_cost", 24.0)
    # By cost 2000/10000·100·0.5 = 10.
    by_cost = {"outliers": {"low": {"rule": "by_cost", "rate": "0.5"}}}
    assert one(by_cost, total_cost=2000.0) == ("low_cost", 10.0)
    assert one({"outliers": {"low": {"rule": "none"}}}, total_cost=2000.0) == ("normal", 80.0)


def test_classes_by_cost() -> None:
    # CB69 has 4 cases of at least 5: (C − U)/mean·scale·rate = 8000/10000·100·1 = 80.
    assert one(drg="CB69") == ("unstable", 80.0)
    # (8000 − 1000)/10000·100 = 70.
    assert one(U, drg="CB69", unreasonable_cost=1000.0) == ("unstable", 70.0)
    # Rates 0.8 and 0.7.
    assert one(drg="BQY", status="ambiguous") == ("ambiguous", 64.0)
    assert one(drg=None, status="ungrouped") == ("ungrouped", 56.0)
    assert one(drg=None, status="invalid") == ("outside", 0.0)
    paid = {"by_cost": {"invalid": {"rule": "by_cost", "rate": "0.5"}}}
    assert one(paid, drg=None, status="invalid") == ("invalid", 40.0)
    no_pay = {"by_cost": {"unstable": {"rule": "outside"}}}
    assert one(no_pay, drg="CB69") == ("outside", 0.0)


def test_bed_days() -> None:
    change = {"bed_day": [{
        "name": "psychiatric", "groups": ["MDCT"], "above_days": 60,
        "points_per_day": [{"up_to": 90, "value": 4}, {"value": "3.5"}],
    }]}  # fmt: skip
    # The tier holds for the whole stay: 61·4 = 244, 90·4 = 360, 91·3.5 = 318.5; 60 days: normal.
    assert one(change, drg="TR19", length_of_stay=60) == ("normal", 120.0)
    assert one(change, drg="TR19", length_of_stay=61) == ("bed_day", 244.0)
    assert one(change, drg="TR19", length_of_stay=90) == ("bed_day", 360.0)
    assert one(change, drg="TR19", length_of_stay=91) == ("bed_day", 318.5)
    assert one(change, drg="BR15", length_of_stay=91) == ("normal", 80.0)


def test_fixed_price() -> None:
    day = {"name": "cataract", "groups": ["CB6"], "up_to_days": 1, "points": "55.5"}
    change = {"fixed_price": [day, {"name": "dialysis", "points": 12, "levels": ["1"]}]}
    assert one(change, drg="CB69", length_of_stay=1) == ("fixed_price", 55.5)
    assert one(change, drg="CB69", length_of_stay=2)[0] == "unstable"
    # By the mark of the case, at level 1 only.
    assert one(change, list_item="dialysis", hospital_level="1") == ("fixed_price", 12.0)
    assert one(change, list_item="dialysis") == ("normal", 80.0)


def test_special_review() -> None:
    review = {"special_review": {"without_points": "by_cost", "rate": "1"}}
    # The panel's 250; without points 40000/10000·100 = 400.
    assert one(review, ("special", 250), total_cost=40000.0) == ("special_review", 250.0)
    assert one(review, ("special", None), total_cost=40000.0) == ("special_review", 400.0)
    with pytest.raises(PolicyError, match="panel gave no points for 1 cases"):
        one({"special_review": {"without_points": "error"}}, ("special", None))
    with pytest.raises(PolicyError, match="no special_review"):
        one(None, ("special", 250))


@pytest.mark.parametrize(
    ("condition", "case", "outside"),
    [
        ({"above_days": 60}, {"length_of_stay": 60}, False),
        ({"above_days": 60}, {"length_of_stay": 61}, True),
        ({"no_fund_part": True}, {"patient_paid": 7999.99}, False),
        ({"no_fund_part": True}, {"patient_paid": 8000.0}, True),
        ({"groups": ["BR1"]}, {}, True),
        ({"groups": ["BR2"]}, {}, False),
        ({"pools": ["resident"]}, {"pool": "resident"}, True),
        ({"pools": ["resident"]}, {}, False),
        ({"hospitals": ["H1"]}, {}, True),
        ({"hospitals": ["H1"], "above_days": 60}, {}, False),
        ({"flag": "accident"}, {"accident": True}, True),
        ({"flag": "accident"}, {"accident": False}, False),
    ],
)
def test_exclusions(condition: dict[str, Any], case: dict[str, Any], outside: bool) -> None:
    change = {"exclusions": [{"reason": "a rule", **condition}]}
    expected = ("outside", 0.0) if outside else ("normal", 80.0)
    assert one(change, **case) == expected


def test_the_first_class_that_fits_is_taken() -> None:
    change = {
        "exclusions": [{"reason": "long", "above_days": 300}],
        "fixed_price": [{"name": "f", "groups": ["MDCT"], "up_to_days": 200, "points": 10}],
        "bed_day": [
            {"name": "b", "groups": ["TR1"], "above_days": 100, "points_per_day": 1},
        ],
        "special_review": {"without_points": "by_cost", "rate": 1},
    }
    special = ("special", 9)
    assert one(change, special, drg="TR19", length_of_stay=301)[0] == "outside"
    assert one(change, special, drg="TR19", length_of_stay=150) == ("special_review", 9.0)
    assert one(change, drg="TR19", length_of_stay=150) == ("fixed_price", 10.0)
    assert one(change, drg="TR19", length_of_stay=250) == ("bed_day", 250.0)


def test_a_group_without_base_points() -> None:
    table = cases({"drg": "ZZ11"}, {"drg": "ZZ11"}, {"drg": "AA19"}, {})
    with pytest.raises(PolicyError) as error:
        compute_points(table, small())
    assert "2 groups of 3 cases" in str(error.value)
    assert "ZZ11 (2 cases), AA19 (1 cases)" in str(error.value)
    by_cost = {"base_points": {"missing": "by_cost", "missing_rate": "0.9"}}
    assert one(by_cost, drg="ZZ11") == ("no_base_points", 72.0)  # 8000/10000·100·0.9
    assert one({"base_points": {"missing": "outside"}}, drg="ZZ11") == ("outside", 0.0)


def test_relative_weights_and_derived_means() -> None:
    # RW = 0.81234: P = 81.234, m = 0.81234·10000 = 8123.4; 0.4·m = 3249.36.
    change = {"base_points": {
        "holds": "relative_weight", "group_means": "derived",
        "groups": {**{drg: {"relative_weight": 1} for drg in ("CB69", "ES23", "GB19", "TR19")},
                   "BR15": {"relative_weight": "0.81234", "base_points": None, "cases": 9,
                            "cv": 1}},
    }, "stability": {"rule": "all_stable"}}  # fmt: skip
    assert one(change, total_cost=3249.36) == ("normal", 81.234)
    assert one(change, total_cost=3249.35)[0] == "low_cost"


def test_rounding_halves_up() -> None:
    # 80·1.00625 = 80.5 → 81 with no decimals; k has five decimals.
    change = {
        "rounding": {"points": 0, "coefficient": 5},
        "coefficients": {"components": [
            {"name": "c", "weight": 1, "method": "constant", "value": "1.00625"}]},
    }  # fmt: skip
    assert one(change) == ("normal", 81.0)
    # 80·1.00005 = 80.004, k to four decimals half up: 1.0001 → 80.008.
    change = {"coefficients": {"components": [
        {"name": "c", "weight": 1, "method": "constant", "value": "1.00005"}]}}  # fmt: skip
    assert one(change) == ("normal", 80.008)


def test_explanations_name_every_factor() -> None:
    change = {
        **U,
        "by_cost": {"ambiguous": {"rule": "by_cost", "rate": "0.8"}},
        "exclusions": [{"reason": "long", "above_days": 300}],
    }
    policy = small(change)
    table = compute_points(
        cases(
            {"total_cost": 32000.0, "unreasonable_cost": 4000.0, "hospital_level": "3"},
            {"total_cost": 2000.0},
            {"drg": "BQY", "status": "ambiguous"},
            {"length_of_stay": 301},
            {},
        ),
        policy,
    )
    texts = [explain_points(row, policy) for row in table.to_dict("records")]
    assert "C − U = 28,000.00 yuan" in texts[0]
    assert "hi·m = 24,000.00" in texts[0]
    assert texts[0].endswith("80 × 1.1 + 40 = 128")
    assert texts[1].endswith("base · multiple = 80 × 0.250000 = 20")
    assert texts[2].endswith("100 × 0.800000 × 0.8 = 64")
    assert "excluded: long" in texts[3]
    assert texts[3].endswith("paid by item outside the points")
    assert texts[4].endswith("base · coefficient = 80 × 1 = 80")


def test_a_piece_without_k_whose_cap_has_it_is_explained_by_it() -> None:
    piece = {"case_class": "normal", "a": "1.28", "b": 0, "k": "none", "cap": "P·k"}
    half = {"name": "own", "weight": 1, "method": "constant", "value": "0.5"}
    change = {"outliers": {"high": {"rule": "none"}, "low": {"rule": "none"}, "pieces": [piece]}}
    policy = small(change | {"coefficients": {"components": [half]}})
    row = compute_points(cases({}), policy).to_dict("records")[0]
    # P·1.28, at most P·0.5.
    assert (row["points"], row["coefficient"]) == (row["base_points"] / 2, 0.5)
    last = explain_points(row, policy).splitlines()[-1]
    assert f"at most {row['points']:g} = {row['points']:g}" in last
