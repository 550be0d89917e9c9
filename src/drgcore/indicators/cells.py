"""Cells of a tally while cases are added to them: a table that grows, and joins others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgcore.indicators.columns import UNBOUNDED
from drgcore.indicators.kernel import LINE, RARE, Rows, add_cells, add_rows, refill

DIRECT = 1 << 23
"""Up to so many combinations of keys have a slot each, 32 MB of them; more are hashed."""

_FIRST_ROOM = 1 << 10


class Part:
    """Cells that one thread has added up."""

    def __init__(self, width: int) -> None:
        self.used = 0
        self.sizes = np.zeros(width, np.int64)
        self.cells = np.empty((0, width), np.int32)
        self.usual, self.rare = np.empty((0, LINE)), np.empty((0, len(RARE)))
        self.slots = np.empty(0, np.int32)
        self._room(_FIRST_ROOM)

    def _room(self, room: int) -> None:
        cells, usual, rare = self.cells, self.usual, self.rare
        self.cells = np.empty((room, cells.shape[1]), np.int32)
        self.usual, self.rare = _on_lines(room, LINE), _on_lines(room, len(RARE))
        self.cells[: self.used] = cells[: self.used]
        self.usual[: self.used], self.rare[: self.used] = usual[: self.used], rare[: self.used]
        if not len(self.sizes):
            self._enter(room * 2)

    def _enter(self, slots: int) -> None:
        self.slots = np.full(slots, -1, np.int32)
        refill(self.sizes, self.slots, self.cells, self.used)

    def fit(self, sizes: NDArray[np.int64]) -> None:
        """Make sure of a slot for every combination of so many numbers, or of hashes."""
        if not len(self.sizes) or (sizes <= self.sizes).all():
            return
        # Few names come late; what they cost must not be a new table for each.
        grown = np.maximum(self.sizes, sizes + sizes // 8)
        if np.prod(grown.astype(np.float64)) <= DIRECT:
            self.sizes = grown
            self._enter(int(np.prod(grown)))
        else:
            self.sizes = np.empty(0, np.int64)
            self._enter(len(self.cells) * 2)

    def add(self, rows: Rows) -> None:
        start = 0
        while True:
            own = self.sizes, self.slots, self.cells, self.usual, self.rare
            start, self.used = add_rows(start, rows, *own, self.used)
            if start == len(rows.keys):
                return
            self._room(len(self.cells) * 4)

    def join(self, other: Part) -> None:
        self.fit(other.sizes if len(other.sizes) else np.full(self.cells.shape[1], UNBOUNDED))
        start, theirs = 0, (other.cells[: other.used], other.usual, other.rare)
        while True:
            own = self.sizes, self.slots, self.cells, self.usual, self.rare
            start, self.used = add_cells(start, *theirs, *own, self.used)
            if start == other.used:
                return
            self._room(len(self.cells) * 4)


def _on_lines(rows: int, width: int) -> NDArray[np.float64]:
    """Zeros that begin where a line of memory does: 64 bytes, or 8 numbers."""
    flat = np.zeros(rows * width + 8)
    first = -flat.ctypes.data % 64 // 8
    return flat[first : first + rows * width].reshape(rows, width)
