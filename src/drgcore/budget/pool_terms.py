"""The parameters of one fund pool for a year, and for each of its months."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

from drgcore.budget.allocate import allocate
from drgcore.errors import PolicyError
from drgcore.language import _

Basis = Literal["fund", "total_cost"]
MonthPayment = Literal["month_budget", "given_value", "claims"]


@dataclass(frozen=True)
class FundShare:
    """Sharing with the fund before the year's value is formed: A' = F + s·(A − F).

    Parameters
    ----------
    surplus, deficit : Fraction
        s where the budget A exceeds the cost by item F, and where it falls short of it.
    paid_from : str
        What pays the fund's part of a deficit: `reserve`, or an account of the policy.
    """

    surplus: Fraction
    deficit: Fraction
    paid_from: str = "reserve"


@dataclass(frozen=True)
class PoolTerms:
    """The parameters of one fund pool (统筹基金池) for one year.

    Parameters
    ----------
    pool : str
        Name of the pool, as in the cases.
    budget_fen : int
        The year's budget [fen].
    shares : tuple of Fraction
        Share of each month in the year's distributable budget; twelve that add up to 1.
    reserve_share : Fraction
        Share of the budget that is set aside as reserve first.
    basis : {"fund", "total_cost"}
        What is divided by the points: the fund's budget, or it and what patients paid.
    prepayment : Fraction
        θ, the share of a month's amount that is paid at once.
    last_value : Fraction or None
        Last year's point value [yuan per point], which floor and ceiling refer to.
    floor, ceiling : Fraction or None
        Least and greatest point value, as multiples of `last_value`.
    value : Fraction or None
        A given point value [yuan per point] in place of a budget, as for cases of other regions: a
        case is paid min(v·Q, claim).
    month_payment : {"month_budget", "given_value", "claims"}
        What a month's amounts are: its budget by points, points at `month_value` [yuan per point],
        or the hospitals' claims.
    advances_fen : mapping of str to int
        What hospitals were paid at the start of the year, set off at the clearing [fen].
    fund_sharing : FundShare or None
        Sharing with the fund before the year's value is formed.
    periods : tuple of (int, PoolTerms)
        Where parameters change within the year: the first month (1 to 12) of each period and the
        parameters in force from it on, the first period from month 1. The pool's own parameters are
        those of the last day of the year. Empty: they hold all year.

    Examples
    --------
    >>> halves = (Fraction(1, 2), Fraction(1, 2)) + (Fraction(0),) * 10
    >>> before, after = PoolTerms("p", 1000, halves), PoolTerms("p", 1200, halves)
    >>> PoolTerms("p", 1200, halves, periods=((1, before), (2, after))).month_budgets[:3]
    [500, 700, 0]
    """

    pool: str
    budget_fen: int
    shares: tuple[Fraction, ...] = (Fraction(1, 12),) * 12
    reserve_share: Fraction = Fraction(0)
    basis: Basis = "fund"
    prepayment: Fraction = Fraction(1)
    last_value: Fraction | None = None
    floor: Fraction | None = None
    ceiling: Fraction | None = None
    value: Fraction | None = None
    month_payment: MonthPayment = "month_budget"
    month_value: Fraction | None = None
    advances_fen: Mapping[str, int] = field(default_factory=dict)
    fund_sharing: FundShare | None = None
    periods: tuple[tuple[int, PoolTerms], ...] = ()

    def __post_init__(self) -> None:
        where = _("pool {name}", name=self.pool)
        if self.budget_fen < 0:
            raise PolicyError(_("the year's budget is negative"), where=where)
        if len(self.shares) != 12 or sum(self.shares) != 1 or min(self.shares) < 0:
            raise PolicyError(
                _(
                    "the months' shares add up to {count} over {total} months",
                    count=sum(self.shares),
                    total=len(self.shares),
                ),
                where=where,
                hint=_("give twelve shares, none negative, that add up to exactly 1"),
            )
        for name in ("reserve_share", "prepayment"):
            if not 0 <= getattr(self, name) <= 1:
                raise PolicyError(_("{name} is not between 0 and 1", name=name), where=where)
        if (self.floor is not None or self.ceiling is not None) and self.last_value is None:
            raise PolicyError(_("floor and ceiling need last year's point value"), where=where)
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            raise PolicyError(_("the floor lies above the ceiling"), where=where)
        if self.value is not None and self.budget_fen:
            raise PolicyError(_("it has a given value and a budget"), where=where)
        if self.month_payment == "given_value" and self.month_value is None:
            raise PolicyError(_("months at a given value need the value"), where=where)
        if self.value is None and sum(self.advances_fen.values()) > self.budget_fen:
            raise PolicyError(_("the advances are larger than the year's budget"), where=where)
        starts = [start for start, _ in self.periods]
        if starts and (starts[0] != 1 or starts != sorted(set(starts)) or starts[-1] > 12):
            raise PolicyError(
                _("periods begin with the months {starts}", starts=starts), where=where
            )

    @cached_property
    def reserve_fen(self) -> int:
        """What the year sets aside as reserve [fen]."""
        return allocate(self.budget_fen, [1 - self.reserve_share, self.reserve_share])[1]

    def in_month(self, number: int) -> PoolTerms:
        """Give the parameters in force on the first day of a month.

        Parameters
        ----------
        number : int
            The month, 1 to 12.

        Returns
        -------
        PoolTerms
            The parameters; its `periods` are empty where the year has some.

        Examples
        --------
        >>> PoolTerms("p", 1000).in_month(7).prepayment
        Fraction(1, 1)
        """
        found = [terms for start, terms in self.periods if start <= number]
        return found[-1] if found else self

    @property
    def month_budgets(self) -> list[int]:
        """The distributable budget of each month [fen].

        A budget that changes within the year spreads what is left of it, after the budgets of the
        months before, over the remaining months by their shares; the months before stay.
        """
        return list(self._month_budgets)

    @cached_property
    def _month_budgets(self) -> tuple[int, ...]:
        given: list[int] = []
        plan: list[int] = []
        before: PoolTerms | None = None
        for number in range(1, 13):
            now = self.in_month(number)
            if before is None or _spread(before) != _spread(now):
                rest = now.budget_fen - now.reserve_fen - sum(given)
                shares = now.shares[number - 1 :]
                where = _("pool {name}, month {number}", name=self.pool, number=number)
                if rest < 0:
                    raise PolicyError(
                        _(
                            "the months before have {value} fen more than the changed budget",
                            value=-rest,
                        ),
                        where=where,
                    )
                if rest and not any(shares):
                    raise PolicyError(
                        _(
                            "{rest} fen of the changed budget have no month left to be spread over",
                            rest=rest,
                        ),
                        where=where,
                        hint=_("give the remaining months a share"),
                    )
                plan = [*given, *allocate(rest, shares)]
            before = now
            given.append(plan[number - 1])
        return tuple(given)

    def set_aside_in(self, number: int) -> int:
        """Give what a month adds to the reserve because its parameters changed [fen].

        Parameters
        ----------
        number : int
            The month, 1 to 12.

        Returns
        -------
        int
            0 where budget and reserve share are those of the month before; negative where less is
            set aside.

        Examples
        --------
        >>> PoolTerms("p", 1000, reserve_share=Fraction(1, 20)).set_aside_in(7)
        0
        """
        if number == 1:
            return 0
        return self.in_month(number).reserve_fen - self.in_month(number - 1).reserve_fen


def _spread(terms: PoolTerms) -> tuple[object, ...]:
    """What the months' budgets follow from."""
    return terms.budget_fen, terms.reserve_share, terms.shares
