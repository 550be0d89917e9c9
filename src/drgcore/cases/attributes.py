"""The columns of a case beside those of grouping: text as dense codes, days, amounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.errors import CaseSchemaError


@dataclass(frozen=True)
class Codes:
    """A text column: its distinct values, and the number of one for each row, -1 for none."""

    names: list[str]
    codes: NDArray[np.int32]


def select_columns(cases: Any, names: Sequence[str]) -> pa.Table:
    """Take those of the named columns that the data have.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table, or anything with the Arrow PyCapsule interface
        One row a case.
    names : sequence of str
        The columns wanted.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    CaseSchemaError
        If a column of a pandas frame holds values of several types, or two have one name.

    Examples
    --------
    >>> select_columns(pd.DataFrame({"a": [1], "b": [2]}), ["b", "c"]).column_names
    ['b']
    """
    frame = isinstance(cases, pd.DataFrame)
    table = cases if frame or isinstance(cases, pa.Table) else pa.table(cases)
    there = list(table.columns) if frame else table.column_names
    twice = [name for name in names if there.count(name) > 1]
    if twice:
        raise CaseSchemaError(f"two columns are called {', '.join(twice)}", hint="rename one")
    if frame:
        kept = cases[[name for name in names if name in there]]
        try:
            return pa.Table.from_pandas(kept, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            # The last part names the column; the one before it quotes a cell.
            raise CaseSchemaError(
                f"the cases cannot be read: {error.args[-1]}",
                hint="give all values of a column the same type",
            ) from error
    return table.select([name for name in names if name in there])


def some_of(ids: Sequence[str], most: int = 5) -> str:
    """Join the first of many names.

    Examples
    --------
    >>> some_of(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")


def refuse_rows(
    table: pa.Table, wrong: NDArray[Any], what: str, column: str, hint: str = ""
) -> None:
    """Raise if any row is wrong, naming cases by id (or by row where there is none).

    Raises
    ------
    CaseSchemaError
        With how many cases are wrong and the first of them.

    Examples
    --------
    >>> table = pa.table({"case_id": ["x", "y"]})
    >>> refuse_rows(table, np.array([False, True]), "have no cost", "total_cost")
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: column total_cost: 1 cases have no cost: y
    """
    if wrong.any():
        rows = np.flatnonzero(wrong)
        if "case_id" in table.column_names:
            ids = [str(table.column("case_id")[int(row)]) for row in rows[:5]]
        else:
            ids = [f"row {row + 1}" for row in rows[:5]]
        more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
        raise CaseSchemaError(
            f"{len(rows)} cases {what}: {', '.join(ids)}{more}",
            where=f"column {column}",
            hint=hint or None,
        )


def text_codes(table: pa.Table, name: str, *, optional: bool = False) -> Codes:
    """Read a text column as codes; a null or an empty text is none.

    Parameters
    ----------
    table : pyarrow.Table
    name : str
    optional : bool
        Allow rows without text, and a table without the column: all rows are none.

    Returns
    -------
    Codes

    Raises
    ------
    CaseSchemaError
        For rows without text.

    Examples
    --------
    >>> text_codes(pa.table({"drg": ["b", None, "b"]}), "drg", optional=True)
    Codes(names=['b'], codes=array([ 0, -1,  0], dtype=int32))
    """
    if name not in table.column_names or not len(table):
        return Codes([], np.full(len(table), -1, np.int32))
    column = table.column(name)
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    codes = pc.fill_null(pc.cast(whole.indices, pa.int32()), -1).to_numpy(zero_copy_only=False)
    texts = ["" if value is None else str(value) for value in whole.dictionary.to_pylist()]
    names = list(dict.fromkeys(text for text in texts if text))
    # A null or an empty text is none; a dictionary may hold one text twice.
    place = {text: code for code, text in enumerate(names)}
    recode = np.array([place.get(text, -1) for text in texts] + [-1], np.int32)
    codes = recode[codes]
    if not optional:
        refuse_rows(table, codes < 0, f"have no {name}", name)
    return Codes(names, codes)


def dates_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Read a column of dates or times as days.

    Returns
    -------
    pyarrow.ChunkedArray of date32
        Days as written: a local time zone's midnight stays the day that it shows.

    Raises
    ------
    CaseSchemaError
        Where a value is no date.

    Examples
    --------
    >>> table = pa.table({"day": ["2027-01-31", "2027-02-01T00:30:00+08:00"]})
    >>> dates_of(table, "day").to_pylist()
    [datetime.date(2027, 1, 31), datetime.date(2027, 2, 1)]
    """
    return _read(table, name, _as_days, f"{table.column(name).type} is not a date")


def numbers_of(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Read a column of numbers; NaN where there is none.

    Raises
    ------
    CaseSchemaError
        Where a value is no number.

    Examples
    --------
    >>> numbers_of(pa.table({"cost": ["12.5", None]}), "cost").tolist()
    [12.5, nan]
    """
    read = _read(table, name, lambda column: pc.cast(column, pa.float64()), "it holds no numbers")
    return read.to_numpy()


def amounts_of(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Read a column of which every row must have an amount that is finite and not negative.

    Raises
    ------
    CaseSchemaError
        Names the cases without one.

    Examples
    --------
    >>> amounts_of(pa.table({"cost": [12.5, -1.0]}), "cost")
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: column cost: 1 cases have a negative cost: row 2
    give 0 where there is no amount; a case that cannot be corrected must be left out
    """
    values = numbers_of(table, name)
    hint = "give 0 where there is no amount; a case that cannot be corrected must be left out"
    refuse_rows(table, ~np.isfinite(values), f"have no finite {name}", name, hint)
    refuse_rows(table, values < 0, f"have a negative {name}", name, hint)
    return values


def _as_days(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        local = pc.local_timestamp(column) if column.type.tz else column
        return pc.cast(pc.floor_temporal(local, unit="day"), pa.date32(), safe=False)
    try:
        return pc.cast(column, pa.date32())
    except pa.ArrowInvalid:
        # Exports write dates with a time, as 2027-01-31 10:30:00, some with the zone behind it.
        times = pc.cast(_without_zone(column), pa.timestamp("ns"))
        return pc.cast(pc.floor_temporal(times, unit="day"), pa.date32())


def _without_zone(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Take Z or +08:00 from the end of times, whose day is the one that is written."""
    return pc.replace_substring_regex(column, r"(:\d\d(\.\d+)?)(Z|[+-]\d\d:?\d\d)$", r"\1")


def _read(
    table: pa.Table,
    name: str,
    read: Callable[[pa.ChunkedArray], pa.ChunkedArray],
    fault: str,
) -> pa.ChunkedArray:
    """Read a column, or say in which row it cannot be; what stands there is not repeated."""
    column = table.column(name)
    try:
        return read(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    # The first row of the shortest beginning that cannot be read.
    low, high = 0, len(column)
    while low < high - 1:
        middle = (low + high) // 2
        try:
            read(column.slice(low, middle - low))
            low = middle
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            high = middle
    raise CaseSchemaError(
        f"{fault}; row {low + 1} is the first that cannot be read", where=f"column {name}"
    )
