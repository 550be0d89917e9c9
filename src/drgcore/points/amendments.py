"""What an amendment may change from a day within a settlement year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from drgcore.language import _
from drgcore.points.policy_parameters import PolicyParameters
from drgcore.points.problems import Problem

WHOLE_YEAR = (
    "rounding.points",
    "violations.amount",
    "quality",
    "incentive_pool",
    "sharing",
    "outside",
    "units",
    "accounts",
    "quality_money",
    "on_top.paid_from",
    "budget.date",
)
"""Parameters of the year as a whole: one rule holds for all its months and for the year end."""

WHOLE_YEAR_OF_POOL = ("basis", "advances", "fund_sharing", "value")
"""The same among the parameters of a pool."""


def within_year(
    before: PolicyParameters, after: PolicyParameters, day: date, path: str
) -> list[Problem]:
    """Find what an amendment changes from a day on that cannot change within a year.

    Points, budgets and payments of a month follow the parameters in force on the month's first day.
    The rules of the year end look at the whole year and change on 1 January only.

    Parameters
    ----------
    before, after : PolicyParameters
        The policy without and with the amendment.
    day : datetime.date
        The amendment's day.
    path : str
        Put before every path.

    Returns
    -------
    list of Problem
        One for each such parameter; none for an amendment of 1 January.

    Examples
    --------
    >>> from drgcore.points.policy import Policy
    >>> before = Policy.load("example")
    >>> after = before.with_changes({"incentive_pool": {"rule": "cap", "cap": 1}})
    >>> [problem.path for problem in within_year(before, after, date(2027, 7, 1), "amendments.1")]
    ['amendments.1.incentive_pool']
    >>> within_year(before, after, date(2027, 1, 1), "amendments.1")
    []
    """
    if (day.month, day.day) == (1, 1):
        return []
    return [
        Problem(
            f"{path}.{name}",
            _(
                "it cannot change within a year, from {day}: the year end knows "
                "one rule for all months; date the amendment on 1 January",
                day=day,
            ),
        )
        for name in _changed(before, after)
    ]


def _changed(before: PolicyParameters, after: PolicyParameters) -> Iterator[str]:
    for name in WHOLE_YEAR:
        if _at(before, name) != _at(after, name):
            yield name
    if sorted(before.budget.pools) != sorted(after.budget.pools):
        yield "budget.pools"
        return
    for pool in sorted(before.budget.pools):
        for name in WHOLE_YEAR_OF_POOL:
            one, two = before.budget.pools[pool], after.budget.pools[pool]
            if getattr(one, name, None) != getattr(two, name, None):
                yield f"budget.pools.{pool}.{name}"


def _at(policy: PolicyParameters, path: str) -> Any:
    found: Any = policy
    for name in path.split("."):
        found = getattr(found, name, None)
    return found
