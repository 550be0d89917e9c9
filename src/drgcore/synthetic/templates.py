"""Cases known to fall into each group of a scheme, to be varied where that changes no group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import FIRST_CODE
from drgcore.grouper.coverage import Draft, contexts_of, draft_of, drafts_of, group_drafts
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.grouper.recipes import Numbers, Recipe, recipes_for
from drgcore.grouper.tables import compile_tables
from drgcore.schemes.model import GroupKind, Scheme
from drgcore.schemes.rules import FRACTIONAL, LOCAL_VARIABLES, YES_NO
from drgcore.synthetic.plausible import cases_of, faults_of, harmless

_DRAFTS_PER_GROUP = 60
_KEPT_PER_GROUP = 40
_ADULT, _MIDDLE_LIFE = 18, 49
# Of what a scheme does not limit itself.
_HIGHEST = {
    "ZYTS": 365,
    "LYFS": 9,
    "ICUSC": 720,
    "ZYZLZB": 1,
    "CSTZ": 4500,
    **dict.fromkeys(YES_NO, 1),
}


@dataclass(frozen=True, eq=False)
class Templates:
    """Templates of all reachable groups, one after the other, as columns of code ids.

    Attributes
    ----------
    tables : GrouperTables
    drg : ndarray of int64
        The DRG index of each template, ascending.
    groups : ndarray of int64
        The DRG indices that have templates; `first` and `count` say where those lie.
    age_top, days_top, weight_top : ndarray of int64
        Each number may be varied from the template's own up to this without changing a comparison.
    local_top : dict of str to ndarray of int64 or float64
        The same for the numbers of `LOCAL_SCHEMA` that the scheme asks for.
    neutral_diagnoses, neutral_procedures : ndarray of int32
        Codes that stand in no set asked of other diagnoses or procedures, are no complication, and
        that the front-page checks let stand in a case of either sex.
    """

    tables: GrouperTables
    drafts: tuple[Draft, ...]
    drg: NDArray[np.int64]
    groups: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    age_top: NDArray[np.int64]
    days_top: NDArray[np.int64]
    weight_top: NDArray[np.int64]
    local_top: dict[str, Numbers]
    neutral_diagnoses: NDArray[np.int32]
    neutral_procedures: NDArray[np.int32]

    def column(self, name: str) -> NDArray[np.int64]:
        """One number of every template."""
        return np.array([getattr(d, name) for d in self.drafts], dtype=np.int64)

    def share(self, name: str) -> NDArray[np.float64]:
        """One number of every template that need not be whole."""
        return np.array([getattr(d, name) for d in self.drafts], dtype=np.float64)

    def lists(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """One code list of every template: lengths, and all codes one after the other."""
        values = [getattr(d, name) for d in self.drafts]
        lengths = np.array([len(v) for v in values], dtype=np.int64)
        return lengths, np.array([c for v in values for c in v], dtype=np.int32)

    def kinds(self) -> list[GroupKind]:
        """Whether each of `groups` is named, ambiguous or a catch-all."""
        scheme = self.tables.scheme
        kind_of = {a.code: a.kind for a in scheme.adrgs}
        return [kind_of[scheme.drgs[g].adrg] for g in self.groups]


@lru_cache(maxsize=8)
def templates_of(scheme: Scheme) -> Templates:
    """Templates for every group of a scheme that a case can reach."""
    tables = compile_tables(scheme)
    rng = np.random.default_rng(0)
    drafts: list[tuple[int, Draft]] = []
    for drg in range(len(tables.drg_codes)):
        recipes = tuple(recipes_for(tables, drg))
        for recipe in recipes:
            share = -(-_DRAFTS_PER_GROUP // len(recipes))
            drafts += [(drg, d) for d in _random_drafts(tables, recipe, share, rng)]
            # One of each class as well: where few classes escape the earlier rules, chance may
            # miss them.
            drafts += [(drg, d) for d in drafts_of(tables, recipe, share)]
    numbers = {c: v for v, c in scheme.local_columns.items() if v in LOCAL_VARIABLES}

    def lacks(draft: Draft) -> bool:
        return any(getattr(draft, column) < 0 for column in numbers)

    # A case without what the scheme asks for stands for a group only where no other one does.
    # So does one that the front-page checks find fault with.
    reached = group_drafts(tables, [d for _, d in drafts])
    fitting = [
        pair for pair, drg in zip(drafts, reached.drg.tolist(), strict=True) if pair[0] == drg
    ]
    faults = faults_of(scheme, cases_of(tables, [d for _, d in fitting])).tolist()
    kept: dict[int, list[Draft]] = {}
    best: dict[int, tuple[bool, int]] = {}
    ranked = [((lacks(pair[1]), fault), pair) for pair, fault in zip(fitting, faults, strict=True)]
    for rank, (drg, draft) in sorted(ranked, key=lambda item: item[0]):
        own = kept.setdefault(drg, [])
        if len(own) < _KEPT_PER_GROUP and rank == best.setdefault(drg, rank):
            own.append(draft)
    groups = np.array(sorted(kept), dtype=np.int64)
    count = np.array([len(kept[g]) for g in groups], dtype=np.int64)
    chosen = tuple(d for g in groups for d in kept[int(g)])
    cases = cases_of(tables, chosen)
    remaining = faults_of(scheme, cases)
    hosts = _hosts(chosen, remaining)
    diagnoses = _neutral(tables.classes["QTZD"], tables.complication == 0)
    procedures = _neutral(tables.classes["QTSS"], tables.classes["QTSS"] >= 0)
    return Templates(
        tables,
        chosen,
        np.repeat(groups, count),
        groups,
        np.concatenate([[0], np.cumsum(count)[:-1]]),
        count,
        _oldest(tables, cases, remaining),
        _tops(tables, "XSRTL", [d.age_days for d in chosen], 364),
        _tops(tables, "XSRTZ", [d.newborn_weight_g for d in chosen], 4500),
        {
            column: _tops(
                tables, variable, [getattr(d, column) for d in chosen], _HIGHEST[variable]
            )
            for column, variable in numbers.items()
        },
        # In random order, because samples draw the first ones more often.
        rng.permutation(diagnoses[harmless(tables, diagnoses, "other_diagnoses", hosts)]),
        rng.permutation(procedures[harmless(tables, procedures, "other_procedures", hosts)]),
    )


def _hosts(drafts: tuple[Draft, ...], faults: NDArray[np.int64]) -> list[Draft]:
    """A man and a woman, grown up and operated on, with as little wrong as there is."""

    def unlike(at: int) -> tuple[bool, bool, int]:
        draft = drafts[at]
        return draft.principal_procedure < FIRST_CODE, draft.age_years < _ADULT, int(faults[at])

    return [
        drafts[min(ats, key=unlike)]
        for sex in (1, 2)
        if (ats := [i for i, d in enumerate(drafts) if d.sex == sex])
    ]


def _oldest(
    tables: GrouperTables, cases: pa.RecordBatch, faults: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The highest age of each case's interval, or one of middle life where the checks ask that."""
    at, own = cases.schema.get_field_index("age_years"), cases["age_years"].to_numpy()
    top = _tops(tables, "NL", own.tolist(), 95)
    aged = cases.set_column(at, "age_years", pa.array(top, cases["age_years"].type))
    wrong = faults_of(tables.scheme, aged) > faults
    return np.where(wrong, np.maximum(own, np.minimum(top, _MIDDLE_LIFE)), top)


