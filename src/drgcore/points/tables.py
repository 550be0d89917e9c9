"""Tables that a policy names: base points by DRG, coefficients by hospital or level and DRG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.cases import read_table as read_file
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.language import _
from drgcore.points.case_rules import GroupRow, PointsTier
from drgcore.points.coefficient_rules import HospitalGroupComponent, LevelCostComponent
from drgcore.points.policy import Policy
from drgcore.rounding import round_half_up

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GroupTable:
    """Base points of the DRGs as arrays of one length.

    Parameters
    ----------
    drgs : tuple of str
        The DRGs.
    base_points : ndarray of float64
        P [points], rounded as the policy says.
    mean_cost : ndarray of float64
        m [yuan]; NaN where no rule needs it and the table has none.
    stable : ndarray of bool
        Whether the group is stable (稳定病组).
    """

    drgs: tuple[str, ...]
    base_points: Floats
    mean_cost: Floats
    stable: NDArray[np.bool_]


def group_table(policy: Policy, tier: PointsTier | None = None) -> GroupTable:
    """Read a policy's base points: ``P = RW × scale × factor``, ``m`` and stability of each DRG.

    A frozen DRG has the points that were agreed, without the factor. A mean derived from P is that
    of P before the factor: a change of the base rate moves no limit of outliers.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.
    tier : PointsTier, optional
        Hospitals with base points of their own; where its table has no DRG or no mean, and for
        stability, the whole table holds.

    Returns
    -------
    GroupTable
        One entry for each DRG of the table, in its order.

    Raises
    ------
    PolicyError
        For a DRG that occurs twice, a column that a rule needs and that is not there, a value that
        is missing, negative or not finite, a frozen DRG that is not in the table.

    Examples
    --------
    >>> table = group_table(Policy.load("example"))
    >>> table.drgs[0], float(table.base_points[0]), float(table.mean_cost[0])
    ('AA19', 1317.58, 131758.0)
    """
    rules = policy.base_points
    frame, where = _rows(policy, rules.groups, rules.file, "base_points.groups")
    drgs = _keys(frame, ["drg"], where)["drg"]
    numbers = _numbers(frame, rules.holds, where)
    own: dict[str, Floats] = {}
    if tier is not None and (tier.groups is not None or tier.file is not None):
        own = _of_tier(policy, tier, list(drgs))
        numbers = np.where(np.isnan(own[rules.holds]), numbers, own[rules.holds])
    points = numbers * float(rules.scale) if rules.holds == "relative_weight" else numbers
    frozen = _frozen(rules.frozen, drgs, where)
    agreed = ~np.isnan(frozen)
    before = round_half_up(np.where(agreed, frozen, points), policy.rounding.base_points)
    factor = float(rules.factor if tier is None else rules.factor * tier.factor)
    scaled = round_half_up(points * factor, policy.rounding.base_points)
    points = np.where(agreed, before, scaled)
    outliers = policy.outliers
    needed = outliers.high.rule != "none" or outliers.low.rule != "none" or outliers.pieces
    if rules.group_means == "derived":
        means = before / float(rules.scale) * float(rules.mean_cost)
    elif needed:
        means = _numbers(frame, "mean_cost", where)
        if "mean_cost" in own:
            means = np.where(np.isnan(own["mean_cost"]), means, own["mean_cost"])
    else:
        means = np.full(len(drgs), np.nan)
    zero = [drg for drg, mean in zip(drgs, means, strict=True) if mean == 0]
    if zero:
        raise PolicyError(_("the mean cost of {zero} is 0", zero=", ".join(zero[:5])), where=where)
    return GroupTable(tuple(drgs), points, means, _stable(frame, policy, where))


def coefficient_rows(policy: Policy, part: HospitalGroupComponent | LevelCostComponent) -> Any:
    """Read the table of a component: a coefficient for each hospital or level, and DRG.

    Parameters
    ----------
    policy : Policy
        The policy that has the component.
    part : HospitalGroupComponent or LevelCostComponent
        The component.

    Returns
    -------
    pandas.Series
        Coefficients by (hospital or level, DRG). For level costs it is ``level_mean_cost /
        regional_mean_cost``.

    Raises
    ------
    PolicyError
        For a pair that occurs twice or a value that is missing, negative, not finite, or a
        regional mean of 0.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "k.csv").write_text("hospital,drg,coefficient\\nH01,BR13,1.05\\n")
    >>> policy = Policy.load("example")
    >>> policy._folder = folder
    >>> part = HospitalGroupComponent(name="k", weight=1, method="hospital_drg", file="k.csv")
    >>> coefficient_rows(policy, part)[("H01", "BR13")]
    np.float64(1.05)
    """
    path = policy.path_of(part.file)
    frame, where = read_table(path), str(path)
    if isinstance(part, HospitalGroupComponent):
        keys = _keys(frame, ["hospital", "drg"], where)
        values = _numbers(frame, "coefficient", where)
    else:
        keys = _keys(frame, ["level", "drg"], where)
        regional = _numbers(frame, "regional_mean_cost", where)
        if (regional == 0).any():
            raise PolicyError(_("a regional mean cost is 0"), where=where)
        values = _numbers(frame, "level_mean_cost", where) / regional
    return pd.Series(values, index=pd.MultiIndex.from_frame(keys))


def read_table(path: Path) -> pd.DataFrame:
    """Read a table beside a policy through the one reader, text as it stands.

    Lines of a text file that begin with # are comments.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    pandas.DataFrame
        Its columns; those of text files and sheets are text.

    Examples
    --------
    >>> policy = Policy.load("example")
    >>> read_table(policy.path_of("example-base-points.csv")).columns.tolist()
    ['drg', 'base_points', 'mean_cost', 'cases', 'cv']
    """
    try:
        return read_file(path).to_pandas()
    except CaseSchemaError as error:
        raise PolicyError(
            _("it cannot be read: {message}", message=error.message),
            where=str(path),
            hint=error.hint,
        ) from None


def _rows(
    policy: Policy, groups: Mapping[str, GroupRow] | None, file: str | None, name: str
) -> tuple[pd.DataFrame, str]:
    """Give a table of base points, inline or from its file, and its place for messages."""
    if groups is None:
        path = policy.path_of(str(file))
        return read_table(path), str(path)
    rows = {drg: row.model_dump() for drg, row in groups.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index", dtype=object)
    frame = frame.dropna(axis=1, how="all").rename_axis("drg").reset_index()
    return frame, f"policy {policy.name}, {name}"


def _of_tier(policy: Policy, tier: PointsTier, drgs: Sequence[str]) -> dict[str, Floats]:
    """Read a tier's table in the order of the whole one; NaN where it has no DRG."""
    place = f"base_points.tiers ({tier.name})"
    frame, where = _rows(policy, tier.groups, tier.file, place)
    keys = list(_keys(frame, ["drg"], where)["drg"])
    unknown = sorted(set(keys) - set(drgs))
    if unknown:
        raise PolicyError(
            _(
                "{count} DRGs of the tier are not in the whole table, first {unknown}",
                count=len(unknown),
                unknown=unknown[0],
            ),
            where=where,
            hint=_("whether a group is stable stands there"),
        )
    holds = policy.base_points.holds
    names = [holds, *(["mean_cost"] if "mean_cost" in frame.columns else [])]
    found = {name: _numbers(frame, name, where) for name in names}
    zero = [drg for drg, mean in zip(keys, found.get("mean_cost", ()), strict=False) if mean == 0]
    if zero:
        raise PolicyError(_("the mean cost of {zero} is 0", zero=zero[0]), where=where)
    index = pd.Index(keys).get_indexer(pd.Index(list(drgs)))
    return {name: np.append(values, np.nan)[index] for name, values in found.items()}


