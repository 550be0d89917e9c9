"""Points of one case at a time in exact decimals, straight from the policy's tables.

Slow and plain on purpose: it shares no code with drgcore.points but the policy's models, so that a
slip in the fast engine shows as a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

from drgcore.points.policy import Policy
from drgcore.schemes.lists import code_lists


@dataclass(frozen=True)
class PlainPoints:
    """Class and points of one case; `exact` is what was rounded last."""

    case_class: str
    points: Decimal
    base: Decimal | None = None
    coefficient: Decimal | None = None
    added: Decimal = Decimal(0)
    near_tie: bool = False
    ratio: Fraction = Fraction(0)
    by_item: str = ""


class PlainError(Exception):
    """The policy lacks a number for the case."""


def plain_points(
    case: dict[str, Any],
    policy: Policy,
    decision: tuple[str, Any] | None = None,
    beyond_quota: bool = False,
) -> PlainPoints:
    """Classify a case and compute its points, factors included."""
    found = _before_factors(case, policy, decision, beyond_quota)
    if policy.factors is None:
        return found
    product, some = Fraction(1), False
    for factor in policy.factors.each:
        value = factor.by_hospital.get(case["hospital"], factor.value)
        if found.case_class in factor.classes and value is not None and _all(factor, case):
            product *= Fraction(value)
            some = True
    if not some:
        return found
    if policy.factors.minimum is not None:
        product = max(product, Fraction(policy.factors.minimum))
    if policy.factors.maximum is not None:
        product = min(product, Fraction(policy.factors.maximum))
    points, tie = _round(Fraction(found.points) * product, policy.rounding.points)
    return replace(found, points=points, near_tie=found.near_tie or tie)


def plain_beyond_quota(
    cases: list[dict[str, Any]], policy: Policy, decisions: dict[str, tuple[str, Any]]
) -> set[str]:
    """Find the ids of the cases that a quota keeps from being high-cost."""
    quota = policy.outliers.high.quota
    if quota is None:
        return set()
    cells: dict[Any, list[tuple[Fraction, str, bool]]] = {}
    for case in cases:
        found = plain_points(case, policy, decisions.get(case["case_id"]))
        if found.case_class not in ("normal", "high_cost", "low_cost") and not found.by_item:
            continue
        owner = case["hospital"] if quota.among == "hospital" else case["drg"]
        day = case["discharge_date"]
        length = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}[quota.period]
        cell = (owner, day.year, (day.month - 1) // length)
        ratio = _round(found.ratio, 8)[0]
        dear = found.case_class == "high_cost" or found.by_item == "high"
        cells.setdefault(cell, []).append((-Fraction(ratio), case["case_id"], dear))
    beyond = set()
    for members in cells.values():
        exact = len(members) * Fraction(quota.share)
        whole = exact.numerator // exact.denominator
        part = exact - whole
        if (quota.rounding == "up" and part > 0) or (quota.rounding == "nearest" and part * 2 >= 1):
            whole += 1
        dear_ones = sorted(member for member in members if member[2])
        beyond |= {name for _, name, _ in dear_ones[whole:]}
    return beyond


def _before_factors(
    case: dict[str, Any], policy: Policy, decision: tuple[str, Any] | None, beyond_quota: bool
) -> PlainPoints:
    cost = Fraction(str(case["total_cost"]))
    used = policy.costs.unreasonable == "deducted"
    net = cost - (Fraction(str(case["unreasonable_cost"])) if used else 0)
    drg, level = case.get("drg"), case.get("hospital_level")
    days = case["length_of_stay"]

    for rule in policy.exclusions:
        conditions = [_all(rule, case)]
        if rule.no_fund_part:
            conditions.append(cost - Fraction(str(case["patient_paid"])) <= 0)
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
    if decision is not None and decision[0] == "outside":
        return PlainPoints("outside", Decimal(0))

    for item in policy.fixed_price:
        marked = case.get("list_item") == item.name
        listed = marked or (bool(item.groups) and _covered(item, drg))
        if listed and _all(item, case, but_groups=True):
            if item.points is not None:
                return _done(policy, "fixed_price", Fraction(item.points))
            base = _base(policy, case)[0]
            if base is None:
                raise PlainError("base points")
            return _done(policy, "fixed_price", Fraction(base) * Fraction(item.share_of_base))

    for bed in policy.bed_day:
        if _all(bed, case):
            if bed.tiers == "whole":
                points = _band(bed.points_per_day, Fraction(days)) * days
            else:
                points = sum(
                    (_band(bed.points_per_day, Fraction(day)) for day in range(1, days + 1)),
                    Fraction(0),
                )
            return _done(policy, "bed_day", points)

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

    base, mean = _base(policy, case)
    k, k_tie = _coefficient(policy, case["hospital"], level, drg)

    high, low = policy.outliers.high, policy.outliers.low
    whole, tie = _round(Fraction(base) * Fraction(k), policy.rounding.points)
    tie = tie or k_tie
    if policy.outliers.pieces:
        return _pieces(policy, cost, net, base, mean, k, whole, tie)
    ratio = cost / mean if mean else Fraction(0)
    lo_bands = low.multiples_by_level.get(level, low.multiples)
    hi_bands = high.multiples_by_level.get(level, high.multiples)
    if hi_bands is None and high.quota is not None:
        hi_bands = lo_bands
    if high.rule != "none":
        hi = Fraction(0) if hi_bands is None else _band(hi_bands, Fraction(base))
        if cost > hi * mean and not beyond_quota:
            if high.rule == "outside":
                return PlainPoints("outside", Decimal(0), ratio=ratio, by_item="high")
            over = net / mean
            if high.rule == "by_cost":
                return replace(_by_cost(policy, "high_cost", net, high.rate), ratio=ratio)
            if high.rule == "capped_at_hi":
                done = _done(policy, "high_cost", Fraction(base) * min(over, hi))
                return replace(done, ratio=ratio)
            added = Fraction(base) * max(over - hi, Fraction(0))
            if high.rule == "added_capped":
                added = min(added, Fraction(base) * Fraction(high.cap))
            if high.rule == "added_reviewed":
                if decision is None or decision[0] != "added":
                    added = Fraction(0)
                elif decision[1] is not None:
                    added = Fraction(str(decision[1]))
            part, part_tie = _round(added, policy.rounding.points)
            return PlainPoints("high_cost", whole + part, base, k, part, tie or part_tie, ratio)
    if low.rule != "none":
        lo = _band(lo_bands, Fraction(base))
        if cost < lo * mean:
            if low.rule == "outside":
                return PlainPoints("outside", Decimal(0), ratio=ratio, by_item="low")
            if low.rule == "by_cost":
                return _by_cost(policy, "low_cost", net, low.rate)
            part, part_tie = _round(Fraction(base) * cost / mean, policy.rounding.points)
            points = min(part, whole)
            return PlainPoints("low_cost", points, base, k, Decimal(0), tie or part_tie, ratio)
    return PlainPoints("normal", whole, base, k, Decimal(0), tie, ratio)


def _pieces(
    policy: Policy, cost: Fraction, net: Fraction, base: Decimal, mean: Fraction,
    k: Decimal, whole: Decimal, tie: bool,
) -> PlainPoints:  # fmt: skip
    ratio = cost / mean
    for piece in policy.outliers.pieces:
        up_to = None if piece.up_to is None else Fraction(piece.up_to)
        if up_to is None or ratio < up_to or (ratio == up_to and piece.limit == "this"):
            break
    if piece.rule == "outside":
        return PlainPoints("outside", Decimal(0))
    if piece.rule == "by_cost":
        return _by_cost(policy, piece.case_class, net, piece.rate)
    x = ratio if piece.x == "C/m" else net / mean
    part = Fraction(base) * (Fraction(piece.a) + Fraction(piece.b) * x)
    if piece.k == "times":
        part *= Fraction(k)
    if piece.cap == "P":
        part = min(part, Fraction(base) * Fraction(piece.cap_multiple))
    if piece.cap == "P·k":
        part = min(part, Fraction(base) * Fraction(k) * Fraction(piece.cap_multiple))
    points, part_tie = _round(max(part, Fraction(0)), policy.rounding.points)
    if piece.k == "plus":
        points += whole
    return PlainPoints(piece.case_class, points, near_tie=tie or part_tie)


def _base(policy: Policy, case: dict[str, Any]) -> tuple[Any, Any]:
    """Base points of a case's DRG for its hospital's tier, and m; None without either."""
    rules, drg = policy.base_points, case.get("drg")
    row = (rules.groups or {}).get(drg)
    if row is None:
        return None, None
    tier = None
    for each in rules.tiers:
        of_level = not each.levels or case.get("hospital_level") in each.levels
        if of_level and (not each.hospitals or case["hospital"] in each.hospitals):
            tier = each
            break
    own = (tier.groups or {}).get(drg) if tier is not None else None
    scale = Fraction(rules.scale)
    agreed = rules.frozen.get(drg)
    if agreed is not None:
        said = Fraction(agreed)
    elif rules.holds == "base_points":
        said = Fraction((own or row).base_points)
    else:
        said = Fraction((own or row).relative_weight) * scale
    before = base = _round(said, policy.rounding.base_points)[0]
    if agreed is None:
        factor = Fraction(rules.factor) * (Fraction(tier.factor) if tier is not None else 1)
        base = _round(said * factor, policy.rounding.base_points)[0]
    if rules.group_means == "derived":
        return base, Fraction(before) / scale * Fraction(rules.mean_cost)
    mean = own.mean_cost if own is not None and own.mean_cost is not None else row.mean_cost
    return base, None if mean is None else Fraction(mean)


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
    if _in(rules.same_price, drg) or any(
        drg in code_lists(scheme).basic_groups for scheme in rules.same_price_lists
    ):
        return Decimal(1), False
    total = Fraction(0)
    for part in rules.components:
        value = _component(policy, part, hospital, level, drg)
        for fallback in part.fallbacks:
            if value is not None:
                break
            value = _stand_in(policy, part, fallback, level, drg)
        if value is None:
            value = getattr(part, "otherwise", None)
        if value is None:
            raise PlainError("coefficient")
        total += Fraction(part.weight) * Fraction(value)
    if rules.minimum is not None:
        total = max(total, Fraction(rules.minimum))
    if rules.maximum is not None:
        total = min(total, Fraction(rules.maximum))
    return _round(total, policy.rounding.coefficient)


def _component(policy: Policy, part: Any, hospital: Any, level: Any, drg: str) -> Any:
    if part.method == "constant":
        return part.value
    if part.method == "level":
        return part.levels.get(level)
    if part.method == "hospital":
        return part.hospitals.get(hospital)
    return _from_file(policy, part, hospital, level, drg)


def _stand_in(policy: Policy, part: Any, fallback: Any, level: Any, drg: str) -> Any:
    if fallback.take == "constant":
        return Fraction(fallback.factor)
    order = list(policy.coefficients.level_order)
    step = {"own_level": 0, "next_higher_level": 1, "next_lower_level": -1}[fallback.take]
    if step:
        place = order.index(level) + step if level in order else -1
        level = order[place] if 0 <= place < len(order) else None
    name = fallback.of or part.name
    source = next(c for c in policy.coefficients.components if c.name == name)
    value = _component(policy, source, None, level, drg)
    return None if value is None else Fraction(value) * Fraction(fallback.factor)


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
    return None


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


def _all(rule: Any, case: dict[str, Any], but_groups: bool = False) -> bool:
    """Whether all conditions of a rule hold."""
    drg, days = case.get("drg"), case["length_of_stay"]
    held = [
        but_groups or not rule.groups or _covered(rule, drg),
        rule.above_days is None or days > rule.above_days,
        rule.from_days is None or days >= rule.from_days,
        rule.up_to_days is None or days <= rule.up_to_days,
        not rule.pools or case["pool"] in rule.pools,
        not rule.hospitals or case["hospital"] in rule.hospitals,
        rule.levels is None or case.get("hospital_level") in rule.levels,
        not rule.flag or case[rule.flag],
    ]
    for test in rule.tests:
        value = Fraction(str(case[test.column]))
        held += [
            test.at_least is None or value >= Fraction(test.at_least),
            test.above is None or value > Fraction(test.above),
            test.at_most is None or value <= Fraction(test.at_most),
            test.below is None or value < Fraction(test.below),
        ]
    return all(held)


def _covered(rule: Any, drg: Any) -> bool:
    return rule.groups == "all" or _in(rule.groups, drg)


def _in(groups: Any, drg: Any) -> bool:
    return bool(drg) and any(g in (drg, drg[:3], "MDC" + drg[0]) for g in groups)


def _round(value: Fraction, places: int) -> tuple[Decimal, bool]:
    """Round half up; say whether the value lies so near a half, but not on it, that floats may
    round the other way (and then by one unit only)."""
    scaled = value * 10**places
    part = scaled - (scaled.numerator // scaled.denominator)
    close = max(Fraction(1, 10**7), abs(scaled) / 2**48)
    near = part != Fraction(1, 2) and abs(part - Fraction(1, 2)) < close
    with localcontext(prec=60):
        exact = Decimal(scaled.numerator) / Decimal(scaled.denominator)
        whole = exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return whole.scaleb(-places), near
