"""The tutorial and the pages of tasks: both languages, commands that run, outputs that are real."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("commands", DOCS / "making" / "commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMMANDS = _module()
PAGES = COMMANDS.followed_pages()


def test_the_lists_name_every_task() -> None:
    there = {p for p in (DOCS / "how-to").rglob("*.md") if not p.name.endswith(".zh.md")}
    assert set(PAGES) == {DOCS / "tutorial.md", *(p for p in there if p.name != "index.md")}
    assert len(PAGES) == len(set(PAGES))


@pytest.mark.parametrize(
    "name", ["index", "tutorial", "method", "formats", "folders", "spark", "how-to/*/*"]
)
def test_every_page_is_there_in_chinese(name: str) -> None:
    pages = [p for p in DOCS.glob(f"{name}.md") if not p.name.endswith(".zh.md")]
    assert pages
    for page in pages:
        other = COMMANDS.twin(page)
        assert len(re.findall("[一-鿿]", other.read_text("utf-8"))) > 30, page
        blocks = [
            [
                b[:3] if b[0] != "text" else b[:1]
                for b in COMMANDS.BLOCK.findall(p.read_text("utf-8"))
            ]
            for p in (page, other)
        ]
        if page in PAGES:
            assert blocks[0] == blocks[1], page


def _follow(pages: list[Path], language: str, folder: Path) -> None:
    before = Path.cwd()
    os.chdir(folder)
    try:
        for english in pages:
            page = english if language == "en" else COMMANDS.twin(english)
            text = page.read_text("utf-8")
            found = COMMANDS.followed(text, language)
            assert COMMANDS.lasting(found) == COMMANDS.lasting(text), (
                f"{page}: python docs/making/commands.py"
            )
    finally:
        os.chdir(before)


def test_the_tutorial_as_it_is_followed(tmp_path: Path) -> None:
    _follow(PAGES[:1], "en", tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_task_as_it_is_followed(language: str, tmp_path: Path) -> None:
    _follow(PAGES, language, tmp_path)


def test_an_output_is_cut_as_the_page_cuts_it() -> None:
    assert COMMANDS.shown("a\nb  \nc\nd\n", "1\n…\n1\n") == "a\n…\nd\n"
    assert COMMANDS.shown("a\nb\n", "1\n…\n1\n") == "a\nb\n"
    assert COMMANDS.shown("a\nb\n", "") == "a\nb\n"


def test_a_wrong_output_and_a_failing_command_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = "```sh\ndrgcore sample a.parquet --rows 5\n```\n\n```text\n6 cases\n```\n"
    assert "5 synthetic cases in a.parquet" in COMMANDS.followed(page, "en")
    with pytest.raises(ValueError, match="exit code 1"):
        COMMANDS.followed("```sh\ndrgcore group nothing.csv b.csv\n```\n", "en")
    Path("c.toml").write_text("a = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="does not stand once"):
        COMMANDS.followed('```diff title="c.toml"\n-b = 1\n+b = 2\n```\n', "en")


def test_the_numbers_of_the_method_are_those_of_the_worked_example() -> None:
    worked = (DOCS / "worked_example.md").read_text("utf-8")
    formulas = re.findall(
        r"^```math\n(.*?)^```$", (DOCS / "method.md").read_text("utf-8"), re.M | re.S
    )
    numbers = re.findall(r"\d+(?:\{,\}\d{3})*\.\d\d+|\d+(?:\{,\}\d{3})+", "\n".join(formulas))
    assert len(numbers) > 10
    for number in numbers:
        assert number.replace("{,}", ",") in worked, number
