"""Results as parquet, each column in the form that costs least."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Of so many rows of a column is looked at whether its values repeat; where more than this share of
# them are different, a dictionary would be built for nothing: for numbers of cases, and amounts.
_LOOKED_AT, _DIFFERENT = 8192, 0.9


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[ParquetWriter]:
    """Open a file for batches.

    Parameters
    ----------
    path : Path
        The file.
    schema : pyarrow.Schema
        The types that readers of the file shall get.

    Yields
    ------
    ParquetWriter

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "ids.parquet")
    >>> batch = pa.RecordBatch.from_pydict({"case_id": ["1", "2"]})
    >>> with parquet_writer(path, batch.schema) as writer:
    ...     writer.write(batch)
    >>> pq.read_table(path).num_rows
    2
    """
    writer = ParquetWriter(path, schema)
    try:
        yield writer
    finally:
        writer.close()


class ParquetWriter:
    """Writes batches whose strings are dictionaries as the plain strings that `schema` says.

    Codes are read and written as dictionaries, because that spares hashing every string twice.
    Readers of the file shall get the types that came in all the same, so the Arrow schema that
    parquet files carry is written here and not taken from the batches.

    Parameters
    ----------
    path : Path
        The file.
    schema : pyarrow.Schema
        Of the file.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch."""
        writer = self._writer or self._open(batch.schema, *_forms(batch))
        writer.write_table(pa.Table.from_batches([batch], self._physical))

    def _open(
        self, physical: pa.Schema, dictionaries: list[str], limits: list[str]
    ) -> pq.ParquetWriter:
        self._physical = physical
        self._writer = pq.ParquetWriter(
            self._path,
            physical,
            store_schema=False,
            use_dictionary=dictionaries or False,
            write_statistics=limits or False,
        )
        arrow_schema = base64.b64encode(self._schema.serialize().to_pybytes())
        self._writer.add_key_value_metadata(
            {**(self._schema.metadata or {}), b"ARROW:schema": arrow_schema}
        )
        return self._writer

    def close(self) -> None:
        """Write the end of the file."""
        writer = self._writer or self._open(self._schema, [], [])
        writer.close()


def _forms(batch: pa.RecordBatch) -> tuple[list[str], list[str]]:
    """Give the leaves of the file whose values repeat, and those whose limits are written.

    The least and the greatest text of a dictionary tell a reader nothing where cases come in any
    order, and to find them takes as long as all else that is written.
    """
    unique, coded = set(), set()
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if _hardly_repeats(column.slice(0, _LOOKED_AT)):
            unique.add(field.name)
        if pa.types.is_dictionary(field.type):
            coded.add(field.name)
    # What parquet calls the leaves of nested columns it says itself.
    sink = pa.BufferOutputStream()
    pq.ParquetWriter(sink, batch.schema).close()
    leaves = pq.read_metadata(pa.BufferReader(sink.getvalue())).schema
    paths = [leaves.column(place).path for place in range(len(leaves))]
    return (
        [path for path in paths if path not in unique],
        [path for path in paths if path not in coded],
    )


def _hardly_repeats(column: pa.Array) -> bool:
    kind = column.type
    plain = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_floating(kind)
    if not plain or not len(column):
        return False
    return pc.count_distinct(column, mode="all").as_py() > _DIFFERENT * len(column)
