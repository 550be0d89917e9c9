"""A grouped year added up once, so that every question of the dashboard is a sum over few cells."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drgcore.cases import open_cases, read_table
from drgcore.errors import DrgcoreError
from drgcore.indicators import PARTS, Tally, profit_and_loss, tally_cases
from drgcore.indicators.measure import measure
from drgcore.indicators.norms import norms_of
from drgcore.language import _
from drgcore.points import Policy
from drgcore.schemes import Scheme, load_scheme

KEYS = ("hospital", "department", "month")
AMOUNTS = ("payment", "cost", "surplus", *PARTS)

_WAIT = 15.0
_KEPT = 3
_ANSWERS = 64
_SCHEME = b"drgcore.scheme"


@dataclass(frozen=True)
class Filters:
    """What a question is about; empty for all.

    Parameters
    ----------
    hospital, department, month : str
    drg : str
        A DRG, or what codes begin with: an ADRG, or an MDC as ``F`` or ``MDCF``.
    """

    hospital: str = ""
    department: str = ""
    month: str = ""
    drg: str = ""

    @property
    def prefix(self) -> str:
        """What the code of a group begins with."""
        code = self.drg.strip().upper()
        return code[3:] if code.startswith("MDC") else code


@dataclass(frozen=True, eq=False)
class Cube:
    """Grouped cases added up by hospital, department, month and DRG.

    Parameters
    ----------
    tally : Tally
        Sums of `KEYS`, as far as the cases have them.
    norms : pandas.DataFrame
        Weights and means of the groups over all cases, whatever is asked for.
    money : pandas.DataFrame or None
        `AMOUNTS` [fen] by the same keys and DRG, where a settlement says what cases are paid.
    scheme : Scheme or None
        For the names of groups.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["A", "B", "B"], "hospital": ["H1", "H1", "H2"],
    ...     "total_cost": [10.0, 30.0, 50.0]})
    >>> tally = tally_cases(cases, "hospital")
    >>> cube = Cube(tally, norms_of(tally), None, None)
    >>> cube.by(["hospital"], Filters(drg="B"))[["hospital", "cases", "cost_index"]].values.tolist()
    [['H1', 1.0, 0.75], ['H2', 1.0, 1.25]]
    """

    tally: Tally
    norms: pd.DataFrame
    money: pd.DataFrame | None
    scheme: Scheme | None
    answers: OrderedDict[Filters, dict[str, Any]] = field(default_factory=OrderedDict, repr=False)

    def answer(
        self, filters: Filters, ask: Callable[[Cube, Filters], dict[str, Any]]
    ) -> dict[str, Any]:
        """What `ask` finds, which is kept for who asks the same of late."""
        found = self.answers.get(filters)
        if found is None:
            found = self.answers[filters] = ask(self, filters)
            while len(self.answers) > _ANSWERS:
                self.answers.popitem(last=False)
        return found

    def names(self, key: str) -> list[str]:
        """The names that a key has; none where the cases lack its column."""
        return self.tally.names.get(key, [])

    def by(self, keys: Sequence[str], filters: Filters) -> pd.DataFrame:
        """The indicators of units, see `compute_indicators`; weights are those of all cases."""
        tally = self._asked(filters)
        unit, frame = tally.units(keys)
        found = measure(tally, unit, len(frame), self.norms)
        return pd.concat([frame, pd.DataFrame({n: m.value for n, m in found.items()})], axis=1)

    def statuses(self, filters: Filters) -> dict[str, int]:
        """Cases by status."""
        tally = self._asked(filters)
        counts = np.bincount(tally.status, tally.measure("cases"), 4)
        names = ("grouped", "ambiguous", "ungrouped", "invalid")
        return {name: int(n) for name, n in zip(names, counts, strict=True)}

    def surplus(self, key: str, filters: Filters) -> pd.DataFrame:
        """Payment, cost and the parts of the surplus [yuan] by a key, the largest loss first."""
        assert self.money is not None
        money = self.money[self._money_asked(filters)]
        if key == "mdc":
            money = money.assign(mdc="MDC" + money["drg"].astype(str).str[:1])
        sums = money.groupby(key, observed=True, sort=True)[["cases", *AMOUNTS]].sum()
        sums[list(AMOUNTS)] /= 100
        return sums.reset_index().sort_values("surplus", kind="stable", ignore_index=True)

    def name_of(self, code: str) -> str:
        """The name of a group; empty where it is not known."""
        try:
            return "" if self.scheme is None else self.scheme.name_of(code)
        except DrgcoreError:
            return ""

    def _asked(self, filters: Filters) -> Tally:
        tally, kept = self.tally, np.ones(len(self.tally.codes), np.bool_)
        for key in KEYS:
            wanted = getattr(filters, key)
            if wanted:
                if wanted not in self.names(key):
                    raise DrgcoreError(_("no case is of this choice"), where=wanted)
                place = tally.names[key].index(wanted)
                kept &= tally.codes[:, tally.keys.index(key)] == place
        if filters.prefix:
            begins = [name.startswith(filters.prefix) for name in tally.names["drg"]]
            kept &= np.array([*begins, False], np.bool_)[tally.drg]
        if kept.all():
            return tally
        return replace(tally, codes=tally.codes[kept], sums=tally.sums[kept])

    def _money_asked(self, filters: Filters) -> NDArray[np.bool_]:
        assert self.money is not None
        kept = np.ones(len(self.money), np.bool_)
        for key in KEYS:
            if getattr(filters, key):
                kept &= (self.money[key] == getattr(filters, key)).to_numpy()
        if filters.prefix:
            groups = self.money["drg"]
            begins = [str(name).startswith(filters.prefix) for name in groups.cat.categories]
            kept &= np.array([*begins, False], np.bool_)[groups.cat.codes.to_numpy()]
        return kept


def build(path: Path, policy: Policy | None = None, values: Mapping[str, float] = {}) -> Cube:
    """Add a file of grouped cases up.

    Parameters
    ----------
    path : Path
        Grouped cases.
    policy : Policy, optional
        By which cases are paid.
    values : mapping of str to float
        Yuan a point by pool.

    Raises
    ------
    CaseSchemaError, PolicyError
        The cases are not grouped, or lack what the policy asks for.
    """
    with open_cases(path) as source:
        there = source.schema.names
    keys = [key for key in KEYS if key in there or (key == "month" and "discharge_date" in there)]
    tally = tally_cases(path, keys)
    money = None
    if policy is not None:
        found = profit_and_loss(read_table(path), policy, values=values).by([*keys, "drg"])
        money = found.rename(columns={f"{name}_fen": name for name in AMOUNTS})
        for key in (*keys, "drg"):
            money[key] = money[key].astype("category")
        for key in KEYS:
            if key not in keys:
                money[key] = None
    return Cube(tally, norms_of(tally), money, _scheme_of(path))


def _scheme_of(path: Path) -> Scheme | None:
    """The scheme by which a parquet file says that it was grouped."""
    if path.suffix.lower() != ".parquet":
        return None
    name = (pq.read_schema(path).metadata or {}).get(_SCHEME, b"").decode()
    try:
        return load_scheme(name) if name else None
    except DrgcoreError:
        return None


class Cubes:
    """Cubes that were asked for of late; a large file is added up in the background.

    Parameters
    ----------
    first : callable, optional
        What is asked of a new cube, without filters: of all cases it takes longest.
    """

    def __init__(self, first: Callable[[Cube, Filters], dict[str, Any]] | None = None) -> None:
        self._first = first
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], Future[Cube]] = OrderedDict()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cubes")

    def get(
        self, path: Path, policy: Policy | None, values: Mapping[str, float], wait: float = _WAIT
    ) -> Cube | None:
        """Give the cube of a file; None as long as it is still added up.

        Parameters
        ----------
        path, policy, values
            As for `build`.
        wait : float
            So long at most [s].

        Raises
        ------
        DrgcoreError
            As `build`.
        """
        state = path.stat()
        text = "" if policy is None else policy.text
        key = (path, state.st_mtime_ns, state.st_size, text, tuple(sorted(values.items())))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._worker.submit(self._build, path, policy, values)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)[1].cancel()
            self._kept.move_to_end(key)
            future = self._kept[key]
        try:
            return future.result(timeout=wait)
        except NotYet:
            return None
        except DrgcoreError:
            with self._lock:
                self._kept.pop(key, None)
            raise

    def _build(self, path: Path, policy: Policy | None, values: Mapping[str, float]) -> Cube:
        cube = build(path, policy, values)
        if self._first is not None:
            cube.answer(Filters(), self._first)
        return cube
