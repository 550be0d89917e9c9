"""The two ages of a case, and what one says of the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from drgcore.cases.arrow_arrays import number_array
from drgcore.cases.days import days_of
from drgcore.cases.notes import ReadingNotes
from drgcore.cases.resolving import ResolvedMapping
from drgcore.cases.text import is_text
from drgcore.cases.values import (
    MISSING_NUMBER,
    is_number,
    parse_age_days,
    parse_age_months,
    parse_age_years,
)
from drgcore.errors import CaseSchemaError

INFANT_DAYS = 365
"""The longest age in days of a patient who has not completed a year, in a leap year."""

_NO_DAY = np.iinfo(np.int32).min


def read_ages(
    batch: pa.RecordBatch | pa.Table, mapping: ResolvedMapping, notes: ReadingNotes | None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Age in years and age in days.

    Where the age in days is missing and the age in years is 0 or missing, it is taken from birth
    date and admission date, or from the text of the age in years where that gives days (12天), or
    from the age in months (2 15/30).
    Where the age in years is missing and the age in days is from 0 to 365, it is 0.

    Parameters
    ----------
    batch : pyarrow.RecordBatch or Table
        n cases.
    mapping : ResolvedMapping
    notes : ReadingNotes or None
        Counts what was deduced.

    Returns
    -------
    years, days : ndarray of int32, shape (n,)
        As `parse_age_years` and `parse_age_days` give them.
    """
    column = batch.column(mapping.age_years)
    years = parse_age_years(column)
    if mapping.age_days is None:
        days = np.full(len(years), MISSING_NUMBER, np.int32)
    else:
        days = parse_age_days(batch.column(mapping.age_days))
    wanted = np.flatnonzero((days == MISSING_NUMBER) & (years <= 0) & (years >= MISSING_NUMBER))
    if len(wanted):
        found = _days_between(batch, mapping, wanted)
        if not is_number(_plain(column.type)):
            in_text = _days_in_text(_some(column, wanted))
            found = np.where(found == MISSING_NUMBER, in_text, found)
        if mapping.age_months is not None:
            in_months = parse_age_months(_some(batch.column(mapping.age_months), wanted))
            found = np.where(found == MISSING_NUMBER, in_months, found)
        days[wanted] = found
        if notes is not None:
            notes.add(days=int(np.count_nonzero(found >= 0)))
    deduced = (years == MISSING_NUMBER) & (days >= 0) & (days <= INFANT_DAYS)
    years[deduced] = 0
    if notes is not None and deduced.any():
        notes.add(ages=int(np.count_nonzero(deduced)))
    return years, days


def _days_between(
    batch: pa.RecordBatch | pa.Table, mapping: ResolvedMapping, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Days from birth to admission, where both are there and no more than a year apart."""
    none = np.full(len(rows), MISSING_NUMBER, np.int32)
    if mapping.birth_date is None or mapping.admission_date is None:
        return none
    birth, admission = (
        _days(_some(batch.column(name), rows))
        for name in (mapping.birth_date, mapping.admission_date)
    )
    between = admission - birth
    there = (birth != _NO_DAY) & (admission != _NO_DAY) & (between >= 0) & (between <= INFANT_DAYS)
    return np.where(there, between, none).astype(np.int32)


def _days(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Days since 1970; of a date that cannot be read, none: the age in days stays missing."""
    if types.is_null(column.type):
        return np.full(len(column), _NO_DAY, np.int64)
    try:
        return _read_days(column)
    except CaseSchemaError:
        one_by_one = np.full(len(column), _NO_DAY, np.int64)
        for place in range(len(column)):
            try:
                one_by_one[place] = _read_days(column.slice(place, 1))[0]
            except CaseSchemaError:
                continue
        return one_by_one


def _read_days(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    days = days_of(column, name="day").cast(pa.int32()).fill_null(_NO_DAY)
    found: npt.NDArray[np.int64] = days.to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _days_in_text(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Days that the text of an age in years gives: 12天, 2 15/30; a bare number gives none."""
    if types.is_null(column.type) or not is_text(_plain(column.type)):
        return np.full(len(column), MISSING_NUMBER, np.int32)
    days = parse_age_days(column)
    # Years and days of a bare number would be the same number.
    words = [value or "" for value in column.to_pylist()]
    says_days = np.array([any(c in word for c in "天日时月hH/／") for word in words], np.bool_)
    there = (days >= 0) & says_days & (parse_age_years(column) == 0)
    return np.where(there, days, MISSING_NUMBER).astype(np.int32)


def _some(
    column: pa.Array | pa.ChunkedArray, rows: npt.NDArray[np.int64]
) -> pa.Array | pa.ChunkedArray:
    # Views have no kernel for taking some of them.
    if types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    return column.take(number_array(rows))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if types.is_dictionary(kind) else kind
