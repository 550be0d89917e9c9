"""A figure as SVG that stands within a page: no style attribute, no name that occurs twice."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from drgcore.report.fonts import lacking, lacking_is_no_fault, missing_replaced
from drgcore.report.section import Section
from drgcore.report.style import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_DPI = 110
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"(?:italic |bold |normal |\d{3} )*([\d.]+)px ")


class Pictures:
    """The figures of a report, each drawn and laid out once, for page and workbook."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def figure(self, section: Section) -> Figure:
        """Draw a section's figure, or give it again."""
        if section.key not in self._figures:
            self._figures[section.key] = _drawn(section)
        return self._figures[section.key]

    def picture(self, section: Section) -> Figure:
        """Give a section's figure as the shipped font can show it."""
        figure = self.figure(section)
        if not lacking(figure):
            return figure
        with missing_replaced():
            return _drawn(section)


def _drawn(section: Section) -> Figure:
    if section.figure is None:
        raise ValueError(f"section {section.key} has no figure")
    with drawing(), lacking_is_no_fault():
        figure = section.figure()
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.execute(figure)
            # What is laid out stays; saving would do it again each time.
            figure.set_layout_engine("none")
    return figure


def svg_of(figure: Figure, key: str, alt: str) -> str:
    """Write a figure as SVG whose text stays text, to be put into a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    key : str
        Put before every name in it.
    alt : str
        What it shows.

    Returns
    -------
    str
        An ``svg`` element. It has neither ``style`` nor font families: a page whose policy refuses
        style attributes shows it, in its own font.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> _ = figure.text(0, 0, "<病组>")
    >>> svg_of(figure, "groups", "病组").count("&lt;病组&gt;")
    1
    """
    content = io.BytesIO()
    # The reader's browser looks for its own fonts.
    with drawing(), lacking_is_no_fault():
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(content.getvalue())
    for parent in root.iter():
        for child in [c for c in parent if c.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style")]:
            parent.remove(child)
    used = set()
    for element in root.iter():
        used |= {found for value in element.attrib.values() for found in _REFERENCE.findall(value)}
        used |= {element.get(_LINK, "").removeprefix("#")}
    for element in root.iter():
        _tidy(element, key, used)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    # What matplotlib says in a style sheet for every element.
    root.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt", "role": "img"}
    root.set("aria-label", alt)
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def png_of(figure: Figure) -> bytes:
    """Write a figure as a picture, in the shipped font.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.

    Returns
    -------
    bytes
        A PNG. The same figure gives the same bytes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> png_of(Figure())[1:4]
    b'PNG'
    """
    content = io.BytesIO()
    with drawing():
        figure.savefig(content, format="png", dpi=_DPI, metadata={"Software": None})
    return content.getvalue()


def _tidy(element: ElementTree.Element, key: str, used: set[str]) -> None:
    style = element.attrib.pop("style", "")
    for part in style.split(";"):
        name, colon, value = part.partition(":")
        if not colon:
            continue
        name, value = name.strip(), value.strip()
        if name == "font":
            size = _FONT.match(value)
            element.set("font-size", size[1] if size else "8.5")
        elif name not in ("font-family", "white-space"):
            element.set(name, value)
    own = element.attrib.pop("id", None)
    if own in used:
        element.set("id", f"{key}-{own}")
    for name, value in element.attrib.items():
        if "url(#" in value:
            element.set(name, _REFERENCE.sub(rf"url(#{key}-\1)", value))
    link = element.attrib.pop(_LINK, None)
    if link is not None:
        element.set("href", f"#{key}-{link.removeprefix('#')}")
