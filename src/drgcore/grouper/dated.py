"""Cases grouped by the scheme that holds on their day of discharge."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import CaseMapping, ResolvedMapping
from drgcore.cases.days import read_days
from drgcore.cases.notes import ReadingNotes
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import BatchGrouper, stamp
from drgcore.grouper.extras import NO_EXTRAS, STAMP_COLUMNS, Extras
from drgcore.grouper.result import RESULT_COLUMNS, GroupedRows
from drgcore.grouper.summary import SummaryCount
from drgcore.language import _
from drgcore.schemes import Scheme, load_scheme
from drgcore.schemes.calendar import SchemeCalendar, is_calendar, load_calendar

_EPOCH = date(1970, 1, 1)
_LONG_AGO = np.iinfo(np.int32).min

SCHEME_COLUMN = "scheme"
"""The result column that says by which scheme a case was grouped, where its date decides it."""

DISCHARGE = "discharge_date"

_WITHOUT_SCHEME = ("discharge_date_missing", "discharge_date_invalid", "discharge_date_early")


@dataclass(frozen=True)
class DatedMapping:
    """Where the columns of a case stand, its day of discharge among them."""

    mapping: CaseMapping
    schema: pa.Schema
    discharge: str
    resolved: ResolvedMapping

    def columns(self) -> tuple[str, ...]:
        """The columns of the data that grouping needs, each once."""
        return tuple(dict.fromkeys((*self.resolved.columns(), self.discharge)))

    def code_names(self) -> tuple[str, ...]:
        """The columns that hold codes."""
        return self.resolved.code_names()

    def code_columns(self) -> tuple[str, ...]:
        """Parquet leaf paths that are best read as dictionaries."""
        return self.resolved.code_columns()


@dataclass(frozen=True)
class DatedRows:
    """Results of the rows of a batch, scheme by scheme.

    Attributes
    ----------
    size : int
        Rows of the batch.
    parts : tuple of (ndarray of int64, GroupedRows, BatchGrouper, str or None)
        Places of the rows of one scheme, their results, what grouped them (of rows without a
        scheme: any), and the name of the scheme.
    """

    size: int
    parts: tuple[tuple[NDArray[np.int64], GroupedRows, BatchGrouper, str | None], ...]

    def __len__(self) -> int:
        return self.size

    def columns(self) -> dict[str, pa.Array]:
        """The result columns, in the order of the batch's rows."""
        places = np.concatenate([at for at, *_ in self.parts])
        back = pa.array(np.argsort(places, kind="stable"))
        found: list[dict[str, pa.Array]] = []
        for _other, rows, of, name in self.parts:
            only = pa.array([name], pa.string()).dictionary_encode()
            own = only.take(pa.array(np.zeros(len(rows), np.int32)))
            results = {**of.columns(rows), SCHEME_COLUMN: own}
            if name is None and STAMP_COLUMNS[1] in results:
                results[STAMP_COLUMNS[1]] = own
            found.append(results)
        return {c: _joined([results[c] for results in found]).take(back) for c in found[0]}


def _joined(arrays: list[pa.Array]) -> pa.Array:
    """Arrays one after the other; dictionaries made one, each text of it once."""
    whole = pa.chunked_array(arrays)
    if pa.types.is_dictionary(whole.type):
        whole = whole.unify_dictionaries()
    return pa.concat_arrays(whole.chunks)


