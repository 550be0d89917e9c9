"""Compiled loops: numba, without what it imports and what it counts for nothing.

Importing numba takes as long as grouping half a million cases, and a third of that is the linear
algebra of scipy, which numba imports to see whether it could multiply matrices with it. Nothing
here does. A function elsewhere that does still finds scipy when it is compiled.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any, TypeVar


class _WithoutScipy(MetaPathFinder):
    """Finds no scipy for the thread that imports numba; other threads find it as ever."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname == "scipy" and threading.get_ident() == self._thread:
            raise ModuleNotFoundError("scipy is not looked for while numba is imported")


_finder = _WithoutScipy()
sys.meta_path.insert(0, _finder)
try:
    import numba as nb

    # What looks for scipy; numba would import it with the first function that is called.
    import numba.np.arraymath
finally:
    sys.meta_path.remove(_finder)

__all__ = ["loop", "nb"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def loop(**options: Any) -> Callable[[_Function], _Function]:
    """Compile a function that makes no array, so that it counts no references to arrays either.

    numba counts each array that a line takes out of a tuple or hands on, with an instruction for
    which processors wait for each other: half of the time of a loop over cases. Whoever calls a
    loop from Python holds its arrays until it ends, so nothing needs to be counted. A function
    that makes an array is refused when it is compiled.

    Parameters
    ----------
    **options
        Further options of `numba.njit`.

    Returns
    -------
    callable
        The decorator.

    Examples
    --------
    >>> import numpy as np
    >>> @loop(cache=False)
    ... def add_to_all(numbers, number):
    ...     for i in range(numbers.shape[0]):
    ...         numbers[i] += number
    >>> numbers = np.arange(3)
    >>> add_to_all(numbers, 5)
    >>> numbers.tolist()
    [5, 6, 7]
    """
    wanted = {"cache": True, "nogil": True, "_nrt": False, **options}
    made: Callable[[_Function], _Function] = nb.njit(**wanted)
    return made
