"""From a rule's syntax tree to what the kernel reads: single-field tests and short-circuit code.

A rule is first *normalised*: every `Member` names one field and either ordinary sets or one of MCC
and CC, and nothing is negated but through `Not`. Then it is used in two ways. `bounds` evaluates
it for every class of one field (or one number) while all else stays open, which tells in which
classes the rule is possible and in which it is certain. `Program` turns what is left into jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from drgcore.grouper.intervals import COMPARE
from drgcore.schemes.rules import (
    COMPLICATIONS,
    TRUE,
    VARIABLES,
    And,
    Compare,
    Count,
    Literal,
    Member,
    Not,
    Or,
    Rule,
    SetsMet,
    atoms,
)

ACCEPT, REJECT = -1, -2
"""Jump targets that end a program."""

SEPARABLE = ("ZYZD", "ZYSS", *VARIABLES)
"""Fields and numbers of which a case has exactly one value, so that it has exactly one class."""


class Op(IntEnum):
    """Kinds of instruction."""

    PRINCIPAL_DIAGNOSIS = 0
    PRINCIPAL_PROCEDURE = 1
    OTHER_DIAGNOSIS = 2
    OTHER_PROCEDURE = 3
    MCC = 4
    CC = 5
    COMPARE = 6
    COUNT = 7


FIELD_OPS = {
    "ZYZD": Op.PRINCIPAL_DIAGNOSIS,
    "ZYSS": Op.PRINCIPAL_PROCEDURE,
    "QTZD": Op.OTHER_DIAGNOSIS,
    "QTSS": Op.OTHER_PROCEDURE,
}


def normalise(rule: Rule) -> Rule:
    """The same rule with one field, and either sets or one complication, in every `Member`.

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> print(normalise(parse_rule("{ZYSS, QTSS} not in {OP_A, OP_B}")))
    not (ZYSS in {OP_A, OP_B} or QTSS in {OP_A, OP_B})
    >>> print(normalise(parse_rule("QTZD in {MCC, DI_A}")))
    QTZD in MCC or QTZD in DI_A
    """
    if isinstance(rule, Not):
        return Not(normalise(rule.part))
    if isinstance(rule, And):
        return And(tuple(normalise(p) for p in rule.parts))
    if isinstance(rule, Or):
        return Or(tuple(normalise(p) for p in rule.parts))
    if not isinstance(rule, Member):
        return rule
    sets = tuple(sorted(set(rule.sets).difference(COMPLICATIONS)))
    tests: list[Rule] = [Member(("QTZD",), (c,)) for c in COMPLICATIONS if c in rule.sets]
    if sets:
        tests += [Member((field,), sets) for field in dict.fromkeys(rule.fields)]
    positive = tests[0] if len(tests) == 1 else Or(tuple(tests))
    return Not(positive) if rule.negated else positive


def is_complication(member: Member) -> bool:
    """Whether a normalised `Member` asks for MCC or CC."""
    return member.sets[0] in COMPLICATIONS


def dimensions(rule: Rule) -> frozenset[str]:
    """The fields and numbers on which a normalised rule depends; ``"CC"`` for complications."""
    found: set[str] = set()
    for atom in atoms(rule):
        if isinstance(atom, Member):
            found.add("CC" if is_complication(atom) else atom.fields[0])
        elif isinstance(atom, Compare):
            found.add(atom.variable)
        elif isinstance(atom, Count):
            found.update(("COUNT", *atom.fields))
        elif isinstance(atom, SetsMet):
            found.update(atom.fields)
    return frozenset(found)


def residual(rule: Rule) -> Rule:
    """The part of a normalised rule that the class masks do not decide.

    A conjunct that depends on a single one of `SEPARABLE` is decided by that one's mask alone.
    """
    parts = rule.parts if isinstance(rule, And) else (rule,)
    left = [p for p in parts if not (len(d := dimensions(p)) == 1 and d <= set(SEPARABLE))]
    left = [p for p in left if p != TRUE]
    if not left:
        return TRUE
    return left[0] if len(left) == 1 else And(tuple(left))


def any_of(rules: Sequence[Rule]) -> Rule:
    """Normalised rules joined by `or`, those that are one `Member` of the same field merged."""
    sets: dict[tuple[str, ...], set[str]] = {}
    others: list[Rule] = []
    for rule in rules:
        if isinstance(rule, Member) and not is_complication(rule):
            sets.setdefault(rule.fields, set()).update(rule.sets)
        else:
            others.append(rule)
    merged = [Member(fields, tuple(sorted(names))) for fields, names in sets.items()]
    return Or((*merged, *others))


Truth: TypeAlias = Callable[[Rule], NDArray[np.bool_] | None]
"""Truth of an atom by class, None for an atom of another dimension."""


def bounds(rule: Rule, size: int, truth: Truth) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where a rule can hold and where it must, over the classes of one dimension.

    Parameters
    ----------
    rule : Rule
        A normalised rule.
    size : int
        Number of classes.
    truth : callable
        Truth of an atom by class, shape (size,), or None for an atom of another dimension.

    Returns
    -------
    possible, certain : ndarray of bool, shape (size,)
    """
    if isinstance(rule, Literal):
        value = np.full(size, rule.value)
        return value, value
    if isinstance(rule, Not):
        possible, certain = bounds(rule.part, size, truth)
        return ~certain, ~possible
    if isinstance(rule, And | Or):
        join = np.logical_and if isinstance(rule, And) else np.logical_or
        pairs = [bounds(p, size, truth) for p in rule.parts]
        return join.reduce([p for p, _ in pairs]), join.reduce([c for _, c in pairs])
    if isinstance(rule, SetsMet):
        pairs = [bounds(met, size, truth) for met in each_met(rule)]
        most = np.sum([possible for possible, _ in pairs], axis=0)
        least = np.sum([certain for _, certain in pairs], axis=0)
        # How many of the numbers from least to most fulfil the comparison.
        below = np.concatenate([[0], np.cumsum(fitting_counts(rule))])
        fitting = below[most + 1] - below[least]
        return fitting > 0, fitting == most - least + 1
    known = truth(rule)
    if known is None:
        return np.ones(size, dtype=bool), np.zeros(size, dtype=bool)
    return known, known


