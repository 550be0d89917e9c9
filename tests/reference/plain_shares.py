"""Monthly totals case by case, and the log-linear fit as one least-squares problem.

Slow and plain; of `drgcore` it shares the days of the Spring Festival and nothing else.
"""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from drgcore.forecast import spring_festival


def monthly_totals(
    cases: Iterable[Mapping[str, Any]], value: str | None, by: str | None
) -> list[tuple[str, str, float]]:
    """Group, month and total, every month of the data for every group, sums as `math.fsum`."""
    cells: dict[tuple[str, str], list[float]] = {}
    for case in cases:
        day: date = case["discharge_date"]
        key = (case[by] if by else "all", f"{day.year:04d}-{day.month:02d}")
        cells.setdefault(key, []).append(case[value] if value else 1)
    months = sorted({month for _, month in cells})
    year, number = map(int, months[0].split("-"))
    every = []
    while f"{year:04d}-{number:02d}" <= months[-1]:
        every.append(f"{year:04d}-{number:02d}")
        year, number = (year + 1, 1) if number == 12 else (year, number + 1)
    groups = sorted({group for group, _ in cells})
    return [(g, m, math.fsum(cells.get((g, m), []))) for g in groups for m in every]


def in_window(year: int, month: int, window: tuple[int, int]) -> float:
    """Share of a month's days that lie in the festival's window."""
    days = [date(year, month, d) for d in range(1, monthrange(year, month)[1] + 1)]
    first, last = (spring_festival(year) + timedelta(days=d) for d in window)
    return sum(first <= day <= last for day in days) / len(days)


def calendar_shares(
    history: Mapping[int, Sequence[float]],
    year: int,
    window: tuple[int, int],
    known: float | None,
    trend: bool,
) -> tuple[list[float], dict[str, float]]:
    """Shares, and the festival's effect, by ordinary least squares with a pseudoinverse.

    The error is that of the worst month's forecast, in units of a month's.

    The design has one dummy for each month and year (or a line in time), which overlap; the least
    norm decides between equal fits and changes no prediction.
    """
    rows, logs = [], []
    years = sorted(history)

    def row(y: int, m: int) -> list[float]:
        months = [float(m == n) for n in range(1, 13)]
        levels = [y - years[0] + (m - 1) / 12] if trend else [float(y == other) for other in years]
        return months + levels + ([in_window(y, m, window)] if known is None else [])

    for y in years:
        for m in range(1, 13):
            offset = math.log(known) * in_window(y, m, window) if known is not None else 0.0
            rows.append(row(y, m))
            logs.append(math.log(history[y][m - 1] / monthrange(y, m)[1]) - offset)
    fitted = np.linalg.lstsq(np.array(rows), np.array(logs), rcond=None)[0]
    asked = np.array([row(year, m) for m in range(1, 13)])
    if trend:
        asked[:, 12] = [(m - 1) / 12 for m in range(1, 13)]
    else:
        asked[:, 12 : 12 + len(years)] = 0.0
    asked -= asked.mean(axis=0)
    spread = asked @ np.linalg.pinv(np.array(rows).T @ np.array(rows), hermitian=True) @ asked.T
    error = math.sqrt(spread.diagonal().max())
    worth = []
    for m in range(1, 13):
        at = np.array(row(year, m))
        if not trend:
            at[12 : 12 + len(years)] = 0.0
        else:
            # The coming year's own level is the same for every month.
            at[12] = (m - 1) / 12
        offset = math.log(known) * in_window(year, m, window) if known is not None else 0.0
        worth.append(math.log(monthrange(year, m)[1]) + float(at @ fitted) + offset)
    found = {"error": error}
    if known is None:
        found["festival effect"] = math.exp(fitted[-1])
    relative = [math.exp(w - max(worth)) for w in worth]
    return [w / sum(relative) for w in relative], found
