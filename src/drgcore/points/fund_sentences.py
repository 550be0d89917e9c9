"""The fund's part of a policy as sentences: pools, year end, and what is beside them."""

from __future__ import annotations

from collections.abc import Iterator

from drgcore.language import N_, _
from drgcore.points.fund_rules import PoolBudget, Quality, SettlementUnit
from drgcore.points.payment_rules import ByClass, Marginal, OnTop, QualityMoney, ValuePool
from drgcore.points.policy import Policy
from drgcore.points.wording import list_of, number, percent


def fund_parts(policy: Policy) -> list[tuple[str, list[str]]]:
    """Write how points are valued and hospitals are paid, under headings.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.

    Returns
    -------
    list of (heading, sentences)
        The pools, and the year end.

    Examples
    --------
    >>> dict(fund_parts(Policy.load("example")))["Year end"][-2]
    'Cases outside the points are paid by item from this budget first.'
    """
    return [
        (_("Budget"), [text for item in policy.budget.pools.items() for text in _pool(*item)]),
        (_("Year end"), list(_year_end(policy))),
    ]


def _pool(name: str, pool: PoolBudget | ValuePool) -> Iterator[str]:
    if isinstance(pool, ValuePool):
        most = "C − B" if pool.basis == "fund" else _("C, of which B is taken off")
        yield (
            _(
                "Pool {name} has no budget; a case is paid {number} yuan a "
                "point, and at most its claim {most}; {percent} are paid at "
                "once.",
                name=name,
                number=number(pool.value),
                most=most,
                percent=percent(pool.prepayment),
            )
        )
        return
    yield (
        _(
            "Pool {name} has a budget of {budget:,.2f} yuan, of which {percent} are reserve.",
            name=name,
            budget=pool.budget,
            percent=percent(pool.reserve_share),
        )
    )
    if isinstance(pool.months, str):
        yield _("The months' shares of {name} are still to be forecast.", name=name)
    else:
        yield _(
            "The months' shares of {name} are {months}.",
            name=name,
            months=", ".join(map(percent, pool.months)),
        )
    what = "A / ΣQ" if pool.basis == "fund" else _("(A + ΣB) / ΣQ, and the fund pays v·Q − B")
    yield _(
        "The point value of {name} is {what}; {percent} are paid at once.",
        name=name,
        what=what,
        percent=percent(pool.prepayment),
    )
    if pool.reference != "none":
        of = (
            _("mean cost / scale")
            if pool.reference == "mean_cost"
            else _("last year's {number} yuan", number=number(pool.last_value))
        )
        limits = [
            _("at least {number}", number=number(pool.floor)) if pool.floor is not None else "",
            _("at most {number}", number=number(pool.ceiling)) if pool.ceiling is not None else "",
        ]
        yield _(
            "It is {limits} times {of}.",
            limits=_(" and ").join(text for text in limits if text),
            of=of,
        )
    if pool.month_payment == "given_value":
        yield _(
            "The months of {name} are paid at {number} yuan a point.",
            name=name,
            number=number(pool.month_value),
        )
    if pool.month_payment == "claims":
        yield _(
            "The months of {name} are paid by claims; the year's value settles them.", name=name
        )
    if pool.advances:
        each = [
            _("{hospital} {amount:,.2f} yuan", hospital=hospital, amount=amount)
            for hospital, amount in pool.advances.items()
        ]
        yield _(
            "At the start of the year was paid, and is set off at the clearing: {list_of}.",
            list_of=list_of(each),
        )
    if pool.fund_sharing is not None:
        shared = pool.fund_sharing
        yield (
            _(
                "Before the year's value of {name} is formed, the hospitals "
                "keep {percent} of what the budget has more than the cost by "
                "item and bear {percent_2} of what it has less; the fund's part "
                "of a deficit is from {paid_from}.",
                name=name,
                percent=percent(shared.surplus),
                percent_2=percent(shared.deficit),
                paid_from=shared.paid_from,
            )
        )


def _year_end(policy: Policy) -> Iterator[str]:
    for words, table in (
        (
            N_("A refused amount is multiplied by kind of violation: {kinds}."),
            policy.violations.amount,
        ),
        (
            N_("Withdrawn points are multiplied by kind of violation: {kinds}."),
            policy.violations.points,
        ),
    ):
        if table:
            kinds = [f"{kind} {number(multiple)}" for kind, multiple in table.items()]
            yield _(words, kinds=list_of(kinds))
    if policy.violations.base_points:
        kinds = [
            _("{kind} {number} · P", kind=kind, number=number(n))
            for kind, n in policy.violations.base_points.items()
        ]
        yield _(
            "Beside a case's points are withdrawn, by kind of violation: {list_of}.",
            list_of=list_of(kinds),
        )
    yield from _quality(policy.quality)
    pool = policy.incentive_pool
    yield _(
        "The incentive pool is shared out by κ·E{value}",
        value=_(" whole.")
        if pool.rule == "all"
        else _(
            ", to each hospital at most {number} times what was held back "
            "from it; the rest returns to the reserve.",
            number=number(pool.cap),
        ),
    )
    yield from _quality_money(policy.quality_money)
    sharing = policy.sharing
    yield (
        _("All of a surplus is kept.")
        if sharing.surplus == "all_kept"
        else _("Of a surplus, {shared}.", shared=_shared(sharing.surplus, _("is kept")))
    )
    yield (
        _("Nothing of a deficit is borne by the reserve.")
        if sharing.deficit == "not_shared"
        else _("Of a deficit, {shared}.", shared=_shared(sharing.deficit, _("the reserve bears")))
    )
    if policy.on_top is not None:
        yield from _on_top(policy.on_top)
    for name, holds in policy.accounts.items():
        each = [
            _("{amount:,.2f} yuan for {pool}", amount=amount, pool=pool)
            for pool, amount in holds.items()
        ]
        yield _(
            "Account {name} holds {list_of} at the start of the year.",
            name=name,
            list_of=list_of(each) or _("nothing"),
        )
    if policy.budget.date == "settlement":
        yield _("A case belongs to the month of its settlement_date, not of its discharge.")
    place = _("from this budget first") if policy.outside.paid_from == "budget" else _("elsewhere")
    yield _("Cases outside the points are paid by item {place}.", place=place)
    yield from (_unit(unit) for unit in policy.units)


