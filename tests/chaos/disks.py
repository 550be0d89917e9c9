"""A small disk of its own: it can be full, and written no more."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A file system in memory, where this process may mount one; else the test is skipped."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts a disk of its own")
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "drgcore", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine mounts no disk: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def write_no_more(place: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
