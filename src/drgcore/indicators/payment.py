"""What each case is paid: by a policy's points and their value, or estimated without a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases.attributes import numbers_of, refuse_rows, some_of, text_codes
from drgcore.cases.statuses import statuses_of, statuses_of_groups
from drgcore.errors import CaseSchemaError, DrgcoreError, PolicyError
from drgcore.language import _
from drgcore.points import Policy, compute_points

Floats = NDArray[np.float64]
BY_GROUP = ("normal", "high_cost", "low_cost")
"""Classes of cases whose price is that of their group."""


@dataclass(frozen=True, eq=False)
class Paid:
    """What n cases are paid, with the factors of it.

    Parameters
    ----------
    case_class : ndarray of object
        The class of `compute_points`, or ``estimated``; None for a case that has no payment.
    base : ndarray of float64
        Points or weight of the group; NaN for a case that its group does not price.
    coefficient, value : ndarray of float64
        k, and yuan for a point or for weight 1.
    points : ndarray of float64
        Points or weight of the case.
    unit : float
        The last decimal of points.
    outside : ndarray of bool
        Cases paid by item outside the points.
    fund_only : ndarray of bool
        Cases whose points pay the fund's part alone (basis ``fund``): their patient's part is no
        cost to be covered.
    """

    case_class: NDArray[np.object_]
    base: Floats
    coefficient: Floats
    value: Floats
    points: Floats
    unit: float
    outside: NDArray[np.bool_]
    fund_only: NDArray[np.bool_]


def paid_by_policy(
    cases: pa.Table, policy: Policy, values: float | Mapping[str, float], decisions: Any = None
) -> Paid:
    """Pay cases by a policy: points times the value of a point.

    Parameters
    ----------
    cases : pyarrow.Table
        Grouped cases with what the policy asks for, see `compute_points`; points that they have
        are computed anew.
    policy : Policy
        The policy.
    values : float or mapping of str to float
        Yuan a point; of each pool, or one for all.
    decisions : table, optional
        What panels decided, see `compute_points`.

    Returns
    -------
    Paid

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
    >>> paid = paid_by_policy(case, Policy.load("example"), {"employee": 64.0})
    >>> paid.base.tolist(), paid.coefficient.tolist(), paid.points.tolist()
    ([143.25], [1.084], [155.283])
    """
    earned = compute_points(cases, policy, decisions=decisions)
    classes = text_codes(earned, "case_class")
    names = np.array([*classes.names, None], object)[classes.codes]
    by_group = np.isin(names, BY_GROUP)
    base, coefficient = (numbers_of(earned, name) for name in ("base_points", "coefficient"))
    pool = text_codes(earned, "pool")
    basis = {} if policy.budget is None else {
        name: of_pool.basis for name, of_pool in policy.budget.pools.items()
    }  # fmt: skip
    without = sorted(set(pool.names) - set(basis))
    if without:
        raise PolicyError(
            _(
                "pool {without} has no budget, so what its points pay for is not known",
                without=some_of(without),
            ),
            where=_("policy {name}", name=policy.name),
        )
    fund = np.array([basis[name] == "fund" for name in pool.names], bool)
    return Paid(
        names,
        np.where(by_group, base, np.nan),
        np.where(by_group, coefficient, np.nan),
        value_of(pool.names, values)[pool.codes],
        numbers_of(earned, "points"),
        10.0**-policy.rounding.points,
        names == "outside",
        fund[pool.codes],
    )


def value_of(pools: list[str], values: float | Mapping[str, float]) -> Floats:
    """Give the value of each pool.

    Raises
    ------
    DrgcoreError
        For a pool without value, or one that is not above 0.

    Examples
    --------
    >>> value_of(["a", "b"], {"a": 70.0, "b": 60.5}).tolist()
    [70.0, 60.5]
    """
    table = values if isinstance(values, Mapping) else dict.fromkeys(pools, values)
    without = [pool for pool in pools if pool not in table]
    if without:
        raise DrgcoreError(
            _("there is no value of a point of pool {without}", without=some_of(without))
        )
    found = np.array([float(table[pool]) for pool in pools], np.float64)
    if not (np.isfinite(found) & (found > 0)).all():
        raise DrgcoreError(_("the value of a point must be a number above 0"))
    return found


def paid_by_weight(
    cases: pa.Table, weights: Any, rate: float | Mapping[str, float], *, basis: str = "total_cost"
) -> Paid:
    """Estimate payments without a policy: points of the group × value, or weight × rate.

    Parameters
    ----------
    cases : pyarrow.Table
        `drg`, `status`; `coefficient` where hospitals have one; `pool` for rates by pool.
    weights : DataFrame or mapping
        ``drg`` and one of ``base_points``, ``relative_weight``.
    rate : float or mapping of str to float
        Yuan a point or for weight 1; of each pool, or one for all.
    basis : {"total_cost", "fund"}
        Whether the price covers the whole cost, or the fund's part.

    Returns
    -------
    Paid
        Cases without a group or whose group is not in the table have no payment.

    Examples
    --------
    >>> cases = pa.table({"drg": ["BR13", "ZZ11"], "status": ["grouped", "grouped"]})
    >>> paid = paid_by_weight(cases, {"BR13": 0.8}, 10_000)
    >>> paid.points.tolist(), paid.case_class.tolist()
    ([0.8, nan], ['estimated', None])
    """
    if basis not in ("total_cost", "fund"):
        raise DrgcoreError(_("basis {basis!r} must be total_cost or fund", basis=basis))
    table = _weights(weights)
    drg = text_codes(cases, "drg", optional=True)
    if "status" in cases.column_names:
        status = text_codes(cases, "status", optional=True)
        grouped = np.append(statuses_of(status.names), np.int8(2))[status.codes] == 0
    else:
        grouped = np.append(statuses_of_groups(drg.names), np.int8(2))[drg.codes] == 0
    base = np.array([*(table.get(name, np.nan) for name in drg.names), np.nan])[drg.codes]
    base = np.where(grouped, base, np.nan)
    k = np.ones(len(cases))
    if "coefficient" in cases.column_names:
        k = numbers_of(cases, "coefficient")
        wrong = ~(np.isfinite(k) & (k >= 0))
        refuse_rows(
            cases, wrong, _("have no coefficient"), "coefficient", _("give 1 where there is none")
        )
    if isinstance(rate, Mapping):
        pool = text_codes(cases, "pool")
        value = value_of(pool.names, rate)[pool.codes]
    else:
        value = np.repeat(value_of([""], rate), len(cases))
    known = ~np.isnan(base)
    classes = np.array([None, "estimated"], object)[known.astype(np.int64)]
    none = np.zeros(len(cases), bool)
    points = base * k
    return Paid(classes, base, k, value, points, 0.0, none, np.full(len(cases), basis == "fund"))


def _weights(weights: Any) -> dict[str, float]:
    if isinstance(weights, Mapping):
        return {str(drg): float(weight) for drg, weight in weights.items()}
    name = next((n for n in ("base_points", "relative_weight") if n in weights.columns), None)
    if "drg" not in weights.columns or name is None:
        raise CaseSchemaError(_("the table needs drg and base_points or relative_weight"))
    drgs = weights["drg"].astype(str)
    if drgs.duplicated().any():
        raise CaseSchemaError(
            _("{key} occurs twice", key=drgs[drgs.duplicated()].iloc[0]), where="weights"
        )
    numbers = pd.to_numeric(weights[name], errors="coerce").to_numpy(np.float64)
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        raise CaseSchemaError(
            _(
                "{name} of {key} is missing, negative or no number",
                name=name,
                key=drgs[wrong].iloc[0],
            ),
            where="weights",
        )
    return dict(zip(drgs, numbers.tolist(), strict=True))
