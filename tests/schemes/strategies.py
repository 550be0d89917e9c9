"""Random rules and random cases for them, and what a rule says of a case, spelt out plainly."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from drgcore.schemes.rules import (
    FIELDS,
    LOCAL_VARIABLES,
    OPERATORS,
    VARIABLES,
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
)

SETS = {
    "DI_A": frozenset({"A00.000"}),
    "DI_AB": frozenset({"A00.000", "B00.000"}),
    "OP_1": frozenset({"01.0000"}),
    "OP_12": frozenset({"01.0000", "02.0000"}),
}
DEPARTMENT_SETS = {
    "DEPT_X": frozenset({"0301"}),
    "DEPT_XY": frozenset({"0301", "ICU"}),
}
_ALL_SETS = {**SETS, **DEPARTMENT_SETS}
CODES = ["A00.000", "B00.000", "C00.000", "01.0000", "02.0000", "03.0000"]

_COMPARISONS = {
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


def _names(pool: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True).map(tuple)


_numbers = st.one_of(st.integers(0, 4), st.sampled_from([0.5, 1.5, 2500.25, 29, 366]))
_fields = _names(sorted(FIELDS))
_atoms = st.one_of(
    st.builds(Literal, st.booleans()),
    st.builds(Member, _fields, _names(sorted(SETS)), st.booleans()),
    st.builds(Member, st.just(("QTZD",)), _names(["MCC", "CC", "DI_A"]), st.booleans()),
    st.builds(Count, st.sampled_from(sorted(SETS)), _fields, st.sampled_from(OPERATORS), _numbers),
    st.builds(SetsMet, _names(sorted(SETS)), _fields, st.sampled_from(OPERATORS), _numbers),
    st.builds(Compare, st.sampled_from(sorted(VARIABLES)), st.sampled_from(OPERATORS), _numbers),
    st.builds(
        Compare, st.sampled_from(sorted(LOCAL_VARIABLES)), st.sampled_from(OPERATORS), _numbers
    ),
    st.builds(Member, st.just(("CYKB",)), _names(sorted(DEPARTMENT_SETS)), st.booleans()),
)


def _several(kind: type[And] | type[Or], parts: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    # A tree never holds its own kind directly, so those parts are left out.
    other = parts.filter(lambda part: not isinstance(part, kind))
    return st.lists(other, min_size=2, max_size=3).map(lambda found: kind(tuple(found)))


rules: st.SearchStrategy[Rule] = st.recursive(
    _atoms,
    lambda parts: st.one_of(st.builds(Not, parts), _several(And, parts), _several(Or, parts)),
    max_leaves=8,
)


@dataclass(frozen=True)
class Case:
    """The codes of each field, the numbers that are known, and the types of the complications."""

    codes: dict[str, frozenset[str]]
    numbers: dict[str, float]
    complications: frozenset[str] = field(default_factory=frozenset)


cases: st.SearchStrategy[Case] = st.builds(
    Case,
    # Diagnoses stand among diagnoses and procedures among procedures.
    st.fixed_dictionaries(
        {
            "ZYZD": st.frozensets(st.sampled_from(CODES[:3]), max_size=1),
            "QTZD": st.frozensets(st.sampled_from(CODES[:3]), max_size=3),
            "ZYSS": st.frozensets(st.sampled_from(CODES[3:]), max_size=1),
            "QTSS": st.frozensets(st.sampled_from(CODES[3:]), max_size=3),
            "CYKB": st.frozensets(st.sampled_from(["0301", "ICU", "0302"]), max_size=1),
        }
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "XB": st.integers(1, 2),
            "NL": st.integers(0, 4),
            "XSRTL": st.sampled_from([0, 1, 2, 28, 29, 30, 365, 366]),
            "XSRTZ": st.sampled_from([0, 0.25, 0.5, 1, 1.25, 2, 2500, 2500.25]),
            "ZYTS": st.sampled_from([0, 1, 2, 29, 30, 2500]),
            "LYFS": st.integers(1, 5),
            "ICUSC": st.sampled_from([0, 1, 2, 366, 2501]),
            "ZYZLZB": st.sampled_from([0, 0.25, 0.5, 1]),
            "CSTZ": st.sampled_from([0.5, 1, 2, 2500.25, 2501]),
            **{name: st.integers(0, 1) for name in sorted(YES_NO)},
        },
    ),
    st.frozensets(st.sampled_from(["MCC", "CC"])),
)


def holds(rule: Rule, case: Case) -> bool:
    """What the rule language says of a case."""
    if isinstance(rule, And):
        return all(holds(part, case) for part in rule.parts)
    if isinstance(rule, Or):
        return any(holds(part, case) for part in rule.parts)
    if isinstance(rule, Not):
        return not holds(rule.part, case)
    if isinstance(rule, Literal):
        return rule.value
    if isinstance(rule, Compare):
        value = case.numbers.get(rule.variable)
        return value is not None and _COMPARISONS[rule.operator](value, rule.number)
    if isinstance(rule, SetsMet):
        met = [holds(Member(rule.fields, (name,)), case) for name in rule.sets]
        return _COMPARISONS[rule.operator](sum(met), rule.number)
    codes = frozenset().union(*(case.codes[f] for f in rule.fields))
    if isinstance(rule, Count):
        return _COMPARISONS[rule.operator](len(codes & SETS[rule.set_id]), rule.number)
    found = any(
        name in case.complications if name in ("MCC", "CC") else codes & _ALL_SETS[name]
        for name in rule.sets
    )
    return found != rule.negated
