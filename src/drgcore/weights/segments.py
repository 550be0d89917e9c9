"""Values by group: laid out one group after the other, each sorted, and their moments.

Within a group the values are sorted before anything is added up, so that no statistic depends on
the order of the rows or on the number of threads, to the last bit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drgcore.grouper.batch import thread_count

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Segments:
    """Values of groups one after the other, ascending in each.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        The values.
    starts : ndarray of int64, shape (groups + 1,)
        Where each group begins; the last entry is n.

    Examples
    --------
    >>> parts = sort_by_group(np.array([1, 0, 1, -1]), np.array([5.0, 2.0, 3.0, 9.0]), 3)
    >>> parts.values.tolist(), parts.count.tolist()
    ([2.0, 3.0, 5.0], [1, 2, 0])
    >>> parts.mean.tolist(), parts.sd.tolist()
    ([2.0, 4.0, nan], [0.0, 1.0, nan])
    """

    values: Floats
    starts: Ints

    @cached_property
    def count(self) -> Ints:
        """Values of each group."""
        return np.diff(self.starts)

    @cached_property
    def total(self) -> Floats:
        """Sum of each group."""
        return self._sums(self.values)

    @cached_property
    def mean(self) -> Floats:
        """Mean of each group; NaN for a group without values."""
        # Counted from the least value: the mean of equal values is that value exactly.
        least = self.quantile(0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return least + self._sums(self.values - np.repeat(least, self.count)) / self.count

    @cached_property
    def squares(self) -> Floats:
        """Sum of squared deviations from the mean of each group."""
        return self._sums((self.values - np.repeat(self.mean, self.count)) ** 2)

    @cached_property
    def sd(self) -> Floats:
        """Standard deviation of each group as of a whole population (divided by n)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(self.squares / self.count)

    def occupied(self) -> Segments:
        """Give the groups that have values, and no others."""
        full = np.flatnonzero(self.count)
        return Segments(self.values, np.append(self.starts[full], self.starts[-1]))

    def quantile(self, share: float) -> Floats:
        """Quantile of each group, linear between neighbours; NaN for a group without values."""
        count = self.count
        full = count > 0
        place = share * (count[full] - 1)
        # 0.07 × 100 is a hair above 7; the seventh value is meant, not one beside it.
        place = np.where(np.abs(place - np.rint(place)) < 1e-9, np.rint(place), place)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, count[full] - 1)
        first = self.starts[:-1][full]
        low, high = self.values[first + below], self.values[first + above]
        result = np.full(len(count), np.nan)
        result[full] = low + (high - low) * (place - below)
        return result

    def _sums(self, values: Floats) -> Floats:
        full = self.count > 0
        result = np.zeros(len(full))
        if full.any():
            # Groups without values have no place of their own and lie between the others.
            result[full] = np.add.reduceat(values, self.starts[:-1][full])
        return result


def sort_by_group(
    codes: NDArray[np.integer], values: Floats, groups: int, threads: int | None = None
) -> Segments:
    """Lay values out by group and sort each group.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        The group of each value, 0 to `groups` − 1; below 0 for a value of no group.
    values : ndarray of float64, shape (n,)
        The values.
    groups : int
        How many groups there are.
    threads : int, optional
        As many as the process may use, by default. The result is the same with any number.

    Returns
    -------
    Segments

    Examples
    --------
    >>> sort_by_group(np.array([0, 0]), np.array([2.0, 1.0]), 1).quantile(0.5).tolist()
    [1.5]
    """
    from drgcore.weights.kernel import scatter

    count = np.bincount(codes[codes >= 0], minlength=groups)
    starts = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    out = np.empty(starts[-1])
    scatter(codes, values, starts[:-1].copy(), out)
    longer = np.flatnonzero(count > 1)
    threads = min(thread_count(threads), max(1, len(longer)))

    def sort(part: Ints) -> None:
        for group in part:
            out[starts[group] : starts[group + 1]].sort()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(sort, np.array_split(longer, threads)))
    return Segments(out, starts)
