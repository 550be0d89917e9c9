"""What the reader left out of a file is said by every command that reads one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

import drgcore
from drgcore.cli.app import COMMANDS, app

READING = (
    "group CASES OUT.csv --columns case_id",
    "cases join --info CASES --diagnoses CASES OUT.csv",
    "mapping guess CASES",
    "check CASES OUT.csv",
    "explain CASES --row 2",
    "scheme migrate CASES",
    "points compute CASES --out OUT.csv --policy example",
    "points explain CASES --id 1 --policy example",
    "points readmissions CASES --policy example",
    "points reviews CASES --policy example --decisions CASES",
    "settle trial CASES --year 2027 --policy example",
    "settle compare-returned CASES --cases CASES --year 2027 --policy example",
    "settle month CASES --month 2027-01 --policy example --ledger OUT.sqlite",
    "settle year CASES --year 2027 --policy example --ledger OUT.sqlite",
    "ledger sanction OUT.sqlite CASES CASES --policy example",
    "weights statistics CASES",
    "weights base-points CASES --scale 100 --out OUT.csv",
    "weights performance CASES",
    "weights coefficients CASES --of level",
    "weights subdivide CASES --name new --out OUT",
    "forecast shares CASES --year 2028",
    "scenario compare CASES --policy example --year 2027",
    "policy new example OUT.toml --year 2028 --from-history CASES",
    "score CASES --by SHEET",
    "pnl CASES --policy example --value 基本=100",
    "indicators CASES",
    "audit CASES",
    "what-if CASES --row 2",
    "what-if CASES --pivotal OUT.csv",
    "in-stay CASES OUT.csv --history CASES",
    "report month CASES --month 2027-01 --policy example --format xlsx --out OUT",
    "compare-groups CASES CASES",
)
OTHERS = {
    *("group-one", "sample", "demo", "codes search", "codes about", "settle explain"),
    *("ledger list", "ledger verify", "ledger adjust"),
    *("policy list", "policy check", "policy show"),
    *(
        "scheme list",
        "scheme compile",
        "scheme show",
        "scheme check",
        "scheme diff",
        *("scheme export", "serve", "mcp"),
    ),
}
"""Commands that read no table of the user's."""


AS_THE_MONTH = {f"report {kind}" for kind in ("year", "hospital", "department", "grouping")}
"""Reports whose cases come in as those of the month."""

OF_RESULTS = {f"report {kind}" for kind in ("migration", "audit", "negotiation")}
"""Reports of tables that other commands wrote."""


def leaves() -> Iterator[str]:
    """Every command by its words."""
    for name, lazy in COMMANDS.items():
        command: Any = lazy.load(name)
        if isinstance(command, TyperGroup):
            yield from (f"{name} {sub}" for sub in command.list_commands(typer.Context(command)))
        else:
            yield name


def test_every_command_is_asked() -> None:
    asked = {words for words in leaves() if any(f"{r} ".startswith(f"{words} ") for r in READING)}
    assert set(leaves()) - asked == OTHERS | AS_THE_MONTH | OF_RESULTS


def options_of(words: str) -> set[str]:
    """The parameters of the command that the words call."""
    name, second, *_ = words.split()
    command: Any = COMMANDS[name].load(name)
    if isinstance(command, TyperGroup):
        _, command, _ = command.resolve_command(typer.Context(command), [second])
    return {parameter.name for parameter in command.params}


@pytest.fixture(scope="module")
def titled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grouped cases as a sheet's export: a title above them, their sum below."""
    table = drgcore.group(drgcore.sample_cases(60, seed=3))
    columns = [
        pc.binary_join(column, "|") if pa.types.is_list(column.type) else column.cast(pa.string())
        for column in table.columns
    ]
    frame = pa.table(columns, names=table.column_names).to_pandas()
    path = tmp_path_factory.mktemp("titled") / "cases.csv"
    total = "合计" + "," * (len(frame.columns) - 1)
    path.write_text(f"出院病例明细\n{frame.to_csv(index=False)}{total}\n", encoding="utf-8")
    sheet = path.with_name("sheet.toml")
    sheet.write_text(
        'of = ["department"]\nmin_cases = 1\nmissing = "zero"\n'
        '[[indicators]]\nname = "cmi"\nweight = 1\nzero = 0\ntarget = 1\n',
        encoding="utf-8",
    )
    return path


def run_on(titled: Path, words: str, folder: Path) -> Any:
    """A command on the cases."""
    filled = (
        words.replace("CASES", str(titled))
        .replace("SHEET", str(titled.with_name("sheet.toml")))
        .replace("OUT", str(folder / "out"))
    )
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, filled.split())
    # Some commands want more of the cases than these have; they have been read before.
    assert done.exception is None or isinstance(done.exception, drgcore.DrgcoreError | SystemExit)
    return done


@pytest.mark.parametrize("words", READING)
def test_said_once_on_the_error_stream(words: str, titled: Path, tmp_path: Path) -> None:
    done = run_on(titled, words, tmp_path)
    assert done.stderr.count(f"note: {titled}: row 1 above the column names left out\n") == 1
    assert "above the column names" not in done.stdout


@pytest.mark.parametrize("words", [words for words in READING if "mapping" in options_of(words)])
def test_mappings_are_guessed_wherever_one_is_taken(
    words: str, titled: Path, tmp_path: Path
) -> None:
    done = run_on(titled, f"{words} --mapping auto", tmp_path)
    assert "preset 'canonical'" in done.stderr or 'preset = "canonical"' in done.stderr
    assert "auto" not in str(done.exception)
