"""What a case earns under a policy, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drgcore.language import _
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
from drgcore.points.wording import HIGH, LOW, ROUNDED, TAKEN, list_of, number, percent


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
        (_("Base points"), list(_base(policy))),
        (_("Outliers"), list(_outliers(policy))),
        (_("Paid by cost"), list(_by_cost(policy))),
        (_("Hospital's coefficient"), list(_coefficients(policy))),
        (_("Lists and exclusions"), list(_lists(policy))),
    ]


def _base(policy: Policy) -> Iterator[str]:
    rules, places, stability = policy.base_points, policy.rounding, policy.stability
    origin = rules.file or _("an inline table of {count} DRGs", count=len(rules.groups or {}))
    yield (
        _(
            "Base points of each DRG come from {origin} ({holds}); the "
            "scale is {number} points for relative weight 1, the mean cost "
            "of all cases {mean_cost:,.2f} yuan.",
            origin=origin,
            holds=rules.holds,
            number=number(rules.scale),
            mean_cost=rules.mean_cost,
        )
    )
    if rules.factor != 1:
        yield _(
            "Base points that are not frozen are multiplied by {number}.",
            number=number(rules.factor),
        )
    for tier in rules.tiers:
        whom = [_("of level {list_of}", list_of=list_of(tier.levels))] if tier.levels else []
        whom += [list_of(tier.hospitals)] if tier.hospitals else []
        inline = _("an inline table of {count} DRGs", count=len(tier.groups or ()))
        own = tier.file or (inline if tier.groups else "")
        table = _(" base points from {own}", own=own) if own else _(" the same base points")
        times = _(", times {number}", number=number(tier.factor)) if tier.factor != 1 else ""
        yield _(
            "Hospitals {whom} ({name}) have{table}{times}.",
            whom=_(" and ").join(whom),
            name=tier.name,
            table=table,
            times=times,
        )
    if rules.frozen:
        agreed = list_of([f"{drg} {number(points)}" for drg, points in rules.frozen.items()])
        yield _(
            "Agreed with the hospitals, and frozen whatever the table says: {agreed} points.",
            agreed=agreed,
        )
    derived = (
        _("P / scale × mean cost") if rules.group_means == "derived" else _("the table's mean_cost")
    )
    yield _("The mean cost m of a DRG is {derived}.", derived=derived)
    yield {
        "error": _("A DRG without base points is an error."),
        "by_cost": _(
            "A case of a DRG without base points earns (C − U)/mean · scale · {rate}.",
            rate=number(rules.missing_rate),
        ),
        "outside": _("A case of a DRG without base points is outside the points."),
    }[rules.missing]
    yield {
        "test": _(
            "A group is stable with at least {n_min} cases and a CV of at most {cv_max}.",
            n_min=stability.n_min,
            cv_max=number(stability.cv_max),
        ),
        "column": _("Whether a group is stable stands in the table."),
        "all_stable": _("All groups are stable."),
    }[stability.rule]
    yield (
        _(
            "Halves are rounded up: base points to {base_points}, "
            "coefficients to {coefficient}, a case's points to {points} "
            "decimals.",
            base_points=places.base_points,
            coefficient=places.coefficient,
            points=places.points,
        )
    )


def _outliers(policy: Policy) -> Iterator[str]:
    high, low = policy.outliers.high, policy.outliers.low
    if policy.outliers.pieces:
        yield _("Points follow C/m in pieces, P·k where nothing else is said:")
        yield from (f"{text}." for text in piece_texts(policy.outliers.pieces))
        yield _unreasonable(policy)
        return
    if high.multiples is not None and high.rule != "none":
        yield _(
            "A case is high-cost with C > hi·m; hi by base points is {multiples}.",
            multiples=high.multiples,
        )
    for level, bands in high.multiples_by_level.items():
        yield _(
            "In hospitals of level {level} hi by base points is {bands}.", level=level, bands=bands
        )
    if high.quota is not None:
        whose = _("hospital's") if high.quota.among == "hospital" else _("DRG's")
        yield (
            _(
                "Only the dearest {percent} of a {whose} cases of the {period} "
                "are high-cost, by C/m with ties in order of case id, "
                "{rounded}; the others are normal.",
                percent=percent(high.quota.share),
                whose=whose,
                period=_period(high.quota.period),
                rounded=_(ROUNDED[high.quota.rounding]),
            )
        )
    yield _(HIGH[high.rule], cap=number(high.cap), rate=number(high.rate))
    if low.multiples is not None and low.rule != "none":
        yield _(
            "A case is low-cost with C < lo·m; lo by base points is {multiples}.",
            multiples=low.multiples,
        )
    for level, bands in low.multiples_by_level.items():
        yield _(
            "In hospitals of level {level} lo by base points is {bands}.", level=level, bands=bands
        )
    yield _(LOW[low.rule], rate=number(low.rate))
    yield _unreasonable(policy)


def _unreasonable(policy: Policy) -> str:
    deducted = policy.costs.unreasonable == "deducted"
    return (
        _("U is the cost found unreasonable.")
        if deducted
        else _("U, unreasonable cost, is not used.")
    )


def _period(kind: str) -> str:
    words = kind.replace("_", " ")
    return _(words)


def _by_cost(policy: Policy) -> Iterator[str]:
    rules = policy.by_cost
    for name, rule in (
        (_("a group that is not stable"), rules.unstable),
        (_("an ambiguous group"), rules.ambiguous),
        (_("no group"), rules.ungrouped),
        (_("a record that cannot be grouped"), rules.invalid),
    ):
        yield _("A case of {name} {paid}.", name=name, paid=_paid(rule))
    review = policy.special_review
    if review is None:
        yield _("There is no special review.")
    elif review.without_points == "error":
        yield _("A case of special review earns the panel's points.")
    else:
        yield (
            _(
                "A case of special review earns the panel's points, or without "
                "them (C − U)/mean · scale · {number}.",
                number=number(review.rate),
            )
        )
    if review is not None and review.quota is not None:
        yield from _review_quota(review.quota)


def _review_quota(quota: ReviewQuota) -> Iterator[str]:
    if isinstance(quota.share, dict):
        share = list_of(
            [
                _("level {level} {number}", level=level, number=percent(part))
                for level, part in quota.share.items()
            ]
        )
    else:
        share = percent(quota.share)
    which = _("filed for") if quota.counts == "filed" else _("granted")
    yield (
        _(
            "Special reviews {which} are at most this share of a hospital's "
            "cases with a DRG in the {period}: {share}, {rounded}.",
            which=which,
            period=_period(quota.period),
            share=share,
            rounded=_(ROUNDED[quota.rounding]),
        )
    )
    if quota.deadline_days is not None:
        kind = _("working days") if quota.deadline_counts == "working" else _("days")
        yield (
            _(
                "They are filed within {deadline_days} {kind} after the end of the {period}.",
                deadline_days=quota.deadline_days,
                kind=kind,
                period=_period(quota.period),
            )
        )


def _paid(rule: CostRule) -> str:
    if rule.rule == "outside":
        return _("is outside the points")
    return _("earns (C − U)/mean · scale · {number}", number=number(rule.rate))


def _coefficients(policy: Policy) -> Iterator[str]:
    rules = policy.coefficients
    yield _("k is the sum of its components, each times its weight.")
    yield from (_component(component) for component in rules.components)
    if rules.minimum is not None:
        yield _("k is at least {number}.", number=number(rules.minimum))
    if rules.maximum is not None:
        yield _("k is at most {number}.", number=number(rules.maximum))
    for part in rules.components:
        for fallback in part.fallbacks:
            of = _(" in component {of}", of=fallback.of) if fallback.of else ""
            yield (
                _(
                    "Where component {name} has none, or what stands before this "
                    "has none: {number} times {taken}{of}.",
                    name=part.name,
                    number=number(fallback.factor),
                    taken=_(TAKEN[fallback.take]),
                    of=of,
                )
            )
    if rules.level_order:
        yield _(
            "Levels from the lowest to the highest: {list_of}.", list_of=list_of(rules.level_order)
        )
    if rules.same_price:
        yield _("k is 1 everywhere for {list_of}.", list_of=list_of(rules.same_price))
    for scheme in rules.same_price_lists:
        yield _("k is 1 everywhere for the basic groups (基层病组) of {scheme}.", scheme=scheme)


def _component(part: Component) -> str:
    start = _("Component {name}, weight {number}:", name=part.name, number=number(part.weight))
    if isinstance(part, ConstantComponent):
        return _("{start} {each}.", start=start, each=number(part.value))
    if isinstance(part, LevelComponent):
        levels = [
            _("level {level} {number}", level=level, number=number(k))
            for level, k in part.levels.items()
        ]
        return _("{start} {each}.", start=start, each=list_of(levels))
    if isinstance(part, HospitalComponent):
        each = list_of([f"{hospital} {number(k)}" for hospital, k in part.hospitals.items()])
    else:
        by = (
            _("hospital and DRG")
            if part.method == "hospital_drg"
            else _("mean cost of level and DRG")
        )
        each = _("by {by} from {file}", by=by, file=part.file)
    rest = _("an error") if part.otherwise is None else number(part.otherwise)
    return _("{start} {each}; otherwise {rest}.", start=start, each=each, rest=rest)


def _lists(policy: Policy) -> Iterator[str]:
    for rule in policy.exclusions:
        nothing = [_("nothing is borne by the fund")] if rule.no_fund_part else []
        given = _(" and ").join([*rule.texts(), *nothing])
        yield _(
            "Outside the points ({reason}): cases of which {given}.",
            reason=rule.reason,
            given=given,
        )
    for item in policy.fixed_price:
        groups = (
            _(" and cases of {list_of}", list_of=list_of(item.groups))
            if item.groups not in ((), "all")
            else ""
        )
        groups = _(" and all others") if item.groups == "all" else groups
        earned = (
            _("{number} points", number=number(item.points))
            if item.points is not None
            else _("{number} · P", number=number(item.share_of_base))
        )
        yield (
            _(
                "Fixed price {name}: {earned} for cases marked with it{groups}{further}.",
                name=item.name,
                earned=earned,
                groups=groups,
                further=_further(item.model_copy(update={"groups": ()}).texts()),
            )
        )
    for bed in policy.bed_day:
        tiers = (
            _("earn L times the points per day, by L")
            if bed.tiers == "whole"
            else _("earn for each day the points of its tier")
        )
        given = _(" and ").join(bed.texts())
        yield _(
            "Bed-day {name}: cases of which {given} {tiers}: {points_per_day}.",
            name=bed.name,
            given=given,
            tiers=tiers,
            points_per_day=bed.points_per_day,
        )
    if policy.factors is not None:
        yield from (_factor(factor) for factor in policy.factors.each)
        limits = [
            _("at least {number}", number=number(policy.factors.minimum))
            if policy.factors.minimum
            else "",
            _("at most {number}", number=number(policy.factors.maximum))
            if policy.factors.maximum
            else "",
        ]
        within = _(" and ").join(text for text in limits if text)
        product = _("; their product is {within}", within=within) if within else ""
        yield _("All factors of a case are multiplied{product}.", product=product)
    for stay in policy.readmissions:
        groups = {
            "drg": _("of one DRG"),
            "adrg": _("of one ADRG"),
            "any": _("of any groups"),
        }[stay.same]
        where = _("in one hospital") if stay.hospital == "same" else _("in any hospitals")
        exempt = _(", but not of {list_of}", list_of=list_of(stay.exempt)) if stay.exempt else ""
        yield (
            _(
                "Two stays of a patient {groups} {where}{exempt}, the later "
                "begun at most {within_days} days after the earlier: {kind}, a "
                "violation with the earlier.",
                groups=groups,
                where=where,
                exempt=exempt,
                within_days=stay.within_days,
                kind=stay.kind,
            )
        )


def _factor(factor: CaseFactor) -> str:
    each = [f"{hospital} {number(value)}" for hospital, value in factor.by_hospital.items()]
    if factor.value is not None:
        value = number(factor.value)
        each.append(_("others {value}", value=value) if each else value)
    given = _(" and ").join(factor.texts())
    of_which = _(" of which {given}", given=given) if given else ""
    return _(
        "Factor {name} on points of class {list_of}: {list_of_2} for cases{of_which}.",
        name=factor.name,
        list_of=list_of(factor.classes),
        list_of_2=list_of(each),
        of_which=of_which,
    )


def _further(conditions: Sequence[str]) -> str:
    return _(", where {conditions}", conditions=_(" and ").join(conditions)) if conditions else ""
