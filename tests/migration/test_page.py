"""The page about migration: its commands run, and print what it says they print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from drgcore.cli.app import app

PAGE = (Path(__file__).parents[2] / "docs" / "migration.md").read_text(encoding="utf-8")


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_as_it_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = {}
    for command in "".join(_blocks("sh")).splitlines():
        program, *arguments = shlex.split(command)
        assert program == "drgcore"
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, (command, done.output)
        printed[command] = done.stdout
    [told] = _blocks("text")
    [migrated] = [text for command, text in printed.items() if "migrate" in command]
    lines = migrated.splitlines()
    places = [lines.index(line) for line in told.splitlines()]
    assert places == sorted(places)
    [code] = _blocks("python")
    exec(code, {})
    assert "subdivision_changed" in capsys.readouterr().out
    # What the page says of its tables.
    for name in re.findall(r"`(effect_\w+\.csv)`", PAGE):
        assert (tmp_path / "moved" / name).is_file()
    money = pd.read_csv(tmp_path / "moved" / "effect_money.csv")
    assert money["before_fen"].sum() == money["after_fen"].sum() == 24_000_000_000
    for name in ("departments", "mdcs"):
        parts = pd.read_csv(tmp_path / "moved" / f"effect_money_{name}.csv")
        sums = parts.groupby(["pool", "hospital"])[["before_fen", "after_fen"]].sum()
        whole = money.set_index(["pool", "hospital"])[["before_fen", "after_fen"]]
        pd.testing.assert_frame_equal(sums, whole)
    # The hospital of the page loses weight, and oncology more than the rest of it together.
    weights = pd.read_csv(tmp_path / "moved" / "effect_departments.csv").set_index("hospital")
    mine = weights.loc["H01"].set_index("department")
    change = mine["weight_after"] - mine["weight_before"]
    assert change.idxmin() == "肿瘤科"
    assert change["肿瘤科"] < change.drop("肿瘤科").sum()
