"""Quotas: only the dearest share of the cases of a hospital or a DRG is high-cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.points.case_columns import CaseColumns
from drgcore.points.policy import Policy
from drgcore.rounding import round_half_up

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
"""Months of each kind of period."""


class Ranked(NamedTuple):
    """What a quota looks at, one entry a case."""

    counted: NDArray[np.bool_]
    candidate: NDArray[np.bool_]
    ratio: NDArray[np.float64]

    @classmethod
    def of(cls, cases: int) -> Ranked:
        """Make room for a number of cases."""
        return cls(np.zeros(cases, bool), np.zeros(cases, bool), np.zeros(cases))

    def fill(self, where: NDArray[np.int64] | None, *values: NDArray[Any]) -> None:
        """Enter the values of some cases, or of all."""
        for whole, part in zip(self, values, strict=True):
            whole[slice(None) if where is None else where] = part


def beyond_quota(
    columns: CaseColumns, ranked: Ranked, period: NDArray[Any], periods: Sequence[Policy]
) -> NDArray[np.bool_]:
    """Find the cases that are dear enough to be high-cost, but not among the dearest.

    Cases of periods with the same quota are counted together, so that an amendment of something
    else does not cut a quarter or a year in two.

    Parameters
    ----------
    columns : CaseColumns
        The cases.
    ranked : Ranked
        Which cases count, which are above the multiple, and C/m.
    period : ndarray of int
        Number of the period of each case.
    periods : sequence of Policy
        The policies of all periods.

    Returns
    -------
    ndarray of bool
        One entry a case.
    """
    found = np.zeros(len(columns.cost), bool)
    quotas = [policy.outliers.high.quota for policy in periods]
    for quota in dict.fromkeys(q for q in quotas if q is not None):
        same = np.isin(period, [number for number, q in enumerate(quotas) if q == quota])
        owner = columns.hospital.codes if quota.among == "hospital" else columns.drg.codes
        cell = period_numbers(columns.day, quota.period) * np.int64(1 << 32) + owner
        rows = np.flatnonzero(same & ranked.counted)
        _, cells = np.unique(cell[rows], return_inverse=True)
        limits = np.array(
            [quota_of(int(n), quota.share, quota.rounding) for n in np.bincount(cells)], np.int64
        )
        dear = ranked.candidate[rows]
        rows, cells = rows[dear], cells[dear]
        if not len(rows):
            continue
        ids = pc.cast(columns.ids, pa.large_string()).take(pa.array(rows))
        place = np.empty(len(rows), np.int64)
        place[pc.sort_indices(ids).to_numpy()] = np.arange(len(rows))
        order = np.lexsort((place, -round_half_up(ranked.ratio[rows], 8), cells))
        ordered = cells[order]
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        rank = np.arange(len(rows)) - np.repeat(first, np.diff(np.r_[first, len(rows)]))
        found[rows[order[rank >= limits[ordered]]]] = True
    return found


def period_numbers(day: NDArray[np.int32], kind: str) -> NDArray[np.int64]:
    """Number the periods that days lie in.

    Parameters
    ----------
    day : ndarray of int32
        Days since 1970-01-01.
    kind : str
        One of `MONTHS`.

    Returns
    -------
    ndarray of int64
        Periods counted from the one that begins on 1970-01-01.

    Examples
    --------
    >>> period_numbers(np.array([0, 89, 90], np.int32), "quarter").tolist()
    [0, 0, 1]
    """
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // MONTHS[kind]


def quota_of(cases: int, share: Decimal, rounding: str) -> int:
    """Give how many cases a share allows.

    Parameters
    ----------
    cases : int
        The cases counted.
    share : Decimal
        The share.
    rounding : str
        down, nearest (halves up) or up.

    Returns
    -------
    int
        Whole cases.

    Examples
    --------
    >>> [quota_of(30, Decimal("0.05"), way) for way in ("down", "nearest", "up")]
    [1, 2, 2]
    """
    exact = cases * Fraction(share)
    if rounding == "up":
        return -((-exact).__floor__())
    return (exact + Fraction(1, 2) if rounding == "nearest" else exact).__floor__()
