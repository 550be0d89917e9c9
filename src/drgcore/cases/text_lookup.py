"""A table of known texts, and the compiled loop that looks words up in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgcore.compiling import loop

LONGEST = 23
"""Bytes of the longest text of a table; with its length it takes three numbers."""

TOO_LONG = -1
"""What is found for a longer word."""

_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_MIX_0, _MIX_1, _MIX_2 = _MIX
_ONE, _THREE, _EIGHT = np.uint64(1), np.uint64(3), np.uint64(8)
_BITS, _LENGTH_PLACE = np.uint64(63), np.uint64(56)
# The bytes of the three numbers of a word that belong to it, by its length.
_KEPT = np.array(
    [[(1 << 8 * min(max(n - first, 0), 8)) - 1 for first in (0, 8, 16)] for n in range(24)],
    np.uint64,
)


class Table(NamedTuple):
    """Known texts by what their bytes, read as numbers, are mixed to.

    Attributes
    ----------
    keys : ndarray of uint64, shape (n, 3)
        The bytes of each text, the first of each word the lowest; its length is the last byte.
    slots : ndarray of int32, shape (n,)
        The number that each text stands for.
    first : ndarray of int32, shape (2**bits + 1,)
        Where the texts of each mixed value begin.
    shift : uint64
        64 − bits.
    absent : int32
        What is given for a word that is no known text.
    """

    keys: NDArray[np.uint64]
    slots: NDArray[np.int32]
    first: NDArray[np.int32]
    shift: np.uint64
    absent: np.int32


def table_of(slots: Mapping[str, int], absent: int) -> Table:
    """Make the table of some texts; those longer than `LONGEST` bytes are left out.

    Examples
    --------
    >>> table_of({"A00": 2, "x" * 30: 3}, absent=1).slots.tolist()
    [2]
    """
    raw = {text.encode(): slot for text, slot in slots.items()}
    short = [text for text in raw if len(text) <= LONGEST]
    padded = np.zeros((len(short), 24), np.uint8)
    if short:
        padded[:, :LONGEST] = np.array(short, f"S{LONGEST}")[:, None].view(np.uint8)
    padded[:, -1] = [len(text) for text in short]
    keys: NDArray[Any] = padded.view("<u8").astype(np.uint64)
    # Twice as many places as texts at least, so that most have one text or none.
    bits = len(short).bit_length() + 1
    shift = np.uint64(64 - bits)
    mixed = (keys * _MIX).sum(axis=1, dtype=np.uint64) >> shift
    order = np.argsort(mixed, kind="stable")
    counts = np.bincount(mixed.astype(np.int64), minlength=1 << bits)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    numbers = np.array([raw[text] for text in short], np.int32)
    return Table(keys[order], numbers[order], first, shift, np.int32(absent))


@loop(inline="always")
def _bytes(data: Any, start: Any, end: Any) -> Any:
    """Up to eight bytes as one number, the first the lowest."""
    word = np.uint64(0)
    shift = np.uint64(0)
    for at in range(start, end):
        word |= np.uint64(data[at]) << shift
        shift += _EIGHT
    return word


@loop()
def look_up(starts: Any, data: Any, eights: Any, table: Any, found: Any) -> None:
    """Look up words.

    Parameters
    ----------
    starts : ndarray of int32 or int64, shape (n + 1,)
        Where each word begins, and where the last ends.
    data : ndarray of uint8
        The words' bytes.
    eights : ndarray of uint64
        The same, eight by eight as far as that goes; or nothing.
    table : Table
        The known texts.
    found : ndarray of int32, shape (n,)
        Filled in: the number of each word, `TOO_LONG` where it has more than `LONGEST` bytes.
    """
    keys, slots, first, mixing = table.keys, table.slots, table.first, table.shift
    absent = table.absent
    whole = eights.shape[0] - 3
    for i in range(found.shape[0]):
        start = starts[i]
        length = starts[i + 1] - start
        if length > LONGEST:
            found[i] = TOO_LONG
            continue
        eight = start >> 3
        if eight < whole:
            # Read across the borders of eight bytes, without asking how long the word is.
            low = np.uint64(start & 7) << _THREE
            high = _BITS - low
            a = eights[eight] >> low | (eights[eight + 1] << _ONE) << high
            b = eights[eight + 1] >> low | (eights[eight + 2] << _ONE) << high
            c = eights[eight + 2] >> low | (eights[eight + 3] << _ONE) << high
            a &= _KEPT[length, 0]
            b &= _KEPT[length, 1]
            c &= _KEPT[length, 2]
        else:
            end = starts[i + 1]
            a = _bytes(data, start, min(start + 8, end))
            b = _bytes(data, start + 8, min(start + 16, end))
            c = _bytes(data, start + 16, end)
        c |= np.uint64(length) << _LENGTH_PLACE
        mixed = (a * _MIX_0 + b * _MIX_1 + c * _MIX_2) >> mixing
        slot = absent
        for at in range(first[mixed], first[mixed + _ONE]):
            if keys[at, 0] == a and keys[at, 1] == b and keys[at, 2] == c:
                slot = slots[at]
        found[i] = slot
