"""Hashes of any number of texts, of which those that occur again are counted in flat memory."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HELD = 1 << 21
"""So many hashes are held in memory before they go to a file."""

_PARTS = 1 << 10
_SHIFT = np.uint64(64 - 10)
_BYTES = 8


class HashRuns:
    """Hashes taken one array after the other; at the end, how many another before them equals.

    With a folder, they go to a file there in sorted runs as soon as `HELD` have come together. At
    the end some of the leading bits after the other are gathered from all runs and counted, so that
    memory does not follow their number. The file has no name where the system allows that, and is
    gone however the process ends.

    Parameters
    ----------
    folder : Path, optional
        Where the file may lie. Without one, all hashes are held: 8 bytes each.

    Examples
    --------
    >>> runs = HashRuns()
    >>> runs.add(np.array([7, 8, 7], np.uint64))
    >>> runs.repeated()
    1
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held: list[NDArray[np.uint64]] = []
        self._number = 0
        # Repeats within the runs, which hold each hash once: one id for all cases is no long part.
        self._within = 0
        self._file: Any = None
        # Of each run, where in the file each of its parts begins, and where it ends.
        self._places: list[NDArray[np.int64]] = []

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Take some hashes.

        Raises
        ------
        OSError
            They cannot be written to the folder.
        """
        self._held.append(hashes)
        self._number += len(hashes)
        if self._folder is not None and self._number >= HELD:
            self._write()

    def repeated(self) -> int:
        """How many hashes equal one that came before them.

        Raises
        ------
        OSError
            The file cannot be written or read.
        """
        if self._file is None:
            # Part by part, each let go of: all of them twice would be most of the memory.
            self._held = [_joined(self._held)]
            self._held[0].sort(kind="stable")
            return len(self._held[0]) - len(_once(self._held[0]))
        if self._number:
            self._write()
        places = np.array(self._places)
        until = (places[:, 1:] - places[:, :1]).sum(axis=0)
        found, first = self._within, 0
        while first < _PARTS:
            # As many neighbouring parts as may be held together.
            before = int(until[first - 1]) if first else 0
            after = max(first + 1, int(np.searchsorted(until, before + HELD, "right")))
            found += self._between(places[:, first], places[:, after])
            first = after
        return found

    def close(self) -> None:
        """Let go of the hashes and of their file."""
        self._held, self._number = [], 0
        if self._file is not None:
            self._file.close()

    def _write(self) -> None:
        run = _joined(self._held)
        self._held, self._number = [], 0
        # What is ascending in parts, as it comes from `RepeatedIds`, is only merged so.
        run.sort(kind="stable")
        once = _once(run)
        self._within += len(run) - len(once)
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (see close)
        start = self._file.seek(0, os.SEEK_END) // _BYTES
        self._file.write(once)
        self._file.flush()
        borders = np.arange(1, _PARTS, dtype=np.uint64) << _SHIFT
        inner = np.searchsorted(once, borders)
        self._places.append(start + np.concatenate([[0], inner, [len(once)]]))

    def _between(self, first: NDArray[np.int64], after: NDArray[np.int64]) -> int:
        """Repeats among what the runs hold from the ones to the other places."""
        gathered = np.empty(int((after - first).sum()), np.uint64)
        end = 0
        for start, stop in zip(first.tolist(), after.tolist(), strict=True):
            self._file.seek(start * _BYTES)
            piece = gathered[end : end + stop - start]
            if self._file.readinto(piece) < piece.nbytes:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            end += len(piece)
        gathered.sort(kind="stable")
        return len(gathered) - len(_once(gathered))


def _joined(parts: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """All in one array; each part is let go of when it is copied."""
    every = np.empty(sum(map(len, parts)), np.uint64)
    end = len(every)
    while parts:
        part = parts.pop()
        every[end - len(part) : end] = part
        end -= len(part)
    return every


def _once(ascending: NDArray[np.uint64]) -> NDArray[np.uint64]:
    first = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return ascending[first]
