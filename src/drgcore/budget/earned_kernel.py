"""The compiled loop from points and amounts of cases to the sums of a settlement."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from drgcore.cases.hashes import mix
from drgcore.compiling import nb

# As `caserows.points_of` tells a rounded value from one with more decimals.
_OFF, _RELATIVE, _LARGEST = 1e-3, 2.0**-51, 2.0**52


class EarnedRows(NamedTuple):
    """Cases as the loop reads them, one entry a case; amounts [yuan] that are not there are empty.

    `drg` and `case_class` are the texts' hashes by number, the last of `drg` that of none.
    """

    pool: Any
    hospital: Any
    unit: Any
    day: Any
    class_code: Any
    drg_code: Any
    points: Any
    cost: Any
    patient_paid: Any
    refused: Any
    ids: Any
    drg: Any
    case_class: Any


@nb.njit(cache=True, forceinline=True)
def _is_amount(yuan: Any) -> Any:
    return yuan >= 0.0 and yuan < _LARGEST / 100


@nb.njit(cache=True, forceinline=True)
def _fen(yuan: Any) -> Any:
    return np.int64(np.rint(yuan * 100))


@nb.njit(cache=True, nogil=True)
def add_earned(
    rows: Any,
    first_day: int,
    month_of: Any,
    scale: float,
    outside: int,
    shape: Any,
    sums: Any,
    insured: Any,
) -> bool:
    """Add cases to their cells; give False where a value is none that a settlement takes.

    Parameters
    ----------
    rows : EarnedRows
        The cases.
    first_day : int
        The first day of the year, since 1970-01-01.
    month_of : ndarray of int8
        The month of each day of the year, 0 to 11.
    scale : float
        Units of a point.
    outside : int
        The class of cases that are paid by item.
    shape : tuple of int
        Hospitals, classes, units.
    sums : ndarray of int64, shape (pools · hospitals · 12 · classes, 7)
        Changed in place: cases, points, B, X, C − B, paid by item, fingerprint.
    insured : ndarray of int64, shape (pools · units, 3)
        Changed in place: cases, points, B.

    Returns
    -------
    bool
        Whether all were added; else the sums are of no use.
    """
    hospitals, classes, units = shape
    pool, hospital, unit, day = rows.pool, rows.hospital, rows.unit, rows.day
    class_code, drg_code, earned = rows.class_code, rows.drg_code, rows.points
    cost, patient_paid, refused = rows.cost, rows.patient_paid, rows.refused
    ids, drg_hash, class_hash = rows.ids, rows.drg, rows.case_class
    no_b, no_x = patient_paid.shape[0] == 0, refused.shape[0] == 0
    for i in range(earned.shape[0]):
        at = day[i] - first_day
        if at < 0 or at >= month_of.shape[0]:
            return False
        scaled = earned[i] * scale
        points = np.rint(scaled)
        if not abs(scaled - points) <= max(_OFF, abs(scaled) * _RELATIVE):
            return False
        if points < 0.0 or points > _LARGEST:
            return False
        yuan, borne, audited = (
            cost[i],
            0.0 if no_b else patient_paid[i],
            0.0 if no_x else refused[i],
        )
        if not (_is_amount(yuan) and _is_amount(borne) and _is_amount(audited)):
            return False
        c, b, x = _fen(yuan), _fen(borne), _fen(audited)
        q, item, paid = np.int64(points), c - b, np.int64(0)
        if class_code[i] == outside:
            paid = max(item - x, np.int64(0))
            b, x, item = np.int64(0), np.int64(0), np.int64(0)
        cell = (np.int64(pool[i]) * hospitals + hospital[i]) * 12 + month_of[at]
        cell = cell * classes + class_code[i]
        mark = ids[i] ^ drg_hash[drg_code[i]] ^ class_hash[class_code[i]]
        mark = mix(mark ^ np.uint64(q))
        mark = mix(mark ^ np.uint64(b))
        mark = mix(mark ^ np.uint64(x))
        mark = mix(mark ^ np.uint64(item))
        mark = mix(mark ^ np.uint64(paid))
        sums[cell, 0] += 1
        sums[cell, 1] += q
        sums[cell, 2] += b
        sums[cell, 3] += x
        sums[cell, 4] += item
        sums[cell, 5] += paid
        sums[cell, 6] += np.int64(mark)
        who = pool[i] * units + unit[i]
        insured[who, 0] += 1
        insured[who, 1] += q
        insured[who, 2] += b
    return True
