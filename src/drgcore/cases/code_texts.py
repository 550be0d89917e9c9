"""Columns of codes as ids: one code a text, or several in one, whatever stands between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.arrow_arrays import flag_array, number_array, numpy_of, text_array
from drgcore.cases.codes import MISSING, UNKNOWN, CodeIndex
from drgcore.cases.nearest import restored_zeros
from drgcore.cases.notes import CODE_FIELDS, ReadingNotes
from drgcore.cases.text import chunks_of, tidy

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

# What may stand between codes, after folding of full-width forms; blanks last, because they stand
# beside the other signs too.
_SEPARATORS = (";", ",", "、", "|", "/", " ")
_BETWEEN = r"[;,、|/\s]+"
# Brackets and quotes of JSON and Python lists, and of a spreadsheet's ="text".
_WRAPPING = r"[\[\](){}\"'`‘’“”=]"
_LOOKS = r"[;,、|/\s\[\](){}\"'`‘’“”=]"
# What has this form may be a code: each piece of a list must, at least one must be a known code.
_CODE = r"^[a-z]?[0-9][0-9a-z.+*]{0,30}$"
_EATEN = r"^[0-9]{1,2}(\.[0-9]{1,4})?$"


@dataclass(frozen=True)
class Further:
    """The second and further codes of texts that hold several.

    Attributes
    ----------
    places : ndarray of int64, shape (m,)
        Of those texts, ascending.
    counts : ndarray of int64, shape (m,)
        How many further codes each has.
    ids : ndarray of int32
        These codes, text by text.
    """

    places: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    ids: Ids


@dataclass(frozen=True)
class CodeReader:
    """Reads the texts of one canonical column of codes.

    Parameters
    ----------
    index : CodeIndex
        The known codes.
    column : str
        Canonical column, for the notes.
    notes : ReadingNotes or None
        Where to count what was noticed.
    restore_zeros : bool
        Give procedures the zeros back that a spreadsheet ate.
    """

    index: CodeIndex
    column: str
    notes: ReadingNotes | None = None
    restore_zeros: bool = False

    def read(self, values: pa.Array | pa.ChunkedArray) -> tuple[Ids, Further | None]:
        """Ids of n texts; of a text that falls into several codes, the first of them.

        A text that is no code but, at a separator or blanks or as a JSON or Python list, falls
        into pieces of the form of codes, at least one of them known, is a list of codes.

        Parameters
        ----------
        values : pyarrow.Array or ChunkedArray
            n texts, as `CodeIndex.encode` takes them.

        Returns
        -------
        ids : ndarray of int32, shape (n,)
        further : Further or None
            None where no text holds several codes.
        """
        ids = self.index.encode(values)
        places = np.flatnonzero(ids == UNKNOWN)
        if not len(places):
            return ids, None
        # The index may keep what it returned.
        ids = ids.copy()
        texts = _texts_at(values, places)
        folded = tidy(texts)
        if self.restore_zeros and CODE_FIELDS[self.column] == "procedure":
            found = self._restore(folded)
            ids[places] = found
            left = found == UNKNOWN
            places, keep = places[left], flag_array(left)
            texts, folded = texts.filter(keep), folded.filter(keep)
        further = None
        looks = _true(pc.match_substring_regex(folded, _LOOKS))
        if looks.any():
            listed, further = self._lists(folded.filter(flag_array(looks)), places[looks], ids)
            rest = np.ones(len(places), np.bool_)
            rest[np.flatnonzero(looks)[listed]] = False
            texts = texts.filter(flag_array(rest))
        if self.notes is not None and len(texts):
            self.notes.add_unknown(self.column, texts)
        return ids, further

    def _restore(self, folded: pa.Array) -> Ids:
        found = np.full(len(folded), UNKNOWN, np.int32)
        eaten = np.flatnonzero(_true(pc.match_substring_regex(folded, _EATEN)))
        if len(eaten):
            words = folded.take(number_array(eaten)).dictionary_encode()
            meant = [
                UNKNOWN if code is None else self.index.lookup(code)
                for code in restored_zeros(words.dictionary.to_pylist())
            ]
            found[eaten] = np.array(meant, np.int32)[numpy_of(words.indices)]
            restored = int(np.count_nonzero(found != UNKNOWN))
            self.index.forget_unknown(restored)
            if self.notes is not None:
                self.notes.add(zeros=restored)
        return found

    def _lists(
        self, folded: pa.Array, places: npt.NDArray[np.int64], ids: Ids
    ) -> tuple[npt.NDArray[np.bool_], Further | None]:
        """Which texts are lists; their first codes go into `ids`, the others are returned."""
        bare = pc.replace_substring_regex(folded, _WRAPPING, "")
        pieces = pc.split_pattern_regex(bare, _BETWEEN)
        flat = pieces.flatten()
        codes = self.index.encode(flat)
        like = (codes != UNKNOWN) | _true(pc.match_substring_regex(flat, _CODE))
        of = np.repeat(np.arange(len(pieces)), numpy_of(pc.list_value_length(pieces)))
        known = np.bincount(of[codes > UNKNOWN], minlength=len(pieces))
        strange = np.bincount(of[~like], minlength=len(pieces))
        is_list = (known > 0) & (strange == 0)
        self.index.forget_unknown(int(np.count_nonzero((codes == UNKNOWN) & ~is_list[of])))
        self.index.forget_unknown(int(np.count_nonzero(is_list)))
        kept = (codes != MISSING) & is_list[of]
        of, codes = of[kept], codes[kept]
        first = np.ones(len(of), np.bool_)
        first[1:] = of[1:] != of[:-1]
        ids[places[of[first]]] = codes[first]
        number = np.bincount(of, minlength=len(pieces))
        several = np.flatnonzero(number > 1)
        if self.notes is not None:
            unknown = np.flatnonzero(kept)[codes == UNKNOWN]
            if len(unknown):
                self.notes.add_unknown(self.column, flat.take(number_array(unknown)))
            if len(several):
                self._count_lists(bare.take(number_array(several)))
        further = None
        if len(several):
            further = Further(places[several], number[several] - 1, codes[~first])
        return is_list, further

    def _count_lists(self, texts: pa.Array) -> None:
        assert self.notes is not None
        left = texts
        for separator in _SEPARATORS:
            there = _true(pc.match_substring(left, separator))
            if there.any():
                self.notes.add_lists(self.column, separator, int(there.sum()))
                left = left.filter(flag_array(~there))


def spread(ids: Ids, further: Further | None) -> tuple[Ids, Offsets]:
    """All codes of n texts, each text's together.

    Returns
    -------
    codes : ndarray of int32, shape (m,)
    offsets : ndarray of int64, shape (n + 1,)
        Where the codes of each text begin.
    """
    if further is None:
        return ids, np.arange(len(ids) + 1)
    lengths = np.ones(len(ids), np.int64)
    lengths[further.places] += further.counts
    offsets = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    codes = np.empty(int(offsets[-1]), np.int32)
    others = np.ones(len(codes), np.bool_)
    others[offsets[:-1]] = False
    codes[offsets[:-1]] = ids
    codes[others] = further.ids
    return codes, offsets


def in_front(further: Further | None, offsets: Offsets, ids: Ids) -> tuple[Offsets, Ids]:
    """Put the further codes of each case's principal text in front of its other codes."""
    if further is None:
        return offsets, ids
    lengths = np.diff(offsets)
    added = np.zeros(len(lengths), np.int64)
    added[further.places] = further.counts
    whole = np.zeros(len(offsets), np.int64)
    np.cumsum(lengths + added, out=whole[1:])
    flat = np.empty(int(whole[-1]), np.int32)
    new = np.zeros(len(flat) + 1, np.int8)
    np.add.at(new, whole[:-1][further.places], 1)
    np.add.at(new, whole[:-1][further.places] + further.counts, -1)
    where = np.cumsum(new[:-1]) > 0
    flat[where] = further.ids
    flat[~where] = ids
    return whole, flat


def _texts_at(values: pa.Array | pa.ChunkedArray, places: npt.NDArray[np.int64]) -> pa.Array:
    """Some of the texts, as one array of large strings."""
    pieces = []
    start = 0
    for chunk in chunks_of(values):
        here = number_array(places[(places >= start) & (places < start + len(chunk))] - start)
        start += len(chunk)
        if types.is_dictionary(chunk.type):
            words, here = chunk.dictionary, chunk.indices.take(here)
        else:
            words = chunk
        if types.is_string_view(words.type):
            # Views have no kernel for taking some of them.
            words = words.cast(pa.large_string())
        pieces.append(_valid(words.take(here).cast(pa.large_binary())))
    return pa.concat_arrays(pieces)


def _valid(raw: pa.Array) -> pa.Array:
    try:
        return raw.cast(pa.large_string())
    except pa.ArrowInvalid:
        # A parquet file's text may be no UTF-8.
        texts = [value.decode("utf-8", "replace") for value in raw.to_pylist()]
        return text_array(texts, pa.large_string())


def _true(found: pa.Array) -> npt.NDArray[np.bool_]:
    return numpy_of(found)
