"""Cases added up by any combination of keys and DRG, in one pass over any number of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import open_cases
from drgcore.cases.attributes import Codes
from drgcore.cases.fees import fee_columns
from drgcore.errors import CaseSchemaError
from drgcore.indicators.cells import DIRECT, Part
from drgcore.indicators.columns import Encoder, Limits, checked_keys, columns_for
from drgcore.indicators.kernel import MEASURES, measures_of
from drgcore.indicators.readmission import readmissions
from drgcore.language import _
from drgcore.progress import tracked

_STAYS = ("patient_id", "admission_date", "discharge_date", "leaving_way", "hospital")
_NO_MARKS = np.empty(0, np.int8)
# The columns of which is counted how many cases have them, as `measures_of` takes them.
_COUNTED = (
    *("total_cost", "length_of_stay", "leaving_way", "severity", "case_class", "patient_id"),
)


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums of cases by combinations of keys, DRG and status.

    Attributes
    ----------
    keys : tuple of str
        What the cells are told apart by, beside DRG and status.
    names : dict of str to list of str
        Names of each key and of the DRG, in alphabetical order; months as 2027-01.
    codes : ndarray of int32, shape (cells, keys + 2)
        The number of each cell's name of every key, then of its DRG, -1 for none; then the status.
        In ascending order, so that no sum hangs on the order of the cases.
    sums : ndarray of float64, shape (cells, measures)
        What `kernel.MEASURES` names.
    columns : frozenset of str
        Columns that the cases had.
    """

    keys: tuple[str, ...]
    names: dict[str, list[str]]
    codes: NDArray[np.int32]
    sums: NDArray[np.float64]
    columns: frozenset[str]

    def measure(self, name: str) -> NDArray[np.float64]:
        """One measure of every cell."""
        return self.sums[:, MEASURES.index(name)]

    @property
    def drg(self) -> NDArray[np.int32]:
        """The DRG's number of every cell."""
        return self.codes[:, -2]

    @property
    def status(self) -> NDArray[np.int32]:
        """The status of every cell: 0 grouped, 1 ambiguous, 2 ungrouped, 3 invalid."""
        return self.codes[:, -1]

    def key(self, name: str) -> Codes:
        """Give a key of every cell; ADRG and MDC are those that the DRG's code begins with."""
        if name in self.keys:
            return Codes(self.names[name], self.codes[:, self.keys.index(name)])
        drgs = self.names["drg"]
        if name == "drg":
            return Codes(drgs, self.drg)
        parents = [drg[:3] if name == "adrg" else f"MDC{drg[:1]}" for drg in drgs]
        names, codes = np.unique(np.array(parents, dtype=str), return_inverse=True)
        return Codes([str(n) for n in names], np.append(codes, -1).astype(np.int32)[self.drg])

    def units(self, by: Sequence[str]) -> tuple[NDArray[np.int64], pd.DataFrame]:
        """Give each cell the number of its unit, and the keys of the units in order.

        Parameters
        ----------
        by : sequence of str
            Keys; none at all makes one unit of all cells.

        Returns
        -------
        unit : ndarray of int64, shape (cells,)
        keys : pandas.DataFrame
            One row a unit; None, which comes first, stands for cases without a value.
        """
        whole, columns = np.zeros(len(self.codes), np.int64), [self.key(name) for name in by]
        for column in columns:
            size = len(column.names) + 1
            if len(whole) and int(whole.max()) > (1 << 62) // size:
                whole = np.unique(whole, return_inverse=True)[1].astype(np.int64)
            whole = whole * size + column.codes + 1
        _other, first, unit = np.unique(whole, return_index=True, return_inverse=True)
        frame = pd.DataFrame(index=range(len(first)))
        for name, column in zip(by, columns, strict=True):
            texts = np.array([*column.names, None], object)
            values = texts[column.codes[first]] if len(first) else np.empty(0, object)
            # As objects, since a column of text would have NaN for None.
            frame[name] = pd.Series(values, frame.index, dtype=object)
        return unit.astype(np.int64), frame


