"""Figures of the pages as small SVG: colours by the pages' style sheet, never by colour alone."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

_WIDTH, _HEIGHT = 640, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 14, 34
_BAR, _NAME = 22, 236
_SIGNS = ("circle", "square", "diamond", "triangle")
_LETTER = 9
_WIDE, _NARROW = 12, 6.8

Values = Sequence[float | None]


@dataclass(frozen=True)
class Bubble:
    """A bubble: its name, where it stands, its area, and whether it is to be noticed."""

    name: str
    x: float
    y: float
    size: float
    marked: bool = False


def lines(series: Mapping[str, Values], labels: Sequence[str], alt: str) -> Markup:
    """Lines over the same places, each with a sign of its own.

    Parameters
    ----------
    series : mapping of str to sequence of float or None
        A gap where there is no value.
    labels : sequence of str
        Below the places.
    alt : str
        What the figure shows, for who does not see it.

    Examples
    --------
    >>> drawn = lines({"<a>": [1.0, None, 3.0]}, ["1", "2", "3"], "three")
    >>> "&lt;a&gt;" in drawn, "style=" in drawn
    (True, False)
    """
    known = [v for values in series.values() for v in values if v is not None]
    ticks = scale(min(known, default=0.0), max(known, default=1.0))
    body = [_axis(ticks, labels)]
    for place, (name, values) in enumerate(series.items()):
        sign = _SIGNS[place % len(_SIGNS)]
        spots = [
            None if v is None else (_across(at, len(labels)), _up(v, ticks))
            for at, v in enumerate(values)
        ]
        for part in _unbroken(spots):
            drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in part)
            body.append(f'<polyline class="line s{place % 4}" points="{drawn}"/>')
        for spot, value, label in zip(spots, values, labels, strict=True):
            if spot is not None:
                told = f"{name} {label}: {_short(value or 0.0)}"
                body.append(_sign(sign, *spot, f"s{place % 4}", told))
    return _svg(_HEIGHT, body, alt)


def legend(names: Iterable[str]) -> Markup:
    """Which sign of `lines` is whose.

    Parameters
    ----------
    names : iterable of str
        In the order of the figure.

    Examples
    --------
    >>> legend(["a", "b"]).count("<svg")
    2
    """
    parts = []
    for place, name in enumerate(names):
        kind = f"s{place % 4}"
        drawn = f'<path class="line {kind}" d="M0 7h26"/>'
        sign = _sign(_SIGNS[place % len(_SIGNS)], 13, 7, kind, name)
        key = f'<svg class="key" viewBox="0 0 26 14" aria-hidden="true">{drawn}{sign}</svg>'
        parts.append(f"<span>{key} {escape(name)}</span>")
    return Markup(f'<p class="legend">{" ".join(parts)}</p>')


def small(values: Values, alt: str) -> Markup:
    """A line without axes, as high as a line of text; the last value has a mark.

    Examples
    --------
    >>> small([1.0, 2.0], "rising").startswith("<svg")
    True
    """
    known = [v for v in values if v is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    span = high - low or 1.0
    step = 116 / max(len(values) - 1, 1)
    spots = [
        None if v is None else (2 + at * step, 22 - 18 * (v - low) / span)
        for at, v in enumerate(values)
    ]
    body = [
        '<polyline class="line s0" points="{}"/>'.format(
            " ".join(f"{x:.1f},{y:.1f}" for x, y in part)
        )
        for part in _unbroken(spots)
    ]
    last = next((spot for spot in reversed(spots) if spot is not None), None)
    if last is not None:
        body.append(f'<circle class="dot s0" cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.5"/>')
    return Markup(
        f'<svg class="spark" viewBox="0 0 120 26" role="img" aria-label="{escape(alt)}">'
        f"{''.join(body)}</svg>"
    )


def bars(names: Sequence[str], values: Sequence[float], alt: str, *, lang: str = "en") -> Markup:
    """Bars to the right, or to the left of a line at 0 where values are below it.

    Parameters
    ----------
    names : sequence of str
    values : sequence of float
        Bars below 0 are hatched by their class.
    alt : str
    lang : {"zh", "en"}
        Whose units large numbers have.

    Examples
    --------
    >>> bars(["a", "b"], [2.0, -1.0], "two").count("<rect")
    2
    """
    low, high = min([0.0, *values]), max([0.0, *values])
    span = high - low or 1.0
    room = _WIDTH - _NAME - 90
    # Left of the longest bar below 0 its number stands.
    beside = 60 if low < 0 else 0
    unit = (room - beside) / span
    zero = _NAME + 4 + beside - unit * low
    body = []
    for at, (name, value) in enumerate(zip(names, values, strict=True)):
        y = 4 + at * _BAR
        length = abs(value) * unit
        x = zero - length if value < 0 else zero
        kind = "bar less" if value < 0 else "bar"
        end = f'x="{x - 4:.1f}" text-anchor="end"' if value < 0 else f'x="{x + length + 4:.1f}"'
        told = f"<title>{escape(name)}: {_short(value, lang)}</title>"
        body.append(
            f'<text x="{_NAME}" y="{y + 13}" text-anchor="end">{escape(_cut(name))}{told}</text>'
            f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{length:.1f}" height="{_BAR - 6}">'
            f'{told}</rect><text {end} y="{y + 13}">{_short(value, lang)}</text>'
        )
    foot = 4 + len(names) * _BAR
    body.append(f'<line class="axis" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{foot}"/>')
    return _svg(foot + 4, body, alt)


def bubbles(found: Sequence[Bubble], x_name: str, y_name: str, alt: str) -> Markup:
    """Bubbles by two indices, with lines at 1; marked ones are hatched by their class.

    Parameters
    ----------
    found : sequence of Bubble
    x_name, y_name : str
        What the axes are.
    alt : str

    Examples
    --------
    >>> bubbles([Bubble("H1", 1.1, 0.9, 100.0)], "CMI", "cost index", "one").count("<circle")
    1
    """
    across = scale(*_around([b.x for b in found]))
    up = scale(*_around([b.y for b in found]))
    most = max((b.size for b in found), default=1.0) or 1.0

    def x_of(value: float) -> float:
        room = _WIDTH - _LEFT - _RIGHT
        return _LEFT + room * (value - across[0]) / (across[-1] - across[0])

    body = [_grid(up)]
    for tick in across:
        x = x_of(tick)
        text = f'<text x="{x:.1f}" y="{_HEIGHT - 18}" text-anchor="middle">{_short(tick)}</text>'
        body.append(text)
    for at, sides in ((x_of(1.0), "x"), (_up(1.0, up), "y")):
        ends = (
            f'x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"'
            if sides == "x"
            else f'y1="{at:.1f}" y2="{at:.1f}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}"'
        )
        body.append(f'<line class="one" {ends}/>')
    for bubble in sorted(found, key=lambda b: -b.size):
        radius = 3 + 15 * math.sqrt(max(bubble.size, 0.0) / most)
        x, y = x_of(bubble.x), _up(bubble.y, up)
        told = f"{bubble.name}: {_short(bubble.x)}, {_short(bubble.y)}"
        kind = "bubble marked" if bubble.marked else "bubble"
        body.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
            f"<title>{escape(told)}</title></circle>"
            f'<text class="on" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">'
            f"{escape(bubble.name[:8])}</text>"
        )
    body.append(
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 4}" text-anchor="end">{escape(x_name)}</text>'
        f'<text x="{_LEFT + 4}" y="{_TOP - 3}">{escape(y_name)}</text>'
    )
    return _svg(_HEIGHT, body, alt)


def scale(low: float, high: float, steps: int = 4) -> list[float]:
    """Round numbers that span an interval.

    Parameters
    ----------
    low, high : float
    steps : int
        About so many steps.

    Examples
    --------
    >>> scale(133.1, 187.4)
    [120.0, 140.0, 160.0, 180.0, 200.0]
    >>> scale(5.0, 5.0)[0] < 5.0 < scale(5.0, 5.0)[-1]
    True
    """
    if high <= low:
        low, high = low - abs(low) * 0.1 - 0.5, high + abs(high) * 0.1 + 0.5
    rough = (high - low) / steps
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * m for m in (1, 2, 5, 10) if size * m >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _around(values: Sequence[float]) -> tuple[float, float]:
    """The interval of values that has 1 in it."""
    return min([0.95, *values]), max([1.05, *values])


def _axis(ticks: Sequence[float], labels: Sequence[str]) -> str:
    parts = [_grid(ticks)]
    every = math.ceil(len(labels) * max(map(len, labels), default=0) * _LETTER / _WIDTH) or 1
    for at, label in enumerate(labels):
        if at % every == 0:
            x = _across(at, len(labels))
            parts.append(
                f'<text x="{x:.1f}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(label)}</text>'
            )
    return "".join(parts)


def _grid(ticks: Sequence[float]) -> str:
    parts = []
    for tick in ticks:
        y = _up(tick, ticks)
        parts.append(
            f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(tick)}</text>'
        )
    return "".join(parts)


def _across(at: int, count: int) -> float:
    room = _WIDTH - _LEFT - _RIGHT - 30
    return _LEFT + 15 + (room * at / (count - 1) if count > 1 else room / 2)


def _up(value: float, ticks: Sequence[float]) -> float:
    room = _HEIGHT - _TOP - _BOTTOM
    return _TOP + room * (ticks[-1] - value) / (ticks[-1] - ticks[0])


def _unbroken(
    spots: Sequence[tuple[float, float] | None],
) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    for spot in spots:
        if spot is None:
            parts.append([])
        else:
            parts[-1].append(spot)
    return [part for part in parts if part]


def _sign(sign: str, x: float, y: float, kind: str, told: str) -> str:
    title = f"<title>{escape(told)}</title>"
    if sign == "circle":
        return f'<circle class="dot {kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5">{title}</circle>'
    corners = {
        "square": ((-3, -3), (3, -3), (3, 3), (-3, 3)),
        "diamond": ((0, -4.5), (4.5, 0), (0, 4.5), (-4.5, 0)),
        "triangle": ((0, -4.5), (4, 3), (-4, 3)),
    }[sign]
    drawn = " ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners)
    return f'<polygon class="dot {kind}" points="{drawn}">{title}</polygon>'


def _short(value: float, lang: str = "en") -> str:
    """A number as short as a figure needs it."""
    units = ((1e8, "亿"), (1e4, "万")) if lang == "zh" else ((1e9, "bn"), (1e6, "m"))
    unit, name = next(((u, n) for u, n in units if abs(value) >= u), (1.0, ""))
    text = f"{value:,.0f}" if not name and abs(value) >= 1000 else f"{value / unit:,.4g}{name}"
    return text.replace("-", "−")


def _cut(name: str) -> str:
    """As much of a name as has room beside the bars, where Chinese characters are wide."""
    room = _NAME - 8.0
    for at, sign in enumerate(name):
        room -= _WIDE if unicodedata.east_asian_width(sign) in "WF" else _NARROW
        if room < 0:
            return f"{name[: at - 1]}…"
    return name


def _svg(height: float, body: Sequence[str], alt: str) -> Markup:
    return Markup(
        f'<svg class="figure" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(alt)}">{"".join(body)}</svg>'
    )
