"""Patients in house: calibrated on what was held back, silent where nothing is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import drgcore
from drgcore.cases.codes import MISSING
from drgcore.errors import CaseSchemaError
from drgcore.estimate import LikelyGroups, estimate_in_stay, fit_likely_groups
from drgcore.estimate.likely import cut_to
from drgcore.grouper.batch import BatchGrouper

HISTORY = drgcore.sample_cases(6000, "chs-drg-3.0", seed=21)


@pytest.fixture(scope="module")
def likely() -> LikelyGroups:
    return fit_likely_groups(HISTORY)


def patient(**columns: Any) -> pa.Table:
    case: dict[str, Any] = {"case_id": "p1", "principal_diagnosis": "G11.900"}
    case |= {"other_diagnoses": [], "principal_procedure": None, "other_procedures": []}
    case |= {"sex": 2, "age_years": 69, "total_cost": 1000.0, "length_of_stay": 2}
    return pa.Table.from_pylist([case | columns])


def test_what_was_estimated_comes_true_about_as_often(likely: LikelyGroups) -> None:
    table = likely.calibration[likely.calibration["estimates"] >= 200]
    assert len(table) >= 3
    error = (table["mean_predicted"] - table["observed"]).abs()
    assert error.max() < 0.2
    assert 0.3 < likely.accuracy["first"] <= likely.accuracy["first_three"] <= 1
    total = likely.calibration["estimates"].sum()
    assert total == likely.accuracy["cases"] * 3 * len(likely.drgs)


def test_shares_by_hand() -> None:
    table = pa.concat_tables([patient(case_id=str(i)) for i in range(3)])
    other = patient(case_id="o", principal_diagnosis="S52.804")
    known = fit_likely_groups(pa.concat_tables([table, other]), held_back=0, strength=1)
    estimate = estimate_in_stay(patient(), known)
    groups = [g for g in known.drgs if g]
    assert len(groups) == 2
    # Nothing known: 1/3 each of the two groups and of none; then each context in turn.
    share = 1 / 3
    share = (3 + share) / (4 + 1)
    for _ in range(4):
        share = (3 + share) / (3 + 1)
    assert np.isclose(estimate["probability"].iloc[0], share)
    assert np.isnan(known.accuracy["first"])


def test_shares_add_up_and_an_unseen_case_has_those_of_wider_contexts(
    likely: LikelyGroups,
) -> None:
    seen = likely.shares(
        [("drg", "BU25", 1), ("drg", "BU25"), ("adrg", "BU2"), ("mdc", "MDCB"), ()]
    )
    unseen = likely.shares([("drg", "x", 1), ("drg", "x"), ("adrg", "x"), ("mdc", "x"), ()])
    assert np.isclose([seen.sum(), unseen.sum()], 1).all()
    assert unseen.max() < 0.2


def test_records_are_cut_to_what_could_be_known() -> None:
    grouper = BatchGrouper.of("chs-drg-3.0", False)
    resolved = grouper.resolve("canonical", HISTORY.schema)
    whole = grouper.encode(HISTORY.combine_chunks().to_batches()[0], resolved)
    admitted, finished = cut_to(whole, 0.0), cut_to(whole, 1.0)
    assert not len(admitted.other_diagnoses) + len(admitted.other_procedures)
    assert (admitted.principal_procedure == MISSING).all()
    for ours, theirs in zip(finished.arrays(), whole.arrays(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    half = cut_to(whole, 0.5)
    for row in range(200):
        start, stop = whole.other_diagnosis_offsets[row : row + 2]
        mine = half.other_diagnoses[slice(*half.other_diagnosis_offsets[row : row + 2])]
        keep = -(-(stop - start) // 2)
        np.testing.assert_array_equal(mine, whole.other_diagnoses[start : start + keep])


@pytest.mark.parametrize(
    ("columns", "level", "warning"),
    [
        ({"total_cost": 100.0}, "none", None),
        ({"total_cost": 8500.0}, "notice", "near_payment"),
        ({"total_cost": 11_000.0}, "warning", "above_payment"),
        ({"total_cost": 9e6}, "critical", "beyond_high"),
        ({"total_cost": 100.0, "length_of_stay": 400}, "notice", "long_stay"),
        ({"principal_diagnosis": None}, "unknown", "no_estimate"),
        ({"principal_diagnosis": "nothing"}, "unknown", "no_estimate"),
        ({"total_cost": None, "length_of_stay": None}, "none", None),
    ],
)
def test_warnings(
    columns: dict[str, Any], level: str, warning: str | None, likely: LikelyGroups
) -> None:
    worth = dict.fromkeys(likely.drgs, 10_000.0)
    found = estimate_in_stay(patient(**columns), likely, payments=worth, high=3, low=0.4)
    row = found.to_dict("records")[0]
    assert (row["level"], row["warning"] if isinstance(row["warning"], str) else None) == (
        level,
        warning,
    )
    assert ("principal_diagnosis" in row["missing"]) == (level == "unknown")


def test_without_payments_and_limits_nothing_is_said_of_them(likely: LikelyGroups) -> None:
    row = estimate_in_stay(patient(total_cost=9e6), likely).to_dict("records")[0]
    assert np.isnan([row["expected_payment"], row["high_limit"], row["low_limit"]]).all()
    assert row["warning"] is None or row["warning"] != row["warning"]
    assert row["cost_ratio"] > 1


def test_many_patients_are_each_by_themselves(likely: LikelyGroups) -> None:
    few = HISTORY.slice(0, 40)
    together = estimate_in_stay(few, likely)
    assert together["row"].tolist() == list(range(1, 41))
    for at in range(0, 40, 9):
        alone = estimate_in_stay(few.slice(at, 1), likely).iloc[0]
        assert alone["drg"] == together.iloc[at]["drg"]
        assert alone["probability"] == together.iloc[at]["probability"]


def test_what_cannot_be_learned_or_estimated(likely: LikelyGroups) -> None:
    with pytest.raises(CaseSchemaError, match="no case of history is grouped"):
        fit_likely_groups(patient(principal_diagnosis=None))
    with pytest.raises(CaseSchemaError, match="held_back from 0"):
        fit_likely_groups(HISTORY, held_back=1)
    with pytest.raises(CaseSchemaError, match="high must be above 0"):
        estimate_in_stay(patient(), likely, high=0)
