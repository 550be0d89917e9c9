"""Sex, ages, weight and the local numbers: from whatever a file holds to small integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.arrow_arrays import filled, numpy_of, text_array
from drgcore.cases.forms import age_in_days, age_in_years, months_in_days, weight_in_grams
from drgcore.cases.text import chunks_of, distinct, is_missing, is_text, tidy, words_of

MISSING_NUMBER = -1
"""Nothing is written where a number should stand."""

INVALID_NUMBER = -2
"""What is written is no number, or not one that the column can have."""

MAX_AGE_YEARS = 150
MAX_AGE_DAYS = 60_000
MIN_NEWBORN_WEIGHT_G, MAX_NEWBORN_WEIGHT_G = 100, 20_000
MAX_LENGTH_OF_STAY = 36_500
MIN_LEAVING_WAY, MAX_LEAVING_WAY = 1, 9
MAX_ICU_HOURS = 200_000

SEX_MISSING = 0
SEX_INVALID = -1

# Up to 15 digits before the point are exact in float64, and no column here has more; the bound on
# the exponent keeps the value finite.
_NUMBER = r"^[+-]?0*(?:[0-9]{1,15}(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]{1,2})?"

# 0 and 9 are 未知的性别 and 未说明的性别 of GB/T 2261.1: nothing is known, nothing is wrong.
_SEX_OF_NUMBER = {1.0: 1, 2.0: 2, 0.0: SEX_MISSING, 9.0: SEX_MISSING}
_SEX_OF_WORD = {
    **dict.fromkeys(("男", "男性", "m", "male", "1-男", "1男", "1 男"), 1),
    **dict.fromkeys(("女", "女性", "f", "female", "2-女", "2女", "2 女"), 2),
    **dict.fromkeys(("未知", "未知的性别", "未说明", "未说明的性别"), SEX_MISSING),
}
_SEX_WORDS = text_array(list(_SEX_OF_WORD))
_SEX_IDS = np.fromiter(_SEX_OF_WORD.values(), np.int8)

_Result = TypeVar("_Result", bound=np.generic)


def parse_sex(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int8]:
    """Read sex (性别, XB).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values of an integer, floating, decimal or text type, or a dictionary of one.
        1, 男, 男性, M, male; 2, 女, 女性, F, female; any case, full-width, space around.

    Returns
    -------
    ndarray of int8, shape (n,)
        1 male, 2 female; 0 missing, also for 0 (unknown) and 9 (not stated) of GB/T 2261.1;
        -1 for what is not a sex.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_sex(pa.array(["1", "女", " Male", "9", None, "x"])).tolist()
    [1, 2, 1, 0, 0, -1]
    """

    def of_numbers(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
        sex = np.full(len(numbers), SEX_INVALID, np.int8)
        sex[np.isnan(numbers)] = SEX_MISSING
        for number, meaning in _SEX_OF_NUMBER.items():
            sex[numbers == number] = meaning
        return sex

    def of_words(tidied: pa.Array) -> npt.NDArray[np.int8]:
        sex = of_numbers(numbers_of_words(tidied, ""))
        place = filled(pc.index_in(tidied, value_set=_SEX_WORDS), -1)
        sex[place >= 0] = _SEX_IDS[place[place >= 0]]
        return sex

    return parse_values(values, of_numbers, of_words)


def parse_age_years(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read age in completed years (年龄, NL).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values [years] of an integer, floating, decimal or text type, or a dictionary of one;
        "65", "65.0", "65岁" and the forms of `forms.age_in_years` are read. A fraction is cut off:
        the age is in completed years.

    Returns
    -------
    ndarray of int32, shape (n,)
        0 … 150; `MISSING_NUMBER` for null, NaN, an empty text and the marks for "nothing here";
        `INVALID_NUMBER` for what is negative, greater, infinite or unreadable.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_age_years(pa.array(["65", "65.9", "６５岁", "", "-3", "900"])).tolist()
    [65, 65, 65, -1, -2, -2]
    """
    return _parse_number(values, "岁", 0, MAX_AGE_YEARS, form=age_in_years)


