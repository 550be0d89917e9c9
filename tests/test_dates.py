"""Days and months are written as each language writes them: as the CLDR does, by Babel."""

from __future__ import annotations

import datetime as dt

import pytest
from babel.dates import format_date

from drgcore.budget import Month
from drgcore.dates import axis_months, day_text, month_text, period_text, short_month
from drgcore.language import Language, use_language

PATTERNS: dict[Language, tuple[str, str, str, str]] = {
    "zh": ("zh_Hans_CN", "y年M月d日", "y年M月", "LLL"),
    "en": ("en_GB", "d MMMM y", "MMMM y", "LLL"),
}
DAYS = [dt.date(2027, month, day) for month in range(1, 13) for day in (1, 10, 28)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_days_and_months_are_those_of_the_cldr(language: Language) -> None:
    locale, day, month, short = PATTERNS[language]
    assert format_date(DAYS[0], "long", locale=locale) == format_date(DAYS[0], day, locale=locale)
    with use_language(language):
        for one in DAYS:
            assert day_text(one) == format_date(one, day, locale=locale)
            assert month_text(one.year, one.month) == format_date(one, month, locale=locale)
            # British English alone has four letters of one month.
            assert short_month(one.month) == format_date(one, short, locale=locale).replace(
                "Sept", "Sep"
            )


def test_a_period_is_written_by_its_form() -> None:
    periods = ("2027", "2027-03", Month(2027, 3), "2027-03-05", dt.date(2027, 3, 5))
    with use_language("en"):
        assert [period_text(one) for one in periods] == [
            *("2027", "March 2027", "March 2027", "5 March 2027", "5 March 2027")
        ]
    with use_language("zh"):
        assert [period_text(one) for one in periods] == [
            *("2027年", "2027年3月", "2027年3月", "2027年3月5日", "2027年3月5日")
        ]


@pytest.mark.parametrize("name", ["H01", "", "2027-13", "2027-02-30", "2027-3", "first half", "1"])
def test_what_is_no_period_stays_as_it_is(name: str) -> None:
    assert period_text(name) == name


def test_months_along_an_axis_are_short_and_years_are_told_apart() -> None:
    one, two = ["2027-01", "2027-02"], ["2026-12", "2027-01", "2027-02"]
    assert axis_months(one) == ["Jan", "Feb"]
    assert axis_months(two) == ["Dec 2026", "Jan 2027", "Feb"]
    with use_language("zh"):
        assert axis_months(one) == ["1月", "2月"]
        assert axis_months(two) == ["2026年12月", "2027年1月", "2月"]
    names = ["x", "2027", "2027-13", "2027-03-05"]
    assert axis_months(names) == names
