"""`forecast_shares`: each month's share of the coming year, for a policy."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from drgcore.errors import DrgcoreError
from drgcore.forecast.loglinear import calendar
from drgcore.forecast.monthly import month_text
from drgcore.forecast.seasonal import Estimate, last_year, seasonal_mean, uniform
from drgcore.forecast.series import read_series
from drgcore.forecast.smoothing import holt_winters
from drgcore.language import _
from drgcore.rounding import decimal_shares

Method = Callable[..., Estimate]
"""A method: of a `Series` and the year to forecast, and its own options by name."""

METHODS: Mapping[str, Method] = {
    "uniform": uniform,
    "last_year": last_year,
    "seasonal_mean": seasonal_mean,
    "calendar": calendar,
    "holt_winters": holt_winters,
}
"""The methods by name, simplest first."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class ShareForecast:
    """Each month's share of a coming year, by group.

    Parameters
    ----------
    year : int
        The year.
    method : str
        The method's name.
    level : float
        Probability with which a month's share shall lie in its interval.
    by : str or None
        What the groups are, for example ``pool``; None for one series.
    table : pandas.DataFrame
        Columns `by`, `month`, `share`, `lower`, `upper`; twelve rows a group, whose shares add up
        to 1. Bounds are NaN where history says nothing about errors.
    found : pandas.DataFrame
        Columns `by`, `parameter`, `month` (01 to 12, or empty), `value`: what was estimated.
    history : mapping of str to tuple of int
        The years that each group's forecast comes from.
    notes : tuple of str
        What a reader must know: years left out, months set aside.

    Examples
    --------
    >>> months = [f"{y}-{m:02d}" for y in (2025, 2026) for m in range(1, 13)]
    >>> table = pd.DataFrame({"pool": "employee", "month": months, "value": [8, *[9] * 11] * 2})
    >>> forecast = forecast_shares(table, 2027, "seasonal_mean")
    >>> print(forecast.to_toml(places=3))
    [budget.pools.employee]
    months = [0.075, 0.085, 0.084, 0.084, 0.084, 0.084, 0.084, 0.084, 0.084, 0.084, 0.084, 0.084]
    """

    year: int
    method: str
    level: float
    by: str | None
    table: pd.DataFrame
    found: pd.DataFrame
    history: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...]

    def shares(self, group: str | None = None) -> pd.Series[float]:
        """Give the twelve shares of one group by month.

        Parameters
        ----------
        group : str, optional
            The group; not needed if there is only one.

        Returns
        -------
        pandas.Series

        Raises
        ------
        DrgcoreError
            If there is no such group, or none is named of several.
        """
        if group is None and len(self.history) == 1:
            group = next(iter(self.history))
        if group not in self.history:
            raise DrgcoreError(
                _("the forecast has no group {group}", group=group),
                hint=_("It has {history}.", history=", ".join(self.history)),
            )
        rows = self._rows(self.table, str(group))
        return pd.Series({row["month"]: row["share"] for row in rows}, name="share")

    def shares_for_policy(
        self, places: int = 4, pools: Sequence[str] | None = None
    ) -> dict[str, tuple[Decimal, ...]]:
        """Give decimals that add up to exactly 1, as `Policy.with_months` takes them.

        Parameters
        ----------
        places : int, default 4
            Decimals.
        pools : sequence of str, optional
            The pools that a forecast of one series is for; not for a forecast by pool.

        Returns
        -------
        dict of str to tuple of Decimal
            Twelve shares for each pool.

        Raises
        ------
        DrgcoreError
            If the pools are named twice, here and in the forecast, or not at all.

        Examples
        --------
        >>> from drgcore.points import Policy
        >>> months = [f"2026-{m:02d}" for m in range(1, 13)]
        >>> table = pd.DataFrame({"pool": "employee", "month": months, "value": range(1, 13)})
        >>> shares = forecast_shares(table, 2027, "last_year").shares_for_policy()
        >>> policy = Policy.load("example").with_months(shares)
        >>> policy.budget.pools["employee"].months[:2]
        (Decimal('0.0128'), Decimal('0.0256'))
        """
        if (pools is None) == (self.by is None):
            raise DrgcoreError(
                _("the forecast is of one series and for no pool yet")
                if pools is None
                else _(
                    "the forecast names its groups itself: {history}",
                    history=", ".join(self.history),
                ),
                hint=_("Give pools for a forecast of one series, and only for that."),
            )
        if pools is not None:
            return dict.fromkeys(pools, decimal_shares(self.shares().tolist(), places))
        return {g: decimal_shares(self.shares(g).tolist(), places) for g in self.history}

    def to_toml(self, places: int = 4, pools: Sequence[str] | None = None) -> str:
        """Write the lines of a policy file that hold these shares.

        Parameters
        ----------
        places, pools
            As for `shares_for_policy`.

        Returns
        -------
        str
            ``months = [...]`` under the table of each pool.
        """
        lines = []
        for pool, shares in self.shares_for_policy(places, pools).items():
            key = pool if _BARE_KEY.fullmatch(pool) else json.dumps(pool, ensure_ascii=False)
            lines.append(f"[budget.pools.{key}]\nmonths = [{', '.join(map(str, shares))}]")
        return "\n\n".join(lines)

    def __str__(self) -> str:
        lines = [
            _(
                "shares of {year} by {method}, interval of {level:.0%}",
                year=self.year,
                method=self.method,
                level=self.level,
            )
        ]
        for group, years in self.history.items():
            lines += ["", _("{group}, from {years}", group=group, years=", ".join(map(str, years)))]
            lines.append(_("  month    share    from      to"))
            for row in self._rows(self.table, group):
                bounds = [row[name] for name in ("lower", "upper")]
                texts = ["      —" if np.isnan(bound) else f"{bound:7.2%}" for bound in bounds]
                lines.append(f"  {row['month']} {row['share']:6.2%} {' '.join(texts)}")
            for row in self._rows(self.found, group):
                if not row["month"]:
                    lines.append(f"  {row['parameter']}: {row['value']:.4g}")
        return "\n".join([*lines, *([""] if self.notes else []), *self.notes])

    def _rows(self, table: pd.DataFrame, group: str) -> list[dict[Any, Any]]:
        """The rows of one group."""
        return (table if self.by is None else table[table[self.by] == group]).to_dict("records")


