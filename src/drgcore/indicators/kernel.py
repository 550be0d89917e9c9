"""The compiled loops: cases added up by combinations of keys; limits of exact intervals."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba as nb
import numpy as np

MEASURES = (
    *("cases", "cost_n", "cost", "cost2", "stay_n", "stay", "stay2", "died", "died_n"),
    *("mcc", "cc", "severity_n", "high", "low", "class_n", "drug", "drug_base"),
    *("consumable", "consumable_base", "back", "back_n"),
)
"""What is added up. Amounts are whole fen, so that sums below 2**53 are exact in any order.

Squares of costs, which only intervals need, may pass that and then hang on the order in the last
bit.
"""


class Rows(NamedTuple):
    """Cases as arrays; those of a column that is not there are empty.

    `keys` has one row a case. Costs are yuan, NaN where there is none. Of the marks -1 is unknown.
    """

    keys: Any
    cost: Any
    stay: Any
    drug: Any
    consumable: Any
    died: Any
    severity: Any
    outlier: Any
    back: Any


@nb.njit(cache=True, nogil=True)
def _find(keys: Any, row: Any, slots: Any, cells: Any) -> Any:
    """Give the slot of a row's cell: one that holds it, or a free one."""
    mixed = np.uint64(1469598103934665603)
    for k in range(keys.shape[1]):
        mixed = (mixed ^ np.uint64(keys[row, k] + 1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    last = np.uint64(slots.shape[0] - 1)
    at = mixed & last
    while True:
        cell = slots[at]
        if cell < 0:
            return at
        same = True
        for k in range(keys.shape[1]):
            if cells[cell, k] != keys[row, k]:
                same = False
                break
        if same:
            return at
        at = (at + np.uint64(1)) & last


@nb.njit(cache=True, nogil=True)
def refill(slots: Any, cells: Any, used: Any) -> None:
    """Enter the cells into a new, larger table of slots."""
    for cell in range(used):
        slots[_find(cells, cell, slots, cells)] = cell


@nb.njit(cache=True, nogil=True)
def add_rows(start: Any, rows: Rows, slots: Any, cells: Any, sums: Any, used: Any) -> Any:
    """Add cases to their cells until all are done or there is no room for a new cell.

    Returns the row at which it stopped, and the number of cells.
    """
    keys, cost, stay = rows.keys, rows.cost, rows.stay
    drug, consumable, died, severity = rows.drug, rows.consumable, rows.died, rows.severity
    outlier, back = rows.outlier, rows.back
    has_cost, has_stay, has_died = len(cost) > 0, len(stay) > 0, len(died) > 0
    has_severity, has_class, has_back = len(severity) > 0, len(outlier) > 0, len(back) > 0
    has_drug, has_consumable = len(drug) > 0 and has_cost, len(consumable) > 0 and has_cost
    for i in range(start, keys.shape[0]):
        at = _find(keys, i, slots, cells)
        cell = slots[at]
        if cell < 0:
            if used == cells.shape[0]:
                return i, used
            cell = used
            slots[at] = cell
            for k in range(keys.shape[1]):
                cells[cell, k] = keys[i, k]
            used += 1
        sums[cell, 0] += 1
        # A cost that is missing, negative or zero says nothing of what cases cost.
        fen = 0.0
        if has_cost and cost[i] > 0 and cost[i] < np.inf:
            fen = np.floor(cost[i] * 100 + 0.5)
            sums[cell, 1] += 1
            sums[cell, 2] += fen
            sums[cell, 3] += fen * fen
        if has_stay and stay[i] >= 0 and stay[i] < np.inf:
            sums[cell, 4] += 1
            sums[cell, 5] += stay[i]
            sums[cell, 6] += stay[i] * stay[i]
        if has_died and died[i] >= 0:
            sums[cell, 7] += died[i]
            sums[cell, 8] += 1
        if has_severity and severity[i] >= 0:
            sums[cell, 9] += severity[i] == 2
            sums[cell, 10] += severity[i] == 1
            sums[cell, 11] += 1
        if has_class and outlier[i] >= 0:
            sums[cell, 12] += outlier[i] == 1
            sums[cell, 13] += outlier[i] == 2
            sums[cell, 14] += 1
        if has_drug and fen > 0 and drug[i] >= 0 and drug[i] < np.inf:
            sums[cell, 15] += np.floor(drug[i] * 100 + 0.5)
            sums[cell, 16] += fen
        if has_consumable and fen > 0 and consumable[i] >= 0 and consumable[i] < np.inf:
            sums[cell, 17] += np.floor(consumable[i] * 100 + 0.5)
            sums[cell, 18] += fen
        if has_back and back[i] >= 0:
            sums[cell, 19] += back[i]
            sums[cell, 20] += 1
    return keys.shape[0], used


@nb.njit(cache=True, nogil=True)
def add_cells(
    start: Any, others: Any, their_sums: Any, slots: Any, cells: Any, sums: Any, used: Any
) -> Any:
    """Add another table of cells to this one; returns as `add_rows` does."""
    for i in range(start, others.shape[0]):
        at = _find(others, i, slots, cells)
        cell = slots[at]
        if cell < 0:
            if used == cells.shape[0]:
                return i, used
            cell = used
            slots[at] = cell
            for k in range(others.shape[1]):
                cells[cell, k] = others[i, k]
            used += 1
        for m in range(sums.shape[1]):
            sums[cell, m] += their_sums[i, m]
    return others.shape[0], used


@nb.njit(cache=True, nogil=True)
def _fraction(x: Any, a: Any, b: Any) -> Any:
    """Continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 20_000):
        for odd in range(2):
            if odd == 0:
                part = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            else:
                part = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1.0 + part * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + part / c
            c = c if abs(c) > tiny else tiny
            value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return value


@nb.njit(cache=True, nogil=True)
def _beta(x: Any, a: Any, b: Any) -> Any:
    """Regularised incomplete beta function."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(front + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


@nb.njit(cache=True, nogil=True)
def beta_quantiles(p: Any, a: Any, b: Any, out: Any) -> None:
    """The x with I_x(a, b) = p, by bisection; p, a and b have one entry each or are equal long."""
    for i in range(out.shape[0]):
        low, high = 0.0, 1.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            if middle <= low or middle >= high or high - low < 1e-15 * high:
                break
            if _beta(middle, a[i], b[i]) < p[i]:
                low = middle
            else:
                high = middle
        out[i] = 0.5 * (low + high)


@nb.njit(cache=True, nogil=True)
def beta_values(x: Any, a: Any, b: Any, out: Any) -> None:
    """The regularised incomplete beta function I_x(a, b); all have one entry each."""
    for i in range(out.shape[0]):
        out[i] = _beta(x[i], a[i], b[i])


@nb.njit(cache=True, nogil=True)
def _gamma(a: Any, x: Any) -> Any:
    """Regularised lower incomplete gamma function P(a, x): series below a + 1, fraction above."""
    if x <= 0.0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        term = 1.0 / a
        value = term
        for n in range(1, 100_000):
            term *= x / (a + n)
            value += term
            if term < value * 1e-16:
                break
        return front * value
    tiny = 1e-300
    b = x + 1.0 - a
    c, d = 1.0 / tiny, 1.0 / b
    value = d
    for n in range(1, 100_000):
        part = -n * (n - a)
        b += 2.0
        d = part * d + b
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = b + part / c
        c = c if abs(c) > tiny else tiny
        value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return 1.0 - front * value


@nb.njit(cache=True, nogil=True)
def gamma_values(a: Any, x: Any, out: Any) -> None:
    """The regularised lower incomplete gamma function P(a, x); all have one entry each."""
    for i in range(out.shape[0]):
        out[i] = _gamma(a[i], x[i])


@nb.njit(cache=True, nogil=True)
def gamma_quantiles(p: Any, a: Any, out: Any) -> None:
    """The x with P(a, x) = p, by bisection; all have one entry each."""
    for i in range(out.shape[0]):
        low, high = 0.0, a[i] + 10.0 * math.sqrt(a[i]) + 50.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            if middle <= low or middle >= high or high - low < 1e-14 * high:
                break
            if _gamma(a[i], middle) < p[i]:
                low = middle
            else:
                high = middle
        out[i] = 0.5 * (low + high)