def _random_drafts(
    tables: GrouperTables, recipe: Recipe, number: int, rng: np.random.Generator
) -> Iterator[Draft]:
    contexts = list(contexts_of(recipe))
    wanted = 2 if recipe.complication == "MCC" else 1
    listed = np.flatnonzero(tables.complication & 3 == wanted).astype(np.int32)
    for _ in range(number):
        yield draft_of(
            recipe,
            contexts[rng.integers(len(contexts))],
            lambda ids: int(ids[rng.integers(len(ids))]),
            listed if recipe.complication else None,
        )


def _tops(tables: GrouperTables, variable: str, values: list[Any], highest: int) -> NDArray[Any]:
    """The last value of each value's interval; that of a missing number is itself."""
    cuts = tables.cuts[variable]
    at = np.array(values, dtype=cuts.dtype)
    place = np.searchsorted(cuts, at, side="right")
    if variable in FRACTIONAL:
        ends = np.append(np.nextafter(cuts, 0), highest)[place]
    else:
        ends = np.append(cuts, highest + 1)[place] - 1
    return np.where(at < 0, at, np.maximum(at, np.minimum(ends, highest)))


def _neutral(classes: NDArray[np.int32], allowed: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Codes of the class of those that are in no set, which is that of a missing code."""
    fits = (classes == classes[0]) & allowed
    fits[:FIRST_CODE] = False
    return np.flatnonzero(fits).astype(np.int32)
