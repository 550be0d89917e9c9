"""Random regions: policies, hospitals and cases that the invariants are checked on."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.budget.allocate import exact_text
from drgcore.budget.month import Month
from drgcore.budget.month_end import MonthSettlement, settle_month
from drgcore.budget.pool_terms import FundShare, PoolTerms
from drgcore.budget.tally import Tally, tally
from drgcore.budget.terms import QualityTerms, Terms, Unit
from drgcore.points.payment_rules import ByClass, Marginal

YEAR = 2026


class Steps:
    """Bands for tests: the value of the last limit not above the ratio."""

    def __init__(self, *steps: tuple[float, float]) -> None:
        self.limits = np.array([limit for limit, _ in steps])
        self.values = np.array([value for _, value in steps])

    def apply(self, values: np.ndarray) -> np.ndarray:
        at = np.searchsorted(self.limits, np.asarray(values), side="right") - 1
        return self.values[np.maximum(at, 0)]


@dataclass(frozen=True)
class Region:
    """A random policy with random cases, and κ for every hospital."""

    terms: Terms
    rows: list[dict[str, Any]]
    months: tuple[Month, ...]
    kappas: dict[str, Fraction]
    results: dict[str, Fraction] = field(default_factory=dict)

    @cached_property
    def cases(self) -> pd.DataFrame:
        """The cases as a frame."""
        return pd.DataFrame(self.rows)

    @cached_property
    def table(self) -> pa.Table:
        """The cases as an Arrow table, which is quicker to make and to read than a small frame."""
        return pa.Table.from_pylist(self.rows)

    @cached_property
    def sums(self) -> Tally:
        """The cases added up."""
        return tally(self.table, self.terms)

    @cached_property
    def quality(self) -> pa.Table:
        """κ and ρ as a table."""
        names = list(self.kappas)
        return pa.table(
            {
                "hospital": names,
                "kappa": [exact_text(self.kappas[h]) for h in names],
                "result": [exact_text(self.results.get(h, Fraction(1))) for h in names],
            }
        )


def random_region(seed: int) -> Region:
    """Draw a small region: 1 or 2 pools, 1 to 4 hospitals, 2 to 4 months, up to 48 cases."""
    draw = random.Random(seed)
    hospitals = [f"H{i}" for i in range(draw.randint(1, 4))]
    pools = [f"pool{i}" for i in range(draw.randint(1, 2))]
    months = Month.of_year(YEAR)[: draw.randint(2, 4)]
    basis = draw.choice(["fund", "total_cost"])
    cuts = sorted(draw.randint(0, 1000) for _ in range(len(months) - 1))
    shares = [Fraction(b - a, 1000) for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)]
    shares += [Fraction(0)] * (12 - len(months))
    # Where cases outside are paid from the budget, there must be enough of it in every month.
    outside = draw.random() < 0.3
    if outside:
        shares = [Fraction(1, len(months))] * len(months)
        shares += [Fraction(0)] * (12 - len(months))
    rows = []
    for pool in pools:
        for month in months:
            # At least one case with points in every pool and month that may have a budget.
            for number in range(draw.randint(1, 6)):
                cost = draw.randint(0, 3_000_000)
                points = draw.choice([0, draw.randint(1, 5_000_000)]) if number else 10_000
                rows.append(
                    {
                        "case_id": f"{pool}-{month}-{number}",
                        "hospital": draw.choice(hospitals),
                        "pool": pool,
                        "discharge_date": dt.datetime(
                            month.year, month.number, draw.randint(1, 28)
                        ),
                        "drg": draw.choice(["AA1", "BB2", None]),
                        "case_class": draw.choice(["normal", "high", "unstable", "outside"]),
                        "points": points / 10_000,
                        "total_cost": cost / 100,
                        "patient_paid": draw.randint(0, cost) / 100,
                        "refused_amount": draw.choice([0, 0, draw.randint(0, 400_000)]) / 100,
                        "violation": draw.choice([None, None, "splitting"]),
                        "capitation_unit": draw.choice([None, "county"]),
                    }
                )
    limits = draw.random() < 0.4
    terms = Terms(
        YEAR,
        tuple(
            PoolTerms(
                pool,
                draw.randint(500_000_000, 900_000_000)
                if outside
                else draw.choice([0, draw.randint(1, 500), draw.randint(1, 900_000_000)]),
                tuple(shares),
                Fraction(draw.randint(0, 200), 1000),
                basis,
                Fraction(draw.randint(0, 1000), 1000),
                Fraction(draw.randint(1, 200_000), 1000) if limits else None,
                Fraction(9, 10) if limits else None,
                Fraction(11, 10) if limits else None,
            )
            for pool in pools
        ),
        violation_multiples={"splitting": Fraction(draw.randint(2, 9), 2)},
        pool_rule=draw.choice(["all", "cap"]),
        pool_cap=Fraction(draw.randint(5, 15), 10),
        surplus=draw.choice([None, Steps((0, 1.0), (1.1, 0.5), (1.3, 0.0))]),
        deficit=draw.choice([None, Steps((0, 0.0), (0.8, 0.6), (0.95, 0.35))]),
        outside_from_budget=outside,
        units=_units(draw, hospitals, pools),
        hospitals=(*hospitals, "H-without-cases"),
    )
    kappas = {h: Fraction(draw.randint(0, 120), 100) for h in terms.hospitals}
    return Region(terms, rows, months, kappas)


def with_more_rules(region: Region, seed: int) -> Region:
    """Draw the rules that only some regions have on top of a random region."""
    draw = random.Random(seed + 1)
    months = len(region.months)
    pools = []
    for pool in region.terms.pools:
        # Where payment by item must fit into the budget, the budget stays what it is.
        tight = region.terms.outside_from_budget
        payment = draw.choice(["month_budget", "month_budget", "given_value", "claims"])
        sharing = FundShare(
            Fraction(draw.randint(0, 10), 10),
            Fraction(draw.randint(0, 10), 10),
            draw.choice(["reserve", "balance"]),
        )
        changed = dataclasses.replace(
            pool,
            month_payment=payment,
            month_value=Fraction(draw.randint(1, 9_000_000), 1000),
            advances_fen={"H0": draw.randint(0, pool.budget_fen)} if draw.random() < 0.3 else {},
            fund_sharing=sharing if draw.random() < 0.4 else None,
        )
        if draw.random() < 0.3:
            before = dataclasses.replace(
                changed,
                budget_fen=changed.budget_fen if tight else changed.budget_fen * 3 // 4,
                prepayment=Fraction(draw.randint(0, 100), 100),
                advances_fen={},
            )
            start = draw.randint(2, months)
            if any(changed.shares[start - 1 :]):
                changed = dataclasses.replace(changed, periods=((1, before), (start, changed)))
        if draw.random() < 0.15:
            value = Fraction(draw.randint(1, 90_000), 1000)
            changed = PoolTerms(
                pool.pool, 0, pool.shares, basis=pool.basis, prepayment=pool.prepayment, value=value
            )
        pools.append(changed)
    bands = [{"up_to": 0.1, "value": 1}, {"up_to": 0.35, "value": 0.6}, {"value": 0.05}]
    less = [{"up_to": 0.15, "value": 0.6}, {"up_to": 0.4, "value": 0.3}, {"value": 0}]
    cap = draw.choice([None, "0.02", "0.5"])
    of = draw.choice(["entitlement", "cost"])
    surplus = Marginal(rule="marginal", of=of, bands=bands, cap=cap)
    by_class = ByClass(rule="by_class", classes={"high": "0.7", "normal": 1}, otherwise="0.35")
    capitated = any(unit.capitation_fen for unit in region.terms.units)
    terms = dataclasses.replace(
        region.terms,
        pools=tuple(pools),
        surplus=draw.choice(
            [region.terms.surplus, surplus, surplus if capitated else by_class],
        ),
        deficit=draw.choice(
            [region.terms.deficit, Marginal(rule="marginal", of=of, bands=less, cap=cap)]
        ),
        accounts={"balance": {pool.pool: draw.randint(0, 9_000_000) for pool in pools}},
        quality_money=draw.choice(
            [
                None,
                QualityTerms(draw.choice([None, Fraction(3, 100)]), "reserve"),
                QualityTerms(draw.choice([None, Fraction(3, 100)]), "shared"),
            ]
        ),
        on_top_from=draw.choice([None, "budget" if not capitated else "reserve", "balance"]),
    )
    rows = [dict(row) for row in region.rows]
    for row in rows:
        most = min(row["total_cost"], 2_000)
        amount = draw.choice([0, 0, draw.randint(0, int(most * 100)) / 100])
        # A case outside the points is paid by item, and nothing of it on top.
        row["on_top_amount"] = 0 if row["case_class"] == "outside" else amount
    if terms.on_top_from == "budget" and not region.terms.outside_from_budget:
        terms = dataclasses.replace(terms, on_top_from="reserve")
    results = {h: Fraction(draw.choice([100, draw.randint(0, 100)]), 100) for h in terms.hospitals}
    return dataclasses.replace(region, terms=terms, rows=rows, results=results)


def settle_months(region: Region, cases: Any) -> list[MonthSettlement]:
    """Settle the region's months one after the other."""
    settled: list[MonthSettlement] = []
    sums = cases if isinstance(cases, Tally) else tally(cases, region.terms)
    for month in region.months:
        previous = settled[-1] if settled else None
        settled.append(settle_month(sums, region.terms, month, previous))
    return settled


def _units(draw: random.Random, hospitals: list[str], pools: list[str]) -> tuple[Unit, ...]:
    members = tuple(h for h in hospitals if draw.random() < 0.5)
    if not members or draw.random() < 0.4:
        return ()
    heads = {pool: draw.randint(0, 400_000_000) for pool in pools} if draw.random() < 0.5 else {}
    return (Unit("county", members, heads),)