def tally_cases(
    cases: Any, by: str | Sequence[str] = (), *, outliers: tuple[float, float] | None = None
) -> Tally:
    """Add grouped cases up by keys and DRG.

    Parameters
    ----------
    cases : path, DataFrame, Arrow table or stream
        Grouped cases: `drg`, `status`; the columns of the keys; `total_cost` [yuan],
        `length_of_stay` [days], `drug_cost`, `consumable_cost` [yuan], `leaving_way`, `severity`,
        `case_class`, `patient_id` with `admission_date` and `discharge_date`, as far as there are.
    by : str or sequence of str
        Keys, see `columns.KEYS`.
    outliers : (float, float), optional
        Multiples of the mean cost of a DRG of these cases below and above which a case is an
        outlier; without it the column `case_class` of `compute_points` says it.

    Returns
    -------
    Tally

    Raises
    ------
    CaseSchemaError
        For a column that is missing or cannot be read.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13", "BR13"], "hospital": ["H2", "H1"],
    ...     "total_cost": [10.0, 30.0]})
    >>> found = tally_cases(cases, "hospital")
    >>> found.names["hospital"], found.measure("cost").tolist()
    (['H1', 'H2'], [3000.0, 1000.0])
    """
    keys = checked_keys(by)
    if not isinstance(cases, pd.DataFrame | pa.Table) and hasattr(cases, "__arrow_c_stream__"):
        # A stream can be read only once, and stays are looked at before.
        cases = pa.table(cases)
    limits = None
    if outliers is not None:
        limits = Limits(*outliers, _mean_costs(cases))
    with open_cases(cases) as opened:
        there = opened.schema.names
    columns = columns_for(keys, there)
    back = _back(cases, there)
    encoder = Encoder(keys)
    parts = _add_up(cases, columns, encoder, back, limits)
    return _joined(encoder, parts, counted_columns(columns, there, len(back) > 0, limits))


def counted_columns(
    columns: Sequence[str], there: Sequence[str], back: bool, limits: Limits | None
) -> frozenset[str]:
    """Name what a tally can speak of: the columns read, and what follows from others.

    Parameters
    ----------
    columns : sequence of str
        What `columns_for` chose.
    there : sequence of str
        All columns of the cases.
    back : bool
        Whether readmissions are known.
    limits : Limits or None
        Limits that stand in for `case_class`.

    Returns
    -------
    frozenset of str

    Examples
    --------
    >>> sorted(counted_columns(["drg"], ["drg", "drug_cost"], True, None))
    ['drg', 'drug_cost', 'patient_id']
    """
    had = {*columns, *(("patient_id",) if back else ())}
    had |= {name for name in ("drug_cost", "consumable_cost") if fee_columns(name, there)}
    return frozenset({*had, *(("case_class",) if limits is not None else ())})


def tally_tables(
    tables: Iterable[tuple[pa.Table, NDArray[np.int8]]],
    keys: Sequence[str],
    had: frozenset[str],
    limits: Limits | None = None,
) -> Tally:
    """Add up some tables of cases one after the other: a part of all cases.

    Parameters
    ----------
    tables : iterable of (pyarrow.Table, ndarray of int8)
        Cases with the columns of `columns_for`, and their marks of readmission, or none.
    keys : sequence of str
        As `checked_keys` gives them.
    had : frozenset of str
        What `counted_columns` gives.
    limits : Limits, optional
        Limits that stand in for `case_class`.

    Returns
    -------
    Tally

    Examples
    --------
    >>> cases = pa.table({"drg": ["BR13"], "total_cost": [10.0]})
    >>> one = (cases, _NO_MARKS)
    >>> tally_tables([one, one], (), frozenset({"total_cost"})).measure("cost").tolist()
    [2000.0]
    """
    encoder = Encoder(keys)
    part = Part(len(encoder.keys) + 2)
    for table, marks in tables:
        rows = encoder.rows(table, marks, limits)
        part.fit(encoder.sizes())
        part.add(rows)
    return _joined(encoder, [part], had)


def _add_up(
    cases: Any,
    columns: list[str],
    encoder: Encoder,
    back: NDArray[np.int8],
    limits: Limits | None,
) -> list[Part]:
    """Add the batches up on all processors; each thread has its own cells."""
    lock = threading.Lock()
    width = len(encoder.keys) + 2
    texts = [name for name in columns if name not in ("discharge_date",)]
    with open_cases(cases, columns=columns, dictionary_columns=texts) as opened:
        batches = _numbered(opened.batches())

        def work() -> Part:
            part = Part(width)
            while True:
                with lock:
                    start, batch = next(batches, (0, None))
                if batch is None:
                    return part
                marks = back[start : start + batch.num_rows] if len(back) else _NO_MARKS
                rows = encoder.rows(pa.Table.from_batches([batch]), marks, limits)
                part.fit(encoder.sizes())
                part.add(rows)

        threads = os.cpu_count() or 1
        with ThreadPoolExecutor(threads) as pool:
            return [f.result() for f in [pool.submit(work) for _ in range(threads)]]


