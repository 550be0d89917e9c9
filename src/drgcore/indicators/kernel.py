"""The compiled loops: cases added up by combinations of keys; limits of exact intervals."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from drgcore.compiling import loop, nb

MEASURES = (
    *("cases", "cost_n", "cost", "cost2", "stay_n", "stay", "stay2", "died", "died_n"),
    *("mcc", "cc", "severity_n", "high", "low", "class_n", "drug", "drug_base"),
    *("consumable", "consumable_base", "back", "back_n"),
)
"""What is added up. Amounts are whole fen, so that sums below 2**53 are exact in any order.

Squares of costs, which only intervals need, may pass that and then hang on the order in the last
bit.
"""

USUAL = (
    *("cases", "cost", "cost2", "stay", "stay2", "drug", "drug_base", "consumable"),
    *("consumable_base", "mcc", "cc", "high", "low"),
)
"""What most cases add to. Memory is waited for by lines of it, so these lie side by side."""

RARE = (
    *("no_cost", "no_stay", "died", "no_way", "no_severity", "no_class", "back", "no_follow_up"),
)
"""What few cases add to: deaths, returns, and what is not known, from which the numbers follow."""

LINE = 16
"""Entries of a cell's usual sums; three of them are room, so that it is two whole lines."""

_BLOCK = 64


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


@loop()
def _homes(low: Any, high: Any, keys: Any, sizes: Any, last: Any, homes: Any) -> None:
    """Give the slots at which the searches for the cells of the rows from low to high begin."""
    if sizes.shape[0]:
        for i in range(low, high):
            place = np.int64(0)
            for k in range(keys.shape[1]):
                place = place * sizes[k] + keys[i, k] + 1
            homes[i - low] = place
        return
    for i in range(low, high):
        mixed = np.uint64(1469598103934665603)
        for k in range(keys.shape[1]):
            mixed = (mixed ^ np.uint64(keys[i, k] + 1)) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        homes[i - low] = np.int64(mixed & np.uint64(last))


@nb.njit(cache=True, nogil=True)
def _find(
    low: Any, high: Any, keys: Any, sizes: Any, slots: Any, cells: Any, used: Any, found: Any
) -> Any:
    """Find the cells of the rows from low to high, new ones among them, for which there is room.

    Returns the number of cells. Most are where the search begins: there all are looked up first,
    in loops that call nothing, so that the waits for memory overlap.
    """
    direct, last, width = sizes.shape[0] > 0, slots.shape[0] - 1, keys.shape[1]
    homes = np.empty(_BLOCK, np.int64)
    _homes(low, high, keys, sizes, last, homes)
    for j in range(high - low):
        found[j] = slots[homes[j]]
    for i in range(low, high):
        at, cell = homes[i - low], found[i - low]
        while True:
            # A row before this one may have made the cell.
            cell = cell if cell >= 0 else slots[at]
            if cell < 0:
                cell = used
                slots[at] = cell
                for k in range(width):
                    cells[cell, k] = keys[i, k]
                used += 1
                break
            same = True
            if not direct:
                for k in range(width):
                    same = same and cells[cell, k] == keys[i, k]
            if same:
                break
            at = (at + 1) & last
            cell = slots[at]
        found[i - low] = cell
    return used


@nb.njit(cache=True, nogil=True)
def refill(sizes: Any, slots: Any, cells: Any, used: Any) -> None:
    """Enter the cells into a new table of slots.

    With as many `sizes` as keys, each greater than all its numbers by 2, every combination has a
    slot of its own; with none at all `slots` is a table of hashes, of a power of 2.
    """
    found, again = np.empty(_BLOCK, np.int64), 0
    for low in range(0, used, _BLOCK):
        again = _find(low, min(low + _BLOCK, used), cells, sizes, slots, cells, again, found)


