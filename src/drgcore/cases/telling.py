"""Who is told what the reader left out of a file, while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, str], object]
"""Called with the file and one note."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def telling(listener: Listener) -> Iterator[None]:
    """Tell a listener each thing that is left out of the files that are opened meanwhile.

    A file that is opened several times, for its columns and for its rows, tells each note once.

    Parameters
    ----------
    listener : callable
        Called with the file and one note, when the file was read or closed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from drgcore.cases import read_table
    >>> path = pathlib.Path(tempfile.mkdtemp(), "scores.csv")
    >>> _ = path.write_text("hospital,score\\n0012,1\\n,\\n合计,1\\n", encoding="utf-8")
    >>> with telling(lambda file, note: print(note)):
    ...     read_table(path).num_rows
    row 3 without any value left out
    row 4 of totals or footers left out
    1
    """
    told: set[tuple[str, str]] = set()

    def tell(file: str, note: str) -> None:
        if (file, note) not in told:
            told.add((file, note))
            listener(file, note)

    token = _LISTENER.set(tell)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def listener() -> Listener | None:
    """Who is told at the moment; None where nobody is.

    Examples
    --------
    >>> listener() is None
    True
    """
    return _LISTENER.get()
