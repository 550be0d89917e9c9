"""The columns of a settlement's tables, and rows to and from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from drgcore.budget.pointvalue import PointValue

VALUE_COLUMNS = (
    "pool",
    "basis",
    "budget_fen",
    "outside_fen",
    "patient_paid_fen",
    "numerator_fen",
    "points",
    "places",
    "limited",
    "to_reserve_fen",
    "from_reserve_fen",
    "unmet_fen",
)
STATEMENT_COLUMNS = (
    "pool",
    "hospital",
    "cases",
    "points",
    "gross_fen",
    "patient_paid_fen",
    "entitlement_fen",
    "refused_fen",
    "carried_in_fen",
    "prepaid_fen",
    "held_fen",
    "carried_out_fen",
    "outside_fen",
    "fingerprint",
)
CLASS_COLUMNS = ("pool", "hospital", "case_class", "cases", "points")
RESERVE_COLUMNS = ("pool", "opening_fen", "from_ceiling_fen", "to_floor_fen", "closing_fen")
ADJUSTMENT_COLUMNS = (
    "pool",
    "hospital",
    "month",
    "kind",
    "cases",
    "points",
    "value_fen",
    "patient_paid_fen",
    "refused_fen",
    "amount_fen",
)
YEAR_COLUMNS = (
    "pool",
    "hospital",
    "unit",
    "cases",
    "points",
    "gross_fen",
    "patient_paid_fen",
    "entitlement_fen",
    "refused_fen",
    "carried_in_fen",
    "prepaid_fen",
    "held_fen",
    "adjustments_fen",
    "kappa",
    "pool_share_fen",
    "surplus_returned_fen",
    "deficit_borne_fen",
    "capitation_fen",
    "final_fen",
    "balance_fen",
    "carried_out_fen",
    "item_cost_fen",
    "outside_fen",
    "outside_paid_fen",
)
UNIT_COLUMNS = (
    "pool",
    "unit",
    "hospitals",
    "points",
    "entitlement_fen",
    "item_cost_fen",
    "ratio",
    "share",
    "capitation_fen",
    "charged_fen",
    "transfer_fen",
    "unmet_fen",
    "final_fen",
    "balance_fen",
    "carried_out_fen",
)
FLOW_COLUMNS = ("pool", "hospital", "item", "account", "share", "amount_fen")
"""Money beside the statement, or a named part of it; `hospital` is '' for the pool as a whole.

`account` says where it is from: '' (the hospitals' own amounts), `budget`, `reserve`, or an account
that the policy names. `share` is the result ρ by which quality money is returned, else ''.
"""
MOVE_COLUMNS = ("pool", "item", "amount_fen")
"""Accounts as lines: the incentive pool, the reserve, the reconciliation."""


def frame(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Make a table of rows; amounts and counts stay exact integers even when there is no row.

    Parameters
    ----------
    rows : iterable of sequence
        The rows.
    columns : sequence of str
        Names of the columns.

    Returns
    -------
    pandas.DataFrame
        The table.

    Examples
    --------
    >>> frame([("p", "x", 5)], MOVE_COLUMNS)["amount_fen"].sum().item()
    5
    """
    whole = [name.endswith("_fen") or name in ("cases", "points", "places") for name in columns]
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [
        np.array(column, np.int64 if integer else object)
        for column, integer in zip(values, whole, strict=True)
    ]
    return pd.DataFrame(dict(zip(columns, arrays, strict=True)))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a table's rows as dicts of plain Python values, integers as exact `int`.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.

    Returns
    -------
    list of dict
        The rows.

    Examples
    --------
    >>> records(frame([("p", "x", 5)], MOVE_COLUMNS))
    [{'pool': 'p', 'item': 'x', 'amount_fen': 5}]
    """
    columns = [table[name].tolist() for name in table.columns]
    names = [str(name) for name in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def value_row(value: PointValue, outside_fen: int) -> tuple[Any, ...]:
    """Give a point value as a row of `VALUE_COLUMNS`.

    Parameters
    ----------
    value : PointValue
        The point value.
    outside_fen : int
        What was paid by item from the same budget before [fen].

    Returns
    -------
    tuple
        The row.

    Examples
    --------
    >>> value_row(PointValue("p", "2026", "fund", 5, 0, 5, 1, 4), 0)[:3]
    ('p', 'fund', 5)
    """
    return (
        value.pool,
        value.basis,
        value.budget_fen,
        outside_fen,
        value.patient_paid_fen,
        value.numerator_fen,
        value.points,
        value.places,
        value.limited,
        value.to_reserve_fen,
        value.from_reserve_fen,
        value.unmet_fen,
    )


def value_from_row(rows: Iterable[dict[str, Any]], pool: str, period: str) -> PointValue:
    """Read a pool's point value from the rows of a table of `VALUE_COLUMNS`.

    Parameters
    ----------
    rows : iterable of dict
        The rows.
    pool : str
        The pool.
    period : str
        Month or year of the table.

    Returns
    -------
    PointValue
        The point value.

    Examples
    --------
    >>> value = PointValue("p", "2026", "fund", 5, 0, 5, 1, 4)
    >>> row = dict(zip(VALUE_COLUMNS, value_row(value, 0)))
    >>> value_from_row([row], "p", "2026") == value
    True
    """
    row = next(row for row in rows if row["pool"] == pool)
    return PointValue(period=period, **{n: v for n, v in row.items() if n != "outside_fen"})
