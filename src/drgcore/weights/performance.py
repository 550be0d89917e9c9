"""Grouping performance (分组效能): RIV, CV, grouping rate, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from drgcore.cases.statuses import STATUSES
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import _
from drgcore.progress import tracked
from drgcore.weights.history import History, read_history
from drgcore.weights.segments import sort_by_group
from drgcore.weights.trimming import Trimming

Floats = NDArray[np.float64]

BLOCKS = 1000
"""Random blocks of cases that the bootstrap draws from."""

_STATUSES = len(STATUSES)

METRICS = (
    "riv",
    "riv_log",
    "cv_below_1",
    "cases_in_cv_below_1",
    "grouping_rate",
    "ambiguous_rate",
    "groups",
    "groups_below_n_min",
)
"""What is measured, see `grouping_performance`."""


def riv(values: ArrayLike, groups: ArrayLike) -> float:
    """Reduction in variance (RIV, 总体方差减小系数): Σ n_g(m_g − m)² / Σ (x_i − m)².

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Cost of each case [yuan], or its logarithm.
    groups : array-like of int, shape (n,)
        Its group, from 0.

    Returns
    -------
    float
        Between-group over total sum of squares, 0 to 1; NaN where all values are equal, because
        there is no variance to reduce.

    Raises
    ------
    DrgcoreError
        If there is not one finite value and one group for each case.

    Notes
    -----
    CHS-DRG 分组与付费技术规范 (2019): national practice wants RIV ≥ 0.7.

    Examples
    --------
    >>> round(riv([1.0, 3.0, 9.0, 11.0], [0, 0, 1, 1]), 4)
    0.9412
    """
    x, code = np.asarray(values, np.float64), np.asarray(groups, np.int64)
    if x.shape != code.shape or x.ndim != 1 or not np.isfinite(x).all() or (code < 0).any():
        raise DrgcoreError(
            _("RIV takes one finite value and one group for each case, groups counted from 0"),
            where="riv",
        )
    if not len(x):
        return float("nan")
    # In ascending order, so that the order of the cases has no influence on the sums.
    order = np.argsort(x, kind="stable")
    x, code = x[order], code[order]
    moments = _moments(code, x - np.mean(x), 1, int(code.max()) + 1)
    return float(_riv(*(m[0] for m in moments)))


def grouping_performance(
    cases: Any,
    *,
    trimming: Trimming | None = None,
    n_min: int = 5,
    bootstrap: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how well a grouping explains cost.

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        All cases, also those that no group takes, see `read_history`.
    trimming : Trimming, optional
        Cases to leave out of RIV and CV; they still count as grouped.
    n_min : int, default 5
        Below how many cases a group is counted as small.
    bootstrap : int, default 200
        Replicates for the intervals; 0 for none.
    level : float, default 0.95
        Of the intervals.
    seed : int, default 0
        Of the random numbers.

    Returns
    -------
    pandas.DataFrame
        Columns metric, value, low, high; one row each for

        - ``riv``, ``riv_log``: of cost and of its logarithm, over usable cases
        - ``cv_below_1``: share of the groups whose CV of cost is below 1, among those with two
          cases or more; ``cases_in_cv_below_1``: share of the usable cases that are in such groups
        - ``grouping_rate``: grouped over all cases (入组率); ``ambiguous_rate``: ambiguous over all
        - ``groups`` with usable cases, and ``groups_below_n_min`` of them

    Notes
    -----
    The intervals are percentiles of a bootstrap over 1,000 random blocks of cases, so their cost
    hardly grows with the number of cases. They are moved so that the replicates' mean is the value:
    replicates draw some cases twice, which makes groups look tighter and fewer. Cases are dealt to
    blocks in the order of group and cost: the result does not depend on the order of the rows. They
    say what chance alone would change, not how next year's patients will differ.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13", "BR13", "ES23", "ES23"],
    ...     "total_cost": [1.0, 3.0, 9.0, 11.0]})
    >>> grouping_performance(cases, bootstrap=0).set_index("metric")["value"].round(4).to_dict()
    {'riv': 0.9412, 'riv_log': 0.8305, 'cv_below_1': 1.0, 'cases_in_cv_below_1': 1.0,
    'grouping_rate': 1.0, 'ambiguous_rate': 0.0, 'groups': 2.0, 'groups_below_n_min': 2.0}
    """
    replicates = _Replicates([read_history(cases)], trimming, bootstrap, seed)
    return _table(_measured(replicates, 1, n_min)[0], None, level)


