"""numba without what it imports only to look whether it is there.

Importing numba takes as long as grouping half a million cases, and a third of that is the linear
algebra of scipy, which numba imports to see whether it could multiply matrices with it. Nothing
here does. A function elsewhere that does still finds scipy when it is compiled.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


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
    import numba.np.arraymath  # noqa: F401
finally:
    sys.meta_path.remove(_finder)

__all__ = ["nb"]
