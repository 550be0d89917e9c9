"""Cases in segments, each paid by one set of numbers: by period, tier of hospital and level."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgcore.points.case_columns import CaseColumns
from drgcore.points.case_rules import PointsTier
from drgcore.points.class_reasons import reasons_of
from drgcore.points.coefficients import Site
from drgcore.points.compiled import compile_rules, sites_of
from drgcore.points.kernel import run
from drgcore.points.lacking import check_numbers
from drgcore.points.policy import Policy
from drgcore.points.quotas import Ranked, beyond_quota
from drgcore.points.records import BARRED, HIGH_OUTSIDE, LOW_OUTSIDE, Factors, Rows, Rules
from drgcore.points.selection import Marks, among, mark_cases
from drgcore.points.tables import GroupTable, group_table

_Names = tuple[tuple[str, ...], ...]
# Parts of a file have dictionaries of their own; threads are at two parts at most.
_KEPT = 3

_RANKED = 3
"""The first classes are those of the rules for outliers: normal, high and low."""


class _Segment(NamedTuple):
    """Cases with one set of numbers; `where` None stands for all."""

    period: int
    tier: PointsTier | None
    level: str | None
    where: NDArray[np.int64] | None


class Compiled:
    """What a policy comes to, kept for the next cases: tables of base points, rules by names.

    Safe to be used by threads. For one policy only.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: dict[tuple[int, str], GroupTable] = {}
        self._rules: dict[_Names, dict[Any, tuple[Rules, list[Site]]]] = {}

    def table(self, policy: Policy, segment: _Segment) -> GroupTable:
        """Give the base points of a segment."""
        key = segment.period, "" if segment.tier is None else segment.tier.name
        if key not in self._tables:
            self._tables[key] = group_table(policy, segment.tier)
        return self._tables[key]

    def rules(
        self, policy: Policy, columns: CaseColumns, marks: Marks, segment: _Segment
    ) -> tuple[Rules, list[Site]]:
        """Give the rules of a segment for the names that the cases have."""
        coded = columns.hospital, columns.level, columns.pool, columns.drg, columns.item
        names = tuple(tuple(column.names) for column in coded)
        there = sites_of(columns)
        tier = "" if segment.tier is None else segment.tier.name
        key = segment.period, tier, segment.level, marks, there.tobytes()
        with self._lock:
            kept = self._rules.pop(names, {})
            # The names used last come last.
            self._rules[names] = kept
            while len(self._rules) > _KEPT:
                del self._rules[next(iter(self._rules))]
        if key not in kept:
            table = self.table(policy, segment)
            kept[key] = compile_rules(policy, columns, marks, table, segment.level, there)
        return kept[key]


def run_segments(
    columns: CaseColumns,
    rows: Rows,
    period: NDArray[Any],
    periods: Sequence[Policy],
    compiled: Compiled | None = None,
    every: bool = True,
) -> tuple[Factors, list[str]]:
    """Run each segment's rules over its cases; give one list of reasons for all.

    Parameters
    ----------
    columns : CaseColumns
        The cases.
    rows : Rows
        The same as the loop reads them, without flags.
    period : ndarray of int
        Number of the period of each case.
    periods : sequence of Policy
        The policies of all periods.
    compiled : Compiled, optional
        What calls before this made of the policy.
    every : bool, default True
        False where classes and points are all that is asked for.

    Returns
    -------
    factors : Factors
        One entry a case; without `every`, none of what points are made of.
    reasons : list of str
        What the numbers of `factors.reason` stand for; without `every`, nothing.
    """
    factors = _room(len(rows.cost), every)
    texts: list[str] = []
    compiled = Compiled() if compiled is None else compiled
    ranked = Ranked.of(len(rows.cost)) if any(map(_quota, periods)) else None
    done: list[tuple[_Segment, Rows, Rules]] = []
    several = len(periods) > 1 and len(period)
    present = np.unique(period) if several else np.array([0])
    for number in present:
        policy = periods[int(number)]
        flags, marks = mark_cases(policy, columns)
        alone = None if len(present) == 1 else np.flatnonzero(period == number)
        for segment in _segments(policy, columns, int(number), alone):
            rules, sites = compiled.rules(policy, columns, marks, segment)
            part = _part(rows._replace(flags=flags), segment.where)
            found = _run(part, rules, factors, segment.where)
            check_numbers(columns, part, rules, found, policy, sites)
            if ranked is not None:
                ranked.fill(segment.where, *_rank(policy, part, rules, found))
            done.append((segment, part, rules))
    if ranked is not None:
        _bar(beyond_quota(columns, ranked, period, periods), done, factors)
    # Two rules may give one reason; a dictionary holds each text once.
    for number in present if every else ():
        own = reasons_of(periods[int(number)])
        texts = list(dict.fromkeys([*texts, *own]))
        recode = np.array([texts.index(text) for text in own], np.int16)
        if len(present) == 1:
            factors.reason[:] = recode[factors.reason]
        else:
            of = period == number
            factors.reason[of] = recode[factors.reason[of]]
    return factors, texts


