"""Figures in which a place says something: bubbles, a curve of shares, ranges, flows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from drgcore.report.fonts import lacking_is_no_fault
from drgcore.report.style import (
    BLUE,
    GREY,
    HATCHES,
    INK,
    LIGHT,
    ORANGE,
    SERIES,
    VERMILLION,
    Numbers,
    canvas,
    numbers_beside,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABELS = 24


def bubbles(
    table: pd.DataFrame,
    columns: tuple[str, str, str, str],
    labels: tuple[str, str, str],
    marked: Sequence[bool],
) -> Figure:
    """Draw units by two indices, as large as they have cases; 1 is the region's mean.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a unit.
    columns : (str, str, str, str)
        Its columns of names, of the index across and upward, and of the cases, to which the areas
        are in proportion.
    labels : (str, str, str)
        Of the two axes, and what the area is.
    marked : sequence of bool
        Units in another colour and pattern.
    """
    names, (x, y, n) = table[columns[0]].tolist(), (table[c].to_numpy(float) for c in columns[1:])
    figure, axes = canvas(3.9)
    axis = axes[0, 0]
    chosen = np.asarray(marked, bool)
    area = 30 + 900 * n / max(float(n.max(initial=0)), 1.0)
    for which, color, hatch in ((~chosen, BLUE, ""), (chosen, ORANGE, "//////")):
        axis.scatter(
            x[which],
            y[which],
            s=area[which],
            color=color,
            alpha=0.55,
            edgecolor=INK,
            linewidth=0.6,
            hatch=hatch,
        )
    axis.axhline(1, color=GREY, linewidth=0.8, linestyle="--")
    axis.axvline(1, color=GREY, linewidth=0.8, linestyle="--")
    axis.set_xlabel(labels[0])
    axis.set_ylabel(labels[1])
    axis.set_title(labels[2], fontsize=8, color=GREY)
    axis.margins(0.12)
    axis.grid()
    order = np.argsort(-(n + n.sum() * chosen), kind="stable")
    _label(figure, axis, [(str(names[i]), x[i], y[i], area[i]) for i in order])
    return figure


def _label(figure: Figure, axis: Axes, wanted: Sequence[tuple[str, float, float, float]]) -> None:
    """Name the first points; a name that would lie on another, or on a point, is left out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import Bbox

    renderer: Any = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    with lacking_is_no_fault():
        figure.draw(renderer)
    taken: list[Any] = []
    # No name lies on another bubble either.
    around = []
    for _, x, y, area in wanted:
        centre, half = axis.transData.transform((x, y)), np.sqrt(area / np.pi) * figure.dpi / 72
        around.append(Bbox([centre - 0.8 * half, centre + 0.8 * half]))
    for own, (name, x, y, area) in enumerate(wanted[:_LABELS]):
        gap = np.sqrt(area / np.pi) + 2
        for dx, dy, ha, va in (
            (gap, 0, "left", "center"),
            (-gap, 0, "right", "center"),
            (0, gap, "center", "bottom"),
            (0, -gap, "center", "top"),
        ):
            text = axis.annotate(
                shortened(name, 16),
                (x, y),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=ha,
                va=va,
                fontsize=7.5,
            )
            with lacking_is_no_fault():
                box = text.get_window_extent(renderer)
            inside = axis.bbox.contains(box.x0, box.y0) and axis.bbox.contains(box.x1, box.y1)
            others = [*taken, *around[:own], *around[own + 1 :]]
            if inside and not any(box.overlaps(other) for other in others):
                taken.append(box)
                break
            text.remove()


def concentration(
    names: Sequence[str],
    counts: Sequence[int],
    cumulative: Numbers,
    labels: tuple[str, str, str],
) -> Figure:
    """Draw the largest groups as bars, and beside them how few groups hold most cases.

    Parameters
    ----------
    names : sequence of str
        The largest groups, the largest first.
    counts : sequence of int
        Their cases.
    cumulative : sequence of float
        Share of all cases in the 1, 2, 3, … largest groups.
    labels : (str, str, str)
        Of the bars, and the two axes of the curve.
    """
    figure, axes = canvas(0.6 + 0.21 * max(len(names), 8), 1, 2, width_ratios=[3, 2])
    left, right = axes[0]
    at = np.arange(len(names))
    left.barh(at, counts, height=0.72, color=BLUE)
    left.set_yticks(at, [shortened(name, 30) for name in names])
    left.set_ylim(len(names) - 0.4, -0.6)
    left.tick_params(axis="y", length=0)
    numbers_beside(left, counts)
    left.margins(x=0.15)
    left.locator_params(axis="x", integer=True)
    left.set_title(labels[0])
    left.grid(axis="x")
    share = 100 * np.asarray(cumulative, float)
    right.plot(np.arange(1, len(share) + 1), share, color=BLUE)
    half = int(np.searchsorted(share, 80.0)) + 1
    if half <= len(share):
        right.plot([half, half], [0, 80], color=VERMILLION, linewidth=1, linestyle="--")
        right.plot([0, half], [80, 80], color=VERMILLION, linewidth=1, linestyle="--")
        right.annotate(
            f"{half:,} → 80%",
            (half, 80),
            xytext=(5, -5),
            textcoords="offset points",
            va="top",
            fontsize=8,
        )
    right.set_ylim(0, 103)
    right.set_xlim(0, max(len(share), 1) * 1.02)
    right.set_xlabel(labels[1])
    right.set_title(labels[2])
    right.grid()
    return figure


