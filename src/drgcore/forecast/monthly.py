"""Cases added up by month, exactly: what a forecast of monthly shares starts from."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.attributes import (
    Codes,
    amounts_of,
    dates_of,
    refuse_rows,
    select_columns,
    text_codes,
)
from drgcore.errors import CaseSchemaError
from drgcore.forecast.festival import FIRST_YEAR, LAST_YEAR
from drgcore.language import N_, _

# Of a Poisson count with this mean, none at all has a chance below one in a thousand.
_EXPECTED = 7.0
_LOW_BITS = 27
# So many rows of 27 bits add up to at most 2**53, below which doubles are exact integers.
_ROWS = 1 << 26


def monthly_totals(
    cases: Any,
    value: str = "cases",
    by: str | None = "pool",
    *,
    incomplete: Literal["error", "leave_out", "keep"] = "error",
) -> pd.DataFrame:
    """Add up cases by month of discharge (出院月份).

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table, or anything with the Arrow PyCapsule interface
        One row a case, with `discharge_date` and the columns named below.
    value : str, default "cases"
        What is added up: ``cases`` counts rows; ``points``, ``total_cost`` or another column of
        numbers that are finite and not negative.
    by : str or None, default "pool"
        Column by which totals are kept apart; None for one total of all.
    incomplete : {"error", "leave_out", "keep"}
        What to do with a first or last month that looks cut off: the days without a case at its
        outer end would have had seven cases or more at the data's mean per day. ``leave_out``
        takes the month out, ``keep`` says that the data are whole.

    Returns
    -------
    pandas.DataFrame
        Columns `by` (unless None), `month` as text such as ``2026-01``, `value`; sorted. Every
        group has every month from the data's first to its last, with 0 where it has no cases. A
        sum is the float nearest to the exact sum, in any order of rows.

    Raises
    ------
    CaseSchemaError
        For a column that is not there; a row without date, group or amount; a discharge outside
        1990 to 2100; and a month that looks cut off, unless `incomplete` decides.

    Examples
    --------
    >>> cases = pd.DataFrame({
    ...     "discharge_date": ["2026-01-31", "2026-03-01", "2026-01-02"],
    ...     "pool": ["employee"] * 3, "points": [100.5, 80.0, 20.25],
    ... })
    >>> monthly_totals(cases, "points")
           pool    month   value
    0  employee  2026-01  120.75
    1  employee  2026-02    0.00
    2  employee  2026-03   80.00
    """
    if incomplete not in ("error", "leave_out", "keep"):
        raise CaseSchemaError(
            _("incomplete is {incomplete!r}", incomplete=incomplete),
            hint=_("It is error, leave_out or keep."),
        )
    needed = ["discharge_date", *([by] if by else []), *([value] if value != "cases" else [])]
    table = select_columns(cases, [*needed, "case_id"])
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing=", ".join(missing)),
            where="cases",
            hint=_("compute_points gives points; by=None asks for no groups"),
        )
    if not len(table):
        raise CaseSchemaError(_("there are no cases"), where="cases")
    days, months = _days_and_months(table)
    first, last = int(months.min()), int(months.max())
    group = text_codes(table, by) if by else Codes(["all"], np.zeros(len(table), np.int32))
    keys = group.codes * np.int64(last - first + 1) + (months - first)
    size = len(group.names) * (last - first + 1)
    totals: NDArray[Any]
    if value == "cases":
        totals = np.bincount(keys, minlength=size)
    else:
        totals = exact_sums(amounts_of(table, value), keys, size)
    order = np.argsort(np.array(group.names, object), kind="stable")
    totals = totals.reshape(len(group.names), -1)[order]
    kept = np.ones(totals.shape[1], bool)
    for place, cut in _cut_off(days):
        text = month_text(first if place == 0 else last)
        if incomplete == "error":
            raise CaseSchemaError(
                _("{text} looks cut off: {cut}", text=text, cut=cut),
                where=_("column discharge_date"),
                hint=_(
                    'Add the missing cases, or decide: incomplete="leave_out" leaves the month '
                    'out, incomplete="keep" takes it as whole.'
                ),
            )
        kept[place] = incomplete == "keep"
    names = [group.names[i] for i in order]
    labels = [month_text(first + i) for i in np.flatnonzero(kept).tolist()]
    columns: dict[str, Any] = {by: np.repeat(names, len(labels))} if by else {}
    columns["month"] = np.tile(labels, len(names))
    columns["value"] = totals[:, kept].ravel()
    return pd.DataFrame(columns)


def month_text(index: int) -> str:
    """Write a month that is given as months counted from the year 0.

    Parameters
    ----------
    index : int
        Twelve times the year plus the month, January as 0.

    Returns
    -------
    str

    Examples
    --------
    >>> month_text(2026 * 12 + 11)
    '2026-12'
    """
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def exact_sums(
    values: NDArray[np.float64], keys: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Add up numbers by key without any rounding before the end.

    Each number is a whole number of 53 bits times a power of two. Those of one key and one power
    are added as integers, in two halves; the few sums that are left are added as long integers.

    Parameters
    ----------
    values : ndarray of float64
        Finite numbers.
    keys : ndarray of int64
        The key of each, from 0 to `size` - 1.
    size : int
        Number of keys.

    Returns
    -------
    ndarray of float64
        The float nearest to each exact sum.

    Raises
    ------
    CaseSchemaError
        If a sum is greater than any float.

    Examples
    --------
    >>> exact_sums(np.array([1e16, 1.0, 1.0, 0.5]), np.array([0, 0, 0, 1]), 2).tolist()
    [1.0000000000000002e+16, 0.5]
    """
    fractions, exponents = np.frexp(values)
    whole = np.ldexp(fractions, 53).astype(np.int64)
    powers, power = np.unique(exponents, return_inverse=True)
    least = int(powers[0]) if len(powers) else 0
    cells = keys * max(len(powers), 1) + power
    width = size * max(len(powers), 1)
    high, low = np.zeros(width, np.int64), np.zeros(width, np.int64)
    for start in range(0, len(values), _ROWS):
        part, cell = whole[start : start + _ROWS], cells[start : start + _ROWS]
        high += np.bincount(cell, part >> _LOW_BITS, width).astype(np.int64)
        low += np.bincount(cell, part & ((1 << _LOW_BITS) - 1), width).astype(np.int64)
    totals = [0] * size
    for filled in np.flatnonzero(high | low).tolist():
        key, place = divmod(filled, len(powers))
        units = (int(high[filled]) << _LOW_BITS) + int(low[filled])
        totals[key] += units << (int(powers[place]) - least)
    unit = 53 - least
    try:
        return np.array([t / (1 << unit) if unit > 0 else t << -unit for t in totals], np.float64)
    except OverflowError as error:
        raise CaseSchemaError(_("a total is too great for a number"), where="cases") from error


