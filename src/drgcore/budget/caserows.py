"""Rows of cases as integers: ids, dense codes, points and fen, each checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.budget.given_value import given_value
from drgcore.budget.month import Month
from drgcore.budget.terms import Terms
from drgcore.cases.amounts import numbers_from
from drgcore.cases.attributes import select_columns, some_of
from drgcore.cases.days import days_of
from drgcore.cases.hashes import hash_strings, name_hashes
from drgcore.errors import CaseSchemaError
from drgcore.language import _

REQUIRED = ("case_id", "hospital", "pool", "discharge_date", "case_class", "points")
OPTIONAL = (
    *("drg", "total_cost", "patient_paid", "refused_amount", "violation", "capitation_unit"),
    *("on_top_amount", "settlement_date"),
)


_SALT = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Codes:
    """A text column: its distinct values, and the number of one of them for each row."""

    names: list[str]
    codes: np.ndarray

    def texts(self) -> np.ndarray:
        """Give the column's texts again."""
        return np.array(self.names, object)[self.codes]


@dataclass(frozen=True)
class Rows:
    """Cases of one batch as integers.

    Parameters
    ----------
    case_ids : pyarrow.Array
        The ids.
    hashes, identity : ndarray of uint64
        Hash of the id; of id, DRG and class.
    pool, hospital, case_class, drg, unit : Codes
        Texts as dense codes; no DRG and no capitated unit are ''.
    month : ndarray of int64
        Month of discharge, 0 to 11.
    points : ndarray of int64
        Points in units of the last decimal place.
    patient_paid, refused, item_cost, outside : ndarray of int64
        B; X, which is D times the multiple of the violation; C − B: all 0 for a case outside the
        points, of which C − B − X, not less than 0, is paid by item [fen].
    on_top, given : ndarray of int64 or None
        Money on top of points; min(v·Q, claim) of the cases of pools with a given value [fen]. None
        where the policy has neither.
    """

    case_ids: pa.Array
    hashes: np.ndarray
    identity: np.ndarray
    pool: Codes
    hospital: Codes
    case_class: Codes
    drg: Codes
    unit: Codes
    month: np.ndarray
    points: np.ndarray
    patient_paid: np.ndarray
    refused: np.ndarray
    item_cost: np.ndarray
    outside: np.ndarray
    on_top: np.ndarray | None = None
    given: np.ndarray | None = None


def case_table(cases: Any, terms: Terms) -> pa.Table:
    """Take the columns that a settlement needs, and say which are missing.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table or Arrow stream
        Cases with points.
    terms : Terms
        The parameters of the year, which decide what is needed.

    Returns
    -------
    pyarrow.Table
        The columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from drgcore.budget.terms import PoolTerms
    >>> case_table(pd.DataFrame({"case_id": ["1"]}), Terms(2026, (PoolTerms("p", 0),)))
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: settlement of 2026: the cases have no column hospital, pool, ...
    """
    table = columns_of(cases, [*REQUIRED, *OPTIONAL])
    required = [terms.date_column if n == "discharge_date" else n for n in REQUIRED]
    missing = [n for n in [*required, *terms.needed_columns] if n not in table.column_names]
    if missing:
        raise CaseSchemaError(
            _("the cases have no column {listed}", listed=listed(missing)),
            where=_("settlement of {year}", year=terms.year),
            hint=_("compute_points gives case_class and points; the others come with the cases"),
        )
    if table.column("case_id").null_count:
        raise CaseSchemaError(_("a case has no id"), where=_("column case_id"))
    ids = pc.cast(table.column("case_id"), pa.large_string())
    return table.set_column(table.column_names.index("case_id"), "case_id", ids)


