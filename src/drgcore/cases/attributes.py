"""The columns of a case beside those of grouping: text as dense codes, days, amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.amounts import numbers_from
from drgcore.cases.arrow_arrays import filled
from drgcore.cases.days import days_of
from drgcore.cases.frames import is_frame
from drgcore.cases.text import stripped
from drgcore.errors import CaseSchemaError
from drgcore.language import _


@dataclass(frozen=True)
class Codes:
    """A text column: its distinct values, and the number of one for each row, -1 for none."""

    names: list[str]
    codes: NDArray[np.int32]

    def in_order(self) -> Codes:
        """The same with the names in their order: equal names have equal numbers in any batch.

        Examples
        --------
        >>> Codes(["b", "a"], np.array([0, 1, -1], np.int32)).in_order()
        Codes(names=['a', 'b'], codes=array([ 1,  0, -1], dtype=int32))
        """
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        if order == list(range(len(order))):
            return self
        place = np.full(len(order) + 1, -1, np.int32)
        place[order] = np.arange(len(order))
        # "wrap", the fastest way, finds the -1 behind the last place.
        codes = place.take(self.codes, mode="wrap")
        return Codes([self.names[number] for number in order], codes)


def select_columns(cases: Any, names: Sequence[str]) -> pa.Table:
    """Take those of the named columns that the data have, texts without blanks at their ends.

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
    >>> import pandas as pd
    >>> select_columns(pd.DataFrame({"a": [1], "b": [2]}), ["b", "c"]).column_names
    ['b']
    """
    frame = is_frame(cases)
    table = cases if frame or isinstance(cases, pa.Table) else pa.table(cases)
    there = list(table.columns) if frame else table.column_names
    twice = [name for name in dict.fromkeys(names) if there.count(name) > 1]
    if twice:
        raise CaseSchemaError(
            _("two columns are called {twice}", twice=", ".join(twice)), hint=_("rename one")
        )
    if frame:
        kept = cases[[name for name in names if name in there]]
        try:
            taken = pa.Table.from_pandas(kept, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            # The last part names the column; the one before it quotes a cell.
            raise CaseSchemaError(
                _("the cases cannot be read: {args}", args=error.args[-1]),
                hint=_("give all values of a column the same type"),
            ) from error
    else:
        taken = table.select([name for name in names if name in there])
    # A column of fixed width pads its texts: the same hospital, the same case.
    columns = [stripped(column) for column in taken.columns]
    return pa.table(columns, names=taken.column_names)


def some_of(ids: Sequence[str], most: int = 5) -> str:
    """Join the first of many names.

    Examples
    --------
    >>> some_of(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    rest = len(ids) - most
    return ", ".join(ids[:most]) + (_(" and {count} more", count=rest) if rest > 0 else "")


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
            ids = [_("row {row}", row=row + 1) for row in rows[:5]]
        more = _(" and {count} more", count=len(rows) - 5) if len(rows) > 5 else ""
        raise CaseSchemaError(
            _(
                "{count} cases {what}: {ids}{more}",
                count=len(rows),
                what=what,
                ids=", ".join(ids),
                more=more,
            ),
            where=_("column {column}", column=column),
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
    if pa.types.is_null(column.type):
        # Arrow cannot unify dictionaries of nothing, which a column of several pieces has.
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    if column.num_chunks == 1:
        whole = column.chunk(0)
    else:
        whole = column.unify_dictionaries().combine_chunks()
        if isinstance(whole, pa.ChunkedArray):
            whole = pa.concat_arrays(whole.chunks)
    indices = pc.cast(whole.indices, pa.int32())
    codes = filled(indices, -1)
    texts = ["" if value is None else str(value) for value in whole.dictionary.to_pylist()]
    names = list(dict.fromkeys(text for text in texts if text))
    if names == texts and not indices.null_count and 0 <= codes.min() <= codes.max() < len(names):
        return Codes(names, codes)
    # A null or an empty text is none; a dictionary may hold one text twice.
    place = {text: code for code, text in enumerate(names)}
    recode = np.array([place.get(text, -1) for text in texts] + [-1], np.int32)
    codes = recode[codes]
    if not optional:
        refuse_rows(table, codes < 0, _("have no {name}", name=name), name)
    return Codes(names, codes)


def dates_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Read a column of dates or times as days in China, see `days_of`.

    Returns
    -------
    pyarrow.ChunkedArray of date32

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
    return pa.chunked_array([days_of(table.column(name), name=name)])


def numbers_of(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Read a column of numbers, see `numbers_from`; NaN where there is none.

    Raises
    ------
    CaseSchemaError
        Where a value is no number.

    Examples
    --------
    >>> numbers_of(pa.table({"cost": ["12.5", None]}), "cost").tolist()
    [12.5, nan]
    """
    return numbers_from(table.column(name), name=name)


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
    if not len(values) or 0 <= values.min() <= values.max() < np.inf:
        return values
    hint = _("give 0 where there is no amount; a case that cannot be corrected must be left out")
    refuse_rows(table, ~np.isfinite(values), _("have no finite {name}", name=name), name, hint)
    refuse_rows(table, values < 0, _("have a negative {name}", name=name), name, hint)
    return values
