"""A settlement's tables as the rows they are made of, until somebody asks for a DataFrame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

import pandas as pd

from drgcore.budget.frames import frame, records


class Sheet:
    """The rows of a table, and its DataFrame once it was asked for.

    A settlement reads its own tables row by row, for which a DataFrame is slow to make and to read.
    Once a DataFrame is out, it is what the table says, whatever its holder did with it.

    Parameters
    ----------
    rows : iterable of sequence, or callable
        The rows, of plain Python values, or what makes them.
    columns : sequence of str
        Names of the columns.

    Examples
    --------
    >>> sheet = Sheet([("p", "closing", 5)], ("pool", "item", "amount_fen"))
    >>> sheet.records()
    [{'pool': 'p', 'item': 'closing', 'amount_fen': 5}]
    >>> sheet.columns("amount_fen", "pool")
    {'amount_fen': [5], 'pool': ['p']}
    >>> sheet.frame["amount_fen"].sum().item()
    5
    """

    __slots__ = ("_columns", "_frame", "_made", "_make")

    def __init__(
        self,
        rows: Iterable[Sequence[Any]] | Callable[[], list[Any]],
        columns: Sequence[str],
    ) -> None:
        # Rows that few ask for are made when somebody does.
        self._make = rows if callable(rows) else None
        self._made = [] if callable(rows) else list(rows)
        self._columns = tuple(columns)
        self._frame: pd.DataFrame | None = None

    @classmethod
    def of(cls, table: pd.DataFrame) -> Sheet:
        """Take a DataFrame as it is."""
        sheet = cls((), [str(name) for name in table.columns])
        sheet._frame = table
        return sheet

    @property
    def _rows(self) -> list[Any]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made

    @property
    def frame(self) -> pd.DataFrame:
        """The table."""
        if self._frame is None:
            self._frame = frame(self._rows, self._columns)
        return self._frame

    def records(self) -> list[dict[str, Any]]:
        """Give the rows as new dicts of plain Python values."""
        if self._frame is not None:
            return records(self._frame)
        return [dict(zip(self._columns, row, strict=True)) for row in self._rows]

    def columns(self, *wanted: str) -> dict[str, list[Any]]:
        """Give the columns, or those that are wanted, as new lists of plain Python values."""
        if self._frame is not None:
            names = wanted or self._frame.columns
            return {str(name): self._frame[name].tolist() for name in names}
        places = {name: self._columns.index(name) for name in wanted or self._columns}
        return {name: [row[place] for row in self._rows] for name, place in places.items()}


class SheetField:
    """A field of a dataclass that takes a `Sheet` or a DataFrame and gives the DataFrame.

    Parameters
    ----------
    columns : sequence of str, optional
        Where the field may be left out: the columns of the table without rows that it then is.

    Examples
    --------
    >>> class Settlement:
    ...     flows = SheetField()
    >>> settled = Settlement()
    >>> settled.flows = Sheet([(5,)], ("amount_fen",))
    >>> settled.flows["amount_fen"].tolist()
    [5]
    """

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        self._columns = columns

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, of: None, owner: type) -> None: ...

    @overload
    def __get__(self, of: object, owner: type) -> pd.DataFrame: ...

    def __get__(self, of: object, owner: type) -> pd.DataFrame | None:
        if of is None:
            # What a dataclass asks for is the default of the field.
            if self._columns is None:
                raise AttributeError(self._name)
            return None
        sheet: Sheet = vars(of)[self._name]
        return sheet.frame

    def __set__(self, of: object, value: Sheet | pd.DataFrame | None) -> None:
        if value is None:
            value = Sheet((), self._columns or ())
        vars(of)[self._name] = value if isinstance(value, Sheet) else Sheet.of(value)


class Sheets:
    """A dataclass with fields that are sheets.

    Examples
    --------
    >>> class Settlement(Sheets):
    ...     flows = SheetField(("amount_fen",))
    >>> settled = Settlement()
    >>> settled.flows = Sheet([(5,)], ("amount_fen",))
    >>> settled.records("flows")
    [{'amount_fen': 5}]
    """

    def records(self, name: str) -> list[dict[str, Any]]:
        """Give the rows of a table as new dicts of plain Python values.

        Parameters
        ----------
        name : str
            The table's field.

        Returns
        -------
        list of dict
            The rows, amounts as exact integers.
        """
        sheet: Sheet = vars(self)[name]
        return sheet.records()

    def columns(self, name: str, *wanted: str) -> dict[str, list[Any]]:
        """Give the columns of a table as new lists of plain Python values.

        Parameters
        ----------
        name : str
            The table's field.
        *wanted : str
            The columns, in this order; all where none is named.

        Returns
        -------
        dict of str to list
            The columns, amounts as exact integers.
        """
        sheet: Sheet = vars(self)[name]
        return sheet.columns(*wanted)
