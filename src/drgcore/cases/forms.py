"""Ages and weights in the forms that people write, where what they mean is certain.

Each function takes a text as `tidy` leaves it and gives a number, or None where it reads none.
"""

from __future__ import annotations

import re

DAYS_OF_A_MONTH = 30
"""By which the front page counts an infant's age: months, and days as a fraction of 30."""

_INFANT_DAYS = 28

_YEARS = re.compile(
    r"(?a)(\d{1,9})\s*(?:周?岁|岁整|年)\s*"
    r"(?:(\d{1,9})\s*个?月(?:龄)?)?\s*(?:零?(\d{1,9})\s*[天日])?"
)
_MONTHS = re.compile(r"(?a)(\d{1,9})\s*个?月(?:龄)?\s*(?:零?(\d{1,9})\s*[天日])?")
_FRACTION = re.compile(r"(?a)(?:(\d{1,9})\s+)?(\d{1,9})/30")
_WHOLE = re.compile(r"(?a)(\d{1,9})(?:\.0*)?")
_DAYS = re.compile(r"(?a)(\d{1,9})\s*[天日](?:龄)?\s*(?:(\d{1,9})\s*(?:个?小时|时|h))?")
_HOURS = re.compile(r"(?a)(\d{1,9})\s*(?:个?小时|时|h)")
_KILOGRAMS = re.compile(r"(?a)(\d{1,2}(?:\.\d{1,9})?)\s*(?:kg|千克|公斤)")
_GRAMS = re.compile(r"(?a)(\d{1,2},\d{3})(?:\.0*)?\s*(?:g|克)?")


def age_in_years(text: str) -> int | None:
    """Completed years: 75周岁, 3岁5月, 5月, 12天, 12小时, 2 15/30 (months).

    Examples
    --------
    >>> [age_in_years(t) for t in ("3岁5月", "5月", "18月", "2 15/30", "12天", "1952-01-05")]
    [3, 0, 1, 0, 0, None]
    """
    if found := _YEARS.fullmatch(text):
        months = int(found[2] or 0)
        return int(found[1]) if months < 12 and int(found[3] or 0) <= 31 else None
    if found := _MONTHS.fullmatch(text):
        return int(found[1]) // 12 if int(found[2] or 0) <= 31 else None
    days = age_in_days(text)
    return 0 if days is not None and days < 365 else None


def age_in_days(text: str) -> int | None:
    """Completed days: 12日, 0天12小时, 12小时, 2 15/30, 2月15天.

    A month counts 30 days, as on the front page. One month without days is not read: it may be 28
    days or 31, and with 29 an infant is a newborn no more.

    Examples
    --------
    >>> [age_in_days(t) for t in ("12日", "0天12小时", "36小时", "2 15/30", "15/30", "5月", "1月")]
    [12, 0, 1, 75, 15, 150, None]
    """
    if found := _DAYS.fullmatch(text):
        return int(found[1]) if int(found[2] or 0) < 24 else None
    if found := _HOURS.fullmatch(text):
        return int(found[1]) // 24
    if found := _FRACTION.fullmatch(text):
        months, days = int(found[1] or 0), int(found[2])
        return DAYS_OF_A_MONTH * months + days if months < 12 and days < DAYS_OF_A_MONTH else None
    if found := _MONTHS.fullmatch(text):
        months, days = int(found[1]), int(found[2] or 0)
        # The shortest month has 28 days: surely a newborn, or surely none.
        if months < 12 and days <= 31 and (months == 0 or _INFANT_DAYS * months + days > 28):
            return DAYS_OF_A_MONTH * months + days
    return None


def months_in_days(text: str) -> int | None:
    """Completed days of an age in months: 2 15/30, 15/30, 5, 5月.

    As `age_in_days`: neither 0 nor 1 without days says whether an infant is a newborn.

    Examples
    --------
    >>> [months_in_days(t) for t in ("2 15/30", "0 3/30", "5", "5.0", "7月", "1", "0", "75")]
    [75, 3, 150, 150, 210, None, None, None]
    """
    if found := _WHOLE.fullmatch(text):
        return age_in_days(f"{found[1]}月") if int(found[1]) else None
    return age_in_days(text)


def weight_in_grams(text: str) -> int | None:
    """Whole grams: 3.2kg, 1.2公斤, 1,200.

    Examples
    --------
    >>> [weight_in_grams(t) for t in ("3.2kg", "1.25 公斤", "1,200克", "6斤")]
    [3200, 1250, 1200, None]
    """
    if found := _KILOGRAMS.fullmatch(text):
        whole, _, thousandths = found[1].partition(".")
        return 1000 * int(whole) + int(f"{thousandths:0<3}")
    if found := _GRAMS.fullmatch(text):
        return int(found[1].replace(",", ""))
    return None
