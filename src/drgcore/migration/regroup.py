"""Cases grouped by two schemes batch by batch, and the changed ones explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import CaseArrays, CaseSource, ResolvedMapping
from drgcore.grouper.batch import BatchGrouper, in_order
from drgcore.grouper.result import GroupedRows
from drgcore.language import _
from drgcore.migration.conditions import Cases, SchemeCodes
from drgcore.migration.difference import number_codes
from drgcore.migration.pairing import Pairing
from drgcore.migration.parting import PARTED, Parting, Side
from drgcore.migration.reasons import SIDES
from drgcore.progress import step

# So many changed cases are explained at once: a rule costs a fixed time, however few cases it is
# evaluated for.
_EXPLAINED_ROWS = 1 << 19


@dataclass(frozen=True)
class _Batch:
    """A batch grouped by both schemes; the arrays and rows of `changed` are of its cases only."""

    results: dict[str, pa.DictionaryArray]
    rows: NDArray[np.int64]
    parted: NDArray[np.int8]
    changed: tuple[Side, Side]


class Regrouping:
    """Groups cases by two schemes and explains those that change.

    Parameters
    ----------
    groupers : sequence of BatchGrouper
        The scheme before and the scheme after.
    pairs : Pairing
        The pairs of their groups.
    """

    def __init__(self, groupers: Sequence[BatchGrouper], pairs: Pairing) -> None:
        self._groupers = groupers
        names, self._numbers = number_codes(*(g.tables for g in groupers))
        self._codes = [SchemeCodes(g.tables) for g in groupers]
        self._parting = Parting(pairs, names)

    def run(
        self, source: CaseSource, mapping: ResolvedMapping, kept: Sequence[str], threads: int
    ) -> tuple[pa.Table, pa.Table, pa.Table]:
        """Read all cases once.

        Returns
        -------
        tuple of pyarrow.Table
            The results of both schemes and the columns kept, one row a case; and ``row`` (from 0),
            ``parted`` and the reasons of the cases that change.
        """
        results, others, changed = [], [], []
        waiting: list[_Batch] = []
        start = 0
        grouped = in_order(lambda b: self._group(b, mapping), source.batches(), threads)
        with step(_("grouping by both schemes"), _("cases"), source.num_rows) as told:
            for batch, done in grouped:
                results.append(pa.table(done.results))
                others.append(batch.select(list(kept)))
                waiting.append(_Batch({}, done.rows + start, done.parted, done.changed))
                start += batch.num_rows
                told.update(start)
                if sum(len(w.rows) for w in waiting) >= _EXPLAINED_ROWS:
                    changed.append(self._explain(waiting))
                    waiting = []
        if not results:
            nothing = source.schema.empty_table()
            done = self._group(nothing, mapping)
            results.append(pa.table(done.results))
            waiting.append(done)
        if waiting:
            changed.append(self._explain(waiting))
        schema = pa.schema([source.schema.field(name) for name in kept])
        return (
            pa.concat_tables(results).unify_dictionaries(),
            pa.Table.from_batches(others, schema),
            pa.concat_tables(changed).unify_dictionaries(),
        )

    def _group(self, batch: pa.RecordBatch | pa.Table, mapping: ResolvedMapping) -> _Batch:
        arrays = [g.encode(batch, mapping) for g in self._groupers]
        rows = [g.group_arrays(a) for g, a in zip(self._groupers, arrays, strict=True)]
        parted = self._parting.parted(*rows)
        changed = np.flatnonzero(parted >= 0)
        before, after = (self._side(i, arrays[i], rows[i]).take(changed) for i in (0, 1))
        results = {
            f"{side}_{name}": column
            for side, r, g in zip(SIDES, rows, self._groupers, strict=True)
            for name, column in r.columns(g.tables).items()
        }
        return _Batch(results, changed, parted[changed], (before, after))

    def _side(self, place: int, arrays: CaseArrays, rows: GroupedRows) -> Side:
        return Side(Cases(self._codes[place], arrays), rows, self._numbers[place], place == 0)

    def _explain(self, batches: Sequence[_Batch]) -> pa.Table:
        parted = np.concatenate([b.parted for b in batches])
        before, after = (Side.joined([b.changed[i] for b in batches]) for i in (0, 1))
        at = pa.DictionaryArray.from_arrays(pa.array(parted.astype(np.int32)), pa.array(PARTED))
        row = pa.array(np.concatenate([b.rows for b in batches]))
        return pa.table({"row": row, "parted": at, **self._parting.reasons(parted, before, after)})
