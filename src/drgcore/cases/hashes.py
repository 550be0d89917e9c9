"""Hashes of texts, of millions at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.arrow_arrays import text_bytes
from drgcore.compiling import loop

_PRIME = np.uint64(0x100000001B3)
_BASIS = np.uint64(0xCBF29CE484222325)
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@loop(inline="always")
def mix(value: Any) -> Any:
    """Spread a 64-bit value over all bits (the finaliser of MurmurHash3)."""
    value ^= value >> _SHIFT
    value *= _MIX_1
    value ^= value >> _SHIFT
    value *= _MIX_2
    return value ^ (value >> _SHIFT)


@loop()
def _hash_bytes(offsets: Any, data: Any, out: Any) -> None:
    for i in range(out.shape[0]):
        value = _BASIS
        for j in range(offsets[i], offsets[i + 1]):
            value = (value ^ np.uint64(data[j])) * _PRIME
        out[i] = mix(value)


def hash_strings(texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Hash strings to 64 bits: FNV-1a over their UTF-8 bytes, then mixed; a null counts as ''.

    Parameters
    ----------
    texts : pyarrow.Array or ChunkedArray
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
    if isinstance(texts, pa.ChunkedArray):
        parts = [hash_strings(chunk) for chunk in texts.chunks]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.uint64), *parts])
    plain = texts if pa.types.is_string(texts.type) else pc.cast(texts, pa.large_string())
    if plain.null_count:
        plain = pc.fill_null(plain, "")
    out = np.empty(len(plain), np.uint64)
    if len(plain):
        _hash_bytes(*text_bytes(plain), out)
    return out


@loop()
def _begin_and_end_in(starts: Any, data: Any, allowed: Any) -> Any:
    for i in range(starts.shape[0] - 1):
        if starts[i] < starts[i + 1]:
            first, last = data[starts[i]], data[starts[i + 1] - 1]
            if not (allowed[first] and allowed[last]):
                return False
    return True


def begin_and_end_in(texts: pa.Array, allowed: np.ndarray) -> bool:
    """Whether the first and the last byte of every text are allowed.

    Parameters
    ----------
    texts : pyarrow.Array
        Texts, string or large_string, none null.
    allowed : ndarray of bool, shape (256,)
        By byte.

    Returns
    -------
    bool
        True also where all texts are empty.

    Examples
    --------
    >>> letters = np.array([chr(i).isalpha() for i in range(256)])
    >>> [begin_and_end_in(pa.array(texts), letters) for texts in (["a-b", ""], ["a "])]
    [True, False]
    """
    return bool(_begin_and_end_in(*text_bytes(texts), allowed))


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
