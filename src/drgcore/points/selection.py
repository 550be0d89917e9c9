"""Which cases fulfil the conditions of a policy's rules, as masks over all cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.cases.attributes import Codes, some_of
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.language import _
from drgcore.points.case_columns import CaseColumns
from drgcore.points.conditions import ColumnTest, Conditions
from drgcore.points.list_rules import BedDay, Exclusion, FixedPrice
from drgcore.points.parameters import covers
from drgcore.points.policy import Policy

Mask = NDArray[np.bool_]
Marks = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
_MOST = 60
# What the loop tests itself: it needs no mark for these conditions.
_IN_LOOP: dict[type[Conditions], set[str]] = {
    Exclusion: {"groups", "above_days", "pools", "hospitals"},
    FixedPrice: {"groups", "up_to_days", "levels"},
    BedDay: {"groups", "above_days", "levels"},
}


def fulfils(rule: Conditions, columns: CaseColumns) -> Mask:
    """Say of each case whether all conditions of a rule hold.

    Parameters
    ----------
    rule : Conditions
        The rule.
    columns : CaseColumns
        The cases.

    Returns
    -------
    ndarray of bool
        One entry a case.

    Raises
    ------
    CaseSchemaError
        If a case that fulfils all else has no number in a column that is tested.
    """
    found = _all_but_tests(rule, columns, set())
    for test in rule.tests:
        _refuse_missing(test, columns, found)
        found &= _test(test, columns)
    return found


def mark_cases(policy: Policy, columns: CaseColumns) -> tuple[NDArray[np.int64], Marks]:
    """Give each rule with conditions that the loop does not know a bit, set where they hold.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.
    columns : CaseColumns
        The cases.

    Returns
    -------
    flags : ndarray of int64
        The bits of each case; empty where no rule has such a condition.
    marks : tuple of tuples of int
        The bit of each exclusion, each fixed price and each bed-day rule; 0 without one.
    """
    marks: list[list[int]] = []
    flags = np.empty(0, np.int64)
    for rules in (policy.exclusions, policy.fixed_price, policy.bed_day):
        marks.append([])
        for rule in rules:
            if not _needs_mark(rule):
                marks[-1].append(0)
                continue
            number = sum(bit > 0 for bits in marks for bit in bits)
            if number == _MOST:
                raise PolicyError(
                    _(
                        "more than {most} exclusions, fixed prices and bed-day rules "
                        "have conditions on columns",
                        most=_MOST,
                    ),
                    where=_("policy {name}", name=policy.name),
                )
            if not len(flags):
                flags = np.zeros(len(columns.cost), np.int64)
            flags |= _marked(rule, columns).astype(np.int64) << number
            marks[-1].append(1 << number)
    return flags, (tuple(marks[0]), tuple(marks[1]), tuple(marks[2]))


def _needs_mark(rule: Conditions) -> bool:
    extra = {"from_days", "up_to_days", "above_days", "pools", "hospitals", "levels", "flag"}
    extra -= _IN_LOOP[type(rule)]
    return bool(rule.tests) or any(getattr(rule, name) not in (None, ()) for name in extra)


def _marked(rule: Conditions, columns: CaseColumns) -> Mask:
    """Evaluate what the loop does not; a missing number counts only where all else holds."""
    found = _all_but_tests(rule, columns, _IN_LOOP[type(rule)])
    for test in rule.tests:
        within = _all_but_tests(rule, columns, set())
        if isinstance(rule, FixedPrice) and rule.name in columns.item.names:
            within |= columns.item.codes == columns.item.names.index(rule.name)
        _refuse_missing(test, columns, within & found)
        found &= _test(test, columns)
    return found


def _all_but_tests(rule: Conditions, columns: CaseColumns, known: set[str]) -> Mask:
    found = np.ones(len(columns.cost), bool)
    if "groups" not in known and rule.groups and rule.groups != "all":
        found &= among(columns.drg, [d for d in columns.drg.names if covers(rule.groups, d)])
    for name, compare in (
        ("above_days", np.greater),
        ("from_days", np.greater_equal),
        ("up_to_days", np.less_equal),
    ):
        limit = getattr(rule, name)
        if name not in known and limit is not None:
            found &= compare(columns.stay, limit)
    for name, codes in (
        ("pools", columns.pool),
        ("hospitals", columns.hospital),
        ("levels", columns.level),
    ):
        names = getattr(rule, name)
        if name not in known and names not in (None, ()):
            found &= among(codes, names)
    if rule.flag:
        found &= columns.flags[rule.flag]
    return found


def among(codes: Codes, names: Sequence[str]) -> Mask:
    """Say of each case whether its text is one of some names.

    Parameters
    ----------
    codes : Codes
        A text column.
    names : sequence of str
        The names.

    Returns
    -------
    ndarray of bool
        False for a case without text.

    Examples
    --------
    >>> among(Codes(["a", "b"], np.array([0, 1, -1])), ["b"]).tolist()
    [False, True, False]
    """
    wanted = set(names)
    return np.array([*(name in wanted for name in codes.names), False])[codes.codes]


def _test(test: ColumnTest, columns: CaseColumns) -> Mask:
    values: Any = columns.numbers[test.column]
    found = np.ones(len(values), bool)
    signs = (np.greater_equal, np.greater, np.less_equal, np.less)
    for compare, (_other, limit) in zip(signs, test.limits, strict=True):
        if limit is not None:
            found &= compare(values, float(limit))
    return found


def _refuse_missing(test: ColumnTest, columns: CaseColumns, within: Mask) -> None:
    lacking = within & np.isnan(columns.numbers[test.column])
    if lacking.any():
        ids = [str(columns.ids[int(row)]) for row in np.flatnonzero(lacking)[:6]]
        raise CaseSchemaError(
            _(
                "{count} cases that a rule tests have no {column}: {ids}",
                count=int(lacking.sum()),
                column=test.column,
                ids=some_of(ids),
            ),
            where=_("column {column}", column=test.column),
            hint=_("give the number for these cases; a missing one is not guessed"),
        )
