"""Figures of bars: stacked, on both sides of nothing, as a waterfall, as a funnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drgcore.language import Language
from drgcore.report.style import (
    BLACK,
    BLUE,
    GREY,
    HATCHES,
    ORANGE,
    SERIES,
    VERMILLION,
    Numbers,
    canvas,
    grouped_digits,
    legend_above,
    money_unit,
    numbers_beside,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = 0.21
# Inches that title, axis and legend take beside the bars.
_AROUND = 0.85


def stacked_bars(
    panels: Sequence[tuple[str, Sequence[str], Mapping[str, Numbers], Numbers]],
    language: Language,
    mark: str = "",
    label: str = "",
) -> Figure:
    """Draw money in parts, a horizontal bar a unit, a figure for each pool.

    Parameters
    ----------
    panels : sequence of (title, units, parts, marks)
        Names of the units, each part's amounts [yuan] by name of the part, and for each unit an
        amount that is marked across its bar (none for no marks).
    language : {"zh", "en"}
        Of the axis.
    mark : str
        What the marks are.
    label : str
        Of the axis, where the amounts are no money.
    """
    rows = max(len(units) for _, units, _, _ in panels)
    figure, axes = canvas(_AROUND + 0.1 + _BAR * max(rows, 3), 1, len(panels))
    totals = [
        sum(np.maximum(np.asarray(amounts, float), 0) for amounts in parts.values())
        for _, _, parts, _ in panels
    ]
    most = max(float(np.max(total, initial=0.0)) for total in totals)
    scale, unit = (1.0, label) if label else money_unit(most, language)
    handles: dict[str, Any] = {}
    for axis, (title, units, parts, marks) in zip(axes[0], panels, strict=True):
        at = np.arange(len(units))
        right, left = np.zeros(len(units)), np.zeros(len(units))
        for place, (name, amounts) in enumerate(parts.items()):
            value = np.asarray(amounts, float) / scale
            start = np.where(value >= 0, right, left)
            handles[name] = axis.barh(
                at,
                value,
                left=start,
                height=0.72,
                color=SERIES[place % len(SERIES)],
                hatch=HATCHES[place % len(HATCHES)],
                hatchcolor="white",
                linewidth=0,
            )
            right, left = right + np.maximum(value, 0), left + np.minimum(value, 0)
        if len(marks):
            handles[mark] = axis.scatter(
                np.asarray(marks, float) / scale,
                at,
                marker="|",
                s=90,
                color=BLACK,
                linewidth=1.6,
                zorder=3,
            )
        _names(axis, at, [shortened(name, 16) for name in units])
        axis.set_title(shortened(title, 40))
        axis.set_xlabel(unit)
        axis.grid(axis="x")
        grouped_digits(axis.xaxis)
    legend_above(figure, list(handles.values()), list(handles))
    return figure


def both_sides(
    panels: Sequence[tuple[str, Sequence[str], Numbers]], language: Language, label: str = ""
) -> Figure:
    """Draw gains to the right and losses to the left, a bar a unit, a panel beside another.

    Parameters
    ----------
    panels : sequence of (title, units, amounts)
        Amounts in yuan, or in what `label` says.
    language : {"zh", "en"}
        Of the axis.
    label : str
        Of the axis, where the amounts are no money.
    """
    rows = max(len(units) for _, units, _ in panels)
    figure, axes = canvas(_AROUND + _BAR * max(rows, 3), 1, len(panels))
    most = max(float(np.max(np.abs(np.asarray(a, float)), initial=0)) for _, _, a in panels)
    scale, unit = (1.0, label) if label else money_unit(most, language)
    for axis, (title, units, amounts) in zip(axes[0], panels, strict=True):
        at, value = np.arange(len(units)), np.asarray(amounts, float) / scale
        for sign, color, hatch in ((1, BLUE, ""), (-1, VERMILLION, "///")):
            chosen = np.sign(value) == sign
            axis.barh(
                at[chosen],
                value[chosen],
                height=0.72,
                color=color,
                hatch=hatch,
                hatchcolor="white",
                linewidth=0,
            )
        axis.axvline(0, color=GREY, linewidth=0.8)
        _names(axis, at, [shortened(name, 22 if len(panels) > 1 else 40) for name in units])
        _numbers_at(axis, at, value)
        axis.set_title(shortened(title, 40))
        axis.set_xlabel(unit)
        axis.grid(axis="x")
        grouped_digits(axis.xaxis)
    return figure


def waterfall(
    panels: Sequence[tuple[str, Sequence[str], Numbers, Sequence[bool]]],
    language: Language,
) -> Figure:
    """Draw how an amount becomes another: each step begins where the one before ends.

    Parameters
    ----------
    panels : sequence of (title, steps, amounts, whole)
        Amounts [yuan]; `whole` marks those that are a total from nothing and no step.
    language : {"zh", "en"}
        Of the axis.
    """
    rows = max(len(steps) for _, steps, _, _ in panels)
    figure, axes = canvas(0.55 * len(panels) + _BAR * 1.15 * len(panels) * rows, len(panels), 1)
    most = max(float(np.max(np.abs(np.asarray(a, float)), initial=0)) for _, _, a, _ in panels)
    scale, unit = money_unit(most, language)
    for axis, (title, steps, amounts, whole) in zip(axes[:, 0], panels, strict=True):
        value, total = np.asarray(amounts, float) / scale, np.asarray(whole, bool)
        ends = np.zeros(len(value))
        starts = np.zeros(len(value))
        level = 0.0
        for i, amount in enumerate(value):
            starts[i] = 0.0 if total[i] else level
            level = ends[i] = starts[i] + amount
        at = np.arange(len(value))
        for chosen, color, hatch in (
            (total, GREY, ""),
            (~total & (value >= 0), BLUE, ""),
            (~total & (value < 0), ORANGE, "///"),
        ):
            axis.barh(
                at[chosen],
                value[chosen],
                left=starts[chosen],
                height=0.7,
                color=color,
                hatch=hatch,
                hatchcolor="white",
                linewidth=0,
            )
        for i in range(len(value) - 1):
            axis.plot([ends[i]] * 2, [i - 0.35, i + 1.35], color=GREY, linewidth=0.7)
        span = float(np.ptp(np.concatenate([starts, ends, [0.0]]))) or 1.0
        for i, amount in enumerate(value):
            sign = "" if total[i] else "+" if amount > 0 else ""
            shown = f"{sign}{amount:,.2f}".replace("-", "−")
            edge = max(starts[i], ends[i]) + 0.01 * span
            axis.text(edge, i, shown, va="center", ha="left", fontsize=7.5)
        _names(axis, at, [shortened(step, 36) for step in steps])
        low, high = (
            min(0.0, float(min(starts.min(), ends.min()))),
            float(max(starts.max(), ends.max())),
        )
        axis.set_xlim(low - 0.02 * span, high + 0.16 * span)
        axis.set_title(shortened(title, 60))
        axis.set_xlabel(unit)
        axis.grid(axis="x")
        grouped_digits(axis.xaxis)
    return figure


def funnel(steps: Sequence[str], counts: Sequence[int], lost: Sequence[str]) -> Figure:
    """Draw how many are left after each step, and beside it who fell out.

    Parameters
    ----------
    steps : sequence of str
        The first is everybody.
    counts : sequence of int
        Left after each step.
    lost : sequence of str
        What to say of those who fell out between a step and the one before; may be empty.
    """
    figure, axes = canvas(0.35 + 0.52 * len(steps))
    axis = axes[0, 0]
    whole = max(counts[0], 1)
    for i, (count, color) in enumerate(zip(counts, _shades(len(counts)), strict=True)):
        width = count / whole
        axis.barh(i, width, left=(1 - width) / 2, height=0.62, color=color, linewidth=0)
        share = f"{count:,} · {count / whole:.2%}"
        axis.text(0.5, i, share, ha="center", va="center", color="white", fontsize=9)
        if lost[i]:
            axis.annotate(
                lost[i],
                (1.0, i - 0.5),
                xytext=(1.03, i - 0.5),
                va="center",
                fontsize=7.5,
                annotation_clip=False,
            )
    _names(axis, np.arange(len(steps)), steps)
    axis.set_xlim(0, 1.55)
    axis.set_xticks([])
    axis.spines["bottom"].set_visible(False)
    axis.spines["left"].set_visible(False)
    axis.tick_params(length=0)
    return figure


def counted(names: Sequence[str], counts: Sequence[int]) -> Figure:
    """Draw counts as horizontal bars, each with its number.

    Parameters
    ----------
    names : sequence of str
        What is counted.
    counts : sequence of int
        How often.
    """
    figure, axes = canvas(0.35 + _BAR * max(len(names), 3))
    axis, at = axes[0, 0], np.arange(len(names))
    axis.barh(at, counts, height=0.72, color=BLUE, linewidth=0)
    numbers_beside(axis, counts)
    _names(axis, at, [shortened(name, 44) for name in names])
    axis.set_xlim(0, 1.1 * max(*counts, 1))
    axis.locator_params(axis="x", integer=True)
    axis.grid(axis="x")
    grouped_digits(axis.xaxis)
    return figure


def _shades(count: int) -> list[str]:
    # From dark to mid blue: white text stands on each.
    shades = ["#0B3C5D", "#0F4C75", "#005A8C", "#0072B2", "#1B7FBC"]
    return [shades[min(i, len(shades) - 1)] for i in range(count)]


def _names(axis: Axes, at: Any, names: Sequence[str]) -> None:
    axis.set_yticks(at, names)
    axis.set_ylim(len(at) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)


def _numbers_at(axis: Axes, at: Any, value: Any) -> None:
    """Write each number at the end of its bar, and make room for it."""
    span = float(np.ptp(np.append(value, 0.0))) or 1.0
    places = 1 if span >= 10 else 2
    for place, amount in zip(at, value, strict=True):
        axis.annotate(
            f"{amount:,.{places}f}".replace("-", "−"),
            (amount, place),
            xytext=(3 if amount >= 0 else -3, 0),
            textcoords="offset points",
            ha="left" if amount >= 0 else "right",
            va="center",
            fontsize=7,
        )
    low, high = min(0.0, float(np.min(value, initial=0))), max(0.0, float(np.max(value, initial=0)))
    axis.set_xlim(low - (0.22 * span if low < 0 else 0.02 * span), high + 0.22 * span)
