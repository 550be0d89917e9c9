"""`compute_indicators`: indicators by any keys, beside the region, peers and last year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import open_cases
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.indicators.by_case import case_values
from drgcore.indicators.columns import checked_keys
from drgcore.indicators.intervals import mean_interval, proportion_interval
from drgcore.indicators.measure import INDICATORS, Measured, measure
from drgcore.indicators.norms import norms_of
from drgcore.indicators.tally import Tally, tally_cases
from drgcore.language import _
from drgcore.progress import tracked

# Whose work it is; what remains of the keys says what the work is, and with that one compares.
_WHOSE = ("hospital", "hospital_level", "doctor_id")
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Indicators:
    """Indicators of units, made by `compute_indicators`.

    Attributes
    ----------
    by : tuple of str
        The keys.
    table : pandas.DataFrame
        One row a unit: the keys, then a column for each of `measure.INDICATORS`; NaN where an
        indicator has no value, whose reason `long` gives.
    norms : pandas.DataFrame
        Weights, means and risk of death of each DRG that were used, see `norms_of`.
    """

    by: tuple[str, ...]
    table: pd.DataFrame
    norms: pd.DataFrame = field(repr=False)
    _measured: dict[str, Measured] = field(repr=False)
    _columns: frozenset[str] = field(repr=False)
    _beside: dict[str, dict[str, Floats]] = field(repr=False)
    _confidence: float = field(repr=False, default=0.95)
    _cases: Any = field(repr=False, default=None)
    _seed: int | None = field(repr=False, default=None)

    def long(self, *names: str) -> pd.DataFrame:
        """Give one row for each unit and indicator, with interval, comparison and reason.

        Parameters
        ----------
        *names : str
            Indicators; all by default.

        Returns
        -------
        pandas.DataFrame
            The keys; ``indicator``, ``value``, ``lower``, ``upper`` (the interval; NaN where there
            is none), ``numerator``, ``denominator``, ``region`` (the same work of all),
            ``level_peers`` (of the hospitals of the unit's level), ``last_year``; ``reason`` why a
            value is empty, else ''.

        Raises
        ------
        CaseSchemaError
            For a name that is no indicator.

        Examples
        --------
        >>> cases = pd.DataFrame({"drg": ["A", "B"], "hospital": ["H1", "H2"], "total_cost": 9.0})
        >>> found = compute_indicators(cases, "hospital")
        >>> found.long("drug_share")[["hospital", "value", "reason"]].values.tolist()
        [['H1', nan, 'no column drug_cost'], ['H2', nan, 'no column drug_cost']]
        """
        wrong = [name for name in names if name not in INDICATORS]
        if wrong:
            raise CaseSchemaError(
                _("there is no indicator {wrong}", wrong=wrong[0]),
                hint=_("it is one of {indicators}", indicators=", ".join(INDICATORS)),
            )
        parts, intervals = [], self._by_case(names or tuple(INDICATORS))
        asked = list(names or INDICATORS)
        for name in tracked(asked, _("intervals"), _("indicators")):
            found = self._measured[name]
            lower, upper = intervals[name] if name in intervals else self._interval(name)
            part = self.table[list(self.by)].copy()
            part["indicator"] = name
            part["value"], part["lower"], part["upper"] = found.value, lower, upper
            part["numerator"], part["denominator"] = found.top, found.below
            for beside, values in self._beside.items():
                part[beside] = values[name]
            part["reason"] = np.where(np.isnan(found.value), self._reason(name), "")
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def _by_case(self, names: Sequence[str]) -> dict[str, tuple[Floats, Floats]]:
        """Intervals for which the cases themselves are looked at."""
        kinds = ("ratio",) if self._seed is None else ("ratio", "mean")
        wanted = [
            name
            for name in names
            if INDICATORS[name].interval in kinds and not np.isnan(self._measured[name].value).all()
        ]
        if self._cases is None or not wanted:
            return {}
        values, units = case_values(self._cases, self.by, self.norms, wanted), len(self.table)
        return {
            name: found.ratio_intervals(units, self._confidence)
            if self._seed is None
            else found.bootstrap_intervals(units, self._confidence, self._seed)
            for name, found in tracked(
                list(values.items()), _("intervals by case"), _("indicators")
            )
        }

    def _interval(self, name: str) -> tuple[Floats, Floats]:
        found, kind = self._measured[name], INDICATORS[name].interval
        if kind == "share":
            return proportion_interval(found.top, found.below, self._confidence)
        if kind == "mean":
            return mean_interval(found.top, found.squares, found.below, self._confidence)
        return np.full(len(found.value), np.nan), np.full(len(found.value), np.nan)

    def _reason(self, name: str) -> str:
        kind = INDICATORS[name]
        if kind.column not in self._columns:
            return _("no column {name}", name=kind.column)
        return _(kind.lacking) if kind.lacking else ""


def compute_indicators(
    cases: Any,
    by: str | Sequence[str] = "hospital",
    *,
    norms: pd.DataFrame | str | Path | None = None,
    last_year: Any = None,
    outliers: tuple[float, float] | None = None,
    confidence: float = 0.95,
    interval: str = "formula",
    seed: int = 0,
) -> Indicators:
    """Compute the indicators that a DRG office watches, by any keys.

    Parameters
    ----------
    cases : path, DataFrame, Arrow table or stream, or Tally
        Grouped cases of a region, see `tally_cases`; or what that made of them, by these keys and
        ``hospital_level``, which serves several calls.
    by : str or sequence of str, default "hospital"
        Of ``hospital``, ``department``, ``doctor_id``, ``mdc``, ``adrg``, ``drg``, ``month``,
        ``hospital_level``, ``pool``, in any combination.
    norms : DataFrame or path, optional
        Weights and means from elsewhere: ``drg`` and any of ``relative_weight``, ``mean_cost``
        [yuan], ``mean_stay`` [days], ``death_risk``. What is not given comes from `cases`.
    last_year : path, DataFrame, Arrow table or stream, optional
        The cases of the same period of last year, with the same norms.
    outliers : (float, float), optional
        Multiples of a DRG's mean cost that mark outliers where the cases have no `case_class`.
    confidence : float, default 0.95
        Of the intervals.
    interval : {"formula", "bootstrap"}, default "formula"
        How means, indices and shares of fees get theirs: by Student and the delta method, or by
        resampling the cases of each unit. Shares of cases have the exact one either way.
    seed : int, default 0
        Of the resampling: the same seed gives the same intervals.

    Returns
    -------
    Indicators
        `table` with one row a unit, `long()` with intervals, comparisons and reasons.

    Raises
    ------
    CaseSchemaError
        For a key or column that is not there, or values that cannot be read.
    DrgcoreError
        For another kind of interval, or a bootstrap of a tally, which has no cases to draw.

    Notes
    -----
    Formulas and sources stand in `formulas`. Shares have the exact interval of Clopper and
    Pearson, means that of Student, shares of fees that of `ratio_interval`; the latter and a
    bootstrap read the cases again when `long` is called, so a tally's shares of fees have none.
    Norms are taken as known. A unit is set beside the region's same work: for doctors by
    department, that department of all hospitals; it is part of it.

    Examples
    --------
    >>> cases = pd.DataFrame({
    ...     "drg": ["BR13", "BR13", "BR23", None], "hospital": ["H1", "H2", "H2", "H2"],
    ...     "total_cost": [8e3, 12e3, 20e3, 5e3], "status": ["grouped"] * 3 + ["ungrouped"]})
    >>> found = compute_indicators(cases, "hospital")
    >>> found.table[["hospital", "cases", "total_weight", "cmi", "cost_index"]].round(4)
      hospital  cases  total_weight    cmi  cost_index
    0       H1    1.0          0.75  0.750         0.8
    1       H2    3.0          2.25  1.125         1.1
    >>> row = found.long("grouping_rate").iloc[1]
    >>> row[["value", "lower", "upper", "region"]].astype(float).round(3).tolist()
    [0.667, 0.094, 0.992, 0.75]
    """
    keys = checked_keys(by)
    if interval not in ("formula", "bootstrap"):
        raise DrgcoreError(
            _("interval={interval!r} is not known", interval=interval),
            hint=_("it is one of {known}", known="formula, bootstrap"),
        )
    if interval == "bootstrap" and isinstance(cases, Tally):
        raise DrgcoreError(_("a tally has no cases to draw from"), hint=_("give the cases"))
    if isinstance(cases, pd.DataFrame):
        # Intervals look at the cases later, as they are now.
        cases = cases.copy(deep=False)
    elif not isinstance(cases, pa.Table) and hasattr(cases, "__arrow_c_stream__"):
        # A stream can be read only once.
        cases = pa.table(cases)
    tally = (
        cases
        if isinstance(cases, Tally)
        else tally_cases(cases, finest_keys(cases, keys), outliers=outliers)
    )
    known = norms_of(tally, norms)
    unit, frame = tally.units(keys)
    measured = measure(tally, unit, len(frame), known)
    beside = _references(tally, keys, unit, len(frame), known)
    if last_year is not None:
        beside["last_year"] = _last_year(last_year, keys, frame, known, outliers)
    table = pd.concat([frame, pd.DataFrame({n: m.value for n, m in measured.items()})], axis=1)
    return Indicators(
        keys,
        table,
        known,
        measured,
        tally.columns,
        beside,
        confidence,
        None if isinstance(cases, Tally) else cases,
        seed if interval == "bootstrap" else None,
    )


def finest_keys(cases: Any, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys, and the level where units are to be set beside those of theirs."""
    if "hospital_level" in keys or not set(keys) & set(_WHOSE):
        return keys
    if hasattr(cases, "__arrow_c_stream__") and not isinstance(cases, pd.DataFrame):
        names = getattr(cases, "column_names", None) or list(getattr(cases, "columns", []))
        return (*keys, "hospital_level") if "hospital_level" in names else keys
    with open_cases(cases) as opened:
        there = opened.schema.names
    return (*keys, "hospital_level") if "hospital_level" in there else keys


def _references(
    tally: Tally, keys: tuple[str, ...], unit: NDArray[np.int64], units: int, norms: pd.DataFrame
) -> dict[str, dict[str, Floats]]:
    """The same work of the region and of the hospitals of the unit's level."""
    whose = [key for key in keys if key in _WHOSE]
    what = [key for key in keys if key not in _WHOSE] if whose else []
    _other, first = np.unique(unit, return_index=True)
    region, frame = tally.units(what)
    values = measure(tally, region, len(frame), norms)
    found = {"region": {n: m.value[region[first]] for n, m in values.items()}}
    if not whose or "hospital_level" not in tally.keys:
        return found
    level = tally.key("hospital_level").codes
    # A unit of several levels has no peers.
    low, high = np.full(units, 1 << 30), np.full(units, -1)
    np.minimum.at(low, unit, level)
    np.maximum.at(high, unit, level)
    one = (low == high) & (low >= 0)
    peers, frame = tally.units([*what, "hospital_level"])
    values = measure(tally, peers, len(frame), norms)
    found["level_peers"] = {
        n: np.where(one, m.value[peers[first]], np.nan) for n, m in values.items()
    }
    return found


def _last_year(
    cases: Any,
    keys: tuple[str, ...],
    frame: pd.DataFrame,
    norms: pd.DataFrame,
    outliers: tuple[float, float] | None,
) -> dict[str, Floats]:
    """The indicators of the same units a year before; NaN for those that had no cases."""
    before = tally_cases(cases, keys, outliers=outliers)
    own = norms.set_index("drg").reindex(before.names["drg"])
    own = own.rename_axis("drg").reset_index()
    unit, there = before.units(keys)
    measured = measure(before, unit, len(there), own)
    if "month" in keys:
        later = [None if m is None else f"{int(m[:4]) + 1}{m[4:]}" for m in there["month"]]
        there["month"] = pd.Series(later, there.index, dtype=object)
    if not keys:
        return {n: m.value for n, m in measured.items()}
    place = {key: i for i, key in enumerate(there.itertuples(index=False, name=None))}
    at = np.array([place.get(key, -1) for key in frame.itertuples(index=False, name=None)], int)
    return {n: np.append(m.value, np.nan)[at] for n, m in measured.items()}
