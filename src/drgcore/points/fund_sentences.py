"""The fund's part of a policy as sentences: pools, year end, and what is beside them."""

from __future__ import annotations

from collections.abc import Iterator

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
        ("Budget", [text for item in policy.budget.pools.items() for text in _pool(*item)]),
        ("Year end", list(_year_end(policy))),
    ]


def _pool(name: str, pool: PoolBudget | ValuePool) -> Iterator[str]:
    if isinstance(pool, ValuePool):
        most = "C − B" if pool.basis == "fund" else "C, of which B is taken off"
        yield (
            f"Pool {name} has no budget; a case is paid {number(pool.value)} yuan a point, and at "
            f"most its claim {most}; {percent(pool.prepayment)} are paid at once."
        )
        return
    yield (
        f"Pool {name} has a budget of {pool.budget:,.2f} yuan, of which "
        f"{percent(pool.reserve_share)} are reserve."
    )
    if isinstance(pool.months, str):
        yield f"The months' shares of {name} are still to be forecast."
    else:
        yield f"The months' shares of {name} are {', '.join(map(percent, pool.months))}."
    what = "A / ΣQ" if pool.basis == "fund" else "(A + ΣB) / ΣQ, and the fund pays v·Q − B"
    yield f"The point value of {name} is {what}; {percent(pool.prepayment)} are paid at once."
    if pool.reference != "none":
        of = (
            "mean cost / scale"
            if pool.reference == "mean_cost"
            else (f"last year's {number(pool.last_value)} yuan")
        )
        limits = [
            f"at least {number(pool.floor)}" if pool.floor is not None else "",
            f"at most {number(pool.ceiling)}" if pool.ceiling is not None else "",
        ]
        yield f"It is {' and '.join(text for text in limits if text)} times {of}."
    if pool.month_payment == "given_value":
        yield f"The months of {name} are paid at {number(pool.month_value)} yuan a point."
    if pool.month_payment == "claims":
        yield f"The months of {name} are paid by claims; the year's value settles them."
    if pool.advances:
        each = [f"{hospital} {amount:,.2f} yuan" for hospital, amount in pool.advances.items()]
        yield f"At the start of the year was paid, and is set off at the clearing: {list_of(each)}."
    if pool.fund_sharing is not None:
        shared = pool.fund_sharing
        yield (
            f"Before the year's value of {name} is formed, the hospitals keep "
            f"{percent(shared.surplus)} of what the budget has more than the cost by item and bear "
            f"{percent(shared.deficit)} of what it has less; the fund's part of a deficit is from "
            f"{shared.paid_from}."
        )


def _year_end(policy: Policy) -> Iterator[str]:
    for what, table in (
        ("A refused amount", policy.violations.amount),
        ("Withdrawn points", policy.violations.points),
    ):
        if table:
            verb = "is" if what.startswith("A ") else "are"
            kinds = [f"{kind} {number(multiple)}" for kind, multiple in table.items()]
            yield f"{what} {verb} multiplied by kind of violation: {list_of(kinds)}."
    if policy.violations.base_points:
        kinds = [f"{kind} {number(n)} · P" for kind, n in policy.violations.base_points.items()]
        yield f"Beside a case's points are withdrawn, by kind of violation: {list_of(kinds)}."
    yield from _quality(policy.quality)
    pool = policy.incentive_pool
    yield "The incentive pool is shared out by κ·E" + (
        " whole."
        if pool.rule == "all"
        else f", to each hospital at most {number(pool.cap)} times "
        "what was held back from it; the rest returns to the reserve."
    )
    yield from _quality_money(policy.quality_money)
    sharing = policy.sharing
    yield (
        "All of a surplus is kept."
        if sharing.surplus == "all_kept"
        else f"Of a surplus, {_shared(sharing.surplus, 'is kept')}."
    )
    yield (
        "Nothing of a deficit is borne by the reserve."
        if sharing.deficit == "not_shared"
        else f"Of a deficit, {_shared(sharing.deficit, 'the reserve bears')}."
    )
    if policy.on_top is not None:
        yield from _on_top(policy.on_top)
    for name, holds in policy.accounts.items():
        each = [f"{amount:,.2f} yuan for {pool}" for pool, amount in holds.items()]
        yield f"Account {name} holds {list_of(each) or 'nothing'} at the start of the year."
    if policy.budget.date == "settlement":
        yield "A case belongs to the month of its settlement_date, not of its discharge."
    place = "from this budget first" if policy.outside.paid_from == "budget" else "elsewhere"
    yield f"Cases outside the points are paid by item {place}."
    yield from (_unit(unit) for unit in policy.units)


