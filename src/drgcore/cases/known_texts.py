"""Known texts and their numbers: millions of words looked up among thousands of codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.arrow_arrays import filled, flag_array, numpy_of, text_array, text_bytes
from drgcore.cases.text import chunks_of

# So few words are looked up one by one: a single case need not wait for compiled code.
_FEW = 256


class KnownTexts:
    """Texts and the numbers that they stand for.

    Parameters
    ----------
    slots : mapping of str to int
        The number of each known text.
    absent : int
        The number of any other.

    Examples
    --------
    >>> known = KnownTexts({"A00.000": 2, "A01.000": 3}, absent=1)
    >>> known.find(pa.array(["A01.000", "A00"] * 300)).tolist()[:3]
    [3, 1, 3]
    """

    def __init__(self, slots: Mapping[str, int], absent: int) -> None:
        self._by_text = dict(slots)
        self._absent = absent
        self._made: tuple[Any, list[str]] | None = None

    def find(self, words: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
        """The number of each word.

        Parameters
        ----------
        words : pyarrow.Array or ChunkedArray
            n words of one text type.

        Returns
        -------
        ndarray of int32, shape (n,)
            As for any unknown text where a word is null.
        """
        if len(words) <= _FEW:
            by_text, absent = self._by_text, self._absent
            try:
                found = [by_text.get(word, absent) for word in words.to_pylist()]
            except UnicodeDecodeError:
                # Bytes that are no text are no code; all else compares them as they are.
                pass
            else:
                return np.array(found, np.int32)
        pieces = [self._find(chunk) for chunk in chunks_of(words)]
        return pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, np.int32), *pieces])

    def _find(self, words: pa.Array) -> npt.NDArray[np.int32]:
        # Compiled code, which few words need not load.
        from drgcore.cases.text_lookup import LONGEST, TOO_LONG, look_up, table_of

        if not (types.is_string(words.type) or types.is_large_string(words.type)):
            words = words.cast(pa.large_string())
        found = np.empty(len(words), np.int32)
        if not len(words):
            return found
        if self._made is None:
            longer = [text for text in self._by_text if len(text.encode()) > LONGEST]
            self._made = table_of(self._by_text, self._absent), longer
        table, longer = self._made
        starts, raw = text_bytes(words)
        # numpy reads numbers of eight bytes where they lie at places that eight divides.
        aligned = raw.ctypes.data % 8 == 0
        eights = raw[: len(raw) // 8 * 8 if aligned else 0].view("<u8")
        look_up(starts, raw, eights, table, found)
        if words.null_count:
            found[numpy_of(pc.is_null(words))] = self._absent
        long = found == TOO_LONG
        if long.any():
            rest = words.filter(flag_array(long))
            places = pc.index_in(rest, value_set=text_array(longer, words.type))
            slots = np.array([*(self._by_text[text] for text in longer), self._absent], np.int32)
            found[long] = slots[filled(places, len(longer))]
        return found
