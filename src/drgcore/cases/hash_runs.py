"""Hashes of any number of texts, of which those that occur again are counted in flat memory."""

from __future__ import annotations

import errno
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

HELD = 1 << 21
"""So many hashes are held in memory before they go to a file."""

# So many are counted together: their table lies in the processor's cache.
_TOGETHER = 1 << 16
_BITS = 8
_PARTS = 1 << _BITS
_BYTES = 8


class Run(NamedTuple):
    """Some hashes, dealt out by their first bits.

    Attributes
    ----------
    hashes : ndarray of uint64
        Each once, part by part.
    starts : ndarray of int64, shape (257,)
        Where each part begins, and where the last ends.
    repeats : int
        How many equalled one before them.
    """

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    repeats: int

    @classmethod
    def of(cls, hashes: NDArray[np.uint64]) -> Self:
        """Deal hashes out.

        Examples
        --------
        >>> Run.of(np.array([7, 8, 7], np.uint64)).repeats
        1
        """
        # Compiled code, which a file without ids need not load.
        from drgcore.cases.repeated_hashes import dealt, sifted

        # One id for all cases is no long part: it is kept once.
        values, starts = sifted(*dealt(hashes, _BITS), again=False)
        return cls(values, starts, len(hashes) - len(values))


NO_HASHES = Run(np.empty(0, np.uint64), np.zeros(_PARTS + 1, np.int64), 0)


class HashRuns:
    """Hashes taken one run after the other; at the end, how many another before them equals.

    With a folder, they go to a file there in longer runs as soon as `HELD` have come together. At
    the end one part after the other is gathered from all runs and counted, so that memory does not
    follow their number. The file has no name where the system allows that, and is gone however the
    process ends.

    Parameters
    ----------
    folder : Path, optional
        Where the file may lie. Without one, all hashes are held: 8 bytes each.

    Examples
    --------
    >>> runs = HashRuns()
    >>> runs.add(Run.of(np.array([7, 8, 7], np.uint64)))
    >>> runs.repeated()
    1
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held: list[Run] = []
        self._number = 0
        # Repeats within the runs of the file.
        self._within = 0
        self._file: Any = None
        # Of each run of the file, where in it each of its parts begins, and where the last ends.
        self._places: list[NDArray[np.int64]] = []

    def add(self, run: Run) -> None:
        """Take some hashes.

        Raises
        ------
        OSError
            They cannot be written to the folder.
        """
        self._held.append(run)
        self._number += len(run.hashes)
        if self._folder is not None and self._number >= HELD:
            self._write()

    def repeated(self, threads: int = 1) -> int:
        """How many hashes equal one that came before them.

        Parameters
        ----------
        threads : int, default 1
            Threads to work on where all hashes are held.

        Returns
        -------
        int

        Raises
        ------
        OSError
            The file cannot be written or read.
        """
        if self._file is None:
            found = sum(run.repeats for run in self._held)
            spans = _together([run.starts for run in self._held], _TOGETHER)
            with ThreadPoolExecutor(threads) as pool:
                return found + sum(pool.map(lambda span: _repeats(self._of_held(*span)), spans))
        if self._number:
            self._write()
        spans = _together(self._places, HELD)
        return self._within + sum(_repeats(self._of_file(*span)) for span in spans)

    def close(self) -> None:
        """Let go of the hashes and of their file."""
        self._held, self._number = [], 0
        if self._file is not None:
            self._file.close()

    def _of_held(self, first: int, after: int) -> NDArray[np.uint64]:
        return np.concatenate([r.hashes[r.starts[first] : r.starts[after]] for r in self._held])

    def _of_file(self, first: int, after: int) -> NDArray[np.uint64]:
        number = sum(int(starts[after] - starts[first]) for starts in self._places)
        gathered = np.empty(number, np.uint64)
        end = 0
        for starts in self._places:
            piece = gathered[end : end + int(starts[after] - starts[first])]
            self._file.seek(int(starts[first]) * _BYTES)
            if self._file.readinto(piece) < piece.nbytes:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            end += len(piece)
        return gathered

    def _write(self) -> None:
        whole = Run.of(np.concatenate([run.hashes for run in self._held]))
        self._within += whole.repeats + sum(run.repeats for run in self._held)
        self._held, self._number = [], 0
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (see close)
        start = self._file.seek(0, os.SEEK_END) // _BYTES
        self._file.write(whole.hashes)
        self._file.flush()
        self._places.append(start + whole.starts)


def _together(places: list[NDArray[np.int64]], most: int) -> list[tuple[int, int]]:
    """Neighbouring parts that may be gathered from all runs together; none where there is one."""
    if len(places) < 2:
        return []
    every = np.array(places)
    until = (every[:, 1:] - every[:, :1]).sum(axis=0)
    spans, first = [], 0
    while first < _PARTS:
        before = int(until[first - 1]) if first else 0
        after = max(first + 1, int(np.searchsorted(until, before + most, "right")))
        spans.append((first, after))
        first = after
    return spans


def _repeats(hashes: NDArray[np.uint64]) -> int:
    return Run.of(hashes).repeats