def _quality(quality: Quality) -> Iterator[str]:
    weights = [f"{i.name} {percent(i.weight)}" for i in quality.indicators]
    score = _("the score of {list_of}", list_of=list_of(weights))
    if quality.bonus:
        score += _(", to which {list_of} are added", list_of=list_of(quality.bonus))
    if quality.rule == "given":
        each = [f"{hospital} {number(k)}" for hospital, k in quality.hospitals.items()]
        yield (
            _("κ is given: {list_of}.", list_of=list_of(each))
            if each
            else _("κ is given with the settlement.")
        )
    elif quality.rule == "linear":
        yield (
            _(
                "κ follows {score}: {number} from {number_2} on, less "
                "{number_3} for each point below, at least {number_4}.",
                score=score,
                number=number(quality.maximum),
                number_2=number(quality.full_score),
                number_3=number(quality.per_point),
                number_4=number(quality.minimum),
            )
        )
    else:
        yield _(
            "κ follows {score}: {coefficients}.", score=score, coefficients=quality.coefficients
        )
    if quality.bonus_points is not None:
        yield _(
            "By {score}, this share of a hospital's points is added: {bonus_points}.",
            score=score,
            bonus_points=quality.bonus_points,
        )


def _quality_money(rules: QualityMoney | None) -> Iterator[str]:
    if rules is None:
        return
    held = (
        _("All that is held back")
        if rules.share is None
        else _("{percent} of a month", percent=percent(rules.share))
    )
    yield _(
        "{held} is quality money; a hospital gets back its own result ρ times what it gave.",
        held=held,
    )
    if rules.rule == "bands":
        yield _("ρ by the score: {results}.", results=rules.results)
    elif rules.rule == "linear":
        yield (
            _(
                "ρ is 1 from the score {number} on, less {number_2} for each "
                "point below, at least 0.",
                number=number(rules.full_score),
                number_2=number(rules.per_point),
            )
        )
    else:
        each = [f"{hospital} {number(r)}" for hospital, r in rules.hospitals.items()]
        yield (
            _("ρ is given: {list_of}.", list_of=list_of(each))
            if each
            else _("ρ is given with the settlement.")
        )
    yield (
        _("What is not returned goes to the reserve.")
        if rules.rest == "reserve"
        else _("What is not returned is shared by κ·E among the hospitals with ρ = 1.")
    )


def _shared(rule: object, verb: str) -> str:
    if isinstance(rule, Marginal):
        of = _("the entitlement E") if rule.of == "entitlement" else _("the cost by item F")
        cap = (
            ""
            if rule.cap is None
            else _("; all together at most {percent} of the budget", percent=percent(rule.cap))
        )
        return _(
            "{verb} of each part, by the difference as a share of {of}: {bands}{cap}",
            verb=verb,
            of=of,
            bands=rule.bands,
            cap=cap,
        )
    if isinstance(rule, ByClass):
        each = [f"{kind} {percent(share)}" for kind, share in rule.classes.items()]
        return _(
            "{verb} by case class: {list_of}, otherwise {percent}",
            verb=verb,
            list_of=list_of(each),
            percent=percent(rule.otherwise),
        )
    return _("by E/F, {verb}: {rule}", verb=verb, rule=rule)


def _on_top(rules: OnTop) -> Iterator[str]:
    yield _("Money on top of points is paid from {paid_from}.", paid_from=rules.paid_from)
    for one in rules.lists:
        until = _(" to {valid_to}", valid_to=one.valid_to) if one.valid_to else ""
        conditions = [
            _("C > {number}·m", number=number(one.above_multiple))
            if one.above_multiple is not None
            else "",
            _("the item's cost > {percent} of C", percent=percent(one.above_share))
            if one.above_share
            else "",
        ]
        given = _(" and ").join(text for text in conditions if text)
        less = _(" less the group's mean of {kind}", kind=one.kind) if one.kind else ""
        yield (
            _(
                "List {name}, discharges from {valid_from}{until}: {list_of} "
                "are paid{less}{value}.",
                name=one.name,
                valid_from=one.valid_from,
                until=until,
                list_of=list_of(one.items),
                less=less,
                value=_(", where {given}", given=given) if given else "",
            )
        )


def _unit(unit: SettlementUnit) -> str:
    parts = [
        _(
            "{heads:,} people × {rate:,.2f} yuan = {budget:,.2f} yuan from {pool}",
            heads=c.heads,
            rate=c.rate,
            budget=c.budget,
            pool=pool,
        )
        for pool, c in unit.capitation.items()
    ]
    capitated = _(", with {list_of}", list_of=list_of(parts)) if parts else ""
    return _(
        "{name} settles {list_of} together{capitated}.",
        name=unit.name,
        list_of=list_of(unit.hospitals),
        capitated=capitated,
    )
