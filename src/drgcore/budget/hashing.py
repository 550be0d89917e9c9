"""The compiled loop of the tally: exact sums by cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from drgcore.cases.hashes import mix
from drgcore.compiling import loop


@loop()
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
            value = mix(value ^ np.uint64(values[j, i]))
        prints[c] += value
