"""What a policy needs of the cases: the columns that its rules look at, levels, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drgcore.points.coefficient_rules import LevelComponent, LevelCostComponent
from drgcore.points.conditions import Conditions
from drgcore.points.policy import Policy


def conditional_rules(policy: Policy) -> Iterator[Conditions]:
    """Give every rule of a policy that has conditions on its cases.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.

    Yields
    ------
    Conditions
        Exclusions, fixed prices, bed-day rules and factors.

    Examples
    --------
    >>> len(list(conditional_rules(Policy.load("example"))))
    4
    """
    yield from policy.exclusions
    yield from policy.fixed_price
    yield from policy.bed_day
    if policy.factors is not None:
        yield from policy.factors.each


def tested_columns(periods: Sequence[Policy]) -> tuple[list[str], list[str]]:
    """Name the columns that conditions name: true/false ones, and numbers.

    Parameters
    ----------
    periods : sequence of Policy
        The policies of all periods.

    Returns
    -------
    flags, numbers : list of str
        Sorted.

    Examples
    --------
    >>> tested_columns([Policy.load("example")])
    ([], [])
    """
    rules = [rule for policy in periods for rule in conditional_rules(policy)]
    flags = {str(rule.flag) for rule in rules if rule.flag}
    return sorted(flags), sorted({test.column for rule in rules for test in rule.tests})


def needs_all_cases(policy: Policy) -> bool:
    """Say whether a case's points depend on other cases, so that all must be given at once.

    Parameters
    ----------
    policy : Policy
        The policy.

    Returns
    -------
    bool
        True where a quota ranks the cases of a period.

    Examples
    --------
    >>> needs_all_cases(Policy.load("example"))
    False
    """
    return any(period.outliers.high.quota is not None for period in policy.periods())


def uses_level(policy: Policy) -> bool:
    """Say whether any rule looks at the hospital's level.

    Parameters
    ----------
    policy : Policy
        The policy.

    Returns
    -------
    bool
        True if a case's hospital must have a level.

    Examples
    --------
    >>> uses_level(Policy.load("example"))
    True
    """
    by_level = LevelComponent | LevelCostComponent
    parts = policy.coefficients.components
    review = policy.special_review.quota if policy.special_review is not None else None
    return (
        any(isinstance(part, by_level) for part in parts)
        or any(fallback.take != "constant" for part in parts for fallback in part.fallbacks)
        or any(rule.levels is not None for rule in conditional_rules(policy))
        or any(tier.levels for tier in policy.base_points.tiers)
        or bool(policy.outliers.high.multiples_by_level or policy.outliers.low.multiples_by_level)
        or (review is not None and isinstance(review.share, dict))
    )
