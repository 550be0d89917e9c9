"""Clusters beside a limit: more cases just on its paid side than the density around it explains."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drgcore.audit.excess import Excess, tail
from drgcore.audit.finding import Limits, Mark, Marked, numbered
from drgcore.audit.frame import AuditFrame
from drgcore.indicators.intervals import proportion_interval
from drgcore.language import _

_NEAR = 0.05
_FAR = 0.2
_STAY_NEAR = 5
_STAY_FAR = 20
# Standard errors by which the expected share may be wrong.
_CAUTION = 2.0
_LEAST_AROUND = 20


def outlier_edge(frame: AuditFrame, limits: Limits) -> Marked:
    """Just beyond a high-cost limit (高倍率临界聚集的线索).

    Counted is a cost of up to 5 % beyond a multiple of the mean of the DRG, among those within 5 %
    of it on either side. Cases up to 20 % away tell how the density falls there. With several
    multiples each case belongs to the nearest. The money is the part beyond the limit.
    """
    mean = frame.mean_cost
    cost = frame.numbers("total_cost")
    known = frame.grouped & (cost > 0) & (mean > 0) & np.isfinite(cost)
    share = np.where(known, cost, 1.0) / np.where(known, mean, 1.0)
    multiples = np.array(sorted(limits.high_outliers))
    middle = np.sqrt(multiples[1:] * multiples[:-1])
    nearest = np.searchsorted(middle, share)
    distance = np.where(known, np.log(share / multiples[nearest]), np.nan)
    note = numbered(
        _("cost is {:.3f} times the mean of the group, the limit {:g} times"),
        *(share, multiples[nearest]),
    )
    return _marked(
        distance, np.log1p(_NEAR), np.log1p(_FAR), nearest, cost - mean * multiples[nearest], note
    )


def long_stay_edge(frame: AuditFrame, limits: Limits) -> Marked:
    """Just below the long-stay limit (超长住院临界聚集的线索).

    Counted is a stay of the last five days up to `long_stay`, among those of five days on either
    side of the limit; stays of up to 20 days away tell how the density falls.
    """
    stay = frame.numbers("length_of_stay")
    known = np.isfinite(stay)
    # Positive on the paid side; the limit lies between the last day paid and the next.
    distance = np.where(known, limits.long_stay + 0.5 - stay, np.nan)
    note = numbered(_("{:.0f} days in hospital"), np.where(known, stay, -1))
    nearest = np.zeros(len(frame), np.int64)
    return _marked(distance, _STAY_NEAR, _STAY_FAR, nearest, frame.numbers("total_cost"), note)


EDGES: dict[str, tuple[tuple[str, ...], Mark]] = {
    "outlier_edge": (("total_cost",), outlier_edge),
    "long_stay_edge": (("length_of_stay",), long_stay_edge),
}
"""The signals of this module by name: the columns that they need, and what marks the cases."""


def compare_edges(marked: Marked, unit: NDArray[np.int64], units: int) -> Excess:
    """Compare each unit's cases near a limit with the density around it in the region.

    Parameters
    ----------
    marked : Marked
        Of this module; the stratum is the number of the limit.
    unit : ndarray of int64, shape (n,)
        The unit of each case; -1 for none.
    units : int

    Returns
    -------
    Excess
        `cases` near the limit, those of them on the paid side, and the number expected there.

    Notes
    -----
    With a and b cases in the far windows below and beyond, whose centres lie d apart, the density
    is taken to change by ``ln(b / a) / d`` for each unit of distance; so the share of the paid side
    among the near cases is ``1 / (1 + exp(-ln(b/a) w / d))``, w the width of a near window. It is
    taken two standard errors (of ln(b/a), ``√(1/a + 1/b)``) too high, then the tail is binomial. A
    limit with fewer than 20 cases in a far window tells nothing and is left out. The limits of the
    ratio are those of Clopper and Pearson.

    References
    ----------
    J. McCrary, "Manipulation of the running variable", J. Econometrics 142 (2008), 698–714: the
    density on either side of a limit.
    """
    assert marked.around is not None
    kept = (marked.stratum >= 0) & (unit >= 0)
    size = int(marked.stratum.max(initial=0)) + 1
    far = marked.around >= 0
    beyond = np.bincount(marked.around[far] // 2, marked.around[far] % 2, size)
    below = np.bincount(marked.around[far] // 2, minlength=size)[:size] - beyond[:size]
    beyond = beyond[:size]
    told = (below >= _LEAST_AROUND) & (beyond >= _LEAST_AROUND)
    a, b = np.where(told, below, 1.0), np.where(told, beyond, 1.0)
    slope = np.log(b / a) + _CAUTION * np.sqrt(1 / a + 1 / b)
    share = np.where(told, 1.0 / (1.0 + np.exp(-slope * marked.reach)), np.nan)
    of_case = np.append(share, np.nan)[marked.stratum]
    kept &= np.isfinite(of_case)
    u, p = unit[kept], of_case[kept]
    cases = np.bincount(u, minlength=units).astype(np.float64)
    observed = np.bincount(u, marked.event[kept], units).astype(np.float64)
    expected = np.bincount(u, p, units).astype(np.float64)
    variance = np.bincount(u, p * (1 - p), units)
    chance = tail(observed, expected, variance)
    low, high = proportion_interval(observed, cases)
    over = np.divide(cases, expected, out=np.full(units, np.nan), where=expected > 0)
    return Excess(cases, observed, expected, low * over, high * over, chance, 0.0)


def _marked(
    distance: NDArray[np.float64],
    near: float,
    far: float,
    limit: NDArray[np.int64],
    money: NDArray[np.float64],
    note: Callable[[NDArray[np.int64]], list[str]],
) -> Marked:
    with np.errstate(invalid="ignore"):
        close = np.abs(distance) < near
        around = (np.abs(distance) >= near) & (np.abs(distance) < far)
        paid = distance >= 0
    return Marked(
        close & paid,
        np.where(close, limit, -1),
        money,
        note,
        None,
        np.where(around, 2 * limit + paid, -1),
        near / (near + far),
    )
