"""What every source of cases offers: a schema, a number of rows, batches."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Literal, Self

import pyarrow as pa

from drgcore.cases.telling import listener
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.progress import display, step

Kind = Literal["parquet", "csv", "excel", "dbf", "arrow", "pandas"]

# Small pieces are joined until they have this many bytes, whatever their number of rows.
_JOINED_BYTES = 64 << 20


class CaseSource(ABC):
    """Cases that can be read in batches; a context manager. Made by `open_cases`.

    Attributes
    ----------
    schema : pyarrow.Schema
        Of each batch.
    num_rows : int or None
        Number of cases, where it is known before reading.
    kind : {"parquet", "csv", "excel", "dbf", "arrow", "pandas"}
        What the cases came in.
    partition_columns : tuple of str
        Columns of `schema` that only the names of folders give.
    notes : list of str
        What was left out or decided while reading: title rows, rows without any value, totals.
        Complete when all batches were read. Whoever listened (`telling`) when a file was opened is
        told them.
    """

    schema: pa.Schema
    num_rows: int | None
    kind: Kind
    notes: list[str]
    partition_columns: tuple[str, ...] = ()

    def __init__(self, batch_rows: int, where: str | None = None) -> None:
        if batch_rows < 1:
            raise ValueError("batch_rows must be at least 1")
        self._batch_rows = batch_rows
        self._where_told = where
        # Batches may be read in another thread, which has no context of its own.
        self._listener = listener()
        self._display = display()
        self.notes = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what the source holds open; the source cannot be read afterwards."""
        self._closed = True
        # Of a file of which one row was asked for, what was seen of it.
        self._tell()

    _closed = False
    _where: str | None = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read the cases in their order.

        Yields
        ------
        pyarrow.RecordBatch
            At most `batch_rows` cases of `schema`; memory does not grow with their number. No
            batch comes from a source without cases.

        Raises
        ------
        CaseSchemaError
            The source turns out to be damaged or not what it seemed, or can be read only once.
        """
        return _evenly(self._pieces(), self._batch_rows)

    def table(self) -> pa.Table:
        """Read all cases at once, in the pieces in which they come.

        Returns
        -------
        pyarrow.Table
            Of `schema`.

        Raises
        ------
        CaseSchemaError
            As for `batches`.
        """
        return pa.Table.from_batches(list(self._pieces()), self.schema)

    def _pieces(self) -> Iterator[pa.RecordBatch]:
        if self._closed:
            raise CaseSchemaError(_("the cases were closed"), hint=_("Open them again."))
        return self._told(self._read())

    def expect_codes(self, columns: Sequence[str]) -> None:
        """Say which columns hold codes; a source that knows of numbers there refuses them.

        Raises
        ------
        CaseSchemaError
            A cell of one of these columns is a number, of which zeros may be lost.
        """
        return

    def _told(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        name = _("the cases") if self._where is None else os.path.basename(self._where)
        reading = _("reading {name}", name=name)
        with step(reading, _("cases"), self.num_rows, shown=self._display) as read:
            done = 0
            for batch in batches:
                done += batch.num_rows
                read.update(done, self._expected(done))
                yield batch
        self._tell()

    def _expected(self, done: int) -> int | None:
        """How many cases there are, known or guessed after so many of them."""
        return self.num_rows

    def _tell(self) -> None:
        if self._listener is not None and self._where_told is not None:
            for note in self.notes:
                self._listener(self._where_told, note)

    @abstractmethod
    def _read(self) -> Iterator[pa.RecordBatch]: ...


def select(schema: pa.Schema, columns: Sequence[str] | None, where: str | None) -> pa.Schema:
    """The part of a schema that was asked for.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of all columns.
    columns : sequence of str or None
        The names wanted, in the order wanted; None for all.
    where : str or None
        The file, for the message.

    Raises
    ------
    CaseSchemaError
        A column is not there, or is there twice.
    """
    if columns is None:
        return schema
    wrong = [name for name in columns if schema.names.count(name) != 1]
    if wrong:
        raise CaseSchemaError(
            _("columns are absent or not unique: {wrong}", wrong=", ".join(map(repr, wrong))),
            where=where,
            hint=_("Ask for columns that the schema of the source has once."),
        )
    return pa.schema([schema.field(name) for name in columns], schema.metadata)


def _evenly(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Join small batches and cut large ones: each batch costs its reader a fixed time."""
    pending: list[pa.RecordBatch] = []
    waiting_rows = waiting_bytes = 0
    for batch in batches:
        # Joining copies, so it is for small pieces only.
        large = batch.num_rows > rows // 2
        if large or waiting_rows + batch.num_rows > rows or waiting_bytes >= _JOINED_BYTES:
            yield from _joined(pending)
            pending = []
            waiting_rows = waiting_bytes = 0
        if large:
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)
        elif batch.num_rows:
            pending.append(batch)
            waiting_rows += batch.num_rows
            waiting_bytes += batch.nbytes
    yield from _joined(pending)


def _joined(pieces: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    if len(pieces) < 2:
        return pieces
    try:
        joined: list[pa.RecordBatch] = pa.Table.from_batches(pieces).combine_chunks().to_batches()
    except pa.ArrowNotImplementedError:
        # Arrow cannot unify the dictionaries of every type; small batches are slow, not wrong.
        return pieces
    return joined
