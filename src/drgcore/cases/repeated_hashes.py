"""The hashes that occur twice among millions, found without sorting them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.compiling import nb

# A part's table of twice as many places lies in the processor's cache.
_PART = 1 << 15
_MOST_BITS = 12


@nb.njit(cache=True, nogil=True)
def _count(hashes: Any, shift: Any, counts: Any) -> None:
    for value in hashes:
        counts[value >> shift] += 1


@nb.njit(cache=True, nogil=True)
def _scatter(hashes: Any, shift: Any, place: Any, out: Any) -> None:
    for value in hashes:
        part = value >> shift
        out[place[part]] = value
        place[part] += 1


@nb.njit(cache=True, nogil=True)
def _repeated(values: Any, table: Any) -> int:
    """Move the values that a value before them equals to the front; give their number.

    `table` has a power of two places, more than there are values; it is all 0 before.
    """
    last, found, zeros = table.shape[0] - 1, 0, 0
    for value in values:
        if value == 0:
            # An empty place is 0.
            zeros += 1
            if zeros > 1:
                values[found] = value
                found += 1
            continue
        at = np.int64(value & np.uint64(last))
        while table[at] != 0 and table[at] != value:
            at = (at + 1) & last
        if table[at] == value:
            values[found] = value
            found += 1
        else:
            table[at] = value
    return found


def repeated_hashes(hashes: NDArray[np.uint64], threads: int = 1) -> NDArray[np.uint64]:
    """Find the hashes that occur more than once.

    They are dealt out by their first bits into parts, in each of which equal ones meet.

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
    shift, parts = np.uint64(64 - bits), 1 << bits
    slices = np.array_split(hashes, threads)
    counts = np.zeros((len(slices), parts), np.int64)
    dealt = np.empty(len(hashes), np.uint64)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda own, row: _count(own, shift, row), slices, counts))
        # The part's first place, then where each slice begins in it.
        ends = counts.cumsum(axis=0)
        starts = np.concatenate([[0], ends[-1].cumsum()])
        place = ends - counts + starts[:-1]
        list(pool.map(lambda own, row: _scatter(own, shift, row, dealt), slices, place))

        def look(first: int) -> list[NDArray[np.uint64]]:
            found = []
            for part in range(first, parts, threads):
                own = dealt[starts[part] : starts[part + 1]]
                table = np.zeros(2 << len(own).bit_length(), np.uint64)
                found.append(own[: _repeated(own, table)])
            return found

        twice = [part for found in pool.map(look, range(threads)) for part in found]
    return np.unique(np.concatenate(twice))
