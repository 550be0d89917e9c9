"""Indicators case by case, for intervals that sums alone do not give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import open_cases
from drgcore.cases.fees import fee_columns
from drgcore.indicators.columns import Encoder, columns_for
from drgcore.indicators.intervals import bootstrap_interval, ratio_interval
from drgcore.indicators.kernel import MEASURES
from drgcore.indicators.tally import Tally
from drgcore.language import _
from drgcore.progress import tracked

Floats = NDArray[np.float64]

FEES = ("drug_cost", "consumable_cost")
_NO_MARKS = np.empty(0, np.int8)
_NEEDED = {
    "cmi": (),
    "cost_index": ("total_cost",),
    "time_index": ("length_of_stay",),
    "mean_cost": ("total_cost",),
    "average_stay": ("length_of_stay",),
    "drug_share": ("total_cost", "drug_cost"),
    "consumable_share": ("total_cost", "consumable_cost"),
}
"""The columns that a case's value hangs on beside its keys, group and status."""


@dataclass(frozen=True, eq=False)
class CaseValues:
    """Numerator and denominator of one indicator in each case that counts.

    Attributes
    ----------
    unit : ndarray of int64, shape (n,)
        The unit of each case, numbered as `Tally.units` does.
    top, below : ndarray of float64, shape (n,)
        Numerator and denominator; the indicator is the quotient of their sums.
    """

    unit: NDArray[np.int64]
    top: Floats
    below: Floats

    def ratio_intervals(self, units: int, confidence: float) -> tuple[Floats, Floats]:
        """Intervals of all units by the delta method, see `ratio_interval`."""
        top, below, cases = (
            np.bincount(self.unit, values, units)
            for values in (self.top, self.below, np.ones(len(self.unit)))
        )
        ratio = np.divide(top, below, out=np.zeros(units), where=below > 0)
        residual = self.top - ratio[self.unit] * self.below
        squares = np.bincount(self.unit, residual**2, units)
        return ratio_interval(top, below, squares, cases, confidence)

    def bootstrap_intervals(
        self, units: int, confidence: float, seed: int
    ) -> tuple[Floats, Floats]:
        """Intervals of all units by resampling their cases, see `bootstrap_interval`."""
        order = np.argsort(self.unit, kind="stable")
        ends = np.cumsum(np.bincount(self.unit, minlength=units))
        found = np.full((2, units), np.nan)
        parts = np.split(order, ends[:-1])
        for at, rows in enumerate(tracked(parts, _("drawing cases again"), _("units"))):
            found[:, at] = bootstrap_interval(
                self.top[rows], self.below[rows], confidence=confidence, seed=seed
            )
        return found[0], found[1]


