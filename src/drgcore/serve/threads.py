"""Threads for requests: few, long work apart, none begun in vain, none that starves the others."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import anyio
from starlette.exceptions import HTTPException

from drgcore.language import _

_Result = TypeVar("_Result")
_Given = ParamSpec("_Given")


class Span:
    """The time of one request; `over` when it was answered because that took too long."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over = False


HERE: ContextVar[Span | None] = ContextVar("span", default=None)
"""The request that is worked on here."""


class Lane:
    """So many threads, which work on one request after the other.

    Work that runs in compiled loops cannot be broken off: when its request was answered without
    it, it goes on and keeps its thread. What waited for a thread so long that nobody waits for it
    any more is not begun. Where all threads are held by work of which nobody waits for the end,
    further work is refused at once instead of being let wait in vain.

    Parameters
    ----------
    threads : int

    Examples
    --------
    >>> async def double() -> int:
    ...     return await Lane(2).run(lambda number: 2 * number, 21)
    >>> anyio.run(double)
    42
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._limiter = anyio.CapacityLimiter(threads)
        self._at_work: list[Span] = []

    @property
    def stuck(self) -> bool:
        """Whether every thread works for nobody."""
        spans = list(self._at_work)
        return len(spans) >= self._threads and all(span.over for span in spans)

    async def run(
        self, function: Callable[_Given, _Result], *args: _Given.args, **given: _Given.kwargs
    ) -> _Result:
        """Call a function in one of the threads.

        Raises
        ------
        HTTPException
            503: the threads are held by work that took too long, or the request did.
        """
        span = HERE.get() or Span()

        def work() -> _Result:
            if span.over:
                raise _busy()
            self._at_work.append(span)
            try:
                return function(*args, **given)
            finally:
                self._at_work.remove(span)

        if self.stuck:
            raise _busy()
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


class Threads:
    """The lanes of a server: a page is not held up by tables of a whole year.

    Parameters
    ----------
    short, long : int
        How many threads. The machine has few cores, and each may hold a large table.
    """

    def __init__(self, short: int = 8, long: int = 4) -> None:
        self.short, self.long = Lane(short), Lane(long)


def threads_of(scope: Any) -> Threads:
    """The threads of the application that a request was sent to."""
    threads: Threads = scope.app.state.threads
    return threads


def _busy() -> HTTPException:
    return HTTPException(
        503,
        _("the server is still busy with requests that took too long; ask again in a minute"),
        headers={"retry-after": "60"},
    )
