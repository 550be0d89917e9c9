"""Histories of partitions, in a worker process: facts of all, groups that are whole."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.attributes import Codes, select_columns, text_codes
from drgcore.cases.hashes import hash_strings
from drgcore.scale.partitions import joined, with_days
from drgcore.weights import History, HistoryWarning, Trimming, group_statistics, read_history
from drgcore.weights.history_columns import NO_YEAR
from drgcore.weights.moments import Moments, moments_of

Trim = Callable[[History], Trimming]

FACT_SCHEMA = pa.schema(
    [("kind", pa.string()), ("name", pa.string()), ("year", pa.int32()), ("cases", pa.int64())]
)
"""Counts of rows: of a `reason` for which they are left out, of a `scheme`, of a `drg` and year."""

MOMENT_SCHEMA = pa.schema(
    [
        ("drg", pa.string()),
        ("count", pa.int64()),
        ("total", pa.float64()),
        ("mean", pa.float64()),
        ("squares", pa.float64()),
        ("years", pa.list_(pa.int64())),
        ("year_count", pa.list_(pa.int64())),
        ("year_total", pa.list_(pa.float64())),
    ]
)
"""One row a DRG, see `drgcore.weights.moments.Moments`."""

NOTHING = "\u0001"
"""What stands for a missing hospital, level or pool while groups are described."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_ASKED = ("drg", "status", "hospital", "hospital_level", "pool", "discharge_date")


def history_in(batch: pa.RecordBatch, cost: str) -> History:
    """Read a part of a history; what looks strange of it alone says nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistoryWarning)
        return read_history(with_days(pa.table(batch), ["discharge_date"]), cost=cost)


def fact_batches(batches: Iterable[pa.RecordBatch], *, cost: str) -> Iterator[pa.RecordBatch]:
    """Count the cases of a partition that cannot be used, and those of each scheme, DRG and year.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Grouped cases.
    cost : str
        The column of cost.

    Yields
    ------
    pyarrow.RecordBatch
        `FACT_SCHEMA`, once a batch.
    """
    for batch in joined(batches):
        history = history_in(batch, cost)
        facts: list[tuple[str, str | None, int, int]] = [
            ("reason", reason, 0, number)
            for reason, number in history.left_out.itertuples(index=False, name=None)
        ]
        scheme = text_codes(select_columns(pa.table(batch), ["scheme"]), "scheme", optional=True)
        facts += [("scheme", name, 0, 1) for name in scheme.names]
        year = np.full(len(history), NO_YEAR) if history.year is None else history.year
        # Groups without a usable case are named, too: sums are taken over all names.
        known = history.drg.codes >= 0
        pairs, at = np.unique(
            np.stack([history.drg.codes[known], year[known]]), axis=1, return_inverse=True
        )
        counts = np.bincount(at.ravel(), history.usable[known], pairs.shape[1]).astype(np.int64)
        for (code, of), number in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            facts.append(("drg", history.drg.names[code], of, number))
        columns = [list(column) for column in zip(*facts, strict=True)] or [[], [], [], []]
        yield pa.RecordBatch.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, FACT_SCHEMA, strict=True)],
            schema=FACT_SCHEMA,
        )


def usable_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    cost: str,
    names: Sequence[str],
    by: Sequence[str],
    again: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Give the usable cases of a partition, with a number that those of a group have in common.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Grouped cases.
    cost : str
        The column of cost; it goes out as `total_cost`.
    names : sequence of str
        Of drg, hospital, hospital_level, pool, discharge_date, length_of_stay those to keep.
    by : sequence of str
        What groups are told apart by, as for `drgcore.group_statistics`.
    again : bool
        The cases are what this function gave before, so all of them are usable.

    Yields
    ------
    pyarrow.RecordBatch
        `names`, total_cost, place (int64).
    """
    for batch in joined(batches):
        history = _of(pa.table(batch)) if again else history_in(batch, cost)
        rows = pa.array(np.flatnonzero(history.usable))
        columns: dict[str, pa.Array] = {}
        for name in names:
            if name == "length_of_stay":
                assert history.stay is not None
                columns[name] = pa.array(history.stay, from_pandas=True).take(rows)
            elif name == "discharge_date":
                # Statistics ask for the year only: the first of January stands for it.
                columns[name] = _days(history).take(rows)
            else:
                columns[name] = _texts(getattr(history, name)).take(rows)
        columns["total_cost"] = pa.array(history.cost).take(rows)
        place = np.zeros(len(history), np.uint64)
        for key in by:
            codes = (
                history.key(key) if key in ("drg", "adrg", "mdc", "year") else getattr(history, key)
            )
            place = place * _MIX + _hashes(codes)
        columns["place"] = pa.array(place.view(np.int64)).take(rows)
        yield pa.RecordBatch.from_pydict(columns)


