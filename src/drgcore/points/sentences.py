"""A policy as sentences, for a person who checks it against the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drgcore.points.case_rules import (
    Component,
    ConstantComponent,
    CostRule,
    HospitalComponent,
    LevelComponent,
)
from drgcore.points.fund_sentences import fund_parts, list_of, number
from drgcore.points.policy import Policy

_HIGH = {
    "none": "There is no class of high-cost outliers.",
    "added": "It earns P·k + P·((C − U)/m − hi).",
    "added_capped": "It earns P·k + P·((C − U)/m − hi), the added part at most {cap} times P.",
    "added_reviewed": "It earns P·k, and of P·((C − U)/m − hi) what a review grants.",
    "capped_at_hi": "It earns P·min((C − U)/m, hi).",
    "by_cost": "It earns (C − U)/mean · scale · {rate}.",
}
_LOW = {
    "none": "There is no class of low-cost outliers.",
    "proportional": "It earns P·C/m, and at most P·k.",
    "by_cost": "It earns (C − U)/mean · scale · {rate}.",
}


def policy_sentences(policy: Policy) -> list[tuple[str, list[str]]]:
    """Write a policy as sentences under headings.

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
    >>> parts = dict(policy_sentences(Policy.load("example")))
    >>> parts["Base points"][0]
    'Base points of each DRG come from example-base-points.csv (base_points); the scale is 100 \
points for relative weight 1, the mean cost of all cases 10,000.00 yuan.'
    """
    return [
        ("Policy", list(_policy(policy))),
        ("Base points", list(_base(policy))),
        ("Outliers", list(_outliers(policy))),
        ("Paid by cost", list(_by_cost(policy))),
        ("Hospital's coefficient", list(_coefficients(policy))),
        ("Lists and exclusions", list(_lists(policy))),
        *fund_parts(policy),
    ]


def _policy(policy: Policy) -> Iterator[str]:
    if policy.fictitious:
        yield "This policy is FICTITIOUS: its numbers are invented and are no region's."
    until = f" to {policy.effective_to}" if policy.effective_to else ""
    yield f"{policy.title or policy.name} applies from {policy.effective_from}{until}."
    yield f"Source: {policy.source}."
    yield from (f"The source states: {text}." for text in policy.states)
    yield from (f"The user fills in: {text}." for text in policy.fill_in)
    yield from (f"Article for {step}: {text}" for step, text in policy.articles.items())


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
    if high.multiples is not None and high.rule != "none":
        yield f"A case is high-cost with C > hi·m; hi by base points is {high.multiples}."
    yield _HIGH[high.rule].format(cap=number(high.cap), rate=number(high.rate))
    if low.multiples is not None and low.rule != "none":
        yield f"A case is low-cost with C < lo·m; lo by base points is {low.multiples}."
    yield _LOW[low.rule].format(rate=number(low.rate))
    deducted = policy.costs.unreasonable == "deducted"
    yield "U is the cost found unreasonable." if deducted else "U, unreasonable cost, is not used."


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
    if rules.same_price:
        yield f"k is 1 everywhere for {list_of(rules.same_price)}."


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
        conditions = [
            f"L > {rule.above_days} days" if rule.above_days is not None else "",
            "nothing is borne by the fund" if rule.no_fund_part else "",
            f"the group is {list_of(rule.groups)}" if rule.groups else "",
            f"the pool is {list_of(rule.pools)}" if rule.pools else "",
            f"the hospital is {list_of(rule.hospitals)}" if rule.hospitals else "",
            f"{rule.flag} is true" if rule.flag else "",
        ]
        given = " and ".join(text for text in conditions if text)
        yield f"Outside the points ({rule.reason}): cases of which {given}."
    for item in policy.fixed_price:
        days = f" up to {item.up_to_days} days" if item.up_to_days is not None else ""
        groups = f" and cases of {list_of(item.groups)}{days}" if item.groups else days
        yield (
            f"Fixed price {item.name}: {number(item.points)} points for cases marked with it"
            f"{groups}{_levels(item.levels)}."
        )
    for bed in policy.bed_day:
        yield (
            f"Bed-day {bed.name}: stays of more than {bed.above_days} days in {list_of(bed.groups)}"
            f"{_levels(bed.levels)} earn L times the points per day, by L: {bed.points_per_day}."
        )


def _levels(levels: Sequence[str] | None) -> str:
    return "" if levels is None else f" in hospitals of level {list_of(levels)}"
