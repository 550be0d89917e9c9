"""Local subdivision (本地细分): a region's own DRGs within the national ADRGs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.cases import CaseMapping
from drgcore.errors import CaseSchemaError
from drgcore.grouper.tables import compile_tables
from drgcore.language import _
from drgcore.progress import tracked
from drgcore.schemes import Scheme, load_scheme
from drgcore.schemes.compile import refuse_name
from drgcore.schemes.model import GroupKind
from drgcore.schemes.rules import LOCAL_NAMES, Compare, Member, local_names, set_ids
from drgcore.subdivision.cells import make_cells
from drgcore.subdivision.coded import CodedCases, code_cases, regrouped
from drgcore.subdivision.conditions import Condition, Kind, SplitCandidates, listed_condition
from drgcore.subdivision.contrast import threshold
from drgcore.subdivision.listed import (
    LEAST_CASES,
    cases_having,
    cases_with,
    cost_by_code,
    occurrences,
    user_lists,
)
from drgcore.subdivision.local_scheme import LocalGroup, local_tables, name_groups, parts_of
from drgcore.subdivision.partition import SplitLimits, search
from drgcore.subdivision.report import Subdivision, report
from drgcore.subdivision.told import AdrgCut
from drgcore.weights.history import History
from drgcore.weights.segments import sort_by_group
from drgcore.weights.trimming import Trimming

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_SET_NAMES: Mapping[Kind, str] = {
    "procedure": "OP",
    "principal_diagnosis": "ZD",
    "other_diagnosis": "QD",
}


def subdivide(
    cases: Any,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    candidates: SplitCandidates | None = None,
    limits: SplitLimits | None = None,
    trim: Callable[[History], Trimming] | None = None,
    name: str = "local",
    mapping: str | Path | CaseMapping = "canonical",
    cost: str = "total_cost",
    clinical_codes: bool = False,
    bootstrap: int = 200,
    threads: int | None = None,
) -> Subdivision:
    """Propose local DRGs from history: merge what does not differ, split what does.

    For each named ADRG the search starts from the DRGs of the scheme. It merges neighbours that
    `limits` calls too alike, then makes the split that explains most cost, and again, as long as a
    split fulfils all limits: enough cases in both parts, a difference of means, a CV that is not
    too great, a gain in the RIV of the region above the penalty, worse complications dearer, and a
    difference that chance alone would hardly make. MDC and ADRG stay as they are, as the national
    scheme asks of regions.

    Parameters
    ----------
    cases : DataFrame, Arrow table, or anything with the Arrow PyCapsule interface
        Cases as for `drgcore.group`, with the cost [yuan], and `hospital` for the effect on each.
    scheme : str, Path or Scheme, default "chs-drg-3.0"
        The base.
    candidates : SplitCandidates, optional
        What may cut a group; by default complications, ages, and codes that the search lists.
    limits : SplitLimits, optional
        What a new group must fulfil.
    trim : callable, optional
        Cases to leave out of the search, for example ``drgcore.trim_iqr``: called with the history,
        gives a `Trimming`. The new scheme groups them all the same.
    name : str, default "local"
        Short name of the new scheme.
    mapping, clinical_codes, threads
        As for `drgcore.group`.
    cost : str, default "total_cost"
        The column of cost.
    bootstrap : int, default 200
        Replicates for the intervals of the effect; 0 for none.

    Returns
    -------
    Subdivision
        The new scheme, and what was done and why.

    Raises
    ------
    CaseSchemaError
        As `drgcore.group` and `read_history` raise; if no case can be used.
    SchemeError
        As `drgcore.load_scheme`; if `name` cannot be that of a scheme on this base, or a list of
        `candidates` has a code that nobody knows or the name of another set of the base.

    Notes
    -----
    A code is listed only where its cases are dearer than others of the same DRG and complication.
    Everything is tested on all cases at once; the chance of a false split over the whole region is
    at most `SplitLimits.alpha` where costs do not hang on what is tried, see `Subdivision.tests`.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(3000, seed=1)
    >>> found = subdivide(cases, candidates=SplitCandidates(listed=()), bootstrap=0)
    >>> found.scheme.name, found.decisions["action"].value_counts().to_dict()
    ('local', {'kept': 425, 'merged': 67})
    """
    candidates, limits = candidates or SplitCandidates(), limits or SplitLimits()
    base = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    # Before the cases are read: what is wrong with a name or a list would come out last.
    refuse_name(name, base.name)
    given = user_lists(candidates, compile_tables(base))
    coded = code_cases(
        cases,
        base,
        mapping=mapping,
        cost=cost,
        clinical_codes=clinical_codes,
        local=_local_columns(candidates),
        threads=threads,
    )
    history = coded.history
    if trim is not None:
        history = history.only(trim(history).keep)
    found = _Search(coded, history, candidates, limits, given).run()
    cuts = {cut.adrg: name_groups(base, cut.adrg, cut.parts) for cut in found.cuts if cut.steps}
    tables = local_tables(base, cuts, _sets(cuts, found.lists))
    source = _("subdivision of {name}", name=base.name)
    metadata = {"title": name, "base": base.name, "source": source}
    new = Scheme(name, tables, metadata)
    after = regrouped(coded, new, threads)
    return report(
        coded, history, after, new, found.cuts, cuts, found.codes, found.tests, limits, bootstrap,
    )  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """What the search found: cuts of all ADRGs, all lists of codes by set, the codes, the tests."""

    cuts: list[AdrgCut]
    lists: Mapping[str, tuple[str, ...]]
    codes: pd.DataFrame
    tests: int


class _Search:
    """The search over all named ADRGs of a region."""

    def __init__(
        self,
        coded: CodedCases,
        history: History,
        candidates: SplitCandidates,
        limits: SplitLimits,
        given: Mapping[str, Ints],
    ) -> None:
        self.coded, self.history, self.given = coded, history, given
        self.candidates, self.limits = candidates, limits
        self.base = coded.tables.scheme
        named = np.array([a.kind is GroupKind.NAMED for a in self.base.adrgs] + [False])
        self.used = np.flatnonzero(history.usable & named[coded.rows.adrg])
        if not len(self.used):
            raise CaseSchemaError(_("no case can be used for calibration"), where="subdivide")
        self.cost = history.cost[self.used]
        self.adrg = coded.rows.adrg[self.used].astype(np.int64)
        self.everywhere = candidates.everywhere()

    def run(self) -> _Found:
        codes = self._compare_codes()
        present = np.unique(self.adrg)
        each = len(self.everywhere) + len(self.candidates.listed)
        # From one group on, each split but the last leaves two more to be looked at.
        tests = len(codes) + len(present) * each * (2 * self.limits.max_groups - 3)
        z_least = threshold(self.limits.alpha, tests)
        codes = codes[(codes["z"] >= z_least) & (codes["difference"] >= self.limits.min_difference)]
        truths = [self._truth(condition) for condition in self.everywhere]
        kinds = dict.fromkeys(self.candidates.procedures, "procedure")
        lists = {s: self._texts(kinds.get(s, "diagnosis"), ids) for s, ids in self.given.items()}
        extra: dict[int, list[tuple[int, Condition]]] = {}
        for number, kind in enumerate(self.candidates.listed, len(self.everywhere)):
            chosen = codes[codes["kind"] == kind]
            with_code = cases_with(self._found[kind], chosen["cell"].to_numpy(), len(self.history))
            truths.append(with_code[self.used])
            for adrg in sorted(set(chosen["adrg"].tolist())):
                ids = chosen.loc[chosen["adrg"] == adrg, "code"].to_numpy()
                texts = self._texts(kind, ids)
                stem = f"{_SET_NAMES[kind]}_{self.base.adrgs[adrg].code}_LOCAL"
                set_id = self._free_name(stem, texts, lists)
                lists[set_id] = texts
                extra.setdefault(adrg, []).append((number, listed_condition(kind, set_id)))
        cuts = self._cut(truths, extra, present, z_least)
        return _Found(cuts, lists, self._named(codes), tests)

    def _cut(
        self,
        truths: Sequence[Mask],
        extra: Mapping[int, Sequence[tuple[int, Condition]]],
        present: Ints,
        z_least: float,
    ) -> list[AdrgCut]:
        table = make_cells(self.coded.rows.drg[self.used], truths, self.cost)
        # Added in ascending order within cells, and cell by cell.
        whole = self.cost.size
        mean = float(table.costs.total.sum()) / whole
        n = table.costs.count
        everything = float((table.costs.squares + n * (table.costs.mean - mean) ** 2).sum())
        owners = np.array([self._place[drg.adrg] for drg in self.base.drgs])
        first_drg = np.searchsorted(owners, np.arange(len(self._place) + 1))
        by_cell = np.argsort(table.of_case, kind="stable")
        ends = table.costs.starts
        cuts = []
        for adrg in tracked(present.tolist(), _("searching for cuts"), "ADRG"):
            some = extra.get(int(adrg), ())
            conditions = [*self.everywhere, *(condition for _, condition in some)]
            numbers = [*range(len(self.everywhere)), *(number for number, _ in some)]
            first, last = int(first_drg[adrg]), int(first_drg[adrg + 1])
            where, cells, adrg_mean = table.of(first, last, numbers)
            code = self.base.adrgs[adrg].code
            parts = [
                replace(part, cells=table.drg[where] == first + i)
                for i, part in enumerate(parts_of(self.base, code))
            ]
            unit = adrg_mean**2 / everything if everything > 0 else 0.0
            cut, steps = search(parts, cells, conditions, self.limits, z_least, unit)
            rows = by_cell[ends[where.start] : ends[where.stop]]
            cuts.append(
                AdrgCut(
                    code,
                    parts,
                    cut,
                    steps,
                    cells,
                    adrg_mean,
                    self.used[rows],
                    table.of_case[rows] - where.start,
                )
            )
        return cuts

    def _compare_codes(self) -> pd.DataFrame:
        """Compare the cases with each code with the others of their ADRG, all kinds together."""
        severity = self.coded.rows.severity[self.used].astype(np.int64)
        alike = self.coded.rows.drg[self.used] * np.int64(3) + severity
        log = np.log(self.cost)
        strata = sort_by_group(alike, log, int(alike.max()) + 1)
        residual = np.zeros(len(self.history))
        residual[self.used] = log - strata.mean[alike]
        of_adrg = sort_by_group(self.adrg, residual[self.used], len(self.base.adrgs))
        met = np.flatnonzero(strata.count)
        place = np.array([self._place[drg.adrg] for drg in self.base.drgs])
        fitted = np.bincount(place[met // 3], minlength=len(self.base.adrgs))
        self._found = {
            kind: occurrences(self.coded, kind, self.used) for kind in self.candidates.listed
        }
        parts = [
            cost_by_code(found, residual, of_adrg, fitted, LEAST_CASES)
            for found in self._found.values()
        ]
        columns = ["adrg", "kind", "code", "cases", "others", "difference", "z", "cell"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    def _free_name(self, stem: str, texts: Sequence[str], lists: Mapping[str, Any]) -> str:
        """Give a list a name that nothing else has: the base may be last year's local scheme."""
        names = chain([stem], (f"{stem}{number}" for number in count(2)))
        codes = frozenset(texts)
        return next(n for n in names if n not in lists and self.base.sets.get(n, codes) == codes)

    def _texts(self, kind: str, ids: Ints) -> tuple[str, ...]:
        tables = self.coded.tables
        index = tables.procedures if kind == "procedure" else tables.diagnoses
        return tuple(sorted(str(code) for code in index.decode(ids).to_pylist()))

    def _named(self, codes: pd.DataFrame) -> pd.DataFrame:
        """Put the codes of ADRGs and of the dictionaries in place of their numbers."""
        named = codes.drop(columns="cell").copy()
        named["adrg"] = [self.base.adrgs[a].code for a in codes["adrg"]]
        named["code"] = [
            self._texts(kind, np.array([code]))[0]
            for kind, code in zip(codes["kind"], codes["code"], strict=True)
        ]
        return named.sort_values(["adrg", "kind", "code"], ignore_index=True)

    def _truth(self, condition: Condition) -> Mask:
        """Whether a condition that is tried everywhere holds for each used case."""
        rule, arrays = condition.rule, self.coded.cases
        if isinstance(rule, Compare):
            values = (
                arrays.age_years
                if rule.variable == "NL"
                else arrays.local[LOCAL_NAMES[rule.variable]]
            )[self.used]
            compared = {"<=": values <= rule.number, ">=": values >= rule.number}
            return (values >= 0) & compared.get(rule.operator, values > rule.number)
        assert isinstance(rule, Member)
        if condition.kind == "severity":
            worst = self.coded.rows.severity[self.used]
            return worst >= (1 if "CC" in rule.sets else 2)
        ids = self.given[rule.sets[0]]
        return cases_having(arrays, condition.kind, ids)[self.used]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {a.code: i for i, a in enumerate(self.base.adrgs)}


def _local_columns(candidates: SplitCandidates) -> list[str]:
    """Give the columns that only local schemes ask for and that the candidates look at."""
    rules = [condition.rule for condition in candidates.everywhere()]
    asked = frozenset().union(*map(local_names, rules))
    return sorted(LOCAL_NAMES[name] for name in asked)


def _sets(
    cuts: Mapping[str, Sequence[LocalGroup]], lists: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[str]]:
    """Give the lists that some rule of the new groups names."""
    named = {s for groups in cuts.values() for g in groups for s in set_ids(g.part.rule)}
    return {set_id: lists[set_id] for set_id in sorted(named & lists.keys())}