def ranges(rows: Sequence[tuple[str, str, float, float, float, bool]], label: str) -> Figure:
    """Draw ratios with their limits on a scale of factors; 1 is what is expected.

    Parameters
    ----------
    rows : sequence of (group, name, ratio, lower, upper, sure)
        Rows of one group stand together; the mark of a sure one is filled.
    label : str
        Of the axis.
    """
    figure, axes = canvas(0.55 + 0.22 * max(len(rows), 3))
    axis = axes[0, 0]
    groups = list(dict.fromkeys(group for group, *_ in rows))
    least, most = 0.05, 40.0
    for place, (group, _, ratio, lower, upper, sure) in enumerate(rows):
        number = groups.index(group)
        color = SERIES[number % len(SERIES)]
        low, high = max(lower, least), min(upper, most)
        axis.plot([low, high], [place, place], color=INK, linewidth=1.1)
        axis.plot(
            [min(max(ratio, least), most)],
            [place],
            marker=("o", "s", "^", "D", "v", "P")[number % 6],
            color=color if sure else "white",
            markeredgecolor=INK,
            markeredgewidth=0.7,
            markersize=6,
        )
    axis.axvline(1, color=GREY, linewidth=0.9, linestyle="--")
    axis.set_xscale("log")
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if least <= t <= most]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.minorticks_off()
    axis.set_yticks(
        range(len(rows)), [f"{shortened(g, 22)} · {shortened(n, 22)}" for g, n, *_ in rows]
    )
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(label)
    axis.grid(axis="x")
    return figure


def flows(
    bands: Sequence[tuple[str, str, float]], heads: tuple[str, str], kept: Sequence[bool] = ()
) -> Figure:
    """Draw what flows from the names on the left to those on the right, as wide as it is large.

    Parameters
    ----------
    bands : sequence of (left, right, size)
        The flows.
    heads : (str, str)
        What stands on the left and on the right.
    kept : sequence of bool
        Flows that change nothing, drawn pale.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    lefts = list(dict.fromkeys(left for left, _, _ in bands))
    rights = list(dict.fromkeys(right for _, right, _ in bands))
    total = sum(size for *_, size in bands) or 1.0
    rows = max(len(lefts), len(rights), 4)
    figure, axes = canvas(0.5 + 0.27 * rows)
    axis = axes[0, 0]
    gap = 0.6 / rows
    # Where each name's bar begins and how far it is used up, from the top.
    place: dict[tuple[str, str], float] = {}
    for side, names, index in (("l", lefts, 0), ("r", rights, 1)):
        sizes = [sum(b[2] for b in bands if b[index] == name) / total for name in names]
        space = gap if len(names) > 1 else 0.0
        top = 1 + gap * (rows - 1) / 2 + (space * (len(names) - 1)) / 2
        x = 0.0 if side == "l" else 1.0
        for name, size in zip(names, sizes, strict=True):
            place[side, name] = top
            axis.fill_between([x - 0.012, x + 0.012], top - size, top, color=INK, linewidth=0)
            axis.text(
                x + (-0.025 if side == "l" else 0.025),
                top - size / 2,
                f"{shortened(name, 30)}  {size * total:,.0f}",
                ha="right" if side == "l" else "left",
                va="center",
                fontsize=7.5,
            )
            top -= size + space
    pale = list(kept) or [False] * len(bands)
    for (left, right, size), quiet in zip(bands, pale, strict=True):
        number = lefts.index(left)
        y0, y1, height = place["l", left], place["r", right], size / total
        place["l", left], place["r", right] = y0 - height, y1 - height
        points = [
            (0.012, y0), (0.5, y0), (0.5, y1), (0.988, y1),
            (0.988, y1 - height), (0.5, y1 - height), (0.5, y0 - height), (0.012, y0 - height),
            (0.012, y0),
        ]  # fmt: skip
        codes = [1, 4, 4, 4, 2, 4, 4, 4, 79]
        axis.add_patch(
            PathPatch(
                Path(points, codes),
                facecolor=LIGHT if quiet else SERIES[number % len(SERIES)],
                alpha=0.9 if quiet else 0.7,
                hatch="" if quiet else HATCHES[number % len(HATCHES)],
                hatchcolor="white",
                linewidth=0,
            )
        )
    axis.set_xlim(-0.75, 1.75)
    axis.autoscale(axis="y")
    axis.margins(y=0.02)
    axis.set_axis_off()
    axis.set_title(f"{heads[0]}  →  {heads[1]}", loc="center")
    return figure
