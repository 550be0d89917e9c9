"""Money on top of points beside claims and given values: no cost is paid twice, to the fen."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

from drgcore.budget import Month, Terms, explain_payment, settle_month, settle_year
from drgcore.budget.frames import records
from drgcore.budget.pool_terms import PoolTerms
from drgcore.errors import BudgetError, CaseSchemaError
from drgcore.trial import case_amounts
from tests.reference import plain_budget as plain

from .test_rules import one_month

JANUARY = Month(2026, 1)


def case(hospital: str = "A", **values: Any) -> dict[str, Any]:
    """A case of 120,000 yuan whose listed item is paid 65,000 on top, and its patient 20,000."""
    start = {"case_id": hospital, "hospital": hospital, "pool": "p", "case_class": "normal"}
    start |= {"discharge_date": pd.Timestamp(2026, 1, 9), "points": 800.0, "drg": "GB19"}
    amounts = {"total_cost": 120_000.0, "patient_paid": 20_000.0, "on_top_amount": 65_000.0}
    return start | amounts | values


def months_of(terms: Terms, cases: list[dict[str, Any]]) -> Any:
    return settle_month(pd.DataFrame(cases), terms, JANUARY)


def on_top(settled: Any, item: str = "on_top") -> int:
    return sum(r["amount_fen"] for r in records(settled.flows) if r["item"] == item)


def agree_with_the_plain_settlement(terms: Terms, cases: list[dict[str, Any]]) -> Any:
    january = months_of(terms, cases)
    year = settle_year(pd.DataFrame(cases), [january], terms, dict.fromkeys(terms.hospitals, 1))
    kappas = dict.fromkeys(terms.hospitals, Fraction(1))
    rows = [dict.fromkeys(("refused_amount",), 0) | {"violation": None} | row for row in cases]
    expected = plain.settle(terms, terms.pools[0], rows, kappas)
    for row in records(year.statement):
        one = expected[row["hospital"]]
        assert row["prepaid_fen"] == one["prepaid"]
        assert row["final_fen"] == one["final"]
        assert row["balance_fen"] == one["balance"]
    assert {r["item"]: r["amount_fen"] for r in records(year.reconciliation)}["unaccounted"] == 0
    return january, year


@pytest.mark.parametrize("basis", ["fund", "total_cost"])
@pytest.mark.parametrize("paid_from", ["budget", "reserve", "balance"])
def test_a_month_paid_by_claims_pays_a_listed_item_once(basis: Any, paid_from: str) -> None:
    pool = one_month(
        budget_fen=30_000_000,
        reserve_share=Fraction(1, 3),
        basis=basis,
        month_payment="claims",
        prepayment=Fraction(9, 10),
    )
    terms = Terms(
        2026,
        (pool,),
        on_top_from=paid_from,
        accounts={"balance": {"p": 6_500_000}},
        hospitals=("A", "B"),
    )
    cases = [case("A"), case("B", total_cost=50_000.0, patient_paid=0.0, on_top_amount=0.0)]
    january, year = agree_with_the_plain_settlement(terms, cases)
    # A claims 100,000 of the fund: 65,000 on top, so 35,000 by the month's claims.
    assert january.statement["entitlement_fen"].tolist() == [3_500_000, 5_000_000]
    assert january.statement["prepaid_fen"].tolist() == [3_150_000, 4_500_000]
    assert on_top(january) == on_top(year) == on_top(year, "on_top_paid") == 6_500_000
    assert "claims − money on top" in explain_payment("A", january, terms)


def test_what_its_account_does_not_reach_for_is_no_claim_either() -> None:
    pool = one_month(budget_fen=30_000_000, month_payment="claims")
    terms = Terms(
        2026,
        (pool,),
        on_top_from="balance",
        accounts={"balance": {"p": 1_000_000}},
        hospitals=("A",),
    )
    january, year = agree_with_the_plain_settlement(terms, [case()])
    assert january.statement["entitlement_fen"].tolist() == [3_500_000]
    assert on_top(january) == on_top(year) == 1_000_000


@pytest.mark.parametrize(
    ("basis", "points", "entitlement"),
    [
        # The claim of 100,000 less 65,000 on top limits 800 points × 64 yuan to 35,000.
        ("fund", 800.0, 3_500_000),
        ("fund", 500.0, 3_200_000),
        # min(64 · Q, 120,000 − 65,000) less the 20,000 that the patient bore.
        ("total_cost", 800.0, 3_120_000),
        ("total_cost", 900.0, 3_500_000),
    ],
)
def test_a_given_value_pays_at_most_what_the_list_leaves_of_the_claim(
    basis: Any, points: float, entitlement: int
) -> None:
    pool = PoolTerms("p", 0, basis=basis, value=Fraction(64))
    terms = Terms(2026, (pool,), on_top_from="budget", hospitals=("A",))
    january, year = agree_with_the_plain_settlement(terms, [case(points=points)])
    assert january.statement["entitlement_fen"].tolist() == [entitlement]
    assert entitlement + on_top(year) <= 10_000_000
    claimed = {r["item"]: r["amount_fen"] for r in records(year.reconciliation)}
    assert claimed["claimed from other regions"] == -(entitlement + 6_500_000)
    assert "claim − money on top" in explain_payment("A", year, terms, [january])


def test_an_item_that_is_known_after_the_closing_is_set_right_by_the_year_end() -> None:
    pool = PoolTerms("p", 0, value=Fraction(64))
    terms = Terms(2026, (pool,), on_top_from="budget")
    before = months_of(terms, [case(on_top_amount=0.0)])
    assert before.statement["prepaid_fen"].tolist() == [5_120_000]
    year = settle_year(pd.DataFrame([case()]), [before], terms, {"A": 1})
    assert year.statement["balance_fen"].tolist() == [3_500_000 - 5_120_000]
    assert on_top(year) == 6_500_000
    assert {r["item"]: r["amount_fen"] for r in records(year.reconciliation)}["unaccounted"] == 0


def test_a_case_paid_by_item_has_nothing_on_top() -> None:
    terms = Terms(2026, (one_month(),), on_top_from="reserve")
    with pytest.raises(CaseSchemaError, match=r"1 cases are outside the points, so paid by item"):
        months_of(terms, [case("B", on_top_amount=0.0), case(case_class="outside")])


def test_the_amounts_of_cases_are_split_as_they_were_paid() -> None:
    pool = PoolTerms("p", 0, value=Fraction(64))
    given = Terms(2026, (pool,), on_top_from="budget")
    cases = [case(), case("A", case_id="B", points=10.0, on_top_amount=0.0)]
    january = months_of(given, cases)
    found = case_amounts(pd.DataFrame(cases), january, given)
    assert found["amount_fen"].tolist() == [3_500_000, 64_000]
    with pytest.raises(BudgetError, match="not paid by their points alone"):
        case_amounts(pd.DataFrame(cases), january)
    claims = dataclasses.replace(
        given, pools=(one_month(budget_fen=30_000_000, month_payment="claims"),)
    )
    january = months_of(claims, cases)
    found = case_amounts(pd.DataFrame(cases), january, claims)
    assert found["amount_fen"].tolist() == [3_500_000, 10_000_000]


def test_the_deductions_of_cases_have_the_multiples_of_the_policy() -> None:
    terms = Terms(2026, (one_month(),), violation_multiples={"upcoding": Fraction(2)})
    cases = [case(refused_amount=10.0, violation="upcoding")]
    january = months_of(terms, cases)
    found = case_amounts(pd.DataFrame(cases), january, terms)
    assert found["deduction_fen"].tolist() == january.statement["refused_fen"].tolist() == [2_000]
