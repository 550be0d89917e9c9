"""Points of cases (病例点数): class, reason, factors and points, vectorised over millions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.attributes import numbers_of, select_columns
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.points.case_columns import CaseColumns, CaseWarning, read_columns, warn_of_magnitudes
from drgcore.points.coefficients import Site, lacking
from drgcore.points.compiled import compile_rules, reasons_of
from drgcore.points.kernel import (
    CLASSES,
    GRANTED,
    NO_BASE_POINTS,
    NO_COEFFICIENT,
    NO_PANEL_POINTS,
    SPECIAL,
    UNKNOWN,
    Factors,
    Rows,
    Rules,
    run,
)
from drgcore.points.policy import Policy

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
    fixed_price      on the list                         base
    bed_day          a bed-day rule holds                base · multiple (points per day · L)
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

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        Grouped cases: `case_id`, `hospital`, `pool`, `discharge_date`, `total_cost` [yuan], `drg`,
        `status`; `hospital_level`, `length_of_stay` [days], `unreasonable_cost`, `patient_paid`
        [yuan] where the policy looks at them; `list_item` where a case is on the fixed-price list
        by name; true/false columns that an exclusion names. A DRG belongs to the ADRG and MDC that
        its code begins with.
    policy : Policy
        The policy. Parameters are those of the day of discharge.
    year : int, optional
        A settlement year; a discharge outside it is an error. Without it any day goes on which the
        policy applies.
    decisions : DataFrame or table, optional
        What panels decided: `case_id`, `decision`, `points`. `special` is special review (特病单议)
        with the panel's points, or none for the policy's rule; `added` grants the added part of a
        high-cost case, that of the formula or the given points.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        The cases in their order with `case_class`, `class_reason`, `base_points`, `coefficient`,
        `multiple`, `added_points` and `points`, in the policy's decimals. Text is dictionary-coded.
        A factor that the class does not use is null (NaN).

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
    periods = policy.periods()
    columns = read_columns(source, periods)
    period = _periods(columns, periods, year)
    decision, granted = _decisions(columns, policy, decisions)
    flags = np.zeros(len(columns.cost) if columns.flags else 0, np.int64)
    for number, values in enumerate(columns.flags.values()):
        flags |= values.astype(np.int64) << number
    rows = _sealed(
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
        flags,
        decision,
        granted,
    )
    factors, reasons = _by_period(columns, rows, period, periods)
    _warn_of_unused_grants(decision, factors)
    return _with_columns(source, factors, reasons)


def _by_period(
    columns: CaseColumns, rows: Rows, period: NDArray[Any], periods: Sequence[Policy]
) -> tuple[Factors, list[str]]:
    """Run each period's rules over its cases; give one list of reasons for all."""
    factors = _room(len(rows.cost))
    reasons: list[str] = []
    present = np.unique(period) if len(period) else np.array([0])
    for number in present:
        policy = periods[number]
        rules, sites = compile_rules(policy, columns)
        texts = reasons_of(policy)
        # Two rules may give one reason; a dictionary holds each text once.
        reasons = list(dict.fromkeys([*reasons, *texts]))
        recode = np.array([reasons.index(text) for text in texts], np.int16)
        if len(present) == 1:
            run(rows, rules, factors)
            _check(columns, rows, rules, factors, policy, sites)
            factors.reason[:] = recode[factors.reason]
            continue
        where = np.flatnonzero(period == number)
        part = _sealed(*(a[where] if len(a) else a for a in rows))
        found = _room(len(where))
        run(part, rules, found)
        _check(columns, part, rules, found, policy, sites)
        found.reason[:] = recode[found.reason]
        for whole, piece in zip(factors, found, strict=True):
            whole[where] = piece
    return factors, reasons


def _sealed(*arrays: NDArray[Any]) -> Rows:
    """Give the loop contiguous arrays that it cannot write, so that it is compiled only once.

    Arrow gives such arrays or others, depending on how many batches there are.
    """
    views = [np.ascontiguousarray(array).view() for array in arrays]
    for view in views:
        view.flags.writeable = False
    return Rows(*views)


def _room(rows: int) -> Factors:
    kinds = (np.int8, np.int16, np.float64, np.float64, np.float64, np.float64, np.float64)
    return Factors(*(np.empty(rows, kind) for kind in kinds))


def _periods(
    columns: CaseColumns, periods: Sequence[Policy], year: int | None
) -> NDArray[np.int64]:
    """Give the number of the period in which each case was discharged."""
    epoch = date(1970, 1, 1).toordinal()
    first, last = periods[0].effective_from, periods[-1].effective_to or date.max
    if year is not None:
        _within(columns, date(year, 1, 1), date(year, 12, 31), f"outside {year}")
    _within(columns, first, last, f"when policy {periods[0].name} does not apply")
    if len(periods) == 1:
        return np.broadcast_to(np.int64(0), columns.day.shape)
    starts = [policy.effective_from.toordinal() - epoch for policy in periods]
    return np.searchsorted(np.array(starts), columns.day, side="right") - 1


def _within(columns: CaseColumns, first: date, last: date, what: str) -> None:
    epoch = date(1970, 1, 1).toordinal()
    wrong = (columns.day < first.toordinal() - epoch) | (columns.day > last.toordinal() - epoch)
    if wrong.any():
        raise CaseSchemaError(
            f"{int(wrong.sum())} cases were discharged {what}: {_ids(columns, wrong)}",
            where="column discharge_date",
            hint=f"give the cases discharged from {first} to {last}",
        )


def _ids(columns: CaseColumns, where: NDArray[np.bool_], most: int = 5) -> str:
    rows = np.flatnonzero(where)
    ids = [str(columns.ids[int(row)]) for row in rows[:most]]
    return ", ".join(ids) + (f" and {len(rows) - most} more" if len(rows) > most else "")


