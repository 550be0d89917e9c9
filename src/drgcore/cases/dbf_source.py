"""Cases in dBase files (.dbf), as many old hospital systems export them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa
from dbfread import DBF

from drgcore.cases.damage import damage_as_error
from drgcore.cases.sheet_rows import SheetRows
from drgcore.cases.source import CaseSource, select
from drgcore.errors import CaseSchemaError
from drgcore.language import _


class DbfSource(CaseSource):
    """A dBase table; all columns are strings.

    Parameters
    ----------
    path : Path
        The file. Texts are GB18030 unless the file names another code page.
    columns : sequence of str or None
        The columns wanted; None for all.
    batch_rows : int
        Rows of a batch at most.

    Raises
    ------
    CaseSchemaError
        The file is damaged or cut off.
    """

    kind = "dbf"

    def __init__(self, path: Path, columns: Sequence[str] | None, batch_rows: int) -> None:
        super().__init__(batch_rows, str(path))
        self._path = path
        with self._careful():
            self._table = DBF(str(path), encoding="gb18030", ignore_missing_memofile=True)
            head = self._table.header
            names = list(self._table.field_names)
        if head.headerlen + head.numrecords * head.recordlen > path.stat().st_size:
            raise CaseSchemaError(
                _("the file is cut off: {rows:,} rows are announced", rows=head.numrecords),
                where=str(path),
                hint=_("Copy or write it again."),
            )
        self.num_rows = None
        self.schema = select(
            pa.schema([pa.field(name, pa.string()) for name in names]), columns, str(path)
        )
        self._codes: Sequence[str] = ()

    def expect_codes(self, columns: Sequence[str]) -> None:
        self._codes = columns

    def _careful(self) -> AbstractContextManager[None]:
        return damage_as_error(
            self._path, _("dBase file"), _("Export it again, or save it as CSV.")
        )

    def _read(self) -> Iterator[pa.RecordBatch]:
        rows = SheetRows(self._cells(), str(self._path))
        yield from rows.batches(self.schema.names, self._batch_rows, self._codes)
        with self._careful():
            deleted = len(self._table.deleted)
        note = (
            [_("{deleted:,} rows marked as deleted left out", deleted=deleted)] if deleted else []
        )
        self.notes = [*rows.notes, *note]

    def _cells(self) -> Iterator[list[Any]]:
        yield list(self._table.field_names)
        with self._careful():
            for record in self._table:
                yield [_bare(value) for value in record.values()]


def _bare(value: Any) -> Any:
    return value.decode("gb18030", "replace") if isinstance(value, bytes) else value
