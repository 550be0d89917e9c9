"""The change of the base rate that keeps a total: points, or money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Literal, get_args

from drgcore.budget.policy_terms import terms_of
from drgcore.errors import BudgetError, PolicyError
from drgcore.language import _
from drgcore.points.fund_rules import PoolBudget
from drgcore.points.policy import Policy
from drgcore.scenarios.side import pool_sides
from drgcore.scenarios.sums import POINTS, Labels, add_up, case_columns, labels_of

Total = Literal["points", "money"]
Change = Literal["base_points", "point_value"]

PLACES = 8
"""Decimals of the factor."""
_BOUNDS = ("1.02", "1.1", "1.5", "3", "10")
_UNIT = 10**PLACES


@dataclass(frozen=True)
class KeptTotal:
    """A policy with the change that keeps a total.

    Parameters
    ----------
    policy : Policy
        The policy with the change.
    factor : Decimal
        The change: a factor on all base points that are not frozen, or on the point value.
    total : str
        What is kept, `points` or `money`.
    target, reached : Decimal
        What the total should be and what it is [points or yuan]. Base points and points are
        rounded, so the total moves in small steps; it jumps where base points pass the limit of a
        band of outliers.
    before : Decimal
        What it was without the change.
    """

    policy: Policy
    factor: Decimal
    total: Total
    target: Decimal
    reached: Decimal
    before: Decimal

    @property
    def remaining(self) -> Decimal:
        """What is missing to the target; negative where it is exceeded."""
        return self.target - self.reached

    def __str__(self) -> str:
        unit = _("points") if self.total == "points" else _("yuan")
        return _(
            "factor {factor:f}: {reached:,} {unit} of {target:,}, "
            "{remaining:,} remain; {before:,} without it",
            factor=self.factor.normalize(),
            reached=self.reached,
            unit=unit,
            target=self.target,
            remaining=self.remaining,
            before=self.before,
        )


def keep_total(
    cases: Any,
    policy: Policy,
    reference: Policy | Decimal | int | str,
    *,
    year: int,
    total: Total = "points",
    change: Change = "base_points",
    decisions: Any = None,
) -> KeptTotal:
    """Find the one factor that makes a policy's total that of another policy, or a given number.

    A change of weights, bands or coefficients changes the total of points, and with a fixed value
    of the point the total of money. The factor sets that off (总量平移). Outliers, classes by cost
    and rounding make the total no straight line of the factor, so it is found by false position
    within a bracket, on factors of 8 decimals between 0.1 and 10.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        Grouped cases of the year, see `compute_points`.
    policy : Policy
        The policy to change.
    reference : Policy, Decimal, int or str
        The policy whose total is kept; or the total itself [points or yuan].
    year : int
        The year.
    total : {"points", "money"}
        What is kept: all pools' points, or what all hospitals are entitled to.
    change : {"base_points", "point_value"}
        The factor multiplies `base_points.factor`, for all base points that are not frozen; or
        floor and ceiling of every pool, for a policy that fixes the point value by setting them
        equal.
    decisions : DataFrame or table, optional
        What panels decided, see `compute_points`.

    Returns
    -------
    KeptTotal
        The changed policy, the factor, and how near the total comes.

    Raises
    ------
    BudgetError
        If no factor between 0.1 and 10 reaches the total; says what the least and greatest give.
    PolicyError
        For another word as total or change; if the point value is to be changed and a pool's is not
        fixed; else as `compare`.

    Examples
    --------
    >>> import datetime
    >>> import pandas as pd
    >>> policy = Policy.load("example")
    >>> case = {"case_id": "1", "hospital": "H01", "pool": "employee", "drg": "ES23"}
    >>> case |= {"status": "grouped", "discharge_date": datetime.date(2027, 1, 31)}
    >>> case |= {"length_of_stay": 8, "total_cost": 15000.0, "patient_paid": 4000.0}
    >>> case = pd.DataFrame([case])
    >>> lower = policy.with_changes({"base_points": {"factor": "0.8"}})
    >>> kept = keep_total(case, lower, policy, year=2027)
    >>> round(kept.factor, 6), kept.reached, kept.remaining
    (Decimal('1.250000'), Decimal('155.2830'), Decimal('0.0000'))
    """
    for name, value, known in (("total", total, Total), ("change", change, Change)):
        if value not in get_args(known):
            raise PolicyError(
                _("there is no {name} {value!r}", name=name, value=value),
                hint=_("take {known}", known=" or ".join(get_args(known))),
            )
    policies = [policy, reference] if isinstance(reference, Policy) else [policy]
    table = case_columns(cases, policies)
    labels = labels_of(table, [one.for_year(year) for one in policies])

    def total_of(one: Policy) -> Decimal:
        return _total(table, labels, one, year, total, decisions)

    target = total_of(reference) if isinstance(reference, Policy) else _number(reference)
    varied = _by_base_points(policy) if change == "base_points" else _by_value(policy, year)
    reached: dict[int, Decimal] = {}

    def gap(steps: int) -> Decimal:
        if steps not in reached:
            reached[steps] = total_of(varied(_factor(steps)))
        return reached[steps] - target

    steps = _solve(gap)
    if steps is None:
        least, greatest = min(reached), max(reached)
        raise BudgetError(
            _(
                "the total of {target:,} cannot be reached: it is {least:,} with a factor "
                "of {least_factor:f} and {greatest:,} with {greatest_factor:f}",
                target=target,
                least=reached[least],
                least_factor=_factor(least).normalize(),
                greatest=reached[greatest],
                greatest_factor=_factor(greatest).normalize(),
            ),
            where=_("policy {name}", name=policy.name),
            hint=_(
                "frozen base points, classes by cost and a budget that is divided whole do "
                "not follow the factor"
            ),
        )
    factor = _factor(steps)
    return KeptTotal(varied(factor), factor, total, target, reached[steps], reached[_UNIT])


def _solve(gap: Callable[[int], Decimal]) -> int | None:
    """Find the number of steps with the least gap, or None where no bracket has one of each sign.

    The bracket is cut by false position until it is one step wide. An end that stays counts half
    with each further cut on the other side (the Illinois rule), so that both ends move; if three
    cuts do not halve the bracket, its middle is next.
    """
    low = high = _UNIT
    upwards = gap(_UNIT) < 0
    for bound in _BOUNDS:
        if gap(_UNIT) == 0:
            return _UNIT
        if upwards:
            low, high = high, int(Decimal(bound) * _UNIT)
        else:
            low, high = int(_UNIT / Decimal(bound)), low
        if gap(low) <= 0 <= gap(high):
            break
    else:
        return None
    at_low, at_high = Fraction(gap(low)), Fraction(gap(high))
    sides: list[bool] = []
    start = high - low
    while high - low > 1 and gap(low) and gap(high):
        width = high - low
        cut = round(width * at_low / (at_low - at_high))
        if len(sides) % 3 == 0:
            slow, start = len(sides) > 0 and width > start // 2, width
            cut = width // 2 if slow else cut
        middle = low + min(max(cut, 1), width - 1)
        found = Fraction(gap(middle))
        below = found <= 0
        again = sides[-1:] == [below]
        sides.append(below)
        if below:
            low, at_low = middle, found
            at_high = at_high / 2 if again else at_high
        else:
            high, at_high = middle, found
            at_low = at_low / 2 if again else at_low
    return min((low, high), key=lambda steps: (abs(gap(steps)), abs(steps - _UNIT), steps))


def _total(
    table: Any, labels: Labels, policy: Policy, year: int, total: Total, decisions: Any
) -> Decimal:
    terms = terms_of(policy, year)
    sums = add_up(table, labels, policy, terms, decisions)
    if total == "points":
        points = int(sums.by_site[..., POINTS].sum())
        return Decimal(points).scaleb(-terms.point_places)
    hospitals = sorted({hospital for hospital, _ in labels.sites})
    levels = sorted({level for _, level in labels.sites})
    sides = pool_sides(sums, labels, hospitals, levels, terms)
    return Decimal(sum(side.total.money_fen for side in sides)).scaleb(-2)


def _by_base_points(policy: Policy) -> Callable[[Decimal], Policy]:
    own = {period.base_points.factor for period in policy.periods()}
    if len(own) > 1:
        raise PolicyError(
            _("base_points.factor changes in an amendment, so there is no one factor to change"),
            where=_("policy {name}", name=policy.name),
        )
    (before,) = own
    return lambda factor: policy.with_changes({"base_points": {"factor": before * factor}})


def _by_value(policy: Policy, year: int) -> Callable[[Decimal], Policy]:
    budgets = policy.for_year(year).budget.pools
    pools = {name: pool for name, pool in budgets.items() if isinstance(pool, PoolBudget)}
    free = [
        name
        for name in budgets
        if name not in pools
        or pools[name].floor is None
        or pools[name].floor != pools[name].ceiling
    ]
    if free:
        raise PolicyError(
            _("the point value of {free} is not fixed", free=", ".join(free)),
            where=_("policy {name}", name=policy.name),
            hint=_("set floor and ceiling to the same multiple of the reference"),
        )
    fixed = {name: pool.floor for name, pool in pools.items() if pool.floor is not None}

    def varied(factor: Decimal) -> Policy:
        limits = {n: {"floor": f * factor, "ceiling": f * factor} for n, f in fixed.items()}
        return policy.with_changes({"budget": {"pools": limits}})

    return varied


def _factor(steps: int) -> Decimal:
    return Decimal(steps).scaleb(-PLACES)


def _number(value: Decimal | int | str) -> Decimal:
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError, TypeError) as error:
        raise PolicyError(_("the total is {value!r}, which is no number", value=value)) from error
    if isinstance(value, float) or not number.is_finite():
        raise PolicyError(
            _("the total is {value!r}; give it as a Decimal, an int or a text", value=value)
        )
    return number
