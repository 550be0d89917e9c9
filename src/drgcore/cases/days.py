"""One function for days: dates and times in the forms that files hold, as days in China."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.text import chunks_of, distinct, is_missing, is_text, tidy
from drgcore.cases.values import is_number
from drgcore.errors import CaseSchemaError
from drgcore.language import N_, _

DAY_FORMS = N_(
    "2027-01-07, 2027/1/7, 20270107, 2027年1月7日, each also with a time; "
    "numbers as Excel counts days where the whole column is numbers"
)
"""The forms of a day that are read, a message of the catalogue."""

# China has had one time and no summer time since 1992, so no database of zones is needed.
_CHINA_SECONDS = 8 * 3600
_DAY_SECONDS = 86_400

_DATE = (
    r"(?P<y>[0-9]{4})(?:(?:-|/|\.|年)(?P<m>[0-9]{1,2})(?:-|/|\.|月)(?P<d>[0-9]{1,2})日?"
    r"|(?P<m2>[0-9]{2})(?P<d2>[0-9]{2}))"
)
_TIME = (
    r"(?:(?:t| +|(?P<joined>))(?:上午|下午|am|pm)? *(?P<h>[0-9]{1,2})(?::|时)?(?P<i>[0-9]{2})"
    r"(?:(?::|分)?(?P<s>[0-9]{2})(?:[.,][0-9]+)?)?[分秒]?(?: ?(?:am|pm))?"
    r" *(?P<zone>z|utc|gmt|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_WRITTEN = f"^{_DATE}{_TIME}$"
_SERIAL = r"^[0-9]{4,5}(?:\.[0-9]+)?$"
_ISO = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

# Day 0 of Excel; below and above these no discharge, admission or birth of a living patient lies.
_EXCEL_ZERO = -25_569
_FIRST_SERIAL, _LAST_SERIAL = 3_000, 80_000
_FIRST_COMPACT, _LAST_COMPACT = 18_500_101, 22_001_231

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

Days = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def days_of(values: pa.Array | pa.ChunkedArray, *, name: str) -> pa.Array:
    """Read a column of dates or times as days in China.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n dates, timestamps, numbers or texts, or a dictionary of texts. A time with a zone is
        turned to Chinese time (UTC+8) before its day is taken; one without is taken as it stands.
        Text: year, month and day with ``-``, ``/``, ``.`` or 年月日 between them or with eight
        digits, with or without a time behind. Numbers, also where every text of the column is one,
        are days as Excel counts them, or eight digits. A null, an empty text and the marks for
        "nothing here" are null.
    name : str
        The column, for the message.

    Returns
    -------
    pyarrow.Array of date32
        n days.

    Raises
    ------
    CaseSchemaError
        A value is no date, or can be read in two ways, as 07/01/2027 can. The message names the
        column and the first row, not what stands there.

    Examples
    --------
    >>> texts = ["2027-01-07", "2027/1/7 10:30", "20270107", "2027年1月7日", "-"]
    >>> [str(day) for day in days_of(pa.array(texts), name="discharge_date").to_pylist()]
    ['2027-01-07', '2027-01-07', '2027-01-07', '2027-01-07', 'None']
    >>> days_of(pa.array(["2027-01-31T16:30:00Z"]), name="discharge_date")[0].as_py()
    datetime.date(2027, 2, 1)
    >>> days_of(pa.array(["07/01/2027"]), name="discharge_date")
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: column discharge_date: row 1 holds no date, or one with two ...
    """
    days, wrong = _read(values, name, serials=True)
    if wrong.any():
        count = int(wrong.sum())
        more = _(" ({count:,} rows are such)", count=count) if count > 1 else ""
        raise CaseSchemaError(
            _(
                "row {row} holds no date, or one with two readings{more}",
                row=int(np.argmax(wrong)) + 1,
                more=more,
            ),
            where=_("column {name}", name=name),
            hint=_("Forms that are read: {day_forms}.", day_forms=_(DAY_FORMS)),
        )
    return days


def read_days(values: pa.Array | pa.ChunkedArray, *, name: str) -> tuple[pa.Array, Flags]:
    """Read a part of a column of dates as days in China, where a bad row is no error.

    Parameters
    ----------
    values : pyarrow.Array or ChunkedArray
        n values as for `days_of`. Of a column of text, numbers as Excel counts days are not read:
        whether the whole column holds such numbers a part of it cannot tell.
    name : str
        The column, for the message.

    Returns
    -------
    days : pyarrow.Array of date32
        n days; null where a value is missing or wrong.
    wrong : ndarray of bool, shape (n,)
        Which values are no date, or have two readings.

    Raises
    ------
    CaseSchemaError
        The column is of a type that holds no dates.

    Examples
    --------
    >>> days, wrong = read_days(pa.array(["2027年1月7日", "", "07/01/2027"]), name="discharge_date")
    >>> days.null_count, wrong.tolist()
    (2, [False, False, True])
    """
    return _read(values, name, serials=False)


def _read(
    values: pa.Array | pa.ChunkedArray, name: str, *, serials: bool
) -> tuple[pa.Array, Flags]:
    kind = values.type.value_type if types.is_dictionary(values.type) else values.type
    if types.is_date32(values.type):
        # Days already, as a file of the grouper has them.
        whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        return whole, np.zeros(len(whole), bool)
    if is_text(kind) or types.is_null(kind):
        days, missing, wrong = _of_texts(values, serials=serials)
    else:
        parts = [_of_values(chunk, name) for chunk in chunks_of(values)]
        parts = parts or [_of_values(pa.array([], values.type), name)]
        days, missing, wrong = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    found = np.where(wrong, 0, days).astype(np.int32)
    return pa.array(found, pa.int32(), mask=missing | wrong).cast(pa.date32()), wrong


def _of_texts(values: pa.Array | pa.ChunkedArray, *, serials: bool) -> tuple[Days, Flags, Flags]:
    """Days, which are missing and which are wrong, read through the distinct texts."""
    words, places = distinct(values)
    tidied = tidy(pa.concat_arrays([words, pa.nulls(1, words.type)]))
    missing = is_missing(tidied)
    there = tidied.filter(pa.array(~missing))
    # Five digits are a day of Excel only where the whole column is such numbers.
    if serials and len(there) and pc.all(pc.match_substring_regex(there, _SERIAL)).as_py():
        numbers = np.full(len(tidied), np.nan)
        numbers[~missing] = there.cast(pa.float64()).to_numpy(zero_copy_only=False)
        days, wrong = _of_numbers(numbers)
    elif len(there) and pc.all(pc.match_substring_regex(there, _ISO)).as_py():
        days, wrong = np.zeros(len(tidied), np.int64), np.zeros(len(tidied), bool)
        days[~missing], wrong[~missing] = _of_parts(
            *(_whole(pc.utf8_slice_codeunits(there, *at)) for at in ((0, 4), (5, 7), (8, 10)))
        )
    else:
        days, wrong = _of_forms(tidied)
    wrong &= ~missing
    return days[places], missing[places], wrong[places]


def _of_forms(tidied: pa.Array) -> tuple[Days, Flags]:
    found = pc.extract_regex(tidied, pattern=_WRITTEN)
    unread = found.is_null().to_numpy(zero_copy_only=False)
    part = {
        group: pc.fill_null(pc.struct_field(found, group), "")
        for group in ("y", "m", "d", "m2", "d2", "h", "i", "s", "zone")
    }
    month = _whole(pc.if_else(pc.equal(part["m"], ""), part["m2"], part["m"]))
    day = _whole(pc.if_else(pc.equal(part["d"], ""), part["d2"], part["d"]))
    days, wrong = _of_parts(_whole(part["y"]), month, day)
    hour, minute, second = (_whole(part[group]) for group in ("h", "i", "s"))
    wrong |= unread | (hour > 24) | (minute > 59) | (second > 60)
    # 24:00 is the end of the day that is written.
    hour = np.minimum(hour, 23)
    zone = part["zone"]
    zoned = pc.not_equal(zone, "").to_numpy(zero_copy_only=False)
    if zoned.any():
        digits = pc.replace_substring_regex(zone, "[^0-9]", "")
        hours = _whole(pc.utf8_slice_codeunits(digits, 0, 2))
        minutes = _whole(pc.utf8_slice_codeunits(digits, 2, 4))
        west = pc.starts_with(zone, "-").to_numpy(zero_copy_only=False)
        offset = (hours * 3600 + minutes * 60) * np.where(west, -1, 1)
        clock = hour * 3600 + minute * 60 + second
        shifted = days + (clock - offset + _CHINA_SECONDS) // _DAY_SECONDS
        days = np.where(zoned, shifted, days)
    return days, wrong


def _whole(digits: pa.Array) -> Days:
    """Texts of digits as numbers, an empty one or null as 0."""
    filled = pc.if_else(pc.equal(pc.fill_null(digits, ""), ""), "0", pc.fill_null(digits, "0"))
    return filled.cast(pa.int64()).to_numpy(zero_copy_only=False)


def _of_parts(year: Days, month: Days, day: Days) -> tuple[Days, Flags]:
    """Days since 1970-01-01 of calendar dates, and which of those do not exist."""
    wrong = (year < 1) | (month < 1) | (month > 12) | (day < 1)
    months = (np.where(wrong, 1970, year) - 1970) * 12 + np.where(wrong, 1, month) - 1
    starts = months.astype("datetime64[M]")
    first = starts.astype("datetime64[D]").astype(np.int64)
    length = (starts + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64) - first
    return first + day - 1, wrong | (day > length)


def _of_numbers(numbers: npt.NDArray[np.float64]) -> tuple[Days, Flags]:
    """Numbers as Excel counts days, or as eight digits; NaN is neither wrong nor a day."""
    known = np.where(np.isnan(numbers), _FIRST_SERIAL, numbers)
    whole = np.floor(np.clip(known, -1, 1e9)).astype(np.int64)
    serial = (whole >= _FIRST_SERIAL) & (whole <= _LAST_SERIAL)
    compact = (whole >= _FIRST_COMPACT) & (whole <= _LAST_COMPACT) & (whole == known)
    days, wrong = _of_parts(whole // 10_000, whole // 100 % 100, whole % 100)
    days = np.where(serial, whole + _EXCEL_ZERO, days)
    return days, ~serial & (wrong | ~compact)


def _of_values(chunk: pa.Array, name: str) -> tuple[Days, Flags, Flags]:
    """Days of a column that holds dates, times or numbers."""
    if types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    kind = chunk.type
    missing = chunk.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    if is_number(kind):
        floats = pc.cast(chunk, pa.float64(), safe=False).fill_null(np.nan)
        days, wrong = _of_numbers(floats.to_numpy(zero_copy_only=False))
    elif types.is_date32(kind):
        # Out of a dictionary: plain days are taken as they are.
        days = chunk.view(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        wrong = np.zeros(len(days), bool)
    elif types.is_date64(kind) or types.is_timestamp(kind):
        unit = _UNITS["ms" if types.is_date64(kind) else kind.unit]
        ticks = chunk.view(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        zoned = types.is_timestamp(kind) and kind.tz is not None
        days = (ticks // unit + _CHINA_SECONDS * zoned) // _DAY_SECONDS
        # The days of any program end far within 32 bits; what lies beyond is damage.
        wrong = np.abs(days) > 10_000_000
    else:
        raise CaseSchemaError(
            _("{kind} is not a date", kind=kind),
            where=_("column {name}", name=name),
            hint=_("Forms that are read: {day_forms}.", day_forms=_(DAY_FORMS)),
        )
    return days, missing, wrong & ~missing