def case_values(
    cases: Any, keys: Sequence[str], norms: pd.DataFrame, names: Sequence[str]
) -> dict[str, CaseValues]:
    """Read what each case adds to some indicators.

    Parameters
    ----------
    cases : path, DataFrame or Arrow table
        The grouped cases, as `tally_cases` takes them.
    keys : sequence of str
        The keys of the units.
    norms : pandas.DataFrame
        Weights and means by DRG, of `norms_of`.
    names : sequence of str
        Of ``cmi``, ``cost_index``, ``time_index``, ``mean_cost``, ``average_stay``,
        ``drug_share``, ``consumable_share``.

    Returns
    -------
    dict of str to CaseValues

    Examples
    --------
    >>> from drgcore.indicators.norms import norms_of
    >>> from drgcore.indicators.tally import tally_cases
    >>> cases = pd.DataFrame({"drg": ["A", "B", "A"], "hospital": ["H2", "H1", "H1"],
    ...     "total_cost": [3.0, 8.0, 1.0]})
    >>> found = case_values(cases, ["hospital"], norms_of(tally_cases(cases)), ["cost_index"])
    >>> found["cost_index"].unit.tolist(), found["cost_index"].top.tolist()
    ([1, 0, 0], [1.5, 1.0, 0.5])
    """
    encoder = Encoder(keys)
    with open_cases(cases) as opened:
        there = opened.schema.names
    needed = {name for indicator in names for name in _NEEDED[indicator]}
    fees = {column for name in needed & set(FEES) for column in fee_columns(name, there)}
    columns = columns_for(keys, there)
    own = {"drg", "status", "discharge_date", *encoder.keys, *needed, *fees}
    columns = [name for name in columns if name in own]
    texts = [name for name in columns if name != "discharge_date"]
    with open_cases(cases, columns=columns, dictionary_columns=texts) as opened:
        rows = [
            encoder.rows(pa.Table.from_batches([batch]), _NO_MARKS, None)
            for batch in opened.batches()
        ]

    def column(name: str) -> Floats:
        parts = [np.asarray(getattr(part, name), np.float64) for part in rows]
        values = np.concatenate(parts) if parts else np.empty(0)
        return values if len(values) else np.full(len(codes), np.nan)

    whole = [part.keys for part in rows]
    codes = np.concatenate(whole) if whole else np.empty((0, len(encoder.keys) + 2), np.int32)
    tally = _ordered(encoder, codes)
    unit = tally.units(keys)[0]
    known = norms.set_index("drg").reindex(tally.names["drg"])

    def of_drg(name: str) -> Floats:
        return np.append(known[name].to_numpy(np.float64), np.nan)[tally.drg]

    cost, stay = column("cost"), column("stay")
    priced, timed = (cost > 0) & np.isfinite(cost), (stay >= 0) & np.isfinite(stay)
    cost, grouped = _fen(cost, priced), tally.status == 0

    def quotient(top: Floats, below: Floats | float, among: NDArray[np.bool_]) -> CaseValues:
        base = np.broadcast_to(below, top.shape)
        return CaseValues(unit[among], top[among].astype(np.float64), base[among])

    def index(values: Floats, norm: str, there: NDArray[np.bool_]) -> CaseValues:
        mean = of_drg(norm)
        among = grouped & there & (mean > 0)
        return quotient(np.divide(values, mean, out=np.zeros(len(mean)), where=among), 1.0, among)

    def share(name: str) -> CaseValues:
        part = column(name)
        stated = (cost > 0) & (part >= 0) & np.isfinite(part)
        return quotient(_fen(part, stated), cost, stated)

    found = {
        "cmi": lambda: quotient(
            of_drg("relative_weight"), 1.0, grouped & ~np.isnan(of_drg("relative_weight"))
        ),
        "cost_index": lambda: index(cost, "mean_cost", priced),
        "time_index": lambda: index(stay, "mean_stay", timed),
        "mean_cost": lambda: quotient(cost, 1.0, priced),
        "average_stay": lambda: quotient(stay, 1.0, timed),
        "drug_share": lambda: share("drug"),
        "consumable_share": lambda: share("consumable"),
    }
    return {name: found[name]() for name in names}


def _fen(amount: Floats, among: NDArray[np.bool_]) -> Floats:
    """Yuan in whole fen, as the sums have them; 0 where there is none."""
    return np.floor(np.where(among, amount, 0.0) * 100 + 0.5) / 100


def _ordered(encoder: Encoder, codes: NDArray[np.int32]) -> Tally:
    """The cases as cells of a tally, whose names are in order and units numbered by them."""
    names: dict[str, list[str]] = {}
    for at, key in enumerate((*encoder.keys, "drg")):
        if key == "month":
            months, codes[:, at] = np.unique(codes[:, at], return_inverse=True)
            # No month is the first, as -1 is below all names.
            codes[:, at] -= 1 if len(months) and months[0] < 0 else 0
            names[key] = [str(month) for month in months if month >= 0]
            continue
        texts = encoder.names(key)
        order = sorted(range(len(texts)), key=texts.__getitem__)
        rank = np.full(len(order) + 1, -1, np.int32)
        rank[order] = np.arange(len(order))
        names[key], codes[:, at] = [texts[i] for i in order], rank[codes[:, at]]
    return Tally(encoder.keys, names, codes, np.empty((0, len(MEASURES))), frozenset())
