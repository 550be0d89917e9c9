"""Profit and loss, case by case with exact fractions: what drgcore.indicators must agree with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any


def fen(yuan: Fraction | float) -> int:
    """Whole fen, halves up."""
    return math.floor(Fraction(str(yuan)) * 100 + Fraction(1, 2))


def estimated(
    cases: Sequence[Mapping[str, Any]], weights: Mapping[str, str], rate: Mapping[str, str]
) -> list[dict[str, int] | None]:
    """Payment, cost and parts of each case [fen], with k = 1; None for one that is not counted."""
    used = []
    for case in cases:
        cost, drg = case["total_cost"], case["drg"]
        priced = case["status"] == "grouped" and drg in weights
        fits = cost is not None and cost == cost and math.isfinite(cost) and cost >= 0
        used.append(priced and fits)
    total: dict[str, list[int]] = {}
    points: dict[Fraction, Fraction] = {}
    for case, counted in zip(cases, used, strict=True):
        if counted:
            total.setdefault(case["drg"], []).append(fen(case["total_cost"]))
            value, weight = Fraction(rate[case["pool"]]), Fraction(weights[case["drg"]])
            points[value] = points.get(value, Fraction(0)) + weight
    mean = {
        drg: math.floor(Fraction(sum(own), len(own)) + Fraction(1, 2)) for drg, own in total.items()
    }
    earned = sum(points.values())
    reference = sum(v * p for v, p in points.items()) / earned if earned else Fraction(0)
    rows: list[dict[str, int] | None] = []
    for case, counted in zip(cases, used, strict=True):
        if not counted:
            rows.append(None)
            continue
        weight, value = Fraction(weights[case["drg"]]), Fraction(rate[case["pool"]])
        m, cost = mean[case["drg"]], fen(case["total_cost"])
        at_reference = math.floor(weight * reference * 100 + Fraction(1, 2))
        payment = math.floor(weight * value * 100 + Fraction(1, 2))
        refused = fen(case["refused_amount"] or 0)
        rows.append(
            {
                "payment": payment - refused,
                "cost": cost,
                "case_mix": at_reference - m,
                "coefficient": 0,
                "value": payment - at_reference,
                "cost_per_case": m - cost,
                "outliers": 0,
                "other_rules": 0,
                "deductions": -refused,
            }
        )
    return rows
