"""A trial is the settlement step by step, and its cases add up to its statements."""

from __future__ import annotations

import pandas as pd
import pytest

import drgcore
from drgcore.budget import Month
from drgcore.budget.frames import records
from drgcore.errors import BudgetError
from drgcore.points import Policy
from drgcore.trial import Trial, case_amounts, compare_returned, hospital_amounts, settle_trial


def scores(hospitals: set[str]) -> pd.DataFrame:
    """The assessment that the fictitious policy asks for."""
    table = pd.DataFrame({"hospital": sorted(hospitals), "record quality": 96})
    return table.assign(**{"readmission": 92, "patient burden": 90})


@pytest.fixture(scope="module")
def trial() -> Trial:
    cases = drgcore.group(drgcore.sample_cases(3000, "chs-drg-3.0", seed=5))
    hospitals = set(cases["hospital"].to_pylist())
    return settle_trial(cases, Policy.load("example"), 2027, scores(hospitals))


def test_it_is_what_the_steps_give(trial: Trial) -> None:
    previous = None
    for settled in trial.months:
        previous = drgcore.settle_month(trial.cases, trial.policy, settled.month, previous)
        pd.testing.assert_frame_equal(previous.statement, settled.statement)
    quality = scores(trial.year.hospitals())
    year = drgcore.settle_year(trial.cases, trial.months, trial.policy, quality)
    pd.testing.assert_frame_equal(year.statement, trial.year.statement)
    unaccounted = trial.year.reconciliation.query("item == 'unaccounted'")
    assert unaccounted["amount_fen"].tolist() == [0] * len(unaccounted)


def test_cases_add_up_to_the_statement_of_each_month_and_the_year(trial: Trial) -> None:
    for settled in (*trial.months[:3], trial.year):
        amounts = case_amounts(trial.cases, settled)
        assert not amounts["case_id"].duplicated().any()
        sums = amounts.groupby(["pool", "hospital"])["amount_fen"].sum()
        for row in records(settled.statement):
            key = (row["pool"], row["hospital"])
            assert sums.get(key, 0) == row["entitlement_fen"] - row["refused_fen"]


def test_cases_of_another_settlement_are_refused(trial: Trial) -> None:
    with pytest.raises(BudgetError, match="do not add up to its statement"):
        case_amounts(trial.cases.slice(0, 2000), trial.year)


def test_a_statement_of_our_own_agrees_with_itself(trial: Trial) -> None:
    amounts = case_amounts(trial.cases, trial.months[0])
    returned = amounts.assign(amount=amounts["amount_fen"] / 100)[["case_id", "drg", "amount"]]
    assert compare_returned(amounts, returned).agreement == 1
    hospitals = hospital_amounts(trial.year)
    returned = hospitals.assign(amount=hospitals["amount_fen"] / 100)
    assert compare_returned(hospitals, returned).agreement == 1


def test_tables_and_explanations(trial: Trial) -> None:
    tables = trial.tables(plain=True)
    assert tables["months_statement"]["month"].nunique() == 12
    assert not tables["statement"]["final"].astype(str).str.contains(",").any()
    assert trial.tables()["statement"]["final"].astype(str).str.contains(",").any()
    hospital = sorted(trial.year.hospitals())[0]
    assert "March 2027" in trial.explain(hospital, Month(2027, 3))
    assert "final payment" in trial.explain(hospital)
