"""Single rules with numbers derived by hand, and input that cannot be settled."""

from __future__ import annotations

import dataclasses
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from drgcore.budget import (
    Adjustment,
    Month,
    Terms,
    close_month,
    settle_month,
    settle_year,
    tally,
)
from drgcore.budget.frames import records
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.quality import kappas_of
from drgcore.budget.terms import PoolTerms, Unit
from drgcore.errors import BudgetError, CaseSchemaError, PolicyError
from drgcore.points import Policy
from drgcore.points.payment_rules import ByClass, Marginal
from tests.points.regions import small

from .regions import Steps

JANUARY = (Fraction(1),) + (Fraction(0),) * 11


def one_month(**pool: Any) -> PoolTerms:
    return PoolTerms(**{"pool": "p", "budget_fen": 100_000, "shares": JANUARY} | pool)


def cases_of(points: dict[str, float], **columns: Any) -> pd.DataFrame:
    """One January case for each hospital."""
    frame = pd.DataFrame(
        {
            "case_id": [f"c{i}" for i in range(len(points))],
            "hospital": list(points),
            "pool": "p",
            "discharge_date": pd.Timestamp("2026-01-15"),
            "case_class": "normal",
            "points": list(points.values()),
        }
    )
    return frame.assign(**columns)


def settle(terms: Terms, cases: pd.DataFrame, kappas: Any = None, **more: Any) -> Any:
    january = settle_month(cases, terms, Month(2026, 1))
    return settle_year(cases, [january], terms, kappas, **more)


def column(settled: Any, name: str) -> list[Any]:
    return [row[name] for row in records(settled.statement)]


def test_a_ceiling_leaves_the_rest_to_the_reserve() -> None:
    # 1,000 yuan / 100 points = 10; last year 8, ceiling 1.1: 8.8, so 880 are paid and 120 left.
    pool = one_month(last_value=Fraction(8), ceiling=Fraction(11, 10))
    terms = Terms(2026, (pool,))
    january = settle_month(cases_of({"A": 60.0, "B": 40.0}), terms, Month(2026, 1))
    assert january.value("p").yuan == Fraction(88, 10)
    assert column(january, "prepaid_fen") == [52_800, 35_200]
    assert january.reserve_closing("p") == 12_000


def test_a_floor_is_paid_by_the_reserve_as_far_as_it_reaches() -> None:
    # 1,000 − 5 % = 950 / 100 points = 9.5; last year 10.8, floor 0.9: 9.72, so 22 of the reserve.
    pool = one_month(
        reserve_share=Fraction(5, 100), last_value=Fraction(108, 10), floor=Fraction(9, 10)
    )
    terms = Terms(2026, (pool,))
    january = settle_month(cases_of({"A": 60.0, "B": 40.0}), terms, Month(2026, 1))
    assert january.value("p").yuan == Fraction(972, 100)
    assert january.reserve_closing("p") == 5_000 - 2_200
    # Last year 20: 18 · 100 = 1,800 are asked for, and the reserve of 50 gives what it has.
    pool = dataclasses.replace(pool, last_value=Fraction(20))
    january = settle_month(cases_of({"A": 100.0}), Terms(2026, (pool,)), Month(2026, 1))
    value = january.value("p")
    assert (value.from_reserve_fen, value.unmet_fen) == (5_000, 180_000 - 100_000)
    assert january.reserve_closing("p") == 0


def test_what_a_cap_leaves_of_the_pool_returns_to_the_reserve() -> None:
    # θ = 0.9: 100 yuan are held, 50 from each. κ 1.5 and 0.5 would give 75 and 25; the cap of 1.2
    # times what was held gives 60 and 25, and 15 return.
    terms = Terms(
        2026,
        (one_month(prepayment=Fraction(9, 10)),),
        pool_rule="cap",
        pool_cap=Fraction(12, 10),
    )
    year = settle(terms, cases_of({"A": 50.0, "B": 50.0}), {"A": "1.5", "B": "0.5"})
    assert column(year, "pool_share_fen") == [6_000, 2_500]
    assert year.reserve_closing("p") == 1_500


def test_a_pool_that_nobody_may_share_stays_where_it_is() -> None:
    terms = Terms(2026, (one_month(prepayment=Fraction(9, 10)),))
    year = settle(terms, cases_of({"A": 50.0, "B": 50.0}), {"A": 0, "B": 0})
    account = {row["item"]: row["amount_fen"] for row in records(year.reconciliation)}
    assert account["incentive pool, not shared out"] == 10_000
    assert account["unaccounted"] == 0


