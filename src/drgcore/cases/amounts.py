"""Numbers and amounts of money in the forms that files hold them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.text import distinct, is_missing, is_text, tidy
from drgcore.cases.values import is_number
from drgcore.errors import CaseSchemaError
from drgcore.language import _

NUMBER_FORMS = "1234.5, 1,234.50, ¥1234.5, 1234.5元"
"""The forms of a number that are read, as a message shows them."""

_PLAIN = r"(?:[0-9]{1,18}(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]{1,2})?"
_GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?"
_NUMBER = rf"^¥? ?[+-]?(?:{_PLAIN}|{_GROUPED})(?: ?元)?$|^[+-]¥ ?(?:{_PLAIN}|{_GROUPED})(?: ?元)?$"
_INFINITE = r"^[+-]?inf(?:inity)?$"


def numbers_from(values: pa.Array | pa.ChunkedArray, *, name: str) -> npt.NDArray[np.float64]:
    """Read a column of numbers or amounts of money.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n numbers, or texts of numbers: with blanks around, in full width, with commas that set off
        each three digits, ¥ in front or 元 behind. A null, an empty text and the marks for
        "nothing here" are missing.
    name : str
        The column, for the message.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where there is none.

    Raises
    ------
    CaseSchemaError
        A value is no number, or one with two readings, as 1,23 is. The message names the column
        and the first row, not what stands there.

    Examples
    --------
    >>> numbers_from(pa.array(["8,000.50", " ￥8000 ", "12元", "-", None]), name="cost").tolist()
    [8000.5, 8000.0, 12.0, nan, nan]
    >>> numbers_from(pa.array(["1,23"]), name="cost")
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: column cost: it holds no numbers; row 1 is the first ...
    """
    kind = values.type.value_type if types.is_dictionary(values.type) else values.type
    if is_number(kind):
        plain = values.cast(kind) if types.is_dictionary(values.type) else values
        floats = pc.cast(plain, pa.float64(), safe=False)
        return pc.fill_null(floats, np.nan).to_numpy(zero_copy_only=False)
    if not (is_text(kind) or types.is_null(kind)):
        raise CaseSchemaError(
            _("it holds no numbers but {kind}", kind=kind), where=_("column {name}", name=name)
        )
    if not types.is_dictionary(values.type):
        try:
            return pc.fill_null(pc.cast(values, pa.float64()), np.nan).to_numpy(
                zero_copy_only=False
            )
        except pa.ArrowInvalid:
            pass
    words, places = distinct(values)
    tidied = tidy(pa.concat_arrays([words, pa.nulls(1, words.type)]))
    missing = is_missing(tidied)
    readable = pc.match_substring_regex(tidied, _NUMBER)
    infinite = pc.match_substring_regex(tidied, _INFINITE)
    bare = pc.replace_substring_regex(tidied, "[¥元, ]", "")
    texts = pc.if_else(pc.or_(readable, infinite), bare, pa.scalar(None, bare.type))
    numbers = pc.fill_null(pc.cast(texts, pa.float64()), np.nan).to_numpy(zero_copy_only=False)
    understood = missing | pc.fill_null(pc.or_(readable, infinite), True).to_numpy(
        zero_copy_only=False
    )
    wrong = ~understood[places]
    if wrong.any():
        raise CaseSchemaError(
            _(
                "it holds no numbers; row {row} is the first that cannot be read",
                row=int(np.argmax(wrong)) + 1,
            ),
            where=_("column {name}", name=name),
            hint=_("Forms that are read: {number_forms}.", number_forms=NUMBER_FORMS),
        )
    return np.where(missing, np.nan, numbers)[places]


def flags_from(values: pa.Array | pa.ChunkedArray, *, name: str) -> npt.NDArray[np.bool_]:
    """Read a column of true and false.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values: boolean, 0 and 1, or the texts true and false, 1 and 0, 是 and 否.
    name : str
        The column, for the message.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    CaseSchemaError
        A row has none of these.

    Examples
    --------
    >>> flags_from(pa.array(["true", "0", "是"]), name="accident").tolist()
    [True, False, True]
    """
    kind = values.type.value_type if types.is_dictionary(values.type) else values.type
    if types.is_boolean(kind) and not values.null_count:
        return values.to_numpy() if isinstance(values, pa.ChunkedArray) else values.to_numpy(False)
    found = np.full(len(values), -1, np.int8)
    if is_number(kind):
        numbers = numbers_from(values, name=name)
        found[numbers == 0], found[numbers == 1] = 0, 1
    elif is_text(kind):
        words, places = distinct(values)
        known = [_FLAGS.get(text, -1) for text in tidy(words).to_pylist()]
        found = np.array([*known, -1], np.int8)[places]
    if (found < 0).any():
        raise CaseSchemaError(
            _(
                "it needs true or false in every row; row {row} has none",
                row=int(np.argmax(found < 0)) + 1,
            ),
            where=_("column {name}", name=name),
            hint=_("Write true or false, 1 or 0, 是 or 否."),
        )
    return found.astype(bool)


_FLAGS = {"true": 1, "1": 1, "是": 1, "false": 0, "0": 0, "否": 0}
