"""Steps of long work on the error stream: bars on a terminal, lines where there is none."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from drgcore.language import _
from drgcore.progress import showing

SHOWN_AFTER = 2.0
"""What is over sooner is not shown [s]."""

_LINE_EVERY = 5.0
"""Between two lines about a step where there is no terminal [s]."""


@contextmanager
def shown_progress(
    wanted: bool | None, what: str, console: Console | None = None
) -> Iterator[None]:
    """Show on the error stream how far the work within the block is.

    Parameters
    ----------
    wanted : bool or None
        True shows it at once, also where there is no terminal; False shows nothing; None shows
        what lasts longer than `SHOWN_AFTER`, on a terminal only.
    what : str
        The whole of the work.
    console : Console, optional
        Where; by default the error stream.
    """
    # The stream itself: below, what others write to it comes by way of the bars.
    console = console or Console(file=sys.stderr)
    if wanted is False or (wanted is None and not console.is_terminal):
        yield
    elif console.is_terminal:
        with _Bars(console, what, 0.0 if wanted else SHOWN_AFTER) as bars, showing(bars):
            yield
    else:
        with showing(Lines(console)):
            yield


class _Bars:
    """A line for each step that runs; gone when other things are written, and at the end."""

    def __init__(self, console: Console, what: str, after: float) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            # A file's name may look like markup.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            _Counts(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._progress.add_task(what, total=None, unit="")
        self._timer = threading.Timer(after, self._first)
        self._timer.daemon = True
        self._lock = threading.RLock()
        self._due = self._over = False

    def __enter__(self) -> _Bars:
        self._streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (_Beside(stream, self.hide) for stream in self._streams)
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            self.hide()
        sys.stdout, sys.stderr = self._streams

    def _first(self) -> None:
        with self._lock:
            self._due = True
            self._show()

    def _show(self) -> None:
        with self._lock:
            if self._due and not self._over and not self._progress.live.is_started:
                self._progress.start()

    def hide(self) -> None:
        """Take the bars away until a step goes on."""
        with self._lock:
            if self._progress.live.is_started:
                self._progress.stop()

    def begin(self, what: str, unit: str, total: int | None) -> int:
        self._show()
        return int(self._progress.add_task(what, total=total, unit=unit))

    def update(self, step: int, done: int, total: int | None) -> None:
        self._show()
        self._progress.update(step, completed=done, total=total)  # type: ignore[arg-type]

    def end(self, step: int) -> None:
        self._progress.remove_task(step)  # type: ignore[arg-type]


class _Counts(ProgressColumn):
    """How much, how fast, how long still."""

    def render(self, task: Task) -> Text:
        if not task.fields["unit"]:
            return Text(_duration(task.elapsed or 0))
        speed = task.speed
        if not speed and task.elapsed:
            # Of what is told seldom there are too few times to tell its speed now.
            speed = task.completed / task.elapsed
        return Text(told(int(task.completed), task.total, task.fields["unit"], speed, task.elapsed))


class _Beside:
    """A stream beside the bars, which make way for what is written to it."""

    def __init__(self, stream: TextIO, hide: Callable[[], None]) -> None:
        self._stream = stream
        self._hide = hide

    def write(self, text: str) -> int:
        self._hide()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@dataclass
class _Run:
    what: str
    unit: str
    total: int | None
    begun: float
    said: float
    done: int = 0


class Lines:
    """Steps as lines of text, for a log: the state of each every few seconds, and its end.

    Parameters
    ----------
    console : Console
    clock : callable
        Seconds from some beginning.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: dict[int, _Run] = {}
        self._number = 0

    def begin(self, what: str, unit: str, total: int | None) -> int:
        """As `Display.begin`."""
        with self._lock:
            self._number += 1
            now = self._clock()
            self._runs[self._number] = _Run(what, unit, total, now, now)
            return self._number

    def update(self, step: int, done: int, total: int | None) -> None:
        """As `Display.update`."""
        with self._lock:
            run, now = self._runs[step], self._clock()
            run.done, run.total = done, total
            if now - run.said >= _LINE_EVERY:
                run.said = now
                self._say(run, now)

    def end(self, step: int) -> None:
        """As `Display.end`."""
        with self._lock:
            run = self._runs.pop(step)
            if run.done:
                self._say(run, self._clock())

    def _say(self, run: _Run, now: float) -> None:
        lasted = now - run.begun
        speed = run.done / lasted if lasted > 0 else None
        text = told(run.done, run.total, run.unit, speed, lasted)
        self._console.print(f"{run.what}: {text}", markup=False, highlight=False, soft_wrap=True)


def told(
    done: int, total: float | None, unit: str, speed: float | None, lasted: float | None
) -> str:
    """How far a step is, in words.

    Parameters
    ----------
    done : int
        How much of `unit` is done.
    total : float or None
        Of how much, where that is known.
    unit : str
    speed : float or None
        [units/s], where that is known.
    lasted : float or None
        [s]

    Examples
    --------
    >>> told(1200, 6000, "cases", 600.0, 2.0)
    '1,200 of 6,000 cases, 600/s, 0:08 left'
    >>> told(6000, 6000, "cases", 600.0, 10.0)
    '6,000 of 6,000 cases, 600/s, 0:10'
    """
    parts = [
        f"{done:,} {unit}"
        if total is None
        else _("{done:,} of {total:,} {unit}", done=done, total=round(total), unit=unit)
    ]
    if speed:
        parts.append(f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.2g}/s")
    if total is not None and speed and done < total:
        parts.append(_("{time} left", time=_duration((total - done) / speed)))
    elif lasted is not None:
        parts.append(_duration(lasted))
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    short = f"{minutes}:{whole % 60:02d}"
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else short
