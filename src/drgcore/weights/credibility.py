"""Smoothing of small groups: how much a group's own history counts against a broader mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.language import _

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Credibility:
    """Credibility weighting (可信度加权): RW = Z·own + (1 − Z)·target, with Z = n / (n + k).

    Parameters
    ----------
    towards : {"adrg", "national"}
        The target: the relative weight of the group's ADRG in the same history, or the national
        weight of the DRG.
    k : float or "buhlmann", default "buhlmann"
        The number of cases with which own history and target count the same [cases]. With k = 50
        a group of 50 cases counts one half, one of 450 counts 0.9, and one of 5 counts 0.09. 0 is
        no smoothing. ``buhlmann`` takes k from the history itself: the variance of a case's cost
        within its group over the variance of the true group means around their targets.

    Notes
    -----
    Bühlmann, H. and Straub, E. (1970), Glaubwürdigkeit für Schadensätze, Mitteilungen der
    Vereinigung Schweizerischer Versicherungsmathematiker 70. Costs are taken relative to the
    target, so that dear groups do not decide alone.

    Examples
    --------
    >>> Credibility("adrg", k=50).share(np.array([5, 50, 450]), 50).round(2).tolist()
    [0.09, 0.5, 0.9]
    """

    towards: Literal["adrg", "national"]
    k: float | Literal["buhlmann"] = "buhlmann"

    def __post_init__(self) -> None:
        if self.towards not in ("adrg", "national"):
            raise DrgcoreError(
                _("towards={towards!r} must be 'adrg' or 'national'", towards=self.towards)
            )
        if self.k != "buhlmann" and not (isinstance(self.k, int | float) and self.k >= 0):
            raise DrgcoreError(
                _("k={k!r} must be a number of cases, not negative, or buhlmann", k=self.k)
            )

    @staticmethod
    def share(cases: NDArray[np.int64], k: float) -> Floats:
        """Give Z, how much own history counts, for groups of these sizes."""
        with np.errstate(invalid="ignore"):
            z = np.where(np.isinf(k), 0.0, cases / (cases + (0.0 if np.isinf(k) else k)))
        return np.where(cases == 0, 0.0, z)


def buhlmann_k(
    cases: NDArray[np.int64],
    mean: Floats,
    squares: Floats,
    target: Floats,
    family: NDArray[np.integer] | None = None,
) -> float:
    """Estimate k of `Credibility` from groups: within-group over between-group variance.

    Parameters
    ----------
    cases : ndarray of int64, shape (g,)
        n of each group.
    mean : ndarray of float64, shape (g,)
        Mean cost of each group [any unit].
    squares : ndarray of float64, shape (g,)
        Sum of squared deviations from the mean [unit squared].
    target : ndarray of float64, shape (g,)
        What each group's mean is smoothed towards [unit].
    family : ndarray of int, shape (g,), optional
        Where the target is the mean of several groups, numbers from 0 that say which: they are
        compared with each other only, and each such mean costs a degree of freedom. By default all
        groups are one family.

    Returns
    -------
    float
        k [cases]; infinite where the groups differ from their targets no more than chance makes
        them, so that the targets alone count; NaN where no group has two cases or no family two
        groups: then nothing can be estimated.

    Examples
    --------
    >>> n, m = np.array([100, 100]), np.array([8.0, 12.0])
    >>> round(buhlmann_k(n, m, 4.0 * n, np.array([10.0, 10.0])), 3)
    0.508
    >>> buhlmann_k(n, np.array([10.0, 10.0]), 4.0 * n, np.array([10.0, 10.0]))
    inf
    """
    used = (cases > 0) & (target > 0)
    kin = np.zeros(len(cases), np.int64) if family is None else np.asarray(family, np.int64)
    # A group alone in its family is its own target and tells nothing of how groups differ.
    used &= np.bincount(kin[used], minlength=int(kin.max(initial=0)) + 1)[kin] > 1
    n, ratio, kin = cases[used], mean[used] / target[used], kin[used]
    spread = squares[used] / target[used] ** 2
    freedom, total = int((n - 1).sum()), np.bincount(kin, n)
    full = total > 0
    room = float(total.sum() - (np.bincount(kin, n**2)[full] / total[full]).sum())
    if freedom < 1 or room <= 0:
        return float("nan")
    within = float(spread.sum()) / freedom
    centre = (np.bincount(kin, n * ratio) / np.where(full, total, 1.0))[kin]
    lost = len(n) - int(full.sum())
    between = (float((n * (ratio - centre) ** 2).sum()) - lost * within) / room
    # What is left of equal means is rounding, not difference.
    return within / between if between > 1e-12 else float("inf")
