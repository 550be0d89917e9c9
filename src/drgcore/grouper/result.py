"""What grouping says of a case: status, reason, severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases.arrow_arrays import number_array, text_array
from drgcore.cases.statuses import STATUSES
from drgcore.errors import CaseSchemaError
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.language import N_, Texts, _

SEVERITIES = ("none", "CC", "MCC")
"""The worst complication that the principal diagnosis does not exclude."""

REASONS: Mapping[str, str] = Texts(
    {
        "principal_diagnosis_missing": N_("the principal diagnosis is missing"),
        "principal_diagnosis_unknown": N_(
            "the principal diagnosis is no code of the insurance version of ICD-10"
        ),
        "sex_missing": N_("sex is missing or stated as unknown"),
        "sex_invalid": N_("sex is neither male nor female"),
        "age_missing": N_("age in years is missing"),
        "age_invalid": N_("age in years is no number from 0 to 150"),
        "age_days_missing": N_("age is 0 years and age in days is missing"),
        "age_days_invalid": N_("age is 0 years and age in days is no number from 0 to 365"),
        "newborn_weight_missing": N_("the group depends on the newborn's weight, which is missing"),
        "newborn_weight_invalid": N_(
            "the group depends on the newborn's weight, "
            "which is no number of grams from 100 to 20000"
        ),
        "no_mdc": N_("the rule of no MDC holds"),
        "no_adrg": N_("an MDC fits the diagnosis, but none of its ADRG holds"),
        "catch_all": N_("only the catch-all group of the MDC holds"),
        "no_drg": N_("an ADRG holds, but none of its DRG"),
        "unrelated_procedure": N_("a valid procedure is unrelated to the principal diagnosis"),
        "discharge_date_missing": N_("the discharge date, which decides the scheme, is missing"),
        "discharge_date_invalid": N_(
            "the discharge date, which decides the scheme, is no date or has two readings"
        ),
        "discharge_date_early": N_(
            "the discharge date lies before the first scheme of the calendar"
        ),
        "no_mdc_diagnosis": N_("no MDC takes the code as the principal diagnosis"),
        "no_mdc_sex": N_("the MDC of the principal diagnosis asks for the other sex"),
        "no_mdc_age": N_("the MDC of the principal diagnosis asks for another age"),
    }
)
"""Reason code → what it means, in the language that is spoken.

