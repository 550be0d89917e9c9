"""The font of figures that become pictures, and characters that it does not have."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from drgcore.errors import DrgcoreError
from drgcore.language import _

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILY = "Drgcore Sans SC"
"""The shipped font: a subset of Noto Sans CJK SC, see data/fonts/SOURCES.md."""

FALLBACK = "DejaVu Sans"
"""Comes with matplotlib; asked for what the shipped font does not have."""

MISSING = "〓"
"""What printers put where a character is missing; stands for one that neither font has."""

_replacing: ContextVar[bool] = ContextVar("replacing", default=False)

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
        _("the font of the figures is missing from this installation"),
        where=str(installed),
        hint=_("Install drgcore again."),
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


@contextmanager
def lacking_is_no_fault() -> Iterator[None]:
    """Within this block matplotlib does not warn of characters that its fonts do not have."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


@contextmanager
def missing_replaced() -> Iterator[None]:
    """Within this block figures are drawn with `MISSING` for what no font can show."""
    token = _replacing.set(True)
    try:
        yield
    finally:
        _replacing.reset(token)


def as_drawn(text: str) -> str:
    """Give a text as a figure has it: as it is, or with `MISSING` for what no font can show.

    Examples
    --------
    >>> as_drawn("张\U00020000") == "张\U00020000"
    True
    >>> with missing_replaced():
    ...     as_drawn("张\U00020000")
    '张〓'
    """
    if not _replacing.get():
        return text
    there = drawable()
    return "".join(c if ord(c) in there else MISSING for c in text)


def lacking(figure: Figure) -> set[str]:
    """Give the characters of a figure that no font can show.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> _ = figure.text(0, 0, "张\U00020000")
    >>> lacking(figure) == {"\U00020000"}
    True
    """
    from matplotlib.text import Text

    there = drawable()
    texts = (text.get_text() for text in figure.findobj(Text))
    return {c for text in texts for c in text if ord(c) not in there and c != "\n"}
