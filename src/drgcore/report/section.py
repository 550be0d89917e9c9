"""The small parts that a report is composed of: each a table, a figure and what to see in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from drgcore.language import Language

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawing: TypeAlias = "Callable[[], Figure]"
"""Draws a section's figure when it is wanted."""


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a report: a table, its figure, and the sentence that says what to see.

    Parameters
    ----------
    key : str
        A short name of small letters and hyphens: the anchor in the page.
    title : str
        The title, in the report's language.
    table : pandas.DataFrame
        The table under the library's names of columns, money in yuan.
    sentence : str
        What to see, with the numbers that it speaks of.
    figure : callable, optional
        Draws the figure; None where there is nothing to draw.
    alt : str
        What the figure shows, for who cannot see it.
    page : tuple of str
        The columns that the page shows; all where it is empty. The workbook has all.
    keys : int
        Number of first columns that say what a row is.

    Examples
    --------
    >>> section = Section("pools", "基金", pd.DataFrame({"pool": ["p"]}), "只有一个基金。")
    >>> section.shown().columns.tolist()
    ['pool']
    """

    key: str
    title: str
    table: pd.DataFrame
    sentence: str
    figure: Drawing | None = None
    alt: str = ""
    page: tuple[str, ...] = ()
    keys: int = 1

    def shown(self) -> pd.DataFrame:
        """Give the table with the columns that the page shows."""
        names = [name for name in self.page if name in self.table.columns]
        return self.table[names] if names else self.table


@dataclass(frozen=True, eq=False)
class Report:
    """A report: what it is of, a few facts, its sections, and what could not be shown.

    Parameters
    ----------
    kind : str
        One of `drgcore.report.KINDS`.
    title : str
        The title.
    subtitle : str
        Of what, by what: period, scheme, policy.
    language : {"zh", "en"}
        Of its texts.
    facts : tuple of (str, str)
        Name and value of the few numbers that stand first.
    sections : tuple of Section
        The parts in their order.
    notes : tuple of str
        What is not in it and why, and what must be said with it.
    """

    kind: str
    title: str
    subtitle: str
    language: Language
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = field(default=())
