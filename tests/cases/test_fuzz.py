"""A short run of `benchmarks/fuzz.py`: damaged files end in the package's errors."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fuzz import rounds


def test_damaged_files(tmp_path: Path) -> None:
    done: list[int] = []
    rounds(tmp_path, 0, 160, done.append)
    assert done[-1] == 160
