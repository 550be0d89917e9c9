"""The columns of codes of a batch, in every shape that they come in, as flat arrays of ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.arrow_arrays import filled
from drgcore.cases.code_texts import CodeReader, Further, Ids, Offsets, in_front, spread
from drgcore.cases.codes import MISSING
from drgcore.cases.resolving import CodeColumns
from drgcore.cases.text import chunks_of
from drgcore.errors import CaseSchemaError
from drgcore.language import _


@dataclass(frozen=True)
class CodesOfCases:
    """The codes of one kind (diagnoses or procedures) of n cases.

    Attributes
    ----------
    principal : ndarray of int32, shape (n,)
    offsets : ndarray of int64, shape (n + 1,)
    others : ndarray of int32
    listed : ndarray of bool, shape (n,), or None
        Cases whose principal code stood first in a text of several; None where there are none.
    """

    principal: Ids
    offsets: Offsets
    others: Ids
    listed: npt.NDArray[np.bool_] | None


def read_codes(
    batch: pa.RecordBatch | pa.Table,
    principal: str | None,
    others: CodeColumns,
    separator: str,
    readers: tuple[CodeReader, CodeReader],
) -> CodesOfCases:
    """Read the principal and the other codes.

    Parameters
    ----------
    batch : pyarrow.RecordBatch or Table
        n cases.
    principal : str or None
        Column of the principal code.
    others : CodeColumns
        Columns of the other codes; with `principal_first`, of all.
    separator : str
        Between joined codes.
    readers : tuple of CodeReader
        Of the principal and of the other codes.

    Raises
    ------
    CaseSchemaError
        A column holds numbers.
    """
    n = batch.num_rows
    offsets, flat = _several(batch, others, separator, readers[1])
    if others.principal_first:
        return _first_apart(offsets, flat)
    if principal is None:
        return CodesOfCases(np.zeros(n, np.int32), offsets, flat, None)
    ids, further = readers[0].read(codes_of(batch, principal))
    if further is None:
        return CodesOfCases(ids, offsets, flat, None)
    listed = np.zeros(n, np.bool_)
    listed[further.places] = True
    return CodesOfCases(ids, *in_front(further, offsets, flat), listed)


def codes_of(batch: pa.RecordBatch | pa.Table, name: str) -> pa.Array | pa.ChunkedArray:
    """A column of codes, which must not be numbers.

    Raises
    ------
    CaseSchemaError
        It holds numbers.
    """
    column = batch.column(name)
    if not types.is_floating(column.type):
        return column
    # Column types are guessed by many programs, and one without any value becomes floating.
    if pc.all(pc.is_null(column, nan_is_null=True), min_count=0).as_py():
        return pa.nulls(len(column))
    raise CaseSchemaError(
        _(
            "column {name!r} is {type} and holds numbers where codes belong",
            name=name,
            type=column.type,
        ),
        hint=_("Read it as text, so that zeros at the start and the end of a code are kept."),
    )


def _several(
    batch: pa.RecordBatch | pa.Table, source: CodeColumns, separator: str, reader: CodeReader
) -> tuple[Offsets, Ids]:
    n = batch.num_rows
    if source.shape == "none":
        return np.zeros(n + 1, np.int64), np.empty(0, np.int32)
    if source.shape == "numbered":
        return _numbered([codes_of(batch, name) for name in source.names], n, reader)
    name = source.names[0]
    if source.shape == "list":
        return _lists(batch.column(name), reader)
    column = codes_of(batch, name)
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    # string_view and null columns have no kernel for splitting.
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        column = column.cast(pa.large_string())
    return _lists(pc.split_pattern(column, separator), reader)


def _lists(lists: pa.Array | pa.ChunkedArray, reader: CodeReader) -> tuple[Offsets, Ids]:
    offsets = np.zeros(len(lists) + 1, np.int64)
    lengths = filled(pc.list_value_length(lists), 0)
    np.cumsum(lengths, out=offsets[1:])
    # flatten() heeds the offset of a slice and leaves out what stands under a null list.
    pieces = [chunk.flatten() for chunk in chunks_of(lists)]
    flat, further = reader.read(pa.chunked_array(pieces, lists.type.value_type))
    if further is not None:
        flat, places = spread(flat, further)
        offsets = places[offsets]
    present = flat != MISSING
    if present.all():
        return offsets, flat
    before = np.zeros(len(flat) + 1, np.int64)
    np.cumsum(present, out=before[1:])
    return before[offsets], flat[present]


def _numbered(
    columns: list[pa.Array | pa.ChunkedArray], n: int, reader: CodeReader
) -> tuple[Offsets, Ids]:
    # The last numbered columns of an export are empty or nearly so: only what is there is handled.
    filled = [column for column in columns if column.null_count < n]
    # All columns of one type are encoded in one call, for the sake of Arrow's lookup.
    by_type: dict[pa.DataType, list[int]] = {}
    for place, column in enumerate(filled):
        by_type.setdefault(column.type, []).append(place)
    ids: dict[int, Ids] = {}
    more: list[tuple[list[int], Further]] = []
    for places in by_type.values():
        chunks = [chunk for place in places for chunk in chunks_of(filled[place])]
        encoded, further = reader.read(pa.chunked_array(chunks))
        ids.update(zip(places, encoded.reshape(len(places), n), strict=True))
        if further is not None:
            more.append((places, further))
    if more:
        return _numbered_lists(ids, more, n)
    rows = [np.flatnonzero(ids[place]) for place in range(len(filled))]
    counts = np.zeros(n, np.int64)
    for there in rows:
        counts[there] += 1
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    flat = np.empty(int(offsets[-1]), np.int32)
    following = offsets[:-1].copy()
    for place, there in enumerate(rows):
        flat[following[there]] = ids[place][there]
        following[there] += 1
    return offsets, flat


def _numbered_lists(
    ids: dict[int, Ids], more: list[tuple[list[int], Further]], n: int
) -> tuple[Offsets, Ids]:
    """Numbered columns of which some texts hold several codes: every code sorted to its place."""
    rows, places, order, codes = [], [], [], []
    for place, column in ids.items():
        there = np.flatnonzero(column)
        rows.append(there)
        places.append(np.full(len(there), place))
        order.append(np.zeros(len(there), np.int64))
        codes.append(column[there])
    for columns, further in more:
        at = np.repeat(further.places, further.counts)
        rows.append(at % n)
        places.append(np.array(columns)[at // n])
        order.append(np.arange(1, len(at) + 1))
        codes.append(further.ids)
    row = np.concatenate(rows)
    sorting = np.lexsort((np.concatenate(order), np.concatenate(places), row))
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=n), out=offsets[1:])
    return offsets, np.concatenate(codes)[sorting].astype(np.int32)


def _first_apart(offsets: Offsets, flat: Ids) -> CodesOfCases:
    """The first code of each case is its principal one."""
    lengths = np.diff(offsets)
    there = lengths > 0
    principal = np.full(len(lengths), MISSING, np.int32)
    principal[there] = flat[offsets[:-1][there]]
    others = np.ones(len(flat), np.bool_)
    others[offsets[:-1][there]] = False
    return CodesOfCases(principal, offsets - np.append(0, np.cumsum(there)), flat[others], None)
