"""Commands that are killed, and what must be true afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import drgcore
from drgcore.budget.ledger import Ledger
from drgcore.budget.ledger_sqlite import is_ledger
from drgcore.grouper.manifest import MANIFEST

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: the signal), seconds, what it said.

    `marks` are those of `warm.py`: that it began, its file operations, that it was over.
    """

    code: int
    seconds: float
    said: str
    marks: str = ""

    @property
    def operations(self) -> int:
        """File operations that it came to."""
        return self.marks.count(".")

    @property
    def was_hit(self) -> bool:
        """Whether a signal ended it while it was at work: neither before it began nor after."""
        if self.code == 130:
            # It says that itself, when it was interrupted.
            return True
        return self.code < 0 and self.marks.startswith("b") and not self.marks.endswith("o")


class Warm:
    """A process that runs commands in forks of itself, so that none pays for imports."""

    def __init__(self, folder: Path, *modules: str) -> None:
        self._folder = folder
        source = Path(drgcore.__file__).parents[1]
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm.py")), *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(source), "DRGCORE_LANG": "en"},
        )
        assert self._answer() == "ready"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def run(
        self,
        argv: Sequence[object],
        *,
        at: int = 0,
        number: int = signal.SIGKILL,
        after: float | None = None,
        limit: int = 0,
        meanwhile: Callable[[int], object] | None = None,
        **environment: str,
    ) -> Ended:
        """Run a command; send it a signal at a file operation, or after some seconds.

        `limit` is how many bytes a file may have; `meanwhile` is called with the number of the
        process while it runs.
        """
        log = self._folder / "log"
        log.unlink(missing_ok=True)
        asked: dict[str, Any] = {"argv": [str(a) for a in argv], "log": str(log), "at": at}
        asked |= {"signal": int(number), "limit": limit, "environment": environment}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        child, began = int(self._answer()), time.perf_counter()
        timer = threading.Timer(after or 0, self._send, (child, number))
        if after is not None:
            timer.start()
        if meanwhile is not None:
            meanwhile(child)
        code, marks = self._answer().split()
        timer.cancel()
        if after is not None:
            timer.join()
        said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return Ended(int(code), time.perf_counter() - began, said, marks)

    @staticmethod
    def _send(child: int, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(child, number)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Cold:
    """The real command line, which begins with the interpreter."""

    def run(
        self,
        argv: Sequence[object],
        *,
        number: int = signal.SIGKILL,
        after: float | None = None,
        **environment: str,
    ) -> Ended:
        """Run a command and send it a signal after some seconds."""
        source = str(Path(drgcore.__file__).parents[1])
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "drgcore", *map(str, argv)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": source, "DRGCORE_LANG": "en", **environment},
            start_new_session=True,
        )
        try:
            said, _none = process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, number)
            said, _none = process.communicate()
        seconds = time.perf_counter() - began
        return Ended(process.returncode, seconds, said.decode(errors="replace"))


HITS: Counter[tuple[str, str]] = Counter()
"""Kills that hit a command at work, by when they came and where; shown at the end of the tests."""


def count_hit(when: str, name: str, ended: Ended, whole: Ended) -> None:
    """Count a kill that hit a command at work, by the file operations it had done."""
    done = ended.operations
    place = "before the first" if not done else "after the last"
    HITS[when, f"{name}: {place if done in (0, whole.operations) else 'between'}"] += 1


@dataclass(frozen=True)
class Job:
    """A command with the folder that it works in.

    `prepare` fills an empty folder with what there is before; `argv` gives the command for a
    folder; where a second run is refused after a whole one, `refused_again` is what it says.
    """

    name: str
    prepare: Callable[[Path], None]
    argv: Callable[[Path], Sequence[object]]
    refused_again: str = ""


def contents(folder: Path) -> dict[str, object]:
    """All files of a folder by name; of a ledger what its entries state."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            found[name] = "a folder"
        elif is_ledger(path):
            found[name] = entries(path)
        else:
            found[name] = path.read_bytes()
    return found


def entries(path: Path) -> list[tuple[str, ...]]:
    """What a ledger's entries state, apart from when; the ledger is sound."""
    with Ledger.open(path, read_only=True) as book:
        assert book.verify() == []
        return [(e["kind"], e["period"], e["facts_digest"]) for e in book.entries()]


def check_after_kill(folder: Path, before: dict[str, object], whole: dict[str, object]) -> None:
    """Every file is the old one or the whole new one; a ledger has whole entries."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name == MANIFEST and path.read_bytes():
            # Whole lines, of which the last may have been begun; the first says whether it is all.
            written = path.read_bytes().replace(b'"complete": false', b'"complete": true')
            lines = written.split(b"\n")[:-1]
            known = whole[name]
            assert isinstance(known, bytes)
            assert set(lines) <= set(known.split(b"\n")), name
            continue
        if path.is_dir() or any(part.endswith(".part") for part in path.parts):
            continue
        if name not in before and name not in whole:
            # What SQLite keeps beside a file that nobody closed, and one just begun.
            assert name.endswith(("-wal", "-shm", "-journal")), name
        elif isinstance(whole.get(name), list):
            if is_ledger(path):
                stated, old = entries(path), before.get(name) or []
                assert isinstance(old, list)
                assert stated in (old, whole[name]), name
            else:
                assert name not in before, name
        else:
            assert path.read_bytes() in (before.get(name), whole.get(name)), name
    missing = set(before) - {p.relative_to(folder).as_posix() for p in folder.rglob("*")}
    assert not missing


def undisturbed(warm: Warm | Cold, job: Job, folder: Path) -> tuple[dict[str, object], Ended]:
    """The folder after a run that nobody disturbs, and how it went."""
    folder.mkdir()
    job.prepare(folder)
    ended = warm.run(job.argv(folder), TMPDIR=str(temporary(folder)))
    assert ended.code == 0, ended.said
    return contents(folder), ended


def temporary(folder: Path) -> Path:
    """A folder for temporary files, beside that of the job."""
    place = folder.with_name(f"{folder.name}-tmp")
    place.mkdir(exist_ok=True)
    return place


def killed(
    warm: Warm | Cold, job: Job, folder: Path, whole: dict[str, object], **how: Any
) -> Ended:
    """Run a job that is disturbed, look at what is left, run it again, and compare."""
    folder.mkdir()
    job.prepare(folder)
    before = contents(folder)
    place = temporary(folder)
    ended = warm.run(job.argv(folder), TMPDIR=str(place), **how)
    check_after_kill(folder, before, whole)
    if ended.code in (130, -signal.SIGTERM):
        # It was asked to end and had the time: nothing of it is left over.
        assert not leftovers(folder, place), (leftovers(folder, place), ended.said)
    again = warm.run(job.argv(folder), TMPDIR=str(place))
    if again.code != 0:
        # What may be said once only was entered before the kill, and that is what it says.
        assert job.refused_again, again.said
        assert again.code == 2, again.said
        assert job.refused_again in again.said
    assert contents(folder) == whole
    assert not leftovers(folder, place), (leftovers(folder, place), ended)
    return ended


def leftovers(folder: Path, place: Path) -> list[str]:
    """Parts and temporary files, and what SQLite keeps beside a file that is not closed."""
    found = [p for p in folder.rglob("*") if p.name.endswith((".part", "-wal", "-shm", "-journal"))]
    # A file with one word or none is what Python tries a folder for temporary files with.
    kept = [p for p in place.iterdir() if p.is_dir() or p.read_bytes() not in (b"", b"blat")]
    return sorted(map(str, [*found, *kept]))