def compare_groupings(
    before: Any,
    after: Any,
    *,
    trimming: Trimming | None = None,
    n_min: int = 5,
    bootstrap: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare two groupings of the same cases, for example a scheme and its local overlay.

    Parameters
    ----------
    before, after : DataFrame, Arrow table or History
        The same cases in the same order, grouped in two ways.
    trimming : Trimming, optional
        Cases to leave out of both.
    n_min, bootstrap, level, seed
        As for `grouping_performance`.

    Returns
    -------
    pandas.DataFrame
        Columns metric, before, after, difference, low, high: an interval of the difference, for
        which both groupings are measured on the same replicates.

    Raises
    ------
    CaseSchemaError
        If the two are not the same cases in the same order, as far as cost tells.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": "BR1", "total_cost": [1.0, 3.0, 9.0, 11.0]})
    >>> split = cases.assign(drg=["BR13", "BR13", "BR15", "BR15"])
    >>> compare_groupings(cases, split, bootstrap=0).loc[0, ["before", "after"]].tolist()
    [0.0, 0.941...]
    """
    histories = [read_history(before), read_history(after)]
    own, other = (history.cost for history in histories)
    if len(own) != len(other) or not np.array_equal(own, other, equal_nan=True):
        raise CaseSchemaError(
            _("the two groupings are not of the same cases in the same order"),
            where="compare_groupings",
            hint=_("group one table twice, without sorting it in between"),
        )
    replicates = _Replicates(histories, trimming, bootstrap, seed)
    first, second = _measured(replicates, 2, n_min)
    return _table(first, second, level)


def _measured(replicates: _Replicates, groupings: int, n_min: int) -> list[dict[str, Floats]]:
    numbers = tracked(range(groupings), _("measuring"), _("groupings"))
    return [replicates.measures(grouping, n_min) for grouping in numbers]


class _Replicates:
    """The cases in random blocks, and how often each replicate draws each block.

    Cases are laid out by their group in every grouping and by cost, and dealt to the blocks in that
    order: neither the blocks nor the sums depend on the order of the rows.
    """

    def __init__(
        self, histories: Sequence[History], trimming: Trimming | None, number: int, seed: int
    ) -> None:
        if number < 0:
            raise DrgcoreError(_("bootstrap={number} must not be negative", number=number))
        self._groups = [max(1, len(history.drg.names)) for history in histories]
        whole = np.zeros(len(histories[0]), np.int64)
        used_by_any = np.zeros(len(whole), bool)
        for history, groups in zip(histories, self._groups, strict=True):
            used = history.usable if trimming is None else history.only(trimming.keep).usable
            # Cases that a grouping does not use are told apart by their status.
            whole *= groups + _STATUSES
            whole += np.where(used, history.drg.codes + _STATUSES, history.status)
            used_by_any |= used
        room = int(np.prod([groups + _STATUSES for groups in self._groups], dtype=np.int64))
        present = np.flatnonzero(np.bincount(whole, minlength=room))
        codes = np.zeros(room, np.int64)
        codes[present] = np.arange(len(present))
        codes = codes[whole]
        cost = np.where(used_by_any, histories[0].cost, 1.0)
        laid_out = sort_by_group(codes, cost, len(present))
        self._cost, self._log = laid_out.values, np.log(laid_out.values)
        self._keys = []
        for groups in reversed(self._groups):
            present, key = np.divmod(present, groups + _STATUSES)
            self._keys.append(np.repeat(key, laid_out.count))
        self._keys.reverse()
        rng = np.random.default_rng(seed)
        self._blocks = BLOCKS if number else 1
        self._block = rng.integers(0, self._blocks, len(cost))
        share = np.full(self._blocks, 1 / self._blocks)
        # The first row is the cases as they are.
        self._draws = np.vstack(
            [np.ones((1, self._blocks)), rng.multinomial(self._blocks, share, size=number)]
        )

    def measures(self, grouping: int, n_min: int) -> dict[str, Floats]:
        """Give every metric for the cases as they are and for each replicate."""
        key, groups = self._keys[grouping], self._groups[grouping]
        used = key >= _STATUSES
        cell = self._block[used] * groups + key[used] - _STATUSES
        cost, log = self._cost[used], self._log[used]
        if len(cost):
            # Around the mean, so that squares lose no digits.
            cost, log = cost / cost.mean() - 1, log - log.mean()
        n, total, squares = self._drawn(cell, cost, groups)
        left = self._draws @ _count(self._block * _STATUSES + key, ~used, self._blocks, _STATUSES)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / n
            cv = np.sqrt(np.maximum(squares / n - mean**2, 0)) / (1 + mean)
            measurable = n >= 2
            calm = measurable & (cv < 1)
            all_cases = n.sum(axis=1) + left.sum(axis=1)
            return {
                "riv": _riv(n, total, squares),
                "riv_log": _riv(*self._drawn(cell, log, groups)),
                "cv_below_1": calm.sum(axis=1) / measurable.sum(axis=1),
                "cases_in_cv_below_1": (n * calm).sum(axis=1) / n.sum(axis=1),
                "grouping_rate": (n.sum(axis=1) + left[:, 0]) / all_cases,
                "ambiguous_rate": left[:, 1] / all_cases,
                "groups": (n > 0).sum(axis=1).astype(np.float64),
                "groups_below_n_min": ((n > 0) & (n < n_min)).sum(axis=1).astype(np.float64),
            }

    def _drawn(
        self, cell: NDArray[np.int64], values: Floats, groups: int
    ) -> tuple[Floats, Floats, Floats]:
        """Moments of every replicate, shape (replicates + 1, groups)."""
        n, total, squares = (self._draws @ m for m in _moments(cell, values, self._blocks, groups))
        return n, total, squares


def _count(
    cell: NDArray[np.int64], where: NDArray[np.bool_], rows: int, columns: int
) -> NDArray[np.int64]:
    return np.bincount(cell[where], minlength=rows * columns).reshape(rows, columns)


def _moments(
    cell: NDArray[np.int64], values: Floats, blocks: int, groups: int
) -> tuple[Floats, Floats, Floats]:
    """Number, sum and sum of squares by block and group, shape (blocks, groups)."""
    size, shape = blocks * groups, (blocks, groups)
    n = np.bincount(cell, minlength=size).astype(np.float64)
    total: Floats = np.bincount(cell, values, minlength=size).astype(np.float64)
    squares: Floats = np.bincount(cell, values**2, minlength=size).astype(np.float64)
    return n.reshape(shape), total.reshape(shape), squares.reshape(shape)


def _riv(n: Floats, total: Floats, squares: Floats) -> Floats:
    """RIV from moments, groups on the last axis; NaN without variance."""
    with np.errstate(invalid="ignore", divide="ignore"):
        all_n, all_total = n.sum(axis=-1), total.sum(axis=-1)
        centre = all_total**2 / all_n
        between = np.where(n > 0, total**2 / n, 0.0).sum(axis=-1) - centre
        whole = squares.sum(axis=-1) - centre
        # Equal values leave nothing but rounding.
        none = whole <= 1e-12 * np.maximum(squares.sum(axis=-1), 1e-300)
        return np.where(none, np.nan, np.clip(between / whole, 0.0, 1.0))


def _table(
    before: dict[str, Floats], after: dict[str, Floats] | None, level: float
) -> pd.DataFrame:
    if not 0 < level < 1:
        raise DrgcoreError(_("level={level} must lie between 0 and 1", level=level))
    tail = (1 - level) / 2
    columns: dict[str, list[float]] = {"value": []}
    if after is not None:
        columns = {"before": [], "after": [], "difference": []}
    columns |= {"low": [], "high": []}
    for metric in METRICS:
        values = before[metric]
        if after is not None:
            columns["before"].append(values[0])
            columns["after"].append(after[metric][0])
            values = after[metric] - values
        most = np.inf if metric.startswith("groups") else 1.0
        low, high = _interval(values, tail, 0.0 if after is None else -most, most)
        columns["value" if after is None else "difference"].append(values[0])
        columns["low"].append(low)
        columns["high"].append(high)
    return pd.DataFrame({"metric": METRICS, **columns})


def _interval(values: Floats, tail: float, least: float, most: float) -> tuple[float, float]:
    """Percentiles of the replicates, moved so that their mean is the value of the cases.

    A replicate draws some cases twice, which makes small groups smaller and alike: its RIV is
    higher and its groups are fewer than those of the cases, by more than chance would change.
    """
    value, known = values[0], values[1:][np.isfinite(values[1:])]
    if not len(known) or not np.isfinite(value):
        return np.nan, np.nan
    low, high = np.quantile(known, [tail, 1 - tail]) - (known.mean() - value)
    # Where almost all replicates are equal, the mean lies outside their percentiles.
    return max(min(float(low), value), least), min(max(float(high), value), most)
