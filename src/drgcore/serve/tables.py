"""Tables in templates: headings and cells in the language of the page."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pandas as pd
from jinja2 import pass_context
from jinja2.runtime import Context

from drgcore import language
from drgcore.report import columns as report
from drgcore.report.texts import Words

Row = dict[str, Any]

DASH = "–"
WORDS_IN = frozenset({"pool", "case_class", "basis", "limited", "item", "kind", "account"})
"""Columns whose cells are words of the library."""
_PERIODS = frozenset({"month", "period"})
# Of a ledger or a comparison they mean what they do anywhere, not what a report has in them.
_PLAIN = frozenset({"share", "difference", "kind"})


def rows_of(table: pd.DataFrame) -> list[Row]:
    """A table as plain rows; what is missing is None.

    Parameters
    ----------
    table : pandas.DataFrame

    Examples
    --------
    >>> rows_of(pd.DataFrame({"a": [1, 2], "b": [0.5, float("nan")]}))
    [{'a': 1, 'b': 0.5}, {'a': 2, 'b': None}]
    """
    columns = {str(name): [_plain(v) for v in table[name].tolist()] for name in table.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return None if value is pd.NA or value is pd.NaT else value


def is_number(value: Any) -> bool:
    """Whether a cell is a number, which stands at the right of its column."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def number(value: Any, places: int = 2) -> str:
    """A number as people read it: separators, a real minus.

    Parameters
    ----------
    value : int, float, Decimal or None
        Decimals keep the places that they have.
    places : int
        Decimals of a float.

    Examples
    --------
    >>> number(Decimal("-1234.50")), number(1234), number(0.5, 1), number(None)
    ('−1,234.50', '1,234', '0.5', '–')
    """
    if value is None:
        return DASH
    text = f"{value:,.{places}f}" if isinstance(value, float) else f"{value:,}"
    return text.replace("-", "−")


def share(value: float | None, places: int = 1) -> str:
    """A share in percent.

    Examples
    --------
    >>> share(0.1234), share(None)
    ('12.3 %', '–')
    """
    return DASH if value is None else f"{value * 100:,.{places}f} %".replace("-", "−")


@pass_context
def heading(context: Context, name: str) -> str:
    """A column's heading in the language of the page."""
    if name in report.COLUMNS and name not in _PLAIN:
        return report.heading(name, context["lang"])
    with language.use_language(context["lang"]):
        return language.heading(name)


@pass_context
def word(context: Context, value: Any) -> str:
    """A word of the library, such as a class of cases, in the language of the page."""
    return Words(context["lang"]).word(value)


@pass_context
def cell(context: Context, value: Any, name: str) -> str:
    """A cell of a table."""
    if value is None or value == "":
        return DASH if value is None else ""
    if isinstance(value, Measured):
        return value.text
    if is_number(value):
        return number(value)
    if name in _PERIODS or isinstance(value, dt.date):
        return spoken_period(context, value)
    if name == "kinds":
        return "；".join(word(context, part) for part in str(value).split(";"))
    return word(context, value) if name in WORDS_IN else str(value)


@pass_context
def spoken_period(context: Context, value: Any) -> str:
    """A day, a month or a year in the language of the page."""
    return Words(context["lang"]).period(value)


@pass_context
def along_axis(context: Context, months: Iterable[Any]) -> list[str]:
    """Months along the axis of a figure in the language of the page."""
    return Words(context["lang"]).months(list(months))


@pass_context
def worded(context: Context, series: dict[str, Any]) -> dict[str, Any]:
    """The series of a figure under their names in the language of the page."""
    return {word(context, name): values for name, values in series.items()}


def without(rows: Iterable[Row], *names: str) -> list[Row]:
    """Rows without some columns, and without those in which no row has anything."""
    kept = list(rows)
    used = {
        name
        for row in kept
        for name, value in row.items()
        if value not in (None, "", 0) and name not in names
    }
    return [{name: value for name, value in row.items() if name in used} for row in kept]


def leading(rows: Iterable[Row], *names: str) -> list[Row]:
    """Rows with some columns before the others."""
    kept = list(rows)
    order = [*(n for n in names if kept and n in kept[0])]
    return [{**{n: row[n] for n in order}, **row} for row in kept]


def measure(value: Any, name: str) -> str:
    """A value as reports write those of its column.

    Examples
    --------
    >>> measure(0.5, "grouping_rate"), measure(1.2345, "cmi"), measure(1200.0, "cases")
    ('50.00%', '1.234', '1,200')
    """
    return report.written(value, report.column_of(name).kind)


def measured(rows: Iterable[Row]) -> list[Row]:
    """Rows whose indices and shares are rounded as reports have them."""
    return [
        {
            n: Measured(v, measure(v, n)) if isinstance(v, float) and n in report.COLUMNS else v
            for n, v in row.items()
        }
        for row in rows
    ]


class Measured(float):
    """A number that knows how it is written."""

    text: str

    def __new__(cls, value: float, text: str) -> Measured:
        """Make it of a number and its text."""
        made = super().__new__(cls, value)
        made.text = text
        return made


@pass_context
def worded_list(context: Context, words: Iterable[str]) -> list[str]:
    """Words in the language of the page."""
    return [word(context, one) for one in words]


@pass_context
def headings(context: Context, names: Iterable[str]) -> list[str]:
    """Headings in the language of the page."""
    return [heading(context, name) for name in names]


def labelled(rows: Iterable[Row], key: str = "drg") -> list[str]:
    """Code and name of groups."""
    return [f"{row[key]} {row['name']}".rstrip() for row in rows]


def picked(values: Row, names: Iterable[str]) -> list[Any]:
    """Some values of a row."""
    return [values[name] for name in names]


def latest(values: Iterable[float | None]) -> float | None:
    """The last value that there is."""
    return next((value for value in reversed(list(values)) if value is not None), None)


FILTERS = {
    "measure": measure,
    "measured": measured,
    "worded_list": worded_list,
    "headings": headings,
    "labelled": labelled,
    "picked": picked,
    "latest": latest,
    "heading": heading,
    "word": word,
    "period": spoken_period,
    "months": along_axis,
    "cell": cell,
    "number": number,
    "share": share,
    "without": without,
    "leading": leading,
    "worded": worded,
}
"""What templates call them by."""

TESTS = {"a_number": is_number}
