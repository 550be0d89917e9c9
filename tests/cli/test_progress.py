"""How far long work is: on a terminal, in a log, and what an interruption leaves."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer.main
from rich.console import Console
from rich.progress import Progress
from typer.testing import CliRunner

import drgcore
from drgcore.cases import open_cases
from drgcore.cli.app import app
from drgcore.cli.progress import Lines, _Counts, shown_progress, told
from drgcore.grouper.manifest import MANIFEST
from drgcore.progress import display, showing, step, tracked

from .conftest import ALONE, ROWS, plain, run

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals are of POSIX")


def test_a_log_has_a_line_every_few_seconds_and_one_at_the_end() -> None:
    text, now = io.StringIO(), [0.0]
    lines = Lines(Console(file=text, width=200), lambda: now[0])
    number = lines.begin("reading [x].csv", "cases", None)
    for second in range(1, 13):
        now[0] = float(second)
        lines.update(number, second * 1000, 20_000)
    lines.end(number)
    assert text.getvalue().splitlines() == [
        "reading [x].csv: 5,000 of 20,000 cases, 1,000/s, 0:15 left",
        "reading [x].csv: 10,000 of 20,000 cases, 1,000/s, 0:10 left",
        "reading [x].csv: 12,000 of 20,000 cases, 1,000/s, 0:08 left",
    ]


def test_words_for_what_is_not_known() -> None:
    assert told(5, None, "cases", None, None) == "5 cases"
    assert told(5, None, "cases", 2.0, 3700.0) == "5 cases, 2/s, 1:01:40"
    assert told(2, 5, "steps", 0.4, 5.0) == "2 of 5 steps, 0.4/s, 0:08 left"


def test_a_slow_step_has_a_rate_from_its_first_part_on() -> None:
    now = [0.0]
    bars = Progress(console=Console(file=io.StringIO()), get_time=lambda: now[0])
    bars.add_task("slow", total=4, unit="steps")
    now[0] = 8.0
    bars.update(bars.tasks[0].id, completed=1)
    assert _Counts().render(bars.tasks[0]).plain == "1 of 4 steps, 0.12/s, 0:24 left"
    # Rich forgets times after half a minute; the step does not.
    now[0] = 60.0
    bars.update(bars.tasks[0].id, completed=2)
    assert _Counts().render(bars.tasks[0]).plain == "2 of 4 steps, 0.033/s, 1:00 left"


def test_steps_are_counted_from_several_threads_and_small_ones_left_out() -> None:
    text = io.StringIO()
    with showing(Lines(Console(file=text, width=200))):
        with step("sorting", "cases", 400, least=400) as sorting, ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _number: sorting.advance(4), range(100)))
        with step("sorting few", "cases", 399, least=400) as sorting:
            sorting.advance(399)
    assert text.getvalue().startswith("sorting: 400 of 400 cases")
    assert "few" not in text.getvalue()


def test_steps_within_each_other_and_an_error() -> None:
    text = io.StringIO()

    def work() -> None:
        with step("outer", "files", 2) as outer:
            list(tracked("abc", "inner", "letters"))
            outer.update(1)
            raise ValueError("broken")

    console = Console(file=text, width=200)
    with pytest.raises(ValueError, match="broken"), shown_progress(True, "work", console):
        work()
    told_lines = [re.sub(r", [\d,]+/s, \S+( left)?$", "", x) for x in text.getvalue().splitlines()]
    assert told_lines == ["inner: 3 of 3 letters", "outer: 1 of 2 files"]
    assert display() is None


@pytest.mark.parametrize("wanted", [None, False])
def test_nothing_is_shown_where_nobody_looks(wanted: bool | None) -> None:
    text = io.StringIO()
    with shown_progress(wanted, "work", Console(file=text)):
        assert display() is None
        assert list(tracked("ab", "spelling", "letters")) == ["a", "b"]
    assert text.getvalue() == ""


def test_what_is_over_soon_is_not_shown_on_a_terminal() -> None:
    text = io.StringIO()
    with shown_progress(None, "work", Console(file=text, force_terminal=True)):
        assert list(tracked("ab", "spelling", "letters")) == ["a", "b"]
    assert text.getvalue() == ""


def test_bars_make_way_for_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100)
    with shown_progress(True, "work", console), step("reading [x]", "cases", 4) as reading:
        deadline = time.monotonic() + 600
        while "reading [x]" not in plain(text.getvalue()) and time.monotonic() < deadline:
            reading.update(1)
            time.sleep(0.01)
        shown = plain(text.getvalue())
        before = len(text.getvalue())
        print("a result")
        # The lines are erased before the result is written.
        assert "\x1b[2K" in text.getvalue()[before:]
    assert "reading [x]" in shown
    assert "0 of 4 cases" in shown
    assert capsys.readouterr().out == "a result\n"
    assert not hasattr(sys.stdout, "_hide")


def lasting(command: Any, path: str) -> Iterator[str]:
    """The commands below a group that show how far they are."""
    for name, entry in getattr(command, "lazy", {}).items():
        yield from lasting(entry.make(name), f"{path} {name}")
    for name, own in getattr(command, "commands", {}).items():
        yield from lasting(own, f"{path} {name}")
    if any("--progress" in parameter.opts for parameter in command.params):
        yield path.strip()


def test_commands_that_may_last_have_the_option() -> None:
    found = set(lasting(typer.main.get_command(app), ""))
    assert found > {
        *("group", "check", "sample", "cases join", "settle month", "settle year", "settle trial"),
        *("points compute", "weights base-points", "weights subdivide", "weights statistics"),
        *("policy new", "ledger sanction", "ledger verify", "explain", "mapping guess"),
        *("scheme migrate", "indicators", "audit", "report month", "scenario compare", "pnl"),
    }
    assert not found & {"codes search", "group-one", "serve", "mcp"}


def told_by(*arguments: str | Path) -> str:
    """What a command that succeeds says on the error stream."""
    done = CliRunner().invoke(app, [*map(str, arguments), "--progress"])
    assert done.exit_code == 0, done.output
    return done.stderr


def test_each_command_tells_its_steps(tmp_path: Path, cases: Path) -> None:
    said = told_by("sample", tmp_path / "s.parquet", "--rows", "50")
    assert "drawing cases: 50 of 50 cases" in said
    (tmp_path / "in").mkdir()
    pq.write_table(pq.read_table(cases), tmp_path / "in" / "a.parquet")
    said = told_by("group", tmp_path / "in", tmp_path / "out")
    assert f"reading a.parquet: {ROWS} of {ROWS} cases" in said
    said = told_by("audit", tmp_path / "out", "--signals", "upcoding")
    assert f"reading out: {ROWS} of {ROWS} cases" in said
    assert "looking for signals: 1 of 1 signals" in said


def test_the_time_left_of_a_text_file_is_guessed(tmp_path: Path) -> None:
    cases = drgcore.sample_cases(3000, seed=1).to_pandas()
    for column in ("other_diagnoses", "other_procedures"):
        cases[column] = cases[column].str.join("|")
    cases.to_csv(tmp_path / "a.csv", index=False)
    totals: list[int | None] = []

    class Kept(Lines):
        def update(self, step: int, done: int, total: int | None) -> None:
            totals.append(total)

    with showing(Kept(Console(file=io.StringIO()))), open_cases(tmp_path / "a.csv") as source:
        assert source.table().num_rows == 3000
    assert totals[-1] == 3000


def until(descriptor: int, words: str) -> str:
    """What comes out of a terminal, up to some words."""
    seen = ""
    while words not in seen:
        ready, _, _ = select.select([descriptor], [], [], 120)
        assert ready, f"nothing more came after {seen[-500:]!r}"
        seen += os.read(descriptor, 65536).decode(errors="replace")
    return seen


@posix
def test_on_a_terminal_and_interrupted(tmp_path: Path, cases: Path) -> None:
    import pty

    table = pq.read_table(cases)
    (tmp_path / "in").mkdir()
    for number in range(3):
        pq.write_table(table, tmp_path / "in" / f"{number}.parquet")
    held = tmp_path / "in" / "2.csv"
    (tmp_path / "in" / "2.parquet").unlink()
    held.write_text("x", encoding="utf-8")
    code = (
        "import sys, time, drgcore.cli.app as a, drgcore.grouper.folder_run as f\n"
        "real = f._worked\n"
        "def slow(file, *rest):\n"
        "    if file.name == '2.csv':\n"
        "        open('third', 'w').close()\n"
        "        while True: time.sleep(0.05)\n"
        "    return real(file, *rest)\n"
        "f._worked = slow\n"
        "sys.argv = ['drgcore', 'group', 'in', 'out', '--progress']\n"
        "a.main()\n"
    )
    outside, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**ALONE, "TERM": "xterm"},
        stderr=inside,
        stdout=subprocess.PIPE,
    )
    try:
        os.close(inside)
        until(outside, "3 files")
        deadline = time.monotonic() + 600
        while not (tmp_path / "third").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        seen = until(outside, "goes on with the")
        out, _err = process.communicate(timeout=600)
    finally:
        os.close(outside)
    assert process.returncode == 130
    assert "2 of 3 files are done and whole in out" in plain(seen)
    assert out == b""
    assert {p.name for p in (tmp_path / "out").iterdir() if p.name[0] != "."} == {
        MANIFEST,
        "0.parquet",
        "1.parquet",
    }
    held.unlink()
    again = run("group", tmp_path / "in", tmp_path / "out")
    assert "2 files, 2 of them done before" in again


def test_computing_and_writing_are_counted_in_cases(tmp_path: Path, cases: Path) -> None:
    grouped = tmp_path / "grouped.parquet"
    drgcore.group_file(cases, grouped)
    rows = f"{ROWS} of {ROWS}"
    policy = ("--policy", "example")
    said = told_by("points", "compute", grouped, *policy, "--out", tmp_path / "points.parquet")
    assert f"case points: {rows} cases" in said
    assert f"writing points.parquet: {rows} cases" in said
    value = ("--value", "employee=64.5,resident=58")
    said = told_by("pnl", grouped, *policy, *value, "--cases", "--out", tmp_path / "pnl.xlsx")
    assert re.search(r"writing pnl\.xlsx: ([\d,]+) of \1 rows", said)
    said = told_by("report", "grouping", grouped, "--out", tmp_path / "report")
    assert re.search(r"drawing figures: (\d+) of \1 figures", said)
    assert re.search(r"writing the page: (\d+) of \1 sections", said)
