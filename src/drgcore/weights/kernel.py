"""The compiled loops of the group statistics: values laid out by group, limits of each."""

from __future__ import annotations

from typing import Any

from drgcore.compiling import nb


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


@nb.njit(cache=True, nogil=True)
def mark_beyond(
    codes: Any, cost: Any, usable: Any, low: Any, high: Any, own: Any, side: Any, counts: Any
) -> None:
    """Mark costs below the limits of their group by 1, those above by 2, and count each.

    `own` holds the upper limit of each case where it is not the group's; else it is empty.
    `counts` has a row a group: cases between the limits, below, above.
    """
    for i in range(codes.shape[0]):
        if usable[i]:
            code = codes[i]
            top = own[i] if own.shape[0] else high[code]
            if cost[i] < low[code]:
                side[i] = 1
            elif cost[i] > top:
                side[i] = 2
            counts[code, side[i]] += 1
