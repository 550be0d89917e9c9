"""Compiled kernels of the tally: hashes of case ids, exact sums by cell."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_PRIME = np.uint64(0x100000001B3)
_BASIS = np.uint64(0xCBF29CE484222325)
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@nb.njit(cache=True, inline="always")
def _mix(value: Any) -> Any:
    """Spread a 64-bit value over all bits (the finaliser of MurmurHash3)."""
    value ^= value >> _SHIFT
    value *= _MIX_1
    value ^= value >> _SHIFT
    value *= _MIX_2
    return value ^ (value >> _SHIFT)


@nb.njit(cache=True)
def _hash_bytes(offsets: Any, data: Any, out: Any) -> None:
    for i in range(out.shape[0]):
        value = _BASIS
        for j in range(offsets[i], offsets[i + 1]):
            value = (value ^ np.uint64(data[j])) * _PRIME
        out[i] = _mix(value)


@nb.njit(cache=True)
def add_to_cells(cell: Any, values: Any, hashes: Any, sums: Any, prints: Any) -> None:
    """Add integer columns and row fingerprints to the cells that the rows belong to.

    Integer sums are exact and a sum modulo 2**64 does not depend on order, so any order and any
    partition of the rows gives the same cells.

    Parameters
    ----------
    cell : ndarray of int64
        The cell of each row.
    values : ndarray of int64, shape (columns, rows)
        What to add up.
    hashes : ndarray of uint64
        A hash of the row's identity: case id and group.
    sums : ndarray of int64, shape (cells, columns + 1)
        Changed in place; column 0 counts rows.
    prints : ndarray of uint64
        Fingerprints of the cells, changed in place.

    Examples
    --------
    >>> sums, prints = np.zeros((1, 2), np.int64), np.zeros(1, np.uint64)
    >>> row = np.zeros(2, np.int64), np.array([[5, 7]]), np.array([1, 2], np.uint64)
    >>> add_to_cells(*row, sums, prints)
    >>> sums.tolist()
    [[2, 12]]
    """
    for i in range(cell.shape[0]):
        c = cell[i]
        value = hashes[i]
        sums[c, 0] += 1
        for j in range(values.shape[0]):
            sums[c, j + 1] += values[j, i]
            value = _mix(value ^ np.uint64(values[j, i]))
        prints[c] += value


def hash_strings(texts: pa.Array) -> np.ndarray:
    """Hash strings to 64 bits: FNV-1a over their UTF-8 bytes, then mixed; a null counts as ''.

    Parameters
    ----------
    texts : pyarrow.Array
        Strings, or anything that Arrow can cast to strings.

    Returns
    -------
    ndarray of uint64
        One hash for each string.

    Examples
    --------
    >>> a, b, c = hash_strings(pa.array(["x", "y", "x"]))
    >>> bool(a == c), bool(a == b)
    (True, False)
    """
    large = pc.cast(texts, pa.large_string())
    if large.null_count:
        large = pc.fill_null(large, "")
    out = np.empty(len(large), np.uint64)
    if len(large):
        _, offsets, data = large.buffers()
        starts = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
        _hash_bytes(starts, np.frombuffer(data if data else b"\0", np.uint8), out)
    return out
