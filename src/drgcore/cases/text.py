"""Text as front pages hold it: full-width forms, invisible characters, marks for "nothing here"."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.arrow_arrays import filled, numpy_of, text_array

_WIDTHLESS = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\0"

# White space of Unicode, the ASCII separators that Python counts as white space, and the
# characters that have no width (soft hyphen, zero-width space and joiners, word joiner, BOM).
_INVISIBLE = r"\x{ad}\x{180e}\x{200b}-\x{200f}\x{2060}\x{feff}"
_SPACE = r"\p{Z}\x{85}\x09-\x0d\x1c-\x1f"
_OUTER = "".join(
    character
    for character in map(chr, (*range(0x3001), 0xFEFF))
    if character.isspace() or unicodedata.category(character)[0] == "Z" or character in _WIDTHLESS
)
_TO_REMOVE = f"^[{_SPACE}{_INVISIBLE}]+|[{_SPACE}{_INVISIBLE}]+$|[{_INVISIBLE}]+"

# ASCII without blanks and control characters: texts that begin and end so have nothing to take off.
_VISIBLE = np.zeros(256, np.bool_)
_VISIBLE[0x21:0x7F] = True
# So many texts pay for the loading of compiled code.
_MANY = 10_000

MISSING_MARKS: tuple[str, ...] = (
    *("", "-", "--", "—", "——", "/"),
    *("无", "na", "null", "nan", "none"),
)
"""What front pages write for "not applicable", as `tidy` leaves it."""

_MARKS = text_array(MISSING_MARKS)


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this Arrow type are strings."""
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def tidy(values: pa.Array) -> pa.Array:
    """Fold the forms in which one and the same text is written.

    Full-width characters become ASCII (NFKC), characters without width go, white space at both
    ends goes, letters become lower case.

    Parameters
    ----------
    values : pyarrow.Array
        Strings (string or large_string).

    Returns
    -------
    pyarrow.Array
        Strings of the same length; null stays null.

    Examples
    --------
    >>> tidy(pa.array(["　Ｓ82.100X011 ", "\\ufeff33.6X00"])).to_pylist()
    ['s82.100x011', '33.6x00']
    """
    try:
        folded = pc.utf8_normalize(values, "NFKC")
    except pa.ArrowInvalid:
        # Parquet readers do not check that a string column holds UTF-8. Such a value is no known
        # code, and must not stop the batch.
        raw = values.cast(pa.large_binary() if types.is_large_string(values.type) else pa.binary())
        decoded = [None if v is None else v.decode("utf-8", "replace") for v in raw.to_pylist()]
        folded = pc.utf8_normalize(pa.array(decoded, values.type), "NFKC")
    return pc.utf8_lower(pc.replace_substring_regex(folded, _TO_REMOVE, ""))


