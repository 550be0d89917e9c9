"""The rules evaluated one case at a time, straight from the syntax trees.

This is the second, plain way to a group: it shares neither the tables nor the loop of the kernel,
and is what an explanation is made of. Tests compare the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from drgcore.cases.ages import INFANT_DAYS
from drgcore.cases.values import MAX_AGE_YEARS, MAX_NEWBORN_WEIGHT_G, MIN_NEWBORN_WEIGHT_G
from drgcore.schemes.model import Adrg, Drg, GroupKind, Mdc, Scheme
from drgcore.schemes.rules import (
    COMPLICATIONS,
    DIAGNOSIS_FIELDS,
    LOCAL_VARIABLES,
    VARIABLES,
    And,
    Atom,
    CodeAtom,
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

COMPARISONS = {
    "=": lambda a, b: a == b,
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    "<": lambda a, b: a < b,
}

INVALID_NUMBER = -2


@dataclass(frozen=True)
class PlainCase:
    """One case as the rules see it: known codes only, None for a missing number.

    A number that cannot be read is `INVALID_NUMBER`; a sex that is none is -1.
    """

    principal_diagnosis: str | None
    other_diagnoses: tuple[str, ...] = ()
    principal_procedure: str | None = None
    other_procedures: tuple[str, ...] = ()
    sex: int | None = None
    age_years: int | None = None
    age_days: int | None = None
    newborn_weight_g: int | None = None
    length_of_stay: int | None = None
    leaving_way: int | None = None
    icu_hours: int | None = None
    tcm_share: float | None = None
    birth_weight_g: int | None = None
    day_surgery: int | None = None
    several_sites: int | None = None
    new_technique: int | None = None
    intensive_care: int | None = None
    department: str | None = None
    principal_diagnosis_unknown: bool = False


@dataclass(frozen=True)
class ComplicationTrace:
    """A diagnosis that the CC sheet lists, and whether it counts in this case."""

    code: str
    type: str
    exclusion: str
    counted: bool


@dataclass(frozen=True)
class AtomTrace:
    """One condition of a rule: whether it holds, and the codes that make the fields match."""

    atom: Atom
    holds: bool
    found: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlainResult:
    """Group, status and reason of a case; the groups passed on the way."""

    status: str
    reason: str | None
    mdc: Mdc | None = None
    adrg: Adrg | None = None
    drg: Drg | None = None
    severity: str | None = None
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.reason is not None and not self.reasons:
            object.__setattr__(self, "reasons", (self.reason,))


@dataclass(frozen=True)
class Facts:
    """A case with what the scheme says of its complications."""

    scheme: Scheme
    case: PlainCase
    complications: tuple[ComplicationTrace, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "complications", tuple(self._complications()))

    def _complications(self) -> Iterator[ComplicationTrace]:
        for code in dict.fromkeys(self.case.other_diagnoses):
            row = self.scheme.complications.get(code)
            if row is not None:
                table = self.scheme.exclusions.get(row.exclusion, frozenset())
                counted = self.case.principal_diagnosis not in table
                yield ComplicationTrace(code, row.type, row.exclusion, counted)

    def severity(self) -> str:
        """The worst complication that counts: MCC, CC or none."""
        counted = {c.type for c in self.complications if c.counted}
        return next((kind for kind in COMPLICATIONS if kind in counted), "none")

    def codes(self, name: str) -> tuple[str, ...]:
        """The codes of one field of the rule language."""
        case = self.case
        if name == "ZYZD":
            return (case.principal_diagnosis,) if case.principal_diagnosis else ()
        if name == "ZYSS":
            return (case.principal_procedure,) if case.principal_procedure else ()
        if name == "CYKB":
            return (case.department,) if case.department else ()
        return case.other_diagnoses if name == "QTZD" else case.other_procedures

    def number(self, variable: str) -> float | None:
        """A number of the case, None where it is missing or unreadable."""
        column = VARIABLES.get(variable) or LOCAL_VARIABLES[variable]
        value: float | None = getattr(self.case, column)
        return None if value is None or value < 0 else value

    def trace(self, atom: Atom) -> AtomTrace:
        """Evaluate one condition."""
        if isinstance(atom, Literal):
            return AtomTrace(atom, atom.value)
        if isinstance(atom, Compare):
            value = self.number(atom.variable)
            holds = value is not None and COMPARISONS[atom.operator](value, atom.number)
            return AtomTrace(atom, holds)
        named = ((name in DIAGNOSIS_FIELDS, c) for name in atom.fields for c in self.codes(name))
        codes = tuple(code for _, code in dict.fromkeys(named))
        if isinstance(atom, Count):
            members = self.scheme.sets.get(atom.set_id, frozenset())
            found = tuple(c for c in codes if c in members)
            return AtomTrace(atom, COMPARISONS[atom.operator](len(found), atom.number), found)
        found = tuple(c for c in codes if any(self._in(c, s) for s in atom.sets))
        if isinstance(atom, SetsMet):
            met = sum(any(self._in(c, s) for c in codes) for s in atom.sets)
            return AtomTrace(atom, COMPARISONS[atom.operator](met, atom.number), found)
        return AtomTrace(atom, bool(found) != atom.negated, found)

    def _in(self, code: str, set_id: str) -> bool:
        if set_id in COMPLICATIONS:
            return any(
                c.code == code and c.type == set_id and c.counted for c in self.complications
            )
        return code in self.scheme.sets.get(set_id, ())

    def holds(self, rule: Rule) -> bool:
        """Evaluate a rule."""
        if isinstance(rule, And):
            return all(self.holds(p) for p in rule.parts)
        if isinstance(rule, Or):
            return any(self.holds(p) for p in rule.parts)
        if isinstance(rule, Not):
            return not self.holds(rule.part)
        return self.trace(rule).holds


def faults_of(scheme: Scheme, case: PlainCase) -> tuple[str, ...]:
    """All reasons for which a case cannot be grouped at all, none where it can."""
    asked = asked_variables(scheme)
    faults = []
    if case.principal_diagnosis is None:
        unknown = case.principal_diagnosis_unknown
        faults.append(f"principal_diagnosis_{'unknown' if unknown else 'missing'}")
    if "XB" in asked and case.sex not in (1, 2):
        faults.append("sex_missing" if case.sex is None else "sex_invalid")
    if "NL" in asked and (case.age_years is None or case.age_years < 0):
        faults.append("age_missing" if case.age_years is None else "age_invalid")
    if "XSRTL" in asked and case.age_years == 0:
        if case.age_days is None:
            faults.append("age_days_missing")
        elif not 0 <= case.age_days <= INFANT_DAYS:
            faults.append("age_days_invalid")
    return tuple(faults)


def why_no_mdc(scheme: Scheme, case: PlainCase) -> tuple[str, ...]:
    """Why no MDC takes a case: its principal diagnosis, its sex, its age, or something else.

    An MDC takes a diagnosis where its rule, or that of one of its ADRG, names a set with it as
    principal diagnosis. Whether it would with the other sex or another age is tried with the
    principal diagnosis alone.
    """
    code = case.principal_diagnosis
    alone = PlainCase(code, sex=case.sex, age_years=case.age_years, age_days=case.age_days)
    rules = [
        mdc.rule
        for mdc in scheme.mdcs
        if any(code in scheme.sets.get(s, ()) for s in _principal_sets(scheme)[mdc.code])
        and not Facts(scheme, alone).holds(mdc.rule)
    ]
    if not rules:
        return ("no_mdc_diagnosis",)

    def some(cases: Iterator[PlainCase]) -> bool:
        return any(Facts(scheme, c).holds(rule) for c in cases for rule in rules)

    def sexes(of: PlainCase) -> Iterator[PlainCase]:
        return (replace(of, sex=sex) for sex in (1, 2))

    def ages(of: PlainCase) -> Iterator[PlainCase]:
        for years in _near(rules, "NL", MAX_AGE_YEARS):
            for days in _near(rules, "XSRTL", INFANT_DAYS) if years == 0 else (None,):
                yield replace(of, age_years=years, age_days=days)

    found = ["no_mdc_sex"] if some(sexes(alone)) else []
    found += ["no_mdc_age"] if some(ages(alone)) else []
    if not found and some(other for of in sexes(alone) for other in ages(of)):
        found = ["no_mdc_sex", "no_mdc_age"]
    return tuple(found) or ("no_mdc",)


@lru_cache(maxsize=16)
def _principal_sets(scheme: Scheme) -> dict[str, frozenset[str]]:
    """MDC → the sets that its rule and those of its ADRG name for the principal diagnosis."""
    return {
        mdc.code: frozenset(
            name
            for rule in (mdc.rule, *(adrg.rule for adrg in scheme.adrgs_of(mdc.code)))
            for a in atoms(rule)
            if isinstance(a, Member) and not a.negated and "ZYZD" in a.fields
            for name in a.sets
        )
        for mdc in scheme.mdcs
    }


def _near(rules: list[Rule], variable: str, most: int) -> tuple[int, ...]:
    """Numbers, none above `most`, on both sides of each that rules compare a variable with."""
    bounds = [
        a.number
        for r in rules
        for a in atoms(r)
        if isinstance(a, Compare) and a.variable == variable
    ]
    near = {0, 1, *(math.floor(b) + step for b in bounds for step in (-1, 0, 1))}
    return tuple(sorted(number for number in near if 0 <= number <= most))


@lru_cache(maxsize=16)
def asked_variables(scheme: Scheme) -> frozenset[str]:
    """The numbers that some rule of the scheme asks for."""
    return frozenset(a.variable for a in _all_atoms(scheme) if isinstance(a, Compare))


def group_plainly(scheme: Scheme, case: PlainCase) -> PlainResult:
    """Group one case rule by rule.

    Parameters
    ----------
    scheme : Scheme
    case : PlainCase

    Returns
    -------
    PlainResult
    """
    faults = faults_of(scheme, case)
    if faults:
        return PlainResult("invalid", faults[0], reasons=faults)
    result = _first(Facts(scheme, case))
    missing = case.newborn_weight_g is None or case.newborn_weight_g < 0
    if missing and (case.age_years is None or case.age_years <= 0):
        for weight in _weights(scheme):
            other = _first(Facts(scheme, replace(case, newborn_weight_g=weight)))
            if (other.adrg, other.drg) != (result.adrg, result.drg):
                state = "missing" if case.newborn_weight_g is None else "invalid"
                return PlainResult("invalid", f"newborn_weight_{state}")
    if result.reason == "no_mdc":
        reasons = why_no_mdc(scheme, case)
        return replace(result, reason=reasons[0], reasons=reasons)
    return result


@lru_cache(maxsize=16)
def _weights(scheme: Scheme) -> tuple[int, ...]:
    """A weight for each of the ranges that the scheme's rules tell apart."""
    bounds = [
        a.number for a in _all_atoms(scheme) if isinstance(a, Compare) and a.variable == "XSRTZ"
    ]
    near = {math.floor(b) + d for b in bounds for d in (-1, 0, 1)}
    lowest, highest = MIN_NEWBORN_WEIGHT_G, MAX_NEWBORN_WEIGHT_G
    return tuple(w for w in sorted({lowest, *near}) if lowest <= w <= highest)