def test_a_capitated_unit_keeps_what_its_insured_do_not_use() -> None:
    # v = 1,000 / 100 = 10. The county's insured used 30 points, in A and outside: 300 of its 400.
    # Of the 100 left it keeps half (K / V = 1.33), out of the reserve of 200.
    pool = one_month(budget_fen=120_000, reserve_share=Fraction(1, 6))
    unit = Unit("county", ("A",), {"p": 40_000})
    terms = Terms(2026, (pool,), units=(unit,), surplus=Steps((0, 1.0), (1.2, 0.5)))
    cases = cases_of({"A": 20.0, "B": 10.0, "C": 70.0})
    cases = cases.assign(capitation_unit=["county", "county", None], total_cost=0.0)
    year = settle(terms, cases.assign(patient_paid=0.0), {})
    units = {row["unit"]: row for row in records(year.units)}
    assert (units["county"]["charged_fen"], units["county"]["transfer_fen"]) == (30_000, 5_000)
    assert column(year, "final_fen") == [25_000, 10_000, 70_000]
    assert year.reserve_closing("p") == 20_000 - 5_000


def test_a_capitated_unit_bears_what_is_missing() -> None:
    # Used 300 of 240: 60 are missing, K / V = 0.8, of which the reserve bears 60 %.
    unit = Unit("county", ("A",), {"p": 24_000})
    terms = Terms(2026, (one_month(),), units=(unit,), deficit=Steps((0, 0.0), (0.8, 0.6)))
    cases = cases_of({"A": 30.0, "B": 70.0}, capitation_unit=["county", None])
    year = settle(terms, cases.assign(total_cost=0.0, patient_paid=0.0), {})
    assert column(year, "final_fen") == [30_000 - 2_400, 70_000]
    assert year.reserve_closing("p") == 2_400


def test_members_of_a_unit_stand_in_for_each_other() -> None:
    # A: 10 points are 100, but 250 were refused: −150 in January, which is carried. As a unit with
    # B, of 900, the year pays 750.
    cases = cases_of({"A": 10.0, "B": 90.0}, refused_amount=[250.0, 0.0])
    alone = settle(Terms(2026, (one_month(),)), cases)
    assert column(alone, "final_fen") == [0, 90_000]
    assert column(alone, "carried_out_fen") == [-15_000, 0]
    together = settle(Terms(2026, (one_month(),), units=(Unit("u", ("A", "B")),)), cases)
    assert column(together, "final_fen") == [-15_000, 90_000]
    assert records(together.units)[0]["final_fen"] == 75_000
    # What stays below zero opens next January.
    terms = Terms(2027, (one_month(),))
    later = cases.assign(discharge_date=pd.Timestamp("2027-01-05"), refused_amount=0.0)
    january = settle_month(later, terms, Month(2027, 1), alone)
    assert column(january, "carried_in_fen") == [-15_000, 0]
    assert column(january, "prepaid_fen") == [0, 90_000]


def test_money_decided_later_comes_from_the_reserve() -> None:
    terms = Terms(2026, (one_month(reserve_share=Fraction(1, 10)),))
    award = Adjustment(Month(2026, 1), "p", "A", "award", 0, 2_500, "appeal 3")
    year = settle(terms, cases_of({"A": 1.0, "B": 1.0}), adjustments=[award])
    assert column(year, "final_fen") == [47_500, 45_000]
    assert year.reserve_closing("p") == 7_500
    with pytest.raises(BudgetError, match="more than the reserve holds"):
        settle(
            terms,
            cases_of({"A": 1.0}),
            adjustments=[dataclasses.replace(award, amount_fen=10_001)],
        )


def test_without_the_cases_of_the_closing_a_difference_is_only_a_change() -> None:
    terms = Terms(2026, (one_month(),))
    cases = cases_of({"A": 50.0, "B": 50.0})
    january = settle_month(cases, terms, Month(2026, 1))
    late = pd.concat([cases, cases_of({"A": 25.0}).assign(case_id="late")])
    for closed, kind in ((january, "changed"), (close_month(january, cases, terms), "late")):
        year = settle_year(late, [closed], terms)
        found = [r for r in records(year.adjustments) if r["kind"] != "value"]
        assert [(r["kind"], r["cases"], r["points"]) for r in found] == [(kind, 1, 250_000)]
        # 75 of 125 points: 600; 50 of 125: 400.
        assert column(year, "final_fen") == [60_000, 40_000]


