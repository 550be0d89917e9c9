"""Indicators, one unit at a time from their definitions: what drgcore.indicators must agree with.

Slow and plain on purpose. It shares no code with drgcore.indicators; sums are exact fractions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import stats

Case = Mapping[str, Any]


def none(value: Any) -> bool:
    return value is None or value == "" or value != value


def status_of(case: Case) -> str:
    if none(case.get("status")) or (case["status"] == "grouped" and none(case.get("drg"))):
        return "ungrouped"
    return str(case["status"])


def amount(case: Case, name: str) -> Fraction | None:
    """Yuan, whole fen; None for none, NaN, infinity, and what is negative."""
    value = case.get(name)
    if none(value) or math.isinf(value) or value < 0:
        return None
    return Fraction(math.floor(value * 100 + 0.5), 100)


def cost(case: Case) -> Fraction | None:
    if none(case.get("total_cost")) or case["total_cost"] <= 0:
        return None
    return amount(case, "total_cost")


def stay(case: Case) -> Fraction | None:
    value = case.get("length_of_stay")
    return None if none(value) or value < 0 else Fraction(value)


def mean(values: Iterable[Fraction]) -> Fraction | None:
    found = list(values)
    return sum(found, Fraction(0)) / len(found) if found else None


def share(values: Sequence[bool]) -> Fraction | None:
    return Fraction(sum(values), len(values)) if values else None


def key_of(case: Case, key: str) -> str | None:
    drg = case.get("drg")
    if key == "month":
        day = case.get("discharge_date")
        return None if none(day) else f"{day.year}-{day.month:02d}"
    if key in ("adrg", "mdc"):
        return None if none(drg) else drg[:3] if key == "adrg" else f"MDC{drg[0]}"
    return None if none(case.get(key)) else case[key]


def norms(cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Mean cost and stay, weight and risk of death of each DRG."""
    grouped = [case for case in cases if status_of(case) == "grouped"]
    region = mean(c for case in grouped if (c := cost(case)) is not None)
    found: dict[str, dict[str, Any]] = {}
    for drg in {case["drg"] for case in grouped}:
        own = [case for case in grouped if case["drg"] == drg]
        m = mean(c for case in own if (c := cost(case)) is not None)
        weight = None
        if m and region:
            ratio = m / region
            exact = Decimal(ratio.numerator) / Decimal(ratio.denominator)
            weight = Fraction(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP))
        ways = [case["leaving_way"] for case in own if not none(case["leaving_way"])]
        found[drg] = {
            "cost": m,
            "stay": mean(s for case in own if (s := stay(case)) is not None),
            "weight": weight,
            "deaths": sum(way == 5 for way in ways),
            "known": len(ways),
        }
    logs = {drg: math.log(n["deaths"] / n["known"]) for drg, n in found.items() if n["deaths"] > 0}
    if logs:
        mu = math.fsum(logs.values()) / len(logs)
        sigma = math.sqrt(math.fsum((v - mu) ** 2 for v in logs.values()) / len(logs))
    for drg, n in found.items():
        n["low_risk"] = drg in logs and logs[drg] < mu - sigma - 1e-9
    return found


def came_back(case: Case, cases: Sequence[Case]) -> bool | None:
    """Whether the patient was admitted again 2 to 31 days after leaving."""
    left = case["discharge_date"]
    if none(case["patient_id"]) or none(case["admission_date"]) or none(left):
        return None
    if case["leaving_way"] == 5:
        return None
    for other in cases:
        came, same = other["admission_date"], other["patient_id"] == case["patient_id"]
        if same and not none(came) and 2 <= (came - left).days <= 31:
            return True
    days: list[date] = [c["discharge_date"] for c in cases if not none(c["discharge_date"])]
    return False if (max(days) - left).days >= 31 else None


