"""Cost of a case rebuilt from its cost categories (费用结构调整)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.cases.attributes import numbers_of, select_columns, some_of
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import _


def standardise_costs(
    cases: Any, target: Mapping[str, float]
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Weigh the cost categories of each case so that the region's cost gets a target structure.

    Prices of services do not follow the work in them: drugs and material weigh too much in a
    relative weight, nursing and surgery too little. Category c of every case is multiplied by
    ``f_c = target share of c / actual share of c``; the region's total cost stays what it is.

    Parameters
    ----------
    cases : DataFrame or Arrow table
        Cases with one column of cost [yuan] for each category, for example the 38 categories of a
        region's cost report.
    target : mapping of str to float
        Column → the share that the category shall have of the region's cost; the shares are
        positive or 0 and add up to 1. Every category must be named, also those that keep theirs.

    Returns
    -------
    cost : ndarray of float64, shape (n,)
        Standardised cost of each case [yuan]; NaN for a case of which a category is missing or
        negative. As a column of the cases it goes into ``read_history(cases, cost=…)``, which
        counts those as ``cost_missing``.
    table : pandas.DataFrame
        One row a category: category, cost [yuan], share, target, factor.

    Raises
    ------
    CaseSchemaError
        If a column is not there.
    DrgcoreError
        If a share is no number, the shares do not add up to 1, or a category that shall have a
        share costs nothing.

    Examples
    --------
    >>> cases = pd.DataFrame({"drugs": [600.0, 0.0], "nursing": [100.0, 300.0]})
    >>> cost, table = standardise_costs(cases, {"drugs": 0.4, "nursing": 0.6})
    >>> cost.round(2).tolist()
    [550.0, 450.0]
    >>> table["factor"].round(4).tolist()
    [0.6667, 1.5]
    """
    names, shares = list(target), np.array([float(share) for share in target.values()])
    wrong = [name for name, share in zip(names, shares, strict=True) if not share >= 0]
    if wrong:
        raise DrgcoreError(
            _("the target share of {wrong} is not a number from 0 to 1", wrong=some_of(wrong)),
            where="standardise_costs",
        )
    if abs(shares.sum() - 1) > 1e-9:
        raise DrgcoreError(
            _("the target shares add up to {total:g}", total=shares.sum()),
            where="standardise_costs",
            hint=_("they must add up to 1"),
        )
    table = select_columns(cases, [*names, "case_id"])
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise CaseSchemaError(
            _("the cases have no cost category {missing}", missing=", ".join(missing)),
            where="standardise_costs",
        )
    parts = np.column_stack([numbers_of(table, name) for name in names])
    whole: NDArray[np.bool_] = np.all(np.isfinite(parts) & (parts >= 0), axis=1)
    # Sorted before they are added, so that the order of rows has no influence.
    totals = np.sort(parts[whole], axis=0).sum(axis=0)
    actual = totals / totals.sum() if totals.sum() > 0 else totals
    empty = [name for name, a, t in zip(names, actual, shares, strict=True) if t > 0 and a == 0]
    if empty:
        raise DrgcoreError(
            _("category {empty} shall have a share, but costs nothing", empty=", ".join(empty))
        )
    factor = np.divide(shares, actual, out=np.ones(len(names)), where=actual > 0)
    cost = np.full(len(whole), np.nan)
    # Column by column: a product of matrices may round a row by where it stands.
    cost[whole] = sum(part * f for part, f in zip(parts[whole].T, factor, strict=True))
    report = {
        "category": names,
        "cost": totals,
        "share": actual,
        "target": shares,
        "factor": factor,
    }
    return cost, pd.DataFrame(report)