@dataclass(frozen=True)
class DatedGrouper:
    """The schemes of a calendar, each compiled when the first case of it comes."""

    calendar: SchemeCalendar
    clinical_codes: bool
    restore_zeros: bool = False
    extras: Extras = NO_EXTRAS
    notes: ReadingNotes = field(default_factory=ReadingNotes)
    _groupers: dict[str, BatchGrouper] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def _of(self, name: str) -> BatchGrouper:
        """The grouper of one of the schemes."""
        with self._lock:
            if name not in self._groupers:
                self._groupers[name] = BatchGrouper.of(
                    name,
                    self.clinical_codes,
                    restore_zeros=self.restore_zeros,
                    notes=self.notes,
                    extras=self.extras,
                )
            return self._groupers[name]

    @property
    def name(self) -> str:
        """What a summary calls the grouping."""
        return self.calendar.name

    @property
    def made_by(self) -> dict[bytes, bytes]:
        """What a result says of its making; the scheme of each case stands in its row."""
        return stamp(self.name, "")

    @property
    def result_columns(self) -> tuple[str, ...]:
        """The columns that grouping adds."""
        more = (c for c in self.extras.result_columns if c != SCHEME_COLUMN)
        return (*RESULT_COLUMNS, SCHEME_COLUMN, *more)

    @property
    def asks_local(self) -> bool:
        """Whether a scheme that was needed asks for what only local schemes know."""
        return any(of.asks_local for of in self._groupers.values())

    def translated(self) -> tuple[int | None, int | None]:
        """As `BatchGrouper.translated`, of all schemes that were needed."""
        counts = [of.translated() for of in self._groupers.values()]
        changed = [done for done, _ in counts if done is not None]
        unknown = [left for _, left in counts if left is not None]
        return (sum(changed), sum(unknown)) if changed else (None, None)

    def columns(self, rows: DatedRows) -> dict[str, pa.Array]:
        """The result columns of some rows."""
        return rows.columns()

    def count(self, counts: SummaryCount, rows: DatedRows) -> None:
        """Add rows to the counts of a run."""
        for _rows, own, _of, name in rows.parts:
            counts.add(own)
            if name is not None:
                counts.schemes[name] += len(own)

    def resolve(self, mapping: str | Path | CaseMapping, schema: pa.Schema) -> DatedMapping:
        """Find the columns in data of this schema.

        What a local scheme of the calendar needs is asked for when a case of it comes.

        Raises
        ------
        CaseSchemaError
            As `CaseMapping.resolve`; also where the data have no day of discharge.
        """
        mapping = CaseMapping.of(mapping)
        there = mapping.find_front_page(schema)
        if DISCHARGE not in there:
            raise CaseSchemaError(
                _(
                    "{name} chooses the scheme by the day of discharge, and the "
                    "data have no such column",
                    name=self.calendar.name,
                ),
                hint=_(
                    'Say in a mapping file which column holds it: {discharge} = "出院日期"',
                    discharge=DISCHARGE,
                ),
            )
        asked = {
            column
            for period in self.calendar.periods
            for column in load_scheme(period.scheme).local_columns.values()
        }
        resolved = mapping.resolve(schema, sorted(asked & there.keys()))
        return DatedMapping(mapping, schema, there[DISCHARGE][0], resolved)

    def group(self, batch: pa.RecordBatch, mapping: DatedMapping) -> DatedRows:
        """Group the rows of one batch, each by its scheme."""
        parts: list[tuple[NDArray[np.int64], GroupedRows, BatchGrouper, str | None]] = []
        for at, of, resolved, reason in self.split(batch, mapping):
            if reason is not None:
                rows = GroupedRows.invalid(len(at), reason)
                if self.extras.severity_codes:
                    none = pa.nulls(len(at), pa.list_(pa.string()))
                    rows = replace(rows, severity_codes=none)
                parts.append((at, rows, of, None))
                continue
            own = batch if len(at) == batch.num_rows else batch.take(pa.array(at))
            parts.append((at, of.group(own, resolved), of, of.name))
        return DatedRows(batch.num_rows, tuple(parts))

    def split(
        self, batch: pa.RecordBatch, mapping: DatedMapping
    ) -> list[tuple[NDArray[np.int64], BatchGrouper, ResolvedMapping, str | None]]:
        """The rows of a batch by scheme.

        Returns
        -------
        list of (ndarray of int64, BatchGrouper, ResolvedMapping, str or None)
            Places of the rows; what groups them; their columns; the reason for which they have no
            scheme, and then `BatchGrouper` is that of the last one. At least one part, which may
            have no row.

        Raises
        ------
        CaseSchemaError
            The data lack a column that a local scheme needs, and there is a case of it.
        """
        days, wrong = read_days(batch.column(mapping.discharge), name=mapping.discharge)
        missing = days.is_null().to_numpy(zero_copy_only=False)
        numbers = days.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False)
        firsts = [
            _LONG_AGO if p.first_day is None else (p.first_day - _EPOCH).days
            for p in self.calendar.periods
        ]
        period = np.searchsorted(np.array(firsts), numbers, side="right") - 1
        period[period < 0] = -3
        period[missing] = -1
        period[wrong] = -2
        last = len(firsts) - 1
        parts = []
        for number in np.unique(period).tolist() or [-1]:
            of = self._of(self.calendar.periods[number if number >= 0 else last].scheme)
            reason = None if number >= 0 else _WITHOUT_SCHEME[-1 - number]
            resolved = mapping.resolved
            if reason is None:
                # Complains of what this scheme needs and the data lack, now that a case needs it.
                local = of.tables.scheme.local_columns.values()
                resolved = mapping.mapping.resolve(mapping.schema, local)
            parts.append((np.flatnonzero(period == number), of, resolved, reason))
        return parts


class Grouping(Protocol):
    """What `group` and `group_file` ask of a `BatchGrouper` or a `DatedGrouper`."""

    @property
    def name(self) -> str: ...
    @property
    def asks_local(self) -> bool: ...
    @property
    def result_columns(self) -> tuple[str, ...]: ...
    @property
    def notes(self) -> ReadingNotes: ...
    @property
    def made_by(self) -> dict[bytes, bytes]: ...
    def resolve(self, mapping: str | Path | CaseMapping, schema: pa.Schema) -> Any: ...
    def group(self, batch: pa.RecordBatch, mapping: Any) -> Any: ...
    def columns(self, rows: Any) -> dict[str, pa.Array]: ...
    def count(self, counts: SummaryCount, rows: Any) -> None: ...
    def translated(self) -> tuple[int | None, int | None]: ...


def grouper_of(
    scheme: str | Path | Scheme | SchemeCalendar,
    clinical_codes: bool,
    *,
    restore_zeros: bool = False,
    extras: Extras | None = None,
) -> Grouping:
    """What groups by a scheme, or by the scheme of each case's day of discharge."""
    if isinstance(scheme, SchemeCalendar) or is_calendar(scheme):
        assert not isinstance(scheme, Scheme)
        calendar = load_calendar(scheme)
        return DatedGrouper(calendar, clinical_codes, restore_zeros, extras or NO_EXTRAS)
    return BatchGrouper.of(scheme, clinical_codes, restore_zeros=restore_zeros, extras=extras)
