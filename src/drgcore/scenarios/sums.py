"""Cases added up under one policy: by hospital and level, by MDC, and by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.budget.caserows import OPTIONAL, REQUIRED, case_table, read_rows
from drgcore.budget.hashing import add_to_cells
from drgcore.budget.on_top import with_on_top
from drgcore.budget.terms import Terms
from drgcore.cases.attributes import select_columns, text_codes
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.points.compute import compute_points
from drgcore.points.ids import checked_ids
from drgcore.points.needs import needs_all_cases, tested_columns
from drgcore.points.policy import Policy
from drgcore.points.records import CLASSES
from drgcore.progress import starts

SUMMED = ("cases", "points", "borne", "outside", "item_cost", "on_top", "given")
"""What is added up: cases, points [units of the last decimal], B, payments by item outside the
points, C − B, money on top of points, and min(v·Q, claim) of pools with a given value [fen]."""

CASES, POINTS, BORNE, OUTSIDE, ITEM_COST, ON_TOP, GIVEN = range(len(SUMMED))

_COLUMNS = (
    *("drg", "status", "total_cost", "length_of_stay", "unreasonable_cost", "admission_date"),
    *("hospital_level", "list_item", "mdc"),
)
_SLICE = 1 << 20
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """What cases are added up by, whatever the policy says.

    Parameters
    ----------
    sites : tuple of (hospital, level)
        The pairs that occur, sorted; the level is '' where there is none.
    site : ndarray of int64
        Each case's pair.
    mdcs : tuple of str
        The MDCs that occur, sorted; '' stands for none.
    mdc : ndarray of int64
        Each case's MDC.
    """

    sites: tuple[tuple[str, str], ...]
    site: Counts
    mdcs: tuple[str, ...]
    mdc: Counts


@dataclass(frozen=True)
class Sums:
    """Exact sums of all cases under one policy.

    Parameters
    ----------
    by_site : ndarray of int64, shape (pools, sites, classes, 7)
        Pools in the order of the terms, classes in that of `CLASSES`, and what
        `SUMMED` names.
    by_mdc : ndarray of int64, shape (pools, MDCs, classes, 7)
        The same cases by MDC.
    """

    by_site: Counts
    by_mdc: Counts


def case_columns(cases: Any, policies: Sequence[Policy]) -> pa.Table:
    """Take the columns that some policy may look at, and refuse a case id that occurs twice.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        Grouped cases, see `compute_points`. Points that they have already are not looked at.
    policies : sequence of Policy
        The policies.

    Returns
    -------
    pyarrow.Table
        The columns that there are.

    Raises
    ------
    CaseSchemaError
        For an id that is missing or repeated, or no column of ids or hospitals.

    Examples
    --------
    >>> table = pa.table({"case_id": ["1"], "hospital": ["H1"], "points": [5.0]})
    >>> case_columns(table, []).column_names
    ['case_id', 'hospital']
    """
    periods = [period for policy in policies for period in policy.periods()]
    flags, numbers = tested_columns(periods)
    earned = {"case_class", "points"}
    names = dict.fromkeys([*REQUIRED, *OPTIONAL, *_COLUMNS, *flags, *numbers])
    table = select_columns(cases, [name for name in names if name not in earned])
    missing = [name for name in ("case_id", "hospital") if name not in table.column_names]
    if missing:
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing=", ".join(missing)), where="cases"
        )
    checked_ids(table)
    return table


def labels_of(table: pa.Table, policies: Sequence[Policy]) -> Labels:
    """Find each case's hospital, level and MDC.

    The level is the case's own, else that of the first policy whose list of hospitals has one, so
    that all policies are compared by the same levels. The MDC is the case's own, and where the
    cases have no such column the letter that the code of the DRG begins with.

    Parameters
    ----------
    table : pyarrow.Table
        What `case_columns` gives.
    policies : sequence of Policy
        The policies, each resolved to the year.

    Returns
    -------
    Labels
        The labels.

    Examples
    --------
    >>> table = pa.table({"case_id": ["1", "2"], "hospital": ["H1", "H1"], "drg": ["BR13", None]})
    >>> labels = labels_of(table, [])
    >>> labels.sites, labels.mdcs, labels.mdc.tolist()
    ((('H1', ''),), ('', 'MDCB'), [1, 0])
    """
    hospital = text_codes(table, "hospital")
    given = text_codes(table, "hospital_level", optional=True)
    listed = listed_levels(policies)
    names = sorted({"", *given.names, *listed.values()})
    own = np.array([names.index(listed.get(name, "")) for name in hospital.names], np.int64)
    # The last entry stands for a case without level.
    place = np.array([*(names.index(name) for name in given.names), -1], np.int64)
    level = np.where(given.codes < 0, own[hospital.codes], place[given.codes])
    pair = hospital.codes * np.int64(len(names)) + level
    there = np.flatnonzero(np.bincount(pair, minlength=1))
    sites = [(hospital.names[code // len(names)], names[code % len(names)]) for code in there]
    order = sorted(range(len(sites)), key=sites.__getitem__)
    rank = np.zeros(there.max(initial=0) + 1, np.int64)
    rank[there[order]] = np.arange(len(order))
    mdcs, mdc = _mdcs(table)
    return Labels(tuple(sites[i] for i in order), rank[pair], mdcs, mdc)


def listed_levels(policies: Sequence[Policy]) -> dict[str, str]:
    """Give the level of each hospital that a policy lists; the first that has one counts.

    Parameters
    ----------
    policies : sequence of Policy
        The policies.

    Returns
    -------
    dict of str to str
        Level by hospital.

    Examples
    --------
    >>> listed_levels([Policy.load("example")])["H12"]
    '1'
    """
    levels: dict[str, str] = {}
    for policy in policies:
        for name, hospital in policy.hospitals.items():
            if hospital.level:
                levels.setdefault(name, hospital.level)
    return levels


def add_up(
    table: pa.Table,
    labels: Labels,
    policy: Policy,
    terms: Terms,
    decisions: Any = None,
    items: Any = None,
) -> Sums:
    """Compute the points of all cases, slice by slice, and add them up.

    Parameters
    ----------
    table : pyarrow.Table
        What `case_columns` gives.
    labels : Labels
        What `labels_of` gives for it.
    policy : Policy
        The policy.
    terms : Terms
        Its parameters of the year.
    decisions : DataFrame or table, optional
        What panels decided, see `compute_points`.
    items : DataFrame or table, optional
        Items paid on top of points, see `on_top_amounts`; for a policy without lists of them, none.

    Returns
    -------
    Sums
        The sums, which no order of rows and no cut into slices can change.

    Examples
    --------
    >>> import datetime
    >>> from drgcore.budget.policy_terms import terms_of
    >>> policy = Policy.load("example")
    >>> case = {"case_id": "1", "hospital": "H01", "pool": "employee", "drg": "BR13"}
    >>> case |= {"status": "grouped", "discharge_date": datetime.date(2027, 1, 31)}
    >>> case |= {"length_of_stay": 8, "total_cost": 15000.0, "patient_paid": 4000.0}
    >>> table = case_columns(pa.Table.from_pylist([case]), [policy])
    >>> sums = add_up(table, labels_of(table, [policy]), policy, terms_of(policy, 2027))
    >>> sums.by_site.sum(axis=(0, 1, 2)).tolist()
    [1, 1500000, 400000, 0, 1100000, 0, 0]
    """
    pools = [pool.pool for pool in terms.pools]
    shapes = [(len(pools), n, len(CLASSES)) for n in (len(labels.sites), len(labels.mdcs))]
    sums = [np.zeros((int(np.prod(shape)), len(SUMMED)), np.int64) for shape in shapes]
    prints = [np.zeros(len(part), np.uint64) for part in sums]
    # Decisions and items name single cases, and a quota ranks all: they take the whole table.
    used = items if policy.on_top is not None else None
    whole = decisions is not None or used is not None or needs_all_cases(policy)
    size = max(len(table), 1) if whole else _SLICE
    for start in starts(len(table), size, _("points by {policy}", policy=policy.name), _("cases")):
        part = table.slice(start, size)
        earned = compute_points(part, policy, year=terms.year, decisions=decisions)
        if used is not None:
            earned = with_on_top(earned, used, policy)
        elif items is not None and "on_top_amount" in earned.column_names:
            earned = earned.drop_columns(["on_top_amount"])
        own = case_table(_without_top(earned), terms).combine_chunks()
        rows = read_rows(own.to_batches()[0], terms)
        pool = np.array([pools.index(name) for name in rows.pool.names])[rows.pool.codes]
        kinds = [CLASSES.index(name) for name in rows.case_class.names]
        kind = np.array(kinds)[rows.case_class.codes]
        none = np.zeros(len(rows.points), np.int64)
        extra = [none if values is None else values for values in (rows.on_top, rows.given)]
        amounts = (rows.points, rows.patient_paid, rows.outside, rows.item_cost, *extra)
        values = np.stack(amounts)
        for label, shape, total, marks in zip(
            (labels.site, labels.mdc), shapes, sums, prints, strict=True
        ):
            cell = np.ravel_multi_index((pool, label[start : start + size], kind), shape)
            add_to_cells(cell, values, rows.hashes, total, marks)
    return Sums(
        *(part.reshape(*shape, len(SUMMED)) for part, shape in zip(sums, shapes, strict=True))
    )


def _without_top(cases: pa.Table) -> pa.Table:
    """Take money on top from cases that a policy pays by item: which these are differs."""
    if "on_top_amount" not in cases.column_names:
        return cases
    outside = pc.equal(pc.cast(cases.column("case_class"), pa.large_string()), "outside")
    at = cases.column_names.index("on_top_amount")
    amounts = pc.if_else(outside, pa.scalar(None, cases.schema.field(at).type), cases.column(at))
    zero = pa.scalar(0).cast(cases.schema.field(at).type)
    return cases.set_column(at, "on_top_amount", pc.fill_null(amounts, zero))


def _mdcs(table: pa.Table) -> tuple[tuple[str, ...], Counts]:
    """Give the MDCs that occur, '' for none, and each case's place among them."""
    if "mdc" in table.column_names:
        column = text_codes(table, "mdc", optional=True)
        texts = column.names
    else:
        column = text_codes(table, "drg", optional=True)
        texts = [f"MDC{drg[0]}" if drg[0].isalpha() else "" for drg in column.names]
    # The last entry stands for a case without text.
    place = {name: number for number, name in enumerate(sorted({*texts, ""}))}
    mdc = np.array([*(place[text] for text in texts), place[""]], np.int64)[column.codes]
    return tuple(place), mdc
