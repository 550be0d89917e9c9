"""Trimming (裁剪): which cases of a group are left out before means are taken, and why.

Each method is a function of the cases that gives a mask and a table of what it cut in each group.
Limits belong to the group: a case on a limit stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import _
from drgcore.weights.history import History, costs_by, read_history
from drgcore.weights.segments import Segments, row_slices, sort_by_group, threads_for

Floats = NDArray[np.float64]

NORM_HIGH: Mapping[str, float] = {"3": 3.0, "2": 2.0}
"""High multiples of the national technical norm by hospital level, see `trim_norm`."""

NORM_LOW = 0.3

_HAIR = 1e-12


@dataclass(frozen=True, eq=False)
class Trimming:
    """What a method keeps and cuts.

    Parameters
    ----------
    method : str
        The method with its limits, as one would write it in a report.
    keep : ndarray of bool, shape (n,)
        Whether each case of the input enters the calibration. False as well for cases that were not
        usable in the first place (`History.left_out`).
    table : pandas.DataFrame
        One row a DRG: drg, cases, kept, cut_low, cut_high, low, high [yuan], cost_cut [yuan],
        share_cut. Where limits differ by hospital level, low and high are the widest.
    """

    method: str
    keep: NDArray[np.bool_]
    table: pd.DataFrame

    def __str__(self) -> str:
        cut, cases = (
            int((self.table["cases"] - self.table["kept"]).sum()),
            self.table["cases"].sum(),
        )
        return _(
            "{method}: {cut:,} of {cases:,} cases cut", method=self.method, cut=cut, cases=cases
        )


def trim_none(cases: Any) -> Trimming:
    """Cut nothing (不裁剪).

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases, see `read_history`.

    Returns
    -------
    Trimming

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13"] * 3, "total_cost": [1.0, 2.0, 900.0]})
    >>> trim_none(cases).keep.tolist()
    [True, True, True]
    """
    history = read_history(cases)
    groups = len(history.drg.names)
    limits = np.full(groups, -np.inf), np.full(groups, np.inf)
    return _cut(history, _by_drg(history), *limits, _("none"))


def trim_iqr(cases: Any, low: float = 1.5, high: float = 1.5, *, log: bool = False) -> Trimming:
    """Cut beyond the interquartile fence (四分位间距法): below Q1 − low·IQR, above Q3 + high·IQR.

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases, see `read_history`.
    low, high : float, default 1.5
        Multiples of the interquartile range, not negative.
    log : bool, default False
        Take the fence on the logarithm of cost. Costs are skewed to the right, so the plain fence
        cuts dear cases only; the logarithmic one cuts both sides.

    Returns
    -------
    Trimming

    Notes
    -----
    The fence is Tukey's (Exploratory Data Analysis, 1977). Zhang, Li and Feng compared four ways of
    trimming for CHS-DRG in one city (费用数据离群值裁剪方法对某市CHS-DRG分组效能的影响, 2022) and
    found ``low=0.5, high=1.5`` to serve the grouping best.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13"] * 5, "total_cost": [10.0, 11.0, 12.0, 13.0, 90.0]})
    >>> trimming = trim_iqr(cases)
    >>> trimming.keep.tolist()
    [True, True, True, True, False]
    >>> trimming.table[["drg", "kept", "cut_high", "high"]].values.tolist()
    [['BR13', 4, 1, 16.0]]
    """
    _not_negative(low=low, high=high)
    history = read_history(cases)
    costs = _by_drg(history)
    of = np.log if log else None
    first, third = costs.quantile(0.25, of), costs.quantile(0.75, of)
    fences = first - low * (third - first), third + high * (third - first)
    if log:
        fences = np.exp(fences[0]), np.exp(fences[1])
    method = _(
        "IQR fence on {scale}, Q1 − {low:g}·IQR to Q3 + {high:g}·IQR",
        scale=_("log cost") if log else _("cost"),
        low=low,
        high=high,
    )
    return _cut(history, costs, *fences, method)


def trim_multiples(cases: Any, low: float, high: float) -> Trimming:
    """Cut below and above multiples of the group's mean cost (倍率法).

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases, see `read_history`.
    low, high : float
        Multiples of the mean over all usable cases of the DRG; 0 ≤ low < high.

    Returns
    -------
    Trimming

    Notes
    -----
    The mean is taken once, before the cut; it is not repeated until nothing is cut any more. Local
    rules of the 点数法 name such multiples by the base points; call it group by group for those.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13"] * 4, "total_cost": [10.0, 10.0, 1.0, 59.0]})
    >>> trim_multiples(cases, 0.4, 2.5).keep.tolist()
    [True, True, False, False]
    """
    _ordered(low, high)
    history = read_history(cases)
    costs = _by_drg(history)
    mean = costs.mean
    method = _("{low:g} to {high:g} times the mean", low=low, high=high)
    return _cut(history, costs, low * mean, high * mean, method)


def trim_percentiles(cases: Any, low: float, high: float) -> Trimming:
    """Cut below and above percentiles of the group's cost (百分位法、中间区段法).

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases, see `read_history`.
    low, high : float
        Percentiles from 0 to 100, low < high; for example 1 and 99, or 5 and 95.

    Returns
    -------
    Trimming

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13"] * 5, "total_cost": [1.0, 2.0, 3.0, 4.0, 5.0]})
    >>> trim_percentiles(cases, 10, 90).keep.tolist()
    [False, True, True, True, False]
    """
    _ordered(low, high)
    if high > 100:
        raise DrgcoreError(_("a percentile is at most 100, not {high:g}", high=high))
    history = read_history(cases)
    costs = _by_drg(history)
    limits = costs.quantile(low / 100), costs.quantile(high / 100)
    return _cut(history, costs, *limits, _("percentiles {low:g} to {high:g}", low=low, high=high))


def trim_norm(cases: Any, low: float = NORM_LOW, high: Mapping[str, float] = NORM_HIGH) -> Trimming:
    """Cut as the national technical norm tells outliers apart: by multiples and hospital level.

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases with `hospital_level`, see `read_history`.
    low : float, default 0.3
        Multiple of the DRG's mean cost below which a case is cut.
    high : mapping of str to float, default {"3": 3, "2": 2}
        Multiple above which it is cut, by hospital level.

    Returns
    -------
    Trimming

    Raises
    ------
    CaseSchemaError
        If usable cases are of a hospital without level, or of a level that `high` does not name.
        The norm names no multiple for first-level hospitals; say which applies.

    Notes
    -----
    国家医疗保障疾病诊断相关分组（CHS-DRG）分组与付费技术规范 (医保办发〔2019〕36号) calls a
    case an outlier whose cost is above 3 times (third-level hospitals) or 2 times (second-level)
    the standard of its DRG, or below 30 % of it, and lets regions choose otherwise. The standard is
    taken to be the DRG's mean cost in the region. The document was not at hand: check the multiples
    against it.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": "BR13", "hospital_level": ["3", "2", "2", "3"],
    ...     "total_cost": [25.0, 25.0, 2.0, 0.5]})
    >>> trim_norm(cases, high={"3": 3.0, "2": 1.5}).keep.tolist()
    [True, False, False, False]
    """
    if not high:
        raise DrgcoreError(_("trim_norm needs a multiple for each hospital level"))
    history = read_history(cases)
    level = history.key("hospital_level")
    seen = np.bincount(level.codes[history.usable] + 1, minlength=len(level.names) + 1)
    lacking = [
        _("{name} ({number:,} cases)", name=_("none") if name is None else name, number=number)
        for name, number in zip([None, *level.names], seen, strict=True)
        if number and name not in high
    ]
    if lacking:
        raise CaseSchemaError(
            _("no multiple is given for hospital level {lacking}", lacking=", ".join(lacking)),
            where="trim_norm",
            hint=_("give one for each level, for example high={'3': 3, '2': 2, '1': 2}"),
        )
    for multiple in high.values():
        _ordered(low, multiple)
    costs = _by_drg(history)
    mean = costs.mean
    multiples = np.array([high.get(name, np.nan) for name in level.names] + [np.nan])
    limits = mean[history.drg.codes] * multiples[level.codes]
    told = ", ".join(_("{m:g} (level {name})", m=m, name=name) for name, m in high.items())
    return _cut(
        history,
        costs,
        low * mean,
        max(high.values()) * mean,
        _("{low:g} to {told} times the mean", low=low, told=told),
        limits,
    )


def _by_drg(history: History) -> Segments:
    return costs_by(history, history.drg.codes, len(history.drg.names))


def _cut(
    history: History,
    costs: Segments,
    low: Floats,
    high: Floats,
    method: str,
    high_of_case: Floats | None = None,
) -> Trimming:
    """Apply the limits of each DRG, or of each case where those differ within one."""
    codes, groups = history.drg.codes, len(history.drg.names)
    # A hair wider: a case on a limit must not fall to the rounding of the limit.
    with np.errstate(invalid="ignore"):
        least, most = np.append(low, np.nan), np.append(high, np.nan)
        limits = least - _HAIR * np.abs(least), most + _HAIR * np.abs(most)
        own = np.empty(0) if high_of_case is None else high_of_case + _HAIR * np.abs(high_of_case)
    side, counts = _sides(codes, history.cost, history.usable, *limits, own)
    keep = history.usable & (side == 0)
    counts = counts[:groups]
    if high_of_case is None:
        # Of sorted costs those between the limits are sorted, too: statistics begin with them.
        low_end = costs.starts[:-1] + counts[:, 1]
        high_end = low_end + counts[:, 0]
        ends = costs.starts[1:]
        inside = [costs.values[s:e] for s, e in zip(low_end, high_end, strict=True)]
        outside = [
            costs.values[s:e]
            for pair in zip(costs.starts, low_end, high_end, ends, strict=False)
            for s, e in (pair[:2], pair[2:])
        ]
        vars(history.only(keep))["by_drg"] = _laid_out(inside, counts[:, 0])
        cut = _laid_out(outside, counts[:, 1:].sum(axis=1))
    else:
        cut = sort_by_group(codes, history.cost, groups, keep=side != 0)
    all_cases = counts.sum(axis=1)
    table = pd.DataFrame(
        {
            "drg": history.drg.names,
            "cases": all_cases,
            "kept": counts[:, 0],
            "cut_low": counts[:, 1],
            "cut_high": counts[:, 2],
            "low": low,
            "high": high,
            "cost_cut": cut.total,
        }
    )
    with np.errstate(invalid="ignore"):
        table["share_cut"] = 1 - table["kept"] / table["cases"]
    return Trimming(method, keep, table[all_cases > 0].reset_index(drop=True))


def _sides(
    codes: NDArray[np.int32],
    cost: Floats,
    usable: NDArray[np.bool_],
    low: Floats,
    high: Floats,
    own: Floats,
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Say on which side of the limits each cost lies, and count each side by group."""
    from drgcore.weights.kernel import mark_beyond

    side = np.zeros(len(codes), np.int8)
    threads = threads_for(len(codes))
    counts = np.zeros((threads, len(low), 3), np.int64)

    def mark(part: slice, own_counts: NDArray[np.int64]) -> None:
        arrays = codes[part], cost[part], usable[part]
        mark_beyond(*arrays, low, high, own[part], side[part], own_counts)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(mark, row_slices(len(codes), threads), counts))
    return side, counts.sum(axis=0)


def _laid_out(runs: Sequence[Floats], counts: NDArray[np.int64]) -> Segments:
    values = np.concatenate([np.empty(0), *runs])
    return Segments(values, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def _not_negative(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number < np.inf:
            raise DrgcoreError(
                _("{name}={number} must be a number that is not negative", name=name, number=number)
            )


def _ordered(low: float, high: float) -> None:
    _not_negative(low=low)
    if not low < high:
        raise DrgcoreError(_("low={low:g} must lie below high={high:g}", low=low, high=high))
