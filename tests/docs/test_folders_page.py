"""docs/folders.md: its commands run, and print what it shows, in both languages."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def commands() -> ModuleType:
    """`docs/making/commands.py`, which lies in no package."""
    spec = importlib.util.spec_from_file_location("commands", DOCS / "making" / "commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("language", "page"), [("en", "folders.md"), ("zh", "folders.zh.md")])
def test_the_page_shows_what_its_commands_do(
    language: str, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    text = (DOCS / page).read_text("utf-8")
    assert commands().followed(text, language) == text
    # What was asked for has come to be where the page says it is.
    assert {path.name for path in tmp_path.iterdir()} == {
        *("cases", "grouped", "statistics.csv", "first_quarter.parquet", "one.parquet"),
        *("region.duckdb", "by_month"),
    }
    assert len(list((tmp_path / "grouped").rglob("*.parquet"))) == 12
    assert {path.name for path in (tmp_path / "by_month" / "year=2027").iterdir()} == {
        *("month=02", "month=03"),
    }
