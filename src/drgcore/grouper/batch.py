"""The step that every way in shares: one batch of Arrow rows to its groups."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from drgcore.cases import (
    INVALID_NUMBER,
    UNKNOWN,
    CaseArrays,
    CaseMapping,
    CodeIndex,
    ResolvedMapping,
    encode_cases,
)
from drgcore.cases.notes import ReadingNotes
from drgcore.errors import DrgcoreError
from drgcore.grouper.extras import NO_EXTRAS, Extras, counted_diagnoses, program_version
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.grouper.reasons import complete_reasons
from drgcore.grouper.result import (
    LIST_OF_DIAGNOSES,
    LIST_OF_PROCEDURES,
    RESULT_COLUMNS,
    UNKNOWN_PRINCIPAL_DIAGNOSIS,
    UNKNOWN_PRINCIPAL_PROCEDURE,
    UNREADABLE_LOCAL,
    GroupedRows,
)
from drgcore.grouper.summary import SummaryCount
from drgcore.grouper.tables import compile_tables
from drgcore.language import _
from drgcore.schemes import Scheme, load_scheme, load_translation

BATCH_ROWS = 131_072

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class BatchGrouper:
    """A compiled scheme, with the indices that a run reads codes by."""

    tables: GrouperTables
    diagnoses: CodeIndex
    procedures: CodeIndex
    notes: ReadingNotes
    restore_zeros: bool = False
    extras: Extras = NO_EXTRAS

    @classmethod
    def of(
        cls,
        scheme: str | Path | Scheme,
        clinical_codes: bool,
        *,
        restore_zeros: bool = False,
        notes: ReadingNotes | None = None,
        extras: Extras | None = None,
    ) -> BatchGrouper:
        """Compile the scheme; with `clinical_codes`, read codes through the translation tables."""
        notes, extras = notes or ReadingNotes(), extras or NO_EXTRAS
        tables = compile_tables(scheme if isinstance(scheme, Scheme) else load_scheme(scheme))
        if not clinical_codes:
            return cls(tables, tables.diagnoses, tables.procedures, notes, restore_zeros, extras)
        pairs = [
            dict(zip(t["clinical_code"].to_pylist(), t["insurance_code"].to_pylist(), strict=True))
            for t in (load_translation("diagnoses"), load_translation("procedures"))
        ]
        return cls(
            tables,
            CodeIndex(tables.diagnoses.codes, translate=pairs[0]),
            CodeIndex(tables.procedures.codes, translate=pairs[1]),
            notes,
            restore_zeros,
            extras,
        )

    @property
    def name(self) -> str:
        """What a summary calls the grouping."""
        return self.tables.scheme.name

    @property
    def made_by(self) -> dict[bytes, bytes]:
        """What a result says of its making: the scheme, its digest, the program's version."""
        return stamp(self.name, self.tables.scheme.metadata.get("digest", ""))

    @property
    def result_columns(self) -> tuple[str, ...]:
        """The columns that grouping adds."""
        return (*RESULT_COLUMNS, *self.extras.result_columns)

    @property
    def asks_local(self) -> bool:
        """Whether the scheme asks for what only local schemes know."""
        return bool(self.tables.scheme.local_columns)

    def translated(self) -> tuple[int | None, int | None]:
        """Occurrences of codes that were translated, and that are unknown after it.

        None where nothing is translated.
        """
        counts = [i.translation_count for i in (self.diagnoses, self.procedures)]
        done = [c for c in counts if c is not None]
        if not done:
            return None, None
        return sum(c.changed for c in done), sum(c.unknown for c in done)

    def columns(self, rows: GroupedRows) -> dict[str, pa.Array]:
        """The result columns of some rows."""
        return {**rows.columns(self.tables), **self.extras.columns(rows, self.tables)}

    def count(self, counts: SummaryCount, rows: GroupedRows) -> None:
        """Add rows to the counts of a run."""
        counts.add(rows)

    def resolve(self, mapping: str | Path | CaseMapping, schema: pa.Schema) -> ResolvedMapping:
        """Find the columns that the scheme asks for in data of this schema.

        Raises
        ------
        CaseSchemaError
            As `CaseMapping.resolve`; also where a column is missing that only this scheme needs.
        """
        return CaseMapping.of(mapping).resolve(schema, self.tables.scheme.local_columns.values())

    def encode(self, batch: pa.RecordBatch, mapping: ResolvedMapping) -> CaseArrays:
        """Read one batch as ids and numbers."""
        return encode_cases(
            batch,
            mapping,
            self.diagnoses,
            self.procedures,
            self.tables.departments,
            notes=self.notes,
            restore_zeros=self.restore_zeros,
        )

    def group(self, batch: pa.RecordBatch, mapping: ResolvedMapping) -> GroupedRows:
        """Group the rows of one batch."""
        return self.group_arrays(self.encode(batch, mapping))

    def group_arrays(self, cases: CaseArrays) -> GroupedRows:
        """Group cases that are read already."""
        # The compiled loop is imported with the first batch: importing numba takes longer than all
        # else in the package.
        from drgcore.grouper.kernel import group_rows

        rows = GroupedRows.empty(len(cases))
        group_rows(*self.tables.kernel, self.tables.inputs(cases), 0, len(rows), rows.arrays())
        for column, values in cases.local.items():
            if column != "department":
                rows.code_flags[values == INVALID_NUMBER] |= UNREADABLE_LOCAL
        rows.code_flags[cases.principal_procedure == UNKNOWN] |= UNKNOWN_PRINCIPAL_PROCEDURE
        rows.code_flags[cases.principal_diagnosis == UNKNOWN] |= UNKNOWN_PRINCIPAL_DIAGNOSIS
        for listed, flag in (
            (cases.listed_diagnoses, LIST_OF_DIAGNOSES),
            (cases.listed_procedures, LIST_OF_PROCEDURES),
        ):
            if listed is not None:
                rows.code_flags[listed] |= flag
        complete_reasons(rows, cases, self.tables)
        if self.extras.severity_codes:
            return replace(rows, severity_codes=counted_diagnoses(rows, cases, self.tables))
        return rows