def _keys(frame: pd.DataFrame, names: Sequence[str], where: str) -> pd.DataFrame:
    for name in names:
        _column(frame, name, where)
    keys = frame[list(names)]
    if keys.isna().any(axis=None):
        raise PolicyError(_("a row has no {names}", names=" or no ".join(names)), where=where)
    keys = keys.astype(str)
    twice = keys[keys.duplicated()]
    if len(twice):
        first = " ".join(twice.iloc[0])
        raise PolicyError(
            _("{count} rows repeat an earlier one, first {first}", count=len(twice), first=first),
            where=where,
        )
    return keys


def _column(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    if name not in frame.columns:
        there = ", ".join(map(str, frame.columns))
        raise PolicyError(
            _("there is no column {name}", name=name),
            where=where,
            hint=_("the columns are {there}", there=there),
        )
    return frame[name]


def _numbers(frame: pd.DataFrame, name: str, where: str) -> Floats:
    column = _column(frame, name, where)
    values = pd.to_numeric(
        column.map(lambda v: str(v) if isinstance(v, Decimal) else v), errors="coerce"
    ).to_numpy(np.float64)
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        row = frame.iloc[wrong[0]]
        raise PolicyError(
            _(
                "{count} values of {name} are missing, negative or no number; "
                "first {row!r} of {key}",
                count=len(wrong),
                name=name,
                row=row[name],
                key=row["drg"],
            ),
            where=where,
        )
    return values


def _frozen(frozen: Mapping[str, Decimal], drgs: pd.Series, where: str) -> Floats:
    """Give the base points agreed for each DRG; NaN where there are none."""
    unknown = sorted(set(frozen) - set(drgs))
    if unknown:
        raise PolicyError(
            _(
                "base points of {unknown} are frozen, but not in the table",
                unknown=", ".join(unknown[:5]),
            ),
            where=where,
            hint=_("add the DRG to the table, or take it out of base_points.frozen"),
        )
    return np.array([float(frozen.get(drg, "nan")) for drg in drgs], np.float64)


def _stable(frame: pd.DataFrame, policy: Policy, where: str) -> NDArray[np.bool_]:
    rule = policy.stability
    if rule.rule == "all_stable":
        return np.ones(len(frame), bool)
    if rule.rule == "column":
        texts = _column(frame, "stable", where).astype(str).str.lower().str.strip()
        words = {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}
        unknown = sorted(set(texts) - set(words))
        if unknown:
            raise PolicyError(
                _("stable is {unknown!r}", unknown=unknown[0]),
                where=where,
                hint=_("write true or false, 1 or 0, 是 or 否"),
            )
        return texts.map(words).to_numpy(bool)
    cases, cv = _numbers(frame, "cases", where), _numbers(frame, "cv", where)
    return (cases >= float(rule.n_min or 0)) & (cv <= float(rule.cv_max or 0))
