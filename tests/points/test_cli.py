from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len
from typer.testing import CliRunner

from drgcore.cli.policy import app
from drgcore.errors import PolicyError
from drgcore.points import PRESETS, Policy

run = CliRunner().invoke


def test_check_explains_what_is_asked_for_and_wrong(tmp_path: Path) -> None:
    found = run(app, ["check", "shanwei"])
    assert found.exit_code == 1
    assert "budget.pools.employee.budget" in found.output
    assert "[yuan]" in found.output
    assert run(app, ["check", "example"]).exit_code == 0
    file = tmp_path / "mine.toml"
    assert run(app, ["new", "example", str(file)]).exit_code == 0
    text = file.read_text("utf-8")
    file.write_text(text.replace("prepayment = 0.95", "prepayment = 95"), "utf-8")
    found = run(app, ["check", str(file)])
    assert found.exit_code == 1
    assert "wrong: 1" in found.output
    assert "budget.prepayment" in found.output
    assert "but it is 95" in found.output


def test_a_new_policy_comes_with_its_tables_and_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "region" / "mine.toml"
    assert run(app, ["new", "example", str(file)]).exit_code == 0
    assert Policy.load(file).text == Policy.load("example").text
    file.unlink()
    found = run(app, ["new", "example", str(file)])
    assert isinstance(found.exception, PolicyError)
    assert "example-base-points.csv" in str(found.exception)
    assert not file.exists()


def test_show_prints_sentences() -> None:
    shown = run(app, ["show", "example", "--on", "2027-05-01"]).output
    assert "FICTITIOUS" in shown
    assert "hi by base points is 3 up to 100, 2.5 up to 200, 2 above" in shown
    assert "level 3 1.08, level 2 0.98, level 1 0.85" in shown
    unfinished = run(app, ["show", "shanwei"]).output
    assert "the month's share is forecast" not in unfinished  # a comment of the file
    assert "items that the audit refuses are deducted." in unfinished
    assert "budget: months forecast" in unfinished
    assert "28 to fill in: base_points 5," in unfinished


def test_list_names_every_preset() -> None:
    shown = run(app, ["list"]).output.splitlines()
    rows = {line.split()[0]: line for line in shown[1:-1]}
    assert list(rows) == list(PRESETS)
    assert rows["jinhua-2017"].split()[1:5] == ["Jinhua,", "Zhejiang", "(金华)", "2017"]
    assert rows["example"].split()[-1] == "0"
    assert all(cell_len(line) <= 80 for line in shown)


def test_an_unknown_preset_is_named() -> None:
    for arguments in (["show", "hangzhou-1999"], ["check", "hangzhou-1999"]):
        found = run(app, arguments)
        assert isinstance(found.exception, PolicyError)
        assert "hangzhou-1999" in str(found.exception)
        assert "zhejiang-2025" in str(found.exception)
