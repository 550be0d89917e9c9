"""Settlement tables as people read them: yuan with two decimals, points with their decimals."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from drgcore.budget.accounts import RESERVE
from drgcore.budget.allocate import decimal_text, yuan
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.month_value import ON_TOP, SET_ASIDE
from drgcore.budget.year_end import YearSettlement

MONTH_TABLES = ("point_values", "statement", "classes", "reserve", "flows")
YEAR_TABLES = (
    "point_values",
    "statement",
    "units",
    "adjustments",
    "classes",
    "pool",
    "reserve",
    "reconciliation",
    "flows",
)
FACTOR_COLUMNS = ("kappa", "ratio", "share")
"""Exact numbers that a settlement holds as text."""
VALUE_PLACES = 6
"""Decimals of a point value that are shown; the computation keeps the fraction."""


def show(settlement: MonthSettlement | YearSettlement) -> dict[str, pd.DataFrame]:
    """Give all tables of a settlement for reading.

    Parameters
    ----------
    settlement : MonthSettlement or YearSettlement
        The settlement.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables by name. Columns `*_fen` become text in yuan without the suffix, `points` text
        with its decimals; `point_values` gains `point_value` [yuan per point], a month's `reserve`
        what was set aside and what was paid from it on top of points.

    Examples
    --------
    >>> from drgcore.budget.frames import MOVE_COLUMNS, frame
    >>> shown(frame([("p", "closing", 123456)], MOVE_COLUMNS), 4)["amount"].tolist()
    ['1,234.56']
    """
    places = _places(settlement)
    return {
        name: pd.DataFrame(_texts(_columns(settlement, name), places))
        for name in _names(settlement)
    }


def plain(settlement: MonthSettlement | YearSettlement) -> dict[str, pd.DataFrame]:
    """Give all tables of a settlement for files and spreadsheets: numbers without separators.

    Parameters
    ----------
    settlement : MonthSettlement or YearSettlement
        The settlement.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables of `show`, with yuan and points as exact decimals.

    Examples
    --------
    >>> from drgcore.budget.frames import MOVE_COLUMNS, frame
    >>> numbers(frame([("p", "closing", 1749700011)], MOVE_COLUMNS), 4)["amount"].tolist()
    [Decimal('17497000.11')]
    """
    return {name: plain_table(settlement, name) for name in _names(settlement)}


def plain_table(settlement: MonthSettlement | YearSettlement, name: str) -> pd.DataFrame:
    """Give one of the tables of `plain`.

    Parameters
    ----------
    settlement : MonthSettlement or YearSettlement
        The settlement.
    name : str
        One of `MONTH_TABLES` or `YEAR_TABLES`.

    Returns
    -------
    pandas.DataFrame
        The table, yuan and points as exact decimals.

    Examples
    --------
    >>> from drgcore.budget.month import Month
    >>> from drgcore.budget.sheets import Sheet
    >>> none, row = Sheet([], ()), ("p", 500, 0, 0, 500)
    >>> values = Sheet([("p", 4)], ("pool", "places"))
    >>> reserve = Sheet([row], ("pool", "opening_fen", "from_ceiling_fen", "to_floor_fen",
    ...                         "closing_fen"))
    >>> settled = MonthSettlement(Month(2026, 1), values, none, none, reserve)
    >>> plain_table(settled, "reserve")["closing"].tolist()
    [Decimal('5.00')]
    """
    columns = _decimals(_columns(settlement, name), _places(settlement))
    if name == "point_values":
        columns["point_value"] = [Decimal(value) for value in columns["point_value"]]
    return pd.DataFrame(columns, dtype=object)


def _names(settlement: MonthSettlement | YearSettlement) -> tuple[str, ...]:
    return MONTH_TABLES if isinstance(settlement, MonthSettlement) else YEAR_TABLES


def _places(settlement: MonthSettlement | YearSettlement) -> int:
    return max(row["places"] for row in settlement.records("point_values"))


def _values(settlement: MonthSettlement | YearSettlement) -> list[str]:
    """Write the point values [yuan per point] in the order of the pools."""
    pools = [row["pool"] for row in settlement.records("point_values")]
    return [decimal_text(settlement.value(pool).yuan, VALUE_PLACES) for pool in pools]


def _columns(settlement: MonthSettlement | YearSettlement, name: str) -> dict[str, list[Any]]:
    """Give the columns of a table that people read.

    A month's reserve has every move, so that each row adds up to its closing; fingerprints are for
    programs.
    """
    columns = settlement.columns(name)
    columns.pop("fingerprint", None)
    if name == "point_values":
        columns["point_value"] = _values(settlement)
    if name != "reserve" or not isinstance(settlement, MonthSettlement):
        return columns
    aside = dict.fromkeys(columns["pool"], 0)
    on_top = dict.fromkeys(columns["pool"], 0)
    for move in settlement.records("flows"):
        if (move["item"], move["account"]) == (SET_ASIDE, RESERVE):
            aside[move["pool"]] += move["amount_fen"]
        if (move["item"], move["account"]) == (ON_TOP, RESERVE):
            on_top[move["pool"]] += move["amount_fen"]
    closing = columns.pop("closing_fen")
    columns["set_aside_fen"] = [aside[pool] for pool in columns["pool"]]
    columns["on_top_fen"] = [on_top[pool] for pool in columns["pool"]]
    return columns | {"closing_fen": closing}


def _decimals(columns: dict[str, list[Any]], places: int) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, values in columns.items():
        if name.endswith("_fen"):
            found[name.removesuffix("_fen")] = [Decimal(v).scaleb(-2) for v in values]
        elif name == "points":
            found[name] = [Decimal(v).scaleb(-places) for v in values]
        elif name in FACTOR_COLUMNS:
            found[name] = [_factor(v) for v in values]
        else:
            found[name] = values
    return found


def _texts(columns: dict[str, list[Any]], places: int) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, values in columns.items():
        if name.endswith("_fen"):
            found[name.removesuffix("_fen")] = [yuan(value) for value in values]
        elif name == "points":
            found[name] = [points_text(value, places) for value in values]
        else:
            found[name] = values
    return found


def numbers(table: pd.DataFrame, places: int) -> pd.DataFrame:
    """Turn a table's fen, points and factors into decimals.

    Parameters
    ----------
    table : pandas.DataFrame
        A table of a settlement.
    places : int
        Decimals of a point.

    Returns
    -------
    pandas.DataFrame
        The table; `*_fen` lose the suffix.

    Examples
    --------
    >>> numbers(pd.DataFrame({"points": [12345]}), 2)["points"].tolist()
    [Decimal('123.45')]
    >>> numbers(pd.DataFrame({"share": ["0.6", "1/3", ""]}), 2)["share"].tolist()
    [Decimal('0.6'), '1/3', None]
    """
    columns = {name: table[name].tolist() for name in table.columns}
    return pd.DataFrame(_decimals(columns, places), dtype=object)


def _factor(text: str) -> Decimal | str | None:
    """Give a factor as a number; a fraction that no decimal holds stays the text n/d."""
    if not text:
        return None
    return text if "/" in text else Decimal(text)


def shown(table: pd.DataFrame, places: int) -> pd.DataFrame:
    """Write a table's amounts in yuan and its points with decimals.

    Parameters
    ----------
    table : pandas.DataFrame
        A table of a settlement.
    places : int
        Decimals of a point.

    Returns
    -------
    pandas.DataFrame
        The table as text and counts.

    Examples
    --------
    >>> shown(pd.DataFrame({"points": [12345]}), 2)["points"].tolist()
    ['123.45']
    """
    columns = {name: table[name].tolist() for name in table.columns}
    return pd.DataFrame(_texts(columns, places))


def points_text(points: int, places: int) -> str:
    """Write points, given in units of their last decimal place.

    Parameters
    ----------
    points : int
        Points × 10**places.
    places : int
        Decimals of a point.

    Returns
    -------
    str
        The points.

    Examples
    --------
    >>> points_text(1205000, 4)
    '120.5000'
    """
    return decimal_text(Fraction(points, 10**places), places)
