"""Numbers and lists as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal


def number(value: Decimal | None) -> str:
    """Write a decimal with all its digits and no more.

    Parameters
    ----------
    value : Decimal or None
        The number; None is an empty text.

    Returns
    -------
    str
        Its digits.

    Examples
    --------
    >>> number(Decimal("1E+2")), number(Decimal("0.40"))
    ('100', '0.4')
    """
    return "" if value is None else f"{value.normalize():f}"


def percent(share: Decimal) -> str:
    """Write a share as a percentage.

    Parameters
    ----------
    share : Decimal
        The share.

    Returns
    -------
    str
        It, times 100.

    Examples
    --------
    >>> percent(Decimal("0.005"))
    '0.5 %'
    """
    return f"{number(share * 100)} %"


def list_of(items: Sequence[str]) -> str:
    """Join names with commas.

    Parameters
    ----------
    items : sequence of str
        The names.

    Returns
    -------
    str
        Their list.

    Examples
    --------
    >>> list_of(["H1", "H2"])
    'H1, H2'
    """
    return ", ".join(items)
