"""Which groups can be reached: a case for each, or the proof that no case can."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from drgcore.cases import FIRST_CODE, MISSING, CaseArrays, CodeIndex
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.grouper.lowering import each_met, fitting_counts, normalise
from drgcore.grouper.plain import Facts, PlainCase
from drgcore.grouper.recipes import Recipe, all_recipes, recipes_for
from drgcore.grouper.result import GroupedRows
from drgcore.grouper.tables import compile_tables
from drgcore.language import _
from drgcore.schemes.model import Scheme
from drgcore.schemes.rules import (
    FRACTIONAL,
    LOCAL_VARIABLES,
    And,
    Atom,
    Literal,
    Member,
    Not,
    Or,
    Rule,
    SetsMet,
    conjunction,
)

_MAX_COMBINATIONS = 4096
_FIRST_TRY, _SECOND_TRY = 24, 4000
_ADULT, _INFANT_DAYS, _NEWBORN_WEIGHT = 40, 200, 3200


@dataclass(frozen=True)
class Coverage:
    """What can be reached in a scheme.

    Attributes
    ----------
    witnesses : dict of str to PlainCase
        DRG → a case that is grouped to it.
    unreachable : dict of str to str
        DRG → why no case can reach it.
    open : tuple of str
        DRG for which neither a case nor a proof was found.
    """

    witnesses: dict[str, PlainCase]
    unreachable: dict[str, str]
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A case made for a recipe, in code ids."""

    principal_diagnosis: int
    other_diagnoses: tuple[int, ...]
    principal_procedure: int
    other_procedures: tuple[int, ...]
    sex: int
    age_years: int
    age_days: int
    newborn_weight_g: int
    length_of_stay: int = -1
    leaving_way: int = -1
    icu_hours: int = -1
    tcm_share: float = -1
    birth_weight_g: int = -1
    day_surgery: int = -1
    several_sites: int = -1
    new_technique: int = -1
    intensive_care: int = -1
    department: int = MISSING


Context: TypeAlias = tuple[Any, ...]
"""The numbers of a `Draft`, from sex on, and its department; -1 for a missing number, `MISSING`
for no department."""


def cover(scheme: Scheme) -> Coverage:
    """Construct a case for every DRG of a scheme, or prove that there is none.

    Parameters
    ----------
    scheme : Scheme

    Returns
    -------
    Coverage

    Examples
    --------
    >>> import drgcore
    >>> coverage = cover(drgcore.load_scheme("chs-drg-3.0"))
    >>> coverage.open
    ()
    """
    tables = compile_tables(scheme)
    recipes = {i: tuple(recipes_for(tables, i)) for i in range(len(tables.drg_codes))}
    witnesses: dict[int, Draft] = {}
    for limit in (_FIRST_TRY, _SECOND_TRY):
        targets = [i for i in recipes if i not in witnesses]
        drafts = [(i, d) for i in targets for r in recipes[i] for d in drafts_of(tables, r, limit)]
        reached = group_drafts(tables, [d for _, d in drafts])
        for (target, draft), drg in zip(drafts, reached.drg.tolist(), strict=True):
            if drg == target:
                witnesses.setdefault(target, draft)
    prover = _Prover(tables)
    proofs = {
        i: prover.proof(i, recipes[i]) if all_recipes(tables, i) else ""
        for i in recipes
        if i not in witnesses
    }
    codes = tables.drg_codes
    return Coverage(
        {codes[i]: plain_case(tables, d) for i, d in sorted(witnesses.items())},
        {codes[i]: why for i, why in proofs.items() if why},
        tuple(codes[i] for i, why in proofs.items() if not why),
    )


def drafts_of(tables: GrouperTables, recipe: Recipe, limit: int) -> Iterator[Draft]:
    """Up to `limit` cases that fulfil a recipe, spread over the classes of codes."""
    classes = tables.classes
    diagnoses = _one_a_class(recipe.principal_diagnoses, classes["ZYZD"], classes["exclusion"])
    procedures = _one_a_class(recipe.principal_procedures, classes["ZYSS"])
    others = [_one_a_class(ids, classes["QTZD"]) for ids in recipe.other_diagnoses]
    added = [_one_a_class(i, classes["QTSS"]) for i in recipe.other_procedures]
    complications = _complications(tables, recipe.complication)
    contexts = list(contexts_of(recipe))
    # A stride through the product spreads a small number of tries over all its dimensions.
    sizes = [
        len(diagnoses),
        max(1, len(procedures)),
        *(len(o) for o in others),
        *(len(a) for a in added),
        len(complications),
        len(contexts),
    ]
    total = int(np.prod(sizes, dtype=np.float64))
    for step in range(min(limit, total)):
        at = step * total // min(limit, total)
        picks = []
        for size in sizes:
            at, pick = divmod(at, size)
            picks.append((pick + step) % size if total > limit else pick)
        n = len(others)
        chosen = [int(o[p]) for o, p in zip(others, picks[2:], strict=False)]
        chosen += complications[picks[-2]]
        yield Draft(
            int(diagnoses[picks[0]]),
            tuple(chosen),
            int(procedures[picks[1]]) if len(procedures) else 0,
            tuple(int(a[p]) for a, p in zip(added, picks[2 + n :], strict=False)),
            *contexts[picks[-1]],
        )


