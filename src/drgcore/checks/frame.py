"""A batch of cases as the fields that checks ask for, each read when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases import (
    INVALID_NUMBER,
    LOCAL_SCHEMA,
    CaseArrays,
    CodeIndex,
    ResolvedMapping,
    encode_cases,
    parse_icu_hours,
    parse_leaving_way,
    parse_length_of_stay,
)
from drgcore.cases.days import read_days
from drgcore.cases.local_values import parse_birth_weight, parse_tcm_share, parse_yes_no
from drgcore.cases.text import is_missing, is_text, tidy
from drgcore.cases.values import is_number
from drgcore.checks.fields import FIELDS

Flags = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int32]

_PARSERS: Mapping[str, Callable[[Any], npt.NDArray[Any]]] = {
    "length_of_stay": parse_length_of_stay,
    "leaving_way": parse_leaving_way,
    "icu_hours": parse_icu_hours,
    "birth_weight_g": parse_birth_weight,
    "tcm_share": parse_tcm_share,
    **{field.name: parse_yes_no for field in LOCAL_SCHEMA if types.is_boolean(field.type)},
}
_NUMBER = r"^[+-]?(?:[0-9]{1,15}(?:\.[0-9]*)?|\.[0-9]+)$"
_DIGIT_GROUPS = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$"


@dataclass(frozen=True)
class Layout:
    """Where the fields stand in the data at hand, and by what indices codes are read.

    Attributes
    ----------
    mapping : ResolvedMapping
        The columns of grouping.
    beside : mapping of str to tuple of str
        The columns of the front page and of local schemes that the data have.
    diagnoses, procedures : CodeIndex
    """

    mapping: ResolvedMapping
    beside: Mapping[str, tuple[str, ...]]
    diagnoses: CodeIndex
    procedures: CodeIndex

    def columns_of(self, canonical: str) -> tuple[str, ...]:
        """The data's columns of a canonical column; none where the data do not have it."""
        if canonical in ("other_diagnoses", "other_procedures"):
            return tuple(getattr(self.mapping, canonical).names)
        if canonical in self.beside:
            return self.beside[canonical]
        name = getattr(self.mapping, canonical, None)
        return () if name is None else (name,)

    def absent(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        """Of the canonical columns that these fields need those that the data do not have."""
        needed = dict.fromkeys(column for name in fields for column in FIELDS[name].columns)
        return tuple(column for column in needed if not self.columns_of(column))

    def columns(self) -> tuple[str, ...]:
        """Every column of the data that some field needs, each once."""
        beside = (name for names in self.beside.values() for name in names)
        return tuple(dict.fromkeys([*self.mapping.columns(), *beside]))

    def index(self, field: str) -> CodeIndex:
        """The index that a field's codes are read by."""
        return self.diagnoses if FIELDS[field].codes == "diagnosis" else self.procedures


class Frame:
    """The fields of one batch.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
    layout : Layout
        Of a schema with the columns of this batch.
    first_row : int
        Number of the batch's first row in the data, counted from 0.
    """

    def __init__(self, batch: pa.RecordBatch, layout: Layout, first_row: int = 0) -> None:
        self.batch, self.layout, self.first_row = batch, layout, first_row
        self.cases: CaseArrays = encode_cases(
            batch, layout.mapping, layout.diagnoses, layout.procedures
        )
        self._numbers: dict[str, tuple[pa.Array, Flags]] = {}
        self._days: dict[str, tuple[pa.Array, Flags]] = {}
        self._codes: dict[str, Ids] = {}

    def __len__(self) -> int:
        """Number of cases."""
        return self.batch.num_rows

    def raw(self, canonical: str) -> pa.Array:
        """The one column of a canonical column, as the data hold it."""
        return self.batch.column(self.layout.columns_of(canonical)[0])

    def number(self, name: str) -> tuple[pa.Array, Flags]:
        """A number (float64, null where there is none), and where what stands there is none.

        Of an answer 1 is yes and 0 is no.
        """
        if name not in self._numbers:
            self._numbers[name] = self._read_number(name)
        return self._numbers[name]

    def _read_number(self, name: str) -> tuple[pa.Array, Flags]:
        if name == "sex":
            sex = self.cases.sex
            return pa.array(sex.astype(float), mask=sex <= 0), sex < 0
        if name in ("age_years", "age_days", "newborn_weight_g"):
            whole = getattr(self.cases, name)
        elif name in _PARSERS:
            whole = _PARSERS[name](_readable(self.raw(name)))
        else:
            return read_numbers(self.raw(name))
        return pa.array(whole.astype(float), mask=whole < 0), whole == INVALID_NUMBER

    def numbers(self, name: str) -> list[pa.Array]:
        """Several numbers of a case, one array each."""
        return [
            read_numbers(self.batch.column(column))[0] for column in self.layout.columns_of(name)
        ]

    def day(self, name: str) -> tuple[pa.Array, Flags]:
        """A day as int32 since 1970, and where what stands there is none."""
        if name not in self._days:
            self._days[name] = _days(self.raw(name), name)
        return self._days[name]

    def days(self, name: str) -> list[tuple[pa.Array, Flags]]:
        """Several days of a case, one array each; of lists as many as the longest has."""
        found = []
        for canonical in FIELDS[name].columns:
            if FIELDS[canonical].kind == "day":
                found.append(self.day(canonical))
                continue
            for column in self.layout.columns_of(canonical):
                values = self.batch.column(column)
                for part in _unfolded(values, self.layout.mapping.separator):
                    found.append(_days(part, column))
        return found

    def code(self, name: str) -> Ids:
        """Ids of a field with one code."""
        if name in ("principal_diagnosis", "principal_procedure"):
            return getattr(self.cases, name)
        if name not in self._codes:
            self._codes[name] = self.layout.index(name).encode(_readable_text(self.raw(name)))
        return self._codes[name]

    def parts(self, name: str) -> list[tuple[npt.NDArray[np.int64] | None, Ids]]:
        """Ids of a field of codes: pairs of offsets and ids; no offsets for one id a case."""
        if FIELDS[name].kind == "code":
            return [(None, self.code(name))]
        found: list[tuple[npt.NDArray[np.int64] | None, Ids]] = []
        for column in FIELDS[name].columns:
            if column == "other_diagnoses":
                found.append((self.cases.other_diagnosis_offsets, self.cases.other_diagnoses))
            elif column == "other_procedures":
                found.append((self.cases.other_procedure_offsets, self.cases.other_procedures))
            else:
                found.append((None, self.code(column)))
        return found

    def text(self, name: str) -> pa.Array:
        """A text, tidied; null where there is none."""
        return read_texts(self.raw(name))


def read_texts(column: pa.Array) -> pa.Array:
    """Any column as texts without blanks at the ends; null for marks of "nothing here".

    Examples
    --------
    >>> read_texts(pa.array([" a ", "-", None])).to_pylist()
    ['a', None, None]
    """
    plain = _readable_text(column)
    stripped = pc.utf8_trim_whitespace(plain)
    return pc.if_else(pa.array(is_missing(tidy(plain))), pa.scalar(None, pa.string()), stripped)


def read_numbers(column: pa.Array) -> tuple[pa.Array, Flags]:
    """Numbers of any column (float64, null where there is none), and which cells are no number.

    Examples
    --------
    >>> numbers, wrong = read_numbers(pa.array(["1,234.5", "￥8元", "-", "abc"]))
    >>> numbers.to_pylist(), wrong.tolist()
    ([1234.5, 8.0, None, None], [False, False, False, True])
    """
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if is_number(kind):
        plain = column.dictionary_decode() if types.is_dictionary(column.type) else column
        floats = pc.cast(plain, pa.float64(), safe=False).fill_null(np.nan)
        values = floats.to_numpy(zero_copy_only=False)
        missing, wrong = np.isnan(values), np.isinf(values)
        return pa.array(values, mask=missing | wrong), wrong
    tidied = tidy(_readable_text(column))
    missing = is_missing(tidied)
    bare = pc.replace_substring_regex(tidied, r"^[¥￥]\s*|\s*元$", "")
    grouped = pc.match_substring_regex(bare, _DIGIT_GROUPS)
    bare = pc.if_else(grouped, pc.replace_substring(bare, ",", ""), bare)
    readable = pc.fill_null(pc.match_substring_regex(bare, _NUMBER), False)
    numbers = pc.if_else(readable, bare, pa.scalar(None, pa.string())).cast(pa.float64())
    wrong = ~missing & ~readable.to_numpy(zero_copy_only=False)
    return numbers, wrong


def _unfolded(values: pa.Array, separator: str) -> list[pa.Array]:
    """A column of lists or of joined texts as one array for each place in them."""
    if is_text(values.type):
        if not pc.any(pc.match_substring(values, separator), min_count=0).as_py():
            return [values]
        values = pc.split_pattern(values, separator)
    if not (types.is_list(values.type) or types.is_large_list(values.type)):
        return [values]
    longest = pc.max(pc.list_value_length(values)).as_py() or 0
    slices = pc.list_slice(values, 0, longest, return_fixed_size_list=True)
    flat = slices.flatten()
    # Null lists have no values in the flat array.
    there = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    places = np.full(len(values), -1, np.int64)
    places[there] = np.arange(len(there))
    found = []
    for place in range(longest):
        at = pa.array(places * longest + place, mask=places < 0)
        found.append(flat.take(at))
    return found


def _readable(column: pa.Array) -> pa.Array:
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    readable = is_number(kind) or is_text(kind) or types.is_null(kind)
    return column if readable else _readable_text(column)


def _readable_text(column: pa.Array) -> pa.Array:
    """Any column as strings."""
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_floating(column.type):
        # A column without any value often comes as floating.
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if types.is_string(column.type):
        return column
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowException, NotImplementedError):
        return pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())


def _days(column: pa.Array, name: str) -> tuple[pa.Array, Flags]:
    """Days as int32 since 1970, and which cells are no day."""
    days, wrong = read_days(column, name=name)
    return days.view(pa.int32()), wrong
