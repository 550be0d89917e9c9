"""The same cases coded otherwise: each other principal code, each code left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drgcore.cases.batch import CaseArrays
from drgcore.cases.codes import MISSING

KINDS = (
    "as_coded",
    "principal_diagnosis",
    "principal_procedure",
    "without_diagnosis",
    "without_principal_procedure",
    "without_procedure",
    "with_diagnosis",
    "with_procedure",
)
"""How a variant differs: nothing; another diagnosis (procedure) as the principal one, which takes
the other's place; a code left out; a code added."""

_Field = Literal["diagnosis", "procedure"]


@dataclass(frozen=True, eq=False)
class Variants:
    """Variants of n cases, m in all, those of one case in the order of `KINDS` and of its codes.

    Parameters
    ----------
    cases : CaseArrays
        The m variants.
    case : ndarray of int64, shape (m,)
        Place of the case that each is a variant of.
    kind : ndarray of int8, shape (m,)
        Index into `KINDS`.
    code : ndarray of int32, shape (m,)
        Id of the code that was moved, left out or added; `MISSING` (0) as coded.
    place : ndarray of int64, shape (m,)
        Its place among the other diagnoses or procedures of the case, from 0; -1 where it has
        none.
    """

    cases: CaseArrays
    case: NDArray[np.int64]
    kind: NDArray[np.int8]
    code: NDArray[np.int32]
    place: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of variants."""
        return len(self.case)


def variants_of(
    cases: CaseArrays,
    *,
    kinds: tuple[str, ...] = KINDS,
    diagnoses: tuple[int, ...] = (),
    procedures: tuple[int, ...] = (),
) -> Variants:
    """Make every variant of some cases.

    Parameters
    ----------
    cases : CaseArrays
        n cases as the kernel takes them.
    kinds : tuple of str
        Only these kinds.
    diagnoses, procedures : tuple of int
        Ids of codes to add to every case, one at a time.

    Returns
    -------
    Variants
        As coded, then each other diagnosis as principal one, each other procedure likewise, each
        other diagnosis left out, the principal procedure left out, each other procedure left out,
        each code added. A code that stands twice in a case has two variants.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from drgcore.cases import CaseMapping, CodeIndex, encode_cases
    >>> table = pa.table({"principal_diagnosis": ["A00.000"], "other_diagnoses": [["A01.000"]],
    ...     "principal_procedure": [None], "other_procedures": [[]], "sex": [1],
    ...     "age_years": [50]})
    >>> mapping = CaseMapping.preset("canonical").resolve(table.schema)
    >>> index = CodeIndex(["A00.000", "A01.000"])
    >>> variants = variants_of(encode_cases(table, mapping, index, CodeIndex(["00.0100"])))
    >>> [KINDS[kind] for kind in variants.kind]
    ['as_coded', 'principal_diagnosis', 'without_diagnosis']
    >>> variants.cases.principal_diagnosis.tolist()
    [2, 3, 2]
    """
    n = len(cases)
    makers: dict[str, Callable[[], Variants]] = {
        "as_coded": lambda: _block(
            cases, np.arange(n), "as_coded", np.zeros(n, np.int32), np.full(n, -1)
        ),
        "principal_diagnosis": lambda: _swapped(cases, "diagnosis"),
        "principal_procedure": lambda: _swapped(cases, "procedure"),
        "without_diagnosis": lambda: _without(cases, "diagnosis"),
        "without_principal_procedure": lambda: _not_operated(cases),
        "without_procedure": lambda: _without(cases, "procedure"),
    }
    blocks = [make() for kind, make in makers.items() if kind in kinds]
    blocks += [_added(cases, "diagnosis", code) for code in diagnoses]
    blocks += [_added(cases, "procedure", code) for code in procedures]
    whole = CaseArrays.joined([block.cases for block in blocks])
    case = np.concatenate([block.case for block in blocks])
    # Blocks are by kind; what belongs to one case comes together.
    order = np.argsort(case, kind="stable")
    return Variants(
        whole.take(order),
        case[order],
        np.concatenate([block.kind for block in blocks])[order],
        np.concatenate([block.code for block in blocks])[order],
        np.concatenate([block.place for block in blocks])[order],
    )


def _kinds(count: int, kind: str) -> NDArray[np.int8]:
    return np.full(count, KINDS.index(kind), np.int8)


def _block(
    cases: CaseArrays,
    rows: NDArray[np.int64],
    kind: str,
    codes: NDArray[np.int32],
    places: NDArray[np.int64],
) -> Variants:
    return Variants(cases.take(rows), rows, _kinds(len(rows), kind), codes, places)


def _listed(
    cases: CaseArrays, field: _Field
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """For every other code of the field: its case, its place in the case, its id."""
    offsets = getattr(cases, f"other_{field}_offsets")
    codes = cases.other_diagnoses if field == "diagnosis" else cases.other_procedures
    rows = np.repeat(np.arange(len(cases)), np.diff(offsets))
    return rows, np.arange(len(codes)) - offsets[:-1][rows], codes


def _swapped(cases: CaseArrays, field: _Field) -> Variants:
    """Each other code in the principal one's place, and that in its; an empty place stays empty."""
    rows, places, codes = _listed(cases, field)
    block = _block(cases, rows, f"principal_{field}", codes, places)
    taken = block.cases
    many = "other_diagnoses" if field == "diagnosis" else "other_procedures"
    offsets = getattr(taken, f"other_{field}_offsets")
    at = offsets[:-1] + places
    others = getattr(taken, many).copy()
    before = getattr(taken, f"principal_{field}")
    others[at] = before
    changed = _changed(taken, **{f"principal_{field}": codes, many: others})
    empty = np.flatnonzero(before == MISSING)
    if len(empty):
        changed = _cut(changed, field, at[empty], empty)
    return Variants(changed, block.case, block.kind, block.code, block.place)