def tier_of(policy: Policy, hospital: str, level: str | None) -> PointsTier | None:
    """Give the tier of base points that a hospital belongs to.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.
    hospital : str
        The hospital.
    level : str or None
        Its level.

    Returns
    -------
    PointsTier or None
        The first that fits.

    Examples
    --------
    >>> tier_of(Policy.load("example"), "H01", "3") is None
    True
    """
    for tier in policy.base_points.tiers:
        of_level = not tier.levels or level in tier.levels
        if of_level and (not tier.hospitals or hospital in tier.hospitals):
            return tier
    return None


def _segments(
    policy: Policy, columns: CaseColumns, number: int, where: NDArray[np.int64] | None
) -> Iterator[_Segment]:
    """Split a period's cases by tier, and by level where multiples differ by it."""
    tiers = policy.base_points.tiers
    outliers = policy.outliers
    levels = sorted({*outliers.high.multiples_by_level, *outliers.low.multiples_by_level})
    if not tiers and not levels:
        yield _Segment(number, None, None, where)
        return
    total = len(columns.cost)
    key = np.zeros(total, np.int64)
    for at, tier in reversed(list(enumerate(tiers, 1))):
        inside = np.ones(total, bool)
        if tier.levels:
            inside &= among(columns.level, tier.levels)
        if tier.hospitals:
            inside &= among(columns.hospital, tier.hospitals)
        key[inside] = at
    for at, level in enumerate(levels, 1):
        key[among(columns.level, [level])] += at * (len(tiers) + 1)
    rows = np.arange(total) if where is None else where
    for value in np.unique(key[rows]).tolist() if len(rows) else [0]:
        above, at = divmod(value, len(tiers) + 1)
        yield _Segment(
            number,
            tiers[at - 1] if at else None,
            levels[above - 1] if above else None,
            rows[key[rows] == value],
        )


def _run(part: Rows, rules: Rules, factors: Factors, where: NDArray[np.int64] | None) -> Factors:
    if where is None:
        run(part, rules, factors)
        return factors
    found = _room(len(where), len(factors.base) == len(factors.points))
    run(part, rules, found)
    for whole, piece in zip(factors, found, strict=True):
        if len(whole):
            whole[where] = piece
    return found


def _rank(
    policy: Policy, part: Rows, rules: Rules, found: Factors
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Say which cases a quota counts, which of them are dear enough for it, and their C/m."""
    counted = found.case_class < _RANKED
    by_item = found.reason == HIGH_OUTSIDE
    candidate = (found.case_class == 1) | by_item
    counted |= by_item | (found.reason == LOW_OUTSIDE)
    if not _quota(policy):
        candidate = np.zeros(len(counted), bool)
    with np.errstate(invalid="ignore"):
        return counted, candidate, part.cost / rules.mean[part.drg]


def _bar(
    beyond: NDArray[np.bool_], done: Sequence[tuple[_Segment, Rows, Rules]], factors: Factors
) -> None:
    """Run the rules again for the cases that are beyond their quota."""
    for segment, part, rules in done:
        inside = beyond if segment.where is None else beyond[segment.where]
        rows = np.flatnonzero(inside)
        if not len(rows):
            continue
        again = _part(part, rows)
        flags = again.flags if len(again.flags) else np.zeros(len(rows), np.int64)
        again = _part(again._replace(flags=flags | BARRED), None)
        _run(again, rules, factors, rows if segment.where is None else segment.where[rows])


def _part(rows: Rows, where: NDArray[np.int64] | None) -> Rows:
    """Give the loop contiguous arrays that it cannot write, so that it is compiled only once.

    Arrow gives such arrays or others, depending on how many batches there are.
    """
    views = []
    for array in rows:
        taken = array if where is None or not len(array) else array[where]
        view = np.ascontiguousarray(taken).view()
        view.flags.writeable = False
        views.append(view)
    return Rows(*views)


def _room(rows: int, every: bool) -> Factors:
    parts = rows if every else 0
    return Factors(
        case_class=np.empty(rows, np.int8),
        reason=np.empty(rows, np.int16),
        base=np.empty(parts),
        coefficient=np.empty(parts),
        multiple=np.empty(parts),
        added=np.empty(parts),
        points=np.empty(rows),
    )


def _quota(policy: Policy) -> bool:
    return policy.outliers.high.quota is not None