def indicators(cases: Sequence[Case], by: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Value of each indicator of each unit; None where it has none."""
    known = norms(cases)
    units: dict[tuple[Any, ...], list[Case]] = {}
    for case in cases:
        units.setdefault(tuple(key_of(case, key) for key in by), []).append(case)
    return {unit: _of(own, known, cases) for unit, own in units.items()}


Pair = tuple[Fraction, Fraction]


def quotients(
    cases: Sequence[Case], by: Sequence[str]
) -> dict[tuple[Any, ...], dict[str, list[Pair]]]:
    """Of each unit and indicator the numerator and denominator of every case that counts."""
    known = norms(cases)
    found: dict[tuple[Any, ...], dict[str, list[Pair]]] = {}
    one = Fraction(1)
    for case in cases:
        unit = found.setdefault(tuple(key_of(case, key) for key in by), {})
        group = known[case["drg"]] if status_of(case) == "grouped" else {}
        c, s = cost(case), stay(case)
        parts: dict[str, tuple[Fraction | None, Fraction | None]] = {
            "cmi": (group.get("weight"), one),
            "cost_index": (c / group["cost"] if c is not None and group.get("cost") else None, one),
            "time_index": (s / group["stay"] if s is not None and group.get("stay") else None, one),
            "mean_cost": (c, one),
            "average_stay": (s, one),
            "drug_share": (amount(case, "drug_cost"), c),
            "consumable_share": (amount(case, "consumable_cost"), c),
        }
        for name, (top, below) in parts.items():
            pairs = unit.setdefault(name, [])
            if top is not None and below:
                pairs.append((top, below))
    return found


def ratio_interval(pairs: Sequence[Pair]) -> tuple[float, float]:
    """95 % interval of a quotient of sums by the delta method."""
    n = len(pairs)
    if n < 2:
        return math.nan, math.nan
    below = sum(y for _, y in pairs)
    ratio = sum(x for x, _ in pairs) / below
    variance = Fraction(n, n - 1) * sum((x - ratio * y) ** 2 for x, y in pairs) / below**2
    away = float(stats.t.ppf(0.975, n - 1)) * math.sqrt(variance)
    return max(float(ratio) - away, 0.0), float(ratio) + away


def bootstrap(
    pairs: Sequence[tuple[int, int]], confidence: float, draws: int, seed: int
) -> tuple[float, float]:
    """Percentiles of the quotient of sums of cases drawn again and again."""
    rng, ordered = np.random.default_rng(seed), sorted(pairs)
    picks = rng.integers(len(pairs), size=(draws, len(pairs)))
    found = []
    for row in picks.tolist():
        drawn = [ordered[i] for i in row]
        found.append(Fraction(sum(x for x, _ in drawn), sum(y for _, y in drawn)))
    found.sort()

    def at(level: float) -> float:
        place = level * (draws - 1)
        low = math.floor(place)
        high = min(low + 1, draws - 1)
        return float(found[low]) + (place - low) * float(found[high] - found[low])

    return at((1 - confidence) / 2), at((1 + confidence) / 2)


def _of(own: Sequence[Case], known: Mapping[str, Any], cases: Sequence[Case]) -> dict[str, Any]:
    grouped = [case for case in own if status_of(case) == "grouped"]
    weights = [w for case in grouped if (w := known[case["drg"]]["weight"]) is not None]

    def ratios(value: Callable[[Case], Fraction | None], norm: str) -> Iterable[Fraction]:
        for case in grouped:
            of_case, of_group = value(case), known[case["drg"]][norm]
            if of_case is not None and of_group:
                yield of_case / of_group

    def fees(name: str) -> Fraction | None:
        pairs = [(amount(case, name), cost(case)) for case in own]
        there = [(part, whole) for part, whole in pairs if part is not None and whole]
        return sum(p for p, _ in there) / sum(w for _, w in there) if there else None

    ends = [case for case in own if not none(case["leaving_way"])]
    low = [c for c in ends if status_of(c) == "grouped" and known[c["drg"]]["low_risk"]]
    severity = [case["severity"] for case in grouped if not none(case["severity"])]
    classes = [case["case_class"] for case in grouped if not none(case["case_class"])]
    back = [b for case in own if (b := came_back(case, cases)) is not None]
    return {
        "cases": len(own),
        "grouped_cases": len(grouped),
        "total_weight": sum(weights, Fraction(0)) if weights else None,
        "groups": len({case["drg"] for case in grouped}),
        "cmi": mean(weights),
        "cost_index": mean(ratios(cost, "cost")),
        "time_index": mean(ratios(stay, "stay")),
        "mean_cost": mean(c for case in own if (c := cost(case)) is not None),
        "average_stay": mean(s for case in own if (s := stay(case)) is not None),
        "mortality": share([case["leaving_way"] == 5 for case in ends]),
        "low_risk_mortality": share([case["leaving_way"] == 5 for case in low]),
        "grouping_rate": Fraction(len(grouped), len(own)),
        "ambiguous_rate": share([status_of(case) == "ambiguous" for case in own]),
        "mcc_rate": share([s == "MCC" for s in severity]),
        "cc_rate": share([s == "CC" for s in severity]),
        "mcc_cc_rate": share([s in ("MCC", "CC") for s in severity]),
        "high_outlier_share": share([c == "high_cost" for c in classes]),
        "low_outlier_share": share([c == "low_cost" for c in classes]),
        "drug_share": fees("drug_cost"),
        "consumable_share": fees("consumable_cost"),
        "readmission_rate": share(back),
    }
