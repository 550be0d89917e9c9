"""A batch of cases as the flat arrays that the grouping kernel takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.codes import MISSING, CodeIndex
from drgcore.cases.local_values import parse_birth_weight, parse_tcm_share, parse_yes_no
from drgcore.cases.resolving import CodeColumns, ResolvedMapping
from drgcore.cases.text import chunks_of
from drgcore.cases.values import (
    MISSING_NUMBER,
    parse_age_days,
    parse_age_years,
    parse_icu_hours,
    parse_leaving_way,
    parse_length_of_stay,
    parse_newborn_weight,
    parse_sex,
)
from drgcore.errors import CaseSchemaError

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

Local: TypeAlias = npt.NDArray[Any]  # of int32, or float64 for a share

_LOCAL_NUMBERS: Mapping[str, Callable[[pa.Array | pa.ChunkedArray], Local]] = {
    "length_of_stay": parse_length_of_stay,
    "leaving_way": parse_leaving_way,
    "icu_hours": parse_icu_hours,
    "tcm_share": parse_tcm_share,
    "birth_weight_g": parse_birth_weight,
    **dict.fromkeys(
        ("day_surgery", "several_sites", "new_technique", "intensive_care"), parse_yes_no
    ),
}


@dataclass(frozen=True, eq=False)
class CaseArrays:
    """n cases as contiguous numpy arrays.

    The other diagnoses of case i are ``other_diagnoses[other_diagnosis_offsets[i] :
    other_diagnosis_offsets[i + 1]]``, in the order of the data; likewise the procedures.

    Attributes
    ----------
    principal_diagnosis : ndarray of int32, shape (n,)
        Ids of a `CodeIndex`, `MISSING` and `UNKNOWN` included.
    other_diagnosis_offsets : ndarray of int64, shape (n + 1,)
    other_diagnoses : ndarray of int32, shape (m,)
        Ids; `UNKNOWN` included, `MISSING` left out.
    principal_procedure : ndarray of int32, shape (n,)
    other_procedure_offsets : ndarray of int64, shape (n + 1,)
    other_procedures : ndarray of int32, shape (k,)
    sex : ndarray of int8, shape (n,)
        1 male, 2 female, 0 missing, -1 not a sex.
    age_years : ndarray of int32, shape (n,)
        Completed years, or `MISSING_NUMBER`, or `INVALID_NUMBER`; likewise the next two.
    age_days : ndarray of int32, shape (n,)
        Completed days.
    newborn_weight_g : ndarray of int32, shape (n,)
        Grams.
    local : dict of str to ndarray of int32 or float64, shape (n,)
        Of the columns of `LOCAL_SCHEMA` those that were asked for: numbers as the ages (shares as
        float64), and ids of departments.
    """

    principal_diagnosis: Ids
    other_diagnosis_offsets: Offsets
    other_diagnoses: Ids
    principal_procedure: Ids
    other_procedure_offsets: Offsets
    other_procedures: Ids
    sex: npt.NDArray[np.int8]
    age_years: npt.NDArray[np.int32]
    age_days: npt.NDArray[np.int32]
    newborn_weight_g: npt.NDArray[np.int32]
    local: Mapping[str, Local] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.principal_diagnosis)

    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """The arrays but the local ones, in the order in which the kernel takes them."""
        return (
            self.principal_diagnosis,
            self.other_diagnosis_offsets,
            self.other_diagnoses,
            self.principal_procedure,
            self.other_procedure_offsets,
            self.other_procedures,
            self.sex,
            self.age_years,
            self.age_days,
            self.newborn_weight_g,
        )

    def take(self, rows: npt.NDArray[np.int64]) -> CaseArrays:
        """Some of the cases, in that order."""
        diagnoses = _taken(self.other_diagnosis_offsets, self.other_diagnoses, rows)
        procedures = _taken(self.other_procedure_offsets, self.other_procedures, rows)
        return CaseArrays(
            self.principal_diagnosis[rows],
            *diagnoses,
            self.principal_procedure[rows],
            *procedures,
            self.sex[rows],
            self.age_years[rows],
            self.age_days[rows],
            self.newborn_weight_g[rows],
            {name: values[rows] for name, values in self.local.items()},
        )

    @classmethod
    def joined(cls, blocks: Sequence[CaseArrays]) -> CaseArrays:
        """Several blocks of cases with the same code ids, one after the other."""
        columns: list[Any] = []
        # The second and the fifth are offsets, which count on from block to block.
        for place, parts in enumerate(zip(*(block.arrays() for block in blocks), strict=True)):
            if place in (1, 4):
                lengths = np.concatenate([np.diff(part) for part in parts])
                columns.append(np.concatenate([[0], np.cumsum(lengths)]))
            else:
                columns.append(np.concatenate(parts))
        local = blocks[0].local
        columns.append({name: np.concatenate([b.local[name] for b in blocks]) for name in local})
        return cls(*columns)


def _taken(offsets: Offsets, values: Ids, rows: npt.NDArray[np.int64]) -> tuple[Offsets, Ids]:
    lengths = np.diff(offsets)[rows]
    taken = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(lengths, out=taken[1:])
    places = np.arange(taken[-1]) + np.repeat(offsets[:-1][rows] - taken[:-1], lengths)
    return taken, values[places]


def encode_cases(
    batch: pa.RecordBatch | pa.Table,
    mapping: ResolvedMapping,
    diagnoses: CodeIndex,
    procedures: CodeIndex,
    departments: CodeIndex | None = None,
) -> CaseArrays:
    """Turn a batch of cases into the arrays that the grouping kernel takes.

    Parameters
    ----------
    batch : pyarrow.RecordBatch or Table
        n cases; more columns than the mapping needs do no harm.
    mapping : ResolvedMapping
        Of a schema with the columns of this batch.
    diagnoses, procedures : CodeIndex
        The known codes.
    departments : CodeIndex, optional
        The departments that a local scheme tells apart; without it every one is unknown.

    Returns
    -------
    CaseArrays

    Raises
    ------
    CaseSchemaError
        A column that the mapping names is not in the batch, or holds numbers where codes belong.

    Examples
    --------
    >>> from drgcore.cases.mapping import CaseMapping
    >>> batch = pa.RecordBatch.from_pydict({
    ...     "principal_diagnosis": ["A00.000", "A01.000"],
    ...     "other_diagnoses": ["A01.000|x", ""], "principal_procedure": [None, "00.0100"],
    ...     "other_procedures": [None, None], "sex": ["男", "2"], "age_years": [65, 0],
    ...     "age_days": [None, 12]})
    >>> mapping = CaseMapping.preset("canonical").resolve(batch.schema)
    >>> cases = encode_cases(
    ...     batch, mapping, CodeIndex(["A00.000", "A01.000"]), CodeIndex(["00.0100"]))
    >>> cases.other_diagnosis_offsets.tolist(), cases.other_diagnoses.tolist()
    ([0, 2, 2], [3, 1])
    >>> cases.sex.tolist(), cases.age_days.tolist(), cases.newborn_weight_g.tolist()
    ([1, 2], [-1, 12], [-1, -1])
    """
    n = batch.num_rows
    absent = [name for name in mapping.columns() if name not in batch.schema.names]
    if absent:
        raise CaseSchemaError(
            f"a batch lacks columns of its mapping: {', '.join(map(repr, absent))}",
            hint="Resolve the mapping with the schema of the data that are encoded.",
        )

    def one(name: str | None, index: CodeIndex) -> Ids:
        return np.zeros(n, np.int32) if name is None else index.encode(_codes(batch, name))

    diagnosis_offsets, other_diagnoses = _several(
        batch, mapping.other_diagnoses, mapping.separator, diagnoses
    )
    procedure_offsets, other_procedures = _several(
        batch, mapping.other_procedures, mapping.separator, procedures
    )
    absent_number = np.full(n, MISSING_NUMBER, np.int32)
    return CaseArrays(
        principal_diagnosis=one(mapping.principal_diagnosis, diagnoses),
        other_diagnosis_offsets=diagnosis_offsets,
        other_diagnoses=other_diagnoses,
        principal_procedure=one(mapping.principal_procedure, procedures),
        other_procedure_offsets=procedure_offsets,
        other_procedures=other_procedures,
        sex=parse_sex(batch.column(mapping.sex)),
        age_years=parse_age_years(batch.column(mapping.age_years)),
        age_days=(
            absent_number
            if mapping.age_days is None
            else parse_age_days(batch.column(mapping.age_days))
        ),
        newborn_weight_g=(
            absent_number.copy()
            if mapping.newborn_weight_g is None
            else parse_newborn_weight(batch.column(mapping.newborn_weight_g))
        ),
        local={
            field: (
                (departments or CodeIndex([])).encode(_codes(batch, name))
                if field == "department"
                else _LOCAL_NUMBERS[field](batch.column(name))
            )
            for field, name in mapping.local.items()
        },
    )


def _codes(batch: pa.RecordBatch | pa.Table, name: str) -> pa.Array | pa.ChunkedArray:
    column = batch.column(name)
    if not types.is_floating(column.type):
        return column
    # Column types are guessed by many programs, and one without any value becomes floating.
    if pc.all(pc.is_null(column, nan_is_null=True), min_count=0).as_py():
        return pa.nulls(len(column))
    raise CaseSchemaError(
        f"column {name!r} is {column.type} and holds numbers where codes belong",
        hint="Read it as text, so that zeros at the start and the end of a code are kept.",
    )


def _several(
    batch: pa.RecordBatch | pa.Table, source: CodeColumns, separator: str, index: CodeIndex
) -> tuple[Offsets, Ids]:
    n = batch.num_rows
    if source.shape == "none":
        return np.zeros(n + 1, np.int64), np.empty(0, np.int32)
    if source.shape == "numbered":
        return _numbered([_codes(batch, name) for name in source.names], n, index)
    name = source.names[0]
    if source.shape == "list":
        return _lists(batch.column(name), index)
    column = _codes(batch, name)
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    # string_view and null columns have no kernel for splitting.
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        column = column.cast(pa.large_string())
    return _lists(pc.split_pattern(column, separator), index)


def _lists(lists: pa.Array | pa.ChunkedArray, index: CodeIndex) -> tuple[Offsets, Ids]:
    offsets = np.zeros(len(lists) + 1, np.int64)
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    np.cumsum(lengths, out=offsets[1:])
    # flatten() heeds the offset of a slice and leaves out what stands under a null list.
    pieces = [chunk.flatten() for chunk in chunks_of(lists)]
    flat = index.encode(pa.chunked_array(pieces, lists.type.value_type))
    present = flat != MISSING
    if present.all():
        return offsets, flat
    before = np.zeros(len(flat) + 1, np.int64)
    np.cumsum(present, out=before[1:])
    return before[offsets], flat[present]


def _numbered(
    columns: list[pa.Array | pa.ChunkedArray], n: int, index: CodeIndex
) -> tuple[Offsets, Ids]:
    # The last numbered columns of an export are empty or nearly so: only what is there is handled.
    filled = [column for column in columns if column.null_count < n]
    # All columns of one type are encoded in one call, for the sake of Arrow's lookup.
    by_type: dict[pa.DataType, list[int]] = {}
    for place, column in enumerate(filled):
        by_type.setdefault(column.type, []).append(place)
    ids: dict[int, Ids] = {}
    for places in by_type.values():
        chunks = [chunk for place in places for chunk in chunks_of(filled[place])]
        encoded = index.encode(pa.chunked_array(chunks)).reshape(len(places), n)
        ids.update(zip(places, encoded, strict=True))
    rows = [np.flatnonzero(ids[place]) for place in range(len(filled))]
    counts = np.zeros(n, np.int64)
    for there in rows:
        counts[there] += 1
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    flat = np.empty(int(offsets[-1]), np.int32)
    following = offsets[:-1].copy()
    for place, there in enumerate(rows):
        flat[following[there]] = ids[place][there]
        following[there] += 1
    return offsets, flat
