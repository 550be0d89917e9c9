"""The engine against the plain settlement, on random regions; by more rules in test_more_rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.year_end import settle_year
from tests.reference import plain_budget as plain

from .regions import Region, random_region, settle_months


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_months_and_year_are_those_of_the_plain_settlement(seed: int) -> None:
    compare(random_region(seed))


def compare(region: Region, closed: Sequence[MonthSettlement] = ()) -> None:
    """Compare months and year, from the given months where there are some.

    The plain settlement has no consortia, and months do not depend on them.
    """
    sums = region.sums
    region = dataclasses.replace(region, terms=dataclasses.replace(region.terms, units=()))
    closed = closed or settle_months(region, sums)
    quality = region.quality if region.results else region.kappas
    year = settle_year(sums, closed, region.terms, quality)
    tops = {
        (r["pool"], r["hospital"]): r["amount_fen"]
        for r in year.records("flows")
        if r["item"] == "on_top"
    }
    for pool in region.terms.pools:
        cases = [row for row in region.rows if row["pool"] == pool.pool]
        expected = plain.settle(region.terms, pool, cases, region.kappas, region.results)
        for row in year.records("statement"):
            if row["pool"] != pool.pool:
                continue
            one = expected[row["hospital"]]
            assert row["entitlement_fen"] == one["entitlement"]
            assert row["prepaid_fen"] == one["prepaid"]
            assert row["held_fen"] == one["held"]
            assert row["pool_share_fen"] == one["share"]
            assert row["surplus_returned_fen"] == one["returned"]
            assert row["deficit_borne_fen"] == one["borne"]
            assert row["final_fen"] == one["final"]
            assert row["carried_out_fen"] == one["carried_out"]
            assert row["balance_fen"] == one["balance"]
            assert tops.get((row["pool"], row["hospital"]), 0) == one["top"]
