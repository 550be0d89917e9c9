"""The groups of a unit: quadrants by weight and cost index, fees beside those of peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases import open_cases
from drgcore.cases.fees import FEE_COLUMNS, fee_columns, fees_of
from drgcore.errors import CaseSchemaError
from drgcore.indicators.columns import checked_keys
from drgcore.indicators.formulas import quotient
from drgcore.indicators.norms import norms_of
from drgcore.indicators.tally import Tally, tally_cases
from drgcore.language import N_, Texts, _

QUADRANTS: Mapping[str, str] = Texts(
    {
        "advantage": N_("weight at or above the limit, cost index at most 1"),
        "watch": N_("weight at or above the limit, cost index above 1"),
        "potential": N_("weight below the limit, cost index at most 1"),
        "shrink": N_("weight below the limit, cost index above 1"),
    }
)
"""What each quadrant is, in the language that is spoken."""


def quadrants(
    cases: Any,
    by: str | Sequence[str] = "hospital",
    *,
    norms: pd.DataFrame | str | Path | None = None,
    weight_limit: float = 1.0,
    few: int = 5,
) -> pd.DataFrame:
    """Place every DRG of each unit by its weight and its cost index.

    Parameters
    ----------
    cases : path, DataFrame, Arrow table or stream, or Tally
        Grouped cases of a region with `total_cost`, see `tally_cases`.
    by : str or sequence of str, default "hospital"
        The units, see `compute_indicators`; none takes the region as one.
    norms : DataFrame or path, optional
        Weights and mean costs from elsewhere, see `norms_of`.
    weight_limit : float, default 1
        Weight from which a group counts as heavy; 1 is the region's mean case.
    few : int, default 5
        Groups of fewer cases are marked: chance may have placed them.

    Returns
    -------
    pandas.DataFrame
        The keys, ``drg``, ``cases``, ``weight``, ``mean_cost``, ``region_mean_cost`` [yuan],
        ``cost_index``, ``quadrant`` (of `QUADRANTS`; None without weight or cost), ``few_cases``.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["A", "A", "B", "B"], "hospital": ["H1", "H2"] * 2,
    ...     "total_cost": [1.0, 3.0, 20.0, 10.0]})
    >>> quadrants(cases)[["hospital", "drg", "weight", "cost_index", "quadrant"]]
      hospital drg  weight  cost_index   quadrant
    0       H1   A  0.2353    0.500000  potential
    1       H1   B  1.7647    1.333333      watch
    2       H2   A  0.2353    1.500000     shrink
    3       H2   B  1.7647    0.666667  advantage
    """
    keys = [key for key in checked_keys(by) if key not in ("drg", "adrg", "mdc")]
    tally = cases if isinstance(cases, Tally) else tally_cases(cases, keys)
    known = norms_of(tally, norms)
    unit, table = tally.units([*keys, "drg"])
    grouped = tally.status == 0
    total = {
        name: np.bincount(unit, np.where(grouped, tally.measure(name), 0.0), len(table))
        for name in ("cases", "cost", "cost_n")
    }
    at = np.zeros(len(table), np.int64)
    at[unit] = tally.drg
    weight, mean = (
        np.append(known[name].to_numpy(np.float64), np.nan)[at]
        for name in ("relative_weight", "mean_cost")
    )
    own = quotient(total["cost"] / 100, total["cost_n"])
    index = quotient(own, np.nan_to_num(mean))
    # A unit that costs what the region does is not above it by a rounding.
    above, heavy = index > 1 + 1e-9, weight >= weight_limit
    names = np.array(list(QUADRANTS), object)
    quadrant = names[2 * ~heavy + above]
    quadrant[np.isnan(weight) | np.isnan(index)] = None
    table["cases"] = total["cases"].astype(np.int64)
    table["weight"], table["mean_cost"], table["region_mean_cost"] = weight, own, mean
    table["cost_index"] = index
    table["quadrant"] = pd.Series(quadrant, table.index, dtype=object)
    table["few_cases"] = table["cases"] < few
    return table[table["cases"] > 0].reset_index(drop=True)


def fee_structure(cases: Any, by: str | Sequence[str] = ("hospital", "drg")) -> pd.DataFrame:
    """Set the fees of each unit's cases beside those of all others, category by category.

    Parameters
    ----------
    cases : path, DataFrame, Arrow table or stream
        Grouped cases with fees, see `cases.fees`.
    by : str or sequence of str, default ("hospital", "drg")
        The units. Peers are the same DRG, ADRG, MDC, department, month or pool of everybody else;
        of units by these alone, all other cases.

    Returns
    -------
    pandas.DataFrame
        The keys, ``category``, ``cases`` and ``peer_cases`` that state its fees, ``mean`` and
        ``peer_mean`` [yuan a case], ``difference``, ``share`` and ``peer_share`` of all categories.
        NaN where there is nobody to compare with.

    Raises
    ------
    CaseSchemaError
        If the cases have no fees.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["A", "A"], "hospital": ["H1", "H2"],
    ...     "drug_cost": [300.0, 100.0], "other_cost": [100.0, 100.0]})
    >>> table = fee_structure(cases)
    >>> table[["hospital", "category", "mean", "peer_mean", "share", "peer_share"]]
      hospital    category   mean  peer_mean  share  peer_share
    0       H1   drug_cost  300.0      100.0   0.75        0.50
    1       H1  other_cost  100.0      100.0   0.25        0.50
    2       H2   drug_cost  100.0      300.0   0.50        0.75
    3       H2  other_cost  100.0      100.0   0.50        0.25
    """
    keys = checked_keys(by)
    with open_cases(cases) as opened:
        there = opened.schema.names
        table = pa.Table.from_batches(list(opened.batches()), opened.schema)
    stated = [name for name in FEE_COLUMNS if fee_columns(name, there)]
    if not stated:
        raise CaseSchemaError(
            _("the cases have no column of fees"),
            hint=_("such as {fee_columns}", fee_columns=", ".join(list(FEE_COLUMNS)[:3])),
        )
    # Each category is added up by the tally, as a cost.
    by_category = {}
    others = [n for n in table.column_names if n in ("status", "discharge_date", *keys, "drg")]
    for name in stated:
        fees = np.nan_to_num(fees_of(table, name), nan=-1.0)
        # A fee of 0 is stated, which a cost of 0 is not.
        shifted = np.where(fees >= 0, fees + 1.0, np.nan)
        part = table.select(others).append_column("total_cost", pa.array(shifted))
        by_category[name] = tally_cases(part, keys)
    what = [key for key in keys if key not in ("hospital", "hospital_level", "doctor_id")]
    what = what if len(what) < len(keys) else []
    rows = []
    for name, tally in by_category.items():
        unit, frame = tally.units(keys)
        group, groups = tally.units(what)
        number, total = tally.measure("cost_n"), tally.measure("cost") / 100
        own_n = np.bincount(unit, number, len(frame))
        own = np.bincount(unit, total - number, len(frame))
        of_unit = np.zeros(len(frame), np.int64)
        of_unit[unit] = group
        peer_n = np.bincount(group, number, len(groups))[of_unit] - own_n
        peer = np.bincount(group, total - number, len(groups))[of_unit] - own
        frame["category"], frame["order"] = name, stated.index(name)
        frame["cases"], frame["peer_cases"] = own_n.astype(np.int64), peer_n.astype(np.int64)
        frame["mean"], frame["peer_mean"] = quotient(own, own_n), quotient(peer, peer_n)
        rows.append(frame.rename_axis("unit").reset_index())
    found = pd.concat(rows, ignore_index=True).sort_values(["unit", "order"])
    found["difference"] = found["mean"] - found["peer_mean"]
    for share, mean in (("share", "mean"), ("peer_share", "peer_mean")):
        whole = found.groupby("unit")[mean].transform("sum")
        found[share] = quotient(found[mean], whole)
    return found.drop(columns=["unit", "order"]).reset_index(drop=True)
