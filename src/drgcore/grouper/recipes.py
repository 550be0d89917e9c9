"""What a case must have to reach a group: every rule as alternatives of plain requirements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice, product
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import FIRST_CODE
from drgcore.grouper.intervals import NUMBER_RANGES
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.grouper.lowering import each_met, fitting_counts, is_complication, normalise
from drgcore.grouper.plain import COMPARISONS
from drgcore.schemes.rules import (
    DIAGNOSIS_FIELDS,
    FRACTIONAL,
    LOCAL_VARIABLES,
    VARIABLES,
    And,
    Atom,
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

MAX_ALTERNATIVES = 512
"""Alternatives of one rule that are looked at; the official rules have at most 72."""

Numbers: TypeAlias = NDArray[Any]  # of int64, or float64 for a share

_Signed = tuple[Atom, bool]


@dataclass(frozen=True)
class Recipe:
    """One way to fulfil the rules of an MDC, an ADRG and a DRG.

    Attributes
    ----------
    principal_diagnoses, principal_procedures : ndarray of int32
        Code ids of which the case has one. For procedures, empty stands for none.
    any_diagnosis : bool
        The rules ask for no principal diagnosis; `principal_diagnoses` holds every known code.
    other_diagnoses, other_procedures : tuple of ndarray of int32
        From each array the case has one code.
    complication : str or None
        The case has a complication of this type that counts.
    numbers : dict of str to ndarray of int64 or float64
        Variable of the rule language → samples of the values that fit (one an interval). Of a
        local variable that the scheme asks for, also -1 where its being missing fits.
    departments : ndarray of int32
        Ids of departments that fit, one a class; `MISSING` where having none of them fits.
    literals : tuple of (atom, bool)
        The conditions themselves, each with the truth that it must have.
    """

    principal_diagnoses: NDArray[np.int32]
    principal_procedures: NDArray[np.int32]
    any_diagnosis: bool
    other_diagnoses: tuple[NDArray[np.int32], ...]
    other_procedures: tuple[NDArray[np.int32], ...]
    complication: str | None
    numbers: dict[str, Numbers]
    departments: NDArray[np.int32]
    literals: tuple[_Signed, ...]


def recipes_for(tables: GrouperTables, drg: int) -> Iterator[Recipe]:
    """The ways to fulfil the rules of a DRG (by index), whatever is tried before it."""
    for literals in islice(_alternatives(_whole_rule(tables, drg), True), MAX_ALTERNATIVES):
        recipe = _recipe(tables, literals)
        if recipe is not None:
            yield recipe


def all_recipes(tables: GrouperTables, drg: int) -> bool:
    """Whether `recipes_for` looks at every way to fulfil the rules of a DRG."""
    rest = islice(_alternatives(_whole_rule(tables, drg), True), MAX_ALTERNATIVES, None)
    return next(rest, None) is None


def _whole_rule(tables: GrouperTables, drg: int) -> Rule:
    scheme = tables.scheme
    group = scheme.drgs[drg]
    parents = scheme.group(group.mdc), scheme.group(group.adrg)
    return normalise(conjunction(*(p.rule for p in parents), group.rule))


def _alternatives(rule: Rule, sign: bool) -> Iterator[tuple[_Signed, ...]]:
    """The rule as a disjunction of conjunctions of signed atoms."""
    if isinstance(rule, Not):
        yield from _alternatives(rule.part, not sign)
    elif isinstance(rule, And | Or) and isinstance(rule, Or) == sign:
        for part in rule.parts:
            yield from _alternatives(part, sign)
    elif isinstance(rule, And | Or):
        # One more than are looked at, so that more than those are still seen to be too many.
        parts = [tuple(islice(_alternatives(p, sign), MAX_ALTERNATIVES + 1)) for p in rule.parts]
        for terms in product(*parts):
            yield tuple(dict.fromkeys(literal for term in terms for literal in term))
    elif isinstance(rule, Literal):
        if rule.value == sign:
            yield ()
    elif isinstance(rule, SetsMet):
        for way in _ways_to_meet(rule, sign):
            yield from _alternatives(way, True)
    else:
        yield ((rule, sign),)


def _ways_to_meet(rule: SetsMet, sign: bool) -> Iterator[Rule]:
    """A `count()` written out: which sets are met and which are not.

    Numbers that lie side by side need only the sets that must be met for the lowest and those that
    must not for the highest.
    """
    met = each_met(rule)
    fits = np.concatenate([[False], fitting_counts(rule) == sign, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(fits)).tolist()
    for low, end in zip(edges[::2], edges[1::2], strict=True):
        for chosen in combinations(range(len(met)), low):
            rest = [i for i in range(len(met)) if i not in chosen]
            for unmet in combinations(rest, len(met) - end + 1):
                yield And((*(met[i] for i in chosen), *(Not(met[i]) for i in unmet)))


def _recipe(tables: GrouperTables, literals: Sequence[_Signed]) -> Recipe | None:
    """The requirements of one conjunction; None where it contradicts itself."""
    fits = np.ones(len(tables.diagnoses), dtype=bool)
    fits[:FIRST_CODE] = False
    procedure: NDArray[np.int32] | None = None
    excluded_procedures: list[NDArray[np.int32]] = []
    departments = np.unique(tables.classes["CYKB"], return_index=True)[1].astype(np.int32)
    others: list[NDArray[np.int32]] = []
    other_procedures: list[NDArray[np.int32]] = []
    wanted: list[str] = []
    any_diagnosis = True
    compared: list[tuple[Compare, bool]] = []
    for atom, sign in literals:
        if isinstance(atom, Compare):
            compared.append((atom, sign))
        elif isinstance(atom, Count):
            # Enough codes of the set among the other procedures or diagnoses; the smallest
            # number that fulfils the comparison.
            ids = set_ids_of(tables, (atom.set_id,), atom.fields[-1])
            for needed in range(len(ids) + 1):
                if COMPARISONS[atom.operator](needed, atom.number) == sign:
                    target = others if atom.fields[-1] in DIAGNOSIS_FIELDS else other_procedures
                    target.extend(ids[i : i + 1] for i in range(needed))
                    break
        elif isinstance(atom, Member):
            field = atom.fields[0]
            if is_complication(atom):
                if sign:
                    wanted.append(atom.sets[0])
                continue
            ids = set_ids_of(tables, atom.sets, field)
            if field == "ZYZD":
                any_diagnosis = any_diagnosis and not sign
                member = np.zeros(len(fits), dtype=bool)
                member[ids] = True
                fits &= member if sign else ~member
            elif field == "ZYSS" and sign:
                procedure = ids if procedure is None else np.intersect1d(procedure, ids)
            elif field == "ZYSS":
                excluded_procedures.append(ids)
            elif field == "CYKB":
                departments = departments[np.isin(departments, ids) == sign]
            elif sign:
                (others if field == "QTZD" else other_procedures).append(ids)
    principal = np.flatnonzero(fits)
    numbers = _numbers(tables, compared)
    if procedure is not None:
        for ids in excluded_procedures:
            procedure = np.setdiff1d(procedure, ids)
    impossible = (
        not len(principal)
        or (procedure is not None and not len(procedure))
        or any(not len(ids) for ids in (*others, *other_procedures))
        or numbers is None
        or not len(departments)
    )
    if impossible or numbers is None:
        return None
    return Recipe(
        principal.astype(np.int32),
        np.empty(0, np.int32) if procedure is None else procedure.astype(np.int32),
        any_diagnosis,
        tuple(others),
        tuple(other_procedures),
        "MCC" if "MCC" in wanted else (wanted[0] if wanted else None),
        numbers,
        departments,
        tuple(literals),
    )


def _numbers(
    tables: GrouperTables, compared: Sequence[tuple[Compare, bool]]
) -> dict[str, Numbers] | None:
    """Values that fulfil all comparisons, for each number that is compared; None if there is none.

    A comparison may also be false because the number is missing. Sex and age in years never are
    where a rule asks for them; a number that is left out of the result may be missing. A local
    variable is never left out where the scheme asks for it: what other groups ask of it decides
    whether a case gets as far as this one.
    """
    found: dict[str, Numbers] = {}
    for variable in VARIABLES:
        of_variable = [(a, s) for a, s in compared if a.variable == variable]
        if not of_variable:
            continue
        candidates = number_samples(tables, variable)
        fits = [
            v
            for v in candidates
            if all(COMPARISONS[a.operator](v, a.number) == s for a, s in of_variable)
        ]
        if not fits and (variable in ("XB", "NL") or any(sign for _, sign in of_variable)):
            return None
        if not fits:
            # What no age in days or weight fulfils, a patient without one does.
            continue
        found[variable] = np.array(fits, dtype=np.int64)
    for variable in (v for v in LOCAL_VARIABLES if v in tables.scheme.local_columns):
        of_variable = [(a, s) for a, s in compared if a.variable == variable]
        fits = [
            v
            for v in [*number_samples(tables, variable), -1]
            if all((v >= 0 and COMPARISONS[a.operator](v, a.number)) == s for a, s in of_variable)
        ]
        if not fits:
            return None
        kind: type[np.generic] = np.float64 if variable in FRACTIONAL else np.int64
        found[variable] = np.array(fits, dtype=kind)
    return found


def number_samples(tables: GrouperTables, variable: str) -> list[float]:
    """One valid value in each interval that the scheme's rules tell apart."""
    return [NUMBER_RANGES[variable][0], *tables.cuts[variable].tolist()]


@lru_cache(maxsize=4096)
def set_ids_of(tables: GrouperTables, sets: tuple[str, ...], field: str) -> NDArray[np.int32]:
    """The code ids of a union of sets, sorted."""
    if field == "CYKB":
        index = tables.departments
    else:
        index = tables.diagnoses if field in DIAGNOSIS_FIELDS else tables.procedures
    codes = sorted(frozenset().union(*(tables.scheme.sets.get(s, frozenset()) for s in sets)))
    ids = index.encode(pa.array(codes, pa.string()))
    return np.unique(ids[ids >= FIRST_CODE])
