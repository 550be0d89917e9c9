"""How tables lie in memory: sets as slices of ids, classes of codes, bits in words, flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.arrow_arrays import filled, numpy_of
from drgcore.cases.codes import FIRST_CODE, CodeIndex


class Pool:
    """One flat array made of many tables."""

    def __init__(self, dtype: type[np.uint64] | type[np.int32]) -> None:
        self._dtype = dtype
        self._parts: list[NDArray[np.generic]] = []
        self._size = 0

    def put(self, table: NDArray[np.generic]) -> int:
        """Append a table; where it starts."""
        start = self._size
        self._parts.append(table.astype(self._dtype).ravel())
        self._size += table.size
        return start

    def rows(self, classes: NDArray[np.int32], *columns: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Append one row a class, its columns side by side; where the row of each code starts."""
        table = np.hstack(columns)
        return self.put(table) + classes.astype(np.int64) * table.shape[1]

    def array(self) -> NDArray[Any]:
        """All that was put."""
        return np.concatenate(self._parts)


class KeyedCodes:
    """A table of (set_id, code), sorted by set, so that each set is one slice."""

    def __init__(self, table: pa.Table) -> None:
        ordered = table.select(["set_id", "code"]).sort_by("set_id").combine_chunks()
        self._codes = flat(ordered["code"])
        keys = flat(ordered["set_id"]).dictionary_encode()
        starts = np.flatnonzero(np.diff(numpy_of(keys.indices), prepend=-1))
        stops = np.append(starts, len(self._codes))[1:]
        names = keys.dictionary.to_pylist()
        self.slices = {n: slice(a, b) for n, a, b in zip(names, starts, stops, strict=True)}

    def codes(self, set_id: str) -> pa.Array:
        """The codes of one set."""
        part = self.slices[set_id]
        return self._codes.slice(part.start, part.stop - part.start)

    def ids(self, index: CodeIndex) -> NDArray[np.int64]:
        """Ids of all rows, to be cut by `slices`; MISSING for a code that is not in the index."""
        return ids_of(index, self._codes)


def flat(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array; `combine_chunks` gives a chunked one for no chunks."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def ids_of(index: CodeIndex, codes: pa.Array) -> NDArray[np.int64]:
    """Ids of a scheme's own codes, by their exact text; MISSING for one that is not there."""
    place = filled(pc.index_in(codes, value_set=index.codes), -FIRST_CODE)
    return place.astype(np.int64) + FIRST_CODE


def classes_of(member: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Rows that are equal as one class: class of each row, and the distinct rows."""
    if member.shape[1] == 0:
        return np.zeros(len(member), dtype=np.int32), np.zeros((1, 0), dtype=bool)
    packed = np.packbits(member, axis=1)
    rows = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return inverse.astype(np.int32), member[first]


def pack(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Booleans, shape (rows, bits), as 64-bit words, lowest bit first."""
    rows, width = bits.shape
    padded = np.zeros((rows, 64 * word_count(width)), dtype=bool)
    padded[:, :width] = bits
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def word_count(bits: int) -> int:
    """How many words hold so many bits; never none."""
    return max(1, -(-bits // 64))


def starts_of(lengths: Sequence[int]) -> NDArray[np.int32]:
    """Where each of several runs starts, and the end of the last."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
