"""Cases added up: the exact sums by pool, hospital, month and class that a settlement needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.budget.caserows import Codes, Rows, case_table, listed, read_rows
from drgcore.budget.hashing import add_to_cells
from drgcore.budget.month import Month
from drgcore.budget.terms import Terms
from drgcore.cases.hash_runs import HashRuns, Run
from drgcore.cases.hashes import hash_strings
from drgcore.cases.repeated_hashes import repeated_hashes
from drgcore.errors import BudgetError, CaseSchemaError
from drgcore.grouper.batch import thread_count
from drgcore.language import _
from drgcore.progress import starts

KEYS = ["pool", "hospital", "month", "case_class"]
SUMS = ["cases", "points", "patient_paid_fen", "refused_fen", "item_cost_fen", "outside_fen"]
"""Counts [cases], points [units of the last decimal place] and amounts [fen] of a cell."""

EXTRA_SUMS = ["on_top_fen", "given_fen"]
"""Amounts of rules that few policies have, 0 without them [fen]: `Rows.on_top`, `Rows.given`."""

INSURED_SUMS = ["points", "patient_paid_fen"]
NUMBERS = (*SUMS, *EXTRA_SUMS, "fingerprint")
"""All numbers of a cell."""

_ROWS = 1 << 20


@dataclass(frozen=True)
class Tally:
    """Points and amounts of cases by pool, hospital, month and case class, as exact integers.

    Tallies of parts of a file add up to the tally of the whole (`+`), in any order. One made where
    the ids were compared elsewhere (`drgcore.scale.tally_spark`) has none, and is not added.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns `KEYS` (month as `Month.index`), `SUMS`, `EXTRA_SUMS`, and `fingerprint`, a 64-bit
        sum over the cell's rows that changes when a case, its group or an amount does.
    insured : pandas.DataFrame
        `pool`, `unit` ('' where none), `points`, `patient_paid_fen`: what the insured of each
        capitated unit used, wherever they were treated.
    case_ids : pyarrow.ChunkedArray
        The case ids, to find repeated ones across parts.
    hashes : tuple of Run
        Their hashes, dealt out.
    places : int
        Decimals of a point: points are integers of 10**-places.
    """

    cells: pd.DataFrame
    insured: pd.DataFrame
    case_ids: pa.ChunkedArray
    hashes: tuple[Run, ...]
    places: int

    def __add__(self, other: Tally) -> Tally:
        return add_tallies([self, other])

    def check_unique(self) -> None:
        """Raise if a case id occurs twice, and name the ids.

        Equal hashes only raise the suspicion; the ids themselves decide.
        """
        runs = HashRuns()
        for run in self.hashes:
            runs.add(run)
        if not runs.repeated(thread_count(None)):
            return
        hashes = hash_strings(self.case_ids)
        at = np.flatnonzero(np.isin(hashes, repeated_hashes(hashes, thread_count(None))))
        counts = pc.value_counts(self.case_ids.take(pa.array(at))).to_pylist()
        twice = sorted(str(pair["values"]) for pair in counts if pair["counts"] > 1)
        if twice:
            raise CaseSchemaError(
                _(
                    "{count} case ids occur more than once: {listed}",
                    count=len(twice),
                    listed=listed(twice),
                ),
                where=_("column case_id"),
                hint=_("a case is paid once; remove the repeated rows"),
            )

    @cached_property
    def hospitals(self) -> frozenset[str]:
        """The hospitals that have cases."""
        return frozenset(self.cells["hospital"].unique().tolist())

    @cached_property
    def cases(self) -> int:
        """How many cases there are."""
        return int(self.cells["cases"].sum())

    @cached_property
    def months(self) -> dict[int, int]:
        """How many cases each month (`Month.index`) has that has any."""
        counts = np.bincount(self.cells["month"], weights=self.cells["cases"])
        return {index: int(counts[index]) for index in np.flatnonzero(counts).tolist()}

    @cached_property
    def sums(self) -> dict[tuple[str, int], dict[str, dict[str, int]]]:
        """`NUMBERS` by hospital for each pool and month (`Month.index`) that has cases.

        Added up once for the months and the year that are settled from them; not to be changed.
        """
        found: dict[tuple[str, int], dict[str, dict[str, int]]] = {}
        for (pool, month, hospital), row in self._added_by("pool", "month", "hospital"):
            found.setdefault((pool, month), {})[hospital] = row
        return found

    @cached_property
    def sums_of_year(self) -> dict[str, dict[str, dict[str, int]]]:
        """`NUMBERS` by hospital for each pool over all months; not to be changed."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for (pool, hospital), row in self._added_by("pool", "hospital"):
            found.setdefault(pool, {})[hospital] = row
        return found

    @cached_property
    def _coded(self) -> dict[str, tuple[np.ndarray, list[Any]]]:
        found = {}
        for key in ("pool", "month", "hospital"):
            codes, names = pd.factorize(self.cells[key])
            found[key] = codes, names.tolist()
        return found

    def _added_by(self, *keys: str) -> list[tuple[tuple[Any, ...], dict[str, int]]]:
        """Add cells up by some of their keys, in the order in which these occur."""
        number = np.zeros(len(self.cells), np.int64)
        for key in keys:
            codes, names = self._coded[key]
            number = number * len(names) + codes
        place, used = pd.factorize(number)
        first = np.empty(len(used), np.int64)
        first[place[::-1]] = np.arange(len(place))[::-1]
        columns = []
        for name in NUMBERS:
            values = self.cells[name].to_numpy()
            total = np.zeros(len(used), values.dtype)
            # Fingerprints add up modulo 2**64.
            np.add.at(total, place, values)
            columns.append(total.tolist())
        rows = [dict(zip(NUMBERS, row, strict=True)) for row in zip(*columns, strict=True)]
        columns_of = [self._coded[key] for key in keys]
        texts = [[names[code] for code in codes[first]] for codes, names in columns_of]
        return list(zip(zip(*texts, strict=True), rows, strict=True))

    @cached_property
    def classes(self) -> dict[int, list[tuple[str, str, str, int, int]]]:
        """Pool, hospital, class, cases and points of the cells of each month, in their order."""
        found: dict[int, list[tuple[str, str, str, int, int]]] = {}
        names = ("month", "pool", "hospital", "case_class", "cases", "points")
        columns = [self.cells[name].tolist() for name in names]
        for month, *row in zip(*columns, strict=True):
            found.setdefault(month, []).append(tuple(row))
        return found


