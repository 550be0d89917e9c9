"""Case ids: finding the ones that occur twice among millions."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_PRIME = np.uint64(0x100000001B3)
_BASIS = np.uint64(0xCBF29CE484222325)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(33)


@nb.njit(cache=True, parallel=True)
def _hash(offsets: Any, data: Any, out: Any) -> None:
    for i in nb.prange(out.shape[0]):
        value = _BASIS
        for j in range(offsets[i], offsets[i + 1]):
            value = (value ^ np.uint64(data[j])) * _PRIME
        value = (value ^ (value >> _SHIFT)) * _MIX
        out[i] = value ^ (value >> _SHIFT)


def repeated_ids(ids: pa.ChunkedArray) -> list[str]:
    """Find the case ids that occur more than once.

    Ids are compared by a 64-bit hash first, and by their text only where two hashes agree.

    Parameters
    ----------
    ids : pyarrow.ChunkedArray
        Case ids, none null.

    Returns
    -------
    list of str
        The repeated ids, sorted.

    Examples
    --------
    >>> repeated_ids(pa.chunked_array([["a", "b"], ["c", "a"]]))
    ['a']
    """
    hashes = np.concatenate([_hashes(chunk) for chunk in ids.chunks] or [np.empty(0, np.uint64)])
    ordered = np.sort(hashes)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return []
    suspects = ids.filter(pa.array(np.isin(hashes, twice)))
    counts = pc.value_counts(pc.cast(suspects, pa.large_string()))
    return sorted(pair["values"] for pair in counts.to_pylist() if pair["counts"] > 1)


def _hashes(chunk: pa.Array) -> np.ndarray:
    texts = chunk if pa.types.is_string(chunk.type) else pc.cast(chunk, pa.large_string())
    out = np.empty(len(texts), np.uint64)
    if len(texts):
        width = np.int32 if pa.types.is_string(texts.type) else np.int64
        _, offsets, data = texts.buffers()
        starts = np.frombuffer(offsets, width)[texts.offset : texts.offset + len(texts) + 1]
        _hash(starts, np.frombuffer(data if data else b"\0", np.uint8), out)
    return out
