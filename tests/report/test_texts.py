"""No text lacks a language, and both have the same places."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import drgcore.report
from drgcore.errors import DrgcoreError
from drgcore.report.chinese import TEXTS
from drgcore.report.columns import COLUMNS, heading
from drgcore.report.texts import Words

FOLDER = Path(drgcore.report.__file__).parent


def said() -> dict[str, str]:
    """Every text that a module says or its template asks for, with the module."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            # `Words` says a text of its own.
            if name in ("say", "_say") or (name == "self" and path.name == "texts.py"):
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
                found[node.args[0].value] = path.name
    page = (FOLDER / "assets" / "page.html").read_text(encoding="utf-8")
    found |= {part.split("'")[0]: "page.html" for part in page.split("say('")[1:]}
    return found


def places(text: str) -> set[str]:
    """The named places of a template."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_text_has_its_chinese():
    assert {text: where for text, where in said().items() if text not in TEXTS} == {}


def test_no_chinese_is_left_over():
    assert set(TEXTS) - set(said()) == set()


@pytest.mark.parametrize("text", sorted(TEXTS))
def test_both_languages_have_the_same_places(text):
    assert places(text) == places(TEXTS[text])
    assert TEXTS[text]


def test_columns_have_both_headings():
    assert all(column.en and column.zh for column in COLUMNS.values())
    assert heading("round 2: money", "zh") == "round 2: 金额"


def test_a_language_that_is_not_there():
    with pytest.raises(DrgcoreError, match="no language 'fr'"):
        Words("fr")
