"""Histories whose seasonality, festival, growth and noise are known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from drgcore.forecast.festival import festival_days, month_days
from drgcore.forecast.series import Series

PROFILE = 1 + 0.08 * np.sin(np.arange(12) * 2 * np.pi / 12)
"""How busy a day of each month is; its geometric mean is taken out where it is compared."""


def truth(
    year: int, *, festival: float = 0.6, growth: float = 0.05, flat: bool = False
) -> np.ndarray:
    """What the months of a year have without noise."""
    level = 1000 * (1 + growth) ** (year - 2020 + np.arange(12) / 12)
    window = festival_days(year) / month_days(year)
    return level * month_days(year) * (1.0 if flat else PROFILE) * festival**window


def shares(values: np.ndarray) -> np.ndarray:
    return values / values.sum(axis=-1, keepdims=True)


def history(years: Iterable[int], sigma: float = 0.0, seed: int = 0, **known: float) -> Series:
    """Years with noise of a month's logarithm."""
    random = np.random.default_rng(seed)
    listed = tuple(years)
    values = np.vstack([truth(y, **known) for y in listed])  # type: ignore[arg-type]
    return Series("p", listed, values * np.exp(random.normal(0, sigma, values.shape)))


def table(series: Series) -> pd.DataFrame:
    """A history as a table of monthly totals."""
    months = [f"{y}-{m:02d}" for y in series.years for m in range(1, 13)]
    return pd.DataFrame({"pool": series.name, "month": months, "value": series.values.ravel()})


def misplaced(found: np.ndarray, actual: np.ndarray) -> float:
    """The share of the year that lies in a wrong month."""
    return float(np.abs(found - actual).sum() / 2)
