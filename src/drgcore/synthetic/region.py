"""A made-up region: how often each group occurs, what it costs, and in which hospitals.

Nothing here is measured. The shapes are those that case-mix data of Chinese regions have (skewed
group sizes, log-normal cost and stay, dearer care in third-grade hospitals, a winter peak of
respiratory cases), the numbers are drawn at random, the same for every sample of a scheme.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgcore.schemes.model import GroupKind
from drgcore.synthetic.templates import Templates

LEVELS = ("3", "2", "1")
POOLS = ("employee", "resident")
_LEVEL_COST = np.array([1.22, 1.0, 0.78])
_LEVEL_VOLUME = np.array([5.0, 2.0, 0.6])
_SEASON = np.array([1.02, 0.84, 1.08, 1.03, 1.01, 0.98, 1.01, 1.0, 0.98, 0.97, 1.03, 1.05])
_WINTER = np.array([1.45, 1.2, 1.1, 1.0, 0.9, 0.8, 0.75, 0.75, 0.85, 1.0, 1.2, 1.4])
_AMBIGUOUS_SHARE, _CATCH_ALL_SHARE = 0.015, 0.004


@dataclass(frozen=True, eq=False)
class Region:
    """What a sample is drawn from.

    Attributes
    ----------
    group_share : ndarray of float64
        Share of each of the templates' groups; adds to 1.
    mean_cost, mean_stay : ndarray of float64
        Mean cost in yuan and mean length of stay in days of each group.
    months : ndarray of float64, shape (groups, 12)
        Share of each month in a group's cases; each row adds to 1.
    hospital_level, hospital_share, hospital_cost : ndarray
        Index into `LEVELS`, share of the cases, and factor on the cost of each hospital.
    """

    group_share: NDArray[np.float64]
    mean_cost: NDArray[np.float64]
    mean_stay: NDArray[np.float64]
    months: NDArray[np.float64]
    hospital_level: NDArray[np.int64]
    hospital_share: NDArray[np.float64]
    hospital_cost: NDArray[np.float64]


def region_of(templates: Templates, hospitals: int) -> Region:
    """Draw the region of a scheme, always the same for the same scheme and number of hospitals."""
    scheme = templates.tables.scheme
    rng = np.random.default_rng(zlib.crc32(scheme.name.encode()))
    groups = [scheme.drgs[g] for g in templates.groups]
    adrgs = sorted({g.adrg for g in groups})
    adrg_size = dict(zip(adrgs, rng.lognormal(0.0, 1.3, len(adrgs)), strict=True))
    adrg_cost = dict(zip(adrgs, rng.lognormal(0.0, 0.45, len(adrgs)), strict=True))
    share = np.array([adrg_size[g.adrg] for g in groups]) * rng.lognormal(0.0, 0.4, len(groups))
    kinds = np.array(templates.kinds())
    named = kinds == GroupKind.NAMED
    share[named] /= share[named].sum()
    for kind, part in (
        (GroupKind.AMBIGUOUS, _AMBIGUOUS_SHARE),
        (GroupKind.CATCH_ALL, _CATCH_ALL_SHARE),
    ):
        if (kinds == kind).any():
            share[kinds == kind] *= part / share[kinds == kind].sum()
    operated = _mean_by_group(templates, templates.column("principal_procedure") > 0)
    complicated = _mean_by_group(templates, templates.lists("other_diagnoses")[0] > 0)
    cost = np.array([adrg_cost[g.adrg] for g in groups])
    cost *= np.where(operated > 0.5, 16_000.0, 6_500.0) * (1.0 + 0.45 * complicated)
    respiratory = np.array([g.mdc == "MDCE" for g in groups])
    months = np.where(respiratory[:, None], _SEASON * _WINTER, _SEASON)
    level = np.arange(hospitals) * len(LEVELS) // hospitals
    volume = _LEVEL_VOLUME[level] * rng.lognormal(0.0, 0.35, hospitals)
    return Region(
        share / share.sum(),
        cost,
        3.0 + 1.4 * np.sqrt(cost / 1000.0),
        months / months.sum(axis=1, keepdims=True),
        level,
        volume / volume.sum(),
        _LEVEL_COST[level] * rng.lognormal(0.0, 0.07, hospitals),
    )


def _mean_by_group(templates: Templates, values: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.add.reduceat(values.astype(np.float64), templates.first) / templates.count
