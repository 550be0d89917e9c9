"""The compiled loops of the group statistics: values laid out by group, limits of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from drgcore.compiling import loop


@loop()
def count_kept(codes: Any, keep: Any, counts: Any) -> None:
    """Count the values of each group; a code below 0 belongs to none.

    `keep` says which values count; where it is empty, all do.
    """
    every = keep.shape[0] == 0
    for i in range(codes.shape[0]):
        code = codes[i]
        if code >= 0 and (every or keep[i]):
            counts[code] += 1


@loop()
def scatter(codes: Any, values: Any, keep: Any, place: Any, out: Any) -> None:
    """Write each value that `count_kept` counts to the next free place of its group.

    `place` holds the first free place of each group and is used up.
    """
    every = keep.shape[0] == 0
    for i in range(codes.shape[0]):
        code = codes[i]
        if code >= 0 and (every or keep[i]):
            out[place[code]] = values[i]
            place[code] += 1


@loop()
def mark_usable(status: Any, cost: Any, usable: Any, counts: Any) -> None:
    """Say which cases are grouped and have a cost above 0; count the others by reason.

    The reasons are those of `history_columns.REASONS`, the first that holds.
    """
    for i in range(cost.shape[0]):
        reason = status[i] - 1
        if reason < 0:
            if not np.isfinite(cost[i]):
                reason = 3
            elif cost[i] < 0:
                reason = 4
            elif cost[i] == 0:
                reason = 5
        usable[i] = reason < 0
        if reason >= 0:
            counts[reason] += 1


@loop()
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
