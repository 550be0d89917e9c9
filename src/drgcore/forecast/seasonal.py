"""Monthly shares out of the shares of earlier years: uniform, last year's, their mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.forecast.series import Series
from drgcore.language import _

DRAWS = 4000
"""Simulated years from which the bounds of an interval are taken."""

_SEED = 20_270_101


@dataclass(frozen=True)
class Estimate:
    """What a method says of one group's coming year.

    Parameters
    ----------
    shares : ndarray of float64
        Twelve shares that add up to 1.
    draws : ndarray of float64, shape (draws, 12), or None
        Simulated years, whose quantiles are the interval; None where nothing is known of errors.
    found : mapping of str to float or ndarray
        What was estimated, by name; an array has one number a month.
    notes : tuple of str
        What a reader must know.

    Examples
    --------
    >>> Estimate(np.full(12, 1 / 12), None).bounds(0.9)[0].round(2).tolist()[:2]
    [nan, nan]
    """

    shares: NDArray[np.float64]
    draws: NDArray[np.float64] | None
    found: Mapping[str, float | NDArray[np.float64]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def bounds(self, level: float) -> NDArray[np.float64]:
        """Give the lower and the upper bound of each month, NaN without simulated years."""
        if self.draws is None:
            return np.full((2, 12), np.nan)
        tail = (1 - level) / 2
        return np.quantile(self.draws, [tail, 1 - tail], axis=0)


def errors_of_years(
    errors: NDArray[np.float64], shape: tuple[int, ...], dof: int, seed: int = 0
) -> NDArray[np.float64]:
    """Draw errors of simulated years from those of history, wider where history is short.

    Errors are drawn with replacement. They are multiplied by √(n / dof), because errors of a
    fit are smaller than those of a forecast, and in each simulated year by √(dof / χ²), which
    makes a t distribution of a normal one: with few years their spread is itself uncertain.

    Parameters
    ----------
    errors : ndarray of float64
        The errors of history.
    shape : tuple of int
        Simulated years, and errors of each.
    dof : int
        Degrees of freedom: how many errors were free to vary.
    seed : int
        The same number gives the same errors.

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> drawn = errors_of_years(np.array([-1.0, 1.0] * 6), (4000, 12), dof=6)
    >>> round(float(np.sqrt((drawn**2).mean())), 1)  # √2 · √(6 / (6 - 2))
    1.7
    """
    random = np.random.default_rng([_SEED, seed])
    pool = np.sort(errors.ravel())
    spread = np.sqrt(len(pool) / dof) * np.sqrt(dof / random.chisquare(dof, (shape[0], 1)))
    return random.choice(pool - pool.mean(), shape) * spread


def uniform(series: Series, year: int) -> Estimate:
    """Give each month one twelfth.

    The interval is that of the errors which this would have made in every year of history.

    Parameters
    ----------
    series : Series
        History.
    year : int
        The year to forecast.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> series = Series("all", (2025, 2026), np.ones((2, 12)))
    >>> uniform(series, 2027).shares[0].round(4).tolist()
    0.0833
    """
    shares = np.full(12, 1 / 12)
    errors = series.shares - shares
    return Estimate(shares, _simulated(shares, errors, 11 * len(errors)))


def last_year(series: Series, year: int) -> Estimate:
    """Give each month its share of the last whole year.

    The interval is that of the changes from each year of history to the next. One year alone
    says nothing about changes: its bounds are NaN.

    Parameters
    ----------
    series : Series
        History.
    year : int
        The year to forecast.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> series = Series("all", (2025, 2026), np.vstack([np.ones(12), np.arange(12.0)]))
    >>> last_year(series, 2027).shares[:3].round(4).tolist()
    [0.0, 0.0152, 0.0303]
    """
    shares, changes = series.shares[-1], np.diff(series.shares, axis=0)
    notes = []
    if series.years[-1] != year - 1:
        notes.append(_("the last whole year is {year}", year=series.years[-1]))
    if not len(changes):
        notes.append(_no_changes(series))
        return Estimate(shares, None, notes=tuple(notes))
    return Estimate(shares, _simulated(shares, changes, 11 * len(changes)), notes=tuple(notes))


def seasonal_mean(
    series: Series, year: int, *, centre: Literal["mean", "median"] = "mean"
) -> Estimate:
    """Give each month the mean, or the median, of its shares in all years of history.

    Parameters
    ----------
    series : Series
        History; of one year, that year's shares, without interval.
    year : int
        The year to forecast.
    centre : {"mean", "median"}
        The median is not moved by one disturbed year of three or more. The medians of twelve
        months are divided by their sum.

    Returns
    -------
    Estimate

    Raises
    ------
    DrgcoreError
        For another centre, or medians that are all 0.

    Examples
    --------
    >>> series = Series("all", (2025, 2026), np.vstack([np.ones(12), np.arange(12.0)]))
    >>> seasonal_mean(series, 2027).shares[:3].round(4).tolist()
    [0.0417, 0.0492, 0.0568]
    """
    if centre not in ("mean", "median"):
        raise DrgcoreError(
            _("centre is {centre!r}", centre=centre), hint=_("It is mean or median.")
        )
    history = series.shares
    middle = history.mean(axis=0) if centre == "mean" else np.median(history, axis=0)
    if not middle.sum():
        raise DrgcoreError(
            _("the median of every month is 0"), where=series.name, hint=_('Take centre="mean".')
        )
    shares = middle / middle.sum()
    count = len(history)
    if count == 1:
        note = _no_changes(series)
        return Estimate(shares, None, notes=(note,))
    # The mean of n years is itself uncertain, by one n-th of a year's variance.
    errors = (history - shares) * np.sqrt(1 + 1 / count)
    return Estimate(shares, _simulated(shares, errors, 11 * (count - 1)))


def _simulated(
    shares: NDArray[np.float64], errors: NDArray[np.float64], dof: int
) -> NDArray[np.float64]:
    """Simulated years: shares with errors, which add up to 1 again and are not negative."""
    drawn = errors_of_years(errors, (DRAWS, 12), dof)
    years = np.maximum(shares + drawn - drawn.mean(axis=1, keepdims=True), 0.0)
    return years / years.sum(axis=1, keepdims=True)


def _no_changes(series: Series) -> str:
    return _("one year ({year}) says nothing about changes: no interval", year=series.years[0])
