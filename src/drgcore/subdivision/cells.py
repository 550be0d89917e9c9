"""Cases of an ADRG put together into cells that no candidate condition tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.subdivision.partition import Cells
from drgcore.weights.segments import Segments, sort_by_group

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_CONDITIONS = 45
"""So many conditions fit into one number beside the DRG."""


@dataclass(frozen=True, eq=False)
class CellTable:
    """All cells of a region.

    Parameters
    ----------
    of_case : ndarray of int64, shape (used cases,)
        The cell of each case.
    drg : ndarray of int64, shape (cells,)
        Its DRG, ascending.
    bits : ndarray of int64, shape (cells,)
        Bit i: whether condition i holds.
    costs : Segments
        Costs by cell.
    """

    of_case: Ints
    drg: Ints
    bits: Ints
    costs: Segments

    def of(self, first: int, last: int, conditions: Sequence[int]) -> tuple[slice, Cells, float]:
        """Give the cells of the DRGs from `first` to before `last`, with some of the conditions.

        Returns
        -------
        where : slice
            Which cells they are.
        cells : Cells
            As `partition.search` takes them.
        mean : float
            Mean cost of their cases [yuan].
        """
        start, stop = np.searchsorted(self.drg, [first, last])
        where = slice(int(start), int(stop))
        n = self.costs.count[where].astype(np.float64)
        total, squares = self.costs.total[where], self.costs.squares[where]
        mean = float(total.sum() / n.sum())
        relative = self.costs.mean[where] / mean - 1
        logs = self._logs
        log_mean = logs.mean[where]
        centred = log_mean - float((n * log_mean).sum() / n.sum())
        moments = np.array(
            [
                n,
                n * relative,
                squares / mean**2 + n * relative**2,
                n * centred,
                logs.squares[where] + n * centred**2,
            ]
        )
        truth = np.array([(self.bits[where] >> c) & 1 == 1 for c in conditions], dtype=bool)
        return where, Cells(truth.reshape(len(conditions), len(n)), moments), mean

    @cached_property
    def _logs(self) -> Segments:
        return Segments(np.log(self.costs.values), self.costs.starts)


def make_cells(
    drg: NDArray[np.integer], truths: Sequence[NDArray[np.bool_]], cost: Floats
) -> CellTable:
    """Put cases into cells.

    Parameters
    ----------
    drg : ndarray of int, shape (n,)
        The DRG of each case.
    truths : sequence of ndarray of bool, shape (n,)
        Whether each condition holds for it.
    cost : ndarray of float64, shape (n,)
        Its cost [yuan], above 0.

    Returns
    -------
    CellTable

    Examples
    --------
    >>> table = make_cells(np.array([4, 4, 5]), [np.array([True, False, True])], np.ones(3))
    >>> table.of_case.tolist(), table.drg.tolist(), table.bits.tolist()
    ([1, 0, 2], [4, 4, 5], [0, 1, 1])
    """
    if len(truths) > MOST_CONDITIONS:
        raise DrgcoreError(
            _(
                "{count} conditions are too many, at most {most_conditions}",
                count=len(truths),
                most_conditions=MOST_CONDITIONS,
            ),
            where="SplitCandidates",
        )
    bits = np.zeros(len(drg), np.int64)
    for number, truth in enumerate(truths):
        bits |= truth.astype(np.int64) << number
    keys, of_case = np.unique(
        (np.asarray(drg, np.int64) << len(truths)) | bits, return_inverse=True
    )
    costs = sort_by_group(of_case, cost, len(keys))
    return CellTable(of_case, keys >> len(truths), keys & ((1 << len(truths)) - 1), costs)
