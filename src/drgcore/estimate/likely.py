"""The likely final groups of a case whose record is not finished, from finished ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.attributes import numbers_of
from drgcore.cases.batch import CaseArrays
from drgcore.cases.codes import MISSING
from drgcore.cases.guessing import mapping_for
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import BatchGrouper
from drgcore.language import _
from drgcore.progress import step, tracked
from drgcore.schemes import Scheme

_BINS = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0])
# Shares of its codes that a record of history is cut to: on admission, midway, at the end.
_KNOWN = (0.0, 0.5, 1.0)
_ROWS, _TOLD_ROWS = 1 << 14, 1 << 10


@dataclass(frozen=True, eq=False)
class LikelyGroups:
    """Shares of final groups given what a record says so far.

    Parameters
    ----------
    scheme : Scheme
        The scheme by which final and present groups are taken.
    drgs : tuple of str
        The final groups of history; the last is '' for none.
    counts : tuple of mapping
        For each of the contexts of `_contexts`, from the narrowest: context → counts by group.
    strength : float
        How many cases the wider context is worth in the narrower.
    calibration : pandas.DataFrame
        On cases that were held back: `predicted_from`, `predicted_to`, `estimates` (of a group for
        a case), `mean_predicted`, `observed` (share of them that came true).
    accuracy : mapping of str to float
        On the same: `first` and `first_three`, shares of cases whose final group was the likeliest,
        or among three; `log_loss`, the mean of −ln of what was given to the final group; `cases`.
    groups : pandas.DataFrame
        By DRG of all history: `cases`, `mean_cost` [yuan], `mean_days`.
    """

    scheme: Scheme
    drgs: tuple[str, ...]
    counts: tuple[Mapping[tuple[Any, ...], NDArray[np.float64]], ...]
    strength: float
    calibration: pd.DataFrame
    accuracy: Mapping[str, float]
    groups: pd.DataFrame

    def shares(self, contexts: Sequence[tuple[Any, ...]]) -> NDArray[np.float64]:
        """Give the share of every final group.

        Each context is smoothed towards the wider one: ``(n_g + s·p_g) / (n + s)``, the posterior
        mean under a Dirichlet prior worth `strength` cases.

        Parameters
        ----------
        contexts : sequence of tuple
            As `contexts_of` gives them for one case.

        Returns
        -------
        ndarray of float64, shape (groups,)
            They add up to 1.
        """
        share = np.full(len(self.drgs), 1 / len(self.drgs))
        for known, context in zip(reversed(self.counts), reversed(contexts), strict=True):
            found = known.get(context)
            if found is not None:
                share = (found + self.strength * share) / (found.sum() + self.strength)
        return share


def fit_likely_groups(
    history: Any,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    strength: float = 1.0,
    held_back: float = 0.2,
) -> LikelyGroups:
    """Learn from finished cases what becomes of unfinished ones.

    Every finished case is cut to what could be known of it on admission (principal diagnosis),
    midway (half of its other codes) and at the end, and counted under its present group and
    principal diagnosis each time. The last tenths of the rows by a fixed draw are held back and
    give the check of calibration; then all cases are counted.

    Parameters
    ----------
    history : anything that `group` takes
        Finished cases; `total_cost` [yuan] and `length_of_stay` [days] where they are there.
    scheme, mapping, clinical_codes
        As for `group`.
    strength : float
        How many cases the wider context is worth in the narrower; above 0.
    held_back : float
        Share of cases that are held back for the check, 0 to 0.9.

    Returns
    -------
    LikelyGroups

    Raises
    ------
    CaseSchemaError
        If no case of history is grouped, or a parameter is out of its range.

    Examples
    --------
    >>> import drgcore
    >>> likely = fit_likely_groups(drgcore.sample_cases(2000, "chs-drg-3.0", seed=1))
    >>> bool(likely.accuracy["first_three"] >= likely.accuracy["first"] > 0)
    True
    """
    if not strength > 0 or not 0 <= held_back <= 0.9:
        raise CaseSchemaError(_("strength must be above 0 and held_back from 0 to 0.9"))
    grouper = BatchGrouper.of(scheme, clinical_codes)
    finals: list[str] = []
    stages: list[list[list[tuple[Any, ...]]]] = [[] for _ in _KNOWN]
    figures = []
    mapping = mapping_for(mapping, history)
    # Small batches, since each takes long.
    with open_cases(history, batch_rows=_ROWS) as source:
        resolved = grouper.resolve(mapping, source.schema)
        source.expect_codes(resolved.code_names())
        for batch in source.batches():
            whole = grouper.encode(batch, resolved)
            finals += _texts(grouper, grouper.group_arrays(whole), "drg")
            for stage, share in zip(stages, _KNOWN, strict=True):
                stage += contexts_of(grouper, cut_to(whole, share))
            figures.append(_figures(batch))
    if not any(finals):
        raise CaseSchemaError(_("no case of history is grouped"))
    drgs = (*sorted({drg for drg in finals if drg}), "")
    place = {drg: at for at, drg in enumerate(drgs)}
    outcome = np.array([place[drg] for drg in finals])
    # A fixed draw, so that the same history gives the same check.
    draw = np.random.default_rng(0).random(len(outcome))
    kept = np.flatnonzero(draw >= held_back)
    trial = _count(stages, outcome, kept, len(drgs))
    groups = _groups(finals, figures)
    first = LikelyGroups(grouper.tables.scheme, drgs, trial, strength, groups, {}, groups)
    calibration, accuracy = _check(first, stages, outcome, np.flatnonzero(draw < held_back))
    counts = _count(stages, outcome, np.arange(len(outcome)), len(drgs))
    return replace(first, counts=counts, calibration=calibration, accuracy=accuracy)


def contexts_of(grouper: BatchGrouper, cases: CaseArrays) -> list[list[tuple[Any, ...]]]:
    """What is known of each case, from the narrowest context to the widest.

    Parameters
    ----------
    grouper : BatchGrouper
    cases : CaseArrays
        n cases as far as they are coded.

    Returns
    -------
    list of list of tuple
        n lists: present DRG with principal diagnosis; present DRG; ADRG; MDC; nothing.
    """
    rows = grouper.group_arrays(cases)
    drg, adrg, mdc = (_texts(grouper, rows, name) for name in ("drg", "adrg", "mdc"))
    first = cases.principal_diagnosis.tolist()
    return [
        [("drg", d, code), ("drg", d), ("adrg", a), ("mdc", m), ()]
        for d, a, m, code in zip(drg, adrg, mdc, first, strict=True)
    ]


def cut_to(cases: CaseArrays, share: float) -> CaseArrays:
    """Cases with their principal diagnosis and the first part of their other codes.

    Parameters
    ----------
    cases : CaseArrays
        n finished cases.
    share : float
        0 to 1: of the other diagnoses and procedures so many are kept, rounded up; a principal
        procedure counts as the first procedure.

    Returns
    -------
    CaseArrays
    """
    operated = (cases.principal_procedure != MISSING).astype(np.int64)
    diagnoses = np.diff(cases.other_diagnosis_offsets)
    procedures = np.diff(cases.other_procedure_offsets)
    kept_procedures = np.ceil(share * (procedures + operated)).astype(np.int64)
    first = np.where(kept_procedures > 0, cases.principal_procedure, np.int32(MISSING))
    return replace(
        cases,
        **_cut(cases, "diagnosis", np.ceil(share * diagnoses).astype(np.int64)),
        principal_procedure=first.astype(np.int32),
        **_cut(cases, "procedure", np.maximum(kept_procedures - operated, 0)),
    )


def _cut(cases: CaseArrays, field: str, keep: NDArray[np.int64]) -> dict[str, Any]:
    offsets = getattr(cases, f"other_{field}_offsets")
    many = "other_diagnoses" if field == "diagnosis" else "other_procedures"
    values = getattr(cases, many)
    place = np.arange(len(values)) - np.repeat(offsets[:-1], np.diff(offsets))
    new = np.zeros(len(offsets), np.int64)
    np.cumsum(keep, out=new[1:])
    return {many: values[place < np.repeat(keep, np.diff(offsets))], f"other_{field}_offsets": new}


def _texts(grouper: BatchGrouper, rows: Any, name: str) -> list[str]:
    column = rows.columns(grouper.tables)[name]
    texts: list[str] = column.cast(pa.string()).fill_null("").to_pylist()
    return texts


def _count(
    stages: Sequence[Sequence[Sequence[tuple[Any, ...]]]],
    outcome: NDArray[np.int64],
    rows: NDArray[np.int64],
    groups: int,
) -> tuple[Mapping[tuple[Any, ...], NDArray[np.float64]], ...]:
    levels: list[dict[tuple[Any, ...], NDArray[np.float64]]] = [{} for _ in stages[0][0]]
    tallies: list[Counter[tuple[tuple[Any, ...], int]]] = [Counter() for _ in levels]
    chosen = rows.tolist()
    for stage in tracked(stages, _("counting likely groups"), _("steps")):
        for row in chosen:
            for tally, context in zip(tallies, stage[row], strict=True):
                tally[context, int(outcome[row])] += 1
    for level, tally in zip(levels, tallies, strict=True):
        for (context, group), number in tally.items():
            found = level.get(context)
            if found is None:
                found = level[context] = np.zeros(groups)
            # A case stands in each stage: as evidence it is one.
            found[group] = number / len(_KNOWN)
    return tuple(levels)


def _check(
    likely: LikelyGroups,
    stages: Sequence[Sequence[Sequence[tuple[Any, ...]]]],
    outcome: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> tuple[pd.DataFrame, dict[str, float]]:
    bins = len(_BINS) - 1
    number, predicted, true = np.zeros(bins), np.zeros(bins), np.zeros(bins)
    first, three, loss = 0, 0, 0.0
    tried = len(rows) * len(stages)
    with step(_("checking likely groups"), _("estimates"), tried) as told:
        for stage, begin in product(stages, range(0, len(rows), _TOLD_ROWS)):
            part = rows[begin : begin + _TOLD_ROWS].tolist()
            for row in part:
                share = likely.shares(stage[row])
                at = np.clip(np.searchsorted(_BINS, share, side="right") - 1, 0, bins - 1)
                number += np.bincount(at, minlength=bins)
                predicted += np.bincount(at, share, bins)
                true[at[outcome[row]]] += 1
                best = np.argsort(-share, kind="stable")[:3]
                first += int(best[0] == outcome[row])
                three += int(outcome[row] in best)
                loss -= float(np.log(share[outcome[row]]))
            told.advance(len(part))
    with np.errstate(invalid="ignore"):
        table = pd.DataFrame(
            {
                "predicted_from": _BINS[:-1],
                "predicted_to": _BINS[1:],
                "estimates": number.astype(np.int64),
                "mean_predicted": predicted / number,
                "observed": true / number,
            }
        )
    scores = {"first": first, "first_three": three, "log_loss": loss}
    scores = {name: value / tried if tried else float("nan") for name, value in scores.items()}
    return table, {**scores, "cases": float(len(rows))}


def _figures(batch: pa.RecordBatch) -> pd.DataFrame:
    table = pa.Table.from_batches([batch])
    columns = {}
    for name in ("total_cost", "length_of_stay"):
        there = name in table.column_names
        columns[name] = numbers_of(table, name) if there else np.full(len(table), np.nan)
    return pd.DataFrame(columns)


def _groups(finals: list[str], figures: list[pd.DataFrame]) -> pd.DataFrame:
    whole = pd.concat(figures, ignore_index=True).assign(drg=finals)
    grouped = whole[whole["drg"] != ""].groupby("drg", sort=True)
    return pd.DataFrame(
        {
            "cases": grouped.size(),
            "mean_cost": grouped["total_cost"].mean(),
            "mean_days": grouped["length_of_stay"].mean(),
        }
    )