def tally(cases: Any, terms: Terms) -> Tally:
    """Add up cases by pool, hospital, month of discharge and class.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table or Arrow stream
        Cases with points, as `drgcore.points.compute_points` returns them: `case_id`, `hospital`,
        `pool`, `discharge_date`, `case_class`, `points`; `total_cost`, `patient_paid`,
        `refused_amount` [yuan], `violation`, `capitation_unit`, `drg` where the policy needs them.
    terms : Terms
        The parameters of the year.

    Returns
    -------
    Tally
        The sums.

    Raises
    ------
    CaseSchemaError
        For a missing column, a repeated case id, a discharge outside the year, or a value that is
        missing, not finite, negative, or in more decimals than points have.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> pool = PoolTerms("p", 100_000)
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["p"], "case_class": ["normal"]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-01-31"]), "points": [120.5]}
    >>> tally(pd.DataFrame(case), Terms(2026, (pool,))).cells["points"].tolist()
    [1205000]
    """
    table = case_table(cases, terms)
    cells, insured, hashes = [], [], []
    for start in starts(len(table), _ROWS, _("adding up"), _("cases")):
        # One batch a slice, however finely the input is chunked.
        batch = table.slice(start, _ROWS).combine_chunks().to_batches()[0]
        rows = read_rows(batch, terms)
        cell, unit = _add_batch(rows)
        cell["month"] += Month(terms.year, 1).index
        cells.append(cell)
        insured.append(unit)
        hashes.append(Run.of(rows.hashes))
    result = Tally(
        add_up(cells or [_no_cells()], KEYS),
        add_up(insured or [_no_insured()], ["pool", "unit"]),
        table.column("case_id"),
        tuple(hashes),
        terms.point_places,
    )
    result.check_unique()
    return result


def add_tallies(parts: Sequence[Tally]) -> Tally:
    """Add the tallies of the parts of a file, in any order.

    Parameters
    ----------
    parts : sequence of Tally
        One or more tallies.

    Returns
    -------
    Tally
        The tally of the whole.

    Raises
    ------
    CaseSchemaError
        If a case id occurs in two parts.

    Examples
    --------
    >>> ids = pa.chunked_array([["1"]], pa.large_string())
    >>> one = Tally(_no_cells(), _no_insured(), ids, (Run.of(hash_strings(ids.chunk(0))),), 4)
    >>> add_tallies([one, one])
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: column case_id: 1 case ids occur more than once: 1...
    """
    if len({part.places for part in parts}) != 1:
        raise BudgetError(_("tallies are added when there are some, of points with equal decimals"))
    for part in parts:
        if len(part.case_ids) < int(part.cells["cases"].sum()):
            raise BudgetError(
                _("a tally without the ids of its cases cannot be added to another"),
                hint=_("add up all the cases at once"),
            )
    whole = Tally(
        add_up([part.cells for part in parts], KEYS),
        add_up([part.insured for part in parts], ["pool", "unit"]),
        pa.chunked_array(
            [c for part in parts for c in part.case_ids.cast(pa.large_string()).chunks],
            pa.large_string(),
        ),
        tuple(run for part in parts for run in part.hashes),
        parts[0].places,
    )
    whole.check_unique()
    return whole


