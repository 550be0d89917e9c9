"""Killed at any moment: files are old or whole, the ledger is sound, a rerun makes good."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import drgcore

from . import jobs
from .killing import (
    Cold,
    Job,
    Warm,
    check_after_kill,
    contents,
    count_hit,
    killed,
    leftovers,
    temporary,
    undisturbed,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups and forks of POSIX")

Making = Callable[[Path], Job]

MAKINGS: dict[str, Making] = {
    "parquet": lambda cases: jobs.grouping("parquet", cases),
    "parquet over an older file": lambda cases: jobs.grouping("parquet", cases, older=True),
    "csv over an older file": lambda cases: jobs.grouping("csv", cases, older=True),
    "xlsx": lambda cases: jobs.grouping("xlsx", cases),
    "folder": jobs.folder_of,
    "check": jobs.checking,
    "scheme": lambda cases: jobs.scheme(),
    "first month": lambda cases: jobs.month(1, "month.xlsx"),
    "second month": lambda cases: jobs.month(2, "tables"),
    "year as a workbook": lambda cases: jobs.year("year.xlsx"),
    "year as tables": lambda cases: jobs.year("tables"),
    "sanction": lambda cases: jobs.sanction(),
    "adjust": lambda cases: jobs.adjust(),
}

_HITS, _TURNS = 16, 100
"""Kills of each job at a random moment that hit it at work, and draws for them at most."""

SOON = ("parquet over an older file", "xlsx", "folder", "first month", "sanction")
"""Those whose every file operation is tried in the quick tests."""


@pytest.mark.parametrize("name", SOON)
def test_a_kill_before_some_file_operations(
    name: str, warm: Warm, few: Path, tmp_path: Path
) -> None:
    job = MAKINGS[name](few)
    whole, ended = undisturbed(warm, job, tmp_path / "whole")
    assert ended.operations > 1
    for at in {1, ended.operations // 2, ended.operations}:
        how = killed(warm, job, tmp_path / f"kill{at}", whole, at=at)
        assert how.code == -signal.SIGKILL, how.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_asked_to_stop_leaves_nothing(
    number: signal.Signals, warm: Warm, few: Path, tmp_path: Path
) -> None:
    job = MAKINGS["parquet over an older file"](few)
    whole, ended = undisturbed(warm, job, tmp_path / "whole")
    how = killed(warm, job, tmp_path / "stopped", whole, at=ended.operations - 1, number=number)
    assert how.code == (130 if number == signal.SIGINT else -number), how.said


_STOPPED = """
import signal, sys
from drgcore.budget.ledger import Ledger
from drgcore.budget.ledger_sqlite import SqliteStore
from drgcore.cli.app import main

def stopping(owner, name, number, instead):
    old = getattr(owner, name)

    def method(*arguments, **named):
        result = None if instead else old(*arguments, **named)
        signal.raise_signal(number)
        return result

    setattr(owner, name, method)

moment, number = sys.argv.pop(1), int(sys.argv.pop(1))
if moment == "while it is opened":
    stopping(SqliteStore, "_write_ahead", number, False)
elif moment == "when it is open":
    stopping(Ledger, "open", number, False)
elif moment == "before it is closed":
    stopping(Ledger, "__exit__", number, True)
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["while it is opened", "when it is open", "before it is closed"])
def test_who_is_asked_to_stop_leaves_no_side_files_of_a_ledger(
    moment: str, number: signal.Signals, warm: Warm, tmp_path: Path
) -> None:
    job = MAKINGS["adjust"](tmp_path)
    whole, _ended = undisturbed(warm, job, tmp_path / "whole")
    folder = tmp_path / "stopped"
    folder.mkdir()
    job.prepare(folder)
    before = contents(folder)
    argv = [sys.executable, "-c", _STOPPED, moment, str(int(number)), *map(str, job.argv(folder))]
    done = subprocess.run(argv, capture_output=True, check=False)
    assert done.returncode == (130 if number == signal.SIGINT else -number), done.stderr
    assert not leftovers(folder, temporary(folder))
    check_after_kill(folder, before, whole)
    entered = contents(folder) == whole
    assert entered == (moment == "before it is closed")


@pytest.mark.long
@pytest.mark.parametrize("name", MAKINGS)
def test_a_kill_before_every_file_operation(
    name: str, warm: Warm, few: Path, tmp_path: Path
) -> None:
    job = MAKINGS[name](few)
    whole, ended = undisturbed(warm, job, tmp_path / "whole")
    for at in range(1, ended.operations + 1):
        number = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[at % 4]
        how = killed(warm, job, tmp_path / f"kill{at}", whole, at=at, number=number)
        # What comes when it is almost over may be too late to stop it.
        assert how.was_hit or number != signal.SIGKILL
        if how.was_hit:
            count_hit("before a file operation", name, how, ended)


@pytest.mark.long
@pytest.mark.parametrize("name", MAKINGS)
def test_kills_at_random_moments(
    name: str, warm: Warm, some: Path, many: Path, tmp_path: Path
) -> None:
    draw = random.Random(name)
    # A workbook takes as long for few rows as parquet for many.
    job = MAKINGS[name](many if "parquet" in name or "csv" in name else some)
    whole, ended = undisturbed(warm, job, tmp_path / "whole")
    hits = 0
    for turn in range(_TURNS):
        number = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        after = draw.uniform(0, 1.1 * ended.seconds)
        how = killed(warm, job, tmp_path / f"kill{turn}", whole, after=after, number=number)
        if how.was_hit:
            hits += 1
            count_hit("at a random moment", name, how, ended)
        if hits == _HITS:
            break
    assert hits == _HITS


@pytest.mark.long
@pytest.mark.parametrize("name", ["parquet over an older file", "second month"])
def test_kills_of_the_real_command_line(name: str, many: Path, tmp_path: Path) -> None:
    draw = random.Random(name)
    job, command = MAKINGS[name](many), Cold()
    whole, ended = undisturbed(command, job, tmp_path / "whole")
    for turn in range(5):
        number = draw.choice([signal.SIGKILL, signal.SIGTERM])
        # Most of its time goes into what it imports.
        after = draw.uniform(0.4, 1.05) * ended.seconds
        killed(command, job, tmp_path / f"kill{turn}", whole, after=after, number=number)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    names = ("points", "trial", "weights", "indicators", "pnl", "audit", "report", "policy")
    names += ("compare_groups", "migrate", "sample")
    modules = [f"drgcore.cli.{name}" for name in names]
    process = Warm(tmp_path_factory.mktemp("warm"), *modules, "matplotlib.figure")
    yield process
    process.close()


@pytest.mark.long
@pytest.mark.parametrize("name", jobs.reading(Path(), Path()))
def test_every_command_that_lasts_can_be_interrupted(
    name: str, reader: Warm, some: Path, tmp_path: Path
) -> None:
    grouped = tmp_path / "grouped.parquet"
    drgcore.group_file(some, grouped)
    job = jobs.reading(grouped, some)[name]
    # Once before, so that no compiled code is still to be kept.
    undisturbed(reader, job, tmp_path / "before")
    whole, ended = undisturbed(reader, job, tmp_path / "whole")
    for at in sorted({1, ended.operations // 2, ended.operations - 1} - {0}):
        how = killed(reader, job, tmp_path / f"stop{at}", whole, at=at, number=signal.SIGINT)
        assert how.code == 130, how.said
        count_hit("by Ctrl+C", name, how, ended)
    assert "every file that is there is whole" in how.said
    assert "the same command again makes what is missing" in how.said
