"""The syntax tree of a grouping rule, and its text.

A rule of the official configuration workbook (分组方案配置信息) is a boolean expression over the
case's code lists and numbers. The tree is immutable and compares by value; `str(rule)` is the rule
in the official language again, so that `parse_rule(str(rule)) == rule` always holds.

Local (city) schemes may also ask for what the official language does not know:

- ``ZYTS``: days in hospital (住院天数), a number
- ``LYFS``: way of leaving (离院方式, the front page's code from 1 to 9), a number
- ``ICUSC``: hours in intensive care (重症监护时长), a number
- ``ZYZLZB``: Chinese medicine's share of the cost of treatment (中医治疗占比), from 0 to 1
- ``CSTZ``: newborn's weight at birth in grams (出生体重), a number
- ``RJSS``, ``DBW``, ``XJS``, ``ZZJH``: day surgery (日间手术), several sites (多部位), new
  technique (新技术), intensive care (重症监护): 1 for yes, 0 for no
- ``CYKB``: department of discharge (出院科别), a field with one code, of which only membership can
  be asked, and not together with another field
- ``count({A, B, C} ∩ fields) >= 2``: how many of the named sets have a code among the fields

A missing or unreadable value makes a comparison false and a membership false (so `not in` true), as
for the official names; it never makes a case invalid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

FIELDS = MappingProxyType(
    {
        "ZYZD": "principal_diagnosis",
        "QTZD": "other_diagnoses",
        "ZYSS": "principal_procedure",
        "QTSS": "other_procedures",
    }
)
"""Code fields of the rule language → canonical column."""

DIAGNOSIS_FIELDS = ("ZYZD", "QTZD")
"""Those of `FIELDS` that hold diagnoses. A procedure is never the same as a diagnosis, even where
somebody writes both alike."""

VARIABLES = MappingProxyType(
    {
        "XB": "sex",
        "NL": "age_years",
        "XSRTL": "age_days",
        "XSRTZ": "newborn_weight_g",
    }
)
"""Numbers of the rule language → canonical column."""

LOCAL_FIELDS = MappingProxyType({"CYKB": "department"})
"""Code fields that only local schemes use → column of `LOCAL_SCHEMA`."""

LOCAL_VARIABLES = MappingProxyType(
    {
        "ZYTS": "length_of_stay",
        "LYFS": "leaving_way",
        "ICUSC": "icu_hours",
        "ZYZLZB": "tcm_share",
        "CSTZ": "birth_weight_g",
        "RJSS": "day_surgery",
        "DBW": "several_sites",
        "XJS": "new_technique",
        "ZZJH": "intensive_care",
    }
)
"""Numbers that only local schemes use → column of `LOCAL_SCHEMA`."""

YES_NO = frozenset({"RJSS", "DBW", "XJS", "ZZJH"})
"""Those of `LOCAL_VARIABLES` that are 1 for yes and 0 for no."""

FRACTIONAL = frozenset({"ZYZLZB"})
"""Those of `LOCAL_VARIABLES` whose value need not be whole."""

LOCAL_NAMES = MappingProxyType({**LOCAL_VARIABLES, **LOCAL_FIELDS})
"""All names that only local schemes use → column of `LOCAL_SCHEMA`."""

COMPLICATIONS = ("MCC", "CC")
"""Names that stand for the complications of the case instead of a set of the workbook."""

OPERATORS = ("=", ">=", ">", "<=", "<")


@dataclass(frozen=True, slots=True)
class Literal:
    """A bare 1 (true) or 0 (false). An empty rule is `Literal(True)`."""

    value: bool

    def __str__(self) -> str:
        return "1" if self.value else "0"


@dataclass(frozen=True, slots=True)
class Member:
    """Whether any code of `fields` is in any of `sets`; with `negated`, whether none is."""

    fields: tuple[str, ...]
    sets: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        word = "not in" if self.negated else "in"
        return f"{_braced(self.fields)} {word} {_braced(self.sets)}"


@dataclass(frozen=True, slots=True)
class Count:
    """How many different codes of a set occur among `fields`, compared with a number.

    A code that stands for a diagnosis and for a procedure counts as each.
    """

    set_id: str
    fields: tuple[str, ...]
    operator: str
    number: float

    @property
    def sets(self) -> tuple[str]:
        """The set, as the other conditions about codes give theirs."""
        return (self.set_id,)

    def __str__(self) -> str:
        return (
            f"length({self.set_id} ∩ {_braced(self.fields)}) {self.operator} {_number(self.number)}"
        )


@dataclass(frozen=True, slots=True)
class SetsMet:
    """How many of several different sets have a code among `fields`, compared with a number.

    Only local schemes use it.
    """

    sets: tuple[str, ...]
    fields: tuple[str, ...]
    operator: str
    number: float

    def __str__(self) -> str:
        return (
            f"count({_braced(self.sets)} ∩ {_braced(self.fields)}) "
            f"{self.operator} {_number(self.number)}"
        )


@dataclass(frozen=True, slots=True)
class Compare:
    """A number of the case compared with a constant; false when the number is missing."""

    variable: str
    operator: str
    number: float

    def __str__(self) -> str:
        return f"{self.variable} {self.operator} {_number(self.number)}"


@dataclass(frozen=True, slots=True)
class Not:
    """True when `part` is false."""

    part: Rule

    def __str__(self) -> str:
        inner = str(self.part)
        return f"not ({inner})" if isinstance(self.part, And | Or) else f"not {inner}"


@dataclass(frozen=True, slots=True)
class And:
    """True when all `parts` are; never holds another `And` directly."""

    parts: tuple[Rule, ...]

    def __str__(self) -> str:
        return " and ".join(f"({p})" if isinstance(p, Or) else str(p) for p in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """True when any of `parts` is; never holds another `Or` directly."""

    parts: tuple[Rule, ...]

    def __str__(self) -> str:
        return " or ".join(f"({p})" if isinstance(p, And) else str(p) for p in self.parts)


CodeAtom: TypeAlias = Member | Count | SetsMet
"""A condition about codes: it has `fields` and `sets`."""

Atom: TypeAlias = Literal | Compare | CodeAtom
Rule: TypeAlias = Atom | Not | And | Or

TRUE = Literal(True)


def atoms(rule: Rule) -> Iterator[Atom]:
    """Every atom of a rule, from left to right.

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> [str(a) for a in atoms(parse_rule("NL=0 and not (ZYZD in DI_A or XB=1)"))]
    ['NL = 0', 'ZYZD in DI_A', 'XB = 1']
    """
    if isinstance(rule, And | Or):
        for part in rule.parts:
            yield from atoms(part)
    elif isinstance(rule, Not):
        yield from atoms(rule.part)
    else:
        yield rule


def set_ids(rule: Rule) -> frozenset[str]:
    """The sets of the workbook that a rule names (without MCC and CC).

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> sorted(set_ids(parse_rule("QTZD in {MCC, DI_A} or length(OP_B ∩ ZYSS) >= 1")))
    ['DI_A', 'OP_B']
    """
    found: set[str] = set()
    for atom in atoms(rule):
        if isinstance(atom, CodeAtom):
            found.update(atom.sets)
    return frozenset(found.difference(COMPLICATIONS))


def local_names(rule: Rule) -> frozenset[str]:
    """The names of `LOCAL_NAMES` that a rule asks for.

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> sorted(local_names(parse_rule("ZYTS > 3 and NL < 17 and CYKB not in DEPT_A")))
    ['CYKB', 'ZYTS']
    """
    found: set[str] = set()
    for atom in atoms(rule):
        if isinstance(atom, Member):
            found.update(atom.fields)
        elif isinstance(atom, Compare):
            found.add(atom.variable)
    return frozenset(found.intersection(LOCAL_NAMES))


def conjunction(*rules: Rule) -> Rule:
    """The rules joined by `and`, flattened; without those that are plainly true."""
    parts: list[Rule] = []
    for rule in rules:
        if isinstance(rule, And):
            parts.extend(rule.parts)
        elif rule != TRUE:
            parts.append(rule)
    if not parts:
        return TRUE
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _braced(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else "{" + ", ".join(names) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
