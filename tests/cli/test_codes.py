"""`drgcore codes`: codes found on the command line."""

from __future__ import annotations

from .conftest import plain, run


def test_search_by_name_code_and_initials() -> None:
    for words in (["jxxjgs"], ["急性心肌梗死"], ["i21.900"]):
        shown = plain(run("codes", "search", *words, "--kind", "diagnoses"))
        assert "I21.900 急性心肌梗死" in shown


def test_headings_are_marked_and_words_are_joined() -> None:
    shown = plain(run("codes", "search", "阑尾", "切除"))
    assert "47.0901 阑尾切除术" in shown
    assert "47.0900 其他阑尾切除术 置灰" in shown


def test_about() -> None:
    shown = plain(run("codes", "about"))
    assert "33,304 codes" in shown
    assert "50.2400x001, 52.2200x008" in shown
