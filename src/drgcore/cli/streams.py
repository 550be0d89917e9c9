"""An output whose reader has gone away."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


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
