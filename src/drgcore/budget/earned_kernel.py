"""The compiled loop from points and amounts of cases to the sums of a settlement."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from drgcore.cases.hashes import mix
from drgcore.compiling import loop

# As `caserows.points_of` tells a rounded value from one with more decimals.
_OFF, _RELATIVE, _LARGEST = 1e-3, 2.0**-51, 2.0**52
AHEAD = 512
"""So many cases are added together."""


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


@loop()
def _fen(yuan: Any, start: int, count: int, fen: Any) -> Any:
    """Amounts in fen; False where one is none. Without amounts, all are 0."""
    good = True
    if yuan.shape[0] == 0:
        for j in range(count):
            fen[j] = 0
        return good
    for j in range(count):
        amount = yuan[start + j]
        good = good & (amount >= 0.0) & (amount < _LARGEST / 100)
        fen[j] = np.int64(np.rint(amount * 100))
    return good


@loop()
def _points(earned: Any, start: int, count: int, scale: float, units: Any) -> Any:
    """Points in units; False where one is negative, too large or has more decimals."""
    good = True
    for j in range(count):
        scaled = earned[start + j] * scale
        whole = np.rint(scaled)
        off, most = abs(scaled - whole), abs(scaled) * _RELATIVE
        good = good & ((off <= _OFF) | (off <= most)) & (whole >= 0.0) & (whole <= _LARGEST)
        units[j] = np.int64(whole)
    return good


@loop()
def _split(class_code: Any, start: int, count: int, outside: int, values: Any) -> None:
    """From C, B and X to what a settlement adds up: outside the points all is paid by item."""
    for j in range(count):
        b, x, c = values[1, j], values[2, j], values[3, j]
        item, none = c - b, np.int64(0)
        by_item = class_code[start + j] == outside
        values[1, j] = none if by_item else b
        values[2, j] = none if by_item else x
        values[3, j] = none if by_item else item
        values[4, j] = max(item - x, none) if by_item else none


@loop()
def _mark(count: int, values: Any) -> None:
    """Mix what a case is paid by into its mark."""
    for j in range(count):
        mark = np.uint64(values[5, j])
        mark = mix(mark ^ np.uint64(values[0, j]))
        mark = mix(mark ^ np.uint64(values[1, j]))
        mark = mix(mark ^ np.uint64(values[2, j]))
        mark = mix(mark ^ np.uint64(values[3, j]))
        mark = mix(mark ^ np.uint64(values[4, j]))
        values[5, j] = np.int64(mark)


@loop()
def _put(places: Any, values: Any, count: int, sign: int, sums: Any, insured: Any) -> None:
    for j in range(count):
        cell, who = places[0, j], places[1, j]
        sums[cell, 0] += sign
        insured[who, 0] += sign
        insured[who, 1] += sign * values[0, j]
        insured[who, 2] += sign * values[1, j]
        for column in range(6):
            sums[cell, column + 1] += sign * values[column, j]


@loop()
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
    places: Any,
    values: Any,
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
    places : ndarray of int64, shape (2, 512)
    values : ndarray of int64, shape (6, 512)
        Room to work in: cells lie far apart, and many at a time are waited for together, not one
        after the other.

    Returns
    -------
    int
        How many were added: `stop`, or fewer where a value is none that a settlement takes.
    """
    pools, classes = shape
    pool_of, hospital_of, unit_of = numbers
    pool, hospital, unit, day = rows.pool, rows.hospital, rows.unit, rows.day
    class_code, drg_code = rows.class_code, rows.drg_code
    ids, drg_hash, class_hash = rows.ids, rows.drg, rows.case_class
    for start in range(0, stop, AHEAD):
        count = min(AHEAD, stop - start)
        # Loops so short that the compiler does several cases at a time.
        good = _points(rows.points, start, count, scale, values[0])
        good = good & _fen(rows.patient_paid, start, count, values[1])
        good = good & _fen(rows.refused, start, count, values[2])
        good = good & _fen(rows.cost, start, count, values[3])
        if not good:
            return start
        _split(class_code, start, count, outside, values)
        for j in range(count):
            i = start + j
            at = day[i] - first_day
            if at < 0 or at >= month_of.shape[0]:
                return start
            own = pool_of[pool[i]]
            cell = (hospital_of[hospital[i]] * pools + own) * 12 + month_of[at]
            places[0, j] = cell * classes + class_code[i]
            places[1, j] = unit_of[unit[i]] * pools + own
            values[5, j] = np.int64(ids[i] ^ drg_hash[drg_code[i]] ^ class_hash[class_code[i]])
        _mark(count, values)
        _put(places, values, count, sign, sums, insured)
    return stop
