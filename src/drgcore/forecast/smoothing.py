"""Monthly shares by exponential smoothing (extra `forecast`)."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.forecast.festival import month_days
from drgcore.forecast.loglinear import refuse_empty_months, shares_of_logs
from drgcore.forecast.seasonal import DRAWS, Estimate, errors_of_years
from drgcore.forecast.series import Series
from drgcore.language import _


def holt_winters(series: Series, year: int, *, damped: bool = True) -> Estimate:
    """Forecast by Holt and Winters' exponential smoothing of logarithms per day.

    Level, trend and the twelve months' effects follow the data, recent years more than old ones.
    It knows the days of a month but not the Spring Festival; `calendar` does.

    Parameters
    ----------
    series : Series
        Two whole years or more without a gap, of which no month is 0.
    year : int
        The year to forecast.
    damped : bool, default True
        Whether the trend fades in the future.

    Returns
    -------
    Estimate
        Found are the smoothing parameters alpha (level), beta (trend), gamma (months), and sigma,
        the spread of a month [1 = 100 %]. Simulated years draw the one-step errors of history
        anew, let them move level, trend and months, and are widened by their degrees of freedom.

    Raises
    ------
    DrgcoreError
        If statsmodels is not installed; for less than two years, years with a gap, and a month
        with nothing.

    References
    ----------
    .. [1] Winters, P. R. (1960): Forecasting sales by exponentially weighted moving averages.
       Management Science 6, 324-342.
    .. [2] Hyndman, R. J., Koehler, A. B., Ord, J. K., and Snyder, R. D. (2008): Forecasting with
       exponential smoothing: the state space approach.

    Examples
    --------
    >>> years = (2024, 2025, 2026)
    >>> busy = [month_days(y) * (1 + 0.1 * (np.arange(12) == 2)) for y in years]
    >>> holt_winters(Series("all", years, np.vstack(busy)), 2027).shares[1:4].round(3).tolist()
    [0.076, 0.093, 0.081]
    """
    try:
        from statsmodels.tools.sm_exceptions import ConvergenceWarning
        from statsmodels.tsa.holtwinters import ExponentialSmoothing
    except ModuleNotFoundError as error:
        raise DrgcoreError(
            _("holt_winters needs statsmodels"), hint=_("pip install 'drgcore[forecast]'")
        ) from error
    count = len(series.years)
    if count < 2 or series.years[-1] - series.years[0] != count - 1:
        raise DrgcoreError(
            _(
                "holt_winters needs two whole years or more without a gap, and there are {years}",
                years=", ".join(map(str, series.years)),
            ),
            where=series.name,
            hint=_("Take calendar, which allows gaps, or seasonal_mean."),
        )
    refuse_empty_months(series, "holt_winters")
    logs = np.log(series.values / [month_days(y) for y in series.years]).ravel()
    model = ExponentialSmoothing(
        # The level of a logarithm is that of the unit; without it no unit changes the search.
        logs - logs.mean(),
        trend="add",
        damped_trend=damped,
        seasonal="add",
        seasonal_periods=12,
        initialization_method="estimated",
    )
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        # Data without noise leave nothing to search for, which is no fault of theirs.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit = model.fit()
        ahead = fit.forecast((year - series.years[-1]) * 12)
    # Alpha, beta, gamma, level and trend at the start, and eleven months that are free.
    dof = max(len(logs) - 16 - damped, 1)
    sigma = float(np.sqrt((fit.resid**2).sum() / dof))
    errors = errors_of_years(np.asarray(fit.resid), (DRAWS, len(ahead)), dof)
    paths = fit.simulate(
        len(ahead), repetitions=DRAWS, random_errors=np.ascontiguousarray(errors.T)
    )
    paths = np.vstack([ahead, paths.T])[:, -12:]
    shares = shares_of_logs(paths + np.log(month_days(year)))
    found: dict[str, float | NDArray[np.float64]] = {
        name: float(fit.params[key])
        for name, key in (
            ("alpha", "smoothing_level"),
            ("beta", "smoothing_trend"),
            ("gamma", "smoothing_seasonal"),
        )
    }
    found["sigma"] = sigma
    return Estimate(shares[0], shares[1:], found)