def _all_atoms(scheme: Scheme) -> Iterator[Atom]:
    groups: tuple[Mdc | Adrg | Drg, ...] = (*scheme.mdcs, *scheme.adrgs, *scheme.drgs)
    for group in groups:
        yield from atoms(group.rule)


def _first(facts: Facts) -> PlainResult:
    """The first MDC with an ADRG that holds, in it the first ADRG, in that the first DRG."""
    scheme, severity = facts.scheme, facts.severity()
    diagnosed = False
    for mdc in scheme.mdcs:
        if not facts.holds(mdc.rule):
            continue
        diagnosed = diagnosed or _asks_diagnosis(mdc.rule)
        for adrg in scheme.adrgs_of(mdc.code):
            if not facts.holds(adrg.rule):
                continue
            for drg in scheme.drgs_of(adrg.code):
                if facts.holds(drg.rule):
                    status, reason = _STATUS[adrg.kind]
                    return PlainResult(status, reason, mdc, adrg, drg, severity)
            return PlainResult("ungrouped", "no_drg", mdc, adrg, None, severity)
    return PlainResult("ungrouped", "no_adrg" if diagnosed else "no_mdc", severity=severity)


_STATUS: Mapping[GroupKind, tuple[str, str | None]] = {
    GroupKind.NAMED: ("grouped", None),
    GroupKind.AMBIGUOUS: ("ambiguous", "unrelated_procedure"),
    GroupKind.CATCH_ALL: ("ungrouped", "catch_all"),
}


def _asks_diagnosis(rule: Rule) -> bool:
    """Whether the rule asks for a diagnosis; MDCA's asks for a procedure or for nothing."""
    return any(
        isinstance(a, CodeAtom) and not set(DIAGNOSIS_FIELDS).isdisjoint(a.fields)
        for a in atoms(rule)
    )
