"""Cases known to fall into each group of a scheme, to be varied where that changes no group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.cases import FIRST_CODE
from drgcore.grouper.coverage import Draft, contexts_of, draft_of, drafts_of, group_drafts
from drgcore.grouper.recipes import Numbers, Recipe, recipes_for
from drgcore.grouper.tables import GrouperTables, compile_tables
from drgcore.schemes.model import GroupKind, Scheme
from drgcore.schemes.rules import FRACTIONAL, LOCAL_VARIABLES, YES_NO

_DRAFTS_PER_GROUP = 60
_KEPT_PER_GROUP = 40
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
        Codes that stand in no set asked of other diagnoses or procedures and are no complication.
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
    drafts.sort(key=lambda pair: lacks(pair[1]))
    reached = group_drafts(tables, [d for _, d in drafts])
    kept: dict[int, list[Draft]] = {}
    for (target, draft), drg in zip(drafts, reached.drg.tolist(), strict=True):
        if target != drg:
            continue
        own = kept.setdefault(drg, [])
        if len(own) < _KEPT_PER_GROUP and (not own or lacks(own[0]) == lacks(draft)):
            own.append(draft)
    groups = np.array(sorted(kept), dtype=np.int64)
    count = np.array([len(kept[g]) for g in groups], dtype=np.int64)
    chosen = tuple(d for g in groups for d in kept[int(g)])
    return Templates(
        tables,
        chosen,
        np.repeat(groups, count),
        groups,
        np.concatenate([[0], np.cumsum(count)[:-1]]),
        count,
        _tops(tables, "NL", [d.age_years for d in chosen], 95),
        _tops(tables, "XSRTL", [d.age_days for d in chosen], 364),
        _tops(tables, "XSRTZ", [d.newborn_weight_g for d in chosen], 4500),
        {
            column: _tops(
                tables, variable, [getattr(d, column) for d in chosen], _HIGHEST[variable]
            )
            for column, variable in numbers.items()
        },
        # In random order, because samples draw the first ones more often.
        rng.permutation(_neutral(tables.classes["QTZD"], tables.complication == 0)),
        rng.permutation(_neutral(tables.classes["QTSS"], tables.classes["QTSS"] >= 0)),
    )


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
