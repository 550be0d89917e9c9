"""What must always hold, on more than 2,000 settlements of random regions, some new in each run."""

from __future__ import annotations

import dataclasses
import random
from fractions import Fraction
from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.budget.adjustments import Adjustment
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.tally import tally
from drgcore.budget.year_end import YearSettlement, settle_year

from .regions import Region, random_region, settle_months

SEEDS = st.integers(0, 2**32)


def by_item(region: Region, rows: list[dict[str, Any]]) -> int:
    """What was paid by item out of the budget."""
    return sum(r["outside_fen"] for r in rows) if region.terms.outside_from_budget else 0


def check_month(region: Region, settled: MonthSettlement) -> None:
    for pool in region.terms.pools:
        rows = [r for r in settled.records("statement") if r["pool"] == pool.pool]
        value = settled.value(pool.pool)
        budget = pool.month_budgets[settled.month.number - 1]
        # What the budget became: amounts of hospitals, refusals, and what the ceiling left.
        placed = sum(
            r["prepaid_fen"]
            + r["held_fen"]
            + r["refused_fen"]
            + r["carried_out_fen"]
            - r["carried_in_fen"]
            for r in rows
        )
        placed += by_item(region, rows)
        assert placed == budget - value.to_reserve_fen + value.from_reserve_fen
        assert all(r["prepaid_fen"] >= 0 and r["held_fen"] >= 0 for r in rows)
        assert {r["hospital"] for r in rows} == set(region.terms.hospitals)


def check_year(region: Region, settled: YearSettlement) -> None:
    reserve = {
        r["pool"]: r["amount_fen"] for r in settled.records("reserve") if r["item"] == "closing"
    }
    for pool in region.terms.pools:
        rows = [r for r in settled.records("statement") if r["pool"] == pool.pool]
        account = {
            r["item"]: r["amount_fen"]
            for r in settled.records("reconciliation")
            if r["pool"] == pool.pool
        }
        # Every fen again, from the statement and not from the reconciliation's own lines.
        placed = sum(
            r["final_fen"] + r["carried_out_fen"] - r["carried_in_fen"] + r["refused_fen"]
            for r in rows
        )
        placed += by_item(region, rows)
        rest = account["incentive pool, not shared out"]
        assert placed + rest + reserve[pool.pool] == pool.budget_fen
        assert account["unaccounted"] == 0
        assert reserve[pool.pool] >= 0
        units = [r for r in settled.records("units") if r["pool"] == pool.pool]
        assert sum(u["final_fen"] for u in units) == sum(r["final_fen"] for r in rows)
        assert all(u["final_fen"] >= 0 >= u["carried_out_fen"] for u in units)
        assert {r["hospital"] for r in rows} == set(region.terms.hospitals)
        moved = sum(
            r["amount_fen"] for r in settled.records("adjustments") if r["pool"] == pool.pool
        )
        assert moved == sum(r["adjustments_fen"] for r in rows)


def later_facts(region: Region, seed: int) -> tuple[pa.Table, list[Adjustment]]:
    """Change the cases as a year does: one late, one re-grouped, one gone, one sanctioned."""
    draw = random.Random(seed)
    rows = [dict(row) for row in region.rows]
    rows.append(rows[0] | {"case_id": "late", "points": draw.randint(0, 10**6) / 10**4})
    changed = draw.choice(rows)
    changed["drg"] = "CC3"
    changed["points"] = round(changed["points"] + 1.5, 4)
    # Any but the first case of a month, without which a pool might be left without points.
    others = [row for row in rows if not row["case_id"].endswith("-0")]
    rows.remove(draw.choice(others))
    case = region.rows[0]
    sanction = Adjustment(
        region.months[0], case["pool"], case["hospital"], "upcoding", draw.randint(-9_999, 0)
    )
    return pa.Table.from_pylist(rows), [sanction]


def check_settlements(seed: int) -> int:
    """Check the months and the year of a region; return how many settlements these were."""
    region = random_region(seed)
    closed = settle_months(region, region.sums)
    for month in closed:
        check_month(region, month)
    cases, sanctions = later_facts(region, seed)
    year = settle_year(cases, closed, region.terms, region.kappas, adjustments=sanctions)
    check_year(region, year)
    return len(closed) + 1


