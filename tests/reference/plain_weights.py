"""What history says, one group at a time with pandas: what drgcore.weights must agree with.

Slow and plain on purpose. It shares no code with drgcore.weights; sums are exact fractions where a
decision hangs on them, so that a case on a limit is on it here whatever floats make of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pandas as pd

STATUSES = ("grouped", "ambiguous", "ungrouped", "invalid")
Costs = list[Fraction]


def none(value: Any) -> bool:
    """Whether a cell holds nothing: null, NaN or an empty text."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def status_of(case: Mapping[str, Any]) -> str:
    """Give the status of a case; one without a group or a status is in no group."""
    drg = case.get("drg")
    if "status" not in case:
        return "ungrouped" if none(drg) else "grouped"
    status = case["status"]
    if none(status) or (status == "grouped" and none(drg)):
        return "ungrouped"
    assert status in STATUSES
    return str(status)


def why_left_out(case: Mapping[str, Any], cost: str = "total_cost") -> str | None:
    """Say why a case is no calibration case; None for one that is."""
    status = status_of(case)
    if status != "grouped":
        return status
    value = case[cost]
    if none(value) or math.isinf(value):
        return "cost_missing"
    if value < 0:
        return "cost_negative"
    return "cost_zero" if value == 0 else None


def prepared(cases: pd.DataFrame, cost: str = "total_cost") -> pd.DataFrame:
    """Give the usable cases with exact cost, their keys, and the row they came from."""
    rows = []
    for number, case in enumerate(records(cases)):
        if why_left_out(case, cost) is None:
            day = case.get("discharge_date")
            row = {"row": number, "cost": exact(case[cost]), "drg": case["drg"]}
            row |= {"adrg": case["drg"][:3], "mdc": f"MDC{case['drg'][0]}"}
            row |= {n: None if none(case.get(n)) else case[n]
                    for n in ("hospital", "hospital_level", "pool")}  # fmt: skip
            row["year"] = None if none(day) else day.year
            stay = case.get("length_of_stay")
            row["stay"] = None if none(stay) or math.isinf(stay) else float(stay)
            row["paid"] = case.get("patient_paid")
            rows.append(row)
    columns = ["row", "cost", "drg", "adrg", "mdc", "hospital", "hospital_level", "pool", "year",
               "stay", "paid"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns, dtype=object)


