"""From grouped cases to the sums of a settlement in one pass: points are added up, not kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.budget.caserows import OPTIONAL, REQUIRED
from drgcore.budget.earned_kernel import EarnedRows, add_earned
from drgcore.budget.month import Month
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.tally import EXTRA_SUMS, INSURED_SUMS, SUMS, Tally, add_tallies, tally
from drgcore.budget.terms import Terms
from drgcore.cases import open_cases, read_table
from drgcore.cases.attributes import numbers_of, select_columns, text_codes
from drgcore.cases.hashes import hash_strings, name_hashes
from drgcore.grouper.batch import in_order, thread_count
from drgcore.points.case_columns import columns_for
from drgcore.points.compute import compute_points, earn
from drgcore.points.needs import needs_all_cases
from drgcore.points.policy import Policy
from drgcore.points.records import CLASSES
from drgcore.points.segments import Tables

BATCH_ROWS = 1 << 19
_TEXTS = (
    *("hospital", "hospital_level", "pool", "drg", "list_item", "status"),
    *("violation", "capitation_unit"),
)
# Pools, hospitals and units are numbered below this in a key of sums.
_ROOM = 1 << 24
_OUTSIDE = CLASSES.index("outside")


def tally_points(cases: Any, policy: Policy, year: int, *, decisions: Any = None) -> Tally:
    """Compute the points of all cases of a year and add them up, without a column of any factor.

    The same as `tally` of what `compute_points` gives, several times as fast and with little
    memory: of a parquet file only the columns are read that the policy looks at, in batches.

    Parameters
    ----------
    cases : path, pandas.DataFrame, or anything with the Arrow PyCapsule interface
        Grouped cases, as `compute_points` and `tally` ask for them.
    policy : Policy
        The policy.
    year : int
        The settlement year, in which all cases must have been discharged.
    decisions : DataFrame or table, optional
        What panels decided, see `compute_points`.

    Returns
    -------
    Tally
        What `settle_month` and `settle_year` take in place of cases.

    Raises
    ------
    CaseSchemaError, PolicyError
        As `compute_points` and `tally` do; counts in a message may be those of a part of the cases.

    Examples
    --------
    >>> case = {"case_id": "1", "hospital": "H01", "pool": "employee", "drg": "BR13"}
    >>> case |= {"status": "grouped", "discharge_date": date(2027, 1, 31), "patient_paid": 4000.0}
    >>> case |= {"length_of_stay": 8, "total_cost": 15000.0}
    >>> found = tally_points(pa.Table.from_pylist([case]), Policy.load("example"), 2027)
    >>> found.cells[["hospital", "case_class", "points"]].values.tolist()
    [['H01', 'unstable', 1500000]]
    """
    terms = terms_of(policy, year)
    with _batches(cases, policy) as parts:
        # Decisions name single cases, and a quota ranks all: both take the whole table at once.
        if decisions is not None or needs_all_cases(policy):
            whole = pa.concat_tables(parts).unify_dictionaries()
            return tally(compute_points(whole, policy, year=year, decisions=decisions), terms)
        adder = _Adder(policy, terms)
        for _part, _none in in_order(adder.add, parts, thread_count(None)):
            pass
    return adder.tally()


@contextmanager
def _batches(cases: Any, policy: Policy) -> Iterator[Iterator[pa.Table]]:
    """Open cases as tables of the columns that points and settlement look at; one at least."""
    needed, asked = columns_for(policy.periods())
    earned = ("case_class", "points")
    wanted = dict.fromkeys([*needed, *asked, *REQUIRED, *OPTIONAL])
    names = [name for name in wanted if name not in earned]
    if isinstance(cases, str | os.PathLike):
        with open_cases(cases) as source:
            kind, there = source.kind, source.schema.names
        if kind == "parquet":
            taken = [name for name in names if name in there]
            with open_cases(
                cases, columns=taken, dictionary_columns=_TEXTS, batch_rows=BATCH_ROWS
            ) as source:
                yield _tables(source.batches(), source.schema)
            return
        cases = read_table(cases, columns=names)
    table = select_columns(cases, names)
    starts = range(0, max(len(table), 1), BATCH_ROWS)
    yield (table.slice(start, BATCH_ROWS) for start in starts)


def _tables(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    batch = next(batches, None)
    if batch is None:
        # What is wrong with the columns is said of a file without cases, too.
        yield schema.empty_table()
    while batch is not None:
        yield pa.Table.from_batches([batch])
        batch = next(batches, None)


class _Names:
    """Numbers of names, the same for all batches."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Give the numbers of names; new ones get the next."""
        return np.array([self._numbers.setdefault(n, len(self._numbers)) for n in names], np.int64)

    def sorted(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Give the names in their order, and the place of each number among them."""
        return _ordered(list(self._numbers))


class _Adder:
    """Adds up batches, on any number of threads; the order of the batches leaves no trace."""

    def __init__(self, policy: Policy, terms: Terms) -> None:
        self._policy, self._terms = policy, terms
        self._tables: Tables = {}
        self._lock = threading.Lock()
        self._pools, self._hospitals, self._units = _Names(), _Names(), _Names()
        self._cells, self._insured = _Sums(len(SUMS) + 1), _Sums(len(INSURED_SUMS) + 1)
        self._ids: list[pa.Array] = []
        self._hashes = [np.empty(0, np.uint64)]
        self._others: list[Tally] = []
        first = date(terms.year, 1, 1)
        days = (date(terms.year + 1, 1, 1) - first).days
        self._first_day = first.toordinal() - date(1970, 1, 1).toordinal()
        each = np.arange(self._first_day, self._first_day + days).astype("datetime64[D]")
        self._month_of = (each.astype("datetime64[M]").astype(np.int64) % 12).astype(np.int8)

    def add(self, table: pa.Table) -> None:
        """Add a batch."""
        if not (_is_usual(self._terms, table) and self._add(table)):
            # The long way also says what is wrong, and with which case.
            earned = compute_points(table, self._policy, year=self._terms.year)
            found = tally(earned, self._terms)
            with self._lock:
                self._others.append(found)

    def _add(self, table: pa.Table) -> bool:
        """Add a batch the short way; False where a value is none that a settlement takes."""
        earned = earn(table, self._policy, year=self._terms.year, unique=False, tables=self._tables)
        columns, factors = earned.columns, earned.factors
        unit = text_codes(table, "capitation_unit", optional=True)
        ids = pc.cast(columns.ids, pa.large_string()).chunks
        hashes = np.concatenate([hash_strings(chunk) for chunk in ids] or self._hashes[:1])
        pools, hospitals, units = columns.pool.names, columns.hospital.names, [*unit.names, ""]
        if set(pools) - {pool.pool for pool in self._terms.pools}:
            return False
        rows = EarnedRows(
            columns.pool.codes,
            columns.hospital.codes,
            np.where(unit.codes < 0, len(unit.names), unit.codes),
            columns.day,
            factors.case_class,
            columns.drg.codes,
            factors.points,
            columns.cost,
            _amounts(table, "patient_paid"),
            _amounts(table, "refused_amount"),
            hashes,
            name_hashes([*columns.drg.names, ""], 1),
            name_hashes(CLASSES, 2),
        )
        shape = len(hospitals), len(CLASSES), len(units)
        cells = len(pools) * len(hospitals) * 12 * len(CLASSES)
        sums = np.zeros((cells, len(SUMS) + 1), np.int64)
        insured = np.zeros((len(pools) * len(units), len(INSURED_SUMS) + 1), np.int64)
        scale = 10.0**self._terms.point_places
        year = self._first_day, self._month_of
        if not add_earned(_read_only(rows), *year, scale, _OUTSIDE, shape, sums, insured):
            return False
        used, seen = np.flatnonzero(sums[:, 0]), np.flatnonzero(insured[:, 0])
        site, rest = np.divmod(used, 12 * len(CLASSES))
        pool, hospital = np.divmod(site, len(hospitals))
        hashes.sort()
        with self._lock:
            pool_number, hospital_number = self._pools.of(pools), self._hospitals.of(hospitals)
            unit_number = self._units.of(units)
            self._cells.add(
                (pool_number[pool] * _ROOM + hospital_number[hospital]) * 12 * len(CLASSES) + rest,
                sums[used],
            )
            self._insured.add(
                pool_number[seen // len(units)] * _ROOM + unit_number[seen % len(units)],
                insured[seen],
            )
            self._ids += ids
            self._hashes.append(hashes)
        return True

    def tally(self) -> Tally:
        """Give the sums of all batches."""
        pools, pool_place = self._pools.sorted()
        hospitals, hospital_place = self._hospitals.sorted()
        units, unit_place = self._units.sorted()
        classes, class_place = _ordered(CLASSES)
        keys, sums = self._cells.total()
        rest, kind = np.divmod(keys, len(CLASSES))
        rest, month = np.divmod(rest, 12)
        pool, hospital = pool_place[rest // _ROOM], hospital_place[rest % _ROOM]
        kind = class_place[kind]
        order = np.lexsort((kind, month, hospital, pool))
        cells = pd.DataFrame(
            {
                "pool": pools[pool[order]],
                "hospital": hospitals[hospital[order]],
                "month": month[order] + Month(self._terms.year, 1).index,
                "case_class": classes[kind[order]],
            }
        )
        cells[SUMS] = sums[order, :-1]
        cells[EXTRA_SUMS] = 0
        cells["fingerprint"] = sums[order, -1].astype(np.uint64)
        keys, sums = self._insured.total()
        pool, unit = pool_place[keys // _ROOM], unit_place[keys % _ROOM]
        order = np.lexsort((unit, pool))
        insured = pd.DataFrame({"pool": pools[pool[order]], "unit": units[unit[order]]})
        insured[INSURED_SUMS] = sums[order, 1:]
        own = Tally(
            cells,
            insured,
            pa.chunked_array(self._ids, pa.large_string()),
            # Runs that are sorted are only merged by a stable sort.
            np.sort(np.concatenate(self._hashes), kind="stable"),
            self._terms.point_places,
        )
        if self._others:
            return add_tallies([own, *self._others] if len(cells) else self._others)
        own.check_unique()
        return own


class _Sums:
    """Sums by key of all batches."""

    def __init__(self, columns: int) -> None:
        self._keys = [np.empty(0, np.int64)]
        self._sums = [np.empty((0, columns), np.int64)]

    def add(self, keys: NDArray[np.int64], sums: NDArray[np.int64]) -> None:
        self._keys.append(keys)
        self._sums.append(sums)

    def total(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the keys that occur, and their sums."""
        keys, sums = np.concatenate(self._keys), np.concatenate(self._sums)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        return keys[starts], np.add.reduceat(sums[order], starts) if len(starts) else sums


def _ordered(names: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return np.array([names[number] for number in order], object), place


def _is_usual(terms: Terms, table: pa.Table) -> bool:
    """Whether cases and policy have nothing that only the long way adds up."""
    names = table.column_names
    return (
        terms.date_column == "discharge_date"
        and terms.on_top_from is None
        and all(pool.value is None for pool in terms.pools)
        and "violation" not in names
        and set(terms.needed_columns) <= set(names)
    )


def _amounts(table: pa.Table, name: str) -> NDArray[np.float64]:
    return numbers_of(table, name) if name in table.column_names else np.empty(0)


def _read_only(rows: EarnedRows) -> EarnedRows:
    """Give the loop arrays that it cannot write, as Arrow's are, so that it is compiled once."""
    views = [np.ascontiguousarray(array).view() for array in rows]
    for view in views:
        view.flags.writeable = False
    return EarnedRows(*views)
