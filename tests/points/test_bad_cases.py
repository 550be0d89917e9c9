"""Cases that cannot be paid: each a clear error, or a warning where they only look wrong."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.points import CaseWarning, compute_points, points_by_class, sanction_points
from tests.points.regions import cases, small

LONG = {"exclusions": [{"reason": "long", "above_days": 60}]}


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"total_cost": -1.0}, "1 cases have a negative total_cost: c2"),
        ({"total_cost": float("nan")}, "1 cases have no finite total_cost: c2"),
        ({"total_cost": float("inf")}, "1 cases have no finite total_cost: c2"),
        ({"case_id": "c1"}, "1 case ids occur more than once: c1"),
        ({"case_id": None}, "1 cases have no id"),
        ({"hospital": None}, "1 cases have no hospital: c2"),
        ({"hospital": ""}, "1 cases have no hospital: c2"),
        ({"pool": None}, "1 cases have no pool: c2"),
        ({"status": None}, "1 cases have no status: c2"),
        ({"status": "paid"}, "the status is paid"),
        ({"hospital_level": None, "hospital": "H9"}, "hospital without level: H9"),
        ({"discharge_date": pd.Timestamp("2027-01-01")}, "discharged outside 2026: c2"),
        ({"discharge_date": pd.NaT}, "1 cases have no discharge date: c2"),
        ({"admission_date": pd.Timestamp("2026-03-10")}, "discharged before admission: c2"),
        ({"length_of_stay": -1}, "negative length_of_stay: c2"),
    ],
)
def test_a_wrong_case_is_named(case: dict[str, Any], words: str) -> None:
    with pytest.raises(CaseSchemaError, match=words):
        compute_points(cases({}, case), small(LONG), year=2026)


def test_more_unreasonable_cost_than_cost() -> None:
    used = small({"costs": {"unreasonable": "deducted"}})
    with pytest.raises(CaseSchemaError, match="more unreasonable cost than cost: c1"):
        compute_points(cases({"unreasonable_cost": 8000.01}), used)


def test_columns_that_only_some_policies_need() -> None:
    table = cases({}).drop(columns=["unreasonable_cost", "length_of_stay", "patient_paid"])
    assert len(compute_points(table, small())) == 1
    for change, column in (
        ({"costs": {"unreasonable": "deducted"}}, "unreasonable_cost"),
        (LONG, "length_of_stay"),
        ({"exclusions": [{"reason": "f", "no_fund_part": True}]}, "patient_paid"),
        ({"exclusions": [{"reason": "f", "flag": "accident"}]}, "accident"),
    ):
        with pytest.raises(CaseSchemaError, match=f"no column {column}"):
            compute_points(table, small(change))


def test_a_flag_must_be_true_or_false() -> None:
    change = {"exclusions": [{"reason": "f", "flag": "accident"}]}
    with pytest.raises(CaseSchemaError, match="true or false in every row"):
        compute_points(cases({"accident": "yes"}), small(change))


def test_cost_that_is_text() -> None:
    with pytest.raises(CaseSchemaError, match="column total_cost"):
        compute_points(cases({}).assign(total_cost="much"), small())


def test_a_discharge_when_the_policy_does_not_apply() -> None:
    table = cases({"discharge_date": pd.Timestamp("2025-12-31")}).drop(columns="admission_date")
    with pytest.raises(CaseSchemaError, match="when policy small does not apply: c1"):
        compute_points(table, small())


def test_a_level_may_come_from_the_policy() -> None:
    table = cases({"hospital_level": None}, {"hospital": "H2", "hospital_level": None})
    levels = {"hospitals": {"H1": {"level": "3"}, "H2": {"level": "1"}}}
    assert compute_points(table, small(levels))["points"].tolist() == [88.0, 72.0]
    # A policy that does not look at levels needs none.
    change = {"coefficients": {"components": [
        {"name": "c", "weight": 1, "method": "constant", "value": 1}]}}  # fmt: skip
    assert compute_points(table, small(change))["points"].tolist() == [80.0, 80.0]


def test_a_level_or_hospital_without_coefficient() -> None:
    with pytest.raises(PolicyError) as error:
        compute_points(cases({}, {"hospital": "H8", "hospital_level": "4"}), small())
    assert "1 cases have no coefficient, first one of hospital H8 (level 4) in BR15" in str(
        error.value
    )
    assert "component level has no value" in str(error.value)
    # A same-price group asks for none, nor does a class without coefficient.
    same = small({"coefficients": {"same_price": ["BR15"]}})
    table = cases({"hospital_level": "4"}, {"hospital_level": "4", "drg": "CB69"})
    assert compute_points(table, same)["coefficient"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("factor", "unit"), [(100, "fen"), (0.001, "thousands")])
def test_costs_in_another_unit_are_warned_of(factor: float, unit: str) -> None:
    table = cases(*[{"total_cost": 8000.0 * factor}] * 9)
    with pytest.warns(CaseWarning, match=f"are costs in {unit}"):
        compute_points(table, small())


def test_ordinary_costs_are_not_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", CaseWarning)
        compute_points(cases(*[{"total_cost": c} for c in (0.0, 900.0, 8000.0, 90000.0)]), small())


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        ({"case_id": ["c1", "c1"], "decision": ["special"] * 2, "points": [1, 1]}, "two decisions"),
        ({"case_id": ["c1"], "decision": ["maybe"], "points": [1]}, "special or added"),
        ({"case_id": ["c1"], "decision": ["special"], "points": [-1]}, "negative or no number"),
        ({"case_id": ["c1"], "decision": ["special"], "points": [np.inf]}, "negative or no number"),
        ({"case_id": ["c1"], "decision": ["special"]}, "no column points"),
    ],
)
def test_wrong_decisions(decisions: dict[str, Any], words: str) -> None:
    review = small({"special_review": {"without_points": "error"}})
    with pytest.raises(CaseSchemaError, match=words):
        compute_points(cases({}), review, decisions=pd.DataFrame(decisions))


def test_decisions_on_other_cases_are_reported() -> None:
    review = small({"special_review": {"without_points": "error"}})
    decisions = pd.DataFrame({"case_id": ["x"], "decision": ["special"], "points": [5.0]})
    with pytest.warns(CaseWarning, match="1 decisions concern none of the cases"):
        assert compute_points(cases({}), review, decisions=decisions)["points"][0] == 80.0


SANCTIONS = {"violations": {"points": {"upcoding": 2, "splitting": "1.5"}}}


def test_sanctions_withdraw_points_with_a_multiple() -> None:
    policy = small(SANCTIONS)
    table = compute_points(cases({}, {"drg": "ES23", "total_cost": 15000.0}), policy)
    found = pd.DataFrame({
        "case_id": ["c2", "c1", "c1"], "kind": ["upcoding", "splitting", "upcoding"],
        "points": [70.25, None, 0.0],
    })  # fmt: skip
    result = sanction_points(table, found, policy)
    # 70.25·2 = 140.5; all 80 points of c1 · 1.5 = 120; nothing · 2.
    assert result["points"].tolist() == [-140.5, -120.0, 0.0]
    assert result["unlawful_points"].tolist() == [70.25, 80.0, 0.0]
    assert result["hospital"].tolist() == ["H1"] * 3
    assert result["month"].dt.strftime("%Y-%m").unique().tolist() == ["2026-03"]


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        (("c1", "refusing", 1.0), PolicyError, "no multiple for refusing"),
        (("c9", "upcoding", 1.0), CaseSchemaError, "none of the cases, first c9"),
        (("c1", "upcoding", 80.5), CaseSchemaError, "more than the case has, first c1"),
        (("c1", "upcoding", -1.0), CaseSchemaError, "negative or more"),
    ],
)
def test_wrong_sanctions(row: tuple[Any, ...], error: type[Exception], words: str) -> None:
    policy = small(SANCTIONS)
    table = compute_points(cases({}), policy)
    found = pd.DataFrame([row], columns=["case_id", "kind", "points"])
    with pytest.raises(error, match=words):
        sanction_points(table, found, policy)


def test_points_by_class_lose_no_class() -> None:
    table = compute_points(
        cases({}, {"pool": "resident", "total_cost": 2000.0}, {"pool": "resident"}), small()
    )
    found = points_by_class(table, ["pool"]).set_index(["pool", "case_class"])
    assert len(found) == 24  # 12 classes in 2 pools
    assert found.loc[("resident", "low_cost")].tolist() == [1.0, 20.0]
    assert found.loc[("resident", "normal")].tolist() == [1.0, 80.0]
    assert found.loc[("employee", "low_cost")].tolist() == [0.0, 0.0]
    assert int(found["cases"].sum()) == 3
