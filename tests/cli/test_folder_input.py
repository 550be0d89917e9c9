"""Every command that reads cases reads a folder or a pattern as it reads one file."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import drgcore

from .conftest import ROWS, run

POLICY = ("--policy", "example")
PAID = (*POLICY, "--value", "employee=64.5,resident=58")
GROUPED = {
    "points compute": ("@", *POLICY),
    "weights statistics": ("@", "--out", "!s.csv"),
    "weights base-points": ("@", "--scale", "100", "--out", "!b.csv"),
    "weights performance": ("@",),
    "weights coefficients": ("@", "--of", "level"),
    "indicators": ("@", "--by", "hospital", "--last-year", "@", "--out", "!i.csv"),
    "pnl": ("@", *PAID, "--by", "drg", "--out", "!p.csv"),
    "audit": ("@", "--out", "!a.xlsx"),
}
"""Commands with grouped cases for ``@``, and what they write behind ``!``."""

PLAIN = {
    "check": ("@", "!findings.xlsx"),
    "compare-groups": ("@", "grouped", "--out", "!d.xlsx"),
    "scheme migrate": ("@", "--before", "chs-drg-2.0", "--after", "chs-drg-3.0", "--out", "!m"),
    "in-stay": ("@", "!e.csv", "--history", "grouped"),
    "explain": ("@", "--row", "400"),
    "mapping guess": ("@",),
}
"""The same with cases that have no groups yet."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cases and grouped cases, each as one file and in folders named after values."""
    folder = tmp_path_factory.mktemp("folders")
    drgcore.write_sample(folder / "plain.parquet", rows=ROWS, seed=2)
    drgcore.group_file(folder / "plain.parquet", folder / "grouped.parquet")
    for name in ("plain", "grouped"):
        table = pq.read_table(folder / f"{name}.parquet")
        for part in range(2):
            file = folder / f"{name}-parts" / f"part={part}" / "a.parquet"
            file.parent.mkdir(parents=True)
            pq.write_table(table.slice(part * ROWS // 2, ROWS // 2), file)
    return folder


def found(command: str, words: tuple[str, ...], cases: str, out: Path) -> dict[str, object]:
    """What a command prints and writes."""
    out.mkdir()
    given = {"@": cases, "grouped": "grouped.parquet"}
    arguments = [str(out / w[1:]) if w[0] == "!" else given.get(w, w) for w in words]
    printed = run(*command.split(), *arguments).replace(str(out), "")
    files = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    return {**files, "printed": printed.replace(cases, "@")}


@pytest.mark.parametrize("command", [*GROUPED, *PLAIN])
def test_a_folder_or_a_pattern_gives_what_one_file_gives(
    command: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    name = "grouped" if command in GROUPED else "plain"
    words = {**GROUPED, **PLAIN}[command]
    one = found(command, words, f"{name}.parquet", tmp_path / "one")
    assert len(one["printed"]) > 0 or len(one) > 1
    several = "grouped-parts" if command in GROUPED else "plain-parts/part=*/*.parquet"
    assert found(command, words, several, tmp_path / "two") == one