def test_every_fen_is_in_exactly_one_place() -> None:
    assert sum(map(check_settlements, range(520))) >= 2000


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_every_fen_of_a_new_region_is_in_exactly_one_place(seed: int) -> None:
    check_settlements(seed)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_order_and_the_partition_of_rows_leave_no_trace(seed: int) -> None:
    region = random_region(seed)
    later, sanctions = later_facts(region, seed)
    cases = later.to_pandas()
    plain_months = settle_months(region, region.cases)
    plain = settle_year(cases, plain_months, region.terms, region.kappas, adjustments=sanctions)
    mixed = cases.sample(frac=1, random_state=seed % 2**31)
    months = settle_months(region, region.cases.iloc[::-1])
    again = settle_year(mixed, months, region.terms, region.kappas, adjustments=sanctions)
    parts = [tally(mixed.iloc[i::3], region.terms) for i in range(3)]
    whole = parts[2] + parts[0] + parts[1]
    from_parts = settle_year(whole, months, region.terms, region.kappas, adjustments=sanctions)
    assert plain.decided == again.decided == from_parts.decided
    for field in dataclasses.fields(YearSettlement):
        if field.name not in ("year", "decided"):
            pd.testing.assert_frame_equal(getattr(plain, field.name), getattr(again, field.name))
            pd.testing.assert_frame_equal(
                getattr(plain, field.name), getattr(from_parts, field.name)
            )


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_doubling_every_case_halves_the_point_value(seed: int) -> None:
    region = random_region(seed)
    pools = tuple(
        dataclasses.replace(p, basis="fund", last_value=None, floor=None, ceiling=None)
        for p in region.terms.pools
    )
    # Payment by item takes its part of the budget before; doubled, it would take twice as much.
    terms = dataclasses.replace(region.terms, pools=pools, outside_from_budget=False)
    region = dataclasses.replace(region, terms=terms)
    twin = region.cases.assign(case_id=region.cases["case_id"] + "-twin")
    doubled = pd.concat([region.cases, twin])
    for one, two in zip(
        settle_months(region, region.cases), settle_months(region, doubled), strict=True
    ):
        for pool in pools:
            assert two.value(pool.pool).yuan == one.value(pool.pool).yuan / 2
            # Nobody's share of the budget moves, so v·Q is the same to the fen.
        assert one.statement["gross_fen"].tolist() == two.statement["gross_fen"].tolist()


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_closed_month_does_not_change(seed: int) -> None:
    region = random_region(seed)
    closed = settle_months(region, region.cases)
    before = [month.statement.copy() for month in closed]
    cases, sanctions = later_facts(region, seed)
    year = settle_year(cases, closed, region.terms, region.kappas, adjustments=sanctions)
    for month, statement in zip(closed, before, strict=True):
        pd.testing.assert_frame_equal(month.statement, statement)
    # Later facts are adjustments that name a closed month.
    months = {str(month) for month in region.months}
    assert set(year.adjustments["month"]) <= months
    kinds = set(year.adjustments["kind"])
    assert "upcoding" in kinds


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(2, 50))
def test_points_count_only_in_proportion(seed: int, factor: int) -> None:
    region = random_region(seed)
    pools = tuple(
        dataclasses.replace(p, basis="fund", last_value=None, floor=None, ceiling=None)
        for p in region.terms.pools
    )
    region = dataclasses.replace(region, terms=dataclasses.replace(region.terms, pools=pools))
    scaled = region.cases.assign(points=(region.cases["points"] * factor).round(4))
    for one, two in zip(
        settle_months(region, region.cases), settle_months(region, scaled), strict=True
    ):
        for pool in pools:
            assert two.value(pool.pool).yuan * factor == one.value(pool.pool).yuan
        assert one.statement["prepaid_fen"].tolist() == two.statement["prepaid_fen"].tolist()


def test_the_value_is_a_fraction_and_not_a_float() -> None:
    region = random_region(7)
    month = settle_months(region, region.cases)[0]
    for pool in region.terms.pools:
        value = month.value(pool.pool).yuan
        points = sum(
            Fraction(str(q))
            for q in region.cases.loc[
                (region.cases["pool"] == pool.pool)
                & (region.cases["discharge_date"].dt.month == month.month.number),
                "points",
            ]
        )
        assert value * points * 100 == month.value(pool.pool).numerator_fen
