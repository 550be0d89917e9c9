"""Forecasts of years that have come, held against what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from drgcore.errors import DrgcoreError
from drgcore.forecast.monthly import month_text
from drgcore.forecast.series import read_series
from drgcore.forecast.shares import Method, method_of
from drgcore.language import _

SIMPLE = ("uniform", "last_year")
"""The methods that others must beat."""


def backtest_shares(
    monthly: Any,
    methods: Sequence[str | Method] = ("uniform", "last_year", "seasonal_mean", "calendar"),
    first_year: int | None = None,
    *,
    before: int | None = None,
    by: str | None = "pool",
    level: float = 0.9,
    incomplete: Literal["error", "leave_out"] = "error",
) -> pd.DataFrame:
    """Forecast each year of history from the years before it, and compare.

    Parameters
    ----------
    monthly : pandas.DataFrame, or anything with the Arrow PyCapsule interface
        Monthly totals, as for `forecast_shares`.
    methods : sequence of str or callable
        Methods, as for `forecast_shares`; one with options as `functools.partial`.
    first_year : int, optional
        First year to hold out; by default the second whole one of each group.
    before : int, optional
        Only years before this one.
    by, level, incomplete
        As for `forecast_shares`.

    Returns
    -------
    pandas.DataFrame
        One row for each group, held-out year and method: `by`, `year`, `method`, `years` (how many
        the forecast came from), `misplaced` Σ|s − ŝ|/2 (the share of the year's budget that lay
        in a wrong month), `rmse`, `worst_month`, `worst_error` (ŝ − s there), `coverage` (share of
        the months in their interval; NaN without interval), and `reason`: why a method gave no
        forecast, else empty.

    Raises
    ------
    DrgcoreError
        If there is no year to hold out; and as for `forecast_shares`.

    Examples
    --------
    >>> months = [f"{y}-{m:02d}" for y in (2024, 2025, 2026) for m in range(1, 13)]
    >>> table = pd.DataFrame({"month": months, "value": [8.0, 7.0, *[9.0] * 10] * 3})
    >>> found = backtest_shares(table, ["uniform", "last_year"], by=None)
    >>> found[["year", "method", "misplaced", "worst_month"]].round(4)
       year     method  misplaced worst_month
    0  2025    uniform     0.0238     2025-02
    1  2025  last_year     0.0000     2025-01
    2  2026    uniform     0.0238     2026-02
    3  2026  last_year     0.0000     2026-01
    """
    runs = [method_of(method, {}) for method in methods]
    rows = []
    for series in read_series(monthly, by=by, incomplete=incomplete, before=before):
        for place, year in enumerate(series.years):
            if not place or (first_year is not None and year < first_year):
                continue
            for name, run in runs:
                row: dict[str, Any] = {by: series.name} if by else {}
                row |= {"year": year, "method": name, "years": place}
                try:
                    estimate = run(series.before(year), year)
                except DrgcoreError as error:
                    rows.append(row | {"reason": error.message})
                    continue
                actual = series.shares[place]
                errors = estimate.shares - actual
                # The first of equally wrong ones, though their last bits may differ.
                worst = int(np.abs(errors).round(12).argmax())
                lower, upper = estimate.bounds(level)
                inside = float(((lower <= actual) & (actual <= upper)).mean())
                rows.append(
                    row
                    | {
                        "misplaced": float(np.abs(errors).sum() / 2),
                        "rmse": float(np.sqrt((errors**2).mean())),
                        "worst_month": month_text(year * 12 + worst),
                        "worst_error": float(errors[worst]),
                        "coverage": np.nan if estimate.draws is None else inside,
                        "reason": "",
                    }
                )
    if not rows:
        raise DrgcoreError(
            _("there is no year to hold out"),
            hint=_("A backtest needs two whole years, the later one not before first_year."),
        )
    head = [*([by] if by else []), "year", "method", "years", "misplaced", "rmse"]
    return pd.DataFrame(
        rows, columns=[*head, "worst_month", "worst_error", "coverage", "reason"]
    ).fillna({"worst_month": ""})


def backtest_summary(table: pd.DataFrame, by: str | None = "pool") -> pd.DataFrame:
    """Average a backtest by method, beside the simple methods.

    Parameters
    ----------
    table : pandas.DataFrame
        What `backtest_shares` returns.
    by : str or None, default "pool"
        Column of the groups, None if there are none.

    Returns
    -------
    pandas.DataFrame
        One row for each group and method: `years` forecast, `failed` years without a forecast,
        means of `misplaced`, `rmse` and `coverage`, the greatest `worst_error` by size, and
        `to_uniform` and `to_last_year`: misplaced over that of the simple method in the same
        years, below 1 if better.

    Examples
    --------
    >>> months = [f"{y}-{m:02d}" for y in (2024, 2025, 2026) for m in range(1, 13)]
    >>> table = pd.DataFrame({"month": months, "value": [8.0, 7.0, *[9.0] * 10] * 3})
    >>> found = backtest_shares(table, ["uniform", "seasonal_mean"], by=None)
    >>> backtest_summary(found, by=None)[["method", "years", "to_uniform"]]
              method  years  to_uniform
    0        uniform      2         1.0
    1  seasonal_mean      2         0.0
    """
    keys = [by] if by else []
    simple = {
        name: table[table["method"] == name].set_index([*keys, "year"])["misplaced"]
        for name in SIMPLE
    }
    rows = []
    for key, part in table.groupby([*keys, "method"], sort=False, observed=True):
        done = part[part["reason"] == ""].set_index([*keys, "year"])
        row = dict(zip([*keys, "method"], key if isinstance(key, tuple) else (key,), strict=True))
        row |= {"years": len(done), "failed": len(part) - len(done)}
        row |= {name: done[name].mean() for name in ("misplaced", "rmse", "coverage")}
        row["worst_error"] = done["worst_error"].abs().max()
        for name, misplaced in simple.items():
            both = pd.concat([done["misplaced"], misplaced], axis=1, join="inner").dropna()
            own, other = both.sum()
            row[f"to_{name}"] = own / other if other else np.nan
        rows.append(row)
    return pd.DataFrame(rows)
