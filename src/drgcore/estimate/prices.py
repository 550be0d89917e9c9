"""What a group is worth: weights by DRG, or points and payment by a policy."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases.repeated import CaseWarning
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.points import Policy, compute_points

_WEIGHTS = ("weight", "relative_weight", "base_points")


def weights_by_drg(weights: Any) -> dict[str, float]:
    """Read weights of groups.

    Parameters
    ----------
    weights : mapping of str to float, or table
        By DRG; a table has the column `drg` and one of `weight`, `relative_weight`, `base_points`,
        such as `GroupWeights.table`.

    Returns
    -------
    dict of str to float
        Weight of each DRG, none where there is none.

    Raises
    ------
    CaseSchemaError
        If the columns are missing or a DRG occurs twice.

    Examples
    --------
    >>> weights_by_drg(pd.DataFrame({"drg": ["AA11"], "relative_weight": [1.5]}))
    {'AA11': 1.5}
    """
    if isinstance(weights, Mapping):
        return {str(drg): float(weight) for drg, weight in weights.items()}
    frame = weights if isinstance(weights, pd.DataFrame) else pa.table(weights).to_pandas()
    measure = next((name for name in _WEIGHTS if name in frame), None)
    if "drg" not in frame or measure is None:
        raise CaseSchemaError(
            _(
                "a table of weights needs the columns drg and one of {weights}",
                weights=", ".join(_WEIGHTS),
            )
        )
    if frame["drg"].duplicated().any():
        raise CaseSchemaError(_("a table of weights has a DRG twice"))
    pairs = zip(frame["drg"].astype(str), frame[measure].astype(float), strict=True)
    return {drg: weight for drg, weight in pairs if np.isfinite(weight)}


def priced(cases: pa.Table, policy: Policy, values: Mapping[str, Any] | None) -> pd.DataFrame:
    """Points and payment of grouped cases.

    Parameters
    ----------
    cases : pyarrow.Table
        m grouped cases with what the policy asks for, see `compute_points`; ids may repeat.
    policy : Policy
        The policy.
    values : mapping of str to number, optional
        Value of a point by pool [yuan].

    Returns
    -------
    pandas.DataFrame
        m rows: `case_class`, `points`, and with values `payment` [yuan], which is points × value;
        empty for a group that has no base points where the policy calls that an error.

    Raises
    ------
    CaseSchemaError, PolicyError
        As `compute_points`; also for a pool without value.

    Examples
    --------
    >>> case = pa.table({"case_id": ["1"], "hospital": ["H01"], "hospital_level": ["3"],
    ...     "pool": ["employee"], "discharge_date": ["2027-01-31"], "total_cost": [9000.0],
    ...     "length_of_stay": [8], "patient_paid": [2000.0], "drg": ["ES23"],
    ...     "status": ["grouped"]})
    >>> priced(case, Policy.load("example"), {"employee": 64}).round(2).values.tolist()
    [['normal', 155.28, 9938.11]]
    """
    ids = pa.array([str(row) for row in range(len(cases))])
    numbered = cases.drop_columns([n for n in ("case_id",) if n in cases.column_names])
    numbered = numbered.append_column("case_id", ids)
    with warnings.catch_warnings():
        # Whether costs are in yuan was said of the cases themselves, not of their variants.
        warnings.simplefilter("ignore", CaseWarning)
        # A group that the policy does not know has no points; the others have theirs.
        lenient = policy
        if policy.base_points.missing == "error":
            lenient = policy.with_changes({"base_points": {"missing": "outside"}})
        earned = compute_points(numbered, lenient)
    table = pd.DataFrame(
        {
            "case_class": earned.column("case_class").cast(pa.string()).to_pandas(),
            "points": earned.column("points").to_numpy(),
        }
    )
    if lenient is not policy:
        reasons = earned.column("class_reason").cast(pa.string()).to_pandas()
        unknown = reasons.str.startswith("no base points").to_numpy(bool)
        table.loc[unknown, ["case_class", "points"]] = [None, np.nan]
    if values is not None:
        pools = earned.column("pool").cast(pa.string()).to_pylist()
        without = sorted({str(pool) for pool in pools if pool not in values})
        if without:
            raise CaseSchemaError(
                _("there is no point value of pool {without}", without=", ".join(without))
            )
        table["payment"] = table["points"] * [float(values[pool]) for pool in pools]
    return table
