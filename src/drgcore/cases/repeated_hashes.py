"""The hashes that occur again among millions, found without sorting them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.compiling import loop

# A part's table of twice as many places lies in the processor's cache.
_PART = 1 << 15
_MOST_BITS = 12
# The bits by which a part's hashes are told apart: below those that made the part.
_BELOW = np.uint64(16)


@loop()
def _count(hashes: Any, shift: Any, counts: Any) -> None:
    for value in hashes:
        counts[value >> shift] += 1


@loop()
def _scatter(hashes: Any, shift: Any, place: Any, out: Any) -> None:
    for value in hashes:
        part = value >> shift
        out[place[part]] = value
        place[part] += 1


@loop()
def _sift(values: Any, starts: Any, again: bool, table: Any, ends: Any) -> None:
    """Move values to the front: those that one before them in their part equals, or the others.

    `table` has places for twice as many values as the longest part has, in powers of two. `ends`
    is filled in with where the values kept of each part end.
    """
    kept = 0
    for part in range(ends.shape[0]):
        first, after = starts[part], starts[part + 1]
        size = 2
        while size <= after - first:
            size *= 2
        size *= 2
        for place in range(size):
            table[place] = 0
        zeros = 0
        for i in range(first, after):
            value = values[i]
            if value == 0:
                # An empty place is 0.
                seen = zeros > 0
                zeros += 1
            else:
                at = np.int64(value >> _BELOW) & (size - 1)
                while table[at] != 0 and table[at] != value:
                    at = (at + 1) & (size - 1)
                seen = table[at] == value
                table[at] = value
            if seen == again:
                values[kept] = value
                kept += 1
        ends[part] = kept


def sifted(
    values: NDArray[np.uint64], starts: NDArray[np.int64], *, again: bool
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Keep the hashes that one before them in their part equals, or only the others.

    Parameters
    ----------
    values : ndarray of uint64, shape (n,)
        Hashes part by part; written over.
    starts : ndarray of int64, shape (parts + 1,)
        Where each part begins, and where the last ends.
    again : bool
        Keep those that occurred before; else each hash once.

    Returns
    -------
    values : ndarray of uint64
    starts : ndarray of int64, shape (parts + 1,)
        As the arguments.

    Examples
    --------
    >>> values, starts = np.array([7, 7, 9, 7], np.uint64), np.array([0, 3, 4])
    >>> sifted(values.copy(), starts, again=False)[0].tolist()
    [7, 9, 7]
    >>> sifted(values, starts, again=True)[0].tolist()
    [7]
    """
    longest = int(np.diff(starts).max(initial=1))
    table = np.zeros(2 << longest.bit_length(), np.uint64)
    kept = np.zeros(len(starts), np.int64)
    _sift(values, starts, again, table, kept[1:])
    return values[: kept[-1]], kept


def dealt(
    hashes: NDArray[np.uint64], bits: int, threads: int = 1
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Deal hashes out by their first bits, so that equal ones meet in a part.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n,)
        Hashes that are spread over all bits, as `hash_strings` gives them.
    bits : int
        At least 1; there are 2**bits parts.
    threads : int, default 1
        Threads to work on.

    Returns
    -------
    values : ndarray of uint64, shape (n,)
        The hashes part by part, in each in the order in which they came.
    starts : ndarray of int64, shape (2**bits + 1,)
        Where each part begins, and where the last ends.

    Examples
    --------
    >>> values, starts = dealt(np.array([1 << 63, 5, 9], np.uint64), 1)
    >>> values.tolist() == [5, 9, 1 << 63], starts.tolist()
    (True, [0, 2, 3])
    """
    shift, parts = np.uint64(64 - bits), 1 << bits
    slices = np.array_split(hashes, threads)
    counts = np.zeros((len(slices), parts), np.int64)
    values = np.empty(len(hashes), np.uint64)
    with _workers(threads) as over:
        list(over(lambda own, row: _count(own, shift, row), slices, counts))
        # The part's first place, then where each slice begins in it.
        ends = counts.cumsum(axis=0)
        starts = np.concatenate([[0], ends[-1].cumsum()])
        place = ends - counts + starts[:-1]
        list(over(lambda own, row: _scatter(own, shift, row, values), slices, place))
    return values, starts


def repeated_hashes(hashes: NDArray[np.uint64], threads: int = 1) -> NDArray[np.uint64]:
    """Find the hashes that occur more than once.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n,)
        Hashes that are spread over all bits, as `hash_strings` gives them.
    threads : int, default 1
        Threads to work on; few hashes take one.

    Returns
    -------
    ndarray of uint64
        Each repeated hash once, in ascending order.

    Examples
    --------
    >>> repeated_hashes(np.array([7, 0, 9, 7, 0, 7], np.uint64)).tolist()
    [0, 7]
    """
    threads = min(threads, 1 + len(hashes) // _PART)
    bits = min(max((len(hashes) // _PART).bit_length(), 1), _MOST_BITS)
    values, starts = dealt(hashes, bits, threads)
    borders = np.linspace(0, 1 << bits, threads + 1).astype(np.int64)

    def look(first: Any, after: Any) -> NDArray[np.uint64]:
        own = values[starts[first] : starts[after]]
        return sifted(own, starts[first : after + 1] - starts[first], again=True)[0]

    with _workers(threads) as over:
        twice = list(over(look, borders[:-1], borders[1:]))
    return np.unique(np.concatenate(twice))


@contextmanager
def _workers(threads: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """`map` over so many threads; one is the caller's own."""
    if threads == 1:
        yield map
        return
    with ThreadPoolExecutor(threads) as pool:
        yield pool.map
