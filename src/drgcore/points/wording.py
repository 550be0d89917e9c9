"""Numbers and lists as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from drgcore.language import N_, _

HIGH = {
    "none": N_("There is no class of high-cost outliers."),
    "added": N_("It earns P·k + P·((C − U)/m − hi)."),
    "added_capped": N_("It earns P·k + P·((C − U)/m − hi), the added part at most {cap} times P."),
    "added_reviewed": N_("It earns P·k, and of P·((C − U)/m − hi) what a review grants."),
    "capped_at_hi": N_("It earns P·min((C − U)/m, hi)."),
    "by_cost": N_("It earns (C − U)/mean · scale · {rate}."),
    "outside": N_("It is outside the points and paid by item."),
}
"""What a case of high cost earns, by the rule."""

LOW = {
    "none": N_("There is no class of low-cost outliers."),
    "proportional": N_("It earns P·C/m, and at most P·k."),
    "by_cost": N_("It earns (C − U)/mean · scale · {rate}."),
    "outside": N_("It is outside the points and paid by item."),
}
"""What a case of low cost earns, by the rule."""

TAKEN = {
    "own_level": N_("that of the hospital's level"),
    "next_higher_level": N_("that of the next higher level"),
    "next_lower_level": N_("that of the next lower level"),
    "constant": "1",
}
"""Which coefficient a fallback takes."""

ROUNDED = {
    "down": N_("rounded down"),
    "nearest": N_("rounded to the nearest"),
    "up": N_("rounded up"),
}
"""How a number of cases is rounded."""


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


def told(text: str) -> str:
    """Say what a policy file says: a shipped preset's words in the language that is spoken.

    Parameters
    ----------
    text : str
        Words of the file: a title, a source, what it states or leaves open.

    Returns
    -------
    str
        Their translation; a file of one's own is quoted as it stands.

    Examples
    --------
    >>> told("my own words")
    'my own words'
    """
    return _(text) if text else text


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
    return _(", ").join(items)