def _without(cases: CaseArrays, field: _Field) -> Variants:
    """Each other code left out."""
    rows, places, codes = _listed(cases, field)
    block = _block(cases, rows, f"without_{field}", codes, places)
    at = getattr(block.cases, f"other_{field}_offsets")[:-1] + places
    changed = _cut(block.cases, field, at, np.arange(len(rows)))
    return Variants(changed, block.case, block.kind, block.code, block.place)


def _not_operated(cases: CaseArrays) -> Variants:
    """The principal procedure left out, of the cases that have one."""
    rows = np.flatnonzero(cases.principal_procedure != MISSING)
    codes = cases.principal_procedure[rows]
    block = _block(cases, rows, "without_principal_procedure", codes, np.full(len(rows), -1))
    nothing = np.full(len(rows), MISSING, np.int32)
    changed = _changed(block.cases, principal_procedure=nothing)
    return Variants(changed, block.case, block.kind, block.code, block.place)


def _added(cases: CaseArrays, field: _Field, code: int) -> Variants:
    """One code more, behind the others, in every case."""
    n = len(cases)
    many = "other_diagnoses" if field == "diagnosis" else "other_procedures"
    offsets = getattr(cases, f"other_{field}_offsets")
    block = _block(cases, np.arange(n), f"with_{field}", np.full(n, code, np.int32), np.full(n, -1))
    longer = np.insert(getattr(cases, many), offsets[1:], np.int32(code))
    changed = _changed(
        block.cases, **{many: longer, f"other_{field}_offsets": offsets + np.arange(n + 1)}
    )
    return Variants(changed, block.case, block.kind, block.code, block.place)


def _cut(
    cases: CaseArrays, field: _Field, at: NDArray[np.int64], rows: NDArray[np.int64]
) -> CaseArrays:
    """Take one other code out of each of some rows, `at` its place in the whole array."""
    many = "other_diagnoses" if field == "diagnosis" else "other_procedures"
    fewer = np.zeros(len(cases) + 1, np.int64)
    fewer[rows + 1] = 1
    offsets = getattr(cases, f"other_{field}_offsets") - np.cumsum(fewer)
    return _changed(
        cases,
        **{many: np.delete(getattr(cases, many), at), f"other_{field}_offsets": offsets},
    )


def _changed(cases: CaseArrays, **changes: NDArray[np.int32] | NDArray[np.int64]) -> CaseArrays:
    return replace(cases, **changes)  # type: ignore[arg-type]
