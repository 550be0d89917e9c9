"""Relative weights and base points (基准点数) of the DRGs from a region's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.cases.attributes import select_columns, some_of
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.files import whole_file
from drgcore.language import _
from drgcore.rounding import round_half_up
from drgcore.schemes import Scheme, load_scheme
from drgcore.schemes.model import GroupKind
from drgcore.weights.credibility import Credibility, buhlmann_k
from drgcore.weights.history import read_history
from drgcore.weights.moments import Moments, moments_of
from drgcore.weights.statistics import CV_PLACES, is_stable
from drgcore.weights.trimming import Trimming
from drgcore.weights.years import weigh_years

Floats = NDArray[np.float64]

POLICY_COLUMNS = ("drg", "base_points", "mean_cost", "cases", "cv", "stable")
"""Columns of the table that a policy's `base_points.file` names."""


@dataclass(frozen=True, eq=False)
class GroupWeights:
    """Relative weights and base points, with where each comes from.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a DRG, in alphabetical order:

        - ``drg``; ``cases`` after trimming; ``years`` in which it has any (with year weights)
        - ``mean_cost``, ``sd`` [yuan], ``cv``; NaN without cases
        - ``stable``, and ``why_unstable``: few_cases, high_cv, or nothing
        - ``own_weight``: relative weight by its own history; ``credibility``: Z, how much that
          counts; ``target``: the weight that the rest comes from
        - ``relative_weight``, ``base_points`` (rounded); NaN where no source has any
        - ``source``: history, smoothed, national, adrg or none
    mean_cost : float
        Mean cost of all calibration cases [yuan], the denominator of the weights.
    scale : float
        Points of a case with relative weight 1.
    k : float or None
        k of the credibility, given or estimated [cases].
    left_out : pandas.DataFrame
        Cases that could not be used, and why.
    """

    table: pd.DataFrame
    mean_cost: float
    scale: float
    k: float | None
    left_out: pd.DataFrame

    @property
    def without(self) -> list[str]:
        """DRGs that no source gives a weight; a policy's table lacks them."""
        return list(self.table.loc[self.table["source"] == "none", "drg"])

    @property
    def mean_relative_weight(self) -> float:
        """Mean weight of the calibration cases: 1 unless smoothing or year weights moved it."""
        known = self.table[(self.table["cases"] > 0) & self.table["relative_weight"].notna()]
        return float(np.average(known["relative_weight"], weights=known["cases"]))

    def policy_table(self) -> pd.DataFrame:
        """Give the table that a policy reads as `base_points.file`.

        Returns
        -------
        pandas.DataFrame
            `POLICY_COLUMNS`. m of a DRG is its mean cost; where its weight does not come from its
            own cases alone, m is relative weight × mean cost of the region, so that outliers are
            told apart by what is paid. A DRG without a weight has no row: with
            ``base_points.missing = "error"`` the policy then names its cases.

        Examples
        --------
        >>> cases = pd.DataFrame({"drg": ["BR13", "ES23"], "total_cost": [15e3, 5e3]})
        >>> base_points(cases, scale=100).policy_table()[["drg", "base_points", "mean_cost"]]
            drg  base_points  mean_cost
        0  BR13        150.0    15000.0
        1  ES23         50.0     5000.0
        """
        table = self.table[self.table["source"] != "none"]
        own = table["source"] == "history"
        derived = table["relative_weight"] * self.mean_cost
        return pd.DataFrame(
            {
                "drg": table["drg"],
                "base_points": table["base_points"],
                "mean_cost": table["mean_cost"].where(own, derived).round(2),
                "cases": table["cases"],
                # A group without cases has no spread; it is unstable by its number of cases.
                "cv": table["cv"].fillna(0.0).round(CV_PLACES),
                "stable": table["stable"],
            },
        ).reset_index(drop=True)

    def write(self, path: str | Path) -> None:
        """Write the policy's table as CSV, whole or not at all.

        Parameters
        ----------
        path : str or Path
            The file that the policy names as `base_points.file`.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "base-points.csv"
        >>> base_points(pd.DataFrame({"drg": ["BR13"], "total_cost": [5e3]}), scale=100).write(path)
        >>> print(path.read_text())
        drg,base_points,mean_cost,cases,cv,stable
        BR13,100.0,5000.0,1,0.0,False
        """
        with whole_file(Path(path)) as part:
            self.policy_table().to_csv(part, index=False)


