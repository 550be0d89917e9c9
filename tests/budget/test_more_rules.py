"""Rules that only some regions have, on random policies: conservation, explanation, ledger."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.budget import Ledger, close_month, close_year, explain_payment, settle_month
from drgcore.budget.explain import explain_lines
from drgcore.budget.frames import records
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.tables import plain_table
from drgcore.budget.year_end import YearSettlement, settle_year
from drgcore.errors import BudgetError
from drgcore.language import use_language
from tests.reference.plain_formulas import amounts

from .regions import Region, random_region, settle_months, with_more_rules
from .test_invariants import later_facts
from .test_plain import compare

SEEDS = st.integers(0, 2**32)


def region_of(seed: int) -> Region:
    return with_more_rules(random_region(seed), seed)


def settled(seed: int) -> tuple[Region, list[MonthSettlement], YearSettlement] | None:
    """Months and year of a random region; None where its money cannot be divided."""
    region = region_of(seed)
    cases, sanctions = later_facts(region, seed)
    try:
        months = settle_months(region, region.sums)
        year = settle_year(cases, months, region.terms, region.quality, adjustments=sanctions)
    except BudgetError as error:
        # Payment by item or on top may take more than a month has; that is an error with its path.
        if re.search("exceed the budget|less than floors", str(error)):
            return None
        raise
    return region, months, year


@settings(max_examples=2_000, deadline=None)
@given(SEEDS)
def test_every_fen_is_in_exactly_one_place_by_any_rule(seed: int) -> None:
    """Of 2,000 policies; benchmarks/conservation.py does the same with as many as one likes."""
    check_region(seed)


def check_region(seed: int) -> bool:
    """Check a region's places and hold it against the plain settlement; False if refused."""
    found = settled(seed)
    if found is None:
        return False
    region, months, year = found
    check_places(region, months, year)
    compare(region, months)
    return True


def check_places(region: Region, months: list[MonthSettlement], year: YearSettlement) -> None:
    for month in months:
        for row in records(plain_table(month, "reserve")):
            moved = row["from_ceiling"] - row["to_floor"] + row["set_aside"] - row["on_top"]
            assert row["opening"] + moved == row["closing"]
    for pool in region.terms.pools:
        rows = [r for r in year.records("statement") if r["pool"] == pool.pool]
        flows = [r for r in year.records("flows") if r["pool"] == pool.pool]
        lines = year.records("reconciliation")
        account = {r["item"]: r["amount_fen"] for r in lines if r["pool"] == pool.pool}
        reserve = next(
            r["amount_fen"]
            for r in year.records("reserve")
            if (r["pool"], r["item"]) == (pool.pool, "closing")
        )
        placed = sum(
            r["final_fen"] + r["carried_out_fen"] - r["carried_in_fen"] + r["refused_fen"]
            for r in rows
        )
        if region.terms.outside_from_budget:
            placed += sum(r["outside_fen"] for r in rows)
        other = -account.get("from account balance", 0)
        paid = sum(r["amount_fen"] for r in flows if r["item"] == "on_top")
        own = -account.get("claimed from other regions", 0)
        if pool.value is not None:
            outside = region.terms.outside_from_budget
            by_item = sum(r["outside_fen"] for r in rows) if outside else 0
            top = paid if region.terms.on_top_from == "budget" else 0
            assert own == sum(r["entitlement_fen"] for r in rows) + by_item + top
        else:
            assert own == 0
        rest = account["incentive pool, not shared out"]
        assert placed + paid + rest + reserve == pool.budget_fen + other + own
        assert account["unaccounted"] == 0
        assert reserve >= 0
        assert 0 <= other <= region.terms.accounts["balance"][pool.pool]
        advances = sum(pool.advances_fen.values())
        assert (
            sum(r["balance_fen"] for r in rows)
            == sum(r["final_fen"] - r["prepaid_fen"] for r in rows) - advances
        )
        held = sum(r["held_fen"] for r in rows)
        quality = sum(r["amount_fen"] for r in flows if r["item"] == "quality_money_held")
        assert 0 <= quality <= held
        for unit in year.records("units"):
            if region.terms.surplus is not None and unit["pool"] == pool.pool:
                assert unit["transfer_fen"] >= -abs(unit["entitlement_fen"]) or unit["charged_fen"]


def check_statement(text: str) -> int:
    count = 0
    for above, formula, computed, amount in amounts(text):
        assert computed == amount, (above, formula, computed, amount)
        shown = re.search(r"  (-?[\d,]+\.\d\d)$", above)
        if shown:
            assert abs(round(float(shown[1].replace(",", "")) * 100)) == abs(amount), above
        count += 1
    return count


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_every_printed_formula_gives_its_amount(seed: int) -> None:
    check_formulas(seed)


def check_formulas(seed: int) -> None:
    found = settled(seed)
    if found is None:
        return
    region, months, year = found
    for hospital in region.terms.hospitals:
        formulas = 0
        for month in months:
            formulas += check_statement(explain_payment(hospital, month, region.terms))
        text = explain_payment(hospital, year, region.terms, months)
        assert check_statement(text) + formulas > 3 * len(region.terms.pools)


def test_lines_have_the_same_keys_and_numbers_in_both_languages() -> None:
    seen = 0
    for region, months, year in filter(None, map(settled, range(12))):
        hospital = region.terms.hospitals[0]
        check_both_languages(hospital, year, region.terms, months)
        check_both_languages(hospital, months[0], region.terms)
        seen += 1
    assert seen > 5


def check_both_languages(hospital: str, period: Any, terms: Any, months: Any = ()) -> None:
    """Keys and numbers are the same, formulas give their amounts, every other text is Chinese."""
    english = explain_lines(hospital, period, terms, months)
    with use_language("zh"):
        chinese = explain_lines(hospital, period, terms, months)
        text = explain_payment(hospital, period, terms, months)
    assert check_statement(text) == check_statement(
        explain_payment(hospital, period, terms, months)
    )
    for here, there in zip(english, chinese, strict=True):
        for one, other in zip(here.lines, there.lines, strict=True):
            assert replace(one, text="") == replace(other, text="")
            if one.kind == "formula":
                assert one.text == other.text.replace("最大余数", "largest remainder")
                continue
            # Classes, units, accounts and decisions of made-up regions have no Chinese name.
            own = re.sub(r"county|high|low|stable|upcoding|splitting|award", "", other.text)
            assert not re.search(r"[a-z]{4}", own), other
            assert not re.search(r"[\u4e00-\u9fff]", re.sub(r" \([^)a-z]*\)", "", one.text)), one


def test_a_ledger_keeps_them_and_verifies() -> None:
    kept = 0
    for seed in range(40):
        found = settled(seed)
        if found is None:
            continue
        region, _, _ = found
        with Ledger.open(":memory:") as ledger:
            previous = None
            for month in region.months:
                previous = settle_month(region.sums, region.terms, month, previous)
                ledger.close_month(close_month(previous, region.table, region.terms))
            closed = ledger.closed_months(region.terms.year)
            year = settle_year(region.table, closed, region.terms, region.quality)
            ledger.close_year(close_year(year, region.table, region.terms))
            assert ledger.verify() == []
            again = ledger.year(region.terms.year).settlement.flows
            pd.testing.assert_frame_equal(again, year.flows, check_dtype=False)
            kept += 1
    assert kept > 20
