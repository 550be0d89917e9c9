"""Coefficients of hospitals and levels (机构系数) from history, for a policy's components."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.cases.attributes import numbers_of, select_columns
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.weights.history import History, costs_by, read_history
from drgcore.weights.segments import sort_by_group
from drgcore.weights.trimming import Trimming

Floats = NDArray[np.float64]


def level_cost_coefficients(
    cases: Any, *, n_min: int = 5, trimming: Trimming | None = None
) -> pd.DataFrame:
    """Mean cost of the level over the regional mean, for each DRG: k_{l,g} = m_{l,g} / m_g.

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases with `hospital_level`, see `read_history`.
    n_min : int, default 5
        Pairs of level and DRG with fewer cases have no row; the policy's `otherwise` applies to
        them.
    trimming : Trimming, optional
        Cases to leave out.

    Returns
    -------
    pandas.DataFrame
        level, drg, cases, level_mean_cost, regional_mean_cost [yuan], coefficient: the table of a
        component ``method = "level_cost"``.

    Raises
    ------
    CaseSchemaError
        If no case is usable, or usable cases are of a hospital without level.

    Notes
    -----
    points.md and the local rules of the 点数法 name this ratio as one way to the coefficient; the
    policy weighs it with other components, limits it, and sets it to 1 for the same-price list
    (基层病组、同城同病同价).

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": "BR13", "hospital_level": ["3"] * 5 + ["2"] * 5,
    ...     "total_cost": [12e3] * 5 + [8e3] * 5})
    >>> level_cost_coefficients(cases)[["level", "drg", "cases", "coefficient"]]
      level   drg  cases  coefficient
    0     2  BR13      5          0.8
    1     3  BR13      5          1.2
    """
    return _by_group(_ready(cases, trimming, "hospital_level"), "hospital_level", "level", n_min)


def hospital_group_coefficients(
    cases: Any, *, n_min: int = 5, trimming: Trimming | None = None
) -> pd.DataFrame:
    """Mean cost of the hospital over the regional mean, for each DRG: k_{h,g} = m_{h,g} / m_g.

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases with `hospital`, see `read_history`.
    n_min : int, default 5
        Pairs of hospital and DRG with fewer cases have no row; the policy's `fallbacks` or
        `otherwise` apply to them.
    trimming : Trimming, optional
        Cases to leave out.

    Returns
    -------
    pandas.DataFrame
        hospital, drg, cases, hospital_mean_cost, regional_mean_cost [yuan], coefficient: the table
        of a component ``method = "hospital_drg"``.

    Raises
    ------
    CaseSchemaError
        If no case is usable, or usable cases are of no hospital.

    Notes
    -----
    The cost coefficient of Jinhua's point method (2017): the hospital's mean of the group over the
    city's, from two years; 1 for a group that is new, which is ``otherwise = 1`` of the component.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": "BR13", "hospital": ["H1"] * 5 + ["H2"] * 5,
    ...     "total_cost": [8800.0] * 5 + [7200.0] * 5})
    >>> hospital_group_coefficients(cases)[["hospital", "drg", "cases", "coefficient"]]
      hospital   drg  cases  coefficient
    0       H1  BR13      5          1.1
    1       H2  BR13      5          0.9
    """
    return _by_group(_ready(cases, trimming, "hospital"), "hospital", "hospital", n_min)


def level_coefficients(cases: Any, *, trimming: Trimming | None = None) -> pd.DataFrame:
    """Cost of each level over what its cases cost on the region's average: k_l = Σ C / Σ m_g.

    Parameters
    ----------
    cases : DataFrame, Arrow table or History
        Grouped cases with `hospital_level`, see `read_history`.
    trimming : Trimming, optional
        Cases to leave out.

    Returns
    -------
    pandas.DataFrame
        level, cases, cost, expected_cost [yuan], coefficient: for a component ``method = "level"``.

    Notes
    -----
    Indirect standardisation by case mix: a level with dearer groups does not get a higher
    coefficient for them, because the expected cost has the same groups.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": "BR13", "hospital_level": ["3"] * 5 + ["2"] * 5,
    ...     "total_cost": [12e3] * 5 + [8e3] * 5})
    >>> level_coefficients(cases)[["level", "coefficient"]].values.tolist()
    [['2', 0.8], ['3', 1.2]]
    """
    return _cost_index(_ready(cases, trimming, "hospital_level"), "hospital_level", "level")


def hospital_coefficients(
    cases: Any, *, trimming: Trimming | None = None, n_min: int = 5
) -> pd.DataFrame:
    """Components of a hospital's coefficient: own cost history, case mix and patients' burden.

    Parameters
    ----------
    cases : DataFrame or Arrow table
        Grouped cases with `hospital`, see `read_history`; with `patient_paid` [yuan] for the
        patients' burden.
    trimming : Trimming, optional
        Cases to leave out.
    n_min : int, default 5
        Hospitals with fewer cases keep their row, with ``few_cases`` true.

    Returns
    -------
    pandas.DataFrame
        One row a hospital: hospital, cases, few_cases, cost, expected_cost [yuan], and the
        components, each 1 for a hospital like the region:

        - ``own_history`` = Σ C / Σ m_g, the hospital's cost index
        - ``case_mix`` = mean of m_g over its cases / mean cost of the region (its CMI)
        - ``patient_burden`` = the region's share of cost borne by patients over the hospital's, so
          that a hospital whose patients pay less has more than 1; NaN where they paid nothing;
          only where the cases have `patient_paid`

    Notes
    -----
    A policy weighs components by name as Zhejiang's provisional measures for DRGs 点数付费 (2019)
    do (level, case mix, patients' burden, own history): each column is the table ``hospitals`` of a
    component ``method = "hospital"``.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13", "BR13", "ES23", "ES23"],
    ...     "hospital": ["H1", "H2", "H1", "H1"],
    ...     "total_cost": [12e3, 8e3, 5e3, 5e3], "patient_paid": [6e3, 1e3, 1e3, 1e3]})
    >>> hospital_coefficients(cases)[["hospital", "own_history", "case_mix", "patient_burden"]]
      hospital  own_history  case_mix  patient_burden
    0       H1          1.1  0.888889           0.825
    1       H2          0.8  1.333333           2.400
    """
    history = _ready(cases, trimming, "hospital")
    table = _cost_index(history, "hospital", "hospital").rename(
        columns={"coefficient": "own_history"}
    )
    table.insert(2, "few_cases", table["cases"] < n_min)
    region = table["cost"].sum() / table["cases"].sum()
    table["case_mix"] = table["expected_cost"] / table["cases"] / region
    if not isinstance(cases, History):
        paid = select_columns(cases, ["patient_paid"])
        if paid.column_names:
            table["patient_burden"] = _burden(history, table, numbers_of(paid, "patient_paid"))
    return table


def _by_group(history: History, key: str, label: str, n_min: int) -> pd.DataFrame:
    """Mean cost over the region's, for each value of a key and DRG with enough cases."""
    of, size = history.key(key), len(history.drg.names)
    region = costs_by(history, history.drg.codes, size)
    parts = costs_by(history, of.codes * size + history.drg.codes, len(of.names) * size)
    at = np.flatnonzero(parts.count >= max(1, n_min))
    drg = at % size
    return pd.DataFrame(
        {
            label: [of.names[i] for i in at // size],
            "drg": [history.drg.names[i] for i in drg],
            "cases": parts.count[at],
            f"{label}_mean_cost": parts.mean[at],
            "regional_mean_cost": region.mean[drg],
            "coefficient": parts.mean[at] / region.mean[drg],
        }
    )


def _burden(history: History, table: pd.DataFrame, paid: Floats) -> Floats:
    wrong = history.usable & ~(np.isfinite(paid) & (paid >= 0) & (paid <= history.cost))
    if wrong.any():
        raise CaseSchemaError(
            _(
                "{count:,} cases have no patient_paid between 0 and their cost, first in row {row}",
                count=int(wrong.sum()),
                row=int(np.flatnonzero(wrong)[0]) + 1,
            ),
            where=_("column patient_paid"),
        )
    hospital = history.key("hospital")
    codes = np.where(history.usable, hospital.codes, -1)
    borne = sort_by_group(codes, paid, len(hospital.names)).total
    seen = borne[[hospital.names.index(name) for name in table["hospital"]]]
    region = seen.sum() / table["cost"].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seen > 0, region / (seen / table["cost"].to_numpy()), np.nan)


