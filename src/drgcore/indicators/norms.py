"""What a group's cases cost, how long they stay and how often they die, on average."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.errors import CaseSchemaError
from drgcore.indicators.tally import Tally
from drgcore.language import _
from drgcore.points.tables import read_table
from drgcore.rounding import round_half_up

NORM_COLUMNS = ("relative_weight", "mean_cost", "mean_stay", "death_risk")
"""Columns of a table of norms beside ``drg``."""

WEIGHT_PLACES = 4
RISKS = ("none", "low", "medium-low", "medium-high", "high")
"""Classes of the risk of death, 0 to 4."""


def death_risk(deaths: Any, cases: Any) -> NDArray[np.int8]:
    """Class the groups by their risk of death (死亡风险评分).

    Parameters
    ----------
    deaths, cases : array-like of numbers, shape (groups,)
        Deaths in hospital and cases of each group, of a whole region and preferably some years.

    Returns
    -------
    ndarray of int8, shape (groups,)
        0 no deaths, 1 low risk (低风险), 2 medium-low, 3 medium-high, 4 high; -1 without cases.

    Notes
    -----
    With ``M_g = deaths / cases`` and μ, σ the mean and standard deviation of ``ln M_g`` over the
    groups that have deaths (each group counts once, σ divided by their number): 1 where
    ``ln M_g < μ − σ``, 2 where it is from μ − σ to below μ, 3 from μ to below μ + σ, 4 from μ + σ.

    References
    ----------
    国家医疗保障疾病诊断相关分组（CHS-DRG）分组与付费技术规范, 医保办发〔2019〕36号, 低风险组死亡率;
    北京市 DRGs 医疗服务绩效评价.

    Examples
    --------
    >>> death_risk([0, 1, 10, 100, 3], [1000, 1000, 1000, 1000, 0]).tolist()
    [0, 1, 3, 4, -1]
    """
    died, n = np.asarray(deaths, np.float64), np.asarray(cases, np.float64)
    risk = np.where(n > 0, 0, -1).astype(np.int8)
    there = (n > 0) & (died > 0)
    if there.any():
        logs = np.log(died[there] / n[there])
        mean, sd = logs.mean(), logs.std()
        # Of groups that all have one mortality, rounding must not make one of them low.
        edge = 1e-12 * max(1.0, abs(mean))
        limits = np.array([mean - sd, mean, mean + sd]) - edge
        risk[there] = 1 + np.searchsorted(limits, logs, side="right")
    return risk


def norms_of(tally: Tally, given: pd.DataFrame | str | Path | None = None) -> pd.DataFrame:
    """Give the norms of each DRG: those given, the rest from the region's own cases.

    Parameters
    ----------
    tally : Tally
        The cases of the region.
    given : DataFrame or path, optional
        ``drg`` and any of `NORM_COLUMNS`; a column that is there is taken whole, so that a DRG it
        lacks has no norm; one that is not there comes from the cases.

    Returns
    -------
    pandas.DataFrame
        One row a DRG of the cases, in order: ``drg``, ``cases`` (grouped), ``mean_cost`` [yuan],
        ``mean_stay`` [days], ``relative_weight`` = mean cost of the DRG over that of all grouped
        cases, with four decimals, ``deaths``, ``death_risk``; NaN where there is none.

    Raises
    ------
    CaseSchemaError
        For a table without DRG, a DRG twice, or a value that is negative or no number.

    Examples
    --------
    >>> from drgcore.indicators.tally import tally_cases
    >>> cases = pd.DataFrame({"drg": ["BR13", "BR23"], "total_cost": [10.0, 30.0]})
    >>> norms_of(tally_cases(cases))[["drg", "mean_cost", "relative_weight"]].values.tolist()
    [['BR13', 10.0, 0.5], ['BR23', 30.0, 1.5]]
    """
    grouped = tally.status == 0
    drg, size = tally.drg[grouped], len(tally.names["drg"])

    def total(name: str) -> NDArray[np.float64]:
        return np.bincount(drg, tally.measure(name)[grouped], size).astype(np.float64)

    n, cost, died = total("cost_n"), total("cost") / 100, total("died")
    mean_cost, mean_stay = _over(cost, n), _over(total("stay"), total("stay_n"))
    region = cost.sum() / n.sum() if n.sum() else np.nan
    weight = np.full(size, np.nan)
    known = mean_cost > 0
    weight[known] = round_half_up(mean_cost[known] / region, WEIGHT_PLACES)
    known_deaths = total("died_n")
    table = pd.DataFrame(
        {
            "drg": tally.names["drg"],
            "cases": total("cases").astype(np.int64),
            "mean_cost": mean_cost,
            "mean_stay": mean_stay,
            "relative_weight": weight,
            "deaths": np.where(known_deaths > 0, died, np.nan),
            "death_risk": np.where(known_deaths > 0, death_risk(died, known_deaths), np.nan).astype(
                np.float64
            ),
        }
    )
    if given is not None:
        own = given_norms(given)
        for name in own.columns:
            table[name] = own[name].reindex(table["drg"]).to_numpy()
    return table


def given_norms(given: pd.DataFrame | str | Path) -> pd.DataFrame:
    """Read a table of norms, see `norms_of`: those of `NORM_COLUMNS` that it has, by DRG.

    Examples
    --------
    >>> given_norms(pd.DataFrame({"drg": ["A"], "mean_cost": ["12.5"]})).loc["A", "mean_cost"]
    np.float64(12.5)
    """
    frame = given if isinstance(given, pd.DataFrame) else read_table(Path(given))
    where = "norms" if isinstance(given, pd.DataFrame) else str(given)
    names = [name for name in NORM_COLUMNS if name in frame.columns]
    if "drg" not in frame.columns or not names:
        raise CaseSchemaError(
            _(
                "the table of norms needs drg and one of {norm_columns}",
                norm_columns=", ".join(NORM_COLUMNS),
            ),
            where=where,
        )
    drgs = frame["drg"].astype(str)
    if drgs.duplicated().any():
        twice = drgs[drgs.duplicated()].iloc[0]
        raise CaseSchemaError(_("{twice} occurs twice", twice=twice), where=where)
    numbers = {}
    for name in names:
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
        empty = (frame[name].isna() | frame[name].astype(str).str.strip().eq("")).to_numpy()
        wrong = ~empty & ~(np.isfinite(values) & (values >= 0))
        if wrong.any():
            raise CaseSchemaError(
                _("{name} of {key} is negative or no number", name=name, key=drgs[wrong].iloc[0]),
                where=where,
            )
        numbers[name] = values
    return pd.DataFrame(numbers, index=drgs.to_numpy())


def _over(top: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(top, below, out=np.full(len(top), np.nan), where=below > 0)
