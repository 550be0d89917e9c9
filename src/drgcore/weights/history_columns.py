"""The columns of cases of past years: names in order, years, what can be used and why not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.attributes import Codes, dates_of
from drgcore.cases.statuses import statuses_of

REASONS = ("ambiguous", "ungrouped", "invalid", "cost_missing", "cost_negative", "cost_zero")
"""Why a case is left out of calibration, in the order in which it is looked at."""

NO_YEAR = -1
"""Year of a case without a discharge date."""


def years_of(table: pa.Table) -> NDArray[np.int32]:
    """Give the year of each discharge, `NO_YEAR` where there is no date.

    Parameters
    ----------
    table : pyarrow.Table
        n cases with `discharge_date`.

    Returns
    -------
    ndarray of int32, shape (n,)

    Raises
    ------
    CaseSchemaError
        Where a value is no date.

    Examples
    --------
    >>> years_of(pa.table({"discharge_date": ["2026-12-31", None, "2027-01-01"]})).tolist()
    [2026, -1, 2027]
    """
    days = dates_of(table, "discharge_date").combine_chunks().cast(pa.int32())
    known = pc.min_max(days)
    if not known["min"].is_valid:
        return np.full(len(days), NO_YEAR, np.int32)
    # Looked up in a table of the days between the first and the last.
    first, last = known["min"].as_py(), known["max"].as_py()
    each = np.arange(first, last + 1).astype("datetime64[D]").astype("datetime64[Y]")
    years = np.append(each.astype(np.int64) + 1970, NO_YEAR).astype(np.int32)
    places = pc.fill_null(days, last + 1).to_numpy(zero_copy_only=False)
    return years.take(places - np.int32(first))


def grouped_statuses(status: Codes, drg: NDArray[np.int32]) -> NDArray[np.int8]:
    """Give the status of each case; one called grouped that has no group is in none.

    Parameters
    ----------
    status : Codes
        As the cases have it; a case without one is ungrouped.
    drg : ndarray of int32, shape (n,)
        Codes of the group, -1 for none.

    Returns
    -------
    ndarray of int8, shape (n,)
        0 grouped, 1 ambiguous, 2 ungrouped, 3 invalid.

    Examples
    --------
    >>> given = Codes(["grouped"], np.array([0, 0, -1], np.int32))
    >>> grouped_statuses(given, np.array([5, -1, 5], np.int32)).tolist()
    [0, 2, 2]
    """
    # "wrap", the fastest way, finds the status of none behind the others.
    codes = np.append(statuses_of(status.names), np.int8(2)).take(status.codes, mode="wrap")
    codes[(codes == 0) & (drg < 0)] = 2
    return codes


def usable_cases(
    status: NDArray[np.int8], cost: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], pd.DataFrame]:
    """Say which cases enter the statistics, and count those that do not.

    Parameters
    ----------
    status : ndarray of int8, shape (n,)
        What `grouped_statuses` gives.
    cost : ndarray of float64, shape (n,)
        Total cost [yuan]; NaN where there is none.

    Returns
    -------
    usable : ndarray of bool, shape (n,)
        Grouped, with a cost above 0.
    left_out : pandas.DataFrame
        Columns reason (`REASONS`) and cases; each case counts once.

    Examples
    --------
    >>> usable, left_out = usable_cases(np.array([0, 0, 2], np.int8), np.array([5.0, 0.0, -1.0]))
    >>> usable.tolist(), left_out.values.tolist()
    ([True, False, False], [['ungrouped', 1], ['cost_zero', 1]])
    """
    from drgcore.weights.kernel import mark_usable

    usable = np.empty(len(cost), bool)
    counts = np.zeros(len(REASONS), np.int64)
    mark_usable(status, cost, usable, counts)
    found = zip(REASONS, counts.tolist(), strict=True)
    rows = [(reason, number) for reason, number in found if number]
    return usable, pd.DataFrame(rows, columns=["reason", "cases"])