def each_met(rule: SetsMet) -> list[Rule]:
    """For each set of a `count()` the normalised rule that it is met."""
    return [normalise(Member(rule.fields, (name,))) for name in rule.sets]


def fitting_counts(rule: SetsMet) -> NDArray[np.bool_]:
    """Of each number of sets met, from none to all, whether it fulfils the comparison."""
    return COMPARE[rule.operator](np.arange(len(rule.sets) + 1), rule.number)


class Program:
    """Short-circuit code of many rules: one row `(op, a, b, if_true, if_false)` an instruction.

    Parameters
    ----------
    operands : callable
        Gives the operands `(a, b)` of an atom.
    """

    def __init__(self, operands: Callable[[Rule], tuple[int, int, int]]) -> None:
        self._operands = operands
        self._rows: list[list[int]] = []
        self._starts: dict[Rule, int] = {}

    def add(self, rule: Rule) -> int:
        """Compile a rule; its first instruction, ACCEPT or REJECT. Equal rules share their code."""
        if rule not in self._starts:
            self._starts[rule] = self._emit(rule, ACCEPT, REJECT)
        return self._starts[rule]

    def code(self) -> NDArray[np.int32]:
        """All instructions, shape (n, 5); at least one row, so that the kernel has an array."""
        return np.array(self._rows or [[0, 0, 0, REJECT, REJECT]], dtype=np.int32)

    def _emit(self, rule: Rule, if_true: int, if_false: int) -> int:
        """Instructions are made from the last part to the first, so each knows where to jump."""
        if isinstance(rule, Literal):
            return if_true if rule.value else if_false
        if isinstance(rule, Not):
            return self._emit(rule.part, if_false, if_true)
        if isinstance(rule, And):
            for part in reversed(rule.parts):
                if_true = self._emit(part, if_true, if_false)
            return if_true
        if isinstance(rule, Or):
            for part in reversed(rule.parts):
                if_false = self._emit(part, if_true, if_false)
            return if_false
        if isinstance(rule, SetsMet):
            return self._emit_sets_met(rule, if_true, if_false)
        op, a, b = self._operands(rule)
        self._rows.append([op, a, b, if_true, if_false])
        return len(self._rows) - 1

    def _emit_sets_met(self, rule: SetsMet, if_true: int, if_false: int) -> int:
        """A decision diagram: where to go on after each set, by how many were met so far.

        So the kernel needs no instruction of its own, and stops as soon as the number is decided.
        """
        after = [if_true if fits else if_false for fits in fitting_counts(rule)]
        for place, met in reversed(list(enumerate(each_met(rule)))):
            after = [
                after[n] if after[n + 1] == after[n] else self._emit(met, after[n + 1], after[n])
                for n in range(place + 1)
            ]
        return after[0]
