"""Hashes of texts, of millions at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.compiling import nb

_PRIME = np.uint64(0x100000001B3)
_BASIS = np.uint64(0xCBF29CE484222325)
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@nb.njit(cache=True, inline="always")
def mix(value: Any) -> Any:
    """Spread a 64-bit value over all bits (the finaliser of MurmurHash3)."""
    value ^= value >> _SHIFT
    value *= _MIX_1
    value ^= value >> _SHIFT
    value *= _MIX_2
    return value ^ (value >> _SHIFT)


@nb.njit(cache=True, nogil=True)
def _hash_bytes(offsets: Any, data: Any, out: Any) -> None:
    for i in range(out.shape[0]):
        value = _BASIS
        for j in range(offsets[i], offsets[i + 1]):
            value = (value ^ np.uint64(data[j])) * _PRIME
        out[i] = mix(value)


def hash_strings(texts: pa.Array) -> np.ndarray:
    """Hash strings to 64 bits: FNV-1a over their UTF-8 bytes, then mixed; a null counts as ''.

    Parameters
    ----------
    texts : pyarrow.Array
        Strings, or anything that Arrow can cast to strings.

    Returns
    -------
    ndarray of uint64
        One hash for each string.

    Examples
    --------
    >>> a, b, c = hash_strings(pa.array(["x", "y", "x"]))
    >>> bool(a == c), bool(a == b)
    (True, False)
    """
    plain = texts if pa.types.is_string(texts.type) else pc.cast(texts, pa.large_string())
    if plain.null_count:
        plain = pc.fill_null(plain, "")
    out = np.empty(len(plain), np.uint64)
    if len(plain):
        width = np.int32 if pa.types.is_string(plain.type) else np.int64
        _, offsets, data = plain.buffers()
        starts = np.frombuffer(offsets, width)[plain.offset : plain.offset + len(plain) + 1]
        _hash_bytes(starts, np.frombuffer(data if data else b"\0", np.uint8), out)
    return out


def name_hashes(names: Sequence[str], salt: int) -> np.ndarray:
    """Hash the distinct texts of a column; the salt keeps two columns apart.

    Parameters
    ----------
    names : sequence of str
        The texts.
    salt : int
        A number for the column.

    Returns
    -------
    ndarray of uint64
        Their hashes.

    Examples
    --------
    >>> a, b = name_hashes(["x"], 1), name_hashes(["x"], 2)
    >>> bool(a == b)
    False
    """
    return hash_strings(pa.array([f"{salt}:{name}" for name in names], pa.large_string()))
