"""What a case earns under a policy, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drgcore.points.case_rules import CostRule
from drgcore.points.coefficient_rules import (
    Component,
    ConstantComponent,
    HospitalComponent,
    LevelComponent,
)
from drgcore.points.list_rules import CaseFactor, ReviewQuota
from drgcore.points.pieces import piece_texts
from drgcore.points.policy import Policy
from drgcore.points.wording import list_of, number, percent

_HIGH = {
    "none": "There is no class of high-cost outliers.",
    "added": "It earns P·k + P·((C − U)/m − hi).",
    "added_capped": "It earns P·k + P·((C − U)/m − hi), the added part at most {cap} times P.",
    "added_reviewed": "It earns P·k, and of P·((C − U)/m − hi) what a review grants.",
    "capped_at_hi": "It earns P·min((C − U)/m, hi).",
    "by_cost": "It earns (C − U)/mean · scale · {rate}.",
    "outside": "It is outside the points and paid by item.",
}
_LOW = {
    "none": "There is no class of low-cost outliers.",
    "proportional": "It earns P·C/m, and at most P·k.",
    "by_cost": "It earns (C − U)/mean · scale · {rate}.",
    "outside": "It is outside the points and paid by item.",
}
_TAKEN = {
    "own_level": "that of the hospital's level",
    "next_higher_level": "that of the next higher level",
    "next_lower_level": "that of the next lower level",
    "constant": "1",
}
_ROUNDED = {"down": "rounded down", "nearest": "rounded to the nearest", "up": "rounded up"}


def case_sentences(policy: Policy) -> list[tuple[str, list[str]]]:
    """Write the part of a policy that says what a case earns.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.

    Returns
    -------
    list of (heading, sentences)
        Every parameter that a rule uses, with its unit.

    Examples
    --------
    >>> dict(case_sentences(Policy.load("example")))["Outliers"][1]
    'It earns P·k + P·((C − U)/m − hi).'
    """
    return [
        ("Base points", list(_base(policy))),
        ("Outliers", list(_outliers(policy))),
        ("Paid by cost", list(_by_cost(policy))),
        ("Hospital's coefficient", list(_coefficients(policy))),
        ("Lists and exclusions", list(_lists(policy))),
    ]


def _base(policy: Policy) -> Iterator[str]:
    rules, places, stability = policy.base_points, policy.rounding, policy.stability
    origin = rules.file or f"an inline table of {len(rules.groups or {})} DRGs"
    yield (
        f"Base points of each DRG come from {origin} ({rules.holds}); the scale is "
        f"{number(rules.scale)} points for relative weight 1, the mean cost of all cases "
        f"{rules.mean_cost:,.2f} yuan."
    )
    if rules.factor != 1:
        yield f"Base points that are not frozen are multiplied by {number(rules.factor)}."
    for tier in rules.tiers:
        whom = [f"of level {list_of(tier.levels)}"] if tier.levels else []
        whom += [list_of(tier.hospitals)] if tier.hospitals else []
        own = tier.file or (f"an inline table of {len(tier.groups)} DRGs" if tier.groups else "")
        table = f" base points from {own}" if own else " the same base points"
        times = f", times {number(tier.factor)}" if tier.factor != 1 else ""
        yield f"Hospitals {' and '.join(whom)} ({tier.name}) have{table}{times}."
    if rules.frozen:
        agreed = list_of([f"{drg} {number(points)}" for drg, points in rules.frozen.items()])
        yield f"Agreed with the hospitals, and frozen whatever the table says: {agreed} points."
    derived = "P / scale × mean cost" if rules.group_means == "derived" else "the table's mean_cost"
    yield f"The mean cost m of a DRG is {derived}."
    yield {
        "error": "A DRG without base points is an error.",
        "by_cost": "A case of a DRG without base points earns (C − U)/mean · scale · "
        f"{number(rules.missing_rate)}.",
        "outside": "A case of a DRG without base points is outside the points.",
    }[rules.missing]
    yield {
        "test": f"A group is stable with at least {stability.n_min} cases and a CV of at most "
        f"{number(stability.cv_max)}.",
        "column": "Whether a group is stable stands in the table.",
        "all_stable": "All groups are stable.",
    }[stability.rule]
    yield (
        f"Halves are rounded up: base points to {places.base_points}, coefficients to "
        f"{places.coefficient}, a case's points to {places.points} decimals."
    )


def _outliers(policy: Policy) -> Iterator[str]:
    high, low = policy.outliers.high, policy.outliers.low
    if policy.outliers.pieces:
        yield "Points follow C/m in pieces, P·k where nothing else is said:"
        yield from (f"{text}." for text in piece_texts(policy.outliers.pieces))
        yield _unreasonable(policy)
        return
    if high.multiples is not None and high.rule != "none":
        yield f"A case is high-cost with C > hi·m; hi by base points is {high.multiples}."
    for level, bands in high.multiples_by_level.items():
        yield f"In hospitals of level {level} hi by base points is {bands}."
    if high.quota is not None:
        whose = "hospital's" if high.quota.among == "hospital" else "DRG's"
        yield (
            f"Only the dearest {percent(high.quota.share)} of a {whose} cases of the "
            f"{_period(high.quota.period)} are high-cost, by C/m with ties in order of case id, "
            f"{_ROUNDED[high.quota.rounding]}; the others are normal."
        )
    yield _HIGH[high.rule].format(cap=number(high.cap), rate=number(high.rate))
    if low.multiples is not None and low.rule != "none":
        yield f"A case is low-cost with C < lo·m; lo by base points is {low.multiples}."
    for level, bands in low.multiples_by_level.items():
        yield f"In hospitals of level {level} lo by base points is {bands}."
    yield _LOW[low.rule].format(rate=number(low.rate))
    yield _unreasonable(policy)


def _unreasonable(policy: Policy) -> str:
    deducted = policy.costs.unreasonable == "deducted"
    return "U is the cost found unreasonable." if deducted else "U, unreasonable cost, is not used."


def _period(kind: str) -> str:
    return kind.replace("_", " ")


def _by_cost(policy: Policy) -> Iterator[str]:
    rules = policy.by_cost
    for name, rule in (
        ("a group that is not stable", rules.unstable),
        ("an ambiguous group", rules.ambiguous),
        ("no group", rules.ungrouped),
        ("a record that cannot be grouped", rules.invalid),
    ):
        yield f"A case of {name} {_paid(rule)}."
    review = policy.special_review
    if review is None:
        yield "There is no special review."
    elif review.without_points == "error":
        yield "A case of special review earns the panel's points."
    else:
        yield (
            "A case of special review earns the panel's points, or without them (C − U)/mean · "
            f"scale · {number(review.rate)}."
        )
    if review is not None and review.quota is not None:
        yield from _review_quota(review.quota)


def _review_quota(quota: ReviewQuota) -> Iterator[str]:
    if isinstance(quota.share, dict):
        share = list_of([f"level {level} {percent(part)}" for level, part in quota.share.items()])
    else:
        share = percent(quota.share)
    which = "filed for" if quota.counts == "filed" else "granted"
    yield (
        f"Special reviews {which} are at most this share of a hospital's cases with a DRG in the "
        f"{_period(quota.period)}: {share}, {_ROUNDED[quota.rounding]}."
    )
    if quota.deadline_days is not None:
        kind = "working days" if quota.deadline_counts == "working" else "days"
        yield (
            f"They are filed within {quota.deadline_days} {kind} after the end of the "
            f"{_period(quota.period)}."
        )


def _paid(rule: CostRule) -> str:
    if rule.rule == "outside":
        return "is outside the points"
    return f"earns (C − U)/mean · scale · {number(rule.rate)}"


def _coefficients(policy: Policy) -> Iterator[str]:
    rules = policy.coefficients
    yield "k is the sum of its components, each times its weight."
    yield from (_component(component) for component in rules.components)
    if rules.minimum is not None:
        yield f"k is at least {number(rules.minimum)}."
    if rules.maximum is not None:
        yield f"k is at most {number(rules.maximum)}."
    for part in rules.components:
        for fallback in part.fallbacks:
            of = f" in component {fallback.of}" if fallback.of else ""
            yield (
                f"Where component {part.name} has none, or what stands before this has none: "
                f"{number(fallback.factor)} times {_TAKEN[fallback.take]}{of}."
            )
    if rules.level_order:
        yield f"Levels from the lowest to the highest: {list_of(rules.level_order)}."
    if rules.same_price:
        yield f"k is 1 everywhere for {list_of(rules.same_price)}."
    for scheme in rules.same_price_lists:
        yield f"k is 1 everywhere for the basic groups (基层病组) of {scheme}."


def _component(part: Component) -> str:
    start = f"Component {part.name}, weight {number(part.weight)}:"
    if isinstance(part, ConstantComponent):
        return f"{start} {number(part.value)}."
    if isinstance(part, LevelComponent):
        levels = [f"level {level} {number(k)}" for level, k in part.levels.items()]
        return f"{start} {list_of(levels)}."
    if isinstance(part, HospitalComponent):
        each = list_of([f"{hospital} {number(k)}" for hospital, k in part.hospitals.items()])
    else:
        by = "hospital and DRG" if part.method == "hospital_drg" else "mean cost of level and DRG"
        each = f"by {by} from {part.file}"
    rest = "an error" if part.otherwise is None else number(part.otherwise)
    return f"{start} {each}; otherwise {rest}."


def _lists(policy: Policy) -> Iterator[str]:
    for rule in policy.exclusions:
        nothing = ["nothing is borne by the fund"] if rule.no_fund_part else []
        given = " and ".join([*rule.texts(), *nothing])
        yield f"Outside the points ({rule.reason}): cases of which {given}."
    for item in policy.fixed_price:
        groups = f" and cases of {list_of(item.groups)}" if item.groups not in ((), "all") else ""
        groups = " and all others" if item.groups == "all" else groups
        earned = (
            f"{number(item.points)} points"
            if item.points is not None
            else f"{number(item.share_of_base)} · P"
        )
        yield (
            f"Fixed price {item.name}: {earned} for cases marked with it{groups}"
            f"{_further(item.model_copy(update={'groups': ()}).texts())}."
        )
    for bed in policy.bed_day:
        tiers = (
            "earn L times the points per day, by L"
            if bed.tiers == "whole"
            else "earn for each day the points of its tier"
        )
        given = " and ".join(bed.texts())
        yield f"Bed-day {bed.name}: cases of which {given} {tiers}: {bed.points_per_day}."
    if policy.factors is not None:
        yield from (_factor(factor) for factor in policy.factors.each)
        limits = [
            f"at least {number(policy.factors.minimum)}" if policy.factors.minimum else "",
            f"at most {number(policy.factors.maximum)}" if policy.factors.maximum else "",
        ]
        within = " and ".join(text for text in limits if text)
        product = f"; their product is {within}" if within else ""
        yield f"All factors of a case are multiplied{product}."
    for stay in policy.readmissions:
        groups = {"drg": "of one DRG", "adrg": "of one ADRG", "any": "of any groups"}[stay.same]
        where = "in one hospital" if stay.hospital == "same" else "in any hospitals"
        exempt = f", but not of {list_of(stay.exempt)}" if stay.exempt else ""
        yield (
            f"Two stays of a patient {groups} {where}{exempt}, the later begun at most "
            f"{stay.within_days} days after the earlier: {stay.kind}, a violation with the earlier."
        )


def _factor(factor: CaseFactor) -> str:
    each = [f"{hospital} {number(value)}" for hospital, value in factor.by_hospital.items()]
    if factor.value is not None:
        each.append(f"{'others ' * bool(each)}{number(factor.value)}")
    given = " and ".join(factor.texts())
    of_which = f" of which {given}" if given else ""
    return (
        f"Factor {factor.name} on points of class {list_of(factor.classes)}: {list_of(each)} for "
        f"cases{of_which}."
    )


def _further(conditions: Sequence[str]) -> str:
    return f", where {' and '.join(conditions)}" if conditions else ""
