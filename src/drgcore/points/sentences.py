"""A policy as sentences, for a person who checks it against the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from drgcore.points.case_rules import (
    Component,
    ConstantComponent,
    CostRule,
    HospitalComponent,
    LevelComponent,
)
from drgcore.points.fund_rules import PoolBudget, Quality, SettlementUnit
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
        ("Budget", [text for item in policy.budget.pools.items() for text in _pool(*item)]),
        ("Year end", list(_year_end(policy))),
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
        f"{_number(rules.scale)} points for relative weight 1, the mean cost of all cases "
        f"{rules.mean_cost:,.2f} yuan."
    )
    if rules.factor != 1:
        yield f"Base points that are not frozen are multiplied by {_number(rules.factor)}."
    if rules.frozen:
        agreed = _list([f"{drg} {_number(points)}" for drg, points in rules.frozen.items()])
        yield f"Agreed with the hospitals, and frozen whatever the table says: {agreed} points."
    derived = "P / scale × mean cost" if rules.group_means == "derived" else "the table's mean_cost"
    yield f"The mean cost m of a DRG is {derived}."
    yield {
        "error": "A DRG without base points is an error.",
        "by_cost": "A case of a DRG without base points earns (C − U)/mean · scale · "
        f"{_number(rules.missing_rate)}.",
        "outside": "A case of a DRG without base points is outside the points.",
    }[rules.missing]
    yield {
        "test": f"A group is stable with at least {stability.n_min} cases and a CV of at most "
        f"{_number(stability.cv_max)}.",
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
    yield _HIGH[high.rule].format(cap=_number(high.cap), rate=_number(high.rate))
    if low.multiples is not None and low.rule != "none":
        yield f"A case is low-cost with C < lo·m; lo by base points is {low.multiples}."
    yield _LOW[low.rule].format(rate=_number(low.rate))
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
            f"scale · {_number(review.rate)}."
        )


def _paid(rule: CostRule) -> str:
    if rule.rule == "outside":
        return "is outside the points"
    return f"earns (C − U)/mean · scale · {_number(rule.rate)}"


def _coefficients(policy: Policy) -> Iterator[str]:
    rules = policy.coefficients
    yield "k is the sum of its components, each times its weight."
    yield from (_component(component) for component in rules.components)
    if rules.minimum is not None:
        yield f"k is at least {_number(rules.minimum)}."
    if rules.maximum is not None:
        yield f"k is at most {_number(rules.maximum)}."
    if rules.same_price:
        yield f"k is 1 everywhere for {_list(rules.same_price)}."


def _component(part: Component) -> str:
    start = f"Component {part.name}, weight {_number(part.weight)}:"
    if isinstance(part, ConstantComponent):
        return f"{start} {_number(part.value)}."
    if isinstance(part, LevelComponent):
        levels = [f"level {level} {_number(k)}" for level, k in part.levels.items()]
        return f"{start} {_list(levels)}."
    if isinstance(part, HospitalComponent):
        each = _list([f"{hospital} {_number(k)}" for hospital, k in part.hospitals.items()])
    else:
        by = "hospital and DRG" if part.method == "hospital_drg" else "mean cost of level and DRG"
        each = f"by {by} from {part.file}"
    rest = "an error" if part.otherwise is None else _number(part.otherwise)
    return f"{start} {each}; otherwise {rest}."


def _lists(policy: Policy) -> Iterator[str]:
    for rule in policy.exclusions:
        conditions = [
            f"L > {rule.above_days} days" if rule.above_days is not None else "",
            "nothing is borne by the fund" if rule.no_fund_part else "",
            f"the group is {_list(rule.groups)}" if rule.groups else "",
            f"the pool is {_list(rule.pools)}" if rule.pools else "",
            f"the hospital is {_list(rule.hospitals)}" if rule.hospitals else "",
            f"{rule.flag} is true" if rule.flag else "",
        ]
        given = " and ".join(text for text in conditions if text)
        yield f"Outside the points ({rule.reason}): cases of which {given}."
    for item in policy.fixed_price:
        days = f" up to {item.up_to_days} days" if item.up_to_days is not None else ""
        groups = f" and cases of {_list(item.groups)}{days}" if item.groups else days
        yield (
            f"Fixed price {item.name}: {_number(item.points)} points for cases marked with it"
            f"{groups}{_levels(item.levels)}."
        )
    for bed in policy.bed_day:
        yield (
            f"Bed-day {bed.name}: stays of more than {bed.above_days} days in {_list(bed.groups)}"
            f"{_levels(bed.levels)} earn L times the points per day, by L: {bed.points_per_day}."
        )


def _pool(name: str, pool: PoolBudget) -> Iterator[str]:
    yield (
        f"Pool {name} has a budget of {pool.budget:,.2f} yuan, of which "
        f"{_percent(pool.reserve_share)} are reserve."
    )
    if isinstance(pool.months, str):
        yield f"The months' shares of {name} are still to be forecast."
    else:
        yield f"The months' shares of {name} are {', '.join(map(_percent, pool.months))}."
    what = "A / ΣQ" if pool.basis == "fund" else "(A + ΣB) / ΣQ, and the fund pays v·Q − B"
    yield f"The point value of {name} is {what}; {_percent(pool.prepayment)} are paid at once."
    if pool.reference != "none":
        of = (
            "mean cost / scale"
            if pool.reference == "mean_cost"
            else (f"last year's {_number(pool.last_value)} yuan")
        )
        limits = [
            f"at least {_number(pool.floor)}" if pool.floor is not None else "",
            f"at most {_number(pool.ceiling)}" if pool.ceiling is not None else "",
        ]
        yield f"It is {' and '.join(text for text in limits if text)} times {of}."


def _year_end(policy: Policy) -> Iterator[str]:
    for what, table in (
        ("A refused amount", policy.violations.amount),
        ("Withdrawn points", policy.violations.points),
    ):
        if table:
            verb = "is" if what.startswith("A ") else "are"
            kinds = [f"{kind} {_number(multiple)}" for kind, multiple in table.items()]
            yield f"{what} {verb} multiplied by kind of violation: {_list(kinds)}."
    yield from _quality(policy.quality)
    pool = policy.incentive_pool
    yield "The incentive pool is shared out by κ·E" + (
        " whole."
        if pool.rule == "all"
        else f", to each hospital at most {_number(pool.cap)} times "
        "what was held back from it; the rest returns to the reserve."
    )
    sharing = policy.sharing
    yield (
        "All of a surplus is kept."
        if sharing.surplus == "all_kept"
        else f"Of a surplus, by E/F, is kept: {sharing.surplus}."
    )
    yield (
        "Nothing of a deficit is borne by the reserve."
        if sharing.deficit == "not_shared"
        else f"Of a deficit, by E/F, the reserve bears: {sharing.deficit}."
    )
    place = "from this budget first" if policy.outside.paid_from == "budget" else "elsewhere"
    yield f"Cases outside the points are paid by item {place}."
    yield from (_unit(unit) for unit in policy.units)


def _quality(quality: Quality) -> Iterator[str]:
    if quality.rule == "given":
        each = [f"{hospital} {_number(k)}" for hospital, k in quality.hospitals.items()]
        yield f"κ is given: {_list(each)}." if each else "κ is given with the settlement."
        return
    weights = [f"{i.name} {_percent(i.weight)}" for i in quality.indicators]
    yield f"κ follows the score of {_list(weights)}: {quality.coefficients}."


def _unit(unit: SettlementUnit) -> str:
    parts = [
        f"{c.heads:,} people × {c.rate:,.2f} yuan = {c.budget:,.2f} yuan from {pool}"
        for pool, c in unit.capitation.items()
    ]
    capitated = f", with {_list(parts)}" if parts else ""
    return f"{unit.name} settles {_list(unit.hospitals)} together{capitated}."


def _levels(levels: Sequence[str] | None) -> str:
    return "" if levels is None else f" in hospitals of level {_list(levels)}"


def _list(items: Sequence[str]) -> str:
    return ", ".join(items)


def _percent(share: Decimal) -> str:
    return f"{_number(share * 100)} %"


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"
