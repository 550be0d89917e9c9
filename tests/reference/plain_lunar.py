"""The Spring Festival out of the motions of sun and moon: no table, no code of `drgcore`.

After J. Meeus, Astronomical Algorithms (second edition, 1998): new moons by chapter 49 (to some
seconds), the sun's longitude by the short series of chapter 25 (to 0.01°); ΔT by the polynomials of
F. Espenak and J. Meeus. The rule of the calendar is that of GB/T 33661-2017.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import floor, radians, sin

# Amplitude [days], power of E, multiples of M, M', F.
_MOON = (
    (-0.40720, 0, 0, 1, 0), (0.17241, 1, 1, 0, 0), (0.01608, 0, 0, 2, 0),
    (0.01039, 0, 0, 0, 2), (0.00739, 1, -1, 1, 0), (-0.00514, 1, 1, 1, 0),
    (0.00208, 2, 2, 0, 0), (-0.00111, 0, 0, 1, -2), (-0.00057, 0, 0, 1, 2),
    (0.00056, 1, 1, 2, 0), (-0.00042, 0, 0, 3, 0), (0.00042, 1, 1, 0, 2),
    (0.00038, 1, 1, 0, -2), (-0.00024, 1, -1, 2, 0), (-0.00007, 0, 2, 1, 0),
    (0.00004, 0, 0, 2, -2), (0.00004, 0, 3, 0, 0), (0.00003, 0, 1, 1, -2),
    (0.00003, 0, 0, 2, 2), (-0.00003, 0, 1, 1, 2), (0.00003, 0, -1, 1, 2),
    (-0.00002, 0, -1, 1, -2), (-0.00002, 0, 1, 3, 0), (0.00002, 0, 0, 4, 0),
)  # fmt: skip
# Amplitude [days], angle at k = 0 and its change with k [degrees].
_PLANETS = (
    (0.000325, 299.77, 0.107408), (0.000165, 251.88, 0.016321), (0.000164, 251.83, 26.651886),
    (0.000126, 349.42, 36.412478), (0.000110, 84.66, 18.206239), (0.000062, 141.74, 53.303771),
    (0.000060, 207.14, 2.453732), (0.000056, 154.84, 7.306860), (0.000047, 34.52, 27.261239),
    (0.000042, 207.19, 0.121824), (0.000040, 291.34, 1.844379), (0.000037, 161.72, 24.198154),
    (0.000035, 239.56, 25.513099), (0.000023, 331.55, 3.592518),
)  # fmt: skip


def delta_t(year: float) -> float:
    """Dynamical less universal time [days]."""
    t = year - 2000
    if year < 2005:
        seconds = (
            63.86 + 0.3345 * t - 0.060374 * t**2 + 0.0017275 * t**3
            + 0.000651814 * t**4 + 0.00002373599 * t**5
        )  # fmt: skip
    elif year < 2050:
        seconds = 62.92 + 0.32217 * t + 0.005589 * t**2
    else:
        seconds = -20 + 32 * ((year - 1820) / 100) ** 2 - 0.5628 * (2150 - year)
    return seconds / 86400


def new_moon(k: int) -> float:
    """The k-th new moon since 2000-01-06, as a Julian day of dynamical time."""
    t = k / 1236.85
    e = 1 - 0.002516 * t - 0.0000074 * t**2
    sun = 2.5534 + 29.10535670 * k - 0.0000014 * t**2
    moon = 201.5643 + 385.81693528 * k + 0.0107582 * t**2
    latitude = 160.7108 + 390.67050284 * k - 0.0016118 * t**2
    node = 124.7746 - 1.56375588 * k + 0.0020672 * t**2
    day = 2451550.09766 + 29.530588861 * k + 0.00015437 * t**2
    for size, power, m, m1, f in _MOON:
        day += size * e**power * sin(radians(m * sun + m1 * moon + f * latitude))
    day -= 0.00017 * sin(radians(node))
    for size, start, change in _PLANETS:
        day += size * sin(radians(start + change * k))
    return day


def sun_longitude(day: float) -> float:
    """The sun's apparent longitude [degrees] on a Julian day of dynamical time."""
    t = (day - 2451545) / 36525
    mean = radians(357.52911 + 35999.05029 * t - 0.0001537 * t**2)
    centre = (
        (1.914602 - 0.004817 * t) * sin(mean)
        + (0.019993 - 0.000101 * t) * sin(2 * mean)
        + 0.000289 * sin(3 * mean)
    )
    longitude = 280.46646 + 36000.76983 * t + 0.0003032 * t**2 + centre
    return (longitude - 0.00569 - 0.00478 * sin(radians(125.04 - 1934.136 * t))) % 360


def china_day(day: float) -> date:
    """The calendar day in China (UTC+8) of a Julian day of dynamical time."""
    year = 2000 + (day - 2451545) / 365.25
    return date(2000, 1, 1) + timedelta(days=floor(day - delta_t(year) + 8 / 24 + 0.5) - 2451545)


def midnight(day: date) -> float:
    """The dynamical Julian day at which a calendar day begins in China."""
    start = 2451545 + (day - date(2000, 1, 1)).days - 0.5 - 8 / 24
    return start + delta_t(day.year)


def principal_terms(first: date, after: date) -> set[int]:
    """Principal terms (中气), by longitude over 30, on the days from one to before another."""
    found = set()
    while first < after:
        begins, ends = (sun_longitude(midnight(first + timedelta(days=d))) // 30 for d in (0, 1))
        if begins != ends:
            found.add(int(ends))
        first += timedelta(days=1)
    return found


def spring_festival(year: int) -> date:
    """The first day of the first month."""
    k = round((year - 2000) * 12.3685) - 3
    days = [china_day(new_moon(k + i)) for i in range(-1, 17)]
    terms = [principal_terms(days[i], days[i + 1]) for i in range(17)]
    # The eleventh month holds the winter solstice (270°); between two of them there are twelve
    # months, or thirteen, of which the first without a principal term is the leap month (闰月).
    solstices = [i for i, found in enumerate(terms) if 9 in found]
    eleventh, following = solstices[0], solstices[1]
    months = list(range(eleventh + 1, following + 1))
    if len(months) == 13:
        months.remove(next(i for i in months if not terms[i]))
    return days[months[1]]