def test_a_case_that_moves_is_withdrawn_here_and_late_there() -> None:
    terms = Terms(2026, (one_month(),))
    cases = cases_of({"A": 50.0, "B": 50.0})
    closed = close_month(settle_month(cases, terms, Month(2026, 1)), cases, terms)
    year = settle_year(cases.assign(hospital=["A", "A"]), [closed], terms)
    found = {(r["hospital"], r["kind"]): r["points"] for r in records(year.adjustments)}
    assert found["A", "late"] == 500_000
    assert found["B", "withdrawn"] == -500_000


def test_a_settlement_is_closed_with_its_own_cases_only() -> None:
    terms = Terms(2026, (one_month(),))
    cases = cases_of({"A": 50.0, "B": 50.0})
    january = settle_month(cases, terms, Month(2026, 1))
    with pytest.raises(BudgetError, match="made from other cases"):
        close_month(january, cases.assign(points=[50.0, 51.0]), terms)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"case_id": "c0"}, "1 case ids occur more than once: c0"),
        ({"case_id": ["c0", None]}, "a case has no id"),
        ({"discharge_date": pd.Timestamp("2025-12-31")}, "2 cases were discharged outside 2026"),
        ({"discharge_date": [pd.Timestamp("2026-01-01"), pd.NaT]}, "1 cases have no date"),
        ({"discharge_date": "soon"}, "holds no date"),
        ({"hospital": ["A", None]}, "1 cases have no hospital: c1"),
        ({"pool": "q"}, "no budget for the pool q"),
        ({"points": [np.nan, 1.0]}, "1 values are missing or not finite"),
        ({"points": [-1.0, 1.0]}, "1 cases have negative points: c0"),
        ({"points": [0.00001, 1.0]}, "more than the policy's 4 decimals"),
        ({"refused_amount": [0.0, -5.0]}, "1 cases have negative refused_amount: c1"),
        ({"violation": ["", "theft"]}, "no multiple for the violation theft"),
    ],
)
def test_cases_that_cannot_be_settled(change: dict[str, Any], message: str) -> None:
    cases = cases_of({"A": 1.0, "B": 2.0}).assign(**change)
    with pytest.raises(CaseSchemaError, match=message):
        tally(cases, Terms(2026, (one_month(),)))


def test_a_needed_column_is_asked_for() -> None:
    terms = Terms(2026, (one_month(basis="total_cost"),))
    with pytest.raises(CaseSchemaError, match="no column patient_paid"):
        tally(cases_of({"A": 1.0}), terms)


def test_zero_points_name_pool_and_month() -> None:
    terms = Terms(2026, (one_month(),))
    with pytest.raises(BudgetError, match=r"p 2026-01: pool p has 100000 fen .* zero points"):
        settle_month(cases_of({"A": 0.0}), terms, Month(2026, 1))
    with pytest.raises(BudgetError, match="zero points"):
        settle_month(cases_of({"A": 0.0})[:0], terms, Month(2026, 1))
    # A month without budget and without cases is a month of zeros.
    terms = Terms(2026, (one_month(budget_fen=0),), hospitals=("A",))
    empty = settle_month(cases_of({"A": 0.0})[:0], terms, Month(2026, 2))
    assert column(empty, "prepaid_fen") == [0]


def test_months_are_settled_in_order_and_each_is_needed() -> None:
    halves = (Fraction(1, 2), Fraction(1, 2)) + (Fraction(0),) * 10
    terms = Terms(2026, (one_month(shares=halves),))
    cases = cases_of({"A": 1.0, "B": 1.0})
    cases.loc[1, "discharge_date"] = pd.Timestamp("2026-02-10")
    january = settle_month(cases, terms, Month(2026, 1))
    assert january.other_cases == 1
    assert january.hospitals() == {"A", "B"}
    with pytest.raises(BudgetError, match="settlement of 2026-01 is needed"):
        settle_month(cases, terms, Month(2026, 2))
    with pytest.raises(BudgetError, match="is followed by 2026-02"):
        settle_month(cases, terms, Month(2026, 3), january)
    with pytest.raises(BudgetError, match="not closed: 2026-02"):
        settle_year(cases, [january], terms)
    with pytest.raises(BudgetError, match="each once"):
        settle_year(cases, [january, january], terms)
    with pytest.raises(BudgetError, match="each once"):
        settle_year(cases, [], terms)


def test_payment_by_item_cannot_exceed_the_budget() -> None:
    terms = Terms(2026, (one_month(),), outside_from_budget=True)
    cases = cases_of({"A": 0.0, "B": 1.0}, case_class=["outside", "normal"])
    with pytest.raises(BudgetError, match="payments by item exceed the budget by 50 fen"):
        settle_month(
            cases.assign(total_cost=[1000.5, 1.0], patient_paid=0.0), terms, Month(2026, 1)
        )


