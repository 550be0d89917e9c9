"""Group statistics: cases, mean, spread, quantiles and length of stay, by any of the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.weights.history import codes_by, read_history
from drgcore.weights.segments import sort_by_group
from drgcore.weights.trimming import Trimming

QUANTILES = (0.25, 0.5, 0.75)

CV_PLACES = 6
"""Decimals with which a CV is compared and written."""


def group_statistics(
    cases: Any,
    by: str | Sequence[str] = "drg",
    *,
    trimming: Trimming | None = None,
    quantiles: Sequence[float] = QUANTILES,
    n_min: int = 5,
    cv_max: float = 1.0,
) -> pd.DataFrame:
    """Describe the cost and stay of groups of cases.

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases, see `read_history`.
    by : str or sequence of str, default "drg"
        ``drg``, ``adrg``, ``mdc``, ``hospital``, ``hospital_level``, ``pool``, ``year``, alone or
        several.
    trimming : Trimming, optional
        Cases to leave out, as one of the ``trim_…`` functions marks them.
    quantiles : sequence of float, default (0.25, 0.5, 0.75)
        Shares between 0 and 1.
    n_min : int, default 5
        Least cases of a stable group.
    cv_max : float, default 1
        Greatest coefficient of variation of a stable group.

    Returns
    -------
    pandas.DataFrame
        One row for each combination that occurs, in the order of the keys, with

        - the keys; None for cases that have no such value
        - ``cases``; ``total_cost``, ``mean_cost``, ``sd`` [yuan]; ``cv`` = sd / mean; ``min``,
          ``q25`` …, ``max`` [yuan]
        - ``mean_stay``, ``median_stay`` [days], over the cases that have one, where the cases have
          the column `length_of_stay`
        - ``stable``: cases ≥ n_min and cv ≤ cv_max (稳定病组)

    Notes
    -----
    The standard deviation is that of the cases themselves (divided by n): they are all the cases
    of the region, not a sample of them. A group of one case has cv 0 and is unstable by its number.
    Quantiles are linear between neighbours. Values are added in ascending order, so the result does
    not depend on the order of the rows to the last bit.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13", "BR13", "ES23"], "total_cost": [8e3, 12e3, 5e3]})
    >>> table = group_statistics(cases)
    >>> table[["drg", "cases", "mean_cost", "cv", "q50", "stable"]]
        drg  cases  mean_cost   cv      q50  stable
    0  BR13      2    10000.0  0.2  10000.0   False
    1  ES23      1     5000.0  0.0   5000.0   False
    """
    keys = [by] if isinstance(by, str) else list(by)
    if not keys or len(set(keys)) < len(keys):
        raise DrgcoreError(_("by={by!r} must name keys, each once", by=by))
    if any(not 0 <= share <= 1 for share in quantiles):
        raise DrgcoreError(
            _("quantiles={quantiles} must lie between 0 and 1", quantiles=tuple(quantiles))
        )
    history = read_history(cases)
    if trimming is not None:
        history = history.only(trimming.keep)
    codes: NDArray[np.integer]
    if keys == ["drg"]:
        # All that has no case lies between the others without a place of its own.
        full = np.flatnonzero(history.by_drg.count)
        costs, names = history.by_drg.occupied(), [[history.drg.names[at]] for at in full]
        codes = history.drg.codes
        if len(full) < len(history.drg.names):
            recode = np.full(len(history.drg.names) + 1, -1, np.int32)
            recode[full] = np.arange(len(full))
            codes = recode[codes]
    else:
        codes, names = codes_by(history, keys)
        costs = sort_by_group(codes, history.cost, len(names))
    columns: dict[str, Any] = {}
    for place, key in enumerate(keys):
        values = [row[place] for row in names]
        # A year beside None stays a whole number.
        columns[key] = pd.Series(values, dtype=object) if None in values else values
    columns |= {
        "cases": costs.count,
        "total_cost": costs.total,
        "mean_cost": costs.mean,
        "sd": costs.sd,
        "cv": costs.sd / costs.mean,
        "min": costs.quantile(0.0),
        **{quantile_name(share): costs.quantile(share) for share in quantiles},
        "max": costs.quantile(1.0),
    }
    if history.stay is not None:
        known = history.usable & np.isfinite(history.stay)
        stays = sort_by_group(codes, history.stay, len(names), keep=known)
        columns |= {"mean_stay": stays.mean, "median_stay": stays.quantile(0.5)}
    table = pd.DataFrame(columns)
    table["stable"] = is_stable(costs.count, table["cv"].to_numpy(), n_min, cv_max)
    return table


def is_stable(
    cases: NDArray[np.int64], cv: NDArray[np.float64], n_min: int, cv_max: float
) -> NDArray[np.bool_]:
    """Say which groups are stable (稳定病组): n ≥ n_min and CV ≤ cv_max.

    Parameters
    ----------
    cases : ndarray of int64
        n, calibration cases.
    cv : ndarray of float64
        CV of cost; it is compared in six decimals.
    n_min : int
        Least cases.
    cv_max : float
        Greatest CV.

    Returns
    -------
    ndarray of bool

    Examples
    --------
    >>> is_stable(np.array([4, 5, 5]), np.array([0.1, 1.0, 1.1]), 5, 1.0).tolist()
    [False, True, False]
    """
    # As a table of base points writes it: a policy that tests its column comes to the same.
    return (cases >= n_min) & (np.round(cv, CV_PLACES) <= cv_max)


def quantile_name(share: float) -> str:
    """Name the column of a quantile.

    Examples
    --------
    >>> quantile_name(0.25), quantile_name(0.975)
    ('q25', 'q97.5')
    """
    return f"q{share * 100:g}"
