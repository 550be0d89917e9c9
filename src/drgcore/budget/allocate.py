"""Splitting an amount of money so that the parts add up to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import floor, lcm
from numbers import Integral, Rational
from typing import Any

from drgcore.errors import BudgetError
from drgcore.language import _

FEN_PER_YUAN = 100


def allocate(
    amount_fen: int,
    weights: Iterable[Any],
    order: Sequence[Any] | None = None,
    *,
    signed: bool = False,
) -> list[int]:
    """Split whole fen in proportion to weights by largest remainders (最大余额法).

    Every part first gets the whole fen of its quota ``amount · wᵢ / Σw``; the fen that are left go,
    one each, to the parts with the largest fractions. A negative amount is split as its magnitude
    and the sign put back, so a recovery takes exactly what the payment gave.

    Parameters
    ----------
    amount_fen : int
        The amount to split [fen].
    weights : iterable of int, Fraction, Decimal or numpy integer
        One weight for each part, none of them negative [any unit]. A part of weight 0 gets 0.
        Floats are refused: points come in as integers of their last decimal place.
    order : sequence, optional
        One sortable key for each part. Of equal fractions the smaller key is served first; without
        keys the earlier part is. With hospital codes as keys the row order has no influence.
    signed : bool
        Allow negative weights (a hospital from which more points were withdrawn than it earned) as
        long as their sum is positive; such a part is negative, rounded down like the others.

    Returns
    -------
    list of int
        The parts [fen], in the order of `weights`; they add up to `amount_fen`.

    Raises
    ------
    BudgetError
        If an amount other than 0 is to be split by weights that are all 0, if a weight is negative
        or not exact, or if a key occurs twice.

    Examples
    --------
    >>> allocate(100, [1, 1, 1])
    [34, 33, 33]
    >>> allocate(100, [1, 1, 1], order=["H3", "H1", "H2"])
    [33, 34, 33]
    >>> allocate(-100, [1, 1, 1])
    [-34, -33, -33]
    """
    scaled = _integers(weights)
    if not signed and any(weight < 0 for weight in scaled):
        raise BudgetError(
            _("an amount cannot be split by a negative weight"),
            hint=_("a negative entitlement is carried forward, it does not take part in a split"),
        )
    keys = _keys(order, len(scaled))
    total = sum(scaled)
    amount = int(amount_fen)
    if total <= 0:
        if amount or any(scaled):
            raise BudgetError(
                _(
                    "{amount} fen cannot be split: {count} weights add up to {total}",
                    amount=amount,
                    count=len(scaled),
                    total=total,
                )
            )
        return [0] * len(scaled)
    size = abs(amount)
    parts, remainders = [], []
    for weight in scaled:
        part, remainder = divmod(size * weight, total)
        parts.append(part)
        remainders.append(remainder)
    left = size - sum(parts)
    ranking = sorted(range(len(scaled)), key=lambda i: (-remainders[i], keys[i]))
    for i in ranking[:left]:
        parts[i] += 1
    return parts if amount >= 0 else [-part for part in parts]


def round_to_total(quotas: Sequence[int], of: int, total: int, order: Sequence[Any]) -> list[int]:
    """Round exact amounts of either sign to whole fen that add up to a known total.

    Each quota is rounded down; the fen that are missing go to the largest fractions. It is
    `allocate` for parts that are already valued, some of which take away (withdrawn points).

    Parameters
    ----------
    quotas : sequence of int
        Exact amounts [fen / `of`].
    of : int
        Their common denominator.
    total : int
        What the rounded amounts must add up to [fen]: within one fen a part above the parts
        rounded down.
    order : sequence
        One sortable key for each part, which decides between equal fractions.

    Returns
    -------
    list of int
        The rounded amounts [fen].

    Examples
    --------
    >>> round_to_total([21, -7], 2, 7, ["a", "b"])
    [11, -4]
    """
    floors = [quota // of for quota in quotas]
    left = total - sum(floors)
    if not 0 <= left <= len(floors):
        raise BudgetError(
            _(
                "{count} amounts do not round to a total of {total} fen",
                count=len(floors),
                total=total,
            )
        )
    keys = _keys(order, len(floors))
    if left:
        ranking = sorted(range(len(floors)), key=lambda i: (-(quotas[i] % of), keys[i]))
        for i in ranking[:left]:
            floors[i] += 1
    return floors


def split_share(amount_fen: int, share: Fraction) -> tuple[int, int]:
    """Split whole fen into a share and the rest, as `allocate` splits it by both.

    Parameters
    ----------
    amount_fen : int
        The amount, not negative [fen].
    share : Fraction
        The share of the first part, 0 to 1.

    Returns
    -------
    tuple of int
        Both parts [fen]; of a fen that is exactly between them, the first has it.

    Examples
    --------
    >>> split_share(101, Fraction(9, 10)), split_share(1, Fraction(1, 2))
    ((91, 10), (1, 0))
    """
    of, rest = share.numerator, share.denominator - share.numerator
    first, left = divmod(amount_fen * of, share.denominator)
    if left and left >= amount_fen * rest % share.denominator:
        first += 1
    return first, amount_fen - first


def fen(yuan: str | int | Decimal) -> int:
    """Turn an amount of yuan into whole fen, without passing through a float.

    Parameters
    ----------
    yuan : str, int or Decimal
        The amount [yuan], with at most two decimals.

    Returns
    -------
    int
        The amount [fen].

    Examples
    --------
    >>> fen("1200000.05")
    120000005
    """
    try:
        amount = Decimal(yuan) * FEN_PER_YUAN
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError, TypeError) as error:
        raise BudgetError(_("{yuan!r} is not an amount of yuan", yuan=yuan)) from error
    if isinstance(yuan, float) or amount != whole:
        raise BudgetError(
            _("{yuan!r} yuan is not a whole number of fen", yuan=yuan),
            hint=_("write it with two decimals"),
        )
    return whole


def yuan(amount_fen: int) -> str:
    """Write whole fen as yuan with two decimals, thousands separated.

    Parameters
    ----------
    amount_fen : int
        The amount [fen].

    Returns
    -------
    str
        The amount [yuan].

    Examples
    --------
    >>> yuan(-123456789)
    '-1,234,567.89'
    """
    sign = "-" if amount_fen < 0 else ""
    whole, cents = divmod(abs(int(amount_fen)), FEN_PER_YUAN)
    return f"{sign}{whole:,}.{cents:02d}"


def decimal_text(value: Fraction, places: int) -> str:
    """Write an exact fraction as a decimal, halves rounded away from zero.

    Parameters
    ----------
    value : Fraction
        Any exact number.
    places : int
        Decimals to show.

    Returns
    -------
    str
        The rounded decimal.

    Examples
    --------
    >>> decimal_text(Fraction(2, 3), 4)
    '0.6667'
    """
    scaled = abs(value) * 10**places + Fraction(1, 2)
    digits = str(floor(scaled)).rjust(places + 1, "0")
    whole, decimals = digits[: len(digits) - places], digits[len(digits) - places :]
    sign = "-" if value < 0 and digits.strip("0") else ""
    return f"{sign}{whole}.{decimals}" if places else f"{sign}{whole}"


def exact_text(value: Fraction) -> str:
    """Write a fraction without rounding: as a decimal where it has one, else as n/d.

    Parameters
    ----------
    value : Fraction
        Any exact number.

    Returns
    -------
    str
        The number; `Fraction` reads it back.

    Examples
    --------
    >>> exact_text(Fraction(51, 50)), exact_text(Fraction(1, 3))
    ('1.02', '1/3')
    """
    for places in range(13):
        if (value * 10**places).denominator == 1:
            return decimal_text(value, places)
    return f"{value.numerator}/{value.denominator}"


def _integers(weights: Iterable[Any]) -> list[int]:
    """Bring exact weights to one common denominator."""
    exact: list[int | Fraction] = []
    for weight in weights:
        if type(weight) is int or type(weight) is Fraction:
            # The usual ones, without the slower question of what kind of number it is.
            exact.append(weight)
        elif isinstance(weight, Integral):
            exact.append(int(weight))
        elif isinstance(weight, Decimal | Rational):
            exact.append(Fraction(weight))
        else:
            raise BudgetError(
                _(
                    "a weight is {weight!r}, of type {name}, which is not exact",
                    weight=weight,
                    name=type(weight).__name__,
                ),
                hint=_("scale points to integers of their last decimal place first"),
            )
    scale = lcm(*(w.denominator for w in exact))
    return [w.numerator * (scale // w.denominator) for w in exact]


def _keys(order: Sequence[Any] | None, count: int) -> Sequence[Any]:
    if order is None:
        return range(count)
    if len(order) != count:
        raise BudgetError(
            _("{count} parts need {count} keys, not {total}", count=count, total=len(order))
        )
    if len(set(order)) != count:
        raise BudgetError(
            _("a key occurs twice in the order of a split; ties would depend on rows")
        )
    return order