def draft_of(
    recipe: Recipe,
    context: Context,
    choose: Callable[[NDArray[np.int32]], int],
    complications: NDArray[np.int32] | None,
) -> Draft:
    """A case that fulfils a recipe, every code chosen by `choose`."""
    others = [choose(ids) for ids in recipe.other_diagnoses]
    if complications is not None:
        others.append(choose(complications))
    procedures = recipe.principal_procedures
    return Draft(
        choose(recipe.principal_diagnoses),
        tuple(others),
        choose(procedures) if len(procedures) else 0,
        tuple(choose(ids) for ids in recipe.other_procedures),
        *context,
    )


def contexts_of(recipe: Recipe) -> Iterator[Context]:
    """Sex, ages and newborn's weight that fit a recipe, and the values of the local variables."""
    numbers = recipe.numbers
    missing = np.array([-1])
    local = _combined(
        [
            *(numbers.get(variable, missing).tolist() for variable in LOCAL_VARIABLES),
            recipe.departments.tolist(),
        ]
    )
    days_asked = numbers.get("XSRTL")
    ages: Iterable[int] = numbers.get("NL", np.array([0 if days_asked is not None else _ADULT]))
    for sex, age in product(numbers.get("XB", np.array([1, 2])), ages):
        if age > 0:
            yield from ((int(sex), int(age), -1, -1, *others) for others in local)
            continue
        all_days = days_asked if days_asked is not None else np.array([_INFANT_DAYS])
        weights = numbers.get("XSRTZ", np.array([_NEWBORN_WEIGHT]))
        for days, weight in product(all_days, weights):
            own = int(sex), int(age), int(days), int(weight)
            yield from ((*own, *others) for others in local)


def _combined(choices: list[list[Any]]) -> list[tuple[Any, ...]]:
    """All combinations of one of each, or of too many a random part that is always the same."""
    if math.prod(map(len, choices)) <= _MAX_COMBINATIONS:
        return list(product(*choices))
    draw = random.Random(0)
    return [tuple(map(draw.choice, choices)) for _ in range(_MAX_COMBINATIONS)]


def _one_a_class(ids: NDArray[np.int32], *classes: NDArray[np.int32]) -> NDArray[np.int32]:
    """The first of the ids in each class, or in each combination of classes."""
    if not len(ids):
        return ids
    keys = np.zeros(len(ids), dtype=np.int64)
    for of_code in classes:
        keys = keys * (int(of_code.max()) + 1) + of_code[ids]
    _, first = np.unique(keys, return_index=True)
    return ids[np.sort(first)]


def _complications(tables: GrouperTables, kind: str | None) -> list[list[int]]:
    """Choices of other diagnoses that bring a complication of that type."""
    if kind is None:
        return [[]]
    wanted = 2 if kind == "MCC" else 1
    ids = np.flatnonzero(tables.complication & 3 == wanted).astype(np.int32)
    return [[int(i)] for i in _one_a_class(ids, tables.complication)] or [[]]


def group_drafts(tables: GrouperTables, drafts: list[Draft]) -> GroupedRows:
    """Group drafts with the kernel."""
    from drgcore.grouper.kernel import group_rows

    def column(name: str, kind: type[np.generic] = np.int32) -> NDArray[Any]:
        return np.array([getattr(d, name) for d in drafts], dtype=kind)

    def lists(name: str) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        values = [getattr(d, name) for d in drafts]
        offsets = np.concatenate([[0], np.cumsum([len(v) for v in values])]).astype(np.int64)
        return offsets, np.array([c for v in values for c in v], dtype=np.int32)

    rows = GroupedRows.empty(len(drafts))
    cases = CaseArrays(
        column("principal_diagnosis"),
        *lists("other_diagnoses"),
        column("principal_procedure"),
        *lists("other_procedures"),
        column("sex").astype(np.int8),
        column("age_years"),
        column("age_days"),
        column("newborn_weight_g"),
        {
            name: column(name, np.float64 if variable in FRACTIONAL else np.int32)
            for variable, name in tables.scheme.local_columns.items()
        },
    )
    group_rows(*tables.kernel, tables.inputs(cases), 0, len(drafts), rows.arrays())
    return rows