def _cost_index(history: History, key: str, label: str) -> pd.DataFrame:
    """Cost over expected cost by case mix, for each value of a key that has cases."""
    of, size = history.key(key), len(history.drg.names)
    region = costs_by(history, history.drg.codes, size).mean
    cells = costs_by(history, of.codes * size + history.drg.codes, len(of.names) * size)
    count = cells.count.reshape(-1, size)
    cost = cells.total.reshape(-1, size).sum(axis=1)
    expected = (count * np.where(count > 0, region, 0.0)).sum(axis=1)
    at = np.flatnonzero(count.sum(axis=1))
    return pd.DataFrame(
        {
            label: [of.names[i] for i in at],
            "cases": count.sum(axis=1)[at],
            "cost": cost[at],
            "expected_cost": expected[at],
            "coefficient": cost[at] / expected[at],
        }
    )


def _ready(cases: Any, trimming: Trimming | None, key: str) -> History:
    """Read the cases; there must be usable ones, and each must have the key."""
    history = read_history(cases)
    if trimming is not None:
        history = history.only(trimming.keep)
    if not history.usable.any():
        raise CaseSchemaError(_("no case can be used for calibration"), where="history")
    without = history.usable & (history.key(key).codes < 0)
    if without.any():
        raise CaseSchemaError(
            _(
                "{count:,} cases have no {key}, first in row {row}",
                count=int(without.sum()),
                key=key,
                row=int(np.flatnonzero(without)[0]) + 1,
            ),
            where=_("column {key}", key=key),
            hint=_("give it for every case; a coefficient cannot leave cases aside"),
        )
    return history
