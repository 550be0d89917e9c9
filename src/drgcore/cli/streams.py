"""What ends a command from outside: a reader that has gone away, a call to stop."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
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


class _Told(SystemExit):
    """The system told the process to stop."""


@contextmanager
def stopping_when_told() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl+C does: what it was writing is removed before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def told(number: int, frame: object) -> None:
        raise _Told(128 + number)

    signal.signal(signal.SIGTERM, told)
    try:
        yield
    except _Told as error:
        # The signal ends the process without Python's own end: what was open outside its block,
        # such as a ledger that was just opened, closes only when nothing refers to it any more.
        traceback.clear_frames(error.__traceback__)
        gc.collect()
        # Now as it would have ended: who started it sees by which signal.
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
        raise


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
