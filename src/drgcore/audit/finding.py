"""What a signal looks at in each case, before units are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.audit.frame import AuditFrame


@dataclass(frozen=True)
class Limits:
    """The numbers that signals depend on.

    Attributes
    ----------
    fdr : float
        Share of false signals among the signals of one kind, see `false_discovery`.
    least_excess : float
        A unit has a signal only with so many events more than expected.
    split_days : int
        Days after a discharge within which the same patient's next stay counts as follow-up stay.
    short_stay : int
        Longest stay [days] of a low-indication admission.
    low_cost : float
        Highest cost of a low-indication admission, as a share of the mean of its DRG.
    low_outlier, few_services : float
        A case with cost from `low_outlier` (below it, payment falls) up to `few_services` times the
        mean of its DRG and level has full payment for few services.
    outside_share : float
        Quantile of the DRG above which a case's cost before admission or outside is much.
    high_outliers : tuple of float
        Multiples of the mean of the DRG beyond which a case is a high-cost outlier.
    long_stay : int
        Longest stay [days] that the points pay.
    """

    fdr: float = 0.05
    least_excess: float = 3.0
    split_days: int = 15
    short_stay: int = 2
    low_cost: float = 0.5
    low_outlier: float = 0.4
    few_services: float = 0.6
    outside_share: float = 0.95
    high_outliers: tuple[float, ...] = (3.0,)
    long_stay: int = 60


@dataclass(frozen=True, eq=False)
class Marked:
    """What a signal sees in each case.

    Attributes
    ----------
    event : ndarray of bool, shape (n,)
        What is counted.
    stratum : ndarray of int64, shape (n,)
        Cases with the same number are compared; -1 leaves a case out.
    money : ndarray of float64, shape (n,)
        What hangs on the event [yuan]; NaN where it is not known.
    note : callable
        Text for the list, of each of some rows.
    listed : ndarray of bool, shape (n,), optional
        What the list shows of a unit with a signal; the events by default.
    around : ndarray of int64, shape (n,), optional
        Of signals beside limits: twice the number of the limit, and one more beyond it, of the
        cases that tell the density; -1 for others.
    reach : float
        The width of the windows beside the limit over the distance of those that tell the density.
    """

    event: NDArray[np.bool_]
    stratum: NDArray[np.int64]
    money: NDArray[np.float64]
    note: Callable[[NDArray[np.int64]], list[str]]
    listed: NDArray[np.bool_] | None = None
    around: NDArray[np.int64] | None = None
    reach: float = 0.0


Mark = Callable[[AuditFrame, Limits], Marked]
"""Marks the cases for a signal."""


@dataclass(frozen=True)
class Rate:
    """A signal that compares how often something happens.

    Attributes
    ----------
    needs : tuple of str
        Columns without which it cannot be looked at.
    mark : callable
        Marks the cases.
    side : str
        ``more`` or ``fewer`` events than the peers.
    """

    needs: tuple[str, ...]
    mark: Mark
    side: str = "more"


def numbered(text: str, *values: NDArray[Any]) -> Callable[[NDArray[np.int64]], list[str]]:
    """Make texts of rows by a format and columns.

    Examples
    --------
    >>> numbered("{} d", np.array([3, 5]))(np.array([1]))
    ['5 d']
    """

    def note(rows: NDArray[np.int64]) -> list[str]:
        taken = [value[rows].tolist() for value in values]
        return [text.format(*parts) for parts in zip(*taken, strict=True)]

    return note


def names_of(names: Sequence[str], codes: NDArray[Any]) -> NDArray[Any]:
    """Texts of codes; an empty one for -1."""
    return np.array([*names, ""], object)[codes]
