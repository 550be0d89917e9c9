"""Result columns on request: names, the complications that counted, what made the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import CaseArrays
from drgcore.cases.arrow_arrays import flag_array, number_array, text_array
from drgcore.cases.codes import FIRST_CODE
from drgcore.cases.statuses import STATUSES
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.grouper.result import GroupedRows

NAME_COLUMNS = ("mdc_name", "adrg_name", "drg_name")
STAMP_COLUMNS = ("scheme", "scheme_digest", "drgcore_version")
SEVERITY_CODES = "severity_codes"

_INVALID = STATUSES.index("invalid")


@dataclass(frozen=True)
class Extras:
    """Which result columns are wanted beside those that grouping always adds.

    Attributes
    ----------
    names : bool
        The official names of MDC, ADRG and DRG.
    severity_codes : bool
        The other diagnoses that counted as MCC or CC, as lists.
    stamp : bool
        Scheme, its digest and the program's version.
    """

    names: bool = False
    severity_codes: bool = False
    stamp: bool = False

    @property
    def result_columns(self) -> tuple[str, ...]:
        """The columns, in their order."""
        listed = (SEVERITY_CODES,) if self.severity_codes else ()
        return (
            *(NAME_COLUMNS if self.names else ()),
            *listed,
            *(STAMP_COLUMNS if self.stamp else ()),
        )

    def columns(self, rows: GroupedRows, tables: GrouperTables) -> dict[str, pa.Array]:
        """The columns of some rows of one scheme."""
        found: dict[str, pa.Array] = {}
        if self.names:
            mdc = np.append(tables.adrg_mdc, np.int16(-1))[rows.adrg]
            for column, index, codes in zip(
                NAME_COLUMNS,
                (mdc, rows.adrg, rows.drg),
                (tables.mdc_codes, tables.adrg_codes, tables.drg_codes),
                strict=True,
            ):
                found[column] = _named(index, [tables.scheme.name_of(code) for code in codes])
        if self.severity_codes:
            found[SEVERITY_CODES] = rows.severity_codes
        if self.stamp:
            scheme = tables.scheme
            digest = scheme.metadata.get("digest")
            for column, value in zip(
                STAMP_COLUMNS, (scheme.name, digest, program_version()), strict=True
            ):
                words = text_array([value or ""])
                places = number_array(np.zeros(len(rows), np.int32))
                found[column] = pa.DictionaryArray.from_arrays(places, words)
        return found


NO_EXTRAS = Extras()


def program_version() -> str:
    """The version of this program."""
    return str(import_module("drgcore").__version__)


def counted_diagnoses(rows: GroupedRows, cases: CaseArrays, tables: GrouperTables) -> pa.ListArray:
    """The other diagnoses that counted as MCC or CC: on the list, and not excluded.

    Parameters
    ----------
    rows : GroupedRows
        Results of n cases.
    cases : CaseArrays
        The n cases.
    tables : GrouperTables

    Returns
    -------
    pyarrow.ListArray of string
        n lists: codes as the scheme has them, each once, in the order of the case; null for an
        invalid case.
    """
    t, ints, words = tables.kernel
    offsets, ids = cases.other_diagnosis_offsets, cases.other_diagnoses
    owner = np.repeat(np.arange(len(cases)), np.diff(offsets))
    listed = tables.complication[ids]
    kept = np.flatnonzero(listed)
    owner, ids, table = owner[kept], ids[kept], (listed[kept] >> 2) - 1
    excluded = ints[int(t["exclusion_row"]) + cases.principal_diagnosis[owner]]
    counts = table < 0
    asked = np.flatnonzero(~counts)
    bits = words[excluded[asked] + (table[asked] >> 6)]
    counts[asked] = bits >> (table[asked] & 63).astype(np.uint64) & np.uint64(1) == 0
    owner, ids = owner[counts], ids[counts]
    # Of a code that stands twice the first.
    keys = owner.astype(np.int64) << 32 | ids
    first = np.sort(np.unique(keys, return_index=True)[1])
    owner, ids = owner[first], ids[first]
    ends = np.cumsum(np.bincount(owner, minlength=len(cases)))
    starts = np.concatenate([[0], ends]).astype(np.int32)
    codes = tables.diagnoses.codes.take(number_array(ids - FIRST_CODE))
    return pa.ListArray.from_arrays(
        number_array(starts), codes.cast(pa.string()), mask=flag_array(rows.status == _INVALID)
    )


def _named(index: NDArray[np.int16], names: Sequence[str]) -> pa.DictionaryArray:
    """Names by place; a dictionary has each of them once."""
    words = list(dict.fromkeys(name for name in names if name))
    place = {name: i for i, name in enumerate(words)}
    places = np.array([*(place.get(name, -1) for name in names), -1], np.int32)[index]
    return pa.DictionaryArray.from_arrays(number_array(places, places < 0), text_array(words))