The order is that of the kernel's numbers, from 1.
The last three are given before the kernel, where the day of discharge decides the scheme.
"""

RESULT_COLUMNS = ("mdc", "adrg", "drg", "status", "reason", "severity", "reasons", "code_flags")

LIST_COLUMNS = ("reasons", "severity_codes")
"""Of the result columns those that hold lists of strings; the others hold strings."""

CODE_FLAGS: Mapping[str, str] = Texts(
    {
        "other_diagnoses": N_("an other diagnosis is no code of the dictionary"),
        "other_procedures": N_("an other procedure is no code of the dictionary"),
        "local_values": N_("a number that the local scheme asks for cannot be read"),
        "principal_procedure": N_("the principal procedure is no code of the dictionary"),
        "list_of_diagnoses": N_("the principal diagnosis was the first code of a text of several"),
        "list_of_procedures": N_("the principal procedure was the first code of a text of several"),
        "principal_diagnosis": N_("the principal diagnosis is no code of the dictionary"),
    }
)
"""Mark in `code_flags` → what it means, in the language that is spoken; as the bits, from 1."""

(
    UNKNOWN_OTHER_DIAGNOSIS,
    UNKNOWN_OTHER_PROCEDURE,
    UNREADABLE_LOCAL,
    UNKNOWN_PRINCIPAL_PROCEDURE,
    LIST_OF_DIAGNOSES,
    LIST_OF_PROCEDURES,
    UNKNOWN_PRINCIPAL_DIAGNOSIS,
) = (1 << bit for bit in range(len(CODE_FLAGS)))

FLAG_SETS = 1 << len(CODE_FLAGS)
"""How many sets of these marks there are."""

_REASON_CODES = tuple(REASONS)
_FLAG_TEXTS = tuple(
    "|".join(name for bit, name in enumerate(CODE_FLAGS) if flags >> bit & 1)
    for flags in range(1, FLAG_SETS)
)


@dataclass(frozen=True)
class GroupedRows:
    """The kernel's output for some rows, by index; -1 (0 for the reason) stands for none.

    `faults` has a bit for each reason that holds, that of `reason` included; 0 where there is only
    that one. `severity_codes` holds the diagnoses that counted, where they were asked for.
    """

    adrg: NDArray[np.int16]
    drg: NDArray[np.int16]
    status: NDArray[np.int8]
    reason: NDArray[np.int8]
    severity: NDArray[np.int8]
    code_flags: NDArray[np.int8]
    faults: NDArray[np.int32]
    severity_codes: pa.ListArray | None = None

    @classmethod
    def empty(cls, rows: int) -> GroupedRows:
        """Room for the results of `rows` cases."""
        return cls(
            adrg=np.empty(rows, dtype=np.int16),
            drg=np.empty(rows, dtype=np.int16),
            status=np.empty(rows, dtype=np.int8),
            reason=np.empty(rows, dtype=np.int8),
            severity=np.empty(rows, dtype=np.int8),
            code_flags=np.empty(rows, dtype=np.int8),
            faults=np.zeros(rows, dtype=np.int32),
        )

    @classmethod
    def invalid(cls, rows: int, reason: str) -> GroupedRows:
        """The results of `rows` cases that no rule was tried for."""
        result = cls.empty(rows)
        for array in result.arrays():
            array[:] = -1
        result.status[:] = STATUSES.index("invalid")
        result.reason[:] = _REASON_CODES.index(reason) + 1
        result.code_flags[:] = 0
        return result

    def __len__(self) -> int:
        return len(self.status)

    def arrays(self) -> tuple[NDArray[np.int16] | NDArray[np.int8], ...]:
        """The arrays in the order in which the kernel takes them."""
        return (self.adrg, self.drg, self.status, self.reason, self.severity, self.code_flags)

    def every(self) -> tuple[NDArray[Any], ...]:
        """All arrays in the order of the fields, to take some rows of or to join."""
        return (*self.arrays(), self.faults)

    def columns(self, tables: GrouperTables) -> dict[str, pa.Array]:
        """The result columns as dictionary arrays of strings, or lists; null for none."""
        # No ADRG is -1, which finds the -1 behind the last ADRG.
        mdc = np.append(tables.adrg_mdc, np.int16(-1))[self.adrg]
        return {
            "mdc": _dictionary(mdc, tables.mdc_codes),
            "adrg": _dictionary(self.adrg, tables.adrg_codes),
            "drg": _dictionary(self.drg, tables.drg_codes),
            "status": _dictionary(self.status, STATUSES),
            "reason": _dictionary(self.reason - 1, _REASON_CODES),
            "severity": _dictionary(self.severity, SEVERITIES),
            "reasons": self._reasons(),
            "code_flags": _dictionary(self.code_flags.astype(np.int32) - 1, _FLAG_TEXTS),
        }

    def _reasons(self) -> pa.ListArray:
        """All reasons of each row, the one of `reason` first; null where there is none."""
        bits = self.faults | np.where(self.reason > 0, 1 << self.reason.astype(np.int32), 0)
        # Of a few million rows a few hundred combinations occur.
        keys = bits.astype(np.int64) << 8 | self.reason
        there = np.flatnonzero(bits)
        kinds, which = np.unique(keys[there], return_inverse=True)
        lists = []
        for key in kinds.tolist():
            first = key & 255
            rest = [n for n in range(1, len(REASONS) + 1) if key >> (8 + n) & 1 and n != first]
            lists.append([_REASON_CODES[n - 1] for n in (first, *rest)])
        places = np.full(len(bits), -1, np.int64)
        places[there] = which
        ends = np.cumsum([0, *map(len, lists)], dtype=np.int32)
        texts = text_array([text for reasons in lists for text in reasons])
        every = pa.ListArray.from_arrays(number_array(ends), texts)
        return every.take(number_array(places, places < 0))


def result_fields(prefix: str, results: Sequence[str]) -> list[pa.Field]:
    """The result columns as they stand in a file."""
    lists = pa.list_(pa.string())
    return [
        pa.field(prefix + name, lists if name in LIST_COLUMNS else pa.string()) for name in results
    ]


def check_free(
    names: list[str], prefix: str, keep_hint: str, results: Sequence[str] = RESULT_COLUMNS
) -> None:
    """Refuse to write over columns of the input that have the results' names.

    Raises
    ------
    CaseSchemaError
        Names the columns.
    """
    taken = [prefix + c for c in results if prefix + c in names]
    if taken:
        raise CaseSchemaError(
            _(
                "the input already has {value} {taken}",
                value=_("a column") if len(taken) == 1 else _("columns"),
                taken=", ".join(taken),
            ),
            hint=_(
                "Give the results a prefix, e.g. 'new_', or leave those out with {keep_hint}.",
                keep_hint=keep_hint,
            ),
        )


def _dictionary(index: NDArray[np.signedinteger], values: tuple[str, ...]) -> pa.DictionaryArray:
    indices = number_array(index.astype(np.int32, copy=False), index < 0)
    return pa.DictionaryArray.from_arrays(indices, _words(values))


@lru_cache(maxsize=32)
def _words(values: tuple[str, ...]) -> pa.StringArray:
    return text_array(values)
