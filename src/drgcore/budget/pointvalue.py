"""The value of a point, and what each hospital's points are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from drgcore.budget.allocate import allocate
from drgcore.budget.terms import PoolTerms
from drgcore.errors import BudgetError
from drgcore.language import _


@dataclass(frozen=True)
class PointValue:
    """A point value (点值) with everything it was made from.

    Parameters
    ----------
    pool, period : str
        Pool, and month or year.
    basis : str
        `fund` or `total_cost`.
    budget_fen : int
        The budget of the period after reserve and payments by item [fen].
    patient_paid_fen : int
        What patients or other payers bore; part of the numerator with basis `total_cost` [fen].
    numerator_fen : int
        What is divided by the points, after floor and ceiling [fen].
    points : int
        All points, in units of the last decimal place.
    places : int
        Decimals of a point.
    limited : str
        '', `floor` or `ceiling`.
    to_reserve_fen, from_reserve_fen : int
        What the ceiling leaves, what the floor takes [fen].
    unmet_fen : int
        What the floor asked for beyond what the reserve holds [fen].
    """

    pool: str
    period: str
    basis: str
    budget_fen: int
    patient_paid_fen: int
    numerator_fen: int
    points: int
    places: int
    limited: str = ""
    to_reserve_fen: int = 0
    from_reserve_fen: int = 0
    unmet_fen: int = 0

    @property
    def fen_per_unit(self) -> Fraction:
        """Value of one unit of the last decimal place of a point [fen]; 0 without points."""
        return Fraction(self.numerator_fen, self.points) if self.points else Fraction(0)

    @property
    def yuan(self) -> Fraction:
        """Value of one point [yuan]."""
        return self.fen_per_unit * 10**self.places / 100


def point_value(
    terms: PoolTerms,
    period: str,
    budget_fen: int,
    points: int,
    patient_paid_fen: int,
    places: int,
    reserve_fen: int,
) -> PointValue:
    """Divide a budget by the points earned from it.

    With basis `fund` v = A / ΣQ; with basis `total_cost` v = (A + ΣB) / ΣQ. A ceiling keeps the
    value at ``ceiling · v_last`` and leaves the rest to the reserve; a floor raises it to
    ``floor · v_last`` as far as the reserve reaches.

    Parameters
    ----------
    terms : PoolTerms
        The pool's parameters.
    period : str
        Month or year, for messages.
    budget_fen : int
        A, the budget to divide [fen].
    points : int
        ΣQ, all points in units of the last decimal place.
    patient_paid_fen : int
        ΣB, borne by patients or other payers [fen].
    places : int
        Decimals of a point.
    reserve_fen : int
        What the reserve holds [fen].

    Returns
    -------
    PointValue
        The value and what it was made from.

    Raises
    ------
    BudgetError
        If there is money to divide and no points.

    Examples
    --------
    >>> point_value(PoolTerms("resident", 0), "2026-01", 100_000, 500_0000, 0, 4, 0).yuan
    Fraction(2, 1)
    """
    if budget_fen < 0:
        raise BudgetError(
            _("payments by item exceed the budget by {value} fen", value=-budget_fen),
            where=f"{terms.pool} {period}",
        )
    raw = budget_fen + (patient_paid_fen if terms.basis == "total_cost" else 0)
    if points <= 0:
        if raw or points:
            raise BudgetError(
                _(
                    "pool {pool} has {budget_fen} fen to divide and {value}",
                    pool=terms.pool,
                    budget_fen=budget_fen,
                    value=_("fewer than no points") if points else _("zero points"),
                ),
                where=f"{terms.pool} {period}",
                hint=_("give the cases of this pool and month, or a monthly share of 0"),
            )
        return PointValue(terms.pool, period, terms.basis, 0, 0, 0, 0, places)
    numerator, limited, to_reserve, from_reserve, unmet = raw, "", 0, 0, 0
    if terms.last_value is not None:
        last_fen = terms.last_value * 100 * points / 10**places
        if terms.ceiling is not None and raw > (most := floor(terms.ceiling * last_fen)):
            numerator, limited, to_reserve = most, "ceiling", raw - most
        elif terms.floor is not None and raw < (least := ceil(terms.floor * last_fen)):
            from_reserve = min(least - raw, max(0, reserve_fen))
            numerator, limited = raw + from_reserve, "floor"
            unmet = least - numerator
    return PointValue(
        terms.pool,
        period,
        terms.basis,
        budget_fen,
        patient_paid_fen,
        numerator,
        points,
        places,
        limited,
        to_reserve,
        from_reserve,
        unmet,
    )


def value_of_points(value: PointValue, points: Mapping[str, int]) -> dict[str, int]:
    """Split the numerator over hospitals by their points, to the fen.

    Parameters
    ----------
    value : PointValue
        The point value of pool and period.
    points : mapping of str to int
        Q of every hospital, in units of the last decimal place; they add up to `value.points`. A
        hospital from which more was withdrawn than it earned has a negative Q.

    Returns
    -------
    dict of str to int
        v·Q of every hospital [fen]; they add up to `value.numerator_fen`. Ties of the last fen go
        to the smaller hospital code.

    Examples
    --------
    >>> value = point_value(PoolTerms("p", 0), "2026", 100, 3, 0, 4, 0)
    >>> value_of_points(value, {"B": 1, "A": 1, "C": 1})
    {'A': 34, 'B': 33, 'C': 33}
    """
    hospitals = sorted(points)
    parts = allocate(value.numerator_fen, [points[h] for h in hospitals], hospitals, signed=True)
    return dict(zip(hospitals, parts, strict=True))