def stamp(scheme: str, digest: str) -> dict[bytes, bytes]:
    """Metadata of a result."""
    return {
        b"drgcore.scheme": scheme.encode(),
        b"drgcore.digest": digest.encode(),
        b"drgcore.version": program_version().encode(),
    }


def thread_count(threads: int | None) -> int:
    """How many threads to use: as many as asked for, or as this process may run on.

    Raises
    ------
    DrgcoreError
        When fewer than one is asked for.
    """
    if threads is None:
        # Not every system tells which processors a process may use.
        allowed = getattr(os, "sched_getaffinity", None)
        return len(allowed(0)) if allowed else os.cpu_count() or 1
    if threads < 1:
        raise DrgcoreError(_("threads must be 1 or more, not {threads}", threads=threads))
    return threads


def in_order(
    work: Callable[[_Item], _Result], items: Iterable[_Item], threads: int
) -> Iterator[tuple[_Item, _Result]]:
    """Work on items in `threads` threads and give the results in the items' order.

    The items are taken in a thread of its own, so that reading goes on while the consumer writes.
    At most two items more than there are threads are taken in advance, so that memory stays flat
    whatever the speed of the consumer.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[tuple[_Item, Future[_Result]]] = deque()
        try:
            for item in _ahead(items):
                # A message speaks the language of the caller in any thread.
                waiting.append((item, pool.submit(copy_context().run, work, item)))
                if len(waiting) > threads:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _other, future in waiting:
                future.cancel()


def _ahead(items: Iterable[_Item]) -> Iterator[_Item]:
    """Take the item after the one that is given in a thread of its own."""
    iterator, end, context = iter(items), object(), copy_context()

    def take() -> Any:
        return next(iterator, end)

    reader = ThreadPoolExecutor(1)
    try:
        following = reader.submit(context.run, take)
        while (item := following.result()) is not end:
            following = reader.submit(context.run, take)
            yield item
    finally:
        reader.shutdown(cancel_futures=True)
