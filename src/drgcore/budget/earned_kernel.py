"""The compiled loop from points and amounts of cases to the sums of a settlement."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from drgcore.cases.hashes import mix
from drgcore.compiling import loop

# As `caserows.points_of` tells a rounded value from one with more decimals.
_OFF, _RELATIVE, _LARGEST = 1e-3, 2.0**-51, 2.0**52
_AHEAD = 512


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


@loop(forceinline=True)
def _is_amount(yuan: Any) -> Any:
    return yuan >= 0.0 and yuan < _LARGEST / 100


@loop(forceinline=True)
def _fen(yuan: Any) -> Any:
    return np.int64(np.rint(yuan * 100))


@loop()
def _put(places: Any, values: Any, count: int, sign: int, sums: Any, insured: Any) -> None:
    for j in range(count):
        cell, who = places[0, j], places[1, j]
        sums[cell, 0] += sign
        insured[who, 0] += sign
        insured[who, 1] += sign * values[j, 0]
        insured[who, 2] += sign * values[j, 1]
        for column in range(6):
            sums[cell, column + 1] += sign * values[j, column]


@loop()
def _add(
    rows: Any,
    stop: int,
    sign: int,
    first_day: int,
    month_of: Any,
    scale: float,
    outside: int,
    shape: Any,
    numbers: Any,
    sums: Any,
    insured: Any,
    places: Any,
    values: Any,
) -> int:
    pools, classes = shape
    pool_of, hospital_of, unit_of = numbers
    pool, hospital, unit, day = rows.pool, rows.hospital, rows.unit, rows.day
    class_code, drg_code, earned = rows.class_code, rows.drg_code, rows.points
    cost, patient_paid, refused = rows.cost, rows.patient_paid, rows.refused
    ids, drg_hash, class_hash = rows.ids, rows.drg, rows.case_class
    no_b, no_x = patient_paid.shape[0] == 0, refused.shape[0] == 0
    for i in range(stop):
        at = day[i] - first_day
        if at < 0 or at >= month_of.shape[0]:
            return i - i % _AHEAD
        scaled = earned[i] * scale
        points = np.rint(scaled)
        if not abs(scaled - points) <= max(_OFF, abs(scaled) * _RELATIVE):
            return i - i % _AHEAD
        if points < 0.0 or points > _LARGEST:
            return i - i % _AHEAD
        yuan, borne, audited = (
            cost[i],
            0.0 if no_b else patient_paid[i],
            0.0 if no_x else refused[i],
        )
        if not (_is_amount(yuan) and _is_amount(borne) and _is_amount(audited)):
            return i - i % _AHEAD
        c, b, x = _fen(yuan), _fen(borne), _fen(audited)
        q, item, paid = np.int64(points), c - b, np.int64(0)
        if class_code[i] == outside:
            paid = max(item - x, np.int64(0))
            b, x, item = np.int64(0), np.int64(0), np.int64(0)
        own = pool_of[pool[i]]
        cell = (hospital_of[hospital[i]] * pools + own) * 12 + month_of[at]
        cell = cell * classes + class_code[i]
        mark = ids[i] ^ drg_hash[drg_code[i]] ^ class_hash[class_code[i]]
        mark = mix(mark ^ np.uint64(q))
        mark = mix(mark ^ np.uint64(b))
        mark = mix(mark ^ np.uint64(x))
        mark = mix(mark ^ np.uint64(item))
        mark = mix(mark ^ np.uint64(paid))
        j = i % _AHEAD
        places[0, j], places[1, j] = cell, unit_of[unit[i]] * pools + own
        values[j, 0], values[j, 1], values[j, 2], values[j, 3] = q, b, x, item
        values[j, 4], values[j, 5] = paid, np.int64(mark)
        if j == _AHEAD - 1 or i == stop - 1:
            _put(places, values, j + 1, sign, sums, insured)
    return stop


def add_earned(
    rows: Any,
    stop: int,
    sign: int,
    first_day: int,
    month_of: Any,
    scale: float,
    outside: int,
    shape: Any,
    numbers: Any,
    sums: Any,
    insured: Any,
) -> int:
    """Add cases to their cells, or take away what was added before a value that is none.

    Parameters
    ----------
    rows : EarnedRows
        The cases.
    stop : int
        How many of them.
    sign : int
        1 to add, -1 to take away what was added.
    first_day : int
        The first day of the year, since 1970-01-01.
    month_of : ndarray of int8
        The month of each day of the year, 0 to 11.
    scale : float
        Units of a point.
    outside : int
        The class of cases that are paid by item.
    shape : tuple of int
        Pools, classes.
    numbers : tuple of ndarray of int64
        The number of each pool, hospital and unit of the cases among those of the sums, the last of
        a unit that of none.
    sums : ndarray of int64, shape (hospitals · pools · 12 · classes, 7)
        Changed in place: cases, points, B, X, C − B, paid by item, fingerprint.
    insured : ndarray of int64, shape (units · pools, 3)
        Changed in place: cases, points, B.

    Returns
    -------
    int
        How many were added: `stop`, or fewer where a value is none that a settlement takes.
    """
    # Cells lie far apart: many at a time are waited for together, not one after the other.
    places, values = np.empty((2, _AHEAD), np.int64), np.empty((_AHEAD, 6), np.int64)
    rest = first_day, month_of, scale, outside, shape, numbers, sums, insured
    return int(_add(rows, stop, sign, *rest, places, values))