def test_a_hospital_without_kappa_is_named() -> None:
    terms = Terms(2026, (one_month(prepayment=Fraction(9, 10)),))
    with pytest.raises(BudgetError, match=r"1 hospitals .* no encouragement coefficient: B"):
        settle(terms, cases_of({"A": 1.0, "B": 1.0}), {"A": 1})


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        (pd.DataFrame({"hospital": ["A"]}), "no column kappa"),
        (pd.DataFrame({"hospital": ["A", "A"], "kappa": [1, 1]}), "A stands twice"),
        (pd.DataFrame({"hospital": ["A"], "kappa": [None]}), "a value of A is missing"),
        ({"A": -1}, "κ of A is negative"),
    ],
)
def test_kappas_that_cannot_be(quality: Any, message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        kappas_of(Terms(2026, (one_month(),)), quality, 2026)


def test_scores_become_kappas_by_the_policys_bands() -> None:
    # 0.3 · 90 + 0.3 · 80 + 0.4 · 97.5 = 90: in the band up to 90, 1. With 98 it is 90.2: 1.1.
    names = ["record quality", "readmission", "patient burden"]
    scores = pd.DataFrame([["A", 90, 80, 97.5], ["B", 90, 80, 98]], columns=["hospital", *names])
    found = kappas_of(Policy.load("example"), scores, 2027)
    assert found == {"A": Fraction(1), "B": Fraction(11, 10)}


def test_terms_are_what_the_file_says_to_the_last_digit() -> None:
    terms = terms_of(Policy.load("example"), 2027)
    employee = terms.pool("employee")
    assert employee.budget_fen == 15_000_000_000
    assert employee.reserve_share == Fraction(5, 100)
    assert sum(employee.shares) == 1
    assert sum(employee.month_budgets) + employee.reserve_fen == employee.budget_fen
    with pytest.raises(BudgetError, match="terms are those of 2027"):
        terms_of(terms, 2028)
    with pytest.raises(PolicyError, match="not on 2028-12-31"):
        terms_of(Policy.load("example"), 2028)


@pytest.mark.parametrize(
    "change",
    [
        {"budget_fen": -1},
        {"shares": (Fraction(1, 2),) * 12},
        {"reserve_share": Fraction(2)},
        {"ceiling": Fraction(1)},
        {"last_value": Fraction(1), "floor": Fraction(2), "ceiling": Fraction(1)},
    ],
)
def test_terms_that_contradict_themselves(change: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        one_month(**change)


def test_any_frame_with_arrow_goes_in() -> None:
    cases = cases_of({"A": 50.0, "B": 50.0})
    terms = Terms(2026, (one_month(),))
    table = pa.Table.from_pandas(cases)
    coded = table.set_column(1, "hospital", table["hospital"].dictionary_encode())
    expected = settle_month(cases, terms, Month(2026, 1)).statement
    for one in (table, coded, table.to_reader()):
        pd.testing.assert_frame_equal(settle_month(one, terms, Month(2026, 1)).statement, expected)


def _amended(*amendments: dict[str, Any], **change: Any) -> Policy:
    return small({"amendments": list(amendments)} | change)


def test_an_amendment_never_acts_on_a_month_before_its_day() -> None:
    pools = {"resident": {"budget": "1000000"}}
    policy = _amended(
        {"from": date(2026, 7, 1), "budget": {"prepayment": "0.90"}},
        budget={"prepayment": "0.85", "reserve_share": 0, "months": ["0.1"] * 8 + ["0.05"] * 4}
        | {"pools": pools | {"employee": {"budget": "0"}}},
    )
    rows = [
        {"case_id": f"c{month}", "hospital": "A", "pool": "resident", "case_class": "normal"}
        | {"discharge_date": date(2026, month, 9), "points": 100.0}
        for month in range(1, 13)
    ]
    months = settle_all(pd.DataFrame(rows), policy)
    paid = [m.statement.set_index("pool").at["resident", "prepaid_fen"] for m in months]
    assert paid[:8] == [8_500_000] * 6 + [9_000_000] * 2
    # From the middle of a month on: the month's first day decides.
    later = _amended({"from": date(2026, 7, 2), "budget": {"prepayment": "0.90"}})
    terms = terms_of(later, 2026).pool("resident")
    assert terms.in_month(7).prepayment == Fraction(95, 100)
    assert terms.in_month(8).prepayment == terms.prepayment == Fraction(9, 10)


def test_a_changed_budget_spreads_the_rest_over_the_remaining_months() -> None:
    # 950,000 a year until June: 76,000 a month, 456,000; then 1,140,000, of which 684,000 are left
    # for 6 months with shares 0.08 · 5 + 0.12 = 0.52: 105,230.77 and 157,846.15.
    change = {"budget": {"pools": {"employee": {"budget": "1200000"}}}}
    policy = _amended({"from": date(2026, 7, 1)} | change)
    before, after = terms_of(small(), 2026), terms_of(policy, 2026)
    now = after.pool("employee")
    budgets = now.month_budgets
    assert budgets[:6] == before.pool("employee").month_budgets[:6] == [7_600_000] * 6
    assert budgets[6:] == [10_523_077] * 5 + [15_784_615]
    assert sum(budgets) + now.reserve_fen == 120_000_000
    assert [now.set_aside_in(month) for month in (1, 6, 7, 8)] == [0, 0, 1_000_000, 0]
    assert after.pool("resident") == before.pool("resident")
    # The other way round the months before may have had more than the whole.
    low = {"budget": {"pools": {"employee": {"budget": "400000"}}}}
    pool = terms_of(_amended({"from": date(2026, 7, 1)} | low), 2026).pool("employee")
    with pytest.raises(PolicyError, match="months before have 7600000 fen more"):
        _ = pool.month_budgets


def settle_all(cases: pd.DataFrame, policy: Any) -> list[Any]:
    sums, months = tally(cases, terms_of(policy, 2026)), []
    for month in Month.of_year(2026):
        months.append(settle_month(sums, policy, month, months[-1] if months else None))
    return months


def test_the_reserve_of_a_changed_budget_is_set_aside_in_its_month() -> None:
    change = {"budget": {"pools": {"employee": {"budget": "1200000"}}}}
    policy = _amended({"from": date(2026, 7, 1)} | change)
    rows = [
        {"case_id": f"{pool}{month}", "hospital": "A", "pool": pool, "case_class": "normal"}
        | {"discharge_date": date(2026, month, 9), "points": 100.0}
        for month in range(1, 13)
        for pool in ("employee", "resident")
    ]
    cases = pd.DataFrame(rows)
    months = settle_all(cases, policy)
    closing = [m.reserve_closing("employee") for m in months]
    assert closing == [5_000_000] * 6 + [6_000_000] * 6
    year = settle_year(cases, months, policy, {"A": 1})
    account = {(r["pool"], r["item"]): r["amount_fen"] for r in records(year.reconciliation)}
    assert account["employee", "budget of the year"] == 120_000_000
    assert account["employee", "unaccounted"] == 0


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"sharing": {"surplus": [{"value": "0.5"}]}}, "sharing"),
        ({"incentive_pool": {"rule": "cap", "cap": 1}}, "incentive_pool"),
        ({"quality": {"hospitals": {"A": 1}}}, "quality"),
        ({"outside": {"paid_from": "budget"}}, "outside"),
        ({"rounding": {"points": 2}}, "rounding.points"),
        ({"violations": {"amount": {"splitting": 3}}}, "violations.amount"),
        ({"units": [{"name": "u", "hospitals": ["A"]}]}, "units"),
        ({"budget": {"basis": "total_cost"}}, "budget.pools.employee.basis"),
        ({"budget": {"pools": {"new": {"budget": "5"}}}}, "budget.pools"),
    ],
)
def test_what_the_year_end_needs_cannot_change_within_a_year(
    change: dict[str, Any], path: str
) -> None:
    with pytest.raises(PolicyError, match=rf"amendments\.1 \(2026-07-01\)\.{path}.*within a year"):
        _amended({"from": date(2026, 7, 1)} | change)
    _amended({"from": date(2027, 1, 1)} | change)


@pytest.mark.parametrize(
    "surplus",
    [
        Steps((0, 1.0), (1.1, 0.0)),
        Marginal(rule="marginal", of="entitlement", bands=0),
        ByClass(rule="by_class", classes={}, otherwise=0),
    ],
)
def test_a_hospital_without_cost_by_item_has_no_surplus_to_share(surplus: Any) -> None:
    terms = Terms(2026, (one_month(),), surplus=surplus)
    cases = cases_of({"A": 50.0, "B": 50.0}, total_cost=[80.0, 80.0], patient_paid=[80.0, 0.0])
    year = settle(terms, cases)
    assert column(year, "item_cost_fen") == [0, 8_000]
    returned = column(year, "surplus_returned_fen")
    assert (returned[0], returned[1] > 0) == (0, True)
    assert year.units["ratio"].tolist()[0] == ""
