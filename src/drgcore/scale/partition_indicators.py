"""Cases of partitions added up for indicators, in a worker process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.days import days_of
from drgcore.indicators.columns import Limits
from drgcore.indicators.kernel import MEASURES
from drgcore.indicators.readmission import readmissions
from drgcore.indicators.tally import Tally, tally_tables
from drgcore.scale.partitions import hashes_of, joined, with_days

_NO_MARKS = np.empty(0, np.int8)
_DAYS = ("discharge_date", "admission_date")


def cell_schema(keys: Sequence[str]) -> pa.Schema:
    """Give the schema of cells: the texts of the keys, the DRG and the status; the measures."""
    texts = [(name, pa.string()) for name in (*keys, "drg")]
    return pa.schema([*texts, ("status", pa.int32()), *((m, pa.float64()) for m in MEASURES)])


def cell_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    keys: tuple[str, ...],
    had: frozenset[str],
    limits: Limits | None,
    last: int | None,
) -> Iterator[pa.RecordBatch]:
    """Add the cases of a partition up.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Grouped cases.
    keys, had, limits
        As for `drgcore.indicators.tally.tally_tables`.
    last : int or None
        The last day of discharge of all cases [days since 1970-01-01], where readmissions are
        counted: then all stays of a patient are in this partition.

    Yields
    ------
    pyarrow.RecordBatch
        One, of `cell_schema`, with a row for each cell.
    """
    tables: Iterable[pa.Table] = (with_days(pa.table(b), _DAYS) for b in joined(batches))
    if last is not None:
        whole = list(tables)
        tables = [pa.concat_tables(whole)] if whole else []
    marked = (
        (table, _NO_MARKS if last is None else readmissions(table, last=last)) for table in tables
    )
    found = tally_tables(marked, keys, had, limits)
    if len(found.codes):
        yield cells_of(found)


def cells_of(tally: Tally) -> pa.RecordBatch:
    """Give the cells of a tally with the texts of their keys, of `cell_schema`."""
    columns = []
    for at, name in enumerate((*tally.keys, "drg")):
        codes = tally.codes[:, at]
        index = pa.array(codes, mask=codes < 0)
        texts = pa.DictionaryArray.from_arrays(index, pa.array(tally.names[name], pa.string()))
        columns.append(texts.cast(pa.string()))
    columns.append(pa.array(tally.status))
    columns += [pa.array(tally.measure(name)) for name in MEASURES]
    return pa.RecordBatch.from_arrays(columns, schema=cell_schema(tally.keys))


def tally_of_cells(cells: pa.Table, keys: tuple[str, ...], had: frozenset[str]) -> Tally:
    """Give the tally of all cases from the cells of all partitions, each once.

    Parameters
    ----------
    cells : pyarrow.Table
        `cell_schema`.
    keys : tuple of str
    had : frozenset of str
        What `drgcore.indicators.tally.counted_columns` gives.

    Returns
    -------
    Tally

    Examples
    --------
    >>> from drgcore.indicators import tally_cases
    >>> import pandas as pd
    >>> found = tally_cases(pd.DataFrame({"drg": ["B", "A"], "total_cost": [1.0, 3.0]}))
    >>> again = tally_of_cells(pa.Table.from_batches([cells_of(found)]), (), found.columns)
    >>> again.names, again.measure("cost").tolist()
    ({'drg': ['A', 'B']}, [300.0, 100.0])
    """
    names: dict[str, list[str]] = {}
    codes = np.empty((len(cells), len(keys) + 2), np.int32)
    for at, name in enumerate((*keys, "drg")):
        column = cells.column(name)
        names[name] = sorted(text for text in pc.unique(column).to_pylist() if text is not None)
        place = pc.index_in(column, value_set=pa.array(names[name], pa.string()))
        codes[:, at] = pc.fill_null(place, -1).to_numpy()
    codes[:, -1] = cells.column("status").to_numpy()
    order = np.lexsort(codes.T[::-1])
    sums = np.array([cells.column(name).to_numpy()[order] for name in MEASURES])
    return Tally(keys, names, codes[order], sums.T, had)


def last_days(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Give the last day of discharge of a partition [days since 1970-01-01], once a batch."""
    for batch in joined(batches):
        days = with_days(pa.table(batch), _DAYS).column("discharge_date")
        last = pc.max(days_of(days, name="discharge_date").cast(pa.int32()))
        yield pa.RecordBatch.from_pydict({"last": pa.array([last.as_py()], pa.int32())})


def patient_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Add a number to each case of a partition that is the same for all stays of a patient."""
    for batch in joined(batches):
        yield batch.append_column("place", hashes_of(batch.column("patient_id")))
