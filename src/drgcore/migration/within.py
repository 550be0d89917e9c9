"""Weights and money within a hospital: by department and by MDC."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.budget import allocate
from drgcore.cases.attributes import Codes
from drgcore.migration.reasons import SIDES

UNIT = 10_000
"""Weights have four decimals and are added up as whole numbers of the last."""

NO_WEIGHT = -1


def combined(names: tuple[str, str], outer: Codes, inner: Codes) -> tuple[Codes, pd.DataFrame]:
    """Two keys as one: codes of their pairs, and what each code stands for.

    A case without the inner key has the empty one.

    Examples
    --------
    >>> hospital = Codes(["A", "B"], np.array([0, 1, 0], np.int32))
    >>> ward = Codes(["x"], np.array([0, -1, 0], np.int32))
    >>> pairs, told = combined(("hospital", "department"), hospital, ward)
    >>> pairs.codes.tolist(), told.to_numpy().tolist()
    ([0, 1, 0], [['A', 'x'], ['B', '']])
    """
    inner_names = [*inner.names, ""]
    within = np.where(inner.codes < 0, len(inner.names), inner.codes).astype(np.int64)
    keys = outer.codes.astype(np.int64) * len(inner_names) + within
    there, codes = np.unique(keys, return_inverse=True)
    told = pd.DataFrame(
        {
            names[0]: [outer.names[k] for k in (there // len(inner_names)).tolist()],
            names[1]: [inner_names[k] for k in (there % len(inner_names)).tolist()],
        }
    )
    return Codes([str(i) for i in range(len(there))], codes.astype(np.int32)), told


def money_within(
    money: pd.DataFrame,
    name: str,
    pool: Codes,
    hospital: Codes,
    inner: Mapping[str, Codes],
    weights: Mapping[str, NDArray[np.int64]],
) -> pd.DataFrame:
    """The money of each hospital in each pool, split by the weight of its parts.

    Parameters
    ----------
    money : pandas.DataFrame
        `MigrationEffect.money`.
    name : str
        What the parts are, for the column.
    pool, hospital : Codes
        Of each case.
    inner : mapping of str to Codes
        By side the part of each case; a case without one is in the part ``""``.
    weights : mapping of str to ndarray of int64
        By side the weight of each case in units; `NO_WEIGHT` for none.

    Returns
    -------
    pandas.DataFrame
        ``pool``, ``hospital``, `name`, ``weight_before``, ``weight_after``, ``before_fen``,
        ``after_fen``, ``difference_fen``; the parts of a hospital add up to its row of `money`.
    """
    keys = ["pool", "hospital", name]
    sides = []
    for side in SIDES:
        parts = inner[side]
        there = weights[side] != NO_WEIGHT
        cases = pd.DataFrame(
            {
                "pool": pool.codes[there],
                "hospital": hospital.codes[there],
                name: parts.codes[there],
                "units": weights[side][there],
            }
        )
        sums = cases.groupby(keys)["units"].sum().reset_index()
        for column, codes in (("pool", pool), ("hospital", hospital), (name, parts)):
            told = np.array([*codes.names, ""], object)
            sums[column] = told[sums[column].to_numpy()]
        amounts = money.set_index(["pool", "hospital"])[f"{side}_fen"]
        found = []
        for at, rows in sums.sort_values(keys).groupby(["pool", "hospital"], sort=False):
            # What has no weight at all in this hospital has no money either.
            whole = int(amounts.get(at, 0))
            units = rows["units"].tolist()
            split = allocate(whole, units, rows[name].tolist()) if any(units) else [0] * len(units)
            found.append(rows.assign(fen=split))
        table = pd.concat(found) if found else sums.assign(fen=0)
        table[f"weight_{side}"] = table["units"] / UNIT
        sides.append(
            table.rename(columns={"fen": f"{side}_fen"})[[*keys, f"weight_{side}", f"{side}_fen"]]
        )
    merged = (
        sides[0]
        .merge(sides[1], on=keys, how="outer")
        .fillna(
            {
                f"{kind}{side}{end}": 0
                for side in SIDES
                for kind, end in (("weight_", ""), ("", "_fen"))
            }
        )
    )
    for side in SIDES:
        merged[f"{side}_fen"] = merged[f"{side}_fen"].astype(np.int64)
    merged["difference_fen"] = merged["after_fen"] - merged["before_fen"]
    ordered = [*keys, "weight_before", "weight_after", "before_fen", "after_fen", "difference_fen"]
    return merged.sort_values(keys, ignore_index=True)[ordered]
