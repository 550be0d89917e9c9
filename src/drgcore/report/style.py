"""How all figures look: size, colours that the colour-blind tell apart, numbers on axes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.language import Language, _
from drgcore.report.fonts import FALLBACK, FAMILY, as_drawn, register_font

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers: TypeAlias = Sequence[float] | NDArray[np.float64] | pd.Series
"""What figures take for numbers."""

WIDTH = 7.2
"""Width of every figure [inches]: what an A4 page has between its margins."""

BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, BLACK = "#CC79A7", "#56B4E9", "#F0E442", "#000000"
"""Okabe and Ito's colours (Color Universal Design, 2008)."""

GREY, LIGHT, INK = "#6B7280", "#D9DEE5", "#1F2937"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++")
"""Each series has a pattern beside its colour, so that it can be told in grey."""

# Columns that fit into one line of a legend.
_LEGEND = 105

MARKERS = ("o", "s", "^", "D", "v", "P")

_STYLE: Any = {
    "font.family": [FAMILY, FALLBACK],
    "font.size": 8.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "hatch.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "svg.fonttype": "none",
    "svg.hashsalt": "drgcore",
    "figure.dpi": 72,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Within this block figures have the style; matplotlib's own settings stay as they were.

    Raises
    ------
    DrgcoreError
        Without matplotlib.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise DrgcoreError(
            _("a report's figures need matplotlib"),
            hint=_("Install it with pip install 'drgcore[report]'."),
        ) from error
    register_font()
    with mpl.rc_context(_STYLE):
        yield


def canvas(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """Make a figure of the common width with some axes, always as an array of two dimensions.

    Parameters
    ----------
    height : float
        [inches]
    rows, columns : int
        Axes below and beside each other.
    options
        As for `Figure.subplots`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def grouped_digits(axis: Any) -> None:
    """Write an axis's numbers with thousands separated."""
    axis.set_major_formatter(lambda value, _: f"{value:,.12g}".replace("-", "−"))


def numbers_beside(axis: Any, counts: Sequence[int]) -> None:
    """Write the number beside each of several horizontal bars, which stand at 0, 1, …"""
    for place, count in enumerate(counts):
        axis.annotate(
            f"{count:,.0f}",
            (count, place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )


def shortened(text: Any, columns: int = 18) -> str:
    """Cut a label to so many columns (a Chinese character takes two), with … at its end.

    Characters that cannot be printed, line breaks too, become spaces.

    Examples
    --------
    >>> shortened("East County consortium", 12), shortened("呼吸内科", 12)
    ('East County…', '呼吸内科')
    """
    clean = as_drawn("".join(c if c.isprintable() else " " for c in str(text)).strip())
    used = 0
    for place, character in enumerate(clean):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > columns:
            return clean[: max(place - 1, 1)].rstrip() + "…" if place else "…"
    return clean


def money_unit(most: float, language: Language) -> tuple[float, str]:
    """Choose the unit of an axis of money: what to divide yuan by, and its name.

    Examples
    --------
    >>> money_unit(3e6, "zh"), money_unit(3e6, "en")
    ((10000.0, '万元'), (1000000.0, 'million yuan'))
    """
    if language == "zh":
        return (1e8, "亿元") if most >= 2e8 else (1e4, "万元") if most >= 2e4 else (1.0, "元")
    if most >= 2e6:
        return 1e6, "million yuan"
    return (1e3, "thousand yuan") if most >= 2e3 else (1.0, "yuan")


def legend_above(figure: Figure, handles: Any, labels: Any) -> None:
    """Put one legend for all axes above them."""
    width = sum(7 + columns_of(label) for label in labels)
    across = len(labels) if width <= _LEGEND else 3
    figure.legend(handles, labels, loc="outside upper left", ncols=across)


def columns_of(text: str) -> int:
    """Count the columns that a text takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
