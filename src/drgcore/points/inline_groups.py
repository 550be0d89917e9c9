"""A computed table of base points as the rows that a policy holds inline."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.errors import PolicyError
from drgcore.language import _

_COLUMNS = ("base_points", "mean_cost", "cases", "cv", "stable")
_TABLE = ("file", "groups", "holds")


def inline_groups(table: Any) -> dict[str, dict[str, Any]]:
    """Write a table of base points as `base_points.groups` of a policy.

    Parameters
    ----------
    table : DataFrame, Arrow table or mapping
        Columns `drg`, `base_points` and, where the policy's rules use them, `mean_cost` [yuan],
        `cases`, `cv`, `stable`; other columns are not looked at. Or a mapping of DRG to points, or
        to a row with these names.

    Returns
    -------
    dict of str to dict
        A row for each DRG, numbers as the shortest decimal that prints them. A cell that is empty
        is not there.

    Raises
    ------
    PolicyError
        For a table without the columns `drg` and `base_points`, a DRG that occurs twice, a row
        without DRG or base points.

    Examples
    --------
    >>> frame = pd.DataFrame({"drg": ["BR13"], "base_points": [120.5], "cv": [None]})
    >>> inline_groups(frame)
    {'BR13': {'base_points': Decimal('120.5')}}
    >>> inline_groups({"BR13": 120.5, "BR15": {"base_points": "80", "cases": 12}})["BR15"]
    {'base_points': '80', 'cases': 12}
    """
    where = _("table of base points")
    rows: list[Any]
    if isinstance(table, Mapping):
        rows = [
            {"drg": drg, **row} if isinstance(row, Mapping) else {"drg": drg, "base_points": row}
            for drg, row in table.items()
        ]
    else:
        frame = table if isinstance(table, pd.DataFrame) else pa.table(table).to_pandas()
        missing = [name for name in ("drg", "base_points") if name not in frame.columns]
        if missing:
            raise PolicyError(
                _("there is no column {missing}", missing=", ".join(missing)),
                where=where,
            )
        kept = frame[[name for name in ("drg", *_COLUMNS) if name in frame.columns]]
        rows = kept.astype(object).to_dict("records")
    groups: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, 1):
        drg = row["drg"]
        if not isinstance(drg, str) or not drg:
            raise PolicyError(_("row {number} has no drg", number=number), where=where)
        if drg in groups:
            raise PolicyError(_("{drg} occurs twice", drg=drg), where=where)
        groups[drg] = {
            name: _exact(row[name]) for name in _COLUMNS if name in row and not pd.isna(row[name])
        }
        if "base_points" not in groups[drg]:
            raise PolicyError(_("{drg} has no base points", drg=drg), where=where)
    if not groups:
        raise PolicyError(_("it has no rows"), where=where)
    return groups


def replace_groups(
    data: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Put a table of base points in the place of the one that a policy has, for every period.

    Parameters
    ----------
    data : mapping
        Tables of a policy.
    groups : mapping
        What `inline_groups` gives.

    Returns
    -------
    dict
        New tables; no amendment has a table of base points of its own.

    Examples
    --------
    >>> data = {"base_points": {"file": "old.csv", "scale": 100}}
    >>> replace_groups(data, {"BR13": {"base_points": "120.5"}})["base_points"]
    {'scale': 100, 'holds': 'base_points', 'groups': {'BR13': {'base_points': '120.5'}}}
    """
    result = dict(data)
    result["amendments"] = [_without_table(part) for part in data.get("amendments", ())]
    rest = _without_table(data)["base_points"]
    result["base_points"] = {**rest, "holds": "base_points", "groups": groups}
    return result


def _without_table(part: Mapping[str, Any]) -> dict[str, Any]:
    rest = {k: v for k, v in part.get("base_points", {}).items() if k not in _TABLE}
    return {**part, "base_points": rest}


def _exact(value: Any) -> Any:
    """Give a number as the decimal that it prints as, which is what a file would say.

    What is no number stays, for the policy's own check to name it with its path.
    """
    if isinstance(value, np.bool_ | np.integer):
        return value.item()
    return Decimal(str(value)) if isinstance(value, float | np.floating) else value
