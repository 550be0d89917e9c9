"""What the hospitals' coefficients move."""

from __future__ import annotations

from typing import Any

import pandas as pd

from drgcore.points.policy import Policy
from drgcore.scenarios.compare import compare

_NO_COEFFICIENT = {
    "components": [{"name": "none", "weight": 1, "method": "constant", "value": 1}],
    "minimum": "",
    "maximum": "",
}


def coefficient_effect(
    cases: Any, policy: Policy, year: int, *, decisions: Any = None
) -> pd.DataFrame:
    """Compare every hospital's points and money with those that it had if k were 1 everywhere.

    The budget is the same, so what some hospitals have more by their coefficients others have less.
    Groups on the same-price list (同城同病同价) have k = 1 in both.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        Grouped cases of the year, see `compute_points`.
    policy : Policy
        The policy.
    year : int
        The year.
    decisions : DataFrame or table, optional
        What panels decided, see `compute_points`.

    Returns
    -------
    pandas.DataFrame
        One row a pool and hospital: `pool`, `hospital`, `level`, `cases`, `points` and `money_fen`
        by the policy, `points_without` and `money_without_fen` with k = 1, `points_difference`,
        `difference_fen`, and `relative_difference` to the money with k = 1. Points are integers of
        the policy's last decimal place.

    Examples
    --------
    >>> import datetime
    >>> policy = Policy.load("example").with_changes({"budget": {"pools": {"resident": {
    ...     "budget": 0}}}})
    >>> case = {"case_id": "1", "hospital": "H01", "pool": "employee", "drg": "ES23"}
    >>> case |= {"status": "grouped", "discharge_date": datetime.date(2027, 1, 31)}
    >>> case |= {"length_of_stay": 8, "total_cost": 15000.0, "patient_paid": 4000.0}
    >>> table = coefficient_effect(pd.DataFrame([case]), policy, 2027)
    >>> table[["points", "points_without"]].values.tolist()[0]
    [1552830, 1432500]
    """
    without = policy.with_changes({"coefficients": _NO_COEFFICIENT})
    policies = {"k = 1": without, "k": policy}
    found = compare(cases, policies, year=year, decisions=decisions).hospitals
    before = found[found["policy"] == "k = 1"].reset_index(drop=True)
    table = found[found["policy"] == "k"].reset_index(drop=True)
    table["points_without"] = before["points"]
    table["money_without_fen"] = before["money_fen"]
    columns = ["pool", "hospital", "level", "cases", "points", "money_fen", "points_without"]
    columns += ["money_without_fen", "points_difference", "difference_fen", "relative_difference"]
    return table[columns]
