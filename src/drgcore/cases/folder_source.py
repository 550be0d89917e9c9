"""Cases of several files one after the other, with the columns that folders' names give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from drgcore.cases.folders import CaseFile
from drgcore.cases.source import CaseSource, select
from drgcore.errors import CaseSchemaError
from drgcore.language import _

Opener = Callable[[CaseFile, Sequence[str] | None], CaseSource]
"""Opens one file for some of its columns, or for all."""


class FolderSource(CaseSource):
    """Several files as one source; of each only what is asked for is held.

    The columns are those of the first file, then those that folders are named after, as text. A
    file that holds such a column itself is taken at its word. All files must have the same columns,
    in any order; types of which one can hold the other, as whole numbers of 32 and of 64 bits,
    become that one.

    Parameters
    ----------
    files : sequence of CaseFile
        At least one.
    opener : callable
        Opens one of them.
    columns : sequence of str or None
        Those to read; only they need to be in all files.
    batch_rows : int
    where : str
        What all are called.

    Raises
    ------
    CaseSchemaError
        A file cannot be read, lacks a column or has one of another kind.
    """

    def __init__(
        self,
        files: Sequence[CaseFile],
        opener: Opener,
        columns: Sequence[str] | None,
        batch_rows: int,
        where: str,
    ) -> None:
        super().__init__(batch_rows)
        self._where = where
        self._files, self._opener = files, opener
        self._codes: Sequence[str] = ()
        schemas, self.num_rows = [], 0
        from_names: set[str] = set()
        for file in files:
            with opener(file, None) as source:
                whole = _with_partitions(source.schema, file)
                schemas.append(select(whole, columns, str(file.path)))
                from_names |= set(file.partitions) - set(source.schema.names)
                rows = source.num_rows
                self.kind = source.kind
            self.num_rows = None if rows is None or self.num_rows is None else self.num_rows + rows
        self.schema = _as_one(schemas, files)
        self.partition_columns = tuple(n for n in self.schema.names if n in from_names)

    def expect_codes(self, columns: Sequence[str]) -> None:
        self._codes = columns

    def _read(self) -> Iterator[pa.RecordBatch]:
        names = self.schema.names
        for file in self._files:
            with self._opener(file, None) as plain:
                own = plain.schema.names
            wanted = [name for name in names if name in own]
            # Columns without a name, or with one that stands twice, are only read with all.
            every = len(wanted) == len(own) or len(set(own)) < len(own)
            with self._opener(file, None if every else wanted) as source:
                # How far all are is shown, not how far each.
                source._display = None
                source.expect_codes([name for name in self._codes if name in own])
                for batch in source.batches():
                    yield self._of_all(batch, file)
                self.notes += [f"{file.name}: {note}" for note in source.notes]

    def _of_all(self, batch: pa.RecordBatch, file: CaseFile) -> pa.RecordBatch:
        found = batch.schema.names
        if len(set(found)) < len(found):
            return batch.cast(self.schema)
        columns = [
            (
                batch.column(f.name)
                if f.name in found
                else _constant(file.partitions[f.name], batch.num_rows)
            ).cast(f.type)
            for f in self.schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _constant(value: str | None, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def _with_partitions(schema: pa.Schema, file: CaseFile) -> pa.Schema:
    for name in file.partitions:
        if name not in schema.names:
            schema = schema.append(pa.field(name, pa.string()))
    return schema


def _as_one(schemas: Sequence[pa.Schema], files: Sequence[CaseFile]) -> pa.Schema:
    """The one schema of all files.

    Raises
    ------
    CaseSchemaError
        Names the first file that does not go with the first of all.
    """
    first = whole = schemas[0]
    for schema, file in zip(schemas[1:], files[1:], strict=True):
        if schema.equals(whole):
            continue
        more = [n for n in schema.names if n not in first.names]
        less = [n for n in first.names if n not in schema.names]
        twice = len(set(first.names)) < len(first.names) and schema.names != first.names
        try:
            if not (more or less or twice):
                whole = pa.unify_schemas([whole, schema], promote_options="permissive")
                continue
            differs = ", ".join([*(f"+{n}" for n in more), *(f"-{n}" for n in less)])
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            differs = str(error)
        raise CaseSchemaError(
            _(
                "its columns are not those of {first}: {differs}",
                first=files[0].name,
                differs=differs,
            ),
            where=str(file.path),
            hint=_("Give every file the same columns, or name only files that have them."),
        )
    return whole
