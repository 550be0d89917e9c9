"""Mean costs of groups over several years, each year with its weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.cases.attributes import Codes, some_of
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import _
from drgcore.weights.history import History

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Means:
    """Mean costs of the DRGs, their ADRGs and the region.

    Parameters
    ----------
    region : float
        Mean cost of all cases [yuan].
    drg_mean : ndarray of float64
        Mean cost of each DRG of the history [yuan]; NaN where no year gives one.
    years : ndarray of int64
        In how many years each DRG has cases; 0 without year weights.
    adrgs : tuple of str
        The ADRGs.
    adrg_mean : ndarray of float64
        Their mean costs [yuan].
    """

    region: float
    drg_mean: Floats
    years: NDArray[np.int64]
    adrgs: tuple[str, ...]
    adrg_mean: Floats


def weigh_years(
    drgs: Sequence[str],
    count: NDArray[np.int64],
    total: Floats,
    weights: Floats,
    method: str,
) -> Means:
    """Take means over years.

    Parameters
    ----------
    drgs : sequence of str
        The DRGs in alphabetical order.
    count, total : ndarray of int64 and float64, shape (years, drgs)
        Cases and sum of cost [yuan] of each year; one row where years are not told apart.
    weights : ndarray of float64, shape (years,)
        How much each year counts.
    method : {"of_means", "of_cases"}
        As `base_points` explains.

    Returns
    -------
    Means

    Examples
    --------
    >>> count, total = np.array([[3], [1]]), np.array([[3.0], [5.0]])
    >>> weigh_years(["BR13"], count, total, np.array([1.0, 3.0]), "of_means").region
    4.0
    """
    names, parent = np.unique(np.array([d[:3] for d in drgs]), return_inverse=True)
    # Groups are added in the order of their names, whatever the order of the rows.
    adrg_count = np.stack([np.bincount(parent, row, len(names)) for row in count])
    adrg_total = np.stack([np.bincount(parent, row, len(names)) for row in total])
    of_year = count.sum(axis=1)
    used = np.where(of_year > 0, weights, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        region = float(np.nansum(used * total.sum(axis=1) / of_year) / used.sum())
        if method == "of_means":
            drg_mean = _mean_of_means(count, total, used)
            adrg_mean = _mean_of_means(adrg_count, adrg_total, used)
        elif method == "of_cases":
            share = np.divide(used, of_year, out=np.zeros(len(used)), where=of_year > 0)
            drg_mean = (share @ total) / (share @ count)
            adrg_mean = (share @ adrg_total) / (share @ adrg_count)
        else:
            raise DrgcoreError(
                _("year_method={method!r} must be of_means or of_cases", method=method)
            )
    years = (count > 0).sum(axis=0)
    return Means(region, drg_mean, years, tuple(map(str, names)), adrg_mean)


def counted_years(history: History, year_weights: Mapping[int, float]) -> NDArray[np.bool_]:
    """Say which cases are of a year with a weight above 0; a year with 0 is left out altogether.

    Parameters
    ----------
    history : History
        n cases.
    year_weights : mapping of int to float
        How much each year counts.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    CaseSchemaError
        If a usable case has no year, or a year no weight.

    Examples
    --------
    >>> import pandas as pd
    >>> from drgcore.weights.history import read_history
    >>> cases = pd.DataFrame({"drg": "BR13", "total_cost": [1.0, 5.0],
    ...     "discharge_date": ["2025-05-01", "2026-05-01"]})
    >>> counted_years(read_history(cases), {2025: 0, 2026: 1}).tolist()
    [False, True]
    """
    years, weights = checked_years(history, year_weights)
    return np.append(weights > 0, False)[years.codes]


def _mean_of_means(count: NDArray[Any], total: NDArray[Any], weights: Floats) -> NDArray[Any]:
    """Weighted mean of the years' means, over the years that have cases."""
    share = np.where(count > 0, weights[:, None], 0.0)
    means = np.divide(total, count, out=np.zeros(total.shape), where=count > 0)
    return (share * means).sum(axis=0) / share.sum(axis=0)


def checked_years(history: History, year_weights: Mapping[int, float]) -> tuple[Codes, Floats]:
    """Give the years and their weights; every usable case must have one.

    Parameters
    ----------
    history : History
        The cases.
    year_weights : mapping of int to float
        How much each year counts.

    Returns
    -------
    years : Codes
        The year of each case.
    weights : ndarray of float64
        One for each name of `years`.

    Raises
    ------
    CaseSchemaError
        If a usable case has no year, or a year no weight.
    """
    years = history.key("year")
    without = int((years.codes[history.usable] < 0).sum())
    if without:
        raise CaseSchemaError(
            _("{without:,} cases have no discharge date, so no year", without=without),
            where="year_weights",
        )
    seen = np.bincount(years.codes[history.usable], minlength=len(years.names))
    lacking = [
        f"{year} ({number:,} cases)"
        for year, number in zip(years.names, seen, strict=True)
        if number and int(year) not in year_weights
    ]
    if lacking:
        raise CaseSchemaError(
            _("no weight is given for year {lacking}", lacking=some_of(lacking)),
            where="year_weights",
            hint=_("name every year of the cases; 0 leaves one out"),
        )
    weights = np.array([float(year_weights.get(int(year), 0.0)) for year in years.names])
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights[seen > 0].any()):
        raise DrgcoreError(
            _(
                "year_weights={year_weights} must be positive numbers or 0",
                year_weights=dict(year_weights),
            )
        )
    return years, weights