def plain_case(tables: GrouperTables, draft: Draft) -> PlainCase:
    """A draft with its codes as text."""

    def codes(index: CodeIndex, ids: Iterable[int]) -> tuple[str, ...]:
        return tuple(index.codes[i - FIRST_CODE].as_py() for i in ids if i >= FIRST_CODE)

    def number(name: str) -> Any:
        value = getattr(draft, name)
        return value if value >= 0 else None

    diagnoses, procedures = tables.diagnoses, tables.procedures
    return PlainCase(
        codes(diagnoses, [draft.principal_diagnosis])[0],
        codes(diagnoses, draft.other_diagnoses),
        next(iter(codes(procedures, [draft.principal_procedure])), None),
        codes(procedures, draft.other_procedures),
        draft.sex,
        draft.age_years,
        number("age_days"),
        number("newborn_weight_g"),
        **{name: number(name) for name in LOCAL_VARIABLES.values()},
        department=next(iter(codes(tables.departments, [draft.department])), None),
    )


class _Prover:
    """Proves that each way to fulfil a DRG's rules fulfils a rule that is tried earlier."""

    def __init__(self, tables: GrouperTables) -> None:
        self._tables = tables
        scheme = tables.scheme
        mdc_rules = {m.code: m.rule for m in scheme.mdcs}
        self._adrg_rules = [
            (a.code, normalise(conjunction(mdc_rules[a.mdc], a.rule))) for a in scheme.adrgs
        ]

    def proof(self, drg: int, recipes: tuple[Recipe, ...]) -> str:
        """Why no case reaches a DRG; '' where that is not proven."""
        if not recipes:
            return _("its rules contradict each other, or name a set without codes")
        earlier = self._earlier_rules(drg)
        blockers: set[str] = set()
        for recipe in recipes:
            for diagnosis in _one_a_class(
                recipe.principal_diagnoses, self._tables.classes["ZYZD"]
            ).tolist():
                # What the diagnosis alone decides needs no look at two thousand procedures.
                for procedure in (None, *self._procedures(recipe)):
                    known = self._known(recipe, diagnosis, procedure)
                    if any(known(atom) is (not sign) for atom, sign in recipe.literals):
                        continue
                    blocker = next((c for c, r in earlier if _certain(r, known)), None)
                    if blocker is not None:
                        blockers.add(blocker)
                    elif procedure is not None:
                        return ""
                    if procedure is None and blocker is not None:
                        break
        return _("an earlier rule always holds: {rules}", rules=", ".join(sorted(blockers)))

    def _earlier_rules(self, drg: int) -> list[tuple[str, Rule]]:
        scheme = self._tables.scheme
        target = scheme.drgs[drg]
        codes = [code for code, _ in self._adrg_rules]
        siblings = scheme.drgs_of(target.adrg)
        rules = [(d.code, normalise(d.rule)) for d in siblings[: siblings.index(target)]]
        # Siblings first: a rule before it in its own ADRG is the plainer reason.
        return rules + self._adrg_rules[: codes.index(target.adrg)]

    def _procedures(self, recipe: Recipe) -> list[int]:
        """A principal procedure of each class that the recipe admits; 0 for none."""
        classes = self._tables.classes["ZYSS"]
        if len(recipe.principal_procedures):
            return _one_a_class(recipe.principal_procedures, classes).tolist()
        every = np.arange(FIRST_CODE, len(self._tables.procedures), dtype=np.int32)
        return [0, *_one_a_class(every, classes).tolist()]

    def _known(
        self, recipe: Recipe, diagnosis: int, procedure: int | None
    ) -> Callable[[Atom], bool | None]:
        """What the principal codes and the recipe's own conditions let one know of an atom."""
        draft = Draft(diagnosis, (), procedure or 0, (), 1, 0, -1, -1)
        facts = Facts(self._tables.scheme, plain_case(self._tables, draft))
        required = dict(recipe.literals)

        def known(atom: Atom) -> bool | None:
            if isinstance(atom, Literal):
                return atom.value
            if isinstance(atom, Member) and (
                atom.fields == ("ZYZD",) or (atom.fields == ("ZYSS",) and procedure is not None)
            ):
                return facts.trace(atom).holds
            return required.get(atom)

        return known


def _certain(rule: Rule, known: Callable[[Atom], bool | None], sign: bool = True) -> bool:
    """Whether what is known makes a normalised rule true (or false, with `sign` false)."""
    if isinstance(rule, Not):
        return _certain(rule.part, known, not sign)
    if isinstance(rule, And | Or):
        join = all if isinstance(rule, And) == sign else any
        return join(_certain(p, known, sign) for p in rule.parts)
    if isinstance(rule, SetsMet):
        met = each_met(rule)
        least = sum(_certain(m, known) for m in met)
        most = len(met) - sum(_certain(m, known, False) for m in met)
        return bool((fitting_counts(rule)[least : most + 1] == sign).all())
    return known(rule) is sign
