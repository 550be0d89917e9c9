"""An output whose reader has gone away."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from rich.console import Console

_WIDE = 10_000
"""Columns of a pipe or file, which no table reaches: nothing is cut or broken there."""


def table_console(**options: Any) -> Console:
    """A console for tables: as wide as the terminal, or as the table where there is none."""
    return Console(**options) if sys.stdout.isatty() else Console(width=_WIDE, **options)


class _Leaving(io.FileIO):
    """An output that swallows what is written after its reader has gone: that is no error."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(memoryview(data).cast("B"))


def survive_closed_pipes() -> None:
    """Let every command do all its work when the reader of its output closes the pipe.

    What `drgcore … | head` leaves unread goes nowhere; files, ledgers and the exit code are as they
    would be without it.
    """
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper) or stream.isatty():
        return
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    stream.flush()
    raw = io.BufferedWriter(_Leaving(number, "wb", closefd=False))
    sys.stdout = io.TextIOWrapper(raw, encoding=stream.encoding, errors=stream.errors)