def by_hospital(
    whole: Tally, pool: str, hospitals: Sequence[str], month: Month | None = None
) -> dict[str, dict[str, int]]:
    """Add up one pool's cells by hospital; a hospital without cases has a row of zeros.

    Parameters
    ----------
    whole : Tally
        The cases of the year.
    pool : str
        The pool.
    hospitals : sequence of str
        The hospitals, all of those with cases among them.
    month : Month, optional
        Only what was discharged in it.

    Returns
    -------
    dict of str to dict of str to int
        `NUMBERS` of every hospital, in the order given.

    Examples
    --------
    >>> by_hospital(Tally(_no_cells(), _no_insured(), None, None, 4), "p", ["H1"])["H1"]["points"]
    0
    """
    rows = whole.sums_of_year.get(pool, {})
    if month is not None:
        rows = whole.sums.get((pool, month.index), {})
    if beyond := rows.keys() - set(hospitals):
        raise KeyError(*sorted(beyond))
    return {h: dict(rows[h]) if h in rows else dict.fromkeys(NUMBERS, 0) for h in hospitals}


def _add_batch(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add up one batch in two compiled passes: by cell, and by the unit of the insured."""
    shape = (len(rows.pool.names), len(rows.hospital.names), 12, len(rows.case_class.names))
    cell = np.ravel_multi_index(
        (rows.pool.codes, rows.hospital.codes, rows.month, rows.case_class.codes), shape
    )
    amounts = (rows.points, rows.patient_paid, rows.refused, rows.item_cost, rows.outside)
    used, sums, prints = _sum_by(cell, int(np.prod(shape)), np.stack(amounts), rows.identity)
    more = {name: np.zeros(len(used), np.int64) for name in EXTRA_SUMS}
    for name, values in zip(EXTRA_SUMS, (rows.on_top, rows.given), strict=True):
        if values is not None:
            more[name] = _sum_by(cell, int(np.prod(shape)), values[None], rows.hashes)[1][:, 1]
    p, h, m, c = np.unravel_index(used, shape)
    keys = [_ranked(rows.pool, p), _ranked(rows.hospital, h), (m, m), _ranked(rows.case_class, c)]
    order = np.lexsort([rank for _, rank in reversed(keys)])
    cells = {name: values[order] for name, (values, _) in zip(KEYS, keys, strict=True)}
    cells |= {name: sums[order, i] for i, name in enumerate(SUMS)}
    cells |= {name: values[order] for name, values in more.items()}
    cells["fingerprint"] = prints[order]

    units = len(rows.unit.names)
    cell = rows.pool.codes * units + rows.unit.codes
    size = len(rows.pool.names) * units
    used, sums, _other = _sum_by(cell, size, np.stack(amounts[:2]), rows.hashes)
    pool, unit = _ranked(rows.pool, used // units), _ranked(rows.unit, used % units)
    order = np.lexsort((unit[1], pool[1]))
    insured = {"pool": pool[0][order], "unit": unit[0][order]}
    insured |= {name: sums[order, i] for i, name in enumerate(INSURED_SUMS, 1)}
    return pd.DataFrame(cells), pd.DataFrame(insured)


def _ranked(column: Codes, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the texts of some codes, and numbers that sort as the texts do."""
    rank = np.empty(len(column.names), np.int64)
    rank[sorted(range(len(rank)), key=column.names.__getitem__)] = np.arange(len(rank))
    return np.array(column.names, object)[codes], rank[codes]


def _sum_by(
    cell: np.ndarray, size: int, values: np.ndarray, identity: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the cells that have rows, their counts and sums, and their fingerprints."""
    sums = np.zeros((size, len(values) + 1), np.int64)
    prints = np.zeros(size, np.uint64)
    add_to_cells(cell, values, identity, sums, prints)
    used = np.flatnonzero(sums[:, 0])
    return used, sums[used], prints[used]


def add_up(parts: list[pd.DataFrame], keys: list[str]) -> pd.DataFrame:
    """Add up the cells of several parts.

    Parameters
    ----------
    parts : list of pandas.DataFrame
        One or more tables of cells, or of what the insured used, each in the order of the keys.
    keys : list of str
        What a cell is told apart by; all other columns are added.

    Returns
    -------
    pandas.DataFrame
        One row a cell, in the order of the keys.

    Examples
    --------
    >>> part = pd.DataFrame({"unit": ["a", "b"], "points": [2, 1]})
    >>> add_up([part, part], ["unit"]).values.tolist()
    [['a', 4], ['b', 2]]
    """
    # Sorted by key as each part is, so that the order of rows in the input leaves no trace.
    if len(parts) == 1:
        return parts[0]
    joined = pd.concat(parts, ignore_index=True)
    sums = [name for name in joined.columns if name not in keys]
    return joined.groupby(keys, sort=True, as_index=False, dropna=False)[sums].sum()


def _no_cells() -> pd.DataFrame:
    types: dict[str, Any] = dict.fromkeys(KEYS, object) | dict.fromkeys(
        ["month", *SUMS, *EXTRA_SUMS], np.int64
    )
    types["fingerprint"] = np.uint64
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})


def _no_insured() -> pd.DataFrame:
    types: dict[str, Any] = {"pool": object, "unit": object}
    types |= dict.fromkeys(INSURED_SUMS, np.int64)
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
