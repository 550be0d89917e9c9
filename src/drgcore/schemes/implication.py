"""What can be proved of rules without a case: that one implies another, that one never holds.

A proof here is sound and makes no claim to be complete: `implies` answers True only when every case
that meets the first rule meets the second, and False when it finds no proof.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from drgcore.language import _
from drgcore.schemes.rules import (
    COMPLICATIONS,
    DIAGNOSIS_FIELDS,
    FRACTIONAL,
    LOCAL_FIELDS,
    YES_NO,
    And,
    Compare,
    Count,
    Literal,
    Member,
    Not,
    Or,
    Rule,
    SetsMet,
    conjunction,
)

Bound: TypeAlias = tuple[float, int]
Interval: TypeAlias = tuple[Bound, Bound]
"""Lowest and highest value; the second number of a bound is ±1 where the value itself is out."""

Number: TypeAlias = Compare | Count | SetsMet
"""What is compared with a number."""

_ANYTHING: Interval = ((0, 0), (math.inf, 0))  # no age, weight or count is negative
_SHARE: Interval = ((0, 0), (1, 0))
_DOMAIN: Mapping[str, Interval] = {
    "XB": ((1, 0), (2, 0)),
    "LYFS": ((1, 0), (9, 0)),
    **dict.fromkeys((*FRACTIONAL, *YES_NO), _SHARE),
}
_CONTINUOUS = {"XSRTZ", "CSTZ", *FRACTIONAL}
_MAX_STEPS = 20_000  # of one proof; those about official rules take some hundreds


class Prover:
    """Proves with the members of a scheme's sets at hand.

    Parameters
    ----------
    sets : mapping of str to frozenset of str
        Set id → its codes.

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> prover = Prover({"A": frozenset({"I21.000"}), "B": frozenset({"I21.000", "I22.000"})})
    >>> prover.implies(parse_rule("ZYZD in A and NL < 17"), parse_rule("ZYZD in B"))
    True
    >>> prover.implies(parse_rule("ZYZD in B"), parse_rule("ZYZD in A"))
    False
    >>> prover.never(parse_rule("NL = 0 and NL > 17"))
    True
    """

    def __init__(self, sets: Mapping[str, frozenset[str]]) -> None:
        self._sets = sets
        self._members: dict[tuple[str, ...], frozenset[str]] = {}
        self._steps = 0

    def implies(self, premise: Rule, conclusion: Rule) -> bool:
        """Whether it is proved that `conclusion` holds for every case that meets `premise`."""
        self._steps = _MAX_STEPS
        return self._implies(premise, conclusion)

    def _implies(self, premise: Rule, conclusion: Rule) -> bool:
        # Rules made to be tangled have exponentially many ways; giving up claims nothing wrong.
        self._steps -= 1
        if self._steps < 0:
            return False
        if premise == conclusion or conclusion == Literal(True) or premise == Literal(False):
            return True
        if isinstance(premise, Or):
            return all(self._implies(part, conclusion) for part in premise.parts)
        if isinstance(conclusion, And):
            return all(self._implies(premise, part) for part in conclusion.parts)
        if isinstance(conclusion, Or) and self._implies_any(premise, conclusion):
            return True
        if isinstance(conclusion, SetsMet) and self._met_within(premise, conclusion):
            return True
        if isinstance(premise, And):
            return any(self._implies(part, conclusion) for part in premise.parts)
        if isinstance(premise, Not) and isinstance(conclusion, Not):
            return self._implies(conclusion.part, premise.part)
        if isinstance(premise, Member) and isinstance(conclusion, Member):
            return self._member_implies(premise, conclusion)
        if isinstance(premise, Number) and isinstance(conclusion, Number):
            return _number_implies(premise, conclusion)
        if isinstance(premise, SetsMet) and isinstance(conclusion, Member):
            low, high = _interval(premise)
            # Some set met is a code in one of the sets; none met, or one unmet of all, is none.
            is_told = high <= (0, 0) if conclusion.negated else low >= (1, 0)
            told = Member(premise.fields, premise.sets, conclusion.negated)
            return is_told and self._member_implies(told, conclusion)
        return False

    def _met_within(self, premise: Rule, conclusion: SetsMet) -> bool:
        """Whether so many sets are met, or unmet, by what the premise says of each of them."""
        members = [Member(conclusion.fields, (name,)) for name in conclusion.sets]
        met = sum(self._implies(premise, member) for member in members)
        unmet = sum(self._implies(premise, replace(member, negated=True)) for member in members)
        return _within(((met, 0), (len(members) - unmet, 0)), _interval(conclusion))

    def _implies_any(self, premise: Rule, conclusion: Or) -> bool:
        if any(self._implies(premise, part) for part in conclusion.parts):
            return True
        # "not A or B" follows where B follows from A.
        for i, part in enumerate(conclusion.parts):
            opposite = _opposite(part)
            if opposite is not None:
                rest = Or(conclusion.parts[:i] + conclusion.parts[i + 1 :])
                if self._implies(conjunction(premise, opposite), rest):
                    return True
        return False

    def never(self, rule: Rule) -> bool:
        """Whether it is proved that no case meets `rule`."""
        if isinstance(rule, Or):
            return all(self.never(part) for part in rule.parts)
        if isinstance(rule, And):
            return any(self.never(part) for part in rule.parts) or self._contradicts(rule)
        if isinstance(rule, Not):
            return self.implies(Literal(True), rule.part)
        if isinstance(rule, Member):
            return not rule.negated and self._is_of_other_kind(rule.sets, rule.fields)
        if isinstance(rule, Count):
            low, high = _interval(rule)
            if rule.set_id in self._sets:
                kinds = {field in DIAGNOSIS_FIELDS for field in rule.fields}
                high = min(high, (len(kinds) * len(self._sets[rule.set_id]), 0))
            return low > high or (
                low > (0, 0) and self._is_of_other_kind((rule.set_id,), rule.fields)
            )
        if isinstance(rule, Compare | SetsMet):
            low, high = _interval(rule)
            if isinstance(rule, SetsMet):
                fit = (self._can_meet(name, rule.fields) for name in rule.sets)
                high = min(high, (sum(fit), 0))
            return low > high
        return not rule.value

    def _can_meet(self, set_id: str, fields: tuple[str, ...]) -> bool:
        return self._sets.get(set_id) != frozenset() and not self._is_of_other_kind(
            (set_id,), fields
        )

    def _contradicts(self, rule: And) -> bool:
        """Whether two parts of a conjunction exclude each other."""
        spans: dict[object, Interval] = {}
        for part in rule.parts:
            opposite = _opposite(part)
            if opposite is not None and any(self.implies(p, opposite) for p in rule.parts):
                return True
            if isinstance(part, Number):
                subject = _subject(part)
                low, high = _interval(part)
                lowest, highest = spans.get(subject, _ANYTHING)
                spans[subject] = (max(low, lowest), min(high, highest))
        return any(low > high for low, high in spans.values())

    def _member_implies(self, premise: Member, conclusion: Member) -> bool:
        if premise.negated != conclusion.negated:
            return False
        if premise.negated:
            premise, conclusion = conclusion, premise
        return set(premise.fields) <= set(conclusion.fields) and (
            set(premise.sets) <= set(conclusion.sets)
            or self._codes(premise.sets) <= self._codes(conclusion.sets)
        )

    def _codes(self, sets: tuple[str, ...]) -> frozenset[str]:
        """The members of all `sets`; MCC and CC, which depend on the case, stand for themselves."""
        if sets not in self._members:
            self._members[sets] = frozenset().union(
                *(self._sets.get(s, frozenset({s})) for s in sets)
            )
        return self._members[sets]

    def _is_of_other_kind(self, sets: tuple[str, ...], fields: tuple[str, ...]) -> bool:
        """Whether the sets hold only diagnoses and the fields only procedures, or the reverse."""
        if not set(sets).isdisjoint(COMPLICATIONS) or not all(s in self._sets for s in sets):
            return False
        if not LOCAL_FIELDS.keys().isdisjoint(fields):
            return False
        wanted = {field in DIAGNOSIS_FIELDS for field in fields}
        return wanted.isdisjoint({is_diagnosis(code) for code in self._codes(sets)})


def is_diagnosis(code: str) -> bool:
    """Whether a code has the shape of a diagnosis: a letter first, where procedures have a digit.

    Examples
    --------
    >>> is_diagnosis("I21.000"), is_diagnosis("36.0700")
    (True, False)
    """
    return code[:1].isalpha()


def _opposite(rule: Rule) -> Rule | None:
    if isinstance(rule, Not):
        return rule.part
    if isinstance(rule, Member) and rule.negated:
        return Member(rule.fields, rule.sets)
    return None


def _subject(rule: Number) -> object:
    if isinstance(rule, Compare):
        return rule.variable
    return type(rule), frozenset(rule.sets), frozenset(rule.fields)


def _number_implies(premise: Number, conclusion: Number) -> bool:
    low, high = _interval(premise)
    if _subject(premise) == _subject(conclusion):
        return _within((low, high), _interval(conclusion))
    if isinstance(premise, SetsMet) and isinstance(conclusion, SetsMet):
        # Among more sets, or more fields, at least as many are met.
        wider = set(premise.sets) <= set(conclusion.sets) and set(premise.fields) <= set(
            conclusion.fields
        )
        return wider and _within((low, (len(conclusion.sets), 0)), _interval(conclusion))
    return False


def _within(inner: Interval, outer: Interval) -> bool:
    return inner[0] >= outer[0] and inner[1] <= outer[1]


def _interval(rule: Number) -> Interval:
    """The values that meet a comparison, within those that can occur."""
    continuous = isinstance(rule, Compare) and rule.variable in _CONTINUOUS
    number, operator = rule.number, rule.operator
    low: Bound = (-math.inf, 0)
    high: Bound = (math.inf, 0)
    if operator in ("=", ">=", ">"):
        low = (number, int(operator == ">"))
    if operator in ("=", "<=", "<"):
        high = (number, -int(operator == "<"))
    if not continuous:
        low = (math.floor(low[0]) + 1, 0) if low[1] else (_ceil(low[0]), 0)
        high = (math.ceil(high[0]) - 1, 0) if high[1] else (_floor(high[0]), 0)
    domain = _ANYTHING
    if isinstance(rule, Compare):
        domain = _DOMAIN.get(rule.variable, _ANYTHING)
    elif isinstance(rule, SetsMet):
        domain = (0, 0), (len(rule.sets), 0)
    return max(low, domain[0]), min(high, domain[1])


def _ceil(value: float) -> float:
    return math.ceil(value) if math.isfinite(value) else value


def _floor(value: float) -> float:
    return math.floor(value) if math.isfinite(value) else value


def taken_by(prover: Prover, premise: Rule, earlier: list[dict[str, Any]]) -> str:
    """Why a case that meets `premise` always stops at an earlier group; '' where it may not.

    Parameters
    ----------
    prover : Prover
        Proves what follows from what.
    premise : Rule
        What the case has met.
    earlier : list of dict
        The groups tried before, with their ``code`` and the ``tree`` of their rule.
    """
    if not earlier or not prover.implies(premise, any_of(row["tree"] for row in earlier)):
        return ""
    takers = [row["code"] for row in earlier if prover.implies(premise, row["tree"])]
    if takers:
        return _("{group}, tried before it, takes every case that meets its rule", group=takers[0])
    return _("the groups tried before it together take every case that meets its rule")


def any_of(rules: Iterator[Rule]) -> Rule:
    """The rule that holds where any of some holds."""
    return Or(tuple(rules))
