"""Arrow arrays made without pandas, which pyarrow imports to look at any list or numpy array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def text_array(texts: Sequence[str], kind: pa.DataType | None = None) -> pa.Array:
    """Make an array of texts, none of them null.

    Parameters
    ----------
    texts : sequence of str
        n texts, together less than 2 GB.
    kind : pyarrow.DataType, optional
        string, which is the default, or large_string.

    Returns
    -------
    pyarrow.Array
        Of n texts.

    Examples
    --------
    >>> text_array(["无", "", "A00.000"]).to_pylist()
    ['无', '', 'A00.000']
    """
    raw = [text.encode() for text in texts]
    ends = np.zeros(len(raw) + 1, np.int32)
    np.cumsum([len(one) for one in raw], out=ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(raw))]
    plain = pa.Array.from_buffers(pa.string(), len(raw), buffers)
    return plain if kind is None else plain.cast(kind)


def number_array(
    numbers: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None
) -> pa.Array:
    """Make an array of numbers that shares their memory.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
        Integers or floating-point numbers.
    missing : ndarray of bool, shape (n,), optional
        Which are null; none by default.

    Returns
    -------
    pyarrow.Array
        Of the same type.

    Examples
    --------
    >>> number_array(np.array([4, 5], np.int32), np.array([False, True])).to_pylist()
    [4, None]
    """
    there = None if missing is None else _bits(~missing)
    values = pa.py_buffer(np.ascontiguousarray(numbers))
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [there, values])


def flag_array(flags: npt.NDArray[np.bool_]) -> pa.Array:
    """Make an array of true and false, as filters take them.

    Examples
    --------
    >>> flag_array(np.array([True, False])).to_pylist()
    [True, False]
    """
    return pa.Array.from_buffers(pa.bool_(), len(flags), [None, _bits(flags)])


def filled(values: pa.Array | pa.ChunkedArray, number: float) -> npt.NDArray[Any]:
    """Numbers, or true and false, of an Arrow array, with one of them in place of nulls.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n numbers.
    number : float
        It must be one of their type.

    Returns
    -------
    ndarray, shape (n,)
        Of the same type.

    Examples
    --------
    >>> filled(pa.array([4, None], pa.int32()), -1).tolist()
    [4, -1]
    """
    if values.null_count:
        one = np.array([number], values.type.to_pandas_dtype())
        of_one = flag_array if pa.types.is_boolean(values.type) else number_array
        values = pc.fill_null(values, of_one(one)[0])
    return numpy_of(values)


def numpy_of(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Numbers, or true and false, of an Arrow array without null.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values of an integer, floating or boolean type.

    Returns
    -------
    ndarray, shape (n,)
        Of the same type; it may be read only.

    Examples
    --------
    >>> numpy_of(pa.array([4, 5], pa.int32())[1:]).tolist(), numpy_of(pa.array([True])).tolist()
    ([5], [True])
    """
    if isinstance(values, pa.ChunkedArray):
        parts = [numpy_of(chunk) for chunk in values.chunks]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([np.empty(0, values.type.to_pandas_dtype()), *parts])
    if values.null_count:
        raise ValueError(f"{values.null_count} values are null")
    first, after = values.offset, values.offset + len(values)
    data = values.buffers()[1] or b""
    if pa.types.is_boolean(values.type):
        bits = np.frombuffer(data, np.uint8)[: (after + 7) // 8]
        return np.unpackbits(bits, bitorder="little")[first:after].view(np.bool_)
    return np.frombuffer(data, values.type.to_pandas_dtype())[first:after]


def text_bytes(texts: pa.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """The memory of an array of texts.

    Parameters
    ----------
    texts : pyarrow.Array
        n texts, string or large_string.

    Returns
    -------
    starts : ndarray of int32 or int64, shape (n + 1,)
        Where each text begins in the bytes, and where the last ends; read only.
    data : ndarray of uint8
        The bytes in UTF-8, at least one; read only.

    Examples
    --------
    >>> starts, data = text_bytes(pa.array(["A00", "B1"])[1:])
    >>> starts.tolist(), bytes(data[3:5])
    ([3, 5], b'B1')
    """
    width = np.int32 if pa.types.is_string(texts.type) else np.int64
    _valid, offsets, data = texts.buffers()
    first, after = texts.offset, texts.offset + len(texts) + 1
    # An array without texts may have no offsets.
    starts = np.frombuffer(offsets or bytes(8), width)[first:after]
    return starts, np.frombuffer(data or b"\0", np.uint8)


def _bits(flags: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))
