"""Shares, weights at birth and answers of yes or no, which only local schemes ask for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.arrow_arrays import filled, text_array
from drgcore.cases.values import (
    INVALID_NUMBER,
    MISSING_NUMBER,
    numbers_of_words,
    parse_newborn_weight,
    parse_values,
)

_YES = ("是", "有", "y", "yes", "true", "t", "√", "✓")
_NO = ("否", "无", "没有", "n", "no", "false", "f", "×")
_ANSWERS = text_array([*_YES, *_NO])


def parse_tcm_share(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Read Chinese medicine's share of the cost of treatment (中医治疗占比, ZYZLZB).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n shares from 0 to 1 of an integer, floating, decimal or text type, or a dictionary of one;
        "62.5%" is read, 62.5 is not: a share over one may be a percentage or a slip.

    Returns
    -------
    ndarray of float64, shape (n,)
        0 … 1; `MISSING_NUMBER` for null, NaN, an empty text and the marks for "nothing here";
        `INVALID_NUMBER` for what is negative, greater or unreadable.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_tcm_share(pa.array(["0.6", "62.5%", "１", "", "62.5", "-0.1"])).tolist()
    [0.6, 0.625, 1.0, -1.0, -2.0, -2.0]
    """

    def of_numbers(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        result = np.where(np.isnan(numbers), MISSING_NUMBER, INVALID_NUMBER).astype(np.float64)
        valid = (numbers >= 0) & (numbers <= 1)
        result[valid] = numbers[valid]
        return result

    def of_words(tidied: pa.Array) -> npt.NDArray[np.float64]:
        # As part of the number's text the percent costs no rounding: 57.3% is the 0.573 of a rule.
        return of_numbers(numbers_of_words(pc.replace_substring_regex(tidied, r"\s*%$", "e-2"), ""))

    return parse_values(values, of_numbers, of_words)


def parse_birth_weight(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read a newborn's weight at birth (新生儿出生体重, CSTZ).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values [g], read as the weight on admission is (`parse_newborn_weight`).

    Returns
    -------
    ndarray of int32, shape (n,)
        As `parse_newborn_weight`.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_birth_weight(pa.array(["3200克", "0", "3.2"])).tolist()
    [3200, -1, -2]
    """
    return parse_newborn_weight(values)


def parse_yes_no(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read yes or no.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values: booleans, the numbers 1 (yes) and 0 (no), or text: 1, 是, 有, yes, true, √; 0, 否,
        没有, no, false, ×. A 2 is not read: some forms write 2 for no, others for yes.

    Returns
    -------
    ndarray of int32, shape (n,)
        1 yes, 0 no; `MISSING_NUMBER` and `INVALID_NUMBER` as for `parse_tcm_share`. 无 is no, not a
        mark for "nothing here".

    Raises
    ------
    TypeError
        The column holds neither booleans, numbers nor text.

    Examples
    --------
    >>> parse_yes_no(pa.array(["是", "0", "Ｙ", "无", "", "2", "?"])).tolist()
    [1, 0, 1, 0, -1, -2, -2]
    >>> parse_yes_no(pa.array([True, False, None])).tolist()
    [1, 0, -1]
    """

    def of_numbers(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        result = np.where(np.isnan(numbers), MISSING_NUMBER, INVALID_NUMBER).astype(np.int32)
        valid = (numbers == 0) | (numbers == 1)
        result[valid] = numbers[valid].astype(np.int32)
        return result

    def of_words(tidied: pa.Array) -> npt.NDArray[np.int32]:
        result = of_numbers(numbers_of_words(tidied, ""))
        place = filled(pc.index_in(tidied, value_set=_ANSWERS.cast(tidied.type)), -1)
        result[place >= 0] = place[place >= 0] < len(_YES)
        return result

    if types.is_boolean(values.type):
        values = values.cast(pa.int8())
    return parse_values(values, of_numbers, of_words)
