"""The search for a better cut of one ADRG: merge what does not differ, split what does.

The search sees no single case, only *cells*: cases of one DRG that no condition tells apart, with
their number, mean and spread of cost. A cut is a list of *parts* in the order in which a scheme
would try them: a case belongs to the first part whose rule holds. Cutting a part by a condition
puts the cases for which it holds before the rest; merging two neighbours joins their rules by
"or". Neither changes what any other part gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.schemes.rules import TRUE, Rule, conjunction
from drgcore.subdivision.complications import either, family, worst_of
from drgcore.subdivision.conditions import Condition
from drgcore.subdivision.contrast import z_of_parts

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


MOST_GROUPS = 15
"""So many letters `name_groups` gives to new groups."""


@dataclass(frozen=True)
class SplitLimits:
    """What a new group must fulfil.

    Parameters
    ----------
    min_cases : int, default 30
        Least cases of a new group.
    min_difference : float, default 0.2
        Least difference of the means of the two parts, relative to the smaller.
    max_cv : float, default 1
        Greatest CV of cost of each part.
    penalty : float, default 1e-6
        What each added group must add to the RIV of the whole region.
    alpha : float, default 0.01
        Chance that noise alone makes the search propose a split, over all groups and conditions of
        the region together (Bonferroni). Differences are tested on the logarithm of cost, whose
        tails are short, by Student's t and Welch's. Cases count as independent of each other: a
        difference that one hospital makes passes too, see `Subdivision.steps`. Mergers are not
        tested.
    max_groups : int, default 6
        Most groups of an ADRG that the search splits; 15 at most, for which there are letters.
    merge : bool, default True
        Also merge neighbouring DRGs whose rules differ by complications alone: if both have
        `min_cases` and differ by less than `merge_difference`, or the one with the worse
        complications is cheaper; or if one has cases but fewer than `n_min`.
    merge_difference : float, default 0.1
        See `merge`; smaller than `min_difference`, so that a cut is not made and unmade in turn.
    n_min : int, default 5
        See `merge`: the least cases of a stable group.

    Examples
    --------
    >>> SplitLimits(min_cases=2, n_min=5)
    Traceback (most recent call last):
    drgcore.errors.DrgcoreError: min_cases=2 is below n_min=5: the search would make unstable groups
    """

    min_cases: int = 30
    min_difference: float = 0.2
    max_cv: float = 1.0
    penalty: float = 1e-6
    alpha: float = 0.01
    max_groups: int = 6
    merge: bool = True
    merge_difference: float = 0.1
    n_min: int = 5

    def __post_init__(self) -> None:
        if self.min_cases < self.n_min:
            raise DrgcoreError(
                _(
                    "min_cases={min_cases} is below n_min={n_min}: the search would make "
                    "unstable groups",
                    min_cases=self.min_cases,
                    n_min=self.n_min,
                )
            )
        if self.n_min < 2 or not 2 <= self.max_groups <= MOST_GROUPS:
            raise DrgcoreError(
                _(
                    "n_min and max_groups must be 2 or more, max_groups at most {most_groups}",
                    most_groups=MOST_GROUPS,
                )
            )
        if not 0 <= self.merge_difference <= self.min_difference:
            raise DrgcoreError(_("merge_difference must lie between 0 and min_difference"))
        if not (self.max_cv > 0 and self.penalty >= 0 and 0 < self.alpha < 1):
            raise DrgcoreError(_("max_cv must be positive, penalty not negative, alpha in (0, 1)"))


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of one ADRG.

    Parameters
    ----------
    truth : ndarray of bool, shape (conditions, cells)
        Whether each condition holds in each cell.
    moments : ndarray of float64, shape (5, cells)
        Cases; sum and sum of squares of cost relative to the ADRG's mean; the same of log cost
        around its mean.
    """

    truth: Mask
    moments: Floats


