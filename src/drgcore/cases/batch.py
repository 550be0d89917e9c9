"""A batch of cases as the flat arrays that the grouping kernel takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drgcore.cases.ages import read_ages
from drgcore.cases.code_columns import codes_of, read_codes
from drgcore.cases.code_texts import CodeReader, Ids, Offsets
from drgcore.cases.codes import CodeIndex
from drgcore.cases.local_values import parse_birth_weight, parse_tcm_share, parse_yes_no
from drgcore.cases.notes import ReadingNotes
from drgcore.cases.resolving import ResolvedMapping
from drgcore.cases.values import (
    MISSING_NUMBER,
    parse_icu_hours,
    parse_leaving_way,
    parse_length_of_stay,
    parse_newborn_weight,
    parse_sex,
)
from drgcore.errors import CaseSchemaError
from drgcore.language import _

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
    listed_diagnoses, listed_procedures : ndarray of bool, shape (n,), or None
        Cases whose principal diagnosis, or procedure, was the first code of a text of several;
        None where there are none, and in cases taken or joined.
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
    listed_diagnoses: npt.NDArray[np.bool_] | None = None
    listed_procedures: npt.NDArray[np.bool_] | None = None

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
    *,
    notes: ReadingNotes | None = None,
    restore_zeros: bool = False,
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
    notes : ReadingNotes, optional
        Where to count what was noticed.
    restore_zeros : bool, default False
        Give procedures the zeros back that a spreadsheet ate, where one reading exists.

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
            _(
                "a batch lacks columns of its mapping: {absent}",
                absent=", ".join(map(repr, absent)),
            ),
            hint=_("Resolve the mapping with the schema of the data that are encoded."),
        )

    def reader(column: str, index: CodeIndex) -> CodeReader:
        return CodeReader(index, column, notes, restore_zeros)

    of_diagnoses = read_codes(
        batch,
        mapping.principal_diagnosis,
        mapping.other_diagnoses,
        mapping.separator,
        (reader("principal_diagnosis", diagnoses), reader("other_diagnoses", diagnoses)),
    )
    of_procedures = read_codes(
        batch,
        mapping.principal_procedure,
        mapping.other_procedures,
        mapping.separator,
        (reader("principal_procedure", procedures), reader("other_procedures", procedures)),
    )
    age_years, age_days = read_ages(batch, mapping, notes)
    return CaseArrays(
        principal_diagnosis=of_diagnoses.principal,
        other_diagnosis_offsets=of_diagnoses.offsets,
        other_diagnoses=of_diagnoses.others,
        principal_procedure=of_procedures.principal,
        other_procedure_offsets=of_procedures.offsets,
        other_procedures=of_procedures.others,
        sex=parse_sex(batch.column(mapping.sex)),
        age_years=age_years,
        age_days=age_days,
        newborn_weight_g=(
            np.full(n, MISSING_NUMBER, np.int32)
            if mapping.newborn_weight_g is None
            else parse_newborn_weight(batch.column(mapping.newborn_weight_g))
        ),
        listed_diagnoses=of_diagnoses.listed,
        listed_procedures=of_procedures.listed,
        local={
            field: (
                (departments or CodeIndex([])).encode(codes_of(batch, name))
                if field == "department"
                else _LOCAL_NUMBERS[field](batch.column(name))
            )
            for field, name in mapping.local.items()
        },
    )