def base_points(
    cases: Any,
    *,
    scale: float,
    places: int = 4,
    trimming: Trimming | None = None,
    n_min: int = 5,
    cv_max: float = 1.0,
    year_weights: Mapping[int, float] | None = None,
    year_method: Literal["of_means", "of_cases"] = "of_means",
    credibility: Credibility | None = None,
    national: Any = None,
    scheme: str | Path | Scheme | None = None,
    absent: Sequence[Literal["national", "adrg"]] = (),
) -> GroupWeights:
    """Compute relative weights and base points: ``RW = mean_g / mean``, ``P = RW × scale``.

    Parameters
    ----------
    cases : DataFrame, Arrow table, History or Moments
        Grouped cases, see `read_history`; or what is left of them, with the same `year_weights`.
    scale : float
        Points of a case with relative weight 1, usually 100 [points].
    places : int, default 4
        Decimals of base points, halves rounded up. Weights are not rounded.
    trimming : Trimming, optional
        Cases to leave out of the means.
    n_min, cv_max : int and float, default 5 and 1
        A group is stable with at least `n_min` cases and at most this CV of cost.
    year_weights : mapping of int to float, optional
        How much each year counts, for example ``{2024: 1, 2025: 2, 2026: 7}``. Every year of the
        cases must be named; with 0 its cases are left out altogether. ``sd`` and ``cv`` are those
        of the cases of all years together.
    year_method : {"of_means", "of_cases"}, default "of_means"
        ``of_means``: the means of the years are weighted (mean_g = Σ w_y·mean_{g,y} / Σ w_y over
        the years in which the group has cases), as local rules put it. ``of_cases``: each case
        counts with the weight of its year over the number of that year's cases, so that a year in
        which the group had few cases counts little.
    credibility : Credibility, optional
        Smoothing of small groups.
    national : mapping of str to float, DataFrame or Arrow table, optional
        National relative weights by DRG (columns drg and relative_weight), for `credibility`
        towards them and for absent groups.
    scheme : str, Path or Scheme, optional
        The scheme of the cases. A DRG that it lacks is an error; each of its named DRGs has a row.
    absent : sequence of {"national", "adrg"}, default ()
        Where base points of a DRG without cases come from, the first that has any. Without, they
        are NaN and `GroupWeights.without` names the DRG: never 0, never guessed.

    Returns
    -------
    GroupWeights

    Raises
    ------
    CaseSchemaError
        If no case is usable; if a DRG is not one of the scheme; if a year has no weight.
    DrgcoreError
        If a parameter is out of its range, or national weights are asked for and not given.

    Notes
    -----
    Shanwei's pilot plan (汕尾市 总额控制下按疾病诊断相关分组结合点数法付费), step 1; the same in
    Zhejiang's provisional measures for DRGs 点数付费 (2019) and in 医保办发〔2021〕23号. Year
    weights of 1:2:7 are an example of local rules. Smoothing moves the mean weight away from 1, see
    `GroupWeights.mean_relative_weight`; under a fixed budget the point value takes that up. Weights
    of a nation or another region are relative to its own mean cost: where its case mix is another,
    rescale them first, so that they give this region's cases a mean of 1.

    Examples
    --------
    >>> cases = pd.DataFrame({
    ...     "drg": ["BR13"] * 6 + ["ES23"] * 2, "total_cost": [12e3] * 6 + [4e3] * 2})
    >>> weights = base_points(cases, scale=100)
    >>> weights.mean_cost
    10000.0
    >>> weights.table[["drg", "cases", "stable", "why_unstable", "relative_weight", "base_points"]]
        drg  cases  stable why_unstable  relative_weight  base_points
    0  BR13      6    True                           1.2        120.0
    1  ES23      2   False    few_cases              0.4         40.0
    >>> smooth = base_points(cases, scale=100, credibility=Credibility("national", k=2),
    ...     national={"BR13": 1.2, "ES23": 0.6})
    >>> smooth.table[["drg", "own_weight", "credibility", "target", "relative_weight"]]
        drg  own_weight  credibility  target  relative_weight
    0  BR13         1.2         0.75     1.2              1.2
    1  ES23         0.4         0.50     0.6              0.5
    """
    if not (np.isfinite(scale) and scale > 0):
        raise DrgcoreError(_("scale={scale} must be positive", scale=scale))
    if isinstance(absent, str) or set(absent) - {"national", "adrg"}:
        raise DrgcoreError(
            _("absent={absent!r} must list 'national', 'adrg' or both", absent=absent)
        )
    towards = None if credibility is None else credibility.towards
    if national is None and "national" in (*absent, towards):
        raise DrgcoreError(
            _("national weights are asked for and none are given"),
            where="base_points",
            hint=_("give them as national, a mapping of DRG to relative weight"),
        )
    if isinstance(cases, Moments):
        moments = cases
        if trimming is not None:
            raise DrgcoreError(_("moments are trimmed before they are added up"))
        if (year_weights is None) != (not moments.years):
            raise DrgcoreError(
                _("give the moments and the weights with the same year_weights"),
                where="base_points",
            )
    else:
        history = read_history(cases)
        if trimming is not None:
            history = history.only(trimming.keep)
        if not history.usable.any():
            raise _nothing_usable()
        moments = moments_of(history, year_weights)
    if not moments.count.any():
        raise _nothing_usable()
    names = moments.drgs
    known = _national(national)
    chosen = _drgs(moments, scheme)
    if year_weights is None:
        one = (moments.count[None, :], moments.total[None, :], np.ones(1))
        # One year counts whole; the mean of equal costs is that cost exactly.
        means = replace(
            weigh_years(names, *one, "of_cases"),
            drg_mean=moments.mean,
            years=np.zeros(len(names), np.int64),
        )
    else:
        weights = np.array([float(year_weights.get(year, 0.0)) for year in moments.years])
        means = weigh_years(names, moments.year_count, moments.year_total, weights, year_method)
    region = means.region
    of_adrg = dict(zip(means.adrgs, means.adrg_mean / region, strict=True))

    place = {drg: i for i, drg in enumerate(names)}
    at = np.array([place.get(drg, len(names)) for drg in chosen], dtype=np.int64)

    def row(values: NDArray[Any], none: Any) -> NDArray[Any]:
        return np.append(values, np.array([none], values.dtype))[at]

    count, spread = row(moments.count, 0), row(moments.sd / moments.mean, np.nan)
    stable = is_stable(count, spread, n_min, cv_max)
    own = row(means.drg_mean, np.nan) / region
    table = pd.DataFrame(
        {
            "drg": chosen,
            "cases": count,
            "years": row(means.years, 0),
            "mean_cost": row(means.drg_mean, np.nan),
            "sd": row(moments.sd, np.nan),
            "cv": spread,
            "stable": stable,
            "why_unstable": np.select([count < n_min, ~stable], ["few_cases", "high_cv"], ""),
            "own_weight": own,
            "credibility": np.where(count > 0, 1.0, 0.0),
            "target": np.nan,
        }
    )
    table["relative_weight"] = own
    table["source"] = np.where(count > 0, "history", "none")
    adrg_weight = np.array([of_adrg.get(drg[:3], np.nan) for drg in chosen])
    national_weight = np.array([known.get(drg, np.nan) for drg in chosen])
    k = None
    if credibility is not None:
        target = adrg_weight if credibility.towards == "adrg" else national_weight
        k = _smooth(table, credibility, target, row(moments.squares, 0.0) / region**2)
    for source in absent:
        fill = {"national": national_weight, "adrg": adrg_weight}[source]
        empty = (table["source"] == "none") & np.isfinite(fill)
        table["relative_weight"] = np.where(empty, fill, table["relative_weight"])
        table["source"] = np.where(empty, source, table["source"])
    points = round_half_up(table["relative_weight"].to_numpy() * scale, places)
    table.insert(len(table.columns) - 1, "base_points", points)
    return GroupWeights(table, float(region), float(scale), k, moments.left_out)


