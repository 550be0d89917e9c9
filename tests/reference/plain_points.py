"""Points of one case at a time in exact decimals, straight from the policy's tables.

Slow and plain on purpose: it shares no code with drgcore.points but the policy's models, so that a
slip in the fast engine shows as a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

from drgcore.points.policy import Policy


@dataclass(frozen=True)
class PlainPoints:
    """Class and points of one case; `exact` is what was rounded last."""

    case_class: str
    points: Decimal
    base: Decimal | None = None
    coefficient: Decimal | None = None
    added: Decimal = Decimal(0)
    near_tie: bool = False


class PlainError(Exception):
    """The policy lacks a number for the case."""


def plain_points(
    case: dict[str, Any], policy: Policy, decision: tuple[str, Any] | None = None
) -> PlainPoints:
    """Classify a case and compute its points."""
    cost = Fraction(str(case["total_cost"]))
    used = policy.costs.unreasonable == "deducted"
    net = cost - (Fraction(str(case["unreasonable_cost"])) if used else 0)
    drg, level = case.get("drg"), case.get("hospital_level")
    days = case["length_of_stay"]

    for rule in policy.exclusions:
        conditions = []
        if rule.above_days is not None:
            conditions.append(days > rule.above_days)
        if rule.no_fund_part:
            conditions.append(cost - Fraction(str(case["patient_paid"])) <= 0)
        if rule.groups:
            conditions.append(_in(rule.groups, drg))
        if rule.pools:
            conditions.append(case["pool"] in rule.pools)
        if rule.hospitals:
            conditions.append(case["hospital"] in rule.hospitals)
        if rule.flag:
            conditions.append(case[rule.flag])
        if all(conditions):
            return PlainPoints("outside", Decimal(0))

    if decision is not None and decision[0] == "special":
        review = policy.special_review
        assert review is not None
        if decision[1] is not None:
            return _done(policy, "special_review", Fraction(str(decision[1])))
        if review.without_points == "error":
            raise PlainError("panel")
        return _by_cost(policy, "special_review", net, review.rate)

    for item in policy.fixed_price:
        listed = case.get("list_item") == item.name or _in(item.groups, drg)
        short = item.up_to_days is None or days <= item.up_to_days
        if listed and short and (item.levels is None or level in item.levels):
            return _done(policy, "fixed_price", Fraction(item.points))

    for bed in policy.bed_day:
        here = bed.levels is None or level in bed.levels
        if _in(bed.groups, drg) and here and days > bed.above_days:
            return _done(policy, "bed_day", _band(bed.points_per_day, Fraction(days)) * days)

    for status in ("invalid", "ungrouped", "ambiguous"):
        if case["status"] == status:
            return _class_by_cost(policy, status, net, getattr(policy.by_cost, status))

    groups = policy.base_points.groups or {}
    row = groups.get(drg)
    if row is None:
        rules = policy.base_points
        if rules.missing == "error":
            raise PlainError("base points")
        if rules.missing == "outside":
            return PlainPoints("outside", Decimal(0))
        return _by_cost(policy, "no_base_points", net, rules.missing_rate)
    if not _stable(policy, row):
        return _class_by_cost(policy, "unstable", net, policy.by_cost.unstable)

    scale, mean_all = Fraction(policy.base_points.scale), Fraction(policy.base_points.mean_cost)
    agreed = policy.base_points.frozen.get(drg)
    if agreed is not None:
        said = Fraction(agreed)
    elif policy.base_points.holds == "base_points":
        said = Fraction(row.base_points)
    else:
        said = Fraction(row.relative_weight) * scale
    before = base = _round(said, policy.rounding.base_points)[0]
    if agreed is None:
        factor = Fraction(policy.base_points.factor)
        base = _round(said * factor, policy.rounding.base_points)[0]
    if policy.base_points.group_means == "derived":
        mean = Fraction(before) / scale * mean_all
    else:
        mean = Fraction(row.mean_cost) if row.mean_cost is not None else None
    k, k_tie = _coefficient(policy, case["hospital"], level, drg)

    high, low = policy.outliers.high, policy.outliers.low
    whole, tie = _round(Fraction(base) * Fraction(k), policy.rounding.points)
    tie = tie or k_tie
    if high.rule != "none":
        hi = _band(high.multiples, Fraction(base))
        if cost > hi * mean:
            over = net / mean
            if high.rule == "by_cost":
                return _by_cost(policy, "high_cost", net, high.rate)
            if high.rule == "capped_at_hi":
                return _done(policy, "high_cost", Fraction(base) * min(over, hi))
            added = Fraction(base) * max(over - hi, Fraction(0))
            if high.rule == "added_capped":
                added = min(added, Fraction(base) * Fraction(high.cap))
            if high.rule == "added_reviewed":
                if decision is None or decision[0] != "added":
                    added = Fraction(0)
                elif decision[1] is not None:
                    added = Fraction(str(decision[1]))
            part, part_tie = _round(added, policy.rounding.points)
            return PlainPoints("high_cost", whole + part, base, k, part, tie or part_tie)
    if low.rule != "none":
        lo = _band(low.multiples, Fraction(base))
        if cost < lo * mean:
            if low.rule == "by_cost":
                return _by_cost(policy, "low_cost", net, low.rate)
            part, part_tie = _round(Fraction(base) * cost / mean, policy.rounding.points)
            return PlainPoints("low_cost", min(part, whole), base, k, Decimal(0), tie or part_tie)
    return PlainPoints("normal", whole, base, k, Decimal(0), tie)


def _class_by_cost(policy: Policy, name: str, net: Fraction, rule: Any) -> PlainPoints:
    if rule.rule == "outside":
        return PlainPoints("outside", Decimal(0))
    return _by_cost(policy, name, net, rule.rate)


def _by_cost(policy: Policy, name: str, net: Fraction, rate: Any) -> PlainPoints:
    scale, mean = Fraction(policy.base_points.scale), Fraction(policy.base_points.mean_cost)
    return _done(policy, name, net / mean * scale * Fraction(rate))


def _done(policy: Policy, name: str, exact_points: Fraction) -> PlainPoints:
    points, tie = _round(exact_points, policy.rounding.points)
    return PlainPoints(name, points, near_tie=tie)


def _coefficient(policy: Policy, hospital: str, level: Any, drg: str) -> tuple[Decimal, bool]:
    rules = policy.coefficients
    if _in(rules.same_price, drg):
        return Decimal(1), False
    total = Fraction(0)
    for part in rules.components:
        if part.method == "constant":
            value = part.value
        elif part.method == "level":
            value = part.levels.get(level)
        elif part.method == "hospital":
            value = part.hospitals.get(hospital, part.otherwise)
        else:
            value = _from_file(policy, part, hospital, level, drg)
        if value is None:
            raise PlainError("coefficient")
        total += Fraction(part.weight) * Fraction(value)
    if rules.minimum is not None:
        total = max(total, Fraction(rules.minimum))
    if rules.maximum is not None:
        total = min(total, Fraction(rules.maximum))
    return _round(total, policy.rounding.coefficient)


def _from_file(policy: Policy, part: Any, hospital: str, level: Any, drg: str) -> Any:
    lines = policy.path_of(part.file).read_text("utf-8").splitlines()
    names = lines[0].split(",")
    for line in lines[1:]:
        row = dict(zip(names, line.split(","), strict=True))
        if part.method == "hospital_drg":
            if (row["hospital"], row["drg"]) == (hospital, drg):
                return Fraction(row["coefficient"])
        elif (row["level"], row["drg"]) == (level, drg):
            return Fraction(row["level_mean_cost"]) / Fraction(row["regional_mean_cost"])
    return part.otherwise


def _stable(policy: Policy, row: Any) -> bool:
    rule = policy.stability
    if rule.rule == "test":
        return row.cases >= rule.n_min and row.cv <= rule.cv_max
    return rule.rule == "all_stable" or row.stable


def _band(bands: Any, value: Fraction) -> Fraction:
    for limit, result in zip(bands.limits, bands.values, strict=False):
        if value <= Fraction(str(limit)):
            return Fraction(str(result))
    return Fraction(str(bands.values[-1]))


def _in(groups: Any, drg: Any) -> bool:
    return bool(drg) and any(g in (drg, drg[:3], "MDC" + drg[0]) for g in groups)


def _round(value: Fraction, places: int) -> tuple[Decimal, bool]:
    """Round half up; say whether the value lies so near a half, but not on it, that floats may
    round the other way (and then by one unit only)."""
    scaled = value * 10**places
    part = scaled - (scaled.numerator // scaled.denominator)
    near = part != Fraction(1, 2) and abs(part - Fraction(1, 2)) < Fraction(1, 10**7)
    with localcontext(prec=60):
        exact = Decimal(scaled.numerator) / Decimal(scaled.denominator)
        whole = exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return whole.scaleb(-places), near
