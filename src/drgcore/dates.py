"""Days, months and years as people read them; machines read them as ISO 8601 has them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from drgcore.language import N_, _

__all__ = ["axis_months", "day_text", "month_text", "period_text", "short_month"]

_MONTHS = (
    *(N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July")),
    *(N_("August"), N_("September"), N_("October"), N_("November"), N_("December")),
)
_LETTERS = 3
"""Of an English month's name on an axis."""

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def day_text(day: dt.date) -> str:
    """A day in a sentence or a title, in the language that is spoken.

    Parameters
    ----------
    day : datetime.date

    Returns
    -------
    str

    Examples
    --------
    >>> from drgcore.language import use_language
    >>> day_text(dt.date(2027, 3, 5))
    '5 March 2027'
    >>> with use_language("zh"):
    ...     day_text(dt.date(2027, 3, 5))
    '2027年3月5日'
    """
    month = _(_MONTHS[day.month - 1])
    return _("{day} {month} {year}", day=day.day, month=month, year=day.year)


def month_text(year: int, number: int) -> str:
    """A month of a year in a sentence or a title, in the language that is spoken.

    Parameters
    ----------
    year, number : int
        The month is 1 to 12.

    Returns
    -------
    str

    Examples
    --------
    >>> from drgcore.language import use_language
    >>> month_text(2027, 3)
    'March 2027'
    >>> with use_language("zh"):
    ...     month_text(2027, 3)
    '2027年3月'
    """
    return _("{month} {year}", month=_(_MONTHS[number - 1]), year=year)


def short_month(number: int) -> str:
    """A month beside others on an axis, in the language that is spoken.

    Parameters
    ----------
    number : int
        1 to 12.

    Returns
    -------
    str

    Examples
    --------
    >>> from drgcore.language import use_language
    >>> short_month(9)
    'Sep'
    >>> with use_language("zh"):
    ...     short_month(9)
    '9月'
    """
    # No Chinese name is longer than that.
    return _(_MONTHS[number - 1])[:_LETTERS]


def period_text(period: object) -> str:
    """A day, a month or a year that machines know, as people read it.

    Parameters
    ----------
    period : object
        What is written as ISO 8601 has it: a day, a month, a year; as a text or of a type whose
        text that is.

    Returns
    -------
    str
        The period in the language that is spoken. A text of another form is a name that somebody
        gave, and stays as it is.

    Examples
    --------
    >>> from drgcore.language import use_language
    >>> period_text("2027-03"), period_text(dt.date(2027, 3, 5)), period_text("2027")
    ('March 2027', '5 March 2027', '2027')
    >>> with use_language("zh"):
    ...     period_text("2027-03"), period_text("2027")
    ('2027年3月', '2027年')
    """
    found = _ISO.fullmatch(str(period))
    if not found:
        return str(period)
    year, month, day = (None if part is None else int(part) for part in found.groups())
    assert year is not None
    if month is None:
        return _("{year}", year=year)
    try:
        first = dt.date(year, month, day or 1)
    except ValueError:
        return str(period)
    return month_text(year, month) if day is None else day_text(first)


def axis_months(periods: Sequence[object]) -> list[str]:
    """Months that machines know as they stand along an axis, in the language that is spoken.

    Parameters
    ----------
    periods : sequence of object
        Months in their order, each written as ``2027-03``.

    Returns
    -------
    list of str
        Short names; where there is more than one year, the first month of each has its year. What
        is no month stays as it is.

    Examples
    --------
    >>> axis_months(["2026-11", "2026-12", "2027-01"])
    ['Nov 2026', 'Dec', 'Jan 2027']
    """
    found = [_ISO.fullmatch(str(period)) for period in periods]
    several = len({match[1] for match in found if match}) > 1
    texts, before = [], ""
    for period, match in zip(periods, found, strict=True):
        if not match or not match[2] or match[3] or not 1 <= int(match[2]) <= 12:
            texts.append(str(period))
            continue
        text, year = short_month(int(match[2])), match[1]
        if several and year != before:
            text = _("{month} {year}", month=text, year=year)
        texts.append(text)
        before = year
    return texts
