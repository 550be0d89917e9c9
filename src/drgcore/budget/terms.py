"""A year's policy as the settlement computes with it: exact fractions and whole fen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np

from drgcore.budget.allocate import allocate
from drgcore.errors import BudgetError, PolicyError

Basis = Literal["fund", "total_cost"]


class Shares(Protocol):
    """Bands that give a share for a ratio, as `drgcore.points.Bands` does."""

    def apply(self, values: Any) -> np.ndarray:
        """Give the value of the band that each ratio lies in."""
        ...


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

    def __post_init__(self) -> None:
        where = f"pool {self.pool}"
        if self.budget_fen < 0:
            raise PolicyError("the year's budget is negative", where=where)
        if len(self.shares) != 12 or sum(self.shares) != 1 or min(self.shares) < 0:
            raise PolicyError(
                f"the months' shares add up to {sum(self.shares)} over {len(self.shares)} months",
                where=where,
                hint="give twelve shares, none negative, that add up to exactly 1",
            )
        for name in ("reserve_share", "prepayment"):
            if not 0 <= getattr(self, name) <= 1:
                raise PolicyError(f"{name} is not between 0 and 1", where=where)
        if (self.floor is not None or self.ceiling is not None) and self.last_value is None:
            raise PolicyError("floor and ceiling need last year's point value", where=where)
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            raise PolicyError("the floor lies above the ceiling", where=where)

    @property
    def reserve_fen(self) -> int:
        """What the year starts with in the reserve [fen]."""
        return allocate(self.budget_fen, [1 - self.reserve_share, self.reserve_share])[1]

    @property
    def month_budgets(self) -> list[int]:
        """The distributable budget of each month [fen]; they add up to that of the year."""
        return allocate(self.budget_fen - self.reserve_fen, self.shares)


@dataclass(frozen=True)
class Unit:
    """A settlement unit (结算单元): hospitals settled together, or with a capitated budget.

    Parameters
    ----------
    name : str
        Name of the unit, for example a county consortium (医共体).
    hospitals : tuple of str
        Its members.
    capitation_fen : mapping of str to int, optional
        The unit's budget in each pool, heads × rate [fen] (按人头总额预付). Empty for a unit whose
        members are only settled together.
    """

    name: str
    hospitals: tuple[str, ...]
    capitation_fen: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """The parameters of a settlement year.

    Parameters
    ----------
    year : int
        The year.
    pools : tuple of PoolTerms
        The fund pools.
    point_places : int
        Decimals of a case's points.
    violation_multiples : mapping of str to Fraction
        By how much a refused amount is multiplied for each kind of violation.
    pool_rule : {"all", "cap"}
        Whether the incentive pool is shared out whole, or each share is limited.
    pool_cap : Fraction or None
        The limit, as a multiple of what was held back from the hospital; rule "cap" only.
    surplus, deficit : Shares or None
        By the ratio of entitlement to cost by item: the share of a surplus that the hospital keeps
        (结余留用), and of a deficit that the reserve bears (合理超支分担). None: all of a surplus
        is kept, none of a deficit is borne.
    outside_from_budget : bool
        Whether cases outside the points are paid by item from this budget before it is divided.
    units : tuple of Unit
        Settlement units; a hospital in none of them is a unit by itself.
    hospitals : tuple of str
        Hospitals that appear in every statement, with cases or without.
    name, text : str
        The policy's name, and the text of its file as it is stored with a closing.
    articles : mapping of str to str
        The policy's article for a step of the statement, shown beside it.

    Examples
    --------
    >>> Terms(2026, (PoolTerms("resident", 100_000),)).pool("resident").month_budgets[:5]
    [8334, 8334, 8334, 8334, 8333]
    """

    year: int
    pools: tuple[PoolTerms, ...]
    point_places: int = 4
    violation_multiples: Mapping[str, Fraction] = field(default_factory=dict)
    pool_rule: Literal["all", "cap"] = "all"
    pool_cap: Fraction | None = None
    surplus: Shares | None = None
    deficit: Shares | None = None
    outside_from_budget: bool = False
    units: tuple[Unit, ...] = ()
    hospitals: tuple[str, ...] = ()
    name: str = ""
    text: str = ""
    articles: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [pool.pool for pool in self.pools]
        if not names or len(set(names)) != len(names):
            raise PolicyError(f"the pools of {self.year} are {names}; each must occur once")
        members = [hospital for unit in self.units for hospital in unit.hospitals]
        if len(set(members)) != len(members):
            raise PolicyError("a hospital is a member of two settlement units")
        if self.pool_rule == "cap" and self.pool_cap is None:
            raise PolicyError("the pool rule cap needs the cap")

    def pool(self, name: str) -> PoolTerms:
        """Give the parameters of one pool."""
        for pool in self.pools:
            if pool.pool == name:
                return pool
        raise BudgetError(f"the policy of {self.year} has no pool {name}")

    def unit_of(self, hospital: str) -> str:
        """Give the settlement unit of a hospital: a consortium's name, or the hospital's own."""
        return next((u.name for u in self.units if hospital in u.hospitals), hospital)

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """Columns of the cases that these parameters make necessary."""
        needed = set()
        if any(pool.basis == "total_cost" for pool in self.pools):
            needed |= {"patient_paid"}
        if self.surplus is not None or self.deficit is not None or self.outside_from_budget:
            needed |= {"total_cost", "patient_paid"}
        if any(unit.capitation_fen for unit in self.units):
            needed |= {"capitation_unit"}
        return tuple(sorted(needed))


def exact(value: Any) -> Fraction:
    """Turn a parameter into the fraction that its decimal text states.

    Parameters
    ----------
    value : str, int, float, Decimal or Fraction
        A number of a policy. A float counts as the shortest decimal that prints it, which is what
        the file says.

    Returns
    -------
    Fraction
        The number, exactly.

    Examples
    --------
    >>> exact(0.05)
    Fraction(1, 20)
    """
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
