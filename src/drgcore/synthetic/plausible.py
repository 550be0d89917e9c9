"""What the front-page checks say of made-up cases, so that a clean sample is clean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import CANONICAL_SCHEMA, FIRST_CODE, CaseMapping, CodeIndex
from drgcore.checks.check import CheckRun
from drgcore.checks.frame import Frame
from drgcore.grouper.coverage import Draft
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.schemes import Scheme

_WEIGHT = {"error": 1000, "warning": 1, "hint": 0}
_ALIVE = 1


def faults_of(scheme: Scheme, cases: pa.RecordBatch) -> NDArray[np.int64]:
    """How much the shipped checks find wrong with each case: its warnings, and 1000 an error.

    Parameters
    ----------
    scheme : Scheme
        Its own rules and lists are asked as well.
    cases : pyarrow.RecordBatch
        As `cases_of` makes them.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 where nothing is wrong. Hints do not count.
    """
    found = np.zeros(cases.num_rows, np.int64)
    run = CheckRun(scheme, None)
    layout = run.layout(cases.schema, CaseMapping.preset("canonical"))
    for number, rows in run.look(Frame(cases, layout, 0)).items():
        found[rows] += _WEIGHT[run.checks[number].level]
    return found


def harmless(
    tables: GrouperTables, ids: NDArray[np.int32], column: str, hosts: Iterable[Draft]
) -> NDArray[np.bool_]:
    """Which codes may be added to each of some cases without a fault.

    Parameters
    ----------
    tables : GrouperTables
    ids : ndarray of int32, shape (n,)
        Codes.
    column : str
        "other_diagnoses" or "other_procedures": where they are added.
    hosts : iterable of Draft
        Cases that they are added to, for example a man's and a woman's.

    Returns
    -------
    ndarray of bool, shape (n,)
        Gray codes, codes of one sex, of birth and of death are not among them.
    """
    fits = np.ones(len(ids), bool)
    index = tables.diagnoses if column == "other_diagnoses" else tables.procedures
    for host in hosts:
        alone = cases_of(tables, [host])
        own = np.array(getattr(host, column), np.int32)
        longer = np.column_stack([np.tile(own, (len(ids), 1)), ids])
        added = alone.take(pa.array(np.zeros(len(ids), np.int64)))
        offsets = np.arange(len(ids) + 1) * longer.shape[1]
        lists = _lists(index, offsets, longer.reshape(-1))
        added = added.set_column(added.schema.get_field_index(column), column, lists)
        fits &= faults_of(tables.scheme, added) <= faults_of(tables.scheme, alone)
    return fits


def cases_of(tables: GrouperTables, drafts: Sequence[Draft]) -> pa.RecordBatch:
    """Drafts as cases that were discharged alive: the canonical columns and the way of leaving."""
    columns: dict[str, pa.Array] = {"leaving_way": pa.repeat(_ALIVE, len(drafts))}
    for field in CANONICAL_SCHEMA:
        values = [getattr(draft, field.name) for draft in drafts]
        index = tables.diagnoses if "diagnos" in field.name else tables.procedures
        if pa.types.is_list(field.type):
            offsets = np.concatenate([[0], np.cumsum([len(v) for v in values])])
            ids = np.array([code for v in values for code in v], np.int32)
            columns[field.name] = _lists(index, offsets, ids)
        elif pa.types.is_string(field.type):
            columns[field.name] = codes_of(index, np.array(values, np.int32))
        else:
            numbers = np.array(values, np.int64)
            columns[field.name] = pa.array(numbers, field.type, mask=numbers < 0)
    return pa.RecordBatch.from_pydict(columns)


def codes_of(index: CodeIndex, ids: NDArray[np.int64] | NDArray[np.int32]) -> pa.Array:
    """Ids as text; null for no code."""
    indices = pa.array(ids - FIRST_CODE, pa.int32(), mask=ids < FIRST_CODE)
    return pa.DictionaryArray.from_arrays(indices, index.codes).dictionary_decode()


def _lists(index: CodeIndex, offsets: NDArray[np.int64], ids: NDArray[np.int32]) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), codes_of(index, ids))
