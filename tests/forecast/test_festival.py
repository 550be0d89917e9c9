"""The Spring Festival's table against the motions of sun and moon, and its window by month."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from drgcore.errors import DrgcoreError
from drgcore.forecast import spring_festival
from drgcore.forecast.festival import FIRST_YEAR, LAST_YEAR, festival_days, month_days
from tests.reference import plain_lunar


@pytest.mark.parametrize("year", range(FIRST_YEAR, LAST_YEAR + 1))
def test_every_year_is_that_of_sun_and_moon(year: int) -> None:
    assert spring_festival(year) == plain_lunar.spring_festival(year)


@pytest.mark.parametrize(
    "day",
    ["1997-02-07", "2000-02-05", "2012-01-23", "2020-01-25", "2023-01-22", "2024-02-10",
     "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26", "2033-01-31", "2034-02-19"],
)  # fmt: skip
def test_well_known_days(day: str) -> None:
    known = date.fromisoformat(day)
    assert spring_festival(known.year) == known


@pytest.mark.parametrize("year", [1989, 2101, 0])
def test_years_outside_the_table(year: int) -> None:
    with pytest.raises(DrgcoreError, match=f"{year} is not known"):
        spring_festival(year)


@pytest.mark.parametrize("window", [(-1, 13), (0, 0), (-20, 40), (5, 90)])
def test_the_window_is_counted_day_by_day(window: tuple[int, int]) -> None:
    for year in range(2020, 2035):
        first = spring_festival(year) + timedelta(days=window[0])
        count = [0] * 12
        for offset in range(window[1] - window[0] + 1):
            count[(first + timedelta(days=offset)).month - 1] += 1
        assert festival_days(year, window).tolist() == count
        assert festival_days(year, window).sum() == window[1] - window[0] + 1
        assert (festival_days(year, window) <= month_days(year)).all()


@pytest.mark.parametrize("window", [(3, 2), (-21, 5), (0, 301)])
def test_windows_that_are_none(window: tuple[int, int]) -> None:
    with pytest.raises(DrgcoreError, match="no window of days"):
        festival_days(2027, window)


def test_days_of_leap_years() -> None:
    assert month_days(2028).sum() == 366
    assert month_days(2100)[1] == 28
