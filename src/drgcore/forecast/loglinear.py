"""Monthly shares by a log-linear model of level, month, days and Spring Festival, fit robustly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.forecast.festival import WINDOW, festival_days, month_days
from drgcore.forecast.monthly import month_text
from drgcore.forecast.seasonal import DRAWS, Estimate, errors_of_years
from drgcore.forecast.series import Series
from drgcore.language import _

Matrix = NDArray[np.float64]

# Normal data lose 5 % of their efficiency; see reference [2] of `calendar`.
_BISQUARE = 4.685
# A hundredth of a percent is the rounding of the data, not noise.
_LEAST_SCALE = 1e-4
# In scales. Where two years disagree on a month, neither can be told to be wrong, and both must
# not vanish; alone, a month far off pulls no more than this.
_LEAST_PULL = 0.01
# A weight below which a month is said to be set aside: 4.4 scales.
_SET_ASIDE = 0.01
# Times the error of a single month. Two years may have more, for example 2026 and 2027 for 2028;
# three in a row or more have less than 1.4 from 2010 to 2035.
_GREATEST_ERROR = 2.0
# A standard error at which an effect of 0.6 may as well be none.
_HARDLY_KNOWN = 0.3


@dataclass(frozen=True)
class Fit:
    """A linear fit of logarithms.

    Parameters
    ----------
    coefficients, weights, residuals : ndarray of float64
        One a column of the design, and one a row each.
    response : ndarray of float64
        Coefficients by rows: how each coefficient moves with each observation.
    """

    coefficients: Matrix
    weights: Matrix
    residuals: Matrix
    response: Matrix


def calendar(
    series: Series,
    year: int,
    *,
    window: tuple[int, int] = WINDOW,
    festival_effect: float | None = None,
    trend: bool = False,
    robust: bool = True,
) -> Estimate:
    """Forecast by the calendar: month, its days, and the Spring Festival's window in it.

    .. math:: \\log(y_{a,t} / d_{a,t}) = level_a + month_t + β \\cdot w_{a,t} + error

    with d the days of month t in year a and w the share of them in the window; the month's effects
    add up to 0. Shares of the coming year are proportional to d · exp(month + β·w). A slope within
    the year that history shows every year is part of the month's effects.

    Parameters
    ----------
    series : Series
        Two whole years or more, of which no month is 0.
    year : int
        The year to forecast.
    window : tuple of int, default (-1, 13)
        First and last day of the festival's window, in days after the festival.
    festival_effect : float, optional
        exp(β): how much a month wholly in the window has of what it would have. Estimated if not
        given; 1 is no effect.
    trend : bool, default False
        One steady growth over all months instead of a level of each year: fewer numbers to
        estimate where growth is steady, wrong where a year broke it.
    robust : bool, default True
        Whether disturbed months lose their weight (least absolute deviations, then Tukey's
        bisquare with a scale that is estimated once [2]_), or all months weigh the same.

    Returns
    -------
    Estimate
        Found are the profile (exp of the month's effects), the festival's effect, the standard
        error of its logarithm, the yearly growth, and sigma, the spread of a month [1 = 100 %].
        The interval holds for a year without disturbances like those set aside.

    Raises
    ------
    DrgcoreError
        For less than two years, a month with nothing, or a festival that lay so much alike in all
        years, but lies otherwise in the coming one, that history does not tell its effect: the
        error of a month's forecast would be more than twice that of a month of history.

    References
    ----------
    .. [1] Bell, W. R., and Hillmer, S. C. (1983): Modeling time series with calendar variation.
       Journal of the American Statistical Association 78, 526-534.
    .. [2] Maronna, R. A., Martin, R. D., Yohai, V. J., and Salibián-Barrera, M. (2019): Robust
       statistics: theory and methods (with R), second edition, sections 4.4 and 4.5.

    Examples
    --------
    >>> years = (2024, 2025, 2026)
    >>> quiet = [month_days(y) * 0.6 ** (festival_days(y) / month_days(y)) for y in years]
    >>> found = calendar(Series("all", years, np.vstack(quiet)), 2028)
    >>> round(found.found["festival effect"], 4)
    0.6
    >>> found.shares[:3].round(4).tolist()
    [0.077, 0.0702, 0.0864]
    """
    _check(series, festival_effect)
    count = len(series.years)
    logs = np.log(series.values / [month_days(y) for y in series.years]).ravel()
    in_window = np.array([festival_days(y, window) / month_days(y) for y in series.years])
    coming = festival_days(year, window) / month_days(year)
    design, target = _design(series.years, year, trend)
    # Windows that all lie alike, the coming one too, leave the effect to the months.
    alike = np.allclose(in_window, coming)
    estimated = festival_effect is None and not alike
    if estimated:
        design = np.column_stack([design, in_window.ravel()])
        target = np.column_stack([target, coming])
        _check_told(series, year, design, target)
    known = np.log(festival_effect) if festival_effect is not None else 0.0
    fit = robust_fit(design, logs - known * in_window.ravel(), robust=robust)
    kept = fit.weights >= _SET_ASIDE
    dof = max(int(kept.sum()) - design.shape[1], 1)
    sigma = float(np.sqrt((fit.residuals[kept] ** 2).sum() / dof))
    log_days = np.log(month_days(year)) + known * coming
    effects = fit.coefficients
    found: dict[str, float | Matrix] = {"profile": np.exp(target[:, :11] @ effects[:11])}
    notes = []
    if estimated:
        error = sigma * float(np.linalg.norm(fit.response[-1]))
        found["festival effect"] = float(np.exp(effects[-1]))
        found["festival effect, standard error of its logarithm"] = error
        if error > _HARDLY_KNOWN:
            notes.append(_("these years hardly tell the Spring Festival's effect"))
    elif festival_effect is not None:
        found["festival effect, given"] = festival_effect
    else:
        notes.append(_("the Spring Festival lies alike in all years: its effect is in the months'"))
    if trend:
        growth = effects[12]
    else:
        growth = (effects[10 + count] - effects[11]) / (series.years[-1] - series.years[0])
    found |= {"growth a year": float(np.expm1(growth)), "sigma": sigma}
    notes += [
        _(
            "{month} was set aside: it has {times:.2f} times what the others say",
            month=month_text(series.years[i // 12] * 12 + i % 12),
            times=float(np.exp(fit.residuals[i])),
        )
        for i in np.flatnonzero(~kept).tolist()
    ]
    return Estimate(
        shares_of_logs(log_days + target @ effects),
        _simulated(fit, kept, dof, target, log_days),
        found,
        tuple(notes),
    )


def robust_fit(design: Matrix, logs: Matrix, *, robust: bool = True) -> Fit:
    """Fit a linear model of which single observations may be disturbed.

    Least absolute deviations first, by reweighting; from the residuals that are not exactly fit
    a scale, the median of the n - p greatest over 0.6745; then Tukey's bisquare with that scale.

    Parameters
    ----------
    design : ndarray of float64
        One row an observation, of full column rank.
    logs : ndarray of float64
        The observations.
    robust : bool, default True
        False for ordinary least squares.

    Returns
    -------
    Fit

    Examples
    --------
    >>> line = np.column_stack([np.ones(8), np.arange(8.0)])
    >>> heights = line @ [1.0, 2.0]
    >>> heights[3] += 50
    >>> robust_fit(line, heights).coefficients.round(6).tolist()
    [1.0, 2.0]
    >>> robust_fit(line, heights, robust=False).coefficients.round(2).tolist()
    [9.33, 1.4]
    """
    weights = np.ones(len(logs))
    if not robust:
        return _weighted(design, logs, weights)
    floor = 0.1
    for _again in range(60):
        residuals = logs - design @ _solved(design, logs, weights)
        weights = 1 / np.maximum(np.abs(residuals), floor)
        floor = max(floor * 0.7, 1e-6)
    free = len(logs) - design.shape[1]
    greatest = np.sort(np.abs(residuals))[-free:] if free > 0 else np.zeros(1)
    scale = max(float(np.median(greatest)) / 0.6745, _LEAST_SCALE)
    for _again in range(100):
        sizes = np.abs(residuals) / scale
        before = weights
        weights = (1 - np.minimum(sizes / _BISQUARE, 1) ** 2) ** 2
        weights = np.maximum(weights, _LEAST_PULL / np.maximum(sizes, 1))
        if np.abs(weights - before).max() < 1e-9:
            break
        residuals = logs - design @ _solved(design, logs, weights)
    return _weighted(design, logs, weights)


def _design(years: tuple[int, ...], year: int, trend: bool) -> tuple[Matrix, Matrix]:
    """Columns of month and level, for the months of history and for those of the coming year."""
    effects = np.vstack([np.eye(11), -np.ones(11)])
    # Time in years from the middle of the coming year.
    within = (np.arange(12) - 5.5) / 12
    if trend:
        time = (np.array(years)[:, None] - year + within).ravel()
        levels = np.column_stack([np.ones(len(time)), time])
        coming = np.column_stack([np.zeros(12), within])
    else:
        levels = np.repeat(np.eye(len(years)), 12, axis=0)
        coming = np.zeros((12, len(years)))
    design = np.column_stack([np.tile(effects, (len(years), 1)), levels])
    return design, np.column_stack([effects, coming])


def _check(series: Series, festival_effect: float | None) -> None:
    """Refuse what has no logarithm or leaves nothing to judge by."""
    if len(series.years) < 2:
        raise DrgcoreError(
            _("calendar needs two whole years, and there is one ({year})", year=series.years[0]),
            where=series.name,
            hint=_("Take last_year, seasonal_mean or uniform."),
        )
    refuse_empty_months(series, "calendar")
    if festival_effect is not None and not 0 < festival_effect < 10:
        raise DrgcoreError(
            _("the festival's effect is {festival_effect}", festival_effect=festival_effect),
            hint=_("It is what is left of a month wholly in the window, for example 0.6."),
        )


def refuse_empty_months(series: Series, method: str) -> None:
    """Raise if a month has nothing, of which there is no logarithm.

    Raises
    ------
    DrgcoreError
        With the months.

    Examples
    --------
    >>> refuse_empty_months(Series("all", (2026,), np.ones((1, 12))), "calendar")
    """
    empty = [
        month_text(series.years[row] * 12 + int(month))
        for row, month in np.argwhere(series.values <= 0)
    ]
    if empty:
        raise DrgcoreError(
            _(
                "{method} takes logarithms, and there is nothing in {empty}",
                method=method,
                empty=", ".join(empty),
            ),
            where=series.name,
            hint=_("Take seasonal_mean, or leave that year out of the table."),
        )


def shares_of_logs(logs: Matrix) -> Matrix:
    """Turn logarithms into shares of their last axis.

    Examples
    --------
    >>> shares_of_logs(np.log([1.0, 3.0])).tolist()
    [0.25, 0.75]
    """
    raw = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return raw / raw.sum(axis=-1, keepdims=True)


def _check_told(series: Series, year: int, design: Matrix, target: Matrix) -> None:
    """Refuse years whose windows lie so much alike that noise would decide the effect."""
    months = target - target.mean(axis=0)
    error = float(np.linalg.norm(months @ np.linalg.pinv(design), axis=1).max())
    told = np.linalg.matrix_rank(design) == design.shape[1]
    if told and error <= _GREATEST_ERROR:
        return
    how = _(
        ": a month of {year} would be {error:.1f} times as uncertain as one of history",
        year=year,
        error=error,
    )
    raise DrgcoreError(
        _(
            "the Spring Festival lies too much alike in {years} to tell its effect in {year}{how}",
            years=", ".join(map(str, series.years)),
            year=year,
            how=how if told else "",
        ),
        where=series.name,
        hint=_("Add years, give festival_effect, or take seasonal_mean."),
    )


def _solved(design: Matrix, logs: Matrix, weights: Matrix) -> Matrix:
    """Coefficients by normal equations, exact enough to find weights and much faster."""
    weighted = design.T * weights
    return np.asarray(np.linalg.solve(weighted @ design, weighted @ logs), np.float64)


def _weighted(design: Matrix, logs: Matrix, weights: Matrix) -> Fit:
    roots = np.sqrt(weights)
    response = np.asarray(np.linalg.pinv(design * roots[:, None]), np.float64) * roots
    coefficients = response @ logs
    return Fit(coefficients, weights, logs - design @ coefficients, response)


def _simulated(
    fit: Fit, kept: NDArray[np.bool_], dof: int, target: Matrix, log_days: Matrix
) -> Matrix:
    """Simulated years: history with other errors fit again (to first order), and new errors."""
    count = len(kept)
    # One draw for both, since a year whose spread is great has it in history and in the future.
    errors = errors_of_years(fit.residuals[kept], (DRAWS, count + 12), dof)
    coefficients = fit.coefficients + errors[:, :count] @ fit.response.T
    return shares_of_logs(log_days + coefficients @ target.T + errors[:, count:])