@nb.njit(cache=True, nogil=True)
def add_rows(
    start: Any, rows: Rows, sizes: Any, slots: Any, cells: Any, usual: Any, rare: Any, used: Any
) -> Any:
    """Add cases to their cells until all are done or there may be no room for new cells.

    Returns the row at which it stopped, and the number of cells.
    """
    keys, cost, stay = rows.keys, rows.cost, rows.stay
    drug, consumable, died, severity = rows.drug, rows.consumable, rows.died, rows.severity
    outlier, back = rows.outlier, rows.back
    has_cost, has_stay, has_died = len(cost) > 0, len(stay) > 0, len(died) > 0
    has_severity, has_class, has_back = len(severity) > 0, len(outlier) > 0, len(back) > 0
    has_drug, has_consumable = len(drug) > 0, len(consumable) > 0
    found = np.empty(_BLOCK, np.int64)
    for low in range(start, keys.shape[0], _BLOCK):
        high = min(low + _BLOCK, keys.shape[0])
        if used + high - low > cells.shape[0]:
            return low, used
        used = _find(low, high, keys, sizes, slots, cells, used, found)
        for i in range(low, high):
            # These two stand in the two lines of a cell, which the next loop then need not fetch.
            usual[found[i - low], 0] += 1
            usual[found[i - low], 9] += has_severity and severity[i] == 2
        for i in range(low, high):
            cell = found[i - low]
            # A cost that is missing, negative or zero says nothing of what cases cost.
            fen = 0.0
            if has_cost:
                if cost[i] > 0 and cost[i] < np.inf:
                    fen = np.floor(cost[i] * 100 + 0.5)
                    usual[cell, 1] += fen
                    usual[cell, 2] += fen * fen
                else:
                    rare[cell, 0] += 1
            if has_stay:
                if stay[i] >= 0 and stay[i] < np.inf:
                    usual[cell, 3] += stay[i]
                    usual[cell, 4] += stay[i] * stay[i]
                else:
                    rare[cell, 1] += 1
            if has_drug and fen > 0 and drug[i] >= 0 and drug[i] < np.inf:
                usual[cell, 5] += np.floor(drug[i] * 100 + 0.5)
                usual[cell, 6] += fen
            if has_consumable and fen > 0 and consumable[i] >= 0 and consumable[i] < np.inf:
                usual[cell, 7] += np.floor(consumable[i] * 100 + 0.5)
                usual[cell, 8] += fen
            if has_severity:
                usual[cell, 10] += severity[i] == 1
                if severity[i] < 0:
                    rare[cell, 4] += 1
            if has_class:
                usual[cell, 11] += outlier[i] == 1
                usual[cell, 12] += outlier[i] == 2
                if outlier[i] < 0:
                    rare[cell, 5] += 1
            if has_died and died[i] != 0:
                rare[cell, 2 if died[i] > 0 else 3] += 1
            if has_back and back[i] != 0:
                rare[cell, 6 if back[i] > 0 else 7] += 1
    return keys.shape[0], used


@nb.njit(cache=True, nogil=True)
def add_cells(
    start: Any,
    others: Any,
    their_usual: Any,
    their_rare: Any,
    sizes: Any,
    slots: Any,
    cells: Any,
    usual: Any,
    rare: Any,
    used: Any,
) -> Any:
    """Add another table of cells to this one.

    Returns as `add_rows` does.
    """
    found = np.empty(_BLOCK, np.int64)
    for low in range(start, others.shape[0], _BLOCK):
        high = min(low + _BLOCK, others.shape[0])
        if used + high - low > cells.shape[0]:
            return low, used
        used = _find(low, high, others, sizes, slots, cells, used, found)
        for i in range(low, high):
            cell = found[i - low]
            for m in range(usual.shape[1]):
                usual[cell, m] += their_usual[i, m]
            for m in range(rare.shape[1]):
                rare[cell, m] += their_rare[i, m]
    return others.shape[0], used


@loop()
def measures_of(order: Any, usual: Any, rare: Any, there: Any, out: Any) -> None:
    """Write the measures of the cells in their order, a row of `out` for each of `MEASURES`.

    `there` says of costs, stays, ways of leaving, severities, classes and returns which the cases
    have.
    """
    for i in range(order.shape[0]):
        u, r = usual[order[i]], rare[order[i]]
        n = u[0]
        out[0, i] = n
        out[1, i] = n - r[0] if there[0] else 0.0
        out[2, i], out[3, i] = u[1], u[2]
        out[4, i] = n - r[1] if there[1] else 0.0
        out[5, i], out[6, i] = u[3], u[4]
        out[7, i], out[8, i] = r[2], n - r[3] if there[2] else 0.0
        out[9, i], out[10, i], out[11, i] = u[9], u[10], n - r[4] if there[3] else 0.0
        out[12, i], out[13, i], out[14, i] = u[11], u[12], n - r[5] if there[4] else 0.0
        out[15, i], out[16, i], out[17, i], out[18, i] = u[5], u[6], u[7], u[8]
        out[19, i], out[20, i] = r[6], n - r[7] if there[5] else 0.0


@loop()
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


@loop()
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


@loop()
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


@loop()
def beta_values(x: Any, a: Any, b: Any, out: Any) -> None:
    """The regularised incomplete beta function I_x(a, b); all have one entry each."""
    for i in range(out.shape[0]):
        out[i] = _beta(x[i], a[i], b[i])


@loop()
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


@loop()
def gamma_values(a: Any, x: Any, out: Any) -> None:
    """The regularised lower incomplete gamma function P(a, x); all have one entry each."""
    for i in range(out.shape[0]):
        out[i] = _gamma(a[i], x[i])


@loop()
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
