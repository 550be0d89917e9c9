"""A case's points as a person checks them by hand, and points added up by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from drgcore.points.kernel import CLASSES
from drgcore.points.policy import Policy
from drgcore.points.tables import group_table


def explain_points(case: Mapping[str, Any], policy: Policy) -> str:
    """Write how the points of one case come about, line by line, with the policy's numbers.

    Parameters
    ----------
    case : mapping
        One row of what `compute_points` returns.
    policy : Policy
        The policy.

    Returns
    -------
    str
        Class and reason, the group's base points, mean and limits, the formula with its numbers.

    Examples
    --------
    >>> row = {"case_id": "2", "hospital": "H12", "drg": "ES23", "total_cost": 70000.0,
    ...        "discharge_date": pd.Timestamp("2027-02-01"),
    ...        "case_class": "high_cost", "class_reason": "C > hi·m: P·k and the added part",
    ...        "base_points": 143.25, "coefficient": 0.88, "multiple": 4.8866,
    ...        "added_points": 341.875, "points": 467.935}
    >>> print(explain_points(row, Policy.load("example")))
    case 2, hospital H12, ES23, cost 70,000.00 yuan
    class high_cost: C > hi·m: P·k and the added part
    group: base points P = 143.25, mean cost m = 14,325.00 yuan, stable; lo·m = 5,730.00, \
hi·m = 35,812.50 yuan
    points = base · coefficient + added = 143.25 × 0.88 + 341.875 = 467.935
    """
    policy = policy.at(pd.Timestamp(case["discharge_date"]).date())
    drg = case.get("drg")
    shown = str(drg) if isinstance(drg, str) and drg else "no DRG"
    lines = [
        f"case {case['case_id']}, hospital {case['hospital']}, {shown}, "
        f"cost {case['total_cost']:,.2f} yuan",
        f"class {case['case_class']}: {case['class_reason']}",
    ]
    table = group_table(policy)
    if drg in table.drgs and case["case_class"] in ("normal", "high_cost", "low_cost", "unstable"):
        lines.append(_group(policy, table.drgs.index(str(drg))))
    if case["case_class"] not in ("outside", "normal", "fixed_price"):
        deducted = case.get("unreasonable_cost", 0.0)
        if policy.costs.unreasonable == "deducted" and deducted:
            lines.append(
                f"unreasonable cost U = {deducted:,.2f} yuan, C − U = "
                f"{case['total_cost'] - deducted:,.2f} yuan"
            )
    lines.append(_formula(case))
    return "\n".join(lines)


def points_by_class(table: Any, by: Sequence[str] = ()) -> pd.DataFrame:
    """Add up cases and points by class; a class without cases stays, with zeros.

    Parameters
    ----------
    table : pandas.DataFrame or anything with the Arrow PyCapsule interface
        What `compute_points` returns.
    by : sequence of str
        Further columns to add up by, for example pool and hospital.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, `case_class`, `cases`, `points`, in the order of `CLASSES`.

    Examples
    --------
    >>> table = pd.DataFrame({"case_class": ["normal", "normal"], "points": [10.5, 20.25]})
    >>> points_by_class(table).head(2)
      case_class  cases  points
    0     normal      2   30.75
    1  high_cost      0    0.00
    """
    names = [*by, "case_class", "points"]
    frame = (
        table[names]
        if isinstance(table, pd.DataFrame)
        else pa.table(table).select(names).to_pandas()
    )
    classes = pd.Categorical(frame["case_class"].astype(str), categories=CLASSES, ordered=True)
    frame = frame.assign(case_class=classes, **{name: frame[name].astype(str) for name in by})
    grouped = frame.groupby([*by, "case_class"], observed=False)["points"].agg(["size", "sum"])
    return grouped.reset_index().rename(columns={"size": "cases", "sum": "points"})


def _group(policy: Policy, index: int) -> str:
    table = group_table(policy)
    points, mean = float(table.base_points[index]), float(table.mean_cost[index])
    stable = "stable" if table.stable[index] else "not stable"
    limits = []
    for name, bands in (
        ("lo", policy.outliers.low.multiples),
        ("hi", policy.outliers.high.multiples),
    ):
        if bands is not None:
            limits.append(f"{name}·m = {float(bands.apply(points)) * mean:,.2f}")
    text = f"group: base points P = {points:g}, mean cost m = {mean:,.2f} yuan, {stable}"
    return f"{text}; {', '.join(limits)} yuan" if limits else text


def _formula(case: Mapping[str, Any]) -> str:
    """Write the formula of the case's class, see `compute_points`."""
    points, base, k = case["points"], case["base_points"], case["coefficient"]
    multiple, added, kind = case["multiple"], case["added_points"], case["case_class"]
    if kind == "outside":
        return "points = 0; paid by item outside the points"
    with_k = kind == "normal" or "P·k" in str(case["class_reason"])
    if kind == "high_cost" and with_k:
        return f"points = base · coefficient + added = {base:g} × {k:g} + {added:g} = {points:g}"
    if with_k:
        return f"points = base · coefficient = {base:g} × {k:g} = {points:g}"
    if pd.isna(multiple):
        return f"points = base = {points:g}"
    if kind == "low_cost" and "by cost" not in str(case["class_reason"]):
        return f"points = base · multiple = {base:g} × {multiple:.6f} = {points:g}"
    return (
        f"points = base · multiple · coefficient = {base:g} × {multiple:.6f} × {k:g} = {points:g}"
    )