def _quality(quality: Quality) -> Iterator[str]:
    weights = [f"{i.name} {percent(i.weight)}" for i in quality.indicators]
    score = f"the score of {list_of(weights)}"
    if quality.bonus:
        score += f", to which {list_of(quality.bonus)} are added"
    if quality.rule == "given":
        each = [f"{hospital} {number(k)}" for hospital, k in quality.hospitals.items()]
        yield f"κ is given: {list_of(each)}." if each else "κ is given with the settlement."
    elif quality.rule == "linear":
        yield (
            f"κ follows {score}: {number(quality.maximum)} from {number(quality.full_score)} on, "
            f"less {number(quality.per_point)} for each point below, at least "
            f"{number(quality.minimum)}."
        )
    else:
        yield f"κ follows {score}: {quality.coefficients}."
    if quality.bonus_points is not None:
        yield f"By {score}, this share of a hospital's points is added: {quality.bonus_points}."


def _quality_money(rules: QualityMoney | None) -> Iterator[str]:
    if rules is None:
        return
    held = "All that is held back" if rules.share is None else f"{percent(rules.share)} of a month"
    yield f"{held} is quality money; a hospital gets back its own result ρ times what it gave."
    if rules.rule == "bands":
        yield f"ρ by the score: {rules.results}."
    elif rules.rule == "linear":
        yield (
            f"ρ is 1 from the score {number(rules.full_score)} on, less {number(rules.per_point)} "
            "for each point below, at least 0."
        )
    else:
        each = [f"{hospital} {number(r)}" for hospital, r in rules.hospitals.items()]
        yield f"ρ is given: {list_of(each)}." if each else "ρ is given with the settlement."
    yield (
        "What is not returned goes to the reserve."
        if rules.rest == "reserve"
        else "What is not returned is shared by κ·E among the hospitals with ρ = 1."
    )


def _shared(rule: object, verb: str) -> str:
    if isinstance(rule, Marginal):
        of = "the entitlement E" if rule.of == "entitlement" else "the cost by item F"
        cap = (
            "" if rule.cap is None else f"; all together at most {percent(rule.cap)} of the budget"
        )
        return f"{verb} of each part, by the difference as a share of {of}: {rule.bands}{cap}"
    if isinstance(rule, ByClass):
        each = [f"{kind} {percent(share)}" for kind, share in rule.classes.items()]
        return f"{verb} by case class: {list_of(each)}, otherwise {percent(rule.otherwise)}"
    return f"by E/F, {verb}: {rule}"


def _on_top(rules: OnTop) -> Iterator[str]:
    yield f"Money on top of points is paid from {rules.paid_from}."
    for one in rules.lists:
        until = f" to {one.valid_to}" if one.valid_to else ""
        conditions = [
            f"C > {number(one.above_multiple)}·m" if one.above_multiple is not None else "",
            f"the item's cost > {percent(one.above_share)} of C" if one.above_share else "",
        ]
        given = " and ".join(text for text in conditions if text)
        less = f" less the group's mean of {one.kind}" if one.kind else ""
        yield (
            f"List {one.name}, discharges from {one.valid_from}{until}: {list_of(one.items)} are "
            f"paid{less}{', where ' + given if given else ''}."
        )


def _unit(unit: SettlementUnit) -> str:
    parts = [
        f"{c.heads:,} people × {c.rate:,.2f} yuan = {c.budget:,.2f} yuan from {pool}"
        for pool, c in unit.capitation.items()
    ]
    capitated = f", with {list_of(parts)}" if parts else ""
    return f"{unit.name} settles {list_of(unit.hospitals)} together{capitated}."
