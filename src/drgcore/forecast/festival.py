"""Months and the Spring Festival, which moves between January and February."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.language import _

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""The years whose Spring Festival is known here."""

WINDOW = (-1, 13)
"""New Year's Eve (除夕) to the eve of the Lantern Festival (元宵节): days after the festival."""

# Days after 20 January, ten years a line from 1990 on. The rule is that of GB/T 33661-2017: the
# first month begins on the day (UTC+8) of the second new moon after the winter solstice, or of the
# third where a month without a principal solar term (中气) lies between. The tests compute it.
_DAYS = (
    *(7, 26, 15, 3, 21, 11, 30, 18, 8, 27),
    *(16, 4, 23, 12, 2, 20, 9, 29, 18, 6),
    *(25, 14, 3, 21, 11, 30, 19, 8, 27, 16),
    *(5, 23, 12, 2, 21, 9, 28, 17, 6, 24),
    *(14, 3, 22, 11, 30, 19, 8, 26, 15, 4),
    *(23, 12, 2, 21, 10, 28, 17, 6, 25, 13),
    *(3, 22, 12, 30, 19, 8, 26, 15, 4, 23),
    *(13, 1, 20, 9, 28, 16, 6, 25, 14, 3),
    *(22, 11, 30, 18, 7, 26, 16, 4, 23, 13),
    *(2, 20, 9, 28, 17, 6, 25, 14, 4, 21),
    *(10, 29, 18, 7, 26, 16, 5, 23, 12, 1),
    20,
)


def spring_festival(year: int) -> date:
    """Give the day of the Spring Festival (春节), the first of the lunisolar year.

    Parameters
    ----------
    year : int
        The calendar year, 1990 to 2100.

    Returns
    -------
    datetime.date
        The day by the Chinese calendar of GB/T 33661-2017.

    Raises
    ------
    DrgcoreError
        For a year outside the table.

    Examples
    --------
    >>> spring_festival(2027)
    datetime.date(2027, 2, 6)
    >>> spring_festival(2034)
    datetime.date(2034, 2, 19)
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise DrgcoreError(
            _("the Spring Festival of {year} is not known here", year=year),
            hint=_(
                "The table has {first_year} to {last_year}.",
                first_year=FIRST_YEAR,
                last_year=LAST_YEAR,
            ),
        )
    return date(year, 1, 20) + timedelta(days=_DAYS[year - FIRST_YEAR])


def month_days(year: int) -> NDArray[np.float64]:
    """Count the days of each month of a year.

    Parameters
    ----------
    year : int
        The calendar year.

    Returns
    -------
    ndarray of float64
        January to December [days].

    Examples
    --------
    >>> month_days(2028)[:3].tolist()
    [31.0, 29.0, 31.0]
    """
    return np.array([monthrange(year, number)[1] for number in range(1, 13)], np.float64)


def festival_days(year: int, window: tuple[int, int] = WINDOW) -> NDArray[np.float64]:
    """Count the days of the Spring Festival's window in each month of a year.

    Parameters
    ----------
    year : int
        The calendar year.
    window : tuple of int
        First and last day of the window, in days after the festival.

    Returns
    -------
    ndarray of float64
        January to December [days].

    Raises
    ------
    DrgcoreError
        For a year outside the table, or a window that ends before it begins or leaves the year.

    Examples
    --------
    >>> festival_days(2025)[:3].tolist()  # 28 January to 11 February
    [4.0, 11.0, 0.0]
    >>> festival_days(2026)[:3].tolist()  # 16 February to 2 March
    [0.0, 13.0, 2.0]
    """
    first, last = window
    # The earliest festival is on 21 January; what lies before the year would be another year's.
    if not -20 <= first <= last <= 300:
        raise DrgcoreError(
            _(
                "{first} to {last} is no window of days around the Spring Festival",
                first=first,
                last=last,
            ),
            hint=_("Give the first and the last day, for example (-1, 13); none before -20."),
        )
    day = spring_festival(year)
    days = np.zeros(12)
    for offset in range(first, last + 1):
        days[(day + timedelta(days=offset)).month - 1] += 1
    return days
