"""What a new grouping does to the weights of each hospital."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drgcore.weights.base_points import base_points
from drgcore.weights.history import History
from drgcore.weights.segments import sort_by_group


def hospital_effects(
    before: History, before_kept: History, after: History, after_kept: History
) -> pd.DataFrame | None:
    """Give the sums of relative weights of every hospital, each grouping by its own weights.

    Parameters
    ----------
    before, after : History
        The same cases in the same order by both groupings.
    before_kept, after_kept : History
        The same, with the cases usable from whose means the weights are taken.

    Returns
    -------
    pandas.DataFrame or None
        As `Subdivision.hospitals`.

    Examples
    --------
    >>> from drgcore.weights import read_history
    >>> cases = pd.DataFrame({"drg": "BR1", "hospital": ["a", "b"], "total_cost": [1.0, 3.0]})
    >>> one, two = (read_history(c) for c in (cases, cases.assign(drg=["BR13", "BR15"])))
    >>> hospital_effects(one, one, two, two)[["weight_before", "weight_after"]].values.tolist()
    [[1.0, 0.5], [1.0, 1.5]]
    """
    size = len(before.hospital.names)
    if not size:
        return None
    weights = []
    for history, kept in ((before, before_kept), (after, after_kept)):
        table = base_points(kept, scale=1).table
        weight = dict(zip(table["drg"], table["relative_weight"], strict=True))
        of_drg = np.array([weight.get(drg, np.nan) for drg in history.drg.names] + [np.nan])
        weights.append(of_drg[history.drg.codes])
    # Trimming may take all cases of a small group, which then has no weight in one grouping: the
    # change would be that of the cases counted, not of the groups.
    used = before.usable & np.isfinite(weights[0]) & np.isfinite(weights[1])
    codes = np.where(used, before.hospital.codes, -1)
    first, second = (sort_by_group(codes, values, size) for values in weights)
    table = pd.DataFrame(
        {
            "hospital": before.hospital.names,
            "cases": first.count,
            "weight_before": first.total,
            "weight_after": second.total,
        }
    )
    table["change"] = table["weight_after"] - table["weight_before"]
    with np.errstate(divide="ignore", invalid="ignore"):
        table["relative_change"] = table["change"] / table["weight_before"]
    return table
