"""Synthetic cities: cases of a made-up year whose cost follows a known structure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import drgcore

SPREAD = 0.5
OLD, LISTED = 1, 2
PROCEDURES = ("17.4300", "17.4100")
"""Procedures that stand in no rule of CHS-DRG 3.0, added to some cases of every ADRG."""


@dataclass(frozen=True, eq=False)
class City:
    """Cases, and what their cost hangs on beside the ADRG."""

    cases: pa.Table
    adrg: NDArray[np.str_]
    kind: dict[str, int]
    age: NDArray[np.int64]
    listed: NDArray[np.bool_]

    def of_kind(self, kind: int, least: int) -> set[str]:
        """ADRG of a kind whose two sides both have so many cases."""
        side = self.age >= 60 if kind == OLD else self.listed
        chosen = set()
        for adrg, of in self.kind.items():
            here = self.adrg == adrg
            if of == kind and min((here & side).sum(), (here & ~side).sum()) >= least:
                chosen.add(adrg)
        return chosen


@lru_cache
def city(rows: int, seed: int, structured: bool = True) -> City:
    """Draw a city.

    A third of its ADRG cost 1.8 times as much from 60 years on, a third 1.7 times as much with a
    listed procedure, and a third are simple; complications cost nothing. Without structure all are
    simple, and costs spread more widely.
    """
    cases = drgcore.sample_cases(rows, seed=seed)
    rng = np.random.default_rng(seed)
    grouped = drgcore.group(cases, columns=[])
    adrg = np.array([str(a) for a in grouped["adrg"].to_pylist()])
    names, code = np.unique(adrg, return_inverse=True)
    age = cases["age_years"].fill_null(-1).to_numpy()
    cost = rng.lognormal(9, 0.5, len(names))[code]
    cost *= rng.lognormal(0, SPREAD if structured else 0.8, rows)
    kind = np.arange(len(names)) % 3
    lists = cases["other_procedures"].to_pylist()
    listed = rng.random(rows) < 0.3
    added = [
        [*codes, PROCEDURES[i % 2]] if has else [c for c in codes if c not in PROCEDURES]
        for i, (codes, has) in enumerate(zip(lists, listed, strict=True))
    ]
    if structured:
        cost *= np.where((kind[code] == OLD) & (age >= 60), 1.8, 1.0)
        cost *= np.where((kind[code] == LISTED) & listed, 1.7, 1.0)
    for name, values in (
        ("other_procedures", pa.array(added, pa.list_(pa.string()))),
        ("total_cost", pa.array(np.round(cost, 2))),
    ):
        cases = cases.set_column(cases.column_names.index(name), name, values)
    kinds = dict(zip(map(str, names), kind.tolist(), strict=True))
    return City(cases, adrg, kinds, age, listed)
