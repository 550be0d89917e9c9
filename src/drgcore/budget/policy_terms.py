"""From a policy to the exact parameters of a settlement year."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from drgcore.budget.allocate import fen
from drgcore.budget.caserows import columns_of, listed
from drgcore.budget.terms import PoolTerms, Terms, Unit, exact
from drgcore.errors import BudgetError, PolicyError
from drgcore.points.bands import Bands
from drgcore.points.policy import Policy


def terms_of(policy: Policy | Terms, year: int) -> Terms:
    """Read the parameters of one year from a policy.

    Parameters
    ----------
    policy : Policy or Terms
        The policy; terms are given back as they are.
    year : int
        The year. Parameters are those in force on its last day.

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
            raise BudgetError(f"the terms are those of {policy.year}", where=str(year))
        return policy
    of_year = policy.for_year(year)
    sharing = of_year.sharing
    return Terms(
        year=year,
        pools=tuple(_pool_terms(of_year, name) for name in sorted(of_year.budget.pools)),
        point_places=of_year.rounding.points,
        violation_multiples={k: exact(m) for k, m in of_year.violations.amount.items()},
        pool_rule=of_year.incentive_pool.rule,
        pool_cap=None if of_year.incentive_pool.cap is None else exact(of_year.incentive_pool.cap),
        surplus=sharing.surplus if isinstance(sharing.surplus, Bands) else None,
        deficit=sharing.deficit if isinstance(sharing.deficit, Bands) else None,
        outside_from_budget=of_year.outside.paid_from == "budget",
        units=tuple(
            Unit(unit.name, unit.hospitals, {p: fen(c.budget) for p, c in unit.capitation.items()})
            for unit in of_year.units
        ),
        hospitals=tuple(sorted(of_year.hospitals)),
        name=policy.name,
        text=policy.text,
        articles=of_year.articles,
    )


def kappas_of(policy: Policy | Terms, quality: Any, year: int) -> dict[str, Fraction]:
    """Give every hospital's encouragement coefficient κ (鼓励系数).

    Parameters
    ----------
    policy : Policy or Terms
        With the rule `given`, κ comes from `quality` or else from the policy; with `scored` it is
        the value of the band in which Σ weight · score lies.
    quality : mapping, table or None
        Rule `given`: κ by hospital, or a table `hospital`, `kappa`. Rule `scored`: a table
        `hospital` and one column of scores for each indicator of the policy.
    year : int
        The year.

    Returns
    -------
    dict of str to Fraction
        κ by hospital.

    Raises
    ------
    BudgetError
        For a missing column, score or coefficient, a negative κ, or a hospital given twice.

    Examples
    --------
    >>> terms = Terms(2026, (PoolTerms("p", 0),))
    >>> kappas_of(terms, {"H1": 1.02}, 2026)
    {'H1': Fraction(51, 50)}
    """
    rules = None if isinstance(policy, Terms) else policy.for_year(year).quality
    if rules is not None and rules.rule == "scored":
        if quality is None:
            return {}
        assert rules.coefficients is not None  # the policy's own check
        names = [indicator.name for indicator in rules.indicators]
        scores = _numbers(quality, names)
        weights = [exact(indicator.weight) for indicator in rules.indicators]
        totals = {
            hospital: sum((w * s for w, s in zip(weights, row, strict=True)), Fraction(0))
            for hospital, row in scores.items()
        }
        found = rules.coefficients.apply(np.array([float(t) for t in totals.values()]))
        kappas = dict(zip(totals, map(exact, found.tolist()), strict=True))
    elif quality is None:
        kappas = {h: exact(k) for h, k in (rules.hospitals if rules else {}).items()}
    elif isinstance(quality, Mapping):
        kappas = {str(h): exact(k) for h, k in quality.items()}
    else:
        kappas = {h: row[0] for h, row in _numbers(quality, ["kappa"]).items()}
    negative = sorted(h for h, k in kappas.items() if k < 0)
    if negative:
        raise BudgetError(f"κ of {listed(negative)} is negative", where="quality")
    return kappas


def _pool_terms(policy: Policy, name: str) -> PoolTerms:
    pool = policy.budget.pools[name]
    if isinstance(pool.months, str):
        raise PolicyError(
            "the months' shares are to be forecast",
            where=f"policy {policy.name}: budget.pools.{name}.months",
            hint="fill them in, or forecast them from history: policy.with_months("
            "drgcore.forecast_shares(monthly, year).shares_for_policy())",
        )
    reference = policy.reference_value(name)
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
    )


def _numbers(table: Any, names: list[str]) -> dict[str, list[Fraction]]:
    """Read some columns of a table by hospital, exactly as their decimals say."""
    columns = columns_of(table, ["hospital", *names]).to_pydict()
    missing = [name for name in ["hospital", *names] if name not in columns]
    if missing:
        raise BudgetError(f"there is no column {listed(missing)}", where="quality")
    found: dict[str, list[Fraction]] = {}
    for hospital, *values in zip(*(columns[name] for name in ["hospital", *names]), strict=True):
        if str(hospital) in found:
            raise BudgetError(f"{hospital} stands twice", where="quality")
        if any(value is None or pd.isna(value) for value in values):
            raise BudgetError(f"a value of {hospital} is missing", where="quality")
        found[str(hospital)] = [exact(value) for value in values]
    return found
