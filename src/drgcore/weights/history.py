"""Grouped cases of past years as arrays, with what cannot be used for calibration and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.cases import read_table
from drgcore.cases.attributes import (
    Codes,
    numbers_of,
    select_columns,
    text_codes,
)
from drgcore.cases.statuses import statuses_of_groups
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import thread_count
from drgcore.language import _
from drgcore.progress import tracked
from drgcore.weights.history_checks import refuse_several_schemes, warn_of_strange_years
from drgcore.weights.history_columns import (
    NO_YEAR,
    grouped_statuses,
    usable_cases,
    years_of,
)
from drgcore.weights.segments import Segments, sort_by_group

KEYS = ("drg", "adrg", "mdc", "hospital", "hospital_level", "pool", "year")
"""What statistics may be broken down by."""

_TEXTS = ("hospital", "hospital_level", "pool")
_CODED = ("drg", "status", "scheme", *_TEXTS)
# Up to so many combinations of keys have a table of them all, which is faster than sorting cases.
_TABLE = 1 << 22


@dataclass(frozen=True, eq=False)
class History:
    """Cases of past years for calibration (测算病例), made by `read_history`.

    Parameters
    ----------
    drg, hospital, hospital_level, pool : Codes
        Texts as codes, names in alphabetical order; -1 where there is none.
    status : ndarray of int8, shape (n,)
        0 grouped, 1 ambiguous, 2 ungrouped, 3 invalid.
    year : ndarray of int32, shape (n,), or None
        Year of discharge, where the cases have such a column; `NO_YEAR` where it is empty.
    cost : ndarray of float64, shape (n,)
        Total cost [yuan]; NaN where there is none.
    stay : ndarray of float64, shape (n,), or None
        Length of stay [days], where the cases have it; NaN where there is none.
    usable : ndarray of bool, shape (n,)
        Whether a case enters the statistics: it is grouped and has a cost above 0.
    left_out : pandas.DataFrame
        Columns reason and cases: those that are not usable, each counted once.
    """

    drg: Codes
    hospital: Codes
    hospital_level: Codes
    pool: Codes
    status: NDArray[np.int8]
    year: NDArray[np.int32] | None
    cost: NDArray[np.float64]
    stay: NDArray[np.float64] | None
    usable: NDArray[np.bool_]
    left_out: pd.DataFrame

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.cost)

    @cached_property
    def by_drg(self) -> Segments:
        """The costs of usable cases by DRG, with which statistics and weights begin."""
        return costs_by(self, self.drg.codes, len(self.drg.names))

    @cached_property
    def _part(self) -> list[History]:
        return []

    def key(self, name: str) -> Codes:
        """Give one of `KEYS` as codes.

        Parameters
        ----------
        name : str
            ``adrg`` and ``mdc`` are those that a DRG's code begins with.

        Returns
        -------
        Codes
            Names in alphabetical order.

        Raises
        ------
        CaseSchemaError
            If the cases lack the column.

        Examples
        --------
        >>> cases = pd.DataFrame({"drg": ["BR13", "BR23"], "total_cost": [1.0, 2.0]})
        >>> read_history(cases).key("adrg").names
        ['BR1', 'BR2']
        """
        if name == "drg":
            return self.drg
        if name in ("adrg", "mdc"):
            parents = [drg[:3] if name == "adrg" else f"MDC{drg[:1]}" for drg in self.drg.names]
            names, codes = np.unique(np.array(parents, dtype=str), return_inverse=True)
            recode = np.append(codes, -1).astype(np.int32)
            return Codes([str(n) for n in names], recode[self.drg.codes])
        if name == "year":
            if self.year is None:
                raise _lacking("discharge_date", name)
            known = self.year[self.year != NO_YEAR]
            first = int(known.min()) if len(known) else 0
            number = np.where(self.year == NO_YEAR, -1, self.year - first)
            years = np.flatnonzero(np.bincount(known - first))
            place = np.full(int(years[-1]) + 2 if len(years) else 1, -1, np.int32)
            place[years] = np.arange(len(years))
            return Codes([str(first + year) for year in years], place[number])
        if name not in _TEXTS:
            raise CaseSchemaError(
                _("statistics cannot be broken down by {name!r}", name=name),
                hint=_("by: {keys}", keys=", ".join(KEYS)),
            )
        column: Codes = getattr(self, name)
        if not column.names:
            raise _lacking(name, name)
        return column

    def only(self, keep: NDArray[np.bool_]) -> History:
        """Give the same cases with fewer usable ones, for example those that trimming keeps.

        Parameters
        ----------
        keep : ndarray of bool, shape (n,)
            Cases that may stay usable.

        Returns
        -------
        History

        Raises
        ------
        CaseSchemaError
            If there is not one entry for each case.

        Examples
        --------
        >>> cases = pd.DataFrame({"drg": ["BR13", "BR23"], "total_cost": [1.0, 2.0]})
        >>> read_history(cases).only(np.array([True, False])).usable.tolist()
        [True, False]
        """
        if len(keep) != len(self):
            raise CaseSchemaError(
                _(
                    "{count:,} marks do not fit {other:,} cases",
                    count=len(keep),
                    other=len(self),
                ),
                hint=_("trim the same cases, in the same order"),
            )
        usable = self.usable & keep
        # Statistics and weights of one trimming ask for the same cases: they are laid out once.
        if not (self._part and np.array_equal(self._part[0].usable, usable)):
            self._part[:] = [replace(self, usable=usable)]
        return self._part[0]


def read_history(cases: Any, *, cost: str = "total_cost") -> History:
    """Read grouped cases of past years for calibration.

    Parameters
    ----------
    cases : path, pandas.DataFrame, anything with the Arrow PyCapsule interface, or History
        Grouped cases: `drg` and `total_cost` [yuan]; `status` (without the column every case with
        a DRG is grouped); `hospital`, `hospital_level`, `pool`, `discharge_date`,
        `length_of_stay` [days] where a statistic asks for them; `scheme` where the cases of several
        years say by which they were grouped. Other columns do no harm.
    cost : str, default "total_cost"
        The column to calibrate with, for example a standardised cost (`standardise_costs`).

    Returns
    -------
    History
        A history is given back as it is.

    Raises
    ------
    CaseSchemaError
        For a missing column, text where numbers belong, or cases of more than one scheme.

    Warns
    -----
    HistoryWarning
        If more than a fifth of a year's cases lie in groups that no other year has: that year was
        probably grouped by another scheme.

    Examples
    --------
    >>> cases = pd.DataFrame({
    ...     "drg": ["BR13", "BR13", None], "status": ["grouped", "grouped", "ungrouped"],
    ...     "total_cost": [9000.0, -1.0, 500.0]})
    >>> history = read_history(cases)
    >>> history.usable.tolist()
    [True, False, False]
    >>> history.left_out.values.tolist()
    [['ungrouped', 1], ['cost_negative', 1]]
    """
    if isinstance(cases, History):
        if cost != "total_cost":
            raise CaseSchemaError(
                _(
                    "a history is read already, with its cost; read the cases with cost={cost!r}",
                    cost=cost,
                ),
                where="history",
            )
        return cases
    wanted = ["drg", cost, "status", *_TEXTS, "discharge_date", "length_of_stay"]
    if isinstance(cases, str | os.PathLike):
        cases = read_table(cases, columns=[*wanted, "scheme"], dictionaries=_CODED)
    table = select_columns(cases, [*wanted, "scheme"])
    missing = [name for name in ("drg", cost) if name not in table.column_names]
    if missing:
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing=", ".join(missing)),
            where="history",
            hint=_("group the cases first; costs are yuan in total_cost"),
        )
    refuse_several_schemes(text_codes(table, "scheme", optional=True).names)
    there = table.column_names
    # One column beside another, on all processors.
    with ThreadPoolExecutor(thread_count(None)) as workers:

        def soon(work: Callable[..., Any], *arguments: Any) -> Future[Any]:
            # A message speaks the language of the caller in any thread.
            return workers.submit(copy_context().run, work, *arguments)

        def ordered(name: str) -> Codes:
            return text_codes(table, name, optional=True).in_order()

        optional = partial(text_codes, optional=True)
        waiting = [soon(ordered, name) for name in ("drg", *_TEXTS)]
        of_status = soon(optional, table, "status") if "status" in there else None
        years = soon(years_of, table) if "discharge_date" in there else None
        stays = soon(numbers_of, table, "length_of_stay") if "length_of_stay" in there else None
        amounts = soon(numbers_of, table, cost)
        every = [one for one in (*waiting, of_status, years, stays, amounts) if one is not None]
        for one in tracked(every, _("preparing the history"), _("columns")):
            one.result()
        drg, hospital, level, pool = (one.result() for one in waiting)
        year = None if years is None else years.result()
        stay = None if stays is None else stays.result()
        costs = amounts.result()
        if of_status is None:
            status = np.append(statuses_of_groups(drg.names), np.int8(2))[drg.codes]
        else:
            status = grouped_statuses(of_status.result(), drg.codes)
    usable, left_out = usable_cases(status, costs)
    history = History(drg, hospital, level, pool, status, year, costs, stay, usable, left_out)
    if year is not None and usable.any():
        warn_of_strange_years(history.key("year"), drg, usable)
    return history


def codes_by(history: History, by: Sequence[str]) -> tuple[NDArray[np.int64], list[list[Any]]]:
    """Give each case the number of its combination of keys.

    Parameters
    ----------
    history : History
        The cases.
    by : sequence of str
        `KEYS`, the first of which sorts first.

    Returns
    -------
    codes : ndarray of int64, shape (n,)
        -1 for a case that is not usable.
    names : list of list
        The values of each combination that occurs, in order. None stands for cases without a
        value, which come first; years are int.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["B", "A"], "total_cost": 1.0, "hospital": ["H1", None]})
    >>> codes, names = codes_by(read_history(cases), ["drg", "hospital"])
    >>> codes.tolist(), names
    ([1, 0], [['A', None], ['B', 'H1']])
    """
    whole = np.zeros(len(history), np.int64)
    sizes = []
    for name in by:
        key = history.key(name)
        sizes.append([None, *(int(n) if name == "year" else n for n in key.names)])
        whole = whole * len(sizes[-1]) + (key.codes + 1)
    whole[~history.usable] = -1
    room = int(np.prod([len(names) for names in sizes], dtype=np.int64))
    if room <= _TABLE:
        present = np.flatnonzero(np.bincount(whole[history.usable], minlength=room))
        recode = np.full(room + 1, -1, np.int64)
        recode[present] = np.arange(len(present))
        codes = recode[whole]
    else:
        # Many keys have more combinations than memory has room for; few of them occur.
        codes = np.full(len(whole), -1, np.int64)
        present, codes[history.usable] = np.unique(whole[history.usable], return_inverse=True)
    rest, columns = present, []
    for names in reversed(sizes):
        rest, code = np.divmod(rest, len(names))
        columns.append([names[c] for c in code])
    return codes, [list(row) for row in zip(*reversed(columns), strict=True)]


def costs_by(history: History, codes: NDArray[np.integer], groups: int) -> Segments:
    """Lay the costs of usable cases out by group.

    Parameters
    ----------
    history : History
        n cases.
    codes : ndarray of int, shape (n,)
        The group of each case; what stands for cases that are not usable does not matter.
    groups : int
        How many groups there are.

    Returns
    -------
    Segments

    Examples
    --------
    >>> history = read_history(pd.DataFrame({"drg": ["A", "A"], "total_cost": [3.0, -1.0]}))
    >>> costs_by(history, history.drg.codes, 1).values.tolist()
    [3.0]
    """
    return sort_by_group(codes, history.cost, groups, keep=history.usable)


def _lacking(column: str, key: str) -> CaseSchemaError:
    return CaseSchemaError(
        _("the cases have no column {column}, or nothing in it", column=column),
        where=_("statistics by {key}", key=key),
    )