def records(cases: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the cases as dictionaries with None for nothing."""
    return cases.astype(object).where(cases.notna(), None).to_dict("records")


def exact(number: Any) -> Fraction:
    """Give a number as it is written in decimals."""
    return Fraction(repr(float(number)))


def mean(costs: Sequence[Fraction]) -> Fraction:
    """Give the mean."""
    return sum(costs, Fraction(0)) / len(costs)


def sd(costs: Sequence[Fraction]) -> float:
    """Give the standard deviation, divided by n."""
    middle = mean(costs)
    return math.sqrt(mean([(c - middle) ** 2 for c in costs]))


def quantile(costs: Sequence[Any], share: Any) -> Any:
    """Give a quantile, linear between neighbours."""
    ascending = sorted(costs)
    place = (len(ascending) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (ascending[above] - ascending[below]) * (place - below)


def trimmed(
    cases: pd.DataFrame, method: str, low: Any = None, high: Any = None
) -> tuple[list[bool], dict[str, dict[str, Any]]]:
    """Mark the cases that a method keeps, and report by DRG.

    ``none``, ``iqr``, ``log_iqr``, ``multiples``, ``percentiles`` or ``norm``, for which `high` is
    a dictionary by hospital level.
    """
    usable = prepared(cases)
    keep, table = [False] * len(cases), {}
    for drg, group in usable.groupby("drg", sort=True):
        costs = list(group["cost"])
        limits = _limits(costs, method, low, high)
        cut_low, cut_high = [], []
        for row in group.to_dict("records"):
            least, most = limits
            if method == "norm":
                most = exact(high[row["hospital_level"]]) * mean(costs)
            value = _ln(row["cost"]) if method == "log_iqr" else row["cost"]
            slack = Decimal("1e-30") if method == "log_iqr" else 0
            if least is not None and value - least < -slack:
                cut_low.append(row["cost"])
            elif most is not None and value - most > slack:
                cut_high.append(row["cost"])
            else:
                keep[row["row"]] = True
        cut = cut_low + cut_high
        if method == "log_iqr":
            limits = tuple(limit.exp() for limit in limits)
        table[str(drg)] = {
            "cases": len(costs),
            "kept": len(costs) - len(cut),
            "cut_low": len(cut_low),
            "cut_high": len(cut_high),
            "low": -math.inf if limits[0] is None else float(limits[0]),
            "high": math.inf if limits[1] is None else float(limits[1]),
            "cost_cut": float(sum(cut, Fraction(0))),
            "share_cut": len(cut) / len(costs),
        }
    return keep, table


def _limits(costs: Costs, method: str, low: Any, high: Any) -> Any:
    if method == "none":
        return None, None
    if method == "percentiles":
        return quantile(costs, exact(low) / 100), quantile(costs, exact(high) / 100)
    if method == "multiples":
        return exact(low) * mean(costs), exact(high) * mean(costs)
    if method == "norm":
        return exact(low) * mean(costs), max(exact(h) for h in high.values()) * mean(costs)
    if method == "log_iqr":
        with localcontext() as context:
            context.prec = 60
            logs = [_ln(cost) for cost in costs]
            first, third = quantile(logs, Decimal("0.25")), quantile(logs, Decimal("0.75"))
            spread = third - first
            return first - Decimal(str(low)) * spread, third + Decimal(str(high)) * spread
    first, third = quantile(costs, Fraction(1, 4)), quantile(costs, Fraction(3, 4))
    return first - exact(low) * (third - first), third + exact(high) * (third - first)


def _ln(cost: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return +(Decimal(cost.numerator) / Decimal(cost.denominator)).ln()


def kept(cases: pd.DataFrame, keep: Sequence[bool] | None) -> pd.DataFrame:
    """Give the usable cases that a trimming keeps."""
    usable = prepared(cases)
    if keep is None:
        return usable
    return usable.loc[[bool(keep[row]) for row in usable["row"]]]


def statistics(
    cases: pd.DataFrame,
    by: Sequence[str],
    keep: Sequence[bool] | None = None,
    shares: Sequence[float] = (0.25, 0.5, 0.75),
    n_min: int = 5,
    cv_max: float = 1.0,
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Describe each combination of keys, in their order, those without a value first."""
    result = {}
    usable = kept(cases, keep)
    combinations = {tuple(row) for row in usable[list(by)].itertuples(index=False)}
    order = sorted(combinations, key=lambda key: [(part is not None, part or 0) for part in key])
    for key in order:
        here = [tuple(row) == key for row in usable[list(by)].itertuples(index=False)]
        group = usable[here]
        costs = list(group["cost"])
        stays = [stay for stay in group["stay"] if stay is not None]
        cv = sd(costs) / float(mean(costs))
        result[key] = {
            "cases": len(costs),
            "total_cost": float(sum(costs)),
            "mean_cost": float(mean(costs)),
            "sd": sd(costs),
            "cv": cv,
            "min": float(min(costs)),
            **{f"q{share * 100:g}": float(quantile(costs, exact(share))) for share in shares},
            "max": float(max(costs)),
            "mean_stay": sum(stays) / len(stays) if stays else math.nan,
            "median_stay": quantile(stays, 0.5) if stays else math.nan,
            "stable": len(costs) >= n_min and round(cv, 6) <= cv_max,
        }
    return result


def weights(
    cases: pd.DataFrame,
    *,
    scale: float,
    keep: Sequence[bool] | None = None,
    n_min: int = 5,
    cv_max: float = 1.0,
    year_weights: Mapping[int, Any] | None = None,
    year_method: str = "of_means",
    towards: str | None = None,
    k: Any = None,
    national: Mapping[str, float] | None = None,
    drgs: Sequence[str] = (),
    absent: Sequence[str] = (),
) -> tuple[dict[str, dict[str, Any]], float, float | None]:
    """Relative weights and base points by DRG; mean cost of the region; k."""
    usable = kept(cases, keep)
    counted = {y: exact(w) for y, w in year_weights.items() if w > 0} if year_weights else None
    if counted is not None:
        usable = usable.loc[[year in counted for year in usable["year"]]]
    region = _mean_of(usable, usable, counted, "of_means")
    assert region is not None
    rows: dict[str, dict[str, Any]] = {}
    for drg in sorted(set(usable["drg"]) | set(drgs)):
        group = usable[usable["drg"] == drg]
        costs = list(group["cost"])
        own = _mean_of(group, usable, counted, year_method)
        of_adrg = _mean_of(usable[usable["adrg"] == drg[:3]], usable, counted, year_method)
        cv = sd(costs) / float(mean(costs)) if costs else math.nan
        few, wild = len(costs) < n_min, not round(cv, 6) <= cv_max
        rows[drg] = {
            "cases": len(costs),
            "years": len(set(group["year"])) if counted is not None else 0,
            "mean_cost": math.nan if own is None else float(own),
            "sd": sd(costs) if costs else math.nan,
            "cv": cv,
            "stable": not few and not wild,
            "why_unstable": "few_cases" if few else "high_cv" if wild else "",
            "own_weight": None if own is None else own / region,
            "adrg": None if of_adrg is None else of_adrg / region,
            "national": exact(national[drg]) if national and drg in national else None,
            "squares": float(sum((c - mean(costs)) ** 2 for c in costs) / region**2),
        }
    if towards is not None and k == "buhlmann":
        k = buhlmann(rows, towards)
    for drg, row in rows.items():
        own, target = row["own_weight"], row[towards] if towards else None
        z, source = (0.0, "none") if own is None else (1.0, "history")
        weight = own
        if own is not None and target is not None:
            z = 0.0 if math.isinf(k) else row["cases"] / (row["cases"] + k)
            weight = z * float(own) + (1 - z) * float(target)
            source = "smoothed" if z < 1 else source
        row["target"] = None if own is None else target
        for other in absent:
            if source == "none" and row[other] is not None:
                weight, source = row[other], other
        row |= {"credibility": z, "source": source, "drg": drg}
        for name, value in (("relative_weight", weight), ("target", row["target"])):
            row[name] = math.nan if value is None else float(value)
        row["base_points"] = row["relative_weight"] * scale
        row["own_weight"] = math.nan if own is None else float(own)
    return rows, float(region), None if k is None else float(k)


def _mean_of(
    part: pd.DataFrame, whole: pd.DataFrame, weights: Mapping[int, Fraction] | None, method: str
) -> Fraction | None:
    """Mean cost of a part of the cases; None where there is none."""
    if not len(part):
        return None
    if weights is None:
        return mean(list(part["cost"]))
    above, below = Fraction(0), Fraction(0)
    for year, group in part.groupby("year"):
        if method == "of_means":
            above += weights[int(year)] * mean(list(group["cost"]))
            below += weights[int(year)]
        else:
            each = weights[int(year)] / int((whole["year"] == year).sum())
            above += each * sum(group["cost"])
            below += each * len(group)
    return above / below


def buhlmann(rows: Mapping[str, Mapping[str, Any]], towards: str) -> float:
    """Estimate k: variance within groups over variance between groups of one family.

    Groups that are smoothed towards their ADRG are compared with the others of it, since its mean
    is made of them; those that are smoothed towards national weights with all others.
    """
    used = [row | {"drg": drg} for drg, row in rows.items()
            if row["own_weight"] is not None and row[towards] is not None]  # fmt: skip
    families: dict[str, list[Any]] = {}
    for row in used:
        families.setdefault(row["drg"][:3] if towards == "adrg" else "all", []).append(row)
    within_squares, freedom, between_squares, lost, room = 0.0, 0, 0.0, 0, 0.0
    for family in families.values():
        if len(family) < 2:
            continue
        n = [row["cases"] for row in family]
        ratio = [float(row["own_weight"] / row[towards]) for row in family]
        centre = sum(a * b for a, b in zip(n, ratio, strict=True)) / sum(n)
        between_squares += sum(a * (b - centre) ** 2 for a, b in zip(n, ratio, strict=True))
        lost += len(n) - 1
        room += sum(n) - sum(a * a for a in n) / sum(n)
        within_squares += sum(row["squares"] / float(row[towards]) ** 2 for row in family)
        freedom += sum(n) - len(n)
    if freedom < 1 or room <= 0:
        return math.nan
    within = within_squares / freedom
    between = (between_squares - lost * within) / room
    return within / between if between > 1e-12 else math.inf


def riv(costs: Sequence[Any], groups: Sequence[Any]) -> float:
    """Between-group over total sum of squares; NaN without variance."""
    if not costs:
        return math.nan
    frame = pd.DataFrame({"cost": list(costs), "group": list(groups)}, dtype=object)
    middle = sum(costs) / len(costs)
    whole = sum((c - middle) ** 2 for c in costs)
    if float(whole) <= 1e-18 * float(middle**2):
        return math.nan
    between = sum(
        len(g) * (sum(g["cost"]) / len(g) - middle) ** 2 for _, g in frame.groupby("group")
    )
    return float(between / whole)


def performance(
    cases: pd.DataFrame, keep: Sequence[bool] | None = None, n_min: int = 5
) -> dict[str, float]:
    """Measure a grouping."""
    usable = kept(cases, keep)
    groups = {drg: list(group["cost"]) for drg, group in usable.groupby("drg")}
    cv = {drg: sd(c) / float(mean(c)) for drg, c in groups.items() if len(c) >= 2}
    calm = [drg for drg in cv if cv[drg] < 1]
    statuses = [status_of(case) for case in records(cases)]

    def share(part: float, whole: float) -> float:
        return part / whole if whole else math.nan

    return {
        "riv": riv(list(usable["cost"]), list(usable["drg"])),
        "riv_log": riv([_ln(c) for c in usable["cost"]], list(usable["drg"])),
        "cv_below_1": share(len(calm), len(cv)),
        "cases_in_cv_below_1": share(sum(len(groups[drg]) for drg in calm), len(usable)),
        "grouping_rate": share(statuses.count("grouped"), len(statuses)),
        "ambiguous_rate": share(statuses.count("ambiguous"), len(statuses)),
        "groups": len(groups),
        "groups_below_n_min": sum(len(c) < n_min for c in groups.values()),
    }


def level_cost(
    cases: pd.DataFrame, n_min: int = 5, keep: Sequence[bool] | None = None
) -> dict[tuple[str, str], dict[str, float]]:
    """Mean cost of the level over the region's, by level and DRG."""
    usable = kept(cases, keep)
    result = {}
    for (level, drg), group in usable.groupby(["hospital_level", "drg"]):
        if len(group) >= n_min:
            own = mean(list(group["cost"]))
            region = mean(list(usable[usable["drg"] == drg]["cost"]))
            result[(str(level), str(drg))] = {
                "cases": len(group),
                "level_mean_cost": float(own),
                "regional_mean_cost": float(region),
                "coefficient": float(own / region),
            }
    return result


def cost_index(
    cases: pd.DataFrame, key: str, keep: Sequence[bool] | None = None
) -> dict[str, dict[str, float]]:
    """Cost over expected cost, case mix and patients' burden, by level or hospital."""
    usable = kept(cases, keep)
    means = {drg: mean(list(group["cost"])) for drg, group in usable.groupby("drg")}
    region = mean(list(usable["cost"])) if len(usable) else Fraction(0)
    with_paid = "patient_paid" in cases.columns
    all_paid = sum(map(exact, usable["paid"])) if with_paid else Fraction(0)
    result = {}
    for name, group in usable.groupby(key):
        cost = sum(group["cost"])
        expected = sum(means[drg] for drg in group["drg"])
        result[str(name)] = {
            "cases": len(group),
            "cost": float(cost),
            "expected_cost": float(expected),
            "coefficient": float(cost / expected),
            "case_mix": float(expected / len(group) / region),
        }
        if with_paid:
            paid = sum(map(exact, group["paid"]))
            share = all_paid / sum(usable["cost"])
            result[str(name)]["patient_burden"] = float(share / (paid / cost)) if paid else math.nan
    return result


def standardised(
    cases: pd.DataFrame, target: Mapping[str, Any]
) -> tuple[list[float], dict[str, float]]:
    """Standardised costs, and the factor of each category."""
    rows = records(cases[list(target)])
    good = [not any(none(v) or math.isinf(v) or v < 0 for v in row.values()) for row in rows]
    whole = [row for row, fine in zip(rows, good, strict=True) if fine]
    totals = {name: sum(exact(row[name]) for row in whole) for name in target}
    factors = {
        name: exact(share) / (totals[name] / sum(totals.values())) if totals[name] else Fraction(1)
        for name, share in target.items()
    }
    costs = [
        float(sum(exact(row[name]) * factors[name] for name in target)) if fine else math.nan
        for row, fine in zip(rows, good, strict=True)
    ]
    return costs, {name: float(factor) for name, factor in factors.items()}
