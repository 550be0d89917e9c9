"""The font of figures that become pictures, and characters that it does not have."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from drgcore.errors import DrgcoreError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILY = "Drgcore Sans SC"
"""The shipped font: a subset of Noto Sans CJK SC, see data/fonts/SOURCES.md."""

FALLBACK = "DejaVu Sans"
"""Comes with matplotlib; asked for what the shipped font does not have."""

MISSING = "〓"
"""What printers put where a character is missing; stands for one that neither font has."""

_FILE = "drgcore-sans-sc.otf"


def font_file() -> Path:
    """Give the shipped font: in the installed package, or in a source checkout.

    Raises
    ------
    DrgcoreError
        When neither has it.

    Examples
    --------
    >>> font_file().suffix
    '.otf'
    """
    installed = Path(str(resources.files("drgcore"))) / "data" / "fonts" / _FILE
    checkout = Path(__file__).parents[3] / "data" / "fonts" / _FILE
    for path in (installed, checkout):
        if path.is_file():
            return path
    raise DrgcoreError(
        "the font of the figures is missing from this installation",
        where=str(installed),
        hint="Install drgcore again.",
    )


@cache
def register_font() -> None:
    """Make the shipped font known to matplotlib."""
    from matplotlib import font_manager

    font_manager.fontManager.addfont(str(font_file()))


@cache
def drawable() -> frozenset[int]:
    """Give the code points that a picture can show, by the shipped font or the fallback.

    Examples
    --------
    >>> ord("组") in drawable(), ord("\U00020000") in drawable()
    (True, False)
    """
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    register_font()
    fallback = font_manager.findfont(FALLBACK)
    return frozenset(
        point for path in (str(font_file()), fallback) for point in FT2Font(path).get_charmap()
    )


def replace_missing(figure: Figure) -> None:
    """Put `MISSING` for each character of a figure that no font can show.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Changed in place.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> label = figure.text(0, 0, "张\U00020000")
    >>> replace_missing(figure)
    >>> label.get_text()
    '张〓'
    """
    from matplotlib.text import Text

    there = drawable()
    for text in figure.findobj(Text):
        old = text.get_text()
        new = "".join(c if ord(c) in there or c == "\n" else MISSING for c in old)
        if new != old:
            text.set_text(new)