def parse_age_days(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read age in completed days (不足一周岁的年龄, XSRTL).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values [days], as for `parse_age_years`; "12天" and the forms of `forms.age_in_days` are
        read.

    Returns
    -------
    ndarray of int32, shape (n,)
        0 … 60,000, because many files give the days of adults too; `MISSING_NUMBER` and
        `INVALID_NUMBER` as for `parse_age_years`.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_age_days(pa.array([12.0, None, 10023.0, float("inf")])).tolist()
    [12, -1, 10023, -2]
    """
    return _parse_number(values, "天", 0, MAX_AGE_DAYS, form=age_in_days)


def parse_age_months(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read age in months of infants (年龄不足1周岁的年龄(月), BZYZSNL) as completed days.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values [months], numbers or text, in the forms of `forms.months_in_days`.

    Returns
    -------
    ndarray of int32, shape (n,)
        Days; `MISSING_NUMBER` also for 0, which files write for everyone over one year;
        `INVALID_NUMBER` for what does not say how many days, as 1 month does not.

    Examples
    --------
    >>> parse_age_months(pa.array(["2 15/30", "", "5", "1", "x"])).tolist()
    [75, -1, 150, -2, -2]
    """
    plain = values.cast(values.type.value_type) if types.is_dictionary(values.type) else values
    words, places = distinct(plain.cast(pa.string()))
    days = np.full(len(words) + 1, MISSING_NUMBER, np.int32)
    tidied = tidy(words)
    missing = is_missing(tidied)
    for place, text in enumerate(tidied.to_pylist()):
        if not (missing[place] or text in ("0", "0.0")):
            found = months_in_days(text)
            days[place] = INVALID_NUMBER if found is None else found
    return days[places]


def parse_newborn_weight(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read a newborn's weight on admission (新生儿入院体重, XSRTZ).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values [g], as for `parse_age_years`; "3200克", "3200g", "3.2kg" and "3,200" are read.

    Returns
    -------
    ndarray of int32, shape (n,)
        100 … 20,000; `MISSING_NUMBER` also for 0; `INVALID_NUMBER` as for `parse_age_years`, and
        below 100: a weight given in kilograms must not pass for the smallest of preterm babies.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_newborn_weight(pa.array(["3200克", "0", "3200 g", "heavy", "3.2"])).tolist()
    [3200, -1, 3200, -2, -2]
    """
    weights = _parse_number(values, "克|g", 0, MAX_NEWBORN_WEIGHT_G, form=weight_in_grams)
    weights[weights == 0] = MISSING_NUMBER
    weights[(weights > 0) & (weights < MIN_NEWBORN_WEIGHT_G)] = INVALID_NUMBER
    return weights


def parse_length_of_stay(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read days in hospital (住院天数, ZYTS).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values [days], as for `parse_age_years`; "12天" and "12日" are read.

    Returns
    -------
    ndarray of int32, shape (n,)
        0 … 36,500; `MISSING_NUMBER` and `INVALID_NUMBER` as for `parse_age_years`.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_length_of_stay(pa.array(["12", "0", "12天", None, "-1", "40000"])).tolist()
    [12, 0, 12, -1, -2, -2]
    """
    return _parse_number(values, "天|日", 0, MAX_LENGTH_OF_STAY)


def parse_leaving_way(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read the way of leaving (离院方式, LYFS).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n codes of the front page, as for `parse_age_years`. Being codes, they are not cut to whole
        numbers.

    Returns
    -------
    ndarray of int32, shape (n,)
        1 … 9; `MISSING_NUMBER` and `INVALID_NUMBER` as for `parse_age_years`.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_leaving_way(pa.array(["1", "５", "9.0", "-", "0", "1.5", "医嘱离院"])).tolist()
    [1, 5, 9, -1, -2, -2, -2]
    """
    return _parse_number(values, "", MIN_LEAVING_WAY, MAX_LEAVING_WAY, cut=False)


def parse_icu_hours(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Read time in intensive care (重症监护时长, ICUSC).

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values [hours], as for `parse_age_years`; "30小时" and "30h" are read, a time of day such
        as "30:00" is not.

    Returns
    -------
    ndarray of int32, shape (n,)
        0 … 200,000; `MISSING_NUMBER` and `INVALID_NUMBER` as for `parse_age_years`.

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_icu_hours(pa.array(["30", "30.9小时", "30 h", "", "30:00"])).tolist()
    [30, 30, 30, -1, -2]
    """
    return _parse_number(values, "小时|h", 0, MAX_ICU_HOURS)


def is_number(kind: pa.DataType) -> bool:
    """Whether values of this Arrow type are numbers (bool is not)."""
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _parse_number(
    values: pa.Array | pa.ChunkedArray,
    units: str,
    low: int,
    high: int,
    *,
    cut: bool = True,
    form: Callable[[str], int | None] | None = None,
) -> npt.NDArray[np.int32]:
    def of_numbers(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        whole = np.floor(numbers)
        valid = (whole >= low) & (whole <= high) & (cut | (whole == numbers))
        result = np.where(np.isnan(numbers), MISSING_NUMBER, INVALID_NUMBER).astype(np.int32)
        result[valid] = whole[valid].astype(np.int32)
        return result

    def of_words(tidied: pa.Array) -> npt.NDArray[np.int32]:
        numbers = numbers_of_words(tidied, units)
        if form is not None:
            for place in np.flatnonzero(numbers == -1):
                meant = form(tidied[int(place)].as_py())
                numbers[place] = -1 if meant is None else meant
        return of_numbers(numbers)

    return parse_values(values, of_numbers, of_words)


def parse_values(
    values: pa.Array | pa.ChunkedArray,
    of_numbers: Callable[[npt.NDArray[np.float64]], npt.NDArray[_Result]],
    of_words: Callable[[pa.Array], npt.NDArray[_Result]],
) -> npt.NDArray[_Result]:
    """Read a column of numbers by `of_numbers` (NaN for null), one of text by `of_words` (tidied).

    Raises
    ------
    TypeError
        The column holds neither numbers nor text.

    Examples
    --------
    >>> parse_values(pa.array([1, None]), lambda numbers: numbers, lambda words: words)
    array([ 1., nan])
    """
    kind = values.type.value_type if types.is_dictionary(values.type) else values.type
    if not (is_number(kind) or is_text(kind) or types.is_null(kind)):
        raise TypeError(f"numbers or text are needed, not {values.type}")
    results = []
    for chunk in chunks_of(values):
        if is_number(kind):
            plain = chunk.dictionary_decode() if types.is_dictionary(chunk.type) else chunk
            results.append(_of_numbers(plain, of_numbers))
        else:
            words, places = words_of(chunk)
            if places is None:
                words, places = words_of(words.dictionary_encode())
            # The places of nulls point behind the last word.
            with_null = pa.concat_arrays([words, pa.nulls(1, words.type)])
            results.append(of_words(tidy(with_null))[places])
    return np.concatenate(results) if results else of_numbers(np.empty(0, np.float64))


def _of_numbers(
    values: pa.Array, of_numbers: Callable[[npt.NDArray[np.float64]], npt.NDArray[_Result]]
) -> npt.NDArray[_Result]:
    if types.is_integer(values.type) and not types.is_uint64(values.type) and len(values):
        numbers = filled(values, 0).astype(np.int64, copy=False)
        low, high = int(numbers.min()), int(numbers.max())
        # Ages and the like repeat: each number that may occur is read once.
        if high - low < len(numbers) - 1:
            meanings = of_numbers(np.append(np.arange(high - low + 1) + float(low), np.nan))
            places = numbers - low
            if values.null_count:
                places[numpy_of(values.is_null())] = len(meanings) - 1
            return meanings[places]
    # A float64 tells every number that a column here can have from those it cannot.
    return of_numbers(filled(pc.cast(values, pa.float64(), safe=False), np.nan))


def numbers_of_words(tidied: pa.Array, units: str) -> npt.NDArray[np.float64]:
    """Tidied text as numbers, with one of the units (a regular expression) behind them.

    NaN for a missing number, -1 (which no column here can have) for an unreadable one.

    Examples
    --------
    >>> numbers_of_words(pa.array(["12 天", "", "x"]), "天|日")
    array([12., nan, -1.])
    """
    missing = is_missing(tidied)
    if units:
        tidied = pc.replace_substring_regex(tidied, rf"\s*(?:{units})$", "")
    readable = pc.match_substring_regex(tidied, f"{_NUMBER}$")
    numbers = pc.if_else(readable, tidied, text_array(["-1"], tidied.type)[0]).cast(pa.float64())
    return np.where(missing, np.nan, filled(numbers, np.nan))
