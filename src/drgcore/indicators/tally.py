"""Cases added up by any combination of keys and DRG, in one pass over any number of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
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
from drgcore.indicators.columns import UNBOUNDED, Encoder, Limits, checked_keys, columns_for
from drgcore.indicators.kernel import (
    LINE,
    MEASURES,
    RARE,
    Rows,
    add_cells,
    add_rows,
    measures_of,
    refill,
)
from drgcore.indicators.readmission import readmissions
from drgcore.language import _

_STAYS = ("patient_id", "admission_date", "discharge_date", "leaving_way", "hospital")
_FIRST_ROOM = 1 << 10
# Up to so many combinations of keys have a slot each, 32 MB of them; more are hashed.
_DIRECT = 1 << 23
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
    had = {*columns, *(("patient_id",) if len(back) else ())}
    had |= {name for name in ("drug_cost", "consumable_cost") if fee_columns(name, there)}
    if limits is not None:
        had.add("case_class")
    return _joined(keys, encoder, parts, frozenset(had))


class _Part:
    """Cells that one thread has added up."""

    def __init__(self, width: int) -> None:
        self.used = 0
        self.sizes = np.zeros(width, np.int64)
        self.cells = np.empty((0, width), np.int32)
        self.usual, self.rare = np.empty((0, LINE)), np.empty((0, len(RARE)))
        self.slots = np.empty(0, np.int32)
        self._room(_FIRST_ROOM)

    def _room(self, room: int) -> None:
        cells, usual, rare = self.cells, self.usual, self.rare
        self.cells = np.empty((room, cells.shape[1]), np.int32)
        self.usual, self.rare = _on_lines(room, LINE), _on_lines(room, len(RARE))
        self.cells[: self.used] = cells[: self.used]
        self.usual[: self.used], self.rare[: self.used] = usual[: self.used], rare[: self.used]
        if not len(self.sizes):
            self._enter(room * 2)

    def _enter(self, slots: int) -> None:
        self.slots = np.full(slots, -1, np.int32)
        refill(self.sizes, self.slots, self.cells, self.used)

    def fit(self, sizes: NDArray[np.int64]) -> None:
        """Make sure of a slot for every combination of so many numbers, or of hashes."""
        if not len(self.sizes) or (sizes <= self.sizes).all():
            return
        # Few names come late; what they cost must not be a new table for each.
        grown = np.maximum(self.sizes, sizes + sizes // 8)
        if np.prod(grown.astype(np.float64)) <= _DIRECT:
            self.sizes = grown
            self._enter(int(np.prod(grown)))
        else:
            self.sizes = np.empty(0, np.int64)
            self._enter(len(self.cells) * 2)

    def add(self, rows: Rows) -> None:
        start = 0
        while True:
            own = self.sizes, self.slots, self.cells, self.usual, self.rare
            start, self.used = add_rows(start, rows, *own, self.used)
            if start == len(rows.keys):
                return
            self._room(len(self.cells) * 4)

    def join(self, other: _Part) -> None:
        self.fit(other.sizes if len(other.sizes) else np.full(self.cells.shape[1], UNBOUNDED))
        start, theirs = 0, (other.cells[: other.used], other.usual, other.rare)
        while True:
            own = self.sizes, self.slots, self.cells, self.usual, self.rare
            start, self.used = add_cells(start, *theirs, *own, self.used)
            if start == other.used:
                return
            self._room(len(self.cells) * 4)


def _on_lines(rows: int, width: int) -> NDArray[np.float64]:
    """Zeros that begin where a line of memory does: 64 bytes, or 8 numbers."""
    flat = np.zeros(rows * width + 8)
    first = -flat.ctypes.data % 64 // 8
    return flat[first : first + rows * width].reshape(rows, width)


def _add_up(
    cases: Any,
    columns: list[str],
    encoder: Encoder,
    back: NDArray[np.int8],
    limits: Limits | None,
) -> list[_Part]:
    """Add the batches up on all processors; each thread has its own cells."""
    lock = threading.Lock()
    width = len(encoder.keys) + 2
    texts = [name for name in columns if name not in ("discharge_date",)]
    with open_cases(cases, columns=columns, dictionary_columns=texts) as opened:
        batches = _numbered(opened.batches())

        def work() -> _Part:
            part = _Part(width)
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


def _joined(
    keys: tuple[str, ...], encoder: Encoder, parts: list[_Part], columns: frozenset[str]
) -> Tally:
    """Join the threads' cells, with names and cells in order."""
    # The largest takes the others up, which moves least.
    first, *others = sorted(parts, key=lambda part: -part.used)
    for other in others:
        first.join(other)
    codes = first.cells[: first.used]
    names: dict[str, list[str]] = {}
    for at, key in enumerate((*encoder.keys, "drg")):
        column = codes[:, at]
        if key == "month":
            known = np.unique(column[column >= 0])
            names[key] = [f"{m // 12}-{m % 12 + 1:02d}" for m in known.tolist()]
            codes[:, at] = np.where(column < 0, -1, np.searchsorted(known, column))
            continue
        texts = encoder.names(key)
        order = sorted(range(len(texts)), key=texts.__getitem__)
        rank = np.full(len(order) + 1, -1, np.int32)
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
    if combinations > _DIRECT:
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
    tally = _joined(
        (), encoder, _add_up(cases, columns, encoder, _NO_MARKS, None), frozenset(columns)
    )
    grouped = tally.status == 0
    drg, size = tally.drg[grouped], len(tally.names["drg"])
    cost = np.bincount(drg, tally.measure("cost")[grouped], size)
    number = np.bincount(drg, tally.measure("cost_n")[grouped], size)
    return {
        name: float(c / 100 / n)
        for name, c, n in zip(tally.names["drg"], cost, number, strict=True)
        if n
    }
