"""Conduct that an audit should notice, planted into synthetic cases at known places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases import FIRST_CODE
from drgcore.errors import DrgcoreError
from drgcore.grouper import group
from drgcore.grouper.tables import compile_tables
from drgcore.language import _
from drgcore.schemes import Scheme, load_scheme

_GROUPED = ("mdc", "adrg", "drg", "status", "reason", "severity", "reasons", "code_flags")


@dataclass(frozen=True, eq=False)
class Planted:
    """Grouped cases with something planted into them.

    Attributes
    ----------
    cases : pyarrow.Table
        The cases, grouped after planting.
    units : frozenset of str
        The hospitals, or the doctors for copied lists, where it was planted.
    rows : ndarray of int64
        Rows of the cases that it changed and that the grouper sees changed; none for refused cases,
        which are not there.
    past : pyarrow.Table or None
        For a rise the half of the grouped cases into which nothing was planted.
    """

    cases: pa.Table
    units: frozenset[str]
    rows: np.ndarray[Any, np.dtype[np.int64]]
    past: pa.Table | None = None


def plant(
    grouped: pa.Table,
    kind: str,
    *,
    units: int = 6,
    share: float | None = None,
    seed: int = 0,
    scheme: str | Path | Scheme = "chs-drg-3.0",
) -> Planted:
    """Plant conduct of one kind into some hospitals of synthetic grouped cases.

    Parameters
    ----------
    grouped : pyarrow.Table
        A sample of `sample_cases`, grouped.
    kind : str
        Of `PLANTED`.
    units : int, default 6
        Number of hospitals (or doctors), drawn from those with at least 300 (or 30) cases.
    share : float, optional
        Share of their cases that are changed, before what cannot be changed is left out; by default
        that of `PLANTED`.
    seed : int, default 0
    scheme : str, Path or Scheme
        By which they were grouped, and are again.

    Returns
    -------
    Planted

    Raises
    ------
    DrgcoreError
        For an unknown kind.

    Examples
    --------
    >>> import drgcore
    >>> grouped = drgcore.group(drgcore.sample_cases(3000, seed=1, hospitals=3))
    >>> found = plant(grouped, "low_indication", units=1)
    >>> len(found.units), len(found.rows) > 0
    (1, True)
    """
    if kind not in PLANTED:
        raise DrgcoreError(
            _("{kind!r} cannot be planted", kind=kind),
            hint=_("one of {planted}", planted=", ".join(PLANTED)),
        )
    usual, change = PLANTED[kind]
    past = None
    if kind == "rise":
        earlier = np.random.default_rng([seed, 8]).random(len(grouped)) < 0.5
        past, grouped = (grouped.filter(pa.array(half)) for half in (earlier, ~earlier))
    frame = grouped.to_pandas(ignore_metadata=True)
    for name in ("drg", "status", "severity"):
        frame[name] = frame[name].astype(object)
    rng = np.random.default_rng([seed, 7])
    unit = "doctor_id" if kind == "copied_lists" else "hospital"
    sizes = frame[unit].value_counts().sort_index()
    large = sizes.index[sizes >= (30 if unit == "doctor_id" else 300)]
    chosen = rng.choice(np.array(large, object), min(units, len(large)), replace=False)
    own = frame[unit].isin(chosen).to_numpy()
    drawn = own & (rng.random(len(frame)) < (usual if share is None else share))
    scheme = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    before = frame[["drg", "status", "severity"]].copy()
    frame, touched = change(frame, drawn, rng, scheme)
    bare = frame.drop(columns=[n for n in _GROUPED if n in frame])
    schema = pa.schema([f for f in grouped.schema if f.name in bare.columns])
    extra = [name for name in bare.columns if name not in schema.names]
    schema = pa.schema([*schema, *((name, pa.float64()) for name in extra)])
    table: pa.Table = group(pa.Table.from_pandas(bare, schema, preserve_index=False), scheme)
    if kind in ("upcoding", "rise", "mismatch"):
        # Only what the grouper sees: a code that moves no case was planted in vain.
        name = "status" if kind == "mismatch" else "drg"
        after = np.array(table.column(name).to_pylist(), object)
        touched = touched & (after != np.array(before[name], object))
    return Planted(table, frozenset(map(str, chosen)), np.flatnonzero(touched), past)


Mask = np.ndarray[Any, np.dtype[np.bool_]]
Change = Callable[[pd.DataFrame, Mask, np.random.Generator, Scheme], tuple[pd.DataFrame, Mask]]


def _means(frame: pd.DataFrame, *by: str) -> np.ndarray[Any, Any]:
    units = frame.groupby([frame[name] for name in by], observed=True)
    return units["total_cost"].transform("mean").to_numpy()


def _cost(frame: pd.DataFrame, rows: Mask, cost: Any) -> None:
    frame.loc[rows, "total_cost"] = np.round(cost, 2)


def _upcoding(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """A major complication from a short list of favourites is added to cases without any."""
    tables = compile_tables(scheme)
    major = np.flatnonzero(tables.complication & 3 == 2)
    codes = [
        tables.diagnoses.codes[i - FIRST_CODE].as_py() for i in rng.choice(major, 5, replace=False)
    ]
    drawn &= (frame["severity"] == "none").to_numpy() & (frame["status"] == "grouped").to_numpy()
    lists = frame["other_diagnoses"].to_numpy(object).copy()
    for row in np.flatnonzero(drawn):
        lists[row] = [*lists[row], codes[rng.integers(len(codes))]]
    return frame.assign(other_diagnoses=lists), drawn


def _split(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """A stay is cut in two, with some days between; each half has half the cost."""
    drawn &= (frame["length_of_stay"] >= 4).to_numpy()
    later = frame[drawn].copy()
    left = pd.to_datetime(frame["admission_date"]) + pd.to_timedelta(
        frame["length_of_stay"] // 2, "D"
    )
    half = frame["length_of_stay"] // 2
    came = left[drawn] + pd.to_timedelta(rng.integers(0, 4, len(later)), "D")
    frame.loc[drawn, "discharge_date"] = left[drawn].dt.date
    frame.loc[drawn, "length_of_stay"] = half[drawn]
    _cost(frame, drawn, frame.loc[drawn, "total_cost"] / 2)
    later["length_of_stay"] -= half[drawn]
    later["admission_date"] = came.dt.date
    later["discharge_date"] = (came + pd.to_timedelta(later["length_of_stay"], "D")).dt.date
    later["total_cost"] = np.round(later["total_cost"] / 2, 2)
    later["case_id"] = later["case_id"] + "B"
    whole = pd.concat([frame, later], ignore_index=True)
    return whole, np.append(drawn, np.zeros(len(later), bool))


def _low_indication(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """Stays of a day or two at a quarter of the usual cost, where no procedure is coded."""
    drawn &= frame["principal_procedure"].isna().to_numpy()
    stay = rng.integers(1, 3, drawn.sum(), np.int32)
    frame.loc[drawn, "length_of_stay"] = stay
    left = pd.to_datetime(frame.loc[drawn, "discharge_date"])
    frame.loc[drawn, "admission_date"] = (left - pd.to_timedelta(stay, "D")).dt.date
    frame.loc[drawn, "leaving_way"] = 1
    _cost(frame, drawn, _means(frame, "drg")[drawn] * rng.uniform(0.15, 0.4, drawn.sum()))
    return frame, drawn


def _shifted(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """Two fifths of the cost fall before admission; everyone has some of it."""
    before = frame["total_cost"].to_numpy() * rng.lognormal(np.log(0.05), 0.7, len(frame))
    before[drawn] = frame.loc[drawn, "total_cost"] * 0.4
    _cost(frame, drawn, frame.loc[drawn, "total_cost"] * 0.6)
    return frame.assign(pre_admission_cost=np.round(before, 2)), drawn


def _refusal(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """Severe cases are not there."""
    gone = drawn & frame["severity"].isin(["MCC", "CC"]).to_numpy()
    left = frame[~gone].reset_index(drop=True)
    return left, np.zeros(len(left), bool)


def _few_services(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """Cost just above the low-cost limit."""
    share = rng.uniform(0.42, 0.55, drawn.sum())
    _cost(frame, drawn, _means(frame, "drg", "hospital_level")[drawn] * share)
    return frame, drawn


def _mismatch(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """The principal diagnosis of another case, of any MDC, stands beside the procedure."""
    drawn &= frame["principal_procedure"].notna().to_numpy()
    drawn &= (frame["status"] == "grouped").to_numpy()
    codes = frame["principal_diagnosis"].to_numpy(object)
    frame.loc[drawn, "principal_diagnosis"] = codes[rng.integers(0, len(frame), drawn.sum())]
    return frame, drawn


def _copied(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """A doctor has one list of four diagnoses for them."""
    tables = compile_tables(scheme)
    lists = frame["other_diagnoses"].to_numpy(object).copy()
    for doctor in sorted(frame.loc[drawn, "doctor_id"].unique()):
        picked = rng.choice(len(tables.diagnoses.codes), 4, replace=False)
        codes = [tables.diagnoses.codes[i].as_py() for i in picked]
        for row in np.flatnonzero(drawn & (frame["doctor_id"] == doctor).to_numpy()):
            lists[row] = codes
    return frame.assign(other_diagnoses=lists), drawn


def _outlier_edge(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """Cost 1 to 4 % beyond three times the mean of the group."""
    drawn &= (frame["status"] == "grouped").to_numpy()
    limit = 3.0 * _means(frame, "drg")[drawn]
    _cost(frame, drawn, limit * rng.uniform(1.01, 1.04, drawn.sum()))
    return frame, drawn


def with_long_stays(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Stays of 20 days and far longer for 3 % of the cases, as of mental or chronic illness."""
    some = rng.random(len(frame)) < 0.03
    frame.loc[some, "length_of_stay"] = 20 + rng.exponential(40, some.sum()).astype(np.int32)
    return frame


def _long_stay_edge(frame: pd.DataFrame, drawn: Mask, rng: Any, scheme: Scheme) -> Any:
    """Stays that would pass the limit end before it."""
    frame = with_long_stays(frame, rng)
    stay = frame["length_of_stay"].to_numpy()
    drawn &= (stay > 60) & (stay <= 100)
    frame.loc[drawn, "length_of_stay"] = rng.integers(57, 61, drawn.sum(), np.int32)
    return frame, drawn


PLANTED: dict[str, tuple[float, Change]] = {
    "upcoding": (0.15, _upcoding),
    "rise": (0.15, _upcoding),
    "split_stays": (0.03, _split),
    "low_indication": (0.05, _low_indication),
    "shifted": (0.15, _shifted),
    "refusal": (0.35, _refusal),
    "few_services": (0.2, _few_services),
    "mismatch": (0.06, _mismatch),
    "copied_lists": (0.3, _copied),
    "outlier_edge": (0.01, _outlier_edge),
    "long_stay_edge": (0.8, _long_stay_edge),
}
"""What can be planted, each under the name of its signal: the usual share of cases, and how."""