def is_missing(tidied: pa.Array) -> npt.NDArray[np.bool_]:
    """Which tidied strings are null or a mark for "nothing here".

    Parameters
    ----------
    tidied : pyarrow.Array
        What `tidy` returned, length n.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    missing = pc.or_(pc.is_null(tidied), pc.is_in(tidied, value_set=_MARKS))
    return numpy_of(missing)


def words_of(values: pa.Array) -> tuple[pa.Array, npt.NDArray[np.integer] | None]:
    """Split a text array into the words to look at and the places where they stand.

    Parameters
    ----------
    values : pyarrow.Array
        string, large_string, string_view, null, or a dictionary of one of these.

    Returns
    -------
    words : pyarrow.Array
        string or large_string; may hold nulls and repeats.
    places : ndarray of int, or None
        For a dictionary array, `words` index of each value, len(words) for null. None when the
        words are the values themselves.

    Raises
    ------
    TypeError
        The array does not hold text.
    """
    kind = values.type
    if types.is_dictionary(kind):
        dictionary = values.dictionary
        # A few rows cut from a long column carry the whole column's dictionary with them.
        if len(dictionary) > len(values):
            return words_of(values.dictionary_decode())
        indices = values.indices
        if indices.null_count:
            indices = indices.cast(pa.int64())
        return words_of(dictionary)[0], filled(indices, len(dictionary))
    if types.is_null(kind):
        return values.cast(pa.string()), None
    if types.is_string_view(kind):
        # The compute kernels used here have no string_view form.
        return values.cast(pa.large_string()), None
    if not is_text(kind):
        raise TypeError(f"text is needed, not {kind}")
    return values, None


def distinct(values: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Split a column of text into its distinct words and the places where they stand.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n texts, as for `words_of`.

    Returns
    -------
    words : pyarrow.Array of large_string
        Without null; a dictionary's words may repeat or stand nowhere.
    places : ndarray of int64, shape (n,)
        `words` index of each value, len(words) for null.

    Examples
    --------
    >>> words, places = distinct(pa.chunked_array([["b", None], ["b", "a"]]))
    >>> words.to_pylist(), places.tolist()
    (['b', 'a'], [0, 2, 0, 1])
    """
    kind = values.type.value_type if types.is_dictionary(values.type) else values.type
    if not (is_text(kind) or types.is_null(kind)):
        raise TypeError(f"text is needed, not {values.type}")
    column = pa.chunked_array(chunks_of(values), values.type)
    if not types.is_dictionary(column.type):
        column = column.cast(pa.large_string()).dictionary_encode()
    column = column.cast(pa.dictionary(pa.int32(), pa.large_string())).unify_dictionaries()
    none = pa.array([], pa.int32()), pa.array([], pa.large_string())
    # Without a chunk pyarrow 24 cannot make an array of dictionaries.
    whole = pa.concat_arrays(column.chunks or [pa.DictionaryArray.from_arrays(*none)])
    if whole.dictionary.null_count:
        whole = whole.dictionary_decode().dictionary_encode()
    words = whole.dictionary
    places = pc.fill_null(whole.indices.cast(pa.int64()), len(words))
    return words, places.to_numpy(zero_copy_only=False)


def stripped(column: Any) -> Any:
    """Take blanks and characters without width from both ends of texts, as from codes.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
        Texts, or a dictionary of texts; any other column is returned as it is.

    Returns
    -------
    pyarrow.Array or ChunkedArray
        Of the same type; two words of a dictionary that become one are one.

    Examples
    --------
    >>> stripped(pa.array(["0001235 ", "\\u3000H01", None])).to_pylist()
    ['0001235', 'H01', None]
    """
    if types.is_dictionary(column.type):
        if not is_text(column.type.value_type):
            return column
        if isinstance(column, pa.ChunkedArray):
            return pa.chunked_array([stripped(chunk) for chunk in column.chunks], column.type)
        words = stripped(column.dictionary)
        if words.equals(column.dictionary):
            return column
        plain = words.take(column.indices)
        return plain.dictionary_encode().cast(column.type)
    if types.is_string(column.type) or types.is_large_string(column.type):
        return column if _plain(column) else pc.utf8_trim(column, characters=_OUTER)
    if types.is_string_view(column.type):
        return pc.utf8_trim(column.cast(pa.large_string()), characters=_OUTER)
    return column


def _plain(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether there is nothing to take from many texts, which is told faster than it is taken."""
    if len(column) < _MANY:
        return False
    from drgcore.cases.hashes import begin_and_end_in

    return all(begin_and_end_in(chunk, _VISIBLE) for chunk in chunks_of(column))


def holds_nothing(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether every text of a column is empty or null, told without looking at each.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
        Strings (string or large_string).

    Examples
    --------
    >>> holds_nothing(pa.array(["", None])), holds_nothing(pa.array(["a", ""])[1:])
    (True, True)
    """
    width = np.int64 if types.is_large_string(column.type) else np.int32
    for chunk in chunks_of(column):
        if len(chunk):
            # Where one text ends the next begins: all are empty if the last ends at the start.
            ends = np.frombuffer(chunk.buffers()[1], width)
            if ends[chunk.offset] != ends[chunk.offset + len(chunk)]:
                return False
    return True


def chunks_of(values: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    """The contiguous arrays of which an Arrow column consists."""
    return values.chunks if isinstance(values, pa.ChunkedArray) else [values]
