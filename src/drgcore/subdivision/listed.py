"""Codes whose cases are dearer than the others of their ADRG, found one by one and listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import FIRST_CODE, CaseArrays
from drgcore.cases.attributes import some_of
from drgcore.errors import SchemeError
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.language import _
from drgcore.subdivision.coded import CodedCases
from drgcore.subdivision.conditions import LISTED, Kind, SplitCandidates
from drgcore.subdivision.contrast import z_of_difference
from drgcore.weights.segments import Segments, sort_by_group

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Ids = NDArray[np.integer]

LEAST_CASES = 10
"""A code with fewer cases in an ADRG is not looked at."""


@dataclass(frozen=True, eq=False)
class Occurrences:
    """Which codes occur in which cases, each pair once, for the cases of ADRGs.

    Parameters
    ----------
    kind : str
        One of `LISTED`.
    case : ndarray of int32, shape (m,)
        Row of the case.
    cell : ndarray of int32, shape (m,)
        Number of the case's ADRG × ids + id of the code.
    ids : int
        How many ids there are.
    """

    kind: Kind
    case: Ids
    cell: Ids
    ids: int


def occurrences(coded: CodedCases, kind: Kind, rows: Ints) -> Occurrences:
    """Collect the codes of one kind.

    Parameters
    ----------
    coded : CodedCases
    kind : {"procedure", "principal_diagnosis", "other_diagnosis"}
    rows : ndarray of int64
        The cases to look at, ascending; each must have an ADRG.

    Returns
    -------
    Occurrences
        A code that a case names several times occurs once.

    Examples
    --------
    >>> import drgcore
    >>> from drgcore.subdivision.coded import code_cases
    >>> coded = code_cases(drgcore.sample_cases(20, seed=1), "chs-drg-3.0")
    >>> found = occurrences(coded, "principal_diagnosis", np.array([3, 4]))
    >>> codes = found.cell % found.ids
    >>> found.case.tolist(), coded.tables.diagnoses.decode(codes).to_pylist()
    ([3, 4], ['F42.901', 'I50.102'])
    """
    arrays = coded.cases
    ids = len(coded.tables.procedures if kind == "procedure" else coded.tables.diagnoses)
    wanted = np.zeros(len(arrays), bool)
    wanted[rows] = True
    keys = []
    for field in LISTED[kind]:
        offsets, codes = codes_of(arrays, field)
        cases = np.repeat(np.arange(len(arrays)), np.diff(offsets))
        there = wanted[cases] & (codes >= FIRST_CODE)
        keys.append(cases[there] * ids + codes[there])
    pairs = np.sort(np.concatenate(keys))
    pairs = pairs[np.concatenate([[True], pairs[1:] != pairs[:-1]])] if len(pairs) else pairs
    case, code = np.divmod(pairs, ids)
    cell = coded.rows.adrg[case] * np.int64(ids) + code
    # All kinds are kept until the search is done, so half the bytes count; 600 ADRG times 40,000
    # codes fit.
    return Occurrences(kind, case.astype(np.int32), cell.astype(np.int32), ids)


def cost_by_code(
    found: Occurrences, residual: Floats, of_adrg: Segments, fitted: Ints, least: int
) -> pd.DataFrame:
    """Compare the cases with a code with the others of their ADRG.

    Parameters
    ----------
    found : Occurrences
    residual : ndarray of float64, shape (n,)
        Log cost of each case around the mean of its DRG and severity, so that a code is not listed
        for what its complications cost already.
    of_adrg : Segments
        The residuals by ADRG.
    fitted : ndarray of int64, shape (ADRG,)
        Around how many means the residuals of each lie.
    least : int
        Codes of which fewer cases have it, or lack it, are not compared.

    Returns
    -------
    pandas.DataFrame
        One row for each comparison: adrg as a number, kind, code as an id, cases, others,
        difference of typical (geometric mean) cost relative to the others, z as `z_of_difference`
        gives it, and `cell` as in `Occurrences`.

    Examples
    --------
    >>> found = Occurrences("procedure", np.array([0, 1]), np.array([7, 7]), 10)
    >>> residual = np.array([1.0, 1.2, 0.0, 0.2])
    >>> of_adrg = sort_by_group(np.zeros(4, int), residual, 1)
    >>> table = cost_by_code(found, residual, of_adrg, np.array([1]), 2)
    >>> table[["code", "cases", "others", "difference", "z"]].round(2).values.tolist()
    [[7.0, 2.0, 2.0, 1.72, 2.28]]
    """
    counted = np.bincount(found.cell)
    cells = np.flatnonzero(counted >= least)
    adrg = cells // found.ids
    others = of_adrg.count[adrg] - counted[cells]
    cells, adrg = cells[others >= least], adrg[others >= least]
    place = np.full(len(counted), -1, np.int32)
    place[cells] = np.arange(len(cells))
    with_code = sort_by_group(place[found.cell], residual[found.case], len(cells))
    n, mean, squares = with_code.count, with_code.mean, with_code.squares
    all_n, all_mean, all_squares = (
        values[adrg] for values in (of_adrg.count, of_adrg.mean, of_adrg.squares)
    )
    m = all_n - n
    rest = (all_n * all_mean - n * mean) / m
    spread = all_squares - squares - n * m / all_n * (mean - rest) ** 2
    squares = squares + np.maximum(spread, 0.0)
    z = z_of_difference(n, m, mean - rest, squares, fitted[adrg] - 1)
    return pd.DataFrame(
        {
            "adrg": adrg,
            "kind": found.kind,
            "code": cells % found.ids,
            "cases": n,
            "others": m,
            "difference": np.expm1(mean - rest),
            "z": z,
            "cell": cells,
        }
    )


def cases_with(found: Occurrences, cells: Ints | Sequence[int], rows: int) -> NDArray[np.bool_]:
    """Say which cases have any of some codes of their ADRG.

    Examples
    --------
    >>> found = Occurrences("procedure", np.array([0, 1]), np.array([7, 8]), 10)
    >>> cases_with(found, [8], 3).tolist()
    [False, True, False]
    """
    result = np.zeros(rows, bool)
    result[found.case[np.isin(found.cell, np.asarray(cells, np.int64))]] = True
    return result


def user_lists(candidates: SplitCandidates, tables: GrouperTables) -> dict[str, Ints]:
    """Look up the codes of the user's lists.

    Parameters
    ----------
    candidates : SplitCandidates
    tables : GrouperTables
        Of the base.

    Returns
    -------
    dict of str to ndarray of int64
        The ids of each list's codes, ascending.

    Raises
    ------
    SchemeError
        For a code that neither a dictionary nor the base knows; for a set that the base has with
        other codes.

    Examples
    --------
    >>> from drgcore.grouper.tables import compile_tables
    >>> from drgcore.schemes import load_scheme
    >>> tables = compile_tables(load_scheme("chs-drg-3.0"))
    >>> found = user_lists(SplitCandidates(procedures={"OP_ROBOT": ["33.6X00"]}), tables)
    >>> tables.procedures.decode(found["OP_ROBOT"]).to_pylist()
    ['33.6x00']
    """
    base = tables.scheme
    result = {}
    lists = (
        (candidates.procedures, tables.procedures, _("procedure")),
        (candidates.diagnoses, tables.diagnoses, _("diagnosis")),
    )
    for of_kind, index, word in lists:
        for name, codes in of_kind.items():
            ids = index.encode(pa.array(codes, pa.string())).astype(np.int64)
            unknown = [code for code, id_ in zip(codes, ids, strict=True) if id_ < FIRST_CODE]
            if unknown:
                raise SchemeError(
                    _(
                        "{unknown}: no {word} of the insurance version or of {base}",
                        unknown=some_of(unknown),
                        word=word,
                        base=base.name,
                    ),
                    where=_("SplitCandidates, list {name}", name=name),
                )
            result[name] = np.unique(ids)
            members = frozenset(index.decode(result[name]).to_pylist())
            if base.sets.get(name, members) != members:
                raise SchemeError(
                    _("scheme {scheme} has another set {name}", scheme=base.name, name=name),
                    where="SplitCandidates",
                    hint=_("give the list a name that the base does not use"),
                )
    return result


def cases_having(arrays: CaseArrays, kind: Kind, ids: Ints) -> NDArray[np.bool_]:
    """Say which cases have any of some codes, whatever their ADRG.

    Examples
    --------
    >>> import drgcore
    >>> from drgcore.subdivision.coded import code_cases
    >>> cases = code_cases(drgcore.sample_cases(20, seed=1), "chs-drg-3.0").cases
    >>> np.flatnonzero(cases_having(cases, "principal_diagnosis", cases.principal_diagnosis[3:5]))
    array([3, 4])
    """
    result = np.zeros(len(arrays), bool)
    for field in LISTED[kind]:
        offsets, codes = codes_of(arrays, field)
        result[np.searchsorted(offsets, np.flatnonzero(np.isin(codes, ids)), side="right") - 1] = 1
    return result


def codes_of(arrays: CaseArrays, field: str) -> tuple[Ints, NDArray[np.int32]]:
    """Give the codes of a field of the rule language, and where those of each case begin."""
    if field in ("ZYZD", "ZYSS"):
        codes = arrays.principal_diagnosis if field == "ZYZD" else arrays.principal_procedure
        return np.arange(len(arrays) + 1), codes
    if field == "QTZD":
        return arrays.other_diagnosis_offsets, arrays.other_diagnoses
    return arrays.other_procedure_offsets, arrays.other_procedures
