"""Formulas that are printed and computed from the same expression, so that they add up."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from drgcore.budget.allocate import decimal_text, exact_text, yuan
from drgcore.language import _

_SUM, _PRODUCT, _ATOM = 1, 2, 3
WIDTH = 80
_AMOUNT = 20


@dataclass(frozen=True)
class Formula:
    """An expression as text, and its exact value.

    The text has ``+ − × ÷``, parentheses, ``min(a; b)``, ``max(a; b)``, ``⌊a⌋`` and ``⌈a⌉`` (to the
    fen), and numbers whose thousands may be separated by commas.

    Parameters
    ----------
    text : str
        The expression.
    value : Fraction
        Its value [yuan, where it is an amount].
    level : int
        How tightly its outermost operation binds.

    Examples
    --------
    >>> (money(-5000) + number(Fraction(1, 2)) * money(120050)).text
    '(−50.00) + 0.5 × 1,200.50'
    """

    text: str
    value: Fraction
    level: int = _ATOM

    def __add__(self, other: Formula) -> Formula:
        return Formula(f"{self.text} + {other._as(_SUM)}", self.value + other.value, _SUM)

    def __sub__(self, other: Formula) -> Formula:
        return Formula(f"{self.text} − {other._as(_PRODUCT)}", self.value - other.value, _SUM)

    def __mul__(self, other: Formula) -> Formula:
        text = f"{self._as(_PRODUCT)} × {other._as(_ATOM)}"
        return Formula(text, self.value * other.value, _PRODUCT)

    def __truediv__(self, other: Formula) -> Formula:
        text = f"{self._as(_PRODUCT)} ÷ {other._as(_ATOM)}"
        return Formula(text, self.value / other.value, _PRODUCT)

    def _as(self, level: int) -> str:
        return self.text if self.level >= level else f"({self.text})"


def money(amount_fen: int) -> Formula:
    """Write an amount of whole fen in yuan."""
    text = yuan(abs(amount_fen))
    return Formula(text if amount_fen >= 0 else f"(−{text})", Fraction(amount_fen, 100))


def number(value: Fraction) -> Formula:
    """Write an exact number: a decimal, or n ÷ d where it has none."""
    text = exact_text(abs(value))
    if "/" in text:
        text = f"({text.replace('/', ' ÷ ')})"
    return Formula(text if value >= 0 else f"(−{text})", value)


def points(amount: int, places: int) -> Formula:
    """Write points, given in units of their last decimal."""
    value = Fraction(amount, 10**places)
    text = decimal_text(abs(value), places)
    return Formula(text if amount >= 0 else f"(−{text})", value)


def least(one: Formula, two: Formula) -> Formula:
    """Give the smaller of two."""
    return Formula(f"min({one.text}; {two.text})", min(one.value, two.value))


def greatest(one: Formula, two: Formula) -> Formula:
    """Give the greater of two."""
    return Formula(f"max({one.text}; {two.text})", max(one.value, two.value))


def down(one: Formula) -> Formula:
    """Round down to the fen."""
    return Formula(f"⌊{one.text}⌋", Fraction(floor(one.value * 100), 100))


def up(one: Formula) -> Formula:
    """Round up to the fen."""
    return Formula(f"⌈{one.text}⌉", Fraction(ceil(one.value * 100), 100))


def padded(text: str, width: int) -> str:
    """Fill a text with blanks, where a Chinese character takes two columns.

    Parameters
    ----------
    text : str
        The text.
    width : int
        The columns; below zero the blanks stand before the text.

    Examples
    --------
    >>> padded("点数", 6), padded("点数", -6)
    ('点数  ', '  点数')
    """
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    blanks = " " * (abs(width) - wide - len(text))
    return blanks + text if width < 0 else text + blanks


def shown_amount(name: str, amount: str) -> str:
    """Write a line of a statement: what it is, and the amount at the right margin."""
    return f"  {padded(name, WIDTH - _AMOUNT - 2)}{amount:>{_AMOUNT}}"


def equation(formula: Formula, amount_fen: int) -> str:
    """Write how an amount was found, and what largest remainders moved.

    Parameters
    ----------
    formula : Formula
        What the amount is made from.
    amount_fen : int
        The amount that the settlement has [fen].

    Returns
    -------
    str
        ``formula = amount``; where the amount is not the formula's value rounded to the nearest fen
        (halves up), by how much the method of largest remainders moved it.

    Examples
    --------
    >>> equation(money(10000) / number(Fraction(3)), 3333)
    '100.00 ÷ 3 = 33.33'
    >>> equation(money(10000) / number(Fraction(3)), 3334)
    '100.00 ÷ 3 = 33.34 (largest remainder + 0.01)'
    """
    moved = amount_fen - floor(formula.value * 100 + Fraction(1, 2))
    text = f"{formula.text} = {yuan(amount_fen)}"
    if not moved:
        return text
    by = f"{'+' if moved > 0 else '−'} {yuan(abs(moved))}"
    return f"{text} ({_('largest remainder {by}', by=by)})"


def broken(text: str) -> str:
    """Break an equation before operators where it is longer than a line; its end stays whole.

    Examples
    --------
    >>> print(broken("100.00 ÷ 3 = 33.33"))
        100.00 ÷ 3 = 33.33
    """
    above, _equals, amount = text.rpartition(" = ")
    lines, line = [], "   "
    for word in [*above.split(" "), f"= {amount}"]:
        if len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = "     "
        line += f" {word}"
    return "\n".join([*lines, line])
