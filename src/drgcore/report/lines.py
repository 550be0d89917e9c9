"""Figures over months, and small ones of the same kind beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from drgcore.language import Language
from drgcore.report.style import (
    BLUE,
    GREY,
    HATCHES,
    INK,
    MARKERS,
    ORANGE,
    SERIES,
    Numbers,
    canvas,
    grouped_digits,
    legend_above,
    money_unit,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Months: TypeAlias = tuple[str, Sequence[str], Numbers, Mapping[str, Numbers], Numbers]
"""A pool, its months, point values, money by part, and points."""


def value_by_month(
    pools: Sequence[Months],
    words: Mapping[str, str],
    language: Language,
) -> Figure:
    """Draw what a point was worth each month beside what it was made from.

    Parameters
    ----------
    pools : sequence of Months
        The point value and money in yuan.
    words : mapping of str to str
        ``value``, ``money``, ``points``: titles of the three columns.
    language : {"zh", "en"}
        Of the axes.
    """
    figure, axes = canvas(0.5 + 1.75 * len(pools), len(pools), 3)
    most = max(
        float(np.max(sum(np.asarray(p, float) for p in money.values()), initial=0.0))
        for _, _, _, money, _ in pools
    )
    scale, unit = money_unit(most, language)
    handles = {}
    for row, (pool, months, values, money, points) in zip(axes, pools, strict=True):
        at = np.arange(len(months))
        left, middle, right = row
        left.plot(at, values, color=BLUE, marker="o")
        _ends(left, at, np.asarray(values, float))
        left.set_title(f"{shortened(pool, 14)} · {words['value']}")
        below = np.zeros(len(months))
        for place, (name, amounts) in enumerate(money.items()):
            part = np.asarray(amounts, float) / scale
            handles[name] = middle.bar(
                at,
                part,
                bottom=below,
                width=0.72,
                color=SERIES[place],
                hatch=HATCHES[place],
                hatchcolor="white",
                linewidth=0,
            )
            below = below + part
        middle.set_title(f"{words['money']} [{unit}]")
        right.bar(at, np.asarray(points, float) / 1e4, width=0.72, color=GREY)
        right.set_title(words["points"])
        for axis in row:
            # Of many months every other one is named.
            step = 1 if len(months) <= 6 else 2
            axis.set_xticks(at[::step], list(months)[::step])
            axis.set_xlim(-0.7, max(len(months), 3) - 0.3)
            axis.grid(axis="y")
            grouped_digits(axis.yaxis)
    legend_above(figure, list(handles.values()), list(handles))
    return figure


def small_multiples(
    panels: Sequence[tuple[str, Mapping[str, Numbers]]],
    ticks: Sequence[str],
    reference: float | None = 1.0,
) -> Figure:
    """Draw the same few lines for each unit, all on one scale.

    Parameters
    ----------
    panels : sequence of (title, lines)
        For each unit its lines by name; NaN where there is no value.
    ticks : sequence of str
        Names of the places along the lines.
    reference : float, optional
        Where a thin line is drawn across.
    """
    across = 4
    down = -(-len(panels) // across)
    figure, axes = canvas(0.45 + 1.25 * down, down, across, sharex=True, sharey=True)
    at = np.arange(len(ticks))
    handles = {}
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis, (title, lines) in zip(axes.flat, panels, strict=False):
        if reference is not None:
            axis.axhline(reference, color=GREY, linewidth=0.7)
        for place, (name, values) in enumerate(lines.items()):
            (handles[name],) = axis.plot(
                at,
                np.asarray(values, float),
                color=(BLUE, ORANGE, INK)[place % 3],
                marker=MARKERS[place],
                linestyle=("-", "--", ":")[place % 3],
                markersize=3,
                linewidth=1.2,
            )
        axis.set_title(shortened(title, 18), fontsize=8)
        step = 1 if len(ticks) <= 4 else 3
        axis.set_xticks(at[::step], list(ticks)[::step])
        axis.tick_params(labelsize=7)
        axis.grid(axis="y")
    legend_above(figure, list(handles.values()), list(handles))
    return figure


def _ends(axis: Any, at: Any, values: Any) -> None:
    """Write the highest and the lowest value at their places."""
    there = np.flatnonzero(np.isfinite(values))
    if not len(there):
        return
    high, low = there[values[there].argmax()], there[values[there].argmin()]
    for place, above in {int(low): False, int(high): True}.items():
        axis.annotate(
            f"{values[place]:,.2f}",
            (at[place], values[place]),
            xytext=(0, 5 if above else -5),
            textcoords="offset points",
            ha="center",
            va="bottom" if above else "top",
            fontsize=7.5,
        )
    axis.margins(y=0.25)
