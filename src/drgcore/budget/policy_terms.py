"""From a policy to the exact parameters of a settlement year."""

from __future__ import annotations

import dataclasses
from datetime import date

from drgcore.budget.allocate import fen
from drgcore.budget.pool_terms import FundShare, PoolTerms
from drgcore.budget.terms import QualityTerms, Terms, Unit, exact
from drgcore.errors import BudgetError, PolicyError
from drgcore.language import _
from drgcore.points.payment_rules import ValuePool
from drgcore.points.policy import Policy


def terms_of(policy: Policy | Terms, year: int) -> Terms:
    """Read the parameters of one year from a policy.

    Parameters
    ----------
    policy : Policy or Terms
        The policy; terms are given back as they are.
    year : int
        The year. Parameters of the year end are those in force on its last day, those of a month
        the ones in force on the month's first day.

    Returns
    -------
    Terms
        The parameters, in whole fen and exact fractions of the decimals of the file.

    Raises
    ------
    PolicyError
        If the policy does not apply in the year, or its monthly shares are still to be forecast.

    Examples
    --------
    >>> [pool.pool for pool in terms_of(Policy.load("example"), 2027).pools]
    ['employee', 'resident']
    """
    if isinstance(policy, Terms):
        if policy.year != year:
            raise BudgetError(_("the terms are those of {year}", year=policy.year), where=str(year))
        return policy
    of_year = policy.for_year(year)
    sharing, held = of_year.sharing, of_year.quality_money
    return Terms(
        year=year,
        pools=_pools(policy, of_year, year),
        point_places=of_year.rounding.points,
        violation_multiples={k: exact(m) for k, m in of_year.violations.amount.items()},
        pool_rule=of_year.incentive_pool.rule,
        pool_cap=None if of_year.incentive_pool.cap is None else exact(of_year.incentive_pool.cap),
        surplus=None if isinstance(sharing.surplus, str) else sharing.surplus,
        deficit=None if isinstance(sharing.deficit, str) else sharing.deficit,
        outside_from_budget=of_year.outside.paid_from == "budget",
        units=tuple(
            Unit(unit.name, unit.hospitals, {p: fen(c.budget) for p, c in unit.capitation.items()})
            for unit in of_year.units
        ),
        hospitals=tuple(sorted(of_year.hospitals)),
        name=policy.name,
        text=policy.text,
        articles=of_year.articles,
        accounts={
            name: {pool: fen(amount) for pool, amount in holds.items()}
            for name, holds in of_year.accounts.items()
        },
        quality_money=None
        if held is None
        else QualityTerms(None if held.share is None else exact(held.share), held.rest),
        on_top_from=None if of_year.on_top is None else of_year.on_top.paid_from,
        date_column=f"{of_year.budget.date}_date",
    )


def _pools(policy: Policy, of_year: Policy, year: int) -> tuple[PoolTerms, ...]:
    """Give every pool's parameters, with the periods of the year in which they differ."""
    names = sorted(of_year.budget.pools)
    at_end = {name: _pool_terms(of_year, name) for name in names}
    starts = _month_starts(policy, year)
    if len(starts) < 2:
        return tuple(at_end.values())
    found = []
    for name in names:
        periods = [(month, _pool_terms(rules, name)) for month, rules in starts.items()]
        differ = any(terms != at_end[name] for _, terms in periods)
        pool = at_end[name]
        found.append(dataclasses.replace(pool, periods=tuple(periods)) if differ else pool)
    return tuple(found)


def _month_starts(policy: Policy, year: int) -> dict[int, Policy]:
    """Give the months of a year from whose first day on other parameters are in force."""
    first = max(date(year, 1, 1), policy.effective_from)
    days = [amendment["from"] for amendment in policy.amendments]
    starts = {1: policy.at(first)}
    for day in days:
        month = day.month + (day.day > 1)
        if day.year == year and day > first and month <= 12:
            starts[month] = policy.at(day)
    return starts


def _pool_terms(policy: Policy, name: str) -> PoolTerms:
    pool = policy.budget.pools[name]
    if isinstance(pool, ValuePool):
        return PoolTerms(
            name,
            0,
            basis=pool.basis,
            prepayment=exact(pool.prepayment),
            value=exact(pool.value),
        )
    if isinstance(pool.months, str):
        raise PolicyError(
            _("the months' shares are to be forecast"),
            where=_("policy {name}: budget.pools.{pool}.months", name=policy.name, pool=name),
            hint=_(
                "fill them in, or forecast them from history: "
                "policy.with_months(drgcore.forecast_shares(monthly, "
                "year).shares_for_policy())"
            ),
        )
    reference, shared = policy.reference_value(name), pool.fund_sharing
    return PoolTerms(
        name,
        fen(pool.budget),
        tuple(exact(share) for share in pool.months),
        exact(pool.reserve_share),
        pool.basis,
        exact(pool.prepayment),
        None if reference is None else exact(reference),
        None if pool.floor is None else exact(pool.floor),
        None if pool.ceiling is None else exact(pool.ceiling),
        month_payment=pool.month_payment,
        month_value=None if pool.month_value is None else exact(pool.month_value),
        advances_fen={hospital: fen(amount) for hospital, amount in pool.advances.items()},
        fund_sharing=None
        if shared is None
        else FundShare(exact(shared.surplus), exact(shared.deficit), shared.paid_from),
    )