def read_rows(batch: pa.RecordBatch, terms: Terms) -> Rows:
    """Turn a batch of cases into integers.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Columns as `case_table` gives them.
    terms : Terms
        The parameters of the year.

    Returns
    -------
    Rows
        The batch.

    Raises
    ------
    CaseSchemaError
        For a discharge outside the year, a pool without budget, a violation without multiple, or a
        value that is missing, not finite or negative.

    Examples
    --------
    >>> import pandas as pd
    >>> from drgcore.budget.terms import PoolTerms
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["p"], "case_class": ["normal"]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-03-31"]), "points": [250.0]}
    >>> terms = Terms(2026, (PoolTerms("p", 0),))
    >>> rows = read_rows(case_table(pd.DataFrame(case), terms).to_batches()[0], terms)
    >>> rows.month.tolist(), rows.points.tolist()
    ([2], [2500000])
    """
    day = terms.date_column
    month = month_indices(batch.column(day), day) - Month(terms.year, 1).index
    outside = (
        _("were discharged outside {year}", year=terms.year)
        if day == "discharge_date"
        else _("were settled outside {year}", year=terms.year)
    )
    _refuse(batch, (month < 0) | (month > 11), outside, day)
    pool = _codes(batch, "pool")
    unknown = sorted(set(pool.names) - {p.pool for p in terms.pools})
    if unknown:
        raise CaseSchemaError(
            _("the policy has no budget for the pool {listed}", listed=listed(unknown)),
            where=_("column pool"),
        )
    case_class = _codes(batch, "case_class")
    points = points_of(batch.column("points"), terms.point_places)
    patient_paid = _fen(batch, "patient_paid")
    refused_once = _fen(batch, "refused_amount")
    for name, values in (
        ("points", points),
        ("patient_paid", patient_paid),
        ("refused_amount", refused_once),
    ):
        _refuse(batch, values < 0, _("have negative {name}", name=name), name)
    refused = _times_multiple(batch, refused_once, terms)
    by_item = _fen(batch, "total_cost") - patient_paid
    # What is paid by item has its own account: nothing of it enters the points' budget.
    is_outside = np.array([name == "outside" for name in case_class.names])[case_class.codes]
    drg = _codes(batch, "drg", missing="")
    hashes = hash_strings(batch.column("case_id"))
    identity = hashes ^ name_hashes(drg.names, 1)[drg.codes]
    identity ^= name_hashes(case_class.names, 2)[case_class.codes]
    on_top = None
    if terms.on_top_from is not None:
        on_top = _fen(batch, "on_top_amount")
        negative = _("have negative {name}", name="on_top_amount")
        _refuse(batch, on_top < 0, negative, "on_top_amount")
        both = _("are outside the points, so paid by item, and have an on_top_amount")
        _refuse(batch, is_outside & (on_top > 0), both, "on_top_amount")
        # Only where there is any, so that a policy without such money closes as it did.
        identity = np.where(on_top > 0, identity ^ on_top.astype(np.uint64) * _SALT, identity)
    item_cost = np.where(is_outside, 0, by_item)
    return Rows(
        batch.column("case_id"),
        hashes,
        identity,
        pool,
        _codes(batch, "hospital"),
        case_class,
        drg,
        _codes(batch, "capitation_unit", missing=""),
        month,
        points,
        np.where(is_outside, 0, patient_paid),
        np.where(is_outside, 0, refused),
        item_cost,
        np.where(is_outside, np.maximum(by_item - refused, 0), 0),
        on_top,
        given_value(
            terms,
            pool.names,
            pool.codes,
            points,
            item_cost,
            np.where(is_outside, 0, patient_paid),
            on_top,
        ),
    )


def listed(names: Sequence[Any], most: int = 5) -> str:
    """Write the first few of many names for a message, see `some_of`."""
    return some_of([str(name) for name in names], most)


def columns_of(cases: Any, names: Sequence[str]) -> pa.Table:
    """Take some columns of a frame or table as an Arrow table, without copying the others.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table or Arrow stream
        The cases.
    names : sequence of str
        Columns to take, where present.

    Returns
    -------
    pyarrow.Table
        The columns that are there.

    Examples
    --------
    >>> import pandas as pd
    >>> columns_of(pd.DataFrame({"a": [1], "b": [2]}), ["b", "c"]).column_names
    ['b']
    """
    return select_columns(cases, names)


def points_of(column: Any, places: int) -> np.ndarray:
    """Read points as integers of their last decimal place.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
        Points, rounded to `places` decimals.
    places : int
        Decimals of a point.

    Returns
    -------
    ndarray of int64
        Points × 10**places.

    Examples
    --------
    >>> points_of(pa.array([120.5, 0.0001]), 4)
    array([1205000,       1])
    """
    values = _numbers(column, "points")
    scaled = values * 10.0**places
    whole = np.rint(scaled)
    # A float64 within its exact range is off by less than this after one multiplication, which
    # for large points of eight decimals is more than a thousandth of the last one.
    wrong = np.abs(scaled - whole) > np.maximum(1e-3, np.abs(scaled) * 2.0**-51)
    if wrong.any() or (np.abs(whole) > 2.0**52).any():
        raise CaseSchemaError(
            _(
                "{count} values have more than the policy's {places} decimals, or are out of range",
                count=int(wrong.sum()),
                places=places,
            ),
            where=_("column points"),
            hint=_("round points as the policy states before they are added up"),
        )
    return whole.astype(np.int64)