def _days(history: History) -> pa.Array:
    assert history.year is not None
    first = (np.maximum(history.year, 1) - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return pa.array(first, mask=history.year == NO_YEAR)


def _texts(codes: Codes) -> pa.Array:
    index = pa.array(codes.codes, mask=codes.codes < 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(codes.names, pa.string())).cast(
        pa.string()
    )


def _hashes(codes: Codes) -> NDArray[np.uint64]:
    found = hash_strings(pa.array([*map(str, codes.names), ""], pa.string()))
    return found[codes.codes]


def kept_batches(batches: Iterable[pa.RecordBatch], *, trim: Trim) -> Iterator[pa.RecordBatch]:
    """Give the cases of a partition that trimming keeps; every DRG is whole in it.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        What `usable_batches` gives, by DRG.
    trim : callable
        One of the ``trim_…`` functions.

    Yields
    ------
    pyarrow.RecordBatch
    """
    table = pa.Table.from_batches(whole) if (whole := list(batches)) else None
    if table is None or not len(table):
        return
    keep = trim(_of(table)).keep
    yield from table.filter(pa.array(keep)).combine_chunks().to_batches()


def moment_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    trim: Trim | None,
    year_weights: Mapping[int, float] | None,
) -> Iterator[pa.RecordBatch]:
    """Add the costs of a partition up by DRG; every DRG is whole in it.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        What `usable_batches` gives, by DRG.
    trim : callable or None
        One of the ``trim_…`` functions.
    year_weights : mapping of int to float or None
        As for `drgcore.base_points`.

    Yields
    ------
    pyarrow.RecordBatch
        `MOMENT_SCHEMA`.
    """
    table = pa.Table.from_batches(whole) if (whole := list(batches)) else None
    if table is None or not len(table):
        return
    history = _of(table)
    if trim is not None:
        history = history.only(trim(history).keep)
    if year_weights is not None and history.year is not None:
        # Limits of trimming look at these years, too, so they go only now.
        without = [year for year, weight in year_weights.items() if weight == 0]
        history = history.only(~np.isin(history.year, without))
        if not history.usable.any():
            return
    found = moments_of(history, year_weights)
    size = len(found.drgs)
    yield pa.RecordBatch.from_arrays(
        [
            pa.array(values, field.type)
            for values, field in zip(
                (
                    found.drgs,
                    found.count,
                    found.total,
                    found.mean,
                    found.squares,
                    [list(found.years)] * size,
                    found.year_count.T.tolist(),
                    found.year_total.T.tolist(),
                ),
                MOMENT_SCHEMA,
                strict=True,
            )
        ],
        schema=MOMENT_SCHEMA,
    )


def moments_in(rows: pa.Table, left_out: pd.DataFrame, lacking: Sequence[str]) -> list[Moments]:
    """Give the moments of the rows of all partitions, one of each, to be joined.

    Parameters
    ----------
    rows : pyarrow.Table
        `MOMENT_SCHEMA`.
    left_out : pandas.DataFrame
        As `History.left_out`.
    lacking : sequence of str
        DRGs that have no row, because no case of them can be used.

    Returns
    -------
    list of Moments
    """
    size = len(lacking)
    parts = [
        Moments(
            list(lacking),
            np.zeros(size, np.int64),
            np.zeros(size),
            np.full(size, np.nan),
            np.zeros(size),
            (),
            np.zeros((0, size), np.int64),
            np.zeros((0, size)),
            left_out,
        )
    ]
    for row in rows.to_pylist():
        parts.append(
            Moments(
                [row["drg"]],
                np.array([row["count"]], np.int64),
                np.array([row["total"]]),
                np.array([row["mean"]]),
                np.array([row["squares"]]),
                tuple(row["years"]),
                np.array(row["year_count"], np.int64).reshape(-1, 1),
                np.array(row["year_total"], np.float64).reshape(-1, 1),
                left_out.iloc[:0],
            )
        )
    return parts


def statistic_batches(
    batches: Iterable[pa.RecordBatch], *, by: Sequence[str], options: Mapping[str, object]
) -> Iterator[pa.RecordBatch]:
    """Describe the groups of a partition, each of which is whole in it.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        What `usable_batches` gives, by these keys.
    by : sequence of str
        The keys.
    options : mapping
        Of `drgcore.group_statistics`.

    Yields
    ------
    pyarrow.RecordBatch
        Its table; a year is an int64.
    """
    table = pa.Table.from_batches(whole) if (whole := list(batches)) else None
    if table is None or not len(table):
        return
    for name in {*by} & {"hospital", "hospital_level", "pool"}:
        # A partition may hold nothing but cases without a hospital, which alone would be an error.
        filled = pc.fill_null(table.column(name), NOTHING)
        table = table.set_column(table.column_names.index(name), name, filled)
    found = group_statistics(_of(table), list(by), **options)  # type: ignore[arg-type]
    columns = {name: pa.array(found[name].tolist(), _kind(name, by)) for name in found.columns}
    yield pa.RecordBatch.from_pydict(columns)


def statistic_schema(by: Sequence[str], names: Sequence[str]) -> pa.Schema:
    """Give the schema of what `statistic_batches` gives, for a table with these columns."""
    return pa.schema([(name, _kind(name, by)) for name in names])


def _kind(name: str, by: Sequence[str]) -> pa.DataType:
    if name in by:
        return pa.int64() if name == "year" else pa.string()
    return {"cases": pa.int64(), "stable": pa.bool_()}.get(name, pa.float64())


def _of(table: pa.Table) -> History:
    """The cases of a partition as a history; they are usable, and of one scheme."""
    status = pa.array(["grouped"], pa.string()).take(pa.array(np.zeros(len(table), np.int32)))
    table = table.append_column("status", status)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistoryWarning)
        return read_history(table)
