"""Codes as dense integers: each different form of a column's strings is looked up."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.arrow_arrays import flag_array, numpy_of, text_array
from drgcore.cases.known_texts import KnownTexts
from drgcore.cases.text import chunks_of, is_missing, tidy, words_of

MISSING = 0
"""Id of "no code here": null, an empty cell, or a mark such as "-" or "无"."""

UNKNOWN = 1
"""Id of a text that is no known code."""

FIRST_CODE = 2
"""Id of the first known code."""

_AMBIGUOUS = -1

# The batches of one parquet row group bring the same dictionary again and again.
_KEPT_DICTIONARIES = 4
_KEPT_BYTES = 4 << 20

# Shared by all indexes, so that an index can be pickled; it is held for two additions.
_COUNTING = threading.Lock()


@dataclass
class TranslationCount:
    """What a translation did so far.

    Attributes
    ----------
    changed : int
        Occurrences of codes that the translation replaced by another code.
    unknown : int
        Occurrences of codes that are not known, after the translation.
    """

    changed: int = 0
    unknown: int = 0


class CodeIndex:
    """Dense ids of a fixed list of codes.

    A text is first looked up as it stands. What is not found is looked up again without regard to
    case, full-width forms, characters without width and white space around it.

    Parameters
    ----------
    codes : pyarrow.Array, ChunkedArray or sequence of str
        The known codes, each once. The i-th has id ``i + 2``.
    translate : mapping of str to str, optional
        Clinical code to insurance code. Each value that is a key is replaced by what it maps to
        before the lookup. Without it nothing is translated: about 250 strings are codes of both
        versions with different meanings.

    Attributes
    ----------
    codes : pyarrow.StringArray
        The known codes; the code of id i is ``codes[i - 2]``.
    translation_count : TranslationCount or None
        Counts over all calls of `encode`, from whatever thread; None without `translate`.

    Raises
    ------
    ValueError
        A code is null, occurs twice, or is a mark for "nothing here".

    Examples
    --------
    >>> index = CodeIndex(["A00.000", "S82.100x011"])
    >>> index.encode(pa.array(["S82.100X011", None, "A00.000", "A00", "无"])).tolist()
    [3, 0, 2, 1, 0]
    """

    codes: pa.StringArray
    translation_count: TranslationCount | None

    def __init__(
        self,
        codes: pa.Array | pa.ChunkedArray | Sequence[str],
        *,
        translate: Mapping[str, str] | None = None,
    ) -> None:
        texts = codes.to_pylist() if isinstance(codes, pa.Array | pa.ChunkedArray) else list(codes)
        if None in texts:
            raise ValueError("a list of codes holds null")
        self.codes = text_array(texts)
        tidied = tidy(self.codes)
        if is_missing(tidied).any():
            raise ValueError("a list of codes holds an empty text or a mark for nothing")
        exact = {code: FIRST_CODE + i for i, code in enumerate(texts)}
        if len(exact) < len(texts):
            raise ValueError("a list of codes holds a code twice")
        folded: dict[str, int] = {}
        for form, slot in zip(tidied.to_pylist(), exact.values(), strict=True):
            # Two codes that differ in case only are told apart by their exact text, not guessed.
            folded[form] = _AMBIGUOUS if form in folded else slot
        self._targets = np.arange(len(texts) + FIRST_CODE, dtype=np.int32)
        self.translation_count = None
        self._kept: tuple[tuple[pa.Array, npt.NDArray[np.int32]], ...] = ()
        self._install(exact, folded)
        if translate is not None:
            self._add_translation(translate, exact, folded)
            self.translation_count = TranslationCount()

    def _install(self, exact: dict[str, int], folded: dict[str, int]) -> None:
        self._exact = KnownTexts(exact, UNKNOWN)
        sure = {form: slot for form, slot in folded.items() if slot != _AMBIGUOUS}
        self._folded = KnownTexts(sure, UNKNOWN)

    def _add_translation(
        self, translate: Mapping[str, str], exact: dict[str, int], folded: dict[str, int]
    ) -> None:
        # A translated text gets a slot of its own behind the ids, so that the slots found in a
        # column tell both the id and whether the text was changed.
        pairs = {old: new for old, new in translate.items() if old != new}
        forms = tidy(text_array(list(pairs))).to_pylist()
        targets = self.encode(text_array(list(pairs.values())))
        meant = set(forms)
        for code, form in zip(self.codes.to_pylist(), tidy(self.codes).to_pylist(), strict=True):
            # The insurance code of the same letters, in whatever case, is not meant.
            if form in meant:
                del exact[code]
        first = len(self._targets)
        translated: dict[str, int] = {}
        for slot, (old, form) in enumerate(zip(pairs, forms, strict=True), start=first):
            exact[old] = slot
            other = translated.setdefault(form, slot)
            if targets[other - first] != targets[slot - first]:
                translated[form] = _AMBIGUOUS
        folded.update(translated)
        self._targets = np.concatenate([self._targets, targets])
        self._install(exact, folded)

    def __len__(self) -> int:
        """Number of known codes + 2: every id is smaller."""
        return len(self.codes) + FIRST_CODE

    def encode(self, values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
        """Ids of the codes in a column.

        Parameters
        ----------
        values : pyarrow.Array or ChunkedArray
            n values of type string, large_string, string_view, null, or a dictionary of these.

        Returns
        -------
        ndarray of int32, shape (n,)
            `MISSING` for null, an empty text and the marks for "nothing here"; `UNKNOWN` for a
            text that is no known code; else the code's id.

        Raises
        ------
        TypeError
            The column does not hold text.
        """
        slots = self._slots(values)
        if self.translation_count is None:
            # Only translated texts have slots that are no ids.
            return slots
        ids: npt.NDArray[np.int32] = self._targets[slots]
        changed = int(np.count_nonzero(slots >= len(self)))
        unknown = int(np.count_nonzero(ids == UNKNOWN))
        with _COUNTING:
            self.translation_count.changed += changed
            self.translation_count.unknown += unknown
        return ids

    def forget_unknown(self, number: int) -> None:
        """Take back from `translation_count` texts that turned out to be known after all."""
        if self.translation_count is not None:
            with _COUNTING:
                self.translation_count.unknown -= number

    def lookup(self, code: str) -> int:
        """Id of one code; not counted in `translation_count`.

        Examples
        --------
        >>> CodeIndex(["33.6x00"]).lookup("33.6X00")
        2
        """
        return int(self._targets[self._slots(text_array([code]))[0]])

    def decode(self, ids: npt.ArrayLike) -> pa.StringArray:
        """Codes of ids.

        Parameters
        ----------
        ids : array_like of int, shape (n,)
            Ids as `encode` gives them.

        Returns
        -------
        pyarrow.StringArray
            n codes; null for `MISSING` and `UNKNOWN`.

        Raises
        ------
        IndexError
            An id is negative or not below ``len(self)``.

        Examples
        --------
        >>> CodeIndex(["A00.000", "A01.000"]).decode([3, 1, 0]).to_pylist()
        ['A01.000', None, None]
        """
        wanted = np.asarray(ids, dtype=np.int64)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise IndexError(f"ids run from 0 to {len(self) - 1}")
        return self.codes.take(pa.array(wanted - FIRST_CODE, mask=wanted < FIRST_CODE))

    def _slots(self, values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
        pieces = [words_of(chunk) for chunk in chunks_of(values)]
        if not pieces:
            return np.empty(0, np.int32)
        # The words of all chunks are looked up together: what Arrow's lookup costs most is
        # hashing the known codes anew in each call.
        if len(pieces) == 1 and pieces[0][1] is not None:
            found = self._lookup_dictionary(pieces[0][0])
        else:
            found = self._lookup_words([words for words, _ in pieces])
        result = []
        start = 0
        for words, places in pieces:
            slots = found[start : start + len(words)]
            start += len(words)
            result.append(slots if places is None else np.append(slots, np.int32(MISSING))[places])
        return result[0] if len(result) == 1 else np.concatenate(result)

    def _lookup_dictionary(self, words: pa.Array) -> npt.NDArray[np.int32]:
        kept = self._kept
        for known, slots in kept:
            if known.equals(words):
                return slots
        slots = self._lookup_words([words])
        if words.nbytes <= _KEPT_BYTES:
            # A new tuple in one assignment: threads see the old one or the new one.
            self._kept = (*kept[1 - _KEPT_DICTIONARIES :], (words, slots))
        return slots

    def _lookup_words(self, pieces: list[pa.Array]) -> npt.NDArray[np.int32]:
        if any(piece.type != pieces[0].type for piece in pieces):
            pieces = [piece.cast(pa.large_string()) for piece in pieces]
        words = pa.chunked_array(pieces)
        slots = self._exact.find(words)
        missed = slots == UNKNOWN
        if words.null_count:
            null = numpy_of(pc.is_null(words))
            slots[null] = MISSING
            missed &= ~null
        if missed.any():
            rest = words.filter(flag_array(missed)).combine_chunks().dictionary_encode()
            repaired = tidy(rest.dictionary)
            repaired_slots = self._folded.find(repaired)
            repaired_slots[is_missing(repaired)] = MISSING
            slots[missed] = repaired_slots[numpy_of(rest.indices)]
        return slots
