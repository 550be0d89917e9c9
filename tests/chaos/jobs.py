"""The commands that are killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from typer.testing import CliRunner

import drgcore
from drgcore.cli import ledger, settle

from .killing import ROOT, Job

EXAMPLE = ROOT / "docs" / "worked_example"
POLICY = ("--policy", str(EXAMPLE / "policy.toml"))
FIRST = ("--decisions", str(EXAMPLE / "decisions.csv"), *POLICY)
CLOSE = ("--scheme", "fictitious", "--close")
_RUN = CliRunner()


def grouping(kind: str, cases: Path, *, older: bool = False) -> Job:
    """Grouping of a file into a new one, or into the place of an older one."""

    def prepare(folder: Path) -> None:
        if older:
            (folder / f"out.{kind}").write_text("an older file")

    return Job(
        f"group {kind}",
        prepare,
        lambda folder: ["group", cases, folder / f"out.{kind}", "--names", "--stamp"],
    )


def folder_of(cases: Path) -> Job:
    """Grouping of a folder of three files."""

    def prepare(folder: Path) -> None:
        (folder / "lake").mkdir()
        for number in range(3):
            file = folder / "lake" / f"{number}.parquet"
            shutil.copy(cases, file)
            # The manifest holds when an input was changed.
            os.utime(file, ns=(1, 1))

    return Job("folder", prepare, lambda folder: ["group", folder / "lake", folder / "out"])


def _month(name: str) -> tuple[object, ...]:
    return ("month", EXAMPLE / "cases.csv", "--month", name, *FIRST, *CLOSE)


@cache
def _ledgers() -> dict[int, dict[str, bytes]]:
    """The files of ledgers with so many entries: three months, a sanction."""
    found: dict[int, dict[str, bytes]] = {0: {}}
    with tempfile.TemporaryDirectory() as name:
        book = Path(name) / "book.sqlite"
        steps: list[tuple[object, Sequence[object]]] = [
            (settle.app, (*_month(f"2027-0{number}"), "--ledger", book)) for number in (1, 2, 3)
        ]
        sanctions = (EXAMPLE / "cases.csv", EXAMPLE / "sanctions.csv")
        steps.append((ledger.app, ("sanction", book, *sanctions, *FIRST)))
        for number, (app, arguments) in enumerate(steps, 1):
            done = _RUN.invoke(app, [str(a) for a in arguments], catch_exceptions=False)
            assert done.exit_code == 0, done.output
            found[number] = {
                p.relative_to(name).as_posix(): p.read_bytes()
                for p in Path(name).rglob("*")
                if p.is_file()
            }
    return found


def a_ledger(entries: int, folder: Path) -> Path:
    """A ledger with so many entries of the worked example."""
    for name, content in _ledgers()[entries].items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / "book.sqlite"


def month(number: int, out: str) -> Job:
    """Closing a month; the first one makes the ledger."""

    def argv(folder: Path) -> Sequence[object]:
        place = ("--ledger", folder / "book.sqlite", "--out", folder / out)
        return ["settle", *_month(f"2027-0{number}"), *place]

    return Job(f"month {number}", lambda folder: void(a_ledger(number - 1, folder)), argv)


def year(out: str) -> Job:
    """The year end."""

    def argv(folder: Path) -> Sequence[object]:
        later = ("--decisions", EXAMPLE / "decisions_year.csv", *POLICY, *CLOSE)
        place = ("--ledger", folder / "book.sqlite", "--out", folder / out)
        return ["settle", "year", EXAMPLE / "cases_year.csv", "--year", 2027, *later, *place]

    return Job("year", lambda folder: void(a_ledger(4, folder)), argv)


def sanction() -> Job:
    """Several decisions at once."""

    def prepare(folder: Path) -> None:
        a_ledger(3, folder)
        given = (EXAMPLE / "sanctions.csv").read_text(encoding="utf-8")
        (folder / "sanctions.csv").write_text(f"{given}E02,upcoding,10\nE03,upcoding,10\n")

    def argv(folder: Path) -> Sequence[object]:
        files = (EXAMPLE / "cases.csv", folder / "sanctions.csv")
        return ["ledger", "sanction", folder / "book.sqlite", *files, *FIRST]

    return Job("sanction", prepare, argv, "is the same decision")


def adjust() -> Job:
    """One decision about money."""

    def argv(folder: Path) -> Sequence[object]:
        about = ("--month", "2027-02", "--pool", "resident", "--hospital", "A")
        why = ("--kind", "recovery", "--amount", "-100.00", "--reason", "audit 7")
        return ["ledger", "adjust", folder / "book.sqlite", *about, *why]

    return Job("adjust", lambda folder: void(a_ledger(3, folder)), argv, "is the same decision")


def checking(cases: Path) -> Job:
    """The checks of front pages, as a workbook."""
    return Job("check", void, lambda folder: ["check", cases, folder / "findings.xlsx"])


def scheme() -> Job:
    """A scheme of the bureau's own, written over an older one."""

    def argv(folder: Path) -> Sequence[object]:
        source = ROOT / "data" / "examples" / "tcm-overlay"
        return ["scheme", "compile", source, folder, "--name", "own"]

    return Job("scheme", void, argv)


QUALITY = "hospital,record quality,readmission,patient burden\n"


def reading(grouped: Path, cases: Path) -> dict[str, Job]:
    """The other commands that read cases and write what they find, by name."""

    def job(*words: object, prepare: Callable[[Path], None] = void) -> Job:
        def argv(folder: Path) -> list[object]:
            return [folder / w[1:] if isinstance(w, str) and w[:1] == "@" else w for w in words]

        name = " ".join(w for w in words[:2] if isinstance(w, str) and w[:1] != "@")
        return Job(name, prepare, argv)

    def scores(folder: Path) -> None:
        rows = "".join(f"H{number:02d},96,92,90\n" for number in range(1, 13))
        (folder / "quality.csv").write_text(QUALITY + rows, encoding="utf-8")

    policy = ("--policy", "example")
    paid = (*policy, "--value", "employee=64.5,resident=58")
    trial = ("settle", "trial", grouped, *policy, "--year", "2027", "--quality", "@quality.csv")
    before = ("--before", "chs-drg-2.0", "--after", "chs-drg-3.0")
    jobs = [
        job("sample", "@s.parquet", "--rows", 500),
        job("points", "compute", grouped, *policy, "--out", "@points.parquet"),
        job(*trial, "--out", "@trial", prepare=scores),
        job("weights", "base-points", grouped, "--scale", 100, "--out", "@weights.csv"),
        job("weights", "statistics", grouped, "--out", "@statistics.csv"),
        job("indicators", grouped, "--by", "hospital", "--by", "drg", "--out", "@watch.xlsx"),
        job("pnl", grouped, *paid, "--by", "department", "--cases", "--out", "@pnl.csv"),
        job("audit", grouped, "--out", "@audit.xlsx"),
        job("report", "grouping", grouped, "--out", "@report"),
        job("policy", "new", "example", "@new.toml", "--year", "2027", "--from-history", grouped),
        job("compare-groups", cases, grouped, "--out", "@differences.xlsx"),
        job("scheme", "migrate", cases, *before, "--effect", "--out", "@moved"),
    ]
    return {one.name: one for one in jobs}


def void(*_given: object) -> None:
    """Nothing is there before."""


def sample(path: Path, rows: int) -> Path:
    """Cases to group."""
    drgcore.write_sample(path, rows=rows, seed=3)
    return path
