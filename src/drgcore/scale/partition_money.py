"""Points and sums of the cases of one partition, in a worker process."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.budget.tally import EXTRA_SUMS, INSURED_SUMS, KEYS, SUMS, Tally, add_up, tally
from drgcore.budget.terms import Terms
from drgcore.cases.repeated import CaseWarning
from drgcore.cases.text import stripped
from drgcore.points.compute import compute_points
from drgcore.points.policy import Policy
from drgcore.scale.parcels import PolicyParcel, policy_in
from drgcore.scale.partitions import joined, plain, with_days

SUM_SCHEMA = pa.schema(
    [
        *((name, pa.int64() if name == "month" else pa.string()) for name in (*KEYS, "unit")),
        *((name, pa.int64()) for name in (*SUMS, *EXTRA_SUMS, "print_low", "print_high")),
    ]
)
"""Sums by cell, `unit` null; and by pool and unit, where hospital, month and class are null."""

_DAYS = ("discharge_date", "admission_date")


def score_table(
    table: pa.Table, policy: Policy, year: int | None, decisions: pa.Table | None
) -> pa.Table:
    """Compute the points of some cases, with the decisions on them.

    Parameters
    ----------
    table : pyarrow.Table
        Grouped cases.
    policy, year
        As for `drgcore.compute_points`.
    decisions : pyarrow.Table or None
        Decisions on all cases; those on others than these are left aside without a word.

    Returns
    -------
    pyarrow.Table
        What `drgcore.compute_points` gives; texts are strings.
    """
    if decisions is not None:
        ids = stripped(table.column("case_id")).cast(pa.large_string())
        of = decisions.column("case_id").cast(pa.large_string())
        decisions = decisions.filter(pc.is_in(of, value_set=ids.combine_chunks()))
    found = compute_points(with_days(table, _DAYS), policy, year=year, decisions=decisions)
    # What was read as days goes out as it came in.
    kept = [table.column(n) if n in _DAYS else found.column(n) for n in found.column_names]
    return pa.table([plain(column) for column in kept], names=found.column_names)


def score_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    parcel: PolicyParcel,
    year: int | None,
    decisions: pa.Table | None,
) -> Iterator[pa.RecordBatch]:
    """Compute the points of a partition's cases, each by itself.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Grouped cases.
    parcel : PolicyParcel
        The policy.
    year, decisions
        As for `score_table`.

    Yields
    ------
    pyarrow.RecordBatch
        The cases with `drgcore.points.POINT_COLUMNS`, or more where the policy has factors.
    """
    for batch in joined(batches):
        with warnings.catch_warnings():
            # The driver says them, once.
            warnings.simplefilter("ignore", CaseWarning)
            found = score_table(pa.table(batch), policy_in(parcel), year, decisions)
        yield from found.combine_chunks().to_batches()


def tally_batches(batches: Iterable[pa.RecordBatch], *, terms: Terms) -> Iterator[pa.RecordBatch]:
    """Add the cases of a partition up, exactly.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Cases with points.
    terms : Terms
        The parameters of the year.

    Yields
    ------
    pyarrow.RecordBatch
        One, of `SUM_SCHEMA`: the cells of `drgcore.budget.tally.Tally` and what the insured of each
        unit used. A fingerprint, which is added modulo 2**64, is two halves that an engine can add
        as it adds all else.
    """
    cells, insured = [], []
    for batch in joined(batches):
        part = tally(with_days(pa.table(batch), [terms.date_column]), terms)
        cells.append(part.cells)
        insured.append(part.insured)
    if not cells:
        return
    cell = add_up(cells, KEYS)
    prints = cell.pop("fingerprint").to_numpy(np.uint64)
    cell["print_low"] = (prints & np.uint64(0xFFFFFFFF)).astype(np.int64)
    cell["print_high"] = (prints >> np.uint64(32)).astype(np.int64)
    whole = pd.concat([cell, add_up(insured, ["pool", "unit"])], ignore_index=True)
    sums = [name for name in SUM_SCHEMA.names if pa.types.is_integer(SUM_SCHEMA.field(name).type)]
    whole[sums] = whole[sums].fillna(0).astype(np.int64)
    found = pa.Table.from_pandas(whole, SUM_SCHEMA, preserve_index=False)
    yield from found.combine_chunks().to_batches()


def tally_of(sums: pa.Table, terms: Terms) -> Tally:
    """Give the tally of all cases from the sums of all partitions, each cell once.

    Parameters
    ----------
    sums : pyarrow.Table
        `SUM_SCHEMA`.
    terms : Terms
        The parameters of the year.

    Returns
    -------
    Tally
        Without the ids of the cases.

    Examples
    --------
    >>> from drgcore.budget.pool_terms import PoolTerms
    >>> len(tally_of(SUM_SCHEMA.empty_table(), Terms(2027, (PoolTerms("p", 0),))).cells)
    0
    """
    is_cell = pc.is_null(sums.column("unit"))
    frame = sums.filter(is_cell).to_pandas()
    # The high halves are added modulo 2**32, with what the low ones carry over.
    high = frame["print_high"].to_numpy(np.uint64) << np.uint64(32)
    cells = frame[[*KEYS, *SUMS, *EXTRA_SUMS]].copy()
    cells["fingerprint"] = high + frame["print_low"].to_numpy(np.uint64)
    insured = sums.filter(pc.invert(is_cell)).select(["pool", "unit", *INSURED_SUMS]).to_pandas()
    return Tally(
        cells.sort_values(KEYS, ignore_index=True),
        insured.sort_values(["pool", "unit"], ignore_index=True),
        pa.chunked_array([], pa.large_string()),
        (),
        terms.point_places,
    )
