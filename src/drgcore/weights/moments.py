"""What weights need of a history: numbers of each group, which parts of a history add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.weights.history import History, costs_by
from drgcore.weights.history_columns import REASONS
from drgcore.weights.years import checked_years, counted_years

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Costs of the usable cases of each DRG, added up.

    Those of parts of a history in which every DRG is whole are joined without loss
    (`join_moments`): the sums of a group are taken over its own costs in ascending order.

    Parameters
    ----------
    drgs : list of str
        In alphabetical order.
    count : ndarray of int64, shape (drgs,)
        Cases; 0 for a DRG of which no case can be used.
    total, mean, squares : ndarray of float64, shape (drgs,)
        Sum and mean of cost [yuan], sum of squared deviations from the mean.
    years : tuple of int
        The years of the cases, ascending, where years are weighted; else none.
    year_count, year_total : ndarray, shape (years, drgs)
        Cases and sum of cost [yuan] of each year.
    left_out : pandas.DataFrame
        As `History.left_out`.
    """

    drgs: list[str]
    count: Ints
    total: Floats
    mean: Floats
    squares: Floats
    years: tuple[int, ...]
    year_count: Ints
    year_total: Floats
    left_out: pd.DataFrame

    @cached_property
    def sd(self) -> Floats:
        """Standard deviation of each DRG as of a whole population (divided by n)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(self.squares / self.count)


def moments_of(history: History, year_weights: Mapping[int, float] | None = None) -> Moments:
    """Add a history up.

    Parameters
    ----------
    history : History
        The cases; those that trimming cuts are not usable any more (`History.only`).
    year_weights : mapping of int to float, optional
        How much each year counts; cases of a year with 0 are left out.

    Returns
    -------
    Moments

    Raises
    ------
    CaseSchemaError
        If a usable case has no year, or a year no weight.

    Examples
    --------
    >>> from drgcore.weights.history import read_history
    >>> cases = pd.DataFrame({"drg": ["BR13", "BR13", "ES23"], "total_cost": [1.0, 3.0, 0.0]})
    >>> found = moments_of(read_history(cases))
    >>> found.drgs, found.count.tolist(), found.mean.tolist()
    (['BR13', 'ES23'], [2, 0], [2.0, nan])
    """
    size = len(history.drg.names)
    years: tuple[int, ...] = ()
    year_count, year_total = np.zeros((0, size), np.int64), np.zeros((0, size))
    if year_weights is not None:
        history = history.only(counted_years(history, year_weights))
        of_year = checked_years(history, year_weights)[0]
        cells = costs_by(
            history, of_year.codes * size + history.drg.codes, len(of_year.names) * size
        )
        years = tuple(int(name) for name in of_year.names)
        year_count, year_total = cells.count.reshape(-1, size), cells.total.reshape(-1, size)
    groups = history.by_drg
    return Moments(
        list(history.drg.names),
        groups.count,
        groups.total,
        groups.mean,
        groups.squares,
        years,
        year_count,
        year_total,
        history.left_out,
    )


def join_moments(parts: Sequence[Moments]) -> Moments:
    """Join the moments of parts that have no DRG in common.

    Parameters
    ----------
    parts : sequence of Moments
        One or more.

    Returns
    -------
    Moments

    Raises
    ------
    CaseSchemaError
        If a DRG is in two parts.

    Examples
    --------
    >>> from drgcore.weights.history import read_history
    >>> parts = [moments_of(read_history(pd.DataFrame({"drg": [drg], "total_cost": [cost]})))
    ...     for drg, cost in (("ES23", 5.0), ("BR13", 0.0))]
    >>> whole = join_moments(parts)
    >>> whole.drgs, whole.count.tolist(), whole.left_out.values.tolist()
    (['BR13', 'ES23'], [0, 1], [['cost_zero', 1]])
    """
    drgs = [drg for part in parts for drg in part.drgs]
    order = np.array(sorted(range(len(drgs)), key=drgs.__getitem__), np.int64)
    names = [drgs[at] for at in order]
    if len(set(names)) < len(names):
        raise CaseSchemaError(_("the cases of a group lie in two parts"))
    years = sorted({year for part in parts for year in part.years})
    count = np.zeros((len(years), len(drgs)), np.int64)
    total = np.zeros((len(years), len(drgs)))
    first = 0
    for part in parts:
        rows = np.searchsorted(years, part.years)
        columns = np.arange(first, first + len(part.drgs))
        count[np.ix_(rows, columns)] = part.year_count
        total[np.ix_(rows, columns)] = part.year_total
        first += len(part.drgs)
    reasons = pd.concat([part.left_out for part in parts], ignore_index=True)
    found = reasons.groupby("reason")["cases"].sum()
    left_out = [(reason, int(found[reason])) for reason in REASONS if reason in found.index]

    def joined(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    return Moments(
        names,
        joined("count").astype(np.int64),
        joined("total").astype(np.float64),
        joined("mean").astype(np.float64),
        joined("squares").astype(np.float64),
        tuple(years),
        count[:, order],
        total[:, order],
        pd.DataFrame(left_out, columns=["reason", "cases"]),
    )
