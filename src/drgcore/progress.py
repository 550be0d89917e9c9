"""How far long work is: told by whatever room works, shown by whoever wants to see it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

_Item = TypeVar("_Item")


class Display(Protocol):
    """Shows steps of work that run at once or within each other; called from any thread."""

    def begin(self, what: str, unit: str, total: int | None) -> int:
        """A step begins; gives the number by which it is called afterwards."""

    def update(self, step: int, done: int, total: int | None) -> None:
        """So much of it is done; of so much, where that is known or can be guessed."""

    def end(self, step: int) -> None:
        """It is over."""


_DISPLAY: ContextVar[Display | None] = ContextVar("display", default=None)


@contextmanager
def showing(display: Display | None) -> Iterator[None]:
    """Show all steps of the work within the block; with None, none of them.

    Parameters
    ----------
    display : Display or None

    Examples
    --------
    >>> class Printed:
    ...     def begin(self, what, unit, total):
    ...         print(what, total, unit)
    ...         return 1
    ...     def update(self, step, done, total):
    ...         print(done)
    ...     def end(self, step):
    ...         print("over")
    >>> with showing(Printed()):
    ...     letters = [letter for letter in tracked("ab", "spelling", "letters")]
    spelling 2 letters
    1
    2
    over
    """
    token = _DISPLAY.set(display)
    try:
        yield
    finally:
        _DISPLAY.reset(token)


def display() -> Display | None:
    """Who shows steps at the moment; a thread has no context, so it is to be asked before.

    Examples
    --------
    >>> display() is None
    True
    """
    return _DISPLAY.get()


class Step:
    """A step of work that is shown, or, where nobody looks, not."""

    def __init__(self, shown: Display | None, what: str, unit: str, total: int | None) -> None:
        self._display = shown
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self._number = 0 if shown is None else shown.begin(what, unit, total)

    def update(self, done: int, total: int | None = None) -> None:
        """So much is done, of so much where that is other than what was said before."""
        if self._display is not None:
            self._display.update(self._number, done, self._total if total is None else total)

    def advance(self, by: int = 1) -> None:
        """So much more is done; by any thread."""
        if self._display is not None:
            with self._lock:
                self._done += by
                self.update(self._done)

    def end(self) -> None:
        """The step is over."""
        if self._display is not None:
            self._display.end(self._number)


@contextmanager
def step(
    what: str,
    unit: str,
    total: int | None = None,
    *,
    shown: Display | None = None,
    least: int = 0,
) -> Iterator[Step]:
    """A step of work, to be told how far it is.

    Parameters
    ----------
    what : str
        What is done, in the language that is spoken.
    unit : str
        Of what is counted.
    total : int, optional
        How much there is, where that is known.
    shown : Display, optional
        Who shows it; by default whoever does here and now.
    least : int, default 0
        Of a smaller total nothing is shown: it is done before anybody could read it.

    Examples
    --------
    >>> with step("adding", "numbers", 2) as adding:
    ...     adding.update(1)
    >>> with step("adding", "numbers", 2) as adding:
    ...     for number in (3, 4):
    ...         adding.advance()
    """
    seen = total is None or total >= least
    begun = Step((shown or display()) if seen else None, what, unit, total)
    try:
        yield begun
    finally:
        begun.end()


def starts(rows: int, size: int, what: str, unit: str) -> Iterator[int]:
    """Where slices begin, the rows of each counted when the next is asked for.

    Parameters
    ----------
    rows : int
        How many there are.
    size : int
        Of a slice.
    what, unit : str
        As for `step`.

    Examples
    --------
    >>> list(starts(5, 2, "adding", "numbers"))
    [0, 2, 4]
    """
    with step(what, unit, rows) as begun:
        for start in range(0, rows, size):
            yield start
            begun.update(min(start + size, rows))


def tracked(items: Sequence[_Item], what: str, unit: str) -> Iterator[_Item]:
    """Items one after the other, each counted when the next is asked for.

    Examples
    --------
    >>> list(tracked([1, 2], "adding", "numbers"))
    [1, 2]
    """
    with step(what, unit, len(items)) as begun:
        for number, item in enumerate(items, 1):
            yield item
            begun.update(number)
