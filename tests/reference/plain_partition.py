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
    n, m = len(first), len(second)
    squares = sum((v - fmean(part)) ** 2 for part in (first, second) for v in part)
    freedom = n + m - 2
    apart = fmean(first) - fmean(second)
    variance = squares / freedom * (1 / n + 1 / m)
    if variance < 1e-24:
        return math.copysign(math.inf, apart) if abs(apart) > 1e-12 else 0.0
    size = math.sqrt(freedom * math.log1p(apart**2 / variance / freedom))
    return math.copysign((8 * freedom + 1) / (8 * freedom + 3) * size, apart)
