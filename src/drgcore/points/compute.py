"""Points of cases (病例点数): class, reason, factors and points, vectorised over millions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.points.case_columns import CaseColumns, read_columns
from drgcore.points.decisions import DECISIONS, read_decisions, warn_of_unused_grants
from drgcore.points.factors import apply_factors
from drgcore.points.policy import Policy
from drgcore.points.records import CLASSES, Factors, Rows
from drgcore.points.segments import Compiled, run_segments
from drgcore.progress import step

POINT_COLUMNS = (
    "case_class",
    "class_reason",
    "base_points",
    "coefficient",
    "multiple",
    "added_points",
    "points",
)
"""What `compute_points` adds to the cases."""


def compute_points(
    cases: Any, policy: Policy, *, year: int | None = None, decisions: Any = None
) -> Any:
    """Classify grouped cases and compute their points, with every factor in a column.

    The first that fits is a case's class; k is the hospital's coefficient.

    ================ =================================== ======================================
    case_class       condition                           points
    ================ =================================== ======================================
    outside          an exclusion holds, or a class's    0, paid by item
                     rule is `outside`
    special_review   decision `special`                  panel's, or base · multiple · coefficient
    fixed_price      on the list                         base, or base · coefficient, which is
                                                         the share of P
    bed_day          a bed-day rule holds                base · multiple (points per day · L), and
                                                         added_points where tiers are marginal
    invalid,         status of grouping                  base · multiple · coefficient, which are
    ungrouped,                                           scale · (C − U)/mean · rate
    ambiguous
    no_base_points   DRG not in the table                as above
    unstable         the group is not stable             as above
    high_cost        C > hi·m                            base · coefficient + added_points, which
                                                         are P·k + P·((C − U)/m − hi); or
                                                         base · multiple · coefficient
    low_cost         C < lo·m                            min(base · multiple, base · coefficient);
                                                         or base · multiple · coefficient
    normal           lo·m ≤ C ≤ hi·m                     base · coefficient
    ================ =================================== ======================================

    Pieces over C/m take the place of the last three: the class is the piece's, `class_reason` says
    its interval and formula, the multiple is C/m or (C − U)/m. Points of a case with factors are
    those of the table, rounded, times `factor`.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        Grouped cases: `case_id`, `hospital`, `pool`, `discharge_date`, `total_cost` [yuan], `drg`,
        `status`; `hospital_level`, `length_of_stay` [days], `unreasonable_cost`, `patient_paid`
        [yuan] where the policy looks at them; `list_item` where a case is on the fixed-price list
        by name; columns that a rule's conditions name: true/false, or numbers such as `tcm_share`.
        With a quota of high-cost cases, all cases of its periods at once. A DRG belongs to the ADRG
        and MDC that its code begins with.
    policy : Policy
        The policy. Parameters are those of the day of discharge.
    year : int, optional
        A settlement year; a discharge outside it is an error. Without it any day goes on which the
        policy applies.
    decisions : DataFrame or table, optional
        What panels decided: `case_id`, `decision`, `points`. `special` is special review (特病单议)
        with the panel's points, or none for the policy's rule; `outside` pays the case by item;
        `refused` leaves it as it is, but counts as filed; `added` grants the added part of a
        high-cost case, that of the formula or the given points.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        The cases in their order with `case_class`, `class_reason`, `base_points`, `coefficient`,
        `multiple`, `added_points` and `points`, in the policy's decimals. Text is dictionary-coded.
        A factor that the class does not use is null (NaN). A policy with factors adds `factor` and
        `factor_reason`, one with a quota of special reviews `review`, the decision on the case.

    Raises
    ------
    CaseSchemaError
        For cases that cannot be read, see `case_columns.read_columns`.
    PolicyError
        For a group without base points where the policy has no rule for it, with the number of its
        cases; for a hospital without coefficient; for a decision that the policy does not know.

    Warns
    -----
    CaseWarning
        If costs look like fen, or decisions concern no case.

    Examples
    --------
    >>> cases = pd.DataFrame({
    ...     "case_id": ["1", "2"], "hospital": ["H01", "H12"], "hospital_level": ["3", "1"],
    ...     "pool": "employee", "discharge_date": pd.to_datetime(["2027-01-31", "2027-02-01"]),
    ...     "length_of_stay": [8, 5], "total_cost": [9000.0, 70000.0], "patient_paid": [2e3, 9e3],
    ...     "drg": ["ES23", "ES23"], "status": "grouped"})
    >>> table = compute_points(cases, Policy.load("example"), year=2027)
    >>> table[["case_class", "base_points", "coefficient", "added_points", "points"]]
      case_class  base_points  coefficient  added_points    points
    0     normal       143.25        1.084         0.000  155.283
    1  high_cost       143.25        0.880       341.875  467.935
    """
    source = cases if isinstance(cases, pd.DataFrame | pa.Table) else pa.table(cases)
    return _with_columns(source, *earn(source, policy, year=year, decisions=decisions)[1:])


class Earned(NamedTuple):
    """What cases earn: their columns, every factor, what its reasons mean, further columns."""

    columns: CaseColumns
    factors: Factors
    reasons: list[str]
    more: dict[str, Any]


def earn(
    source: Any,
    policy: Policy,
    *,
    year: int | None = None,
    decisions: Any = None,
    unique: bool = True,
    compiled: Compiled | None = None,
    every: bool = True,
) -> Earned:
    """Do the work of `compute_points` without writing columns.

    Parameters
    ----------
    source : pandas.DataFrame or pyarrow.Table
        Grouped cases.
    policy, year, decisions
        As for `compute_points`.
    unique : bool, default True
        Refuse ids that occur twice; False where that is done over more cases than these.
    compiled : Compiled, optional
        What calls with the same policy made of it, filled in and used again.
    every : bool, default True
        False where classes and points are all that is asked for.

    Returns
    -------
    Earned
        The arrays, one entry a case; without `every`, none of what points are made of.

    Examples
    --------
    >>> import datetime
    >>> case = {"case_id": "1", "hospital": "H01", "pool": "employee", "drg": "BR13"}
    >>> case |= {"status": "grouped", "discharge_date": datetime.date(2027, 1, 31)}
    >>> case |= {"length_of_stay": 8, "total_cost": 15000.0, "patient_paid": 4000.0}
    >>> earn(pa.Table.from_pylist([case]), Policy.load("example")).factors.points.tolist()
    [150.0]
    """
    with step(_("points of cases"), _("steps"), 4) as told:
        periods = policy.periods()
        columns = read_columns(source, periods, unique=unique)
        told.advance()
        period = _periods(columns, periods, year)
        decision, granted = read_decisions(columns, policy, decisions)
        rows = Rows(
            columns.hospital.codes,
            columns.level.codes,
            columns.pool.codes,
            columns.drg.codes,
            columns.item.codes,
            columns.status,
            columns.cost,
            columns.stay,
            columns.unreasonable,
            columns.patient_paid,
            np.empty(0, np.int64),
            decision,
            granted,
        )
        told.advance()
        factors, reasons = run_segments(columns, rows, period, periods, compiled, every)
        told.advance()
        warn_of_unused_grants(decision, factors)
        more = apply_factors(columns, factors, period, periods)
        if any(p.special_review is not None and p.special_review.quota for p in periods):
            codes = decision if len(decision) else np.zeros(len(columns.cost), np.int8)
            more["review"] = pa.DictionaryArray.from_arrays(codes, pa.array(DECISIONS))
        told.advance()
        return Earned(columns, factors, reasons, more)


def _periods(
    columns: CaseColumns, periods: Sequence[Policy], year: int | None
) -> NDArray[np.int64]:
    """Give the number of the period in which each case was discharged."""
    epoch = date(1970, 1, 1).toordinal()
    first, last = periods[0].effective_from, periods[-1].effective_to or date.max
    if year is not None:
        _within(columns, date(year, 1, 1), date(year, 12, 31), _("outside {year}", year=year))
    _within(columns, first, last, _("when policy {name} does not apply", name=periods[0].name))
    if len(periods) == 1:
        return np.broadcast_to(np.int64(0), columns.day.shape)
    starts = [policy.effective_from.toordinal() - epoch for policy in periods]
    return np.searchsorted(np.array(starts), columns.day, side="right") - 1


def _within(columns: CaseColumns, first: date, last: date, what: str) -> None:
    epoch = date(1970, 1, 1).toordinal()
    wrong = (columns.day < first.toordinal() - epoch) | (columns.day > last.toordinal() - epoch)
    if wrong.any():
        raise CaseSchemaError(
            _(
                "{count} cases were discharged {what}: {ids}",
                count=int(wrong.sum()),
                what=what,
                ids=_ids(columns, wrong),
            ),
            where=_("column discharge_date"),
            hint=_("give the cases discharged from {first} to {last}", first=first, last=last),
        )


def _ids(columns: CaseColumns, where: NDArray[np.bool_], most: int = 5) -> str:
    rows = np.flatnonzero(where)
    ids = [str(columns.ids[int(row)]) for row in rows[:most]]
    return ", ".join(ids) + (f" and {len(rows) - most} more" if len(rows) > most else "")


def _with_columns(
    source: Any, factors: Factors, reasons: Sequence[str], more: dict[str, Any]
) -> Any:
    columns: dict[str, pa.Array] = {
        "case_class": pa.DictionaryArray.from_arrays(factors.case_class, pa.array(CLASSES)),
        "class_reason": pa.DictionaryArray.from_arrays(factors.reason, pa.array(reasons)),
    }
    columns |= dict(zip(POINT_COLUMNS[2:], factors[2:], strict=True)) | more
    if isinstance(source, pd.DataFrame):
        frame = source.copy(deep=False)
        for name, values in columns.items():
            frame[name] = values.to_pandas().array if isinstance(values, pa.Array) else values
        return frame
    table = source.drop_columns([name for name in columns if name in source.column_names])
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values, from_pandas=True))
    return table
