"""From a policy to the numbers that the loop over cases reads."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from drgcore.points.bands import Bands
from drgcore.points.case_columns import CaseColumns
from drgcore.points.case_rules import CostRule
from drgcore.points.coefficients import Site, coefficients
from drgcore.points.outlier_rules import HighCost, LowCost, Outliers, Piece
from drgcore.points.parameters import Groups, covers
from drgcore.points.policy import Policy
from drgcore.points.records import (
    CLASSES,
    PIECE_COLUMNS,
    STABLE,
    UNKNOWN,
    UNSTABLE,
    Rules,
)
from drgcore.points.selection import Marks
from drgcore.points.tables import GroupTable, group_table

_HIGH = get_args(HighCost.model_fields["rule"].annotation)
_LOW = get_args(LowCost.model_fields["rule"].annotation)
_CAPS = ("none", "P", "P·k")
_NO_MARKS: Marks = ((), (), ())


def compile_rules(
    policy: Policy,
    cases: CaseColumns,
    marks: Marks = _NO_MARKS,
    table: GroupTable | None = None,
    level: str | None = None,
    there: NDArray[np.int64] | None = None,
) -> tuple[Rules, list[Site]]:
    """Look up everything that a policy says of the hospitals, DRGs and pools that occur.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.
    cases : CaseColumns
        The cases.
    marks : tuple of tuples of int
        What `mark_cases` gives.
    table : GroupTable, optional
        The base points that apply; those of the whole policy by default.
    level : str, optional
        The level whose multiples apply; needed only where they differ by level.
    there : ndarray of int64, optional
        What `sites_of` gives for the cases.

    Returns
    -------
    rules : Rules
        The numbers.
    sites : list of (hospital, level)
        The rows of `rules.k`.

    Examples
    --------
    >>> import pandas as pd
    >>> from drgcore.points.case_columns import read_columns
    >>> policy = Policy.load("example")
    >>> case = {"case_id": ["1"], "hospital": ["H01"], "pool": ["p"], "drg": ["BR13"],
    ...         "status": ["grouped"], "discharge_date": pd.to_datetime(["2027-03-31"]),
    ...         "total_cost": [9e3], "length_of_stay": [7], "patient_paid": [2e3]}
    >>> rules, sites = compile_rules(policy, read_columns(pd.DataFrame(case), [policy]))
    >>> sites, rules.k.tolist()
    ([('H01', '3')], [[1.084, nan]])
    """
    table = group_table(policy) if table is None else table
    drgs = cases.drg.names
    state, points, mean = _groups(table, drgs)
    site_of, sites = _sites(cases, sites_of(cases) if there is None else there)
    k = np.full((len(sites), len(drgs) + 1), np.nan)
    if drgs and sites:
        k[:, :-1] = coefficients(policy, sites, drgs)
    high, low = policy.outliers.high, policy.outliers.low
    fixed, beds, outs = policy.fixed_price, policy.bed_day, policy.exclusions
    by_cost, missing, review = policy.by_cost, policy.base_points, policy.special_review
    rates = [
        *(_rate(r) for r in (by_cost.unstable, by_cost.ambiguous, by_cost.ungrouped)),
        _rate(by_cost.invalid),
        _number(missing.missing_rate if missing.missing == "by_cost" else None),
        _number(review.rate if review else None),
        _number(high.rate),
        _number(low.rate),
    ]
    rules_with_marks = len(outs) + len(fixed) + len(beds)
    hi, lo = multiples_of(policy.outliers, level)
    fix_drg = _by_drg([r.groups for r in fixed], drgs, empty=False)
    bed_drg = _by_drg([r.groups for r in beds], drgs, empty=False)
    tiers = _tiers([r.points_per_day for r in beds])
    rules = Rules(
        state=state,
        points=points,
        mean=mean,
        hi=np.zeros(len(points)) if hi is None and high.rule != "none" else _at(hi, points),
        lo=_at(lo, points),
        site_of=site_of,
        levels=len(cases.level.names) + 1,
        k=k,
        rates=np.array(rates),
        region_mean=float(policy.base_points.mean_cost),
        scale=float(policy.base_points.scale),
        high_rule=_HIGH.index(high.rule),
        low_rule=_LOW.index(low.rule),
        cap=_number(high.cap),
        unit=10.0**policy.rounding.points,
        missing_is_error=missing.missing == "error",
        panel_must_say=review is None or review.without_points == "error",
        out_days=np.array([-1 if r.above_days is None else r.above_days for r in outs], np.float64),
        out_no_fund=np.array([r.no_fund_part for r in outs], bool),
        out_drg=_by_drg([r.groups for r in outs], drgs, empty=True),
        out_pool=_among([r.pools or None for r in outs], cases.pool.names),
        out_hospital=_among([r.hospitals or None for r in outs], cases.hospital.names),
        listed=fix_drg.any(axis=0) | bed_drg.any(axis=0),
        fix_points=np.array(
            [[_number(r.points) for r in fixed], [_number(r.share_of_base) for r in fixed]], float
        ),
        fix_days=np.array(
            [-1 if r.up_to_days is None else r.up_to_days for r in fixed], np.float64
        ),
        fix_drg=fix_drg,
        fix_level=_among([r.levels for r in fixed], cases.level.names),
        fix_item=_among([(r.name,) for r in fixed], cases.item.names),
        bed_above=np.array(
            [
                [-1 if r.above_days is None else r.above_days for r in beds],
                [r.tiers == "marginal" for r in beds],
            ],
            float,
        ),
        bed_drg=bed_drg,
        bed_level=_among([r.levels for r in beds], cases.level.names),
        bed_points=np.stack((tiers, np.cumsum(tiers * (np.arange(tiers.shape[1]) > 0), axis=1))),
        marks=np.array([bit for bits in marks for bit in bits] or [0] * rules_with_marks, np.int64),
        has_pieces=bool(policy.outliers.pieces),
        pieces=_pieces(policy.outliers.pieces),
    )
    return rules, sites


def multiples_of(outliers: Outliers, level: str | None) -> tuple[Bands | None, Bands | None]:
    """Give the bands of hi and lo that hold for hospitals of a level.

    Parameters
    ----------
    outliers : Outliers
        The policy's rules.
    level : str or None
        The level.

    Returns
    -------
    hi, lo : Bands or None
        Without bands of hi a quota ranks the cases above lo.

    Examples
    --------
    >>> multiples_of(Policy.load("example").outliers, "3")[1]
    Bands(limits=(), values=(0.4,))
    """
    high, low = outliers.high, outliers.low
    own = level or ""
    lo = low.multiples_by_level.get(own, low.multiples)
    hi = high.multiples_by_level.get(own, high.multiples)
    return (lo if hi is None and high.quota is not None else hi), lo


def _pieces(pieces: Sequence[Piece]) -> NDArray[np.float64]:
    """Write pieces as rows of numbers, with the columns `PIECE_COLUMNS`."""
    rules, ks, caps = ("formula", "by_cost", "outside"), ("times", "plus", "none"), _CAPS
    rows = [
        (
            np.inf if p.up_to is None else float(p.up_to),
            p.limit == "this",
            CLASSES.index(p.case_class),
            rules.index(p.rule),
            _number(p.a),
            _number(p.b),
            p.x != "C/m",
            ks.index(p.k or "none"),
            caps.index(p.cap),
            float(p.cap_multiple),
            _number(p.rate),
        )
        for p in pieces
    ]
    return np.array(rows, np.float64).reshape(len(rows), len(PIECE_COLUMNS))


def _groups(table: GroupTable, drgs: Sequence[str]) -> tuple[NDArray[Any], ...]:
    """Give state, base points and mean of each DRG that occurs, and of none at the end."""
    place = {drg: index for index, drg in enumerate(table.drgs)}
    rows = np.array([place.get(drg, -1) for drg in drgs] + [-1])
    state = np.append(np.where(table.stable, STABLE, UNSTABLE), UNKNOWN)[rows]
    points = np.append(table.base_points, np.nan)[rows]
    return state, points, np.append(table.mean_cost, np.nan)[rows]


def sites_of(cases: CaseColumns) -> NDArray[np.int64]:
    """Give the pairs of hospital and level that occur.

    Parameters
    ----------
    cases : CaseColumns
        The cases.

    Returns
    -------
    ndarray of int64
        Code of the hospital · (number of levels + 1) + code of the level + 1, ascending.

    Examples
    --------
    >>> import pandas as pd
    >>> from drgcore.points.case_columns import read_columns
    >>> case = {"case_id": ["1"], "hospital": ["H01"], "pool": ["p"], "drg": ["BR13"],
    ...         "status": ["grouped"], "discharge_date": ["2027-03-31"], "total_cost": [9e3],
    ...         "length_of_stay": [7], "patient_paid": [2e3]}
    >>> sites_of(read_columns(pd.DataFrame(case), [Policy.load("example")])).tolist()
    [3]
    """
    width = len(cases.level.names) + 1
    key = cases.hospital.codes * np.int64(width) + cases.level.codes + 1
    return np.flatnonzero(np.bincount(key, minlength=len(cases.hospital.names) * width))


def _sites(cases: CaseColumns, there: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[Site]]:
    """Number the pairs of hospital and level that occur."""
    width = len(cases.level.names) + 1
    site_of = np.full(len(cases.hospital.names) * width, -1)
    site_of[there] = np.arange(len(there))
    names = [*cases.level.names, None]
    sites = [(cases.hospital.names[k // width], names[k % width - 1]) for k in there]
    return site_of, sites


def _by_drg(
    lists: Sequence[Groups | Literal["all"]], drgs: Sequence[str], *, empty: bool
) -> NDArray[np.bool_]:
    """Say for each rule whether it covers a DRG; a rule without list covers what `empty` says."""
    cells = [
        [covers(g, drg) if g else empty for drg in drgs] + [g == "all" or (empty and not g)]
        for g in lists
    ]
    return np.array(cells, bool).reshape(len(lists), len(drgs) + 1)


def _among(lists: Sequence[Sequence[str] | None], names: Sequence[str]) -> NDArray[np.bool_]:
    """Say for each rule whether it lists a name; a rule without list takes all and none."""
    cells = [[g is None or name in g for name in names] + [g is None] for g in lists]
    return np.array(cells, bool).reshape(len(lists), len(names) + 1)


def _tiers(bands: Sequence[Bands]) -> NDArray[np.float64]:
    """Tabulate points per day for every length of stay up to the last limit, and one beyond."""
    last = max((int(b.limits[-1]) for b in bands if b.limits), default=0) + 1
    return np.array([b.apply(np.arange(last + 1)) for b in bands]).reshape(len(bands), last + 1)


def _at(bands: Bands | None, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full(len(points), np.nan) if bands is None else bands.apply(points)


def _rate(rule: CostRule) -> float:
    return _number(rule.rate if rule.rule == "by_cost" else None)


def _number(value: Decimal | None) -> float:
    return np.nan if value is None else float(value)