def _smooth(
    table: pd.DataFrame, credibility: Credibility, target: Floats, squares: Floats
) -> float:
    """Work the credibility into the table; give k."""
    count, own = table["cases"].to_numpy(), table["own_weight"].to_numpy()
    mixed = (count > 0) & np.isfinite(target)
    k = credibility.k
    if k == "buhlmann":
        family = None
        if credibility.towards == "adrg":
            family = np.unique(table["drg"].str[:3].to_numpy(str)[mixed], return_inverse=True)[1]
        k = buhlmann_k(count[mixed], own[mixed], squares[mixed], target[mixed], family)
        if np.isnan(k):
            raise DrgcoreError(
                _(
                    "k cannot be estimated from {count} groups that have a target",
                    count=int(mixed.sum()),
                ),
                where="credibility",
                hint=_("give k as a number of cases"),
            )
    share = np.where(mixed, Credibility.share(count, float(k)), np.where(count > 0, 1.0, 0.0))
    table["credibility"] = share
    table["target"] = np.where(mixed, target, np.nan)
    table["relative_weight"] = np.where(mixed, share * own + (1 - share) * target, own)
    table["source"] = np.where(mixed & (share < 1), "smoothed", table["source"])
    return float(k)


def _nothing_usable() -> CaseSchemaError:
    return CaseSchemaError(_("no case can be used for calibration"), where="history")