@dataclass(frozen=True, eq=False)
class Part:
    """One group of a cut.

    Parameters
    ----------
    rule : Rule
        The rule that a scheme tries after those of the parts before.
    cells : ndarray of bool
        Its cells.
    origin : tuple of str
        The DRGs of the base that it comes from.
    words : tuple of str
        What conditions made it, in words.
    merged : bool
        Whether it is several DRGs of the base, or parts of them.
    """

    rule: Rule
    cells: Mask
    origin: tuple[str, ...]
    words: tuple[str, ...] = ()
    merged: bool = False


@dataclass(frozen=True)
class Step:
    """One split or merger, with what spoke for it.

    Parameters
    ----------
    action : {"split", "merge"}
    of : str
        The parts that it changed, by the DRGs they come from.
    condition : Condition or None
        Of a split.
    why : str
        Of a merger: few_cases, no_difference, not_monotone; of a split the empty text.
    cases, means, cvs : tuple of two
        Of the part for which the condition holds (of a merger: that which is tried first), and of
        the other; means relative to the ADRG's mean.
    z : float
        How far the logarithms of cost are apart, see `z_of_parts`.
    gain : float
        What it adds to the region's RIV; of a merger, what it takes.
    cells : tuple of two ndarray of bool
        The two parts.
    """

    action: str
    of: str
    condition: Condition | None
    why: str
    cases: tuple[int, int]
    means: tuple[float, float]
    cvs: tuple[float, float]
    z: float
    gain: float
    cells: tuple[Mask, Mask]

    @property
    def difference(self) -> float:
        """Difference of the two means relative to the smaller."""
        return max(self.means) / min(self.means) - 1


def search(
    parts: Sequence[Part],
    cells: Cells,
    conditions: Sequence[Condition],
    limits: SplitLimits,
    z_least: float,
    unit: float,
) -> tuple[list[Part], list[Step]]:
    """Look for a better cut of one ADRG.

    Parameters
    ----------
    parts : sequence of Part
        The cut as it is, in the order of the scheme.
    cells : Cells
        Its cells.
    conditions : sequence of Condition
        One for each row of ``cells.truth``.
    limits : SplitLimits
        What a new group must fulfil.
    z_least : float
        See `threshold`.
    unit : float
        RIV of the region by one unit of between-group sum of squares of relative cost.

    Returns
    -------
    parts : list of Part
        The new cut, in order.
    steps : list of Step
        What was done, in order.

    Examples
    --------
    One group, whose cases with an MCC cost twice as much:

    >>> from drgcore.subdivision.conditions import SplitCandidates
    >>> truth = np.array([[True, False], [True, False]])
    >>> moments = np.array([[50, 100], [25.0, -25.0], [15.0, 10.0], [20.0, -20.0], [12.0, 8.0]])
    >>> whole = Part(TRUE, np.ones(2, bool), ("BR19",))
    >>> cut, steps = search([whole], Cells(truth, moments),
    ...     SplitCandidates(ages=()).everywhere(), SplitLimits(), 5.0, 1e-3)
    >>> [str(part.rule) for part in cut], steps[0].cases, steps[0].means
    (['QTZD in MCC', '1'], (50, 100), (1.5, 0.75))
    """
    cut, steps = list(parts), []
    if limits.merge:
        while (step := _best_merger(cut, cells, limits, unit)) is not None:
            at, done = step
            cut[at : at + 2] = [_merged(cut[at], cut[at + 1])]
            steps.append(done)
    while len(cut) < limits.max_groups:
        found = [
            (done.gain, -at, -number, done)
            for at, part in enumerate(cut)
            for number, done in _splits(part, cells, conditions, limits, z_least, unit)
        ]
        if not found:
            break
        _other, at, _other, done = max(found, key=lambda entry: entry[:3])
        part = cut[-at]
        assert done.condition is not None
        first = replace(
            part,
            rule=conjunction(part.rule, done.condition.rule),
            cells=done.cells[0],
            words=(*part.words, done.condition.words),
        )
        words = (*part.words, done.condition.otherwise)
        rest = replace(part, cells=done.cells[1], words=words)
        cut[-at : -at + 1] = [first, rest]
        steps.append(done)
    return cut, steps


