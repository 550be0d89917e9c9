"""A year's policy as the settlement computes with it: exact fractions and whole fen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np

from drgcore.budget.pool_terms import PoolTerms as PoolTerms
from drgcore.errors import BudgetError, PolicyError
from drgcore.language import _
from drgcore.points.payment_rules import ByClass, Marginal


class Shares(Protocol):
    """Bands that give a share for a ratio, as `drgcore.points.Bands` does."""

    def apply(self, values: Any) -> np.ndarray:
        """Give the value of the band that each ratio lies in."""
        ...


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
class QualityTerms:
    """Quality money (质量保证金), returned by the hospital's own result.

    Parameters
    ----------
    share : Fraction or None
        What of a month's amount it is, at most 1 − θ; None: all that is held back.
    rest : {"reserve", "shared"}
        Where what is not returned goes: to the reserve, or by κ·E to the hospitals with result 1.
    """

    share: Fraction | None = None
    rest: Literal["reserve", "shared"] = "reserve"


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
    surplus, deficit : Shares, Marginal, ByClass or None
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
    accounts : mapping of str to mapping of str to int
        Accounts beside the budget that payments may be made from, for example the fund's balance of
        earlier years: what each holds for each pool at the start of the year [fen].
    quality_money : QualityTerms or None
        Quality money, None where there is none.
    on_top_from : str or None
        What pays money on top of points, the cases' `on_top_amount`: `budget`, `reserve`, or an
        account; None where the policy has none.
    date_column : str
        The day that decides a case's month: `discharge_date` or `settlement_date`.

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
    surplus: Shares | Marginal | ByClass | None = None
    deficit: Shares | Marginal | None = None
    outside_from_budget: bool = False
    units: tuple[Unit, ...] = ()
    hospitals: tuple[str, ...] = ()
    name: str = ""
    text: str = ""
    articles: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    quality_money: QualityTerms | None = None
    on_top_from: str | None = None
    date_column: str = "discharge_date"

    def __post_init__(self) -> None:
        names = [pool.pool for pool in self.pools]
        if not names or len(set(names)) != len(names):
            raise PolicyError(
                _(
                    "the pools of {year} are {names}; each must occur once",
                    year=self.year,
                    names=names,
                )
            )
        members = [hospital for unit in self.units for hospital in unit.hospitals]
        if len(set(members)) != len(members):
            raise PolicyError(_("a hospital is a member of two settlement units"))
        if self.pool_rule == "cap" and self.pool_cap is None:
            raise PolicyError(_("the pool rule cap needs the cap"))

    def pool(self, name: str) -> PoolTerms:
        """Give the parameters of one pool."""
        for pool in self.pools:
            if pool.pool == name:
                return pool
        raise BudgetError(_("the policy of {year} has no pool {name}", year=self.year, name=name))

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
        months = [pool.in_month(number) for pool in self.pools for number in range(1, 13)]
        if (
            any(pool.value is not None or pool.fund_sharing is not None for pool in self.pools)
            or any(pool.month_payment == "claims" for pool in months)
            or isinstance(self.surplus, ByClass)
        ):
            needed |= {"total_cost", "patient_paid"}
        if self.on_top_from is not None:
            needed |= {"on_top_amount"}
        if self.date_column != "discharge_date":
            needed |= {self.date_column}
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
