"""Values by group: laid out one group after the other, each sorted, and their moments.

Within a group the values are sorted before anything is added up, so that no statistic depends on
the order of the rows or on the number of threads, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from drgcore.grouper.batch import thread_count
from drgcore.language import _
from drgcore.progress import step

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Values of a part, which stays in the processor's cache from one step to the next.
_PART = 1 << 16
# Fewer rows are not worth a thread.
_ROWS = 1 << 18
# Fewer are sorted before anybody could read it.
_SHOWN_FROM = 1 << 20


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
        return self._by_part(lambda _part, values, first, _count: np.add.reduceat(values, first))

    @cached_property
    def mean(self) -> Floats:
        """Mean of each group; NaN for a group without values."""

        def work(_part: Ints, values: Floats, first: Ints, count: Ints) -> Floats:
            # Counted from the least value: the mean of equal values is that value exactly.
            least = values[first]
            return least + np.add.reduceat(values - np.repeat(least, count), first) / count

        found = self._by_part(work)
        found[self.count == 0] = np.nan
        return found

    @cached_property
    def squares(self) -> Floats:
        """Sum of squared deviations from the mean of each group."""
        mean = self.mean

        def work(part: Ints, values: Floats, first: Ints, count: Ints) -> Floats:
            return np.add.reduceat((values - np.repeat(mean[part], count)) ** 2, first)

        return self._by_part(work)

    @cached_property
    def sd(self) -> Floats:
        """Standard deviation of each group as of a whole population (divided by n)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(self.squares / self.count)

    def occupied(self) -> Segments:
        """Give the groups that have values, and no others."""
        full = np.flatnonzero(self.count)
        if len(full) == len(self.count):
            return self
        return Segments(self.values, np.append(self.starts[full], self.starts[-1]))

    def quantile(self, share: float, of: Callable[[Floats], Floats] | None = None) -> Floats:
        """Quantile of each group, linear between neighbours; NaN for a group without values.

        With `of`, an increasing function, that of what it makes of the values.
        """
        count = self.count
        full = count > 0
        place = share * (count[full] - 1)
        # 0.07 × 100 is a hair above 7; the seventh value is meant, not one beside it.
        place = np.where(np.abs(place - np.rint(place)) < 1e-9, np.rint(place), place)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, count[full] - 1)
        first = self.starts[:-1][full]
        low, high = self.values[first + below], self.values[first + above]
        if of is not None:
            low, high = of(low), of(high)
        result = np.full(len(count), np.nan)
        result[full] = low + (high - low) * (place - below)
        return result

    def _by_part(self, work: Callable[[Ints, Floats, Ints, Ints], Floats]) -> Floats:
        """Let `work` add up some groups at a time, on all processors; 0 where there is no value.

        It is given the groups, their values, where each begins among them, and how many it has:
        groups without values have no place of their own and are left out.
        """
        result = np.zeros(len(self.count))
        full = np.flatnonzero(self.count)

        def one(part: Ints) -> None:
            first, count = self.starts[part], self.count[part]
            start, end = first[0], first[-1] + count[-1]
            result[part] = work(part, self.values[start:end], first - start, count)

        _each(one, _parts(full, self.starts[full]), len(self.values))
        return result


def _parts(groups: Ints, starts: Ints) -> list[Ints]:
    """Cut groups that lie one after the other into runs of some 65,536 values."""
    if not len(groups):
        return []
    return np.split(groups, np.flatnonzero(np.diff((starts - starts[0]) // _PART)) + 1)


def _each(work: Callable[[Ints], None], parts: Sequence[Ints], values: int) -> None:
    threads = threads_for(values)
    if threads == 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))


def threads_for(rows: int, threads: int | None = None) -> int:
    """Give the threads that are worth their start for so many rows.

    Examples
    --------
    >>> threads_for(1000)
    1
    """
    return min(thread_count(threads), 1 + rows // _ROWS)


def row_slices(rows: int, threads: int) -> list[slice]:
    """Cut rows into one slice for each thread.

    Examples
    --------
    >>> row_slices(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    edges = np.linspace(0, rows, threads + 1).astype(int).tolist()
    return [slice(start, end) for start, end in pairwise(edges)]


def sort_by_group(
    codes: NDArray[np.integer],
    values: Floats,
    groups: int,
    threads: int | None = None,
    *,
    keep: NDArray[np.bool_] | None = None,
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
    keep : ndarray of bool, shape (n,), optional
        Which values to lay out; all by default.

    Returns
    -------
    Segments

    Examples
    --------
    >>> sort_by_group(np.array([0, 0]), np.array([2.0, 1.0]), 1).quantile(0.5).tolist()
    [1.5]
    """
    from drgcore.weights.kernel import count_kept, scatter

    threads = threads_for(len(codes), threads)
    kept = np.empty(0, bool) if keep is None else keep
    slices = row_slices(len(codes), threads)
    counts = np.zeros((threads, groups), np.int64)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda s, own: count_kept(codes[s], kept[s], own), slices, counts))
        ends = counts.cumsum(axis=0)
        starts = np.concatenate([[0], ends[-1].cumsum()]).astype(np.int64)
        out = np.empty(starts[-1])
        place = ends - counts + starts[:-1]
        rest = slices, place
        list(pool.map(lambda s, own: scatter(codes[s], values[s], kept[s], own, out), *rest))

        longer = np.flatnonzero(ends[-1] > 1)
        rows = int(ends[-1][longer].sum())
        with step(_("sorting by group"), _("cases"), rows, least=_SHOWN_FROM) as told:

            def sort(part: Ints) -> None:
                for group in part:
                    out[starts[group] : starts[group + 1]].sort()
                told.advance(int(ends[-1][part].sum()))

            list(pool.map(sort, _parts(longer, starts[longer])))
    return Segments(out, starts)
