"""Why a rule holds of some cases in one scheme and its pair in the other scheme does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import FIRST_CODE
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.migration.conditions import Bools, Cases, Indices
from drgcore.migration.reasons import NUMBER_OF, Causes, Names, ReasonKind
from drgcore.schemes.rules import (
    COMPLICATIONS,
    DIAGNOSIS_FIELDS,
    LOCAL_FIELDS,
    And,
    Atom,
    CodeAtom,
    Compare,
    Count,
    Member,
    Not,
    Or,
    Rule,
    SetsMet,
    atoms,
    set_ids,
)


@dataclass(frozen=True)
class CodeNumbers:
    """The number of each code id of a scheme among the codes of both."""

    diagnoses: Indices
    procedures: Indices
    departments: Indices

    def of(self, field: str) -> Indices:
        """Numbers by the ids of a field of the rule language."""
        if field in LOCAL_FIELDS:
            return self.departments
        return self.diagnoses if field in DIAGNOSIS_FIELDS else self.procedures


def number_codes(*schemes: GrouperTables) -> tuple[pa.Array, list[CodeNumbers]]:
    """Number the codes of several schemes: one number for one text.

    Returns
    -------
    tuple of pyarrow.Array and list of CodeNumbers
        The texts by number, and the numbers of each scheme's code ids.

    Examples
    --------
    >>> from drgcore.grouper.tables import compile_tables
    >>> from drgcore.schemes import load_scheme
    >>> names = ("chs-drg-1.1", "chs-drg-3.0")
    >>> tables = [compile_tables(load_scheme(name)) for name in names]
    >>> codes, numbers = number_codes(*tables)
    >>> ids = [t.diagnoses.lookup("I21.000") for t in tables]
    >>> {codes[n.diagnoses[i]].as_py() for n, i in zip(numbers, ids, strict=True)}
    {'I21.000'}
    """
    indices = [(t.diagnoses, t.procedures, t.departments) for t in schemes]
    lists = [index.codes for of_scheme in indices for index in of_scheme]
    encoded = pa.concat_arrays(lists).dictionary_encode()
    ends = np.cumsum([len(codes) for codes in lists])[:-1]
    pieces = np.split(encoded.indices.to_numpy().astype(np.int64), ends)
    # The ids below the first code stand for no code; they are in no set.
    ids = [np.concatenate([np.zeros(FIRST_CODE, np.int64), piece]) for piece in pieces]
    return encoded.dictionary, [CodeNumbers(*ids[i : i + 3]) for i in range(0, len(ids), 3)]


@dataclass(frozen=True)
class Ruled:
    """Some cases as one scheme sees them, and the rule of a group of that scheme.

    Attributes
    ----------
    cases : Cases
    numbers : CodeNumbers
    rule : Rule
    owner : str
        The group by whose code sets are named: an MDC or ADRG.
    earlier : bool
        Whether this is the scheme before.
    """

    cases: Cases
    numbers: CodeNumbers
    rule: Rule
    owner: str
    earlier: bool

    def take(self, rows: Indices) -> Ruled:
        """The same of some of the cases."""
        return replace(self, cases=self.cases.take(rows))


def find_difference(
    causes: Causes,
    names: Names,
    rows: Indices,
    holding: Ruled,
    failing: Ruled,
    level: str,
    group: str,
) -> None:
    """Find what makes a rule hold of cases on one side and its pair fail on the other.

    The holding rule is read once more with the sets and complications of the failing side. Where it
    still holds there, the text of the rule is what changed. Where it does not, some code of the
    case is in a set, or counts as a complication, on one side only: the first condition is named
    that alone would make the rule hold, or, where several had to change, the first that changed.

    Parameters
    ----------
    causes : Causes
        Where the causes are put.
    names : Names
        Numbers of the sets.
    rows : ndarray of int
        Places of the cases in `causes`.
    holding, failing : Ruled
        The cases on both sides.
    level, group : str
        Level and group that are put with the causes.

    Examples
    --------
    >>> import drgcore
    >>> moved = drgcore.migrate([{
    ...     "principal_diagnosis": "J18.900", "other_diagnoses": [], "sex": 1, "age_years": 60,
    ...     "principal_procedure": "96.7201", "other_procedures": [], "age_days": None}])
    >>> moved.causes.loc[0, ["kind", "group", "set_id", "codes"]].tolist()
    ['code_left_set', 'AH1', 'OP_AH1', '96.7201']
    """
    carried = _carried(holding, failing)
    if carried is None:
        causes.put(rows, _text_kind(holding.rule, failing.rule), level, group)
        return
    here, there = list(atoms(holding.rule)), list(atoms(carried))
    truth = [holding.cases.truth(atom) for atom in here]
    other = [failing.cases.truth(atom) for atom in there]
    kept = _evaluate(failing.cases, carried, other)
    if kept.any():
        causes.put(rows[kept], _text_kind(carried, failing.rule), level, group)
    chosen = np.full(len(rows), -1)
    changed = [a != b for a, b in zip(truth, other, strict=True)]
    for decisive in (True, False):
        for i, differs in enumerate(changed):
            open_rows = differs & ~kept & (chosen < 0)
            if decisive and open_rows.any():
                flipped = [*other[:i], truth[i], *other[i + 1 :]]
                open_rows &= _evaluate(failing.cases, carried, flipped)
            chosen[open_rows] = i
    for i in np.unique(chosen[chosen >= 0]).tolist():
        part = np.flatnonzero(chosen == i)
        name_codes(
            causes,
            names,
            rows[part],
            (holding.take(part), here[i]),
            (failing.take(part), there[i]),
            level,
            group,
        )


def _carried(holding: Ruled, failing: Ruled) -> Rule | None:
    """The holding rule with its sets by their names in the other scheme; None where they have none.

    Sets are named after their group, so those of a group with another code are named by that code.
    """
    known = set_ids(failing.rule) | failing.cases.codes.scheme.sets.keys()
    here = holding.cases.codes.scheme.sets
    names: dict[str, str] = {}
    for name in set_ids(holding.rule):
        names[name] = name.replace(holding.owner, failing.owner)
        # A set that has no row on either side is the same on both.
        if names[name] not in known and (names[name] != name or name in here):
            return None
    return _with_sets(holding.rule, names)


def _with_sets(rule: Rule, names: Mapping[str, str]) -> Rule:
    """The rule with other names of its sets."""
    if isinstance(rule, And | Or):
        return type(rule)(tuple(_with_sets(p, names) for p in rule.parts))
    if isinstance(rule, Not):
        return Not(_with_sets(rule.part, names))
    if isinstance(rule, Member | SetsMet):
        return replace(rule, sets=tuple(names.get(s, s) for s in rule.sets))
    return replace(rule, set_id=names[rule.set_id]) if isinstance(rule, Count) else rule


def _evaluate(cases: Cases, rule: Rule, truth: Sequence[Bools]) -> Bools:
    """Evaluate a rule on the truth of its conditions from left to right."""
    following = iter(truth)
    return cases.holds(rule, lambda _: next(following))


def _text_kind(one: Rule, other: Rule) -> ReasonKind:
    """Whether two rules differ in their limits of age and weight only."""
    limits, rest = (
        [Counter(a for a in atoms(r) if _is_limit(a) is limit) for r in (one, other)]
        for limit in (True, False)
    )
    only_limits = limits[0] != limits[1] and rest[0] == rest[1]
    return ReasonKind.LIMIT_CHANGED if only_limits else ReasonKind.RULE_CHANGED


def _is_limit(atom: Atom) -> bool:
    return isinstance(atom, Compare) and atom.variable != "XB"


def name_codes(
    causes: Causes,
    names: Names,
    rows: Indices,
    one: tuple[Ruled, Atom],
    other: tuple[Ruled, Atom],
    level: str,
    group: str,
) -> None:
    """Put the codes because of which a condition is true on one side only.

    Parameters
    ----------
    causes, names, rows, level, group
        As for `find_difference`.
    one, other : tuple of Ruled and Atom
        The cases on both sides, each with its condition, which asks for codes.

    Examples
    --------
    >>> import drgcore
    >>> moved = drgcore.migrate([{
    ...     "principal_diagnosis": "D09.104", "other_diagnoses": ["T23.600x002"], "sex": 1,
    ...     "principal_procedure": None, "other_procedures": [], "age_years": 60,
    ...     "age_days": None}])
    >>> moved.causes.loc[0, ["kind", "then_kind", "then_group", "then_codes"]].tolist()
    ['subdivision_changed', 'complication_dropped', 'LT13', 'T23.600x002']
    """
    sides = [_Hits.of(ruled.cases, atom, names) for ruled, atom in (one, other)]
    # The side on which more is found has the codes that make the difference.
    more = _found(*one) > _found(*other)
    left = more == one[0].earlier
    plain_kind = np.where(
        left, NUMBER_OF[ReasonKind.CODE_LEFT_SET], NUMBER_OF[ReasonKind.CODE_ENTERED_SET]
    ).astype(np.int8)
    # A case whose texts one scheme reads as fewer codes may have no code that is on one side only.
    causes.put(rows, plain_kind, level, group, np.full(len(rows), sides[0].first_set))
    by_row = sides[0].rows
    on_one = more[by_row]
    places = np.flatnonzero(
        np.where(on_one, sides[0].hit & ~sides[1].hit, sides[1].hit & ~sides[0].hit)
    )
    order = np.argsort(by_row[places], kind="stable")
    places = places[order]
    at, on_one = by_row[places], on_one[places]
    set_number = np.where(on_one, sides[0].set[places], sides[1].set[places])
    kind = plain_kind[at]
    if not set(COMPLICATIONS).isdisjoint(sides[0].sets):
        pair = one[0].cases, other[0].cases
        for side, (found, lacking) in ((True, pair), (False, pair[::-1])):
            here = on_one == side
            here &= (sides[0] if side else sides[1]).complication[places]
            _complications(found, lacking, names, places, here, left[at], kind, set_number)
    # Codes of one kind and set are named together: those of the first, of several.
    starts = np.unique(at, return_index=True)[1]
    first = np.repeat(starts, np.diff([*starts, len(at)]))
    named = (kind == kind[first]) & (set_number == set_number[first])
    causes.put(rows[at[starts]], kind[starts], level, group, set_number[starts])
    numbers = np.where(
        on_one,
        sides[0].code_numbers(one[0].numbers)[places],
        sides[1].code_numbers(other[0].numbers)[places],
    )
    causes.put_codes(rows[at[named]], numbers[named])


def _found(ruled: Ruled, atom: Atom) -> NDArray[np.int32]:
    """How much of a condition each case has: what a count counts, else whether any code."""
    if isinstance(atom, Count):
        return ruled.cases.count(atom)
    if isinstance(atom, SetsMet):
        return ruled.cases.sets_met(atom)
    assert isinstance(atom, Member)
    return ruled.cases.truth(replace(atom, negated=False)).astype(np.int32)


@dataclass(frozen=True)
class _Hits:
    """Every code of the fields of a condition, one after the other, and whether it is in its sets.

    Of a `count()` of sets every code stands once for each set.

    Attributes
    ----------
    sets : tuple of str
    first_set : int
        Number of the first set.
    fields : tuple of (str, ndarray of int)
        Each field with its code ids.
    rows : ndarray of int
        Of each code, as are the next three.
    hit : ndarray of bool
    set : ndarray of int
        Number of the first set that has the code.
    complication : ndarray of bool
        Whether that is MCC or CC.
    """

    sets: tuple[str, ...]
    first_set: int
    fields: tuple[tuple[str, NDArray[np.int32]], ...]
    rows: Indices
    hit: Bools
    set: NDArray[np.int32]
    complication: Bools

    @classmethod
    def of(cls, cases: Cases, atom: Atom, names: Names) -> _Hits:
        """The codes of a condition that asks for codes."""
        assert isinstance(atom, CodeAtom)
        sets = atom.sets
        asked = [(s,) for s in sets] if isinstance(atom, SetsMet) else [sets]
        parts = [(f, some) for some in asked for f in dict.fromkeys(atom.fields)]
        fields = tuple((f, *cases.positions(f)) for f, _ in parts)
        size = sum(len(ids) for _, _, ids in fields)
        hit, complication = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        number = np.zeros(size, np.int32)
        nothing = {f: np.zeros(len(ids), np.bool_) for f, _, ids in fields}
        for set_id in reversed(sets):
            within = np.concatenate(
                [cases.hits(set_id, f) if set_id in some else nothing[f] for f, some in parts]
            )
            hit |= within
            number[within] = names.number(set_id)
            complication[within] = set_id in COMPLICATIONS
        rows = np.concatenate([rows for _, rows, _ in fields])
        return cls(
            sets,
            names.number(sets[0]),
            tuple((f, ids) for f, _, ids in fields),
            rows,
            hit,
            number,
            complication,
        )

    def code_numbers(self, numbers: CodeNumbers) -> Indices:
        """The numbers of the codes."""
        return np.concatenate([numbers.of(field)[ids] for field, ids in self.fields])


def _complications(
    found: Cases,
    lacking: Cases,
    names: Names,
    places: Indices,
    here: Bools,
    left: Bools,
    kind: NDArray[np.int8],
    set_number: NDArray[np.int32],
) -> None:
    """Write why diagnoses count as a complication for `found` and do not for `lacking`.

    `places` are places among the other diagnoses; `here` which of them to write; `left` whether
    `found` is the scheme before; `kind` and `set_number` are written to.
    """
    severe = found.listed()[places] == 1
    listed = lacking.listed()[places] > 0
    counted = lacking.counted()[places]
    by_state = (
        (~listed, ReasonKind.COMPLICATION_DROPPED, ReasonKind.COMPLICATION_ADDED),
        (listed & ~counted, ReasonKind.COMPLICATION_EXCLUDED, ReasonKind.COMPLICATION_COUNTED),
        (counted & severe, ReasonKind.COMPLICATION_LOWERED, ReasonKind.COMPLICATION_RAISED),
        (counted & ~severe, ReasonKind.COMPLICATION_RAISED, ReasonKind.COMPLICATION_LOWERED),
    )
    for state, gone, come in by_state:
        kind[here & state & left] = NUMBER_OF[gone]
        kind[here & state & ~left] = NUMBER_OF[come]
    tables = np.array([names.number(t) for t in lacking.codes.exclusion_tables], np.int32)
    excluded = here & listed & ~counted
    _, ids = lacking.positions("QTZD")
    set_number[excluded] = tables[lacking.codes.exclusion_of[ids[places[excluded]]]]
