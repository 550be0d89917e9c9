"""Published formulas on small numbers, computed by hand: what a hospital is paid, to the fen."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from drgcore.budget import Adjustment, Ledger, Month, Terms, close_month, settle_month, settle_year
from drgcore.budget.frames import records
from drgcore.budget.incentive import return_quality_money
from drgcore.budget.on_top import on_top_amounts
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.pool_terms import FundShare
from drgcore.budget.quality import assess
from drgcore.budget.risk import deficit_share, surplus_share
from drgcore.budget.terms import QualityTerms
from drgcore.errors import BudgetError, PolicyError
from drgcore.points import Policy, policy_sentences
from drgcore.points.payment_rules import ByClass, Marginal
from drgcore.points.policy import build
from drgcore.points.policy_file import merge
from tests.points.regions import SMALL, small

from .test_rules import cases_of, column, one_month, settle

FIRST_TENTH = [{"up_to": "0.1", "value": "0.6"}, {"value": 0}]
KEPT = [{"up_to": "0.1", "value": 1}, {"up_to": "0.3", "value": "0.6"}, {"value": 0}]


def amounts(settled: Any, item: str) -> dict[str, int]:
    return {r["hospital"]: r["amount_fen"] for r in records(settled.flows) if r["item"] == item}


def account(settled: Any) -> dict[str, int]:
    return {r["item"]: r["amount_fen"] for r in records(settled.reconciliation)}


def test_quality_money_is_returned_by_the_hospitals_own_result() -> None:
    # θ 0.9 of 15,000, 10,000 and 5,000: held 1,500.00, 1,000.00, 500.00; results 1, 0.9, 0.5.
    terms = Terms(
        2026,
        (one_month(budget_fen=3_000_000, prepayment=Fraction(9, 10)),),
        quality_money=QualityTerms(),
    )
    table = pd.DataFrame({"hospital": list("ABC"), "kappa": 1, "result": ["1", "0.9", "0.5"]})
    year = settle(terms, cases_of({"A": 150.0, "B": 100.0, "C": 50.0}), table)
    assert column(year, "held_fen") == [150_000, 100_000, 50_000]
    assert amounts(year, "quality_money_returned") == {"A": 150_000, "B": 90_000, "C": 25_000}
    assert column(year, "pool_share_fen") == [150_000, 90_000, 25_000]
    assert year.reserve_closing("p") == 35_000
    assert account(year)["unaccounted"] == 0
    # Shared instead by κ·E among those with ρ = 1: A alone.
    shared = dataclasses.replace(terms, quality_money=QualityTerms(rest="shared"))
    year = settle(shared, cases_of({"A": 150.0, "B": 100.0, "C": 50.0}), table)
    assert column(year, "pool_share_fen") == [185_000, 90_000, 25_000]
    assert year.reserve_closing("p") == 0


def test_quality_money_stands_beside_the_shared_pool() -> None:
    # 3 of the 10 % held back are quality money; the other 7 are shared by κ·E.
    terms = Terms(
        2026,
        (one_month(prepayment=Fraction(9, 10)),),
        quality_money=QualityTerms(Fraction(3, 100)),
    )
    table = pd.DataFrame({"hospital": list("AB"), "kappa": ["1.5", "0.5"], "result": ["1", "0.5"]})
    year = settle(terms, cases_of({"A": 50.0, "B": 50.0}), table)
    # Held 5,000 each: 1,500 quality money, 3,500 pool; pool 7,000 → 5,250 and 1,750.
    assert column(year, "pool_share_fen") == [5_250 + 1_500, 1_750 + 750]
    assert year.reserve_closing("p") == 750


def test_a_result_that_is_missing_is_asked_for() -> None:
    terms = Terms(2026, (one_month(),), quality_money=QualityTerms())
    with pytest.raises(BudgetError, match="1 hospitals with quality money have no result: a"):
        return_quality_money(terms, "p", {"a": 5}, {"a": 1}, {}, {})


def test_marginal_bands_of_a_deficit() -> None:
    rule = Marginal(rule="marginal", of="entitlement", bands=FIRST_TENTH)
    assert deficit_share(rule, 6_000_000, 7_800_000) * 1_800_000 == 360_000
    pool = one_month(budget_fen=12_000_000, reserve_share=Fraction(1, 2))
    cases = cases_of({"A": 100.0}, total_cost=[78_000.0], patient_paid=[0.0])
    year = settle(Terms(2026, (pool,), deficit=rule), cases)
    assert column(year, "entitlement_fen") == [6_000_000]
    assert column(year, "deficit_borne_fen") == [360_000]
    assert column(year, "final_fen") == [6_360_000]
    # A cap of 2 % of the budget of 120,000: 2,400.
    capped = Marginal(rule="marginal", of="entitlement", bands=FIRST_TENTH, cap="0.02")
    year = settle(Terms(2026, (pool,), deficit=capped), cases)
    assert column(year, "deficit_borne_fen") == [240_000]


def test_marginal_bands_of_a_surplus_do_not_fall() -> None:
    rule = Marginal(rule="marginal", of="cost", bands=KEPT)
    for cost, kept in ((5_454_545, 545_455), (5_405_405, 572_973)):
        cases = cases_of({"A": 100.0}, total_cost=[cost / 100], patient_paid=[0.0])
        year = settle(Terms(2026, (one_month(budget_fen=6_000_000),), surplus=rule), cases)
        assert column(year, "final_fen") == [cost + kept]
        assert year.reserve_closing("p") == 6_000_000 - cost - kept
    # The whole-amount rule falls to 3,567.57 in the second: 60 % of 5,945.95.
    bands = Policy.load("example").sharing.surplus
    assert round(surplus_share(bands, 6_000_000, 5_405_405, {}) * 594_595) == 356_757


def test_a_surplus_is_kept_by_case_class() -> None:
    # v = 10: normal 60 points 600 for cost 400, low 40 points 400 for cost 300: surplus 300, of
    # which 200 are of normal cases (all kept) and 100 of low-cost ones (half kept).
    rule = ByClass(rule="by_class", classes={"normal": 1, "low_cost": "0.5"}, otherwise=0)
    cases = cases_of({"A": 60.0, "B": 0.0}).assign(
        hospital="A", points=[60.0, 40.0], case_class=["normal", "low_cost"]
    )
    cases = cases.assign(total_cost=[400.0, 300.0], patient_paid=0.0)
    year = settle(Terms(2026, (one_month(),), surplus=rule), cases)
    assert column(year, "surplus_returned_fen") == [5_000]
    own = {r["account"]: r["amount_fen"] for r in records(year.flows)}
    assert own == {"normal": 20_000, "low_cost": 10_000}
    assert column(year, "final_fen") == [95_000]


def test_months_at_a_given_value_and_the_year_floats() -> None:
    # 174,098 points at 64 yuan are 11,142,272.00; the year has 10,000,000.
    pool = one_month(
        budget_fen=1_000_000_000, month_payment="given_value", month_value=Fraction(64)
    )
    cases = cases_of({"A": 174_098.0})
    terms = Terms(2026, (pool,))
    january = settle_month(cases, terms, Month(2026, 1))
    assert column(january, "prepaid_fen") == [1_114_227_200]
    year = settle_year(cases, [january], terms)
    assert column(year, "final_fen") == [1_000_000_000]
    assert column(year, "balance_fen") == [-114_227_200]
    assert account(year)["unaccounted"] == 0


def test_a_share_of_the_claims_is_prepaid() -> None:
    pool = one_month(month_payment="claims", prepayment=Fraction(9, 10))
    cases = cases_of({"A": 60.0, "B": 40.0}, total_cost=[500.0, 800.0], patient_paid=[100.0, 0.0])
    terms = Terms(2026, (pool,))
    january = settle_month(cases, terms, Month(2026, 1))
    assert column(january, "prepaid_fen") == [36_000, 72_000]
    assert column(january, "held_fen") == [4_000, 8_000]
    year = settle_year(cases, [january], terms, {"A": 1, "B": 1})
    # 600 and 400, less what was held back; the pool of 120 by κ·E: 72 and 48.
    assert column(year, "final_fen") == [60_000 - 4_000 + 7_200, 40_000 - 8_000 + 4_800]


def test_an_advance_is_set_off_at_the_clearing() -> None:
    pool = one_month(prepayment=Fraction(1, 2), advances_fen={"A": 20_000})
    terms = Terms(2026, (pool,))
    year = settle(terms, cases_of({"A": 60.0, "B": 40.0}), {"A": 1, "B": 1})
    assert column(year, "final_fen") == [60_000, 40_000]
    assert column(year, "balance_fen") == [30_000 - 20_000, 20_000]
    places = account(year)
    assert places["advance at the start of the year"] == 20_000
    assert places["balance paid at the year end"] == 30_000
    with pytest.raises(PolicyError, match="advances are larger than the year's budget"):
        one_month(advances_fen={"A": 100_001})


def test_an_advance_is_recovered_from_a_hospital_without_a_case() -> None:
    terms = Terms(2026, (one_month(advances_fen={"Q": 20_000}),))
    year = settle(terms, cases_of({"A": 1.0}))
    rows = {r["hospital"]: r["balance_fen"] for r in records(year.statement)}
    assert rows["Q"] == -20_000
    assert account(year)["balance paid at the year end"] == sum(rows.values())


def test_sharing_with_the_fund_before_the_value_is_formed() -> None:
    # A 950, F 1,150: the hospitals bear 40 % of 200, so A' = 1,150 − 80 = 1,070; the reserve of 50
    # can give 50 of the 120, an account of 500 all.
    cases = cases_of({"A": 100.0}, total_cost=[1_150.0], patient_paid=[0.0])
    for paid_from, divided, reserve in (("reserve", 100_000, 0), ("balance", 107_000, 5_000)):
        rule = FundShare(Fraction(1, 2), Fraction(4, 10), paid_from)
        pool = one_month(reserve_share=Fraction(5, 100), fund_sharing=rule)
        terms = Terms(2026, (pool,), accounts={"balance": {"p": 50_000}})
        year = settle(terms, cases)
        assert column(year, "entitlement_fen") == [divided]
        assert year.reserve_closing("p") == reserve
        assert account(year)["unaccounted"] == 0
    # F 750: of the surplus of 200 half is kept: A' = 850 and 100 go to the reserve.
    year = settle(terms, cases.assign(total_cost=750.0))
    assert column(year, "entitlement_fen") == [85_000]
    assert year.reserve_closing("p") == 15_000


def test_cases_of_other_regions_have_a_given_value_and_no_budget() -> None:
    pool = dataclasses.replace(one_month(budget_fen=0), value=Fraction(64))
    cases = cases_of({"A": 10.0, "B": 10.0}, total_cost=[700.0, 500.0], patient_paid=[0.0, 50.0])
    terms = Terms(2026, (pool,))
    year = settle(terms, cases)
    assert column(year, "final_fen") == [64_000, 45_000]
    assert account(year)["claimed from other regions"] == -109_000
    assert account(year)["unaccounted"] == 0


def test_money_on_top_of_points() -> None:
    rules = {
        "paid_from": "budget",
        "means": {"material": {"GB19": "15000"}},
        "lists": [
            {"name": "2026", "items": ["X1"], "valid_from": date(2026, 1, 1), "kind": "material"}
            | {"valid_to": date(2026, 6, 30), "above_multiple": 2, "above_share": "0.64"}
        ],
    }
    groups = {"base_points": {"groups": {"GB19": {"mean_cost": "50000"}}}}
    policy = small({"on_top": rules} | groups)
    case = {
        "case_id": ["1", "2", "3"],
        "discharge_date": [date(2026, 3, 1)] * 2 + [date(2026, 7, 1)],
    }
    case |= {"drg": ["GB19"] * 3, "case_class": ["high_cost"] * 3}
    case |= {"total_cost": ["120000", "125000", "120000"]}
    used = pd.DataFrame({"case_id": ["1", "2", "3"], "item": "X1", "cost": ["80000"] * 3})
    found = on_top_amounts(pd.DataFrame(case), used, policy)
    assert found["amount"].tolist() == ["65000.00", "0.00", "0.00"]
    assert found["reason"].tolist()[1:] == ["x/C is not above 0.64", "no list in force has it"]
    # C > a·m is strict as well.
    at_limit = pd.DataFrame(case | {"total_cost": ["100000"] * 3})
    assert on_top_amounts(at_limit, used, policy)["reason"][0] == "C is not above 2·m"


@pytest.mark.parametrize("source", ["budget", "reserve", "balance"])
def test_money_on_top_is_paid_from_its_account(source: str) -> None:
    pool = one_month(budget_fen=100_000, reserve_share=Fraction(1, 10))
    terms = Terms(2026, (pool,), on_top_from=source, accounts={"balance": {"p": 3_000}})
    cases = cases_of({"A": 50.0, "B": 50.0}, on_top_amount=[50.0, 0.0])
    year = settle(terms, cases)
    divided = {"budget": 85_000, "reserve": 90_000, "balance": 90_000}[source]
    assert sum(column(year, "final_fen")) == divided
    # The account of 30 yuan cannot pay 50.
    assert amounts(year, "on_top") == {"A": 3_000 if source == "balance" else 5_000}
    assert year.reserve_closing("p") == (5_000 if source == "reserve" else 10_000)
    assert account(year)["unaccounted"] == 0


def test_kappa_is_linear_in_the_score_with_bonus_scores_and_bonus_points() -> None:
    quality = {
        "rule": "linear",
        "indicators": [{"name": "records", "weight": 1}],
        "bonus": ["extra"],
        "full_score": 90,
        "per_point": "0.02",
        "bonus_points": [
            {"up_to": 80, "value": "-0.01"},
            {"up_to": 90, "value": 0},
            {"value": "0.02"},
        ],
    }
    policy = small({"quality": quality})
    scores = pd.DataFrame(
        {"hospital": ["A", "B", "C"], "records": ["80", "93", "70"], "extra": ["5", "0", "0"]}
    )
    found = assess(policy, scores, 2026)
    assert found.kappas == {"A": Fraction(9, 10), "B": 1, "C": Fraction(6, 10)}
    assert found.bonus == {"A": 0, "B": Fraction(2, 100), "C": Fraction(-1, 100)}
    rows = [
        {"case_id": f"{h}{pool}{m}", "hospital": h, "pool": pool, "case_class": "normal"}
        | {"discharge_date": date(2026, m, 9), "points": 100.0}
        for m in range(1, 13)
        for pool in ("employee", "resident")
        for h in "ABC"
    ]
    cases, months = pd.DataFrame(rows), []
    for month in Month.of_year(2026):
        months.append(settle_month(cases, policy, month, months[-1] if months else None))
    year = settle_year(cases, months, policy, scores)
    table = year.statement.set_index(["pool", "hospital"])["points"]
    assert [table["employee", h] for h in "ABC"] == [12_000_000, 12_240_000, 11_880_000]


def test_a_month_is_that_of_the_settlement_where_the_policy_says_so() -> None:
    terms = Terms(2026, (one_month(),), date_column="settlement_date")
    cases = cases_of({"A": 1.0, "B": 1.0}).assign(
        discharge_date=pd.Timestamp("2025-12-30"), settlement_date=pd.Timestamp("2026-01-04")
    )
    assert column(settle_month(cases, terms, Month(2026, 1)), "cases") == [1, 1]


def test_a_decision_that_its_account_cannot_pay_is_refused_at_once() -> None:
    policy = small({"accounts": {"balance": {"employee": "100.00"}}})
    rows = [
        {"case_id": pool, "hospital": "A", "pool": pool, "case_class": "normal"}
        | {"discharge_date": date(2026, 1, 9), "points": 100.0}
        for pool in ("employee", "resident")
    ]
    cases = pd.DataFrame(rows)
    january = settle_month(cases, policy, Month(2026, 1))
    award = Adjustment(Month(2026, 1), "employee", "A", "award", 0, 5_000_001, "appeal")
    with Ledger.open(":memory:") as ledger:
        ledger.close_month(close_month(january, cases, policy))
        with pytest.raises(BudgetError, match=r"reserve of pool employee holds 50,000.00 yuan"):
            ledger.adjust(award)
        ledger.adjust(dataclasses.replace(award, amount_fen=4_000_000))
        with pytest.raises(BudgetError, match=r"holds 10,000.00 yuan and cannot pay 10,000.01"):
            ledger.adjust(dataclasses.replace(award, amount_fen=1_000_001))
        with pytest.raises(BudgetError, match="has no account other"):
            ledger.adjust(dataclasses.replace(award, account="other", amount_fen=1))
        ledger.adjust(dataclasses.replace(award, account="balance", amount_fen=10_000))
        with pytest.raises(BudgetError, match=r"balance of pool employee holds 0\.00 yuan"):
            ledger.adjust(dataclasses.replace(award, account="balance", amount_fen=1))
        with pytest.raises(BudgetError, match=r"A1 is none of the 1 hospitals") as unknown:
            ledger.adjust(dataclasses.replace(award, hospital="A1", amount_fen=1))
        assert "the nearest is A" in str(unknown.value.hint)
        with pytest.raises(BudgetError, match="no pool other") as no_pool:
            ledger.adjust(dataclasses.replace(award, pool="other", amount_fen=1))
        assert no_pool.value.hint == "take employee or resident"
        assert [d.account for d in ledger.adjustments(2026)] == ["reserve", "balance"]
        assert ledger.verify() == []


def test_what_a_month_leaves_in_an_account_is_no_payment_from_it() -> None:
    lists = [{"name": "a", "items": ["X"], "valid_from": date(2026, 1, 1)}]
    change = {"accounts": {"balance": {"employee": "100.00"}}}
    policy = small({**change, "on_top": {"paid_from": "balance", "lists": lists}})
    rows = [
        {"case_id": pool, "hospital": "A", "pool": pool, "case_class": "normal"}
        | {"discharge_date": date(2026, 1, 9), "points": 100.0}
        | {"on_top_amount": 30.0 if pool == "employee" else 0.0}
        for pool in ("employee", "resident")
    ]
    cases = pd.DataFrame(rows)
    january = settle_month(cases, policy, Month(2026, 1))
    award = Adjustment(Month(2026, 1), "employee", "A", "award", 0, 7_001, "appeal", "balance")
    with Ledger.open(":memory:") as ledger:
        ledger.close_month(close_month(january, cases, policy))
        with pytest.raises(BudgetError, match=r"balance of pool employee holds 70\.00 yuan"):
            ledger.adjust(award)
        ledger.adjust(dataclasses.replace(award, amount_fen=7_000))


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"budget": {"pools": {"employee": {"advances": {"A": "1000001"}}}}},
         "budget.pools.employee", "advances of 1,000,001.00 yuan are larger than the year's"),
        ({"budget": {"pools": {"other": {"prepayment": 1}}}},
         "budget.pools.other.budget", "a pool without budget has a value"),
        ({"budget": {"month_payment": "given_value"}}, "budget.month_value", "not filled in"),
        ({"sharing": {"surplus": {"rule": "marginal", "of": "cost", "bands": [
            {"up_to": "0.1", "value": 1}, {"above": "0.2", "value": 0}]}}},
         "sharing.surplus.bands", "leave a gap"),
        ({"sharing": {"deficit": {"rule": "marginal", "of": "cost", "bands": 2}}},
         "sharing.deficit", "not between 0 and 1"),
        ({"quality_money": {"rule": "linear", "rest": "reserve", "per_point": 1}},
         "quality_money.full_score", "not filled in"),
        ({"quality_money": {"rule": "given", "rest": "reserve", "share": "0.06"}},
         "quality_money.share", "more than what pool employee holds back"),
        ({"on_top": {"paid_from": "lottery", "lists": [
            {"name": "a", "items": ["X"], "valid_from": date(2026, 1, 1)}]}},
         "on_top.paid_from", "there is no account lottery"),
        ({"accounts": {"balance": {"other": 1}}}, "accounts.balance", "money of no pool: other"),
        ({"budget": {"pools": {"employee": {"fund_sharing": {
            "surplus": 1, "deficit": 1, "paid_from": "x"}}}}},
         "budget.pools.employee.fund_sharing.paid_from", "there is no account x"),
        ({"readmissions": [{"kind": "x", "within_days": 9, "same": "drg", "hospital": "any"}]},
         "readmissions", "name x, which is no kind"),
        ({"units": [{"name": "u", "hospitals": ["A"]}, {"name": "v", "hospitals": ["A"]}]},
         "units", "A is a member of two"),
        ({"on_top": {"paid_from": "budget", "lists": [
            {"name": "a", "items": ["X"], "valid_from": date(2026, 1, 1)},
            {"name": "b", "items": ["X"], "valid_from": date(2026, 7, 1)}]}},
         "on_top", "the dates overlap: X stands in lists 1 and 2 on 2026-07-01"),
    ],
)  # fmt: skip
def test_bad_rules_are_named(change: dict[str, Any], path: str, words: str) -> None:
    found = {p.path: p.message for p in build(merge(SMALL, change))[1]}
    assert path in found, found
    assert words in found[path]


def test_the_rules_are_read_from_a_policy_and_said_in_sentences() -> None:
    policy = small(
        {
            "accounts": {"balance": {"employee": "5000"}},
            "quality_money": {"share": "0.03", "rule": "linear", "full_score": 95}
            | {"per_point": "0.05", "rest": "shared"},
            "sharing": {
                "surplus": {"rule": "by_class", "classes": {"low_cost": "0.5"}, "otherwise": 1},
                "deficit": {"rule": "marginal", "of": "entitlement", "bands": FIRST_TENTH}
                | {"cap": "0.01"},
            },
            "on_top": {"paid_from": "balance", "lists": [
                {"name": "a", "items": ["X"], "valid_from": date(2026, 1, 1)}]},
            "budget": {
                "date": "settlement",
                "fund_sharing": {"surplus": "0.7", "deficit": "0.3"},
                "pools": {
                    "employee": {"month_payment": "claims", "advances": {"A": "100"}},
                    "other": {"value": "64", "basis": "total_cost"},
                },
            },
        }
    )  # fmt: skip
    terms = terms_of(policy, 2026)
    assert terms.pool("other").value == 64
    assert terms.pool("employee").fund_sharing == FundShare(Fraction(7, 10), Fraction(3, 10))
    assert terms.date_column == "settlement_date"
    assert terms.accounts == {"balance": {"employee": 500_000}}
    text = " ".join(s for _, sentences in policy_sentences(policy) for s in sentences)
    for words in (
        "Pool other has no budget; a case is paid 64 yuan a point",
        "The months of employee are paid by claims",
        "set off at the clearing: A 100.00 yuan",
        "the hospitals keep 70 %",
        "3 % of a month is quality money",
        "ρ is 1 from the score 95 on, less 0.05 for each point below",
        "by case class: low_cost 50 %, otherwise 100 %",
        "as a share of the entitlement E: 0.6 up to 0.1, 0 above; all together at most 1 %",
        "Money on top of points is paid from balance",
        "Account balance holds 5,000.00 yuan for employee",
        "belongs to the month of its settlement_date",
    ):
        assert words in text, words


def test_bands_are_shown_with_all_their_digits() -> None:
    change = {"bed_day": [{"name": "x", "groups": ["TR1"], "above_days": 1}
                          | {"points_per_day": [{"up_to": "1234567.5", "value": "2.36182972"},
                                                {"value": 1}]}]}  # fmt: skip
    text = " ".join(s for _, part in policy_sentences(small(change)) for s in part)
    assert "2.36182972 up to 1234567.5, 1 above" in text
    assert Decimal("2.36182972") == Decimal(repr(small(change).bed_day[0].points_per_day.values[0]))


def test_what_concerns_all_pools_is_named_once() -> None:
    found = [p.path for p in build(merge(SMALL, {"budget": {"reserve_share": "", "basis": ""}}))[1]]
    assert found == ["budget.reserve_share", "budget.basis"]
    one = {"budget": {"pools": {"employee": {"reserve_share": "2"}}}}
    assert [p.path for p in build(merge(SMALL, one))[1]] == ["budget.pools.employee.reserve_share"]


def test_the_page_of_rules_is_made_of_policies() -> None:
    page = (Path(__file__).parents[2] / "docs" / "payment_rules.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 10
    for block in blocks:
        change = tomllib.loads(block, parse_float=Decimal)
        if "paid_from" in str(change.get("budget")):
            change["accounts"] = {"balance": {}}
        terms_of(Policy.from_data(merge(SMALL, change)), 2026)
