"""The columns of grouped cases as arrays of numbers and dense codes, each checked once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.amounts import flags_from
from drgcore.cases.attributes import (
    Codes,
    amounts_of,
    dates_of,
    numbers_of,
    refuse_rows,
    select_columns,
    some_of,
    text_codes,
)
from drgcore.cases.repeated import CaseWarning
from drgcore.cases.statuses import statuses_of, statuses_of_groups
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.points.ids import checked_ids, ids_of
from drgcore.points.needs import conditional_rules, tested_columns, uses_level
from drgcore.points.policy import Policy

_ASKED = ("status", "hospital_level", "list_item", "admission_date")


@dataclass(frozen=True)
class CaseColumns:
    """What the rules look at, one entry a case.

    Parameters
    ----------
    ids : pyarrow.ChunkedArray
        Case ids.
    hospital, level, pool, drg, item : Codes
        Texts as codes; `item` is the fixed-price list's item that the case is marked with.
    status : ndarray of int8
        Index into `STATUSES`.
    day : ndarray of int32
        Day of discharge since 1970-01-01.
    stay : ndarray of float64
        L [days]; empty where no rule looks at it, as are the next three.
    cost, unreasonable, patient_paid : ndarray of float64
        C, U, B [yuan].
    flags : dict of str to ndarray of bool
        True/false columns that rules name.
    numbers : dict of str to ndarray of float64
        Columns of numbers that rules test; NaN where there is none.
    """

    ids: pa.ChunkedArray
    hospital: Codes
    level: Codes
    pool: Codes
    drg: Codes
    item: Codes
    status: NDArray[np.int8]
    day: NDArray[np.int32]
    cost: NDArray[np.float64]
    stay: NDArray[np.float64]
    unreasonable: NDArray[np.float64]
    patient_paid: NDArray[np.float64]
    flags: dict[str, NDArray[np.bool_]]
    numbers: dict[str, NDArray[np.float64]]


def columns_for(periods: Sequence[Policy]) -> tuple[list[str], list[str]]:
    """Name the columns that the points of cases hang on.

    Parameters
    ----------
    periods : sequence of Policy
        The policies of all periods.

    Returns
    -------
    needed, asked : list of str
        Those that must be there, and those that are read where they are.

    Examples
    --------
    >>> columns_for([Policy.load("example")])[0][-2:]
    ['length_of_stay', 'patient_paid']
    """
    stay, deducted, fund_part = _looked_at(periods)
    flags, numbers = tested_columns(periods)
    needed = ["case_id", "hospital", "pool", "discharge_date", "total_cost", "drg"]
    needed += ["length_of_stay"] * stay + ["unreasonable_cost"] * deducted
    return list(dict.fromkeys([*needed, *["patient_paid"] * fund_part, *flags, *numbers])), [
        *_ASKED
    ]


def read_columns(cases: Any, periods: Sequence[Policy], *, unique: bool = True) -> CaseColumns:
    """Check grouped cases and turn their columns into arrays.

    Parameters
    ----------
    cases : pandas.DataFrame or Arrow table or stream
        Grouped cases.
    periods : sequence of Policy
        The policies of all periods, which decide what columns are needed.
    unique : bool, default True
        Refuse ids that occur twice; False where that is done over more cases than these.

    Returns
    -------
    CaseColumns
        The arrays.

    Raises
    ------
    CaseSchemaError
        For a column that is not there; a value that is missing, NaN, infinite or negative where it
        must not be; an id that occurs twice; a status that the grouper does not give; a hospital
        without level where the policy looks at it; U greater than C; a discharge before admission.

    Examples
    --------
    >>> read_columns(pa.table({"case_id": ["1"]}), [Policy.load("example")])
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: cases: the cases have no column hospital, pool, ...
    """
    stay, deducted, fund_part = _looked_at(periods)
    flags, numbers = tested_columns(periods)
    needed, asked = columns_for(periods)
    table = select_columns(cases, [*needed, *asked])
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing=", ".join(missing)), where="cases"
        )
    ids = checked_ids(table) if unique else ids_of(table)
    # In their order, so that what a policy says of them is looked up once for all batches.
    hospital = text_codes(table, "hospital").in_order()
    drg = text_codes(table, "drg", optional=True).in_order()
    cost = amounts_of(table, "total_cost")
    none = np.empty(0)
    unreasonable = amounts_of(table, "unreasonable_cost") if deducted else none
    if deducted:
        refuse_rows(
            table, unreasonable > cost, _("have more unreasonable cost than cost"), "total_cost"
        )
    return CaseColumns(
        ids,
        hospital,
        _levels(table, hospital, periods),
        text_codes(table, "pool").in_order(),
        drg,
        text_codes(table, "list_item", optional=True).in_order(),
        _statuses(table, drg),
        _days(table),
        cost,
        amounts_of(table, "length_of_stay") if stay else none,
        unreasonable,
        amounts_of(table, "patient_paid") if fund_part else none,
        {name: flags_from(table.column(name), name=name) for name in flags},
        {name: numbers_of(table, name) for name in numbers},
    )


def warn_of_magnitudes(cost: NDArray[Any], mean: NDArray[Any]) -> None:
    """Warn if costs are so far from their groups' means that their unit must be another.

    Parameters
    ----------
    cost : ndarray of float64
        C of grouped cases [yuan].
    mean : ndarray of float64
        What such a case costs on average [yuan].

    Warns
    -----
    CaseWarning
        If the median of C/m is above 20, as with costs in fen (100 times as much), or positive and
        below 0.05.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_of_magnitudes(np.array([1_200_000.0]), np.array([10_000.0]))
    >>> str(caught[0].message)
    'the median cost is 120 times the mean of its group: are costs in fen? They must be in yuan'
    """
    ratio = cost / mean
    ratio = ratio[np.isfinite(ratio)]
    median = float(np.median(ratio)) if len(ratio) else 1.0
    if median > 20 or 0 < median < 0.05:
        unit = _("fen") if median > 20 else _("thousands, or the policy's means in fen")
        warnings.warn(
            _(
                "the median cost is {median:.3g} times the mean of its group: "
                "are costs in {unit}? They must be in yuan",
                median=median,
                unit=unit,
            ),
            CaseWarning,
            stacklevel=3,
        )


def _looked_at(periods: Sequence[Policy]) -> tuple[bool, bool, bool]:
    """Say whether any rule looks at L, at U, and at B."""
    rules = [rule for policy in periods for rule in conditional_rules(policy)]
    return (
        any(policy.bed_day for policy in periods) or any(rule.uses_stay for rule in rules),
        any(policy.costs.unreasonable == "deducted" for policy in periods),
        any(rule.no_fund_part for policy in periods for rule in policy.exclusions),
    )


def _levels(table: pa.Table, hospital: Codes, periods: Sequence[Policy]) -> Codes:
    """Take the case's level, or else the one that the policy's list of hospitals gives."""
    given = text_codes(table, "hospital_level", optional=True).in_order()
    listed = {n: h.level for policy in periods for n, h in policy.hospitals.items() if h.level}
    lacking = given.codes < 0
    codes, names = given.codes, list(given.names)
    if lacking.any() and listed:
        names += sorted(set(listed.values()) - set(names))
        own = [names.index(listed[n]) if n in listed else -1 for n in hospital.names]
        codes = np.where(lacking, np.array(own, np.int32)[hospital.codes], codes).astype(np.int32)
    lacking = codes < 0
    if lacking.any() and any(uses_level(policy) for policy in periods):
        without = sorted({hospital.names[code] for code in np.unique(hospital.codes[lacking])})
        raise CaseSchemaError(
            _(
                "{count} cases are of a hospital without level: {without}",
                count=int(lacking.sum()),
                without=some_of(without),
            ),
            where=_("column hospital_level"),
            hint=_("give the level in the cases or in the policy's [hospitals]"),
        )
    return Codes(names, codes)


def _statuses(table: pa.Table, drg: Codes) -> NDArray[np.int8]:
    if "status" in table.column_names:
        status = text_codes(table, "status")
        return np.append(statuses_of(status.names), np.int8(0))[status.codes]
    # Official results have no such column: their groups say it.
    refuse_rows(table, drg.codes < 0, _("have neither a status nor a group"), "drg")
    return np.append(statuses_of_groups(drg.names), np.int8(0))[drg.codes]


def _days(table: pa.Table) -> NDArray[np.int32]:
    discharge = dates_of(table, "discharge_date")
    if discharge.null_count:
        without = discharge.is_null().to_numpy()
        refuse_rows(table, without, _("have no discharge date"), "discharge_date")
    if "admission_date" in table.column_names:
        later = pc.fill_null(pc.greater(dates_of(table, "admission_date"), discharge), False)
        if pc.any(later).as_py():
            wrong = later.to_numpy()
            refuse_rows(table, wrong, _("were discharged before admission"), "admission_date")
    return discharge.cast(pa.int32()).to_numpy()