def month_indices(column: Any, name: str = "discharge_date") -> np.ndarray:
    """Turn dates into `Month.index` values.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
        Dates or times, as `drgcore.cases.days.days_of` reads them.
    name : str
        The column's name, for the error when a date is missing.

    Returns
    -------
    ndarray of int64
        Months counted from the year 0.

    Examples
    --------
    >>> import datetime
    >>> int(month_indices(pa.array([datetime.date(2026, 1, 31)]))[0]) == Month(2026, 1).index
    True
    """
    days = days_of(column, name=name)
    if days.null_count:
        raise CaseSchemaError(
            _("{count} cases have no date", count=days.null_count),
            where=_("column {name}", name=name),
        )
    months = days.to_numpy(zero_copy_only=False).astype("datetime64[M]")
    return months.astype(np.int64) + 1970 * 12


def _refuse(batch: pa.RecordBatch, wrong: np.ndarray, what: str, column: str) -> None:
    if wrong.any():
        ids = batch.column("case_id").filter(pa.array(wrong)).to_pylist()
        raise CaseSchemaError(
            _("{count} cases {what}: {listed}", count=len(ids), what=what, listed=listed(ids)),
            where=_("column {column}", column=column),
        )


def _codes(batch: pa.RecordBatch, name: str, missing: str | None = None) -> Codes:
    """Give a text column as dense codes; a null is `missing`, or an error where that is None."""
    if name not in batch.schema.names and missing is not None:
        return Codes([missing], np.zeros(len(batch), np.int64))
    column = batch.column(name)
    if not pa.types.is_dictionary(column.type):
        column = pc.cast(column, pa.large_string()).dictionary_encode()
    names = ["" if value is None else str(value) for value in column.dictionary.to_pylist()]
    codes = column.indices
    if column.null_count:
        if missing is None:
            empty = column.is_null().to_numpy(zero_copy_only=False)
            _refuse(batch, empty, _("have no {name}", name=name), name)
        codes = pc.fill_null(codes, len(names))
        names.append(missing or "")
    return Codes(names, codes.to_numpy(zero_copy_only=False).astype(np.int64))


def _numbers(column: Any, name: str) -> np.ndarray:
    """Read a column of numbers as float64; null and NaN are errors, never zeros."""
    values = numbers_from(column, name=name)
    bad = ~np.isfinite(values)
    if bad.any():
        raise CaseSchemaError(
            _("{count} values are missing or not finite", count=int(bad.sum())),
            where=_("column {name}", name=name),
            hint=_("give 0 where there is no amount"),
        )
    return values


def _fen(batch: pa.RecordBatch, name: str) -> np.ndarray:
    """Read yuan as fen, each case rounded to the nearest; a column that is not there is all 0."""
    if name not in batch.schema.names:
        return np.zeros(len(batch), np.int64)
    return np.rint(_numbers(batch.column(name), name) * 100).astype(np.int64)


def _times_multiple(batch: pa.RecordBatch, refused: np.ndarray, terms: Terms) -> np.ndarray:
    """Multiply what audit refused by the multiple of the violation, halves of a fen rounded up."""
    if "violation" not in batch.schema.names:
        return refused
    found = _codes(batch, "violation", missing="")
    kinds, kind = found.names, found.codes
    used = {kinds[k] for k in np.unique(kind)} - {""}
    unknown = sorted(used - set(terms.violation_multiples))
    if unknown:
        raise CaseSchemaError(
            _("the policy has no multiple for the violation {listed}", listed=listed(unknown)),
            where=_("column violation"),
        )
    multiples = [terms.violation_multiples.get(k, 1) for k in kinds]
    top = np.array([m.numerator for m in multiples], np.int64)[kind]
    bottom = np.array([m.denominator for m in multiples], np.int64)[kind]
    return (2 * refused * top + bottom) // (2 * bottom)
