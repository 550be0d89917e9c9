"""Figures: no glyph is missing, text is never code, names of any length fit."""

from __future__ import annotations

import warnings
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure

from drgcore.report import Section, make_report
from drgcore.report.bars import both_sides
from drgcore.report.fonts import MISSING, drawable, font_file, lacking
from drgcore.report.style import drawing, money_unit, shortened
from drgcore.report.svg import Pictures, png_of, svg_of

# A rare character of a name, that GB 2312 does not have, and one that no font here has.
RARE, UNKNOWN = "㛃", "\U0002a6a5"


def drawn(text: str) -> Figure:
    """A figure with one text."""
    with drawing():
        figure = Figure(figsize=(2, 1))
        figure.text(0.1, 0.5, text)
    return figure


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_glyph_of_any_figure_is_missing(inputs, language):
    report = make_report("month", inputs, language)
    figures = [section for section in report.sections if section.figure is not None]
    assert len(figures) >= 10
    pictures = Pictures()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for section in figures:
            figure = pictures.figure(section)
            texts = "".join(text.get_text() for text in figure.findobj(_text))
            assert texts
            assert lacking(figure) == set()
            assert png_of(figure).startswith(b"\x89PNG")


def _text(artist) -> bool:
    return hasattr(artist, "get_text")


def test_the_font_has_what_names_need():
    there = drawable()
    assert all(ord(c) in there for c in "医保病组职工居民点值盈亏①②ⅠⅡαβ≥℃·—…〓￥")
    assert font_file().stat().st_size <= 2_500_000
    assert (font_file().parent / "OFL.txt").exists()


@pytest.mark.parametrize("character", [RARE, UNKNOWN])
def test_a_character_that_no_font_has_is_replaced_where_it_is_seen(character):
    names = [f"张{character}医院", "普通医院"]
    section = Section(
        "k", "", pd.DataFrame(), "", lambda: both_sides([(names[0], names, [1.0, -2.0])], "zh")
    )
    pictures = Pictures()
    assert svg_of(pictures.figure(section), "k", "").count(character) == 2
    assert lacking(pictures.figure(section)) == {character}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = pictures.picture(section)
        png_of(figure)
    assert lacking(figure) == set()
    assert f"张{MISSING}医院" in {text.get_text() for text in figure.findobj(_text)}


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a$b$c_d^2", "\"&'", "x\x00\x08y"])
def test_text_stays_text(text):
    figure = drawn(shortened(text, 60))
    root = ElementTree.fromstring(svg_of(figure, "k", text.replace("\x00", "").replace("\x08", "")))
    shown = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert shown == [shortened(text, 60)]
    assert not any("style" in e.attrib or e.tag.endswith(("style", "script")) for e in root.iter())


def test_names_in_svg_are_the_figures_own():
    with drawing():
        figure = Figure()
        figure.subplots().bar([0], [1], hatch="//")
    one, two = svg_of(figure, "one", "x"), svg_of(figure, "two", "x")
    for text, key in ((one, "one"), (two, "two")):
        root = ElementTree.fromstring(text)
        ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
        assert ids
        assert len(set(ids)) == len(ids)
        assert all(name.startswith(f"{key}-") for name in ids)
        assert f"url(#{key}-" in text
    assert one.replace("one-", "two-") == two


def test_long_names_are_cut():
    assert shortened("长" * 300, 18) == "长" * 8 + "…"
    assert shortened("a\nb", 18) == "a b"
    assert shortened("", 18) == ""


def test_units_of_money():
    assert money_unit(5, "zh") == (1.0, "元")
    assert money_unit(9e8, "zh") == (1e8, "亿元")
    assert money_unit(5e4, "en") == (1e3, "thousand yuan")