def _decisions(
    columns: CaseColumns, policy: Policy, decisions: Any
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Give each case's decision and the points granted; empty arrays where there are none."""
    if decisions is None or not len(decisions):
        return np.empty(0, np.int8), np.empty(0)
    table = select_columns(decisions, ["case_id", "decision", "points"])
    for name in ("case_id", "decision", "points"):
        if name not in table.column_names:
            raise CaseSchemaError(f"the decisions have no column {name}", where="decisions")
    frame = table.to_pandas()
    ids, kinds = frame["case_id"].astype(str), frame["decision"].astype(str)
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].iloc[0]
        raise CaseSchemaError(f"there are two decisions on case {twice}", where="decisions")
    unknown = sorted(set(kinds) - {"special", "added"})
    if unknown:
        raise CaseSchemaError(
            f"the decision is {unknown[0]}; it must be special or added", where="decisions"
        )
    points = numbers_of(table, "points")
    if (~np.isnan(points) & ~(np.isfinite(points) & (points >= 0))).any():
        raise CaseSchemaError("points are negative or no number", where="decisions")
    _check_kinds(policy, set(kinds))
    place = pc.index_in(pc.cast(columns.ids, pa.large_string()), pa.array(ids, pa.large_string()))
    found = pc.fill_null(place, -1).to_numpy()
    without = len(ids) - int((found >= 0).sum())
    if without:
        warnings.warn(f"{without} decisions concern none of the cases", CaseWarning, stacklevel=3)
    code = np.append(np.where(kinds == "special", SPECIAL, GRANTED), 0).astype(np.int8)
    return code[found], np.append(points, np.nan)[found]


def _check_kinds(policy: Policy, kinds: set[str]) -> None:
    periods = policy.periods()
    if "special" in kinds and any(p.special_review is None for p in periods):
        raise PolicyError(
            "there are decisions of a special review, but the policy has no special_review",
            where=f"policy {policy.name}",
        )
    if "added" in kinds and all(p.outliers.high.rule != "added_reviewed" for p in periods):
        raise PolicyError(
            "there are decisions on added points, but outliers.high.rule is not added_reviewed",
            where=f"policy {policy.name}",
        )


def _check(
    columns: CaseColumns,
    rows: Rows,
    rules: Rules,
    factors: Factors,
    policy: Policy,
    sites: Sequence[Site],
) -> None:
    """Refuse cases for which the policy lacks a number, and warn of a wrong unit of cost."""
    where = f"policy {policy.name}"
    lacking_points = factors.reason == NO_BASE_POINTS
    if lacking_points.any():
        counts = np.bincount(rows.drg[lacking_points] + 1, minlength=len(columns.drg.names) + 1)
        names = ["no DRG", *columns.drg.names]
        order = sorted(np.flatnonzero(counts), key=lambda code: (-counts[code], names[code]))
        groups = [f"{names[code]} ({counts[code]} cases)" for code in order]
        raise PolicyError(
            f"{len(order)} groups of {int(lacking_points.sum())} cases have no base points",
            where=where,
            hint=f"add them to the table, or set base_points.missing: {', '.join(groups)}",
        )
    no_k = factors.reason == NO_COEFFICIENT
    if no_k.any():
        row = int(np.flatnonzero(no_k)[0])
        site = sites[rules.site_of[rows.hospital[row] * rules.levels + rows.level[row] + 1]]
        drg = columns.drg.names[rows.drg[row]]
        part = lacking(policy, site, drg)
        raise PolicyError(
            f"{int(no_k.sum())} cases have no coefficient, first one of hospital {site[0]} "
            f"(level {site[1]}) in {drg}",
            where=where,
            hint=f"component {part} has no value for it; add it, or set otherwise",
        )
    silent = factors.reason == NO_PANEL_POINTS
    if silent.any():
        raise PolicyError(
            f"the panel gave no points for {int(silent.sum())} cases",
            where=where,
            hint="give points in the decisions, or set special_review.without_points to by_cost",
        )
    # About a hundred thousand cases say as much of the unit of cost as all of them.
    step = max(1, len(rows.cost) // 100_000)
    drg, cost = rows.drg[::step], rows.cost[::step]
    mean = np.where(np.isnan(rules.mean), rules.region_mean, rules.mean)[drg]
    grouped = rules.state[drg] != UNKNOWN
    warn_of_magnitudes(cost[grouped], mean[grouped])


def _warn_of_unused_grants(decision: NDArray[np.int8], factors: Factors) -> None:
    """Warn of added points granted to cases that are no high-cost outliers."""
    if not len(decision):
        return
    unused = int(((decision == GRANTED) & (factors.case_class != 1)).sum())
    if unused:
        warnings.warn(
            f"{unused} decisions grant added points to cases that are not high_cost",
            CaseWarning,
            stacklevel=3,
        )


def _with_columns(source: Any, factors: Factors, reasons: Sequence[str]) -> Any:
    columns: dict[str, pa.Array] = {
        "case_class": pa.DictionaryArray.from_arrays(factors.case_class, pa.array(CLASSES)),
        "class_reason": pa.DictionaryArray.from_arrays(factors.reason, pa.array(reasons)),
    }
    numbers = zip(POINT_COLUMNS[2:], factors[2:], strict=True)
    if isinstance(source, pd.DataFrame):
        frame = source.copy(deep=False)
        for name, array in columns.items():
            frame[name] = array.to_pandas().array
        for name, values in numbers:
            frame[name] = values
        return frame
    columns |= {name: pa.array(values, from_pandas=True) for name, values in numbers}
    table = source.drop_columns([name for name in POINT_COLUMNS if name in source.column_names])
    for name, array in columns.items():
        table = table.append_column(name, array)
    return table
