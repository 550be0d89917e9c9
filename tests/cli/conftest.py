"""Ways to run the command, and files for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

import drgcore
from drgcore.cli.app import app
from drgcore.synthetic import write_sample

ROWS = 600
# The package under test, wherever the command is run.
ALONE = {**os.environ, "PYTHONPATH": str(Path(drgcore.__file__).parents[1]), "COLUMNS": "80"}


@dataclass(frozen=True)
class Done:
    """What a run of the command left behind."""

    code: int
    out: str
    err: str


def run(*arguments: str | Path, code: int = 0) -> str:
    """What a command prints, run within this process; its error is raised."""
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, list(map(str, arguments)))
    if isinstance(done.exception, Exception):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def run_alone(
    *arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> Done:
    """What a command does in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "drgcore", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        env={**ALONE, **(env or {})},
        timeout=600,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def plain(text: str) -> str:
    """Text without colours, all white space single."""
    return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).split())


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample with faults."""
    path = tmp_path_factory.mktemp("cases") / "cases.parquet"
    write_sample(path, ROWS, seed=11, dirty=0.1)
    return path