def _numbered(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch | None]]:
    start = 0
    for batch in batches:
        yield start, batch
        start += batch.num_rows


def _joined(encoder: Encoder, parts: list[Part], columns: frozenset[str]) -> Tally:
    """Join the threads' cells, with names and cells in order."""
    # The largest takes the others up, which moves least.
    first, *others = sorted(parts, key=lambda part: -part.used)
    for other in tracked(others, _("joining the sums"), _("parts")):
        first.join(other)
    codes = first.cells[: first.used]
    names: dict[str, list[str]] = {}
    keys = (*encoder.keys, "drg")
    for at, key in enumerate(tracked(keys, _("bringing the sums in order"), _("columns"))):
        column = codes[:, at]
        if key == "month":
            known = np.unique(column[column >= 0])
            names[key] = [f"{m // 12}-{m % 12 + 1:02d}" for m in known.tolist()]
            codes[:, at] = np.where(column < 0, -1, np.searchsorted(known, column))
            continue
        texts = encoder.names(key)
        # A file's dictionary may hold texts that no case has.
        order = sorted(np.unique(column[column >= 0]).tolist(), key=texts.__getitem__)
        rank = np.full(len(texts) + 1, -1, np.int32)
        rank[order] = np.arange(len(order))
        names[key], codes[:, at] = [texts[i] for i in order], rank[column]
    rows = _order(codes, [len(n) for n in names.values()] + [4])
    # One row a measure, since it is measures that are asked for.
    sums = np.empty((len(MEASURES), len(rows)))
    there = np.array([name in columns for name in _COUNTED])
    measures_of(rows, first.usual, first.rare, there, sums)
    return Tally(encoder.keys, names, codes.take(rows, axis=0), sums.T, columns)


def _order(codes: NDArray[np.int32], sizes: Sequence[int]) -> NDArray[np.int64]:
    """The ascending order of the cells, by one number for each where that has room for all."""
    combinations = np.prod([float(size + 1) for size in sizes])
    if combinations > 2.0**62:
        return np.lexsort(codes.T[::-1]).astype(np.int64)
    whole = np.zeros(len(codes), np.int64)
    for at, size in enumerate(sizes):
        whole = whole * (size + 1) + codes[:, at] + 1
    if combinations > DIRECT:
        return np.argsort(whole).astype(np.int64)
    cell_of = np.full(int(combinations), -1, np.int64)
    cell_of[whole] = np.arange(len(whole))
    return cell_of[cell_of >= 0]


def _back(cases: Any, there: Sequence[str]) -> NDArray[np.int8]:
    if not {"patient_id", "admission_date", "discharge_date"} <= set(there):
        return _NO_MARKS
    wanted = [name for name in _STAYS if name in there]
    with open_cases(cases, columns=wanted, dictionary_columns=["hospital"]) as opened:
        stays = pa.Table.from_batches(list(opened.batches()), opened.schema)
    return readmissions(stays)


def _mean_costs(cases: Any) -> dict[str, float]:
    """Mean cost of each DRG [yuan], by a first pass over the cases."""
    with open_cases(cases) as opened:
        there = opened.schema.names
    columns = [name for name in columns_for((), there) if name in ("drg", "status", "total_cost")]
    if "total_cost" not in columns:
        raise CaseSchemaError(
            _("the cases have no column total_cost"), hint=_("outliers are multiples of mean costs")
        )
    encoder = Encoder(())
    return mean_costs_of(
        _joined(encoder, _add_up(cases, columns, encoder, _NO_MARKS, None), frozenset(columns))
    )


def mean_costs_of(tally: Tally) -> dict[str, float]:
    """Give the mean cost of each DRG [yuan] over its grouped cases that have one.

    Examples
    --------
    >>> mean_costs_of(tally_cases(pd.DataFrame({"drg": ["A", "A"], "total_cost": [1.0, 3.0]})))
    {'A': 2.0}
    """
    grouped = tally.status == 0
    drg, size = tally.drg[grouped], len(tally.names["drg"])
    cost = np.bincount(drg, tally.measure("cost")[grouped], size)
    number = np.bincount(drg, tally.measure("cost_n")[grouped], size)
    return {
        name: float(c / 100 / n)
        for name, c, n in zip(tally.names["drg"], cost, number, strict=True)
        if n
    }