def forecast_shares(
    monthly: Any,
    year: int,
    method: str | Method = "calendar",
    *,
    by: str | None = "pool",
    level: float = 0.9,
    incomplete: Literal["error", "leave_out"] = "error",
    **options: Any,
) -> ShareForecast:
    """Forecast each month's share of a coming year (月度预算占比) from history.

    Parameters
    ----------
    monthly : pandas.DataFrame, or anything with the Arrow PyCapsule interface
        Monthly totals as `monthly_totals` gives them: `by`, `month`, `value`. Only years before
        `year` are looked at.
    year : int
        The year to forecast.
    method : str or callable, default "calendar"
        ``uniform`` one twelfth each; ``last_year`` that of the last whole year; ``seasonal_mean``
        the mean of each month's shares; ``calendar`` a robust log-linear model of month, days and
        Spring Festival; ``holt_winters`` exponential smoothing (extra ``forecast``). Or a function
        like those in `METHODS`.
    by : str or None, default "pool"
        Column of the groups, each forecast by itself; None if the table is one series.
    level : float, default 0.9
        Probability of each month's interval. Its bounds are quantiles of simulated years, drawn
        from the errors of history and widened by their degrees of freedom; always the same ones.
    incomplete : {"error", "leave_out"}
        What to do with a year that is not whole, see `read_series`.
    **options
        Options of the method, for example ``centre="median"`` or ``window=(-3, 10)``.

    Returns
    -------
    ShareForecast

    Raises
    ------
    DrgcoreError
        For an unknown method or option, a level that is no probability, years that are not whole,
        and a history that the method cannot use.
    CaseSchemaError
        For a table that cannot be read.

    Examples
    --------
    >>> months = [f"{y}-{m:02d}" for y in (2025, 2026) for m in range(1, 13)]
    >>> table = pd.DataFrame({"month": months, "value": [8.0, 7.0, *[9.0] * 10] * 2})
    >>> forecast = forecast_shares(table, 2027, "seasonal_mean", by=None)
    >>> forecast.table.head(2).round(4)
         month   share   lower   upper
    0  2027-01  0.0762  0.0762  0.0762
    1  2027-02  0.0667  0.0667  0.0667
    """
    if not 0 < level < 1:
        raise DrgcoreError(
            _("the level is {level}", level=level), hint=_("It is a probability, for example 0.9.")
        )
    name, run = method_of(method, options)
    shares, found, notes = [], [], []
    history = {}
    for series in read_series(monthly, by=by, incomplete=incomplete, before=year):
        history[series.name] = series.years
        estimate = run(series, year, **options)
        group = {by: series.name} if by else {}
        lower, upper = estimate.bounds(level)
        months = [month_text(year * 12 + i) for i in range(12)]
        for row in zip(months, estimate.shares, lower, upper, strict=True):
            shares.append(group | dict(zip(("month", "share", "lower", "upper"), row, strict=True)))
        for parameter, value in estimate.found.items():
            per_month = np.ndim(value) > 0
            for i, number in enumerate(np.atleast_1d(value).tolist()):
                month = f"{i + 1:02d}" if per_month else ""
                found.append(group | {"parameter": parameter, "month": month, "value": number})
        notes += [_("left out: {text}", text=text) for text in series.left_out]
        notes += [f"{series.name}: {note}" for note in estimate.notes]
    columns = [*([by] if by else []), "parameter", "month", "value"]
    return ShareForecast(
        year,
        name,
        level,
        by,
        pd.DataFrame(shares),
        pd.DataFrame(found, columns=columns),
        history,
        tuple(notes),
    )


def method_of(method: str | Method, options: Mapping[str, Any]) -> tuple[str, Method]:
    """Find a method and check that it has the options.

    Parameters
    ----------
    method : str or callable
        A name of `METHODS`, or a function like those.
    options : mapping
        Options by name.

    Returns
    -------
    name : str
        How the method is called in results.
    method : callable
        The function.

    Raises
    ------
    DrgcoreError
        For a name or an option that there is not.

    Examples
    --------
    >>> method_of("uniform", {})[0]
    'uniform'
    """
    if isinstance(method, str):
        if method not in METHODS:
            raise DrgcoreError(
                _("there is no method {method}", method=method),
                hint=_("Take {methods}.", methods=", ".join(METHODS)),
            )
        name, run = method, METHODS[method]
    else:
        name, run = getattr(method, "__name__", type(method).__name__), method
    parameters = inspect.signature(run).parameters
    known = [p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise DrgcoreError(
            _("the method {name} has no option {unknown}", name=name, unknown=", ".join(unknown)),
            hint=_("It has {known}.", known=", ".join(known) or _("none")),
        )
    return name, run