def _drgs(moments: Moments, scheme: str | Path | Scheme | None) -> list[str]:
    """List the DRGs of the table: those of the cases, and all named ones of the scheme."""
    used = dict(zip(moments.drgs, moments.count.tolist(), strict=True))
    found = [drg for drg, cases in used.items() if cases]
    if scheme is None:
        return found
    plan = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    kinds = {adrg.code: adrg.kind for adrg in plan.adrgs}
    named = {drg.code for drg in plan.drgs if kinds[drg.adrg] is GroupKind.NAMED}
    strange = [drg for drg in found if drg not in named]
    if strange:
        number = sum(used[drg] for drg in strange)
        raise CaseSchemaError(
            _(
                "{count} DRGs of {number:,} cases are not in {name}: {strange}",
                count=len(strange),
                number=number,
                name=plan.name,
                strange=some_of(strange),
            ),
            where="history",
            hint=_("group the cases of all years by this scheme"),
        )
    return sorted(named)


def _national(national: Any) -> dict[str, float]:
    if national is None:
        return {}
    if isinstance(national, Mapping):
        pairs = zip(national.keys(), national.values(), strict=True)
    else:
        table = select_columns(national, ["drg", "relative_weight"]).to_pandas()
        lacking = [n for n in ("drg", "relative_weight") if n not in table.columns]
        if lacking or table["drg"].duplicated().any():
            raise DrgcoreError(
                _("the national weights lack {lacking}", lacking=", ".join(lacking))
                if lacking
                else _("the national weights name a DRG twice")
            )
        pairs = zip(table["drg"], table["relative_weight"], strict=True)
    weights = {str(drg): float(weight) for drg, weight in pairs}
    wrong = [drg for drg, weight in weights.items() if not (np.isfinite(weight) and weight > 0)]
    if wrong:
        raise DrgcoreError(_("national weights must be positive: {wrong}", wrong=some_of(wrong)))
    return weights
