"""Whether cases come twice, or without an id: a naive join makes every diagnosis a case."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.arrow_arrays import numpy_of, text_array
from drgcore.cases.front_page import find_front_page
from drgcore.cases.hash_runs import NO_HASHES, HashRuns, Run
from drgcore.cases.mapping import CaseMapping
from drgcore.cases.resolving import form_of
from drgcore.cases.text import stripped
from drgcore.language import _

# The number of a record stays with the patient (病案号): of two stays, each is a case.
_OF_THE_PATIENT = frozenset(
    form_of(name) for name in ("A48", "BAH", "病案号", "住院号", "medcasno", "medcas_no", "ipt_no")
)
_MIX = np.uint64(0x9E3779B97F4A7C15)


Hashes: TypeAlias = tuple[Run, int]


class CaseWarning(UserWarning):
    """Cases that look wrong as a whole, though each by itself is possible."""


class RepeatedIds:
    """Rows whose id another row of the file has, wherever in the file; a context manager.

    Hashes of the ids are kept, 8 bytes a row, beyond some millions in a file. The id is the column
    that the mapping calls `case_id`, else `setl_id`; beside it the hospital tells cases apart, and
    beside the number of a record, which stays with the patient, the day of discharge.

    Parameters
    ----------
    mapping : CaseMapping
    schema : pyarrow.Schema
        Of the file.
    folder : Path, optional
        Where hashes may lie (`HashRuns`); all are held in memory without it.

    Examples
    --------
    >>> batch = pa.RecordBatch.from_pydict({"case_id": ["1", "2", "1 ", ""]})
    >>> ids = RepeatedIds(CaseMapping.preset("canonical"), batch.schema)
    >>> ids.add(batch)
    >>> ids.rows(), ids.warnings()[-1]
    (1, '1 row has no case_id')
    """

    def __init__(self, mapping: CaseMapping, schema: pa.Schema, folder: Path | None = None) -> None:
        there = find_front_page(
            schema,
            {
                "case_id": mapping.front_page.get("case_id"),
                "hospital": mapping.front_page.get("hospital"),
                "discharge_date": mapping.front_page.get("discharge_date"),
            },
        )
        own = there.get("case_id") or tuple(n for n in ("setl_id",) if n in schema.names)
        self.columns: tuple[str, ...] = own[:1]
        if own:
            self.columns += there.get("hospital", ())[:1]
            if form_of(own[0]) in _OF_THE_PATIENT:
                self.columns += there.get("discharge_date", ())[:1]
        self._hashes = HashRuns(folder)
        self._blank = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hashes.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the ids of some rows: `take` of their `hashes`."""
        self.take(self.hashes(batch))

    def hashes(self, batch: pa.RecordBatch) -> Hashes:
        """Hash the ids of some rows, in any thread.

        Returns
        -------
        run : Run
            Of the rows that have an id.
        blank : int
            Rows without one.
        """
        if not self.columns or not batch.num_rows:
            return NO_HASHES, 0
        # Compiled code, which a file without ids need not load.
        from drgcore.cases.hashes import hash_strings

        ids, *others = (_text(batch.column(name)) for name in self.columns)
        there = numpy_of(pc.binary_length(ids)) > 0
        found = hash_strings(ids)
        for other in others:
            found = found * _MIX + hash_strings(other)
        blank = len(there) - int(np.count_nonzero(there))
        return Run.of(found[there] if blank else found), blank

    def take(self, hashes: Hashes) -> None:
        """Take what `hashes` gave for some rows.

        Raises
        ------
        OSError
            The folder takes no more hashes.
        """
        run, blank = hashes
        self._hashes.add(run)
        self._blank += blank

    def rows(self) -> int:
        """Rows whose id a row before them has."""
        return self._hashes.repeated()

    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the ids, or nothing."""
        said = []
        if rows := self.rows():
            columns = _(" and ").join(self.columns)
            said.append(
                _(
                    "1 row repeats the {columns} of another row;\n"
                    "  a join that makes every diagnosis a case? See drgcore cases join",
                    columns=columns,
                )
                if rows == 1
                else _(
                    "{rows:,} rows repeat the {columns} of another row;\n"
                    "  a join that makes every diagnosis a case? See drgcore cases join",
                    rows=rows,
                    columns=columns,
                )
            )
        if self._blank:
            column = self.columns[0]
            said.append(
                _("1 row has no {column}", column=column)
                if self._blank == 1
                else _("{rows:,} rows have no {column}", rows=self._blank, column=column)
            )
        return tuple(said)


def _text(column: pa.Array) -> pa.Array:
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if not pa.types.is_string(plain.type):
        plain = plain.cast(pa.large_string())
    if plain.null_count:
        plain = plain.fill_null(text_array([""], plain.type)[0])
    return stripped(plain)