def _days_and_months(table: pa.Table) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Days since 1970-01-01, and months counted from the year 0."""
    discharge = dates_of(table, "discharge_date")
    refuse_rows(
        table, discharge.is_null().to_numpy(), _("have no discharge date"), "discharge_date"
    )
    years = pc.year(discharge).to_numpy()
    outside = (years < FIRST_YEAR) | (years > LAST_YEAR)
    refuse_rows(
        table,
        outside,
        _(
            "were discharged outside {first_year} to {last_year}",
            first_year=FIRST_YEAR,
            last_year=LAST_YEAR,
        ),
        "discharge_date",
    )
    months = years * 12 + pc.month(discharge).to_numpy() - 1
    return discharge.cast(pa.int32()).to_numpy(), months


def _cut_off(days: NDArray[np.int32]) -> list[tuple[int, str]]:
    """The places (0 or -1) of months that look cut off, and why they do."""
    first, last = np.datetime64(int(days.min()), "D"), np.datetime64(int(days.max()), "D")
    per_day = len(days) / (int((last - first).astype(int)) + 1)
    begin = first.astype("datetime64[M]").astype("datetime64[D]")
    end = (last.astype("datetime64[M]") + np.timedelta64(1, "M")).astype("datetime64[D]")
    end -= np.timedelta64(1, "D")
    found = []
    for place, day, gap, said in (
        (
            *(0, first, first - begin),
            N_("the first discharge is on {day}, with {per_day:,.1f} cases a day"),
        ),
        (
            *(-1, last, end - last),
            N_("the last discharge is on {day}, with {per_day:,.1f} cases a day"),
        ),
    ):
        if int(gap.astype(int)) * per_day >= _EXPECTED:
            found.append((place, _(said, day=day, per_day=per_day)))
    return found
