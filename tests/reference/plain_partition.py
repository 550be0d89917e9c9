"""The first step of a subdivision, from the cases of one ADRG one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True)
class PlainSplit:
    """A split of a group by a condition, with its figures."""

    group: int
    condition: int
    gain: float
    cases: tuple[int, int]
    means: tuple[float, float]
    cvs: tuple[float, float]
    z: float


def splits(
    groups: Sequence[int],
    truths: Sequence[Sequence[bool]],
    costs: Sequence[float],
    everything: float,
) -> list[PlainSplit]:
    """All splits of the groups by the conditions that leave three cases or more in two parts."""
    found = []
    for group in sorted(set(groups)):
        for number, truth in enumerate(truths):
            rows = [i for i, g in enumerate(groups) if g == group]
            inside = [costs[i] for i in rows if truth[i]]
            outside = [costs[i] for i in rows if not truth[i]]
            if not inside or not outside or len(rows) < 3:
                continue
            n, m = len(inside), len(outside)
            means = fmean(inside), fmean(outside)
            gain = n * m / (n + m) * (means[0] - means[1]) ** 2 / everything
            cvs = tuple(_sd(part) / fmean(part) for part in (inside, outside))
            logs = [[math.log(c) for c in part] for part in (inside, outside)]
            found.append(
                PlainSplit(group, number, gain, (n, m), means, (cvs[0], cvs[1]), _z(*logs))
            )
    return found


def _sd(values: Sequence[float]) -> float:
    mean = fmean(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def _z(first: Sequence[float], second: Sequence[float]) -> float:
    """The z closer to 0 of Student's t and of Welch's."""
    n, m = len(first), len(second)
    apart = fmean(first) - fmean(second)
    squares = [sum((v - fmean(part)) ** 2 for v in part) for part in (first, second)]
    student = _as_z(apart, sum(squares) / (n + m - 2) * (1 / n + 1 / m), n + m - 2)
    if n < 2 or m < 2 or sum(squares) < 1e-24:
        return student
    a, b = squares[0] / (n - 1) / n, squares[1] / (m - 1) / m
    welch = _as_z(apart, a + b, (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1)))
    return min(student, welch, key=abs)


def _as_z(apart: float, variance: float, freedom: float) -> float:
    if variance < 1e-24:
        return math.copysign(math.inf, apart) if abs(apart) > 1e-12 else 0.0
    size = math.sqrt(freedom * math.log1p(apart**2 / variance / freedom))
    return math.copysign((8 * freedom + 1) / (8 * freedom + 3) * size, apart)