def _splits(
    part: Part,
    cells: Cells,
    conditions: Sequence[Condition],
    limits: SplitLimits,
    z_least: float,
    unit: float,
) -> Iterator[tuple[int, Step]]:
    """Give the splits of a part that fulfil the limits, with the number of the condition."""
    moments = np.where(part.cells, cells.moments, 0.0)
    inside = cells.truth.astype(np.float64) @ moments.T
    outside = moments.sum(axis=1) - inside
    enough = (inside[:, 0] >= limits.min_cases) & (outside[:, 0] >= limits.min_cases)
    for number in np.flatnonzero(enough).tolist():
        condition = conditions[number]
        mask = part.cells & cells.truth[number]
        done = _step(
            "split",
            part.origin,
            condition,
            "",
            (inside[number], outside[number]),
            (mask, part.cells & ~mask),
            unit,
        )
        fits = (
            done.difference >= limits.min_difference
            and max(done.cvs) <= limits.max_cv
            and done.gain - limits.penalty > 0
            and abs(done.z) >= z_least
            # Both scales must agree which part is dearer, and worse complications must cost more.
            and (done.z > 0) == (done.means[0] > done.means[1])
            and (condition.kind != "severity" or done.means[0] > done.means[1])
        )
        if fits:
            yield number, done


def _best_merger(
    cut: Sequence[Part], cells: Cells, limits: SplitLimits, unit: float
) -> tuple[int, Step] | None:
    """Give the merger of neighbours that is called for and loses least."""
    found = []
    for at, (first, second) in enumerate(pairwise(cut)):
        moments = [np.where(p.cells, cells.moments, 0.0).sum(axis=1) for p in (first, second)]
        cases = [m[0] for m in moments]
        # No history speaks of a group without cases: it stays as the base has it. And only what
        # differs by complications alone is merged, not the old with one and the young with none.
        if min(cases) == 0 or family(first.rule) != family(second.rule):
            continue
        done = _step(
            "merge",
            (*first.origin, *second.origin),
            None,
            "",
            (moments[0], moments[1]),
            (first.cells, second.cells),
            unit,
        )
        why = ""
        if min(cases) < limits.n_min:
            why = "few_cases"
        elif min(cases) >= limits.min_cases:
            if done.difference < limits.merge_difference:
                why = "no_difference"
            elif worst_of(first.rule) > worst_of(second.rule) and done.means[0] < done.means[1]:
                why = "not_monotone"
        if why:
            found.append((done.gain, -at, replace(done, why=why)))
    if not found:
        return None
    _other, at, done = max(found, key=lambda entry: entry[:2])
    return -at, done


def _step(
    action: str,
    origin: tuple[str, ...],
    condition: Condition | None,
    why: str,
    moments: tuple[Floats, Floats],
    cells: tuple[Mask, Mask],
    unit: float,
) -> Step:
    n, total, squares, log_total, log_squares = np.array(moments).T
    mean = total / n
    spread = np.maximum(squares / n - mean**2, 0.0)
    log_mean = log_total / n
    log_spread = np.maximum(log_squares - n * log_mean**2, 0.0)
    z = z_of_parts(n[0], n[1], log_mean[0] - log_mean[1], log_spread)
    between = float(n[0] * n[1] / n.sum() * (mean[0] - mean[1]) ** 2)
    means = mean + 1
    cvs = np.sqrt(spread) / means
    return Step(
        action,
        "+".join(dict.fromkeys(origin)),
        condition,
        why,
        (int(n[0]), int(n[1])),
        (float(means[0]), float(means[1])),
        (float(cvs[0]), float(cvs[1])),
        z,
        between * unit if action == "split" else -between * unit,
        cells,
    )


def _merged(first: Part, second: Part) -> Part:
    rule: Rule = TRUE
    if TRUE not in (first.rule, second.rule):
        rule = either(first.rule, second.rule)
    origin = tuple(dict.fromkeys([*first.origin, *second.origin]))
    return Part(rule, first.cells | second.cells, origin, merged=True)
