"""The tables of a comparison: one row a policy, and policies beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from drgcore.scenarios.side import Amounts, PoolSide

AMOUNT_COLUMNS = (
    "policy",
    "cases",
    "outside_cases",
    "points",
    "money_fen",
    "outside_fen",
    "points_difference",
    "difference_fen",
    "relative_difference",
)
POOL_COLUMNS = (
    "pool",
    "basis",
    "budget_fen",
    "reserve_fen",
    "paid_by_item_fen",
    "paid_on_top_fen",
    "shared_with_fund_fen",
    "patient_paid_fen",
    "numerator_fen",
    "limited",
    "to_reserve_fen",
    "from_reserve_fen",
    "unmet_fen",
    "point_value",
)
_TO_FIRST = ("points_difference", "difference", "relative_difference")


def amount_table(
    keys: Sequence[str],
    rows: Iterable[tuple[Sequence[str], Sequence[Amounts]]],
    policies: Sequence[str],
    units: Sequence[int],
) -> pd.DataFrame:
    """Make a table of amounts with their differences to the first policy.

    Parameters
    ----------
    keys : sequence of str
        Names of the columns that say what a row is.
    rows : iterable of (key, amounts)
        The amounts under each policy.
    policies : sequence of str
        The policies.
    units : sequence of int
        By how much each policy's points are multiplied, so that all have the same decimals.

    Returns
    -------
    pandas.DataFrame
        `keys` and `AMOUNT_COLUMNS`.

    Examples
    --------
    >>> rows = [(["H1"], [Amounts(1, 0, 5, 200, 0), Amounts(1, 0, 6, 300, 0)])]
    >>> table = amount_table(["hospital"], rows, ["a", "b"], [1, 1])
    >>> table[["policy", "difference_fen", "relative_difference"]].values.tolist()
    [['a', 0, 0.0], ['b', 100, 0.5]]
    """
    lines = []
    for key, sides in rows:
        base_points, base = sides[0].points * units[0], sides[0].money_fen
        for policy, unit, side in zip(policies, units, sides, strict=True):
            points, difference = side.points * unit, side.money_fen - base
            share = difference / abs(base) if base else np.nan
            own = (side.cases, side.outside_cases, points, side.money_fen, side.outside_fen)
            lines.append((*key, policy, *own, points - base_points, difference, share))
    return _typed(pd.DataFrame(lines, columns=[*keys, *AMOUNT_COLUMNS]))


def pool_table(
    pools: Sequence[Sequence[PoolSide]], policies: Sequence[str], units: Sequence[int]
) -> pd.DataFrame:
    """Make the table of the pools.

    Parameters
    ----------
    pools : sequence of sequence of PoolSide
        For each pool its side under each policy.
    policies : sequence of str
        The policies.
    units : sequence of int
        See `amount_table`.

    Returns
    -------
    pandas.DataFrame
        `pool`, `policy`, the other `POOL_COLUMNS`, the other `AMOUNT_COLUMNS`.

    Examples
    --------
    >>> pool_table([], ["a"], [1]).columns[:3].tolist()
    ['pool', 'policy', 'basis']
    """
    lines = [
        (
            side.terms.pool,
            side.terms.basis,
            side.terms.budget_fen,
            side.terms.reserve_fen,
            side.paid_by_item_fen,
            side.on_top_fen,
            side.fund_shared_fen,
            side.value.patient_paid_fen,
            side.value.numerator_fen,
            side.value.limited,
            side.value.to_reserve_fen,
            side.value.from_reserve_fen,
            side.value.unmet_fen,
            float(side.value.yuan),
        )
        for pool in pools
        for side in pool
    ]
    rows = [((), [side.total for side in pool]) for pool in pools]
    amounts = amount_table([], rows, policies, units)
    table = _typed(pd.DataFrame(lines, columns=list(POOL_COLUMNS)))
    table.insert(1, "policy", amounts.pop("policy"))
    return pd.concat([table, amounts], axis=1)


def gains(hospitals: pd.DataFrame, policies: Sequence[str], sign: int) -> pd.DataFrame:
    """List the hospitals that gain by a policy, or lose, all pools together.

    Parameters
    ----------
    hospitals : pandas.DataFrame
        The comparison's table of hospitals.
    policies : sequence of str
        The policies.
    sign : {1, -1}
        1 for those that gain, -1 for those that lose.

    Returns
    -------
    pandas.DataFrame
        `policy`, `hospital`, `level`, `cases`, `points`, `money_fen`, `points_difference`,
        `difference_fen`, `relative_difference`, for each policy by the size of the difference.

    Examples
    --------
    >>> rows = [(["p", "H1", "2"], [Amounts(1, 0, 5, 200, 0), Amounts(1, 0, 6, 300, 0)])]
    >>> table = amount_table(["pool", "hospital", "level"], rows, ["a", "b"], [1, 1])
    >>> gains(table, ["a", "b"], 1)["hospital"].tolist(), len(gains(table, ["a", "b"], -1))
    (['H1'], 0)
    """
    names = ["cases", "points", "money_fen", "points_difference", "difference_fen"]
    by = ["policy", "hospital", "level"]
    whole = hospitals.groupby(by, as_index=False, sort=True)[names].sum()
    whole = whole[whole["difference_fen"] * sign > 0].reset_index(drop=True)
    first = whole["money_fen"] - whole["difference_fen"]
    whole["relative_difference"] = whole["difference_fen"] / first.abs().where(first != 0)
    place = whole["policy"].map({policy: at for at, policy in enumerate(policies)})
    order = np.lexsort((whole["hospital"], -whole["difference_fen"].abs(), place))
    return whole.iloc[order].reset_index(drop=True)


def in_yuan(table: pd.DataFrame, places: int) -> pd.DataFrame:
    """Write a table's amounts in yuan and its points with their decimals, as exact decimals.

    Parameters
    ----------
    table : pandas.DataFrame
        A table of a comparison.
    places : int
        Decimals of a point.

    Returns
    -------
    pandas.DataFrame
        Columns `*_fen` without the suffix.

    Examples
    --------
    >>> in_yuan(pd.DataFrame({"points": [1205], "money_fen": [150]}), 2).iloc[0].tolist()
    [Decimal('12.05'), Decimal('1.50')]
    """
    columns: dict[str, Any] = {}
    for name in table.columns:
        if name.endswith("_fen"):
            columns[name.removesuffix("_fen")] = _decimals(table[name], 2)
        elif name in ("points", "points_difference"):
            columns[name] = _decimals(table[name], places)
        else:
            columns[name] = table[name]
    return pd.DataFrame(columns)


def side_by_side(table: pd.DataFrame, policies: Sequence[str], places: int) -> pd.DataFrame:
    """Put the policies of a table beside each other.

    Parameters
    ----------
    table : pandas.DataFrame
        A table with one row a policy; every policy has the same rows in the same order.
    policies : sequence of str
        The policies.
    places : int
        Decimals of a point.

    Returns
    -------
    pandas.DataFrame
        What says what a row is, what is the same under all policies, then each policy's columns.

    Examples
    --------
    >>> rows = [(["H1"], [Amounts(1, 0, 5, 200, 0), Amounts(1, 0, 6, 300, 0)])]
    >>> table = amount_table(["hospital"], rows, ["a", "b"], [1, 1])
    >>> side_by_side(table, ["a", "b"], 0).columns[:5].tolist()
    ['hospital', 'cases', 'outside cases', 'a: points', 'a: money']
    """
    shown = in_yuan(table, places)
    parts = [shown[shown["policy"] == policy].reset_index(drop=True) for policy in policies]
    at = list(shown.columns).index("policy")
    keys = list(shown.columns[:at])
    counts = ["cases", "outside_cases"]
    common = [name for name in counts if all(part[name].equals(parts[0][name]) for part in parts)]
    columns = {name: parts[0][name] for name in keys}
    columns |= {name.replace("_", " "): parts[0][name] for name in common}
    for policy, part in zip(policies, parts, strict=True):
        for name in part.columns[at + 1 :]:
            if name not in common and (policy != policies[0] or name not in _TO_FIRST):
                columns[f"{policy}: {name.replace('_', ' ')}"] = part[name]
    return pd.DataFrame(columns)


def _decimals(values: pd.Series, places: int) -> pd.Series:
    exact = [Decimal(value).scaleb(-places) for value in values.tolist()]
    return pd.Series(exact, values.index, object)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Keep counts and amounts whole numbers even where there is no row."""
    whole = {"cases", "outside_cases", "points", "points_difference"}
    names = [name for name in table.columns if name in whole or name.endswith("_fen")]
    return table.astype(dict.fromkeys(names, np.int64))
