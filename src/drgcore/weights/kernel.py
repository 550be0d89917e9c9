"""The compiled loop of the group statistics: values laid out group by group."""

from __future__ import annotations

from typing import Any

import numba as nb


@nb.njit(cache=True, nogil=True)
def scatter(codes: Any, values: Any, place: Any, out: Any) -> None:
    """Write each value to the next free place of its group; a code below 0 belongs to none.

    `place` holds the first free place of each group and is used up.
    """
    for i in range(codes.shape[0]):
        code = codes[i]
        if code >= 0:
            out[place[code]] = values[i]
            place[code] += 1
