"""The short way of a few cases to their groups: ids from a dictionary, no table of columns."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from drgcore.cases import FIRST_CODE, MISSING, MISSING_NUMBER, UNKNOWN, CaseArrays, CodeIndex
from drgcore.cases.ages import INFANT_DAYS
from drgcore.cases.text import MISSING_MARKS
from drgcore.cases.values import (
    MAX_AGE_DAYS,
    MAX_AGE_YEARS,
    MAX_NEWBORN_WEIGHT_G,
    MIN_NEWBORN_WEIGHT_G,
    SEX_MISSING,
)
from drgcore.grouper.batch import BatchGrouper
from drgcore.grouper.result import RESULT_COLUMNS, SEVERITIES
from drgcore.serve.calls.cases import Case

_NAMED = ("mdc", "adrg", "drg")
_SEXES: dict[str | int | None, int] = {
    **dict.fromkeys((1, "1", "男"), 1),
    **dict.fromkeys((2, "2", "女"), 2),
    **dict.fromkeys((None, 0, 9), SEX_MISSING),
}
# A text of these signs alone is one code, known or not: no list, nothing to be folded but case.
_ONE_CODE = re.compile(r"[0-9A-Za-z.+*]+", re.ASCII)


class Read(NamedTuple):
    """A case as ids and numbers, as `CaseArrays` has them of many."""

    principal_diagnosis: int
    other_diagnoses: list[int]
    principal_procedure: int
    other_procedures: list[int]
    sex: int
    age_years: int
    age_days: int
    newborn_weight_g: int


@dataclass(frozen=True, eq=False)
class DirectGrouper:
    """Groups few cases at a time, where all that they hold is written in a plain form.

    Most of what `group` does for a table costs the same for one row as for a thousand: columns are
    resolved, cast, looked up, and results made dictionaries of all groups. This way does none of
    it. What is not plain (several codes in one text, an age as a text) it leaves to the other.

    Parameters
    ----------
    grouper : BatchGrouper
        Of insurance codes.
    diagnoses, procedures : PlainCodes
        The ids of codes.
    names : dict of str to str
        The names of groups.

    Examples
    --------
    >>> direct = DirectGrouper.of("chs-drg-3.0")
    >>> case = Case(principal_diagnosis="G11.900", other_diagnoses=["S52.804"], sex=2, age_years=69)
    >>> one, = direct.group([direct.read(case)])
    >>> one["drg"]
    'BU23'
    >>> direct.read(Case(principal_diagnosis="G11.900", sex=2, age_years="69岁")) is None
    True
    """

    grouper: BatchGrouper
    diagnoses: PlainCodes
    procedures: PlainCodes
    names: dict[str, str]

    @classmethod
    def of(cls, place: str | Path) -> DirectGrouper:
        """For a scheme, compiled once."""
        grouper = BatchGrouper.of(place, False)
        tables = grouper.tables
        codes = [*tables.mdc_codes, *tables.adrg_codes, *tables.drg_codes]
        return cls(
            grouper,
            PlainCodes(tables.diagnoses),
            PlainCodes(tables.procedures),
            {code: tables.scheme.name_of(code) for code in codes},
        )

    def read(self, case: Case) -> Read | None:
        """A case as ids and numbers, or None for one that is not plain."""
        if self.grouper.asks_local or (case.sex not in _SEXES):
            return None
        years = _number(case.age_years, MAX_AGE_YEARS)
        days = _number(case.age_days, MAX_AGE_DAYS)
        weight = _number(case.newborn_weight_g, MAX_NEWBORN_WEIGHT_G)
        if years is None or days is None or weight is None:
            return None
        if weight == 0:
            weight = MISSING_NUMBER
        elif 0 < weight < MIN_NEWBORN_WEIGHT_G:
            return None
        if years <= 0:
            if days == MISSING_NUMBER and case.model_extra:
                # Columns beside the canonical ones may tell the days: two dates, months.
                return None
            if years == MISSING_NUMBER and 0 <= days <= INFANT_DAYS:
                years = 0
        first = self.diagnoses.one(case.principal_diagnosis)
        operation = self.procedures.one(case.principal_procedure)
        others = self.diagnoses.several(case.other_diagnoses)
        further = self.procedures.several(case.other_procedures)
        if first is None or operation is None or others is None or further is None:
            return None
        return Read(first, others, operation, further, _SEXES[case.sex], years, days, weight)

    def group(self, cases: Sequence[Read]) -> list[dict[str, Any]]:
        """The results of cases in their order; none depends on another."""
        tables = self.grouper.tables
        rows = self.grouper.group_arrays(_arrays(cases))
        odd = ((rows.code_flags != 0) | (rows.reason > 0)).tolist()
        texts: dict[str, list[Any]] = {}
        if True in odd:
            # Reasons and marks are texts; cases with them are few.
            texts = {name: column.to_pylist() for name, column in rows.columns(tables).items()}
        adrgs, drgs, severities = rows.adrg.tolist(), rows.drg.tolist(), rows.severity.tolist()
        results = []
        for i, adrg in enumerate(adrgs):
            if odd[i]:
                found = {name: texts[name][i] for name in RESULT_COLUMNS}
            else:
                found = {
                    "mdc": tables.mdc_codes[tables.adrg_mdc[adrg]],
                    "adrg": tables.adrg_codes[adrg],
                    "drg": tables.drg_codes[drgs[i]],
                    "status": "grouped",
                    "reason": None,
                    "severity": SEVERITIES[severities[i]],
                    "reasons": None,
                    "code_flags": None,
                }
            for level in _NAMED:
                found[f"{level}_name"] = self.names.get(found[level])
            results.append(found)
        return results


class PlainCodes:
    """Ids of codes that stand one a text, without Arrow.

    Parameters
    ----------
    index : CodeIndex
        Without a translation.

    Examples
    --------
    >>> codes = PlainCodes(CodeIndex(["A00.000", "33.6x00"]))
    >>> codes.one("33.6X00"), codes.one(None), codes.one("A00"), codes.one("A00.000;A01")
    (3, 0, 1, None)
    >>> codes.several(["A00.000", "-"])
    [2]
    """

    def __init__(self, index: CodeIndex) -> None:
        self._exact: dict[str | None, int] = {
            code: FIRST_CODE + i for i, code in enumerate(index.codes.to_pylist())
        }
        folded: dict[str, int] = {}
        for code, number in self._exact.items():
            # Two codes that differ in case only are told apart by their exact text.
            form = str(code).lower()
            folded[form] = UNKNOWN if form in folded else number
        marks = dict.fromkeys(MISSING_MARKS, MISSING)
        self._folded = folded | marks
        self._exact.update(marks)
        self._exact[None] = MISSING

    def one(self, text: str | None) -> int | None:
        """Id of a text, `MISSING` or `UNKNOWN`; None for what may be more than one code."""
        known = self._exact.get(text)
        if known is None and text is not None and _ONE_CODE.fullmatch(text):
            return self._folded.get(text.lower(), UNKNOWN)
        return known

    def several(self, texts: Sequence[str]) -> list[int] | None:
        """Ids of texts without those that are `MISSING`; None where one is not plain."""
        known = self._exact.get
        ids = [known(text) or self.one(text) for text in texts]
        if None in ids:
            return None
        return [number for number in ids if number]


def _number(value: Any, most: int) -> int | None:
    """A number cut to a whole one, or `MISSING_NUMBER`; None for what is not plain."""
    if value is None:
        return MISSING_NUMBER
    if type(value) not in (int, float) or not 0 <= value < most + 1:
        return None
    return floor(value)


def _arrays(cases: Sequence[Read]) -> CaseArrays:
    firsts, others, operations, further, sexes, years, days, weights = zip(*cases, strict=True)
    return CaseArrays(
        np.array(firsts, np.int32),
        *_flat(others),
        np.array(operations, np.int32),
        *_flat(further),
        np.array(sexes, np.int8),
        np.array(years, np.int32),
        np.array(days, np.int32),
        np.array(weights, np.int32),
    )


def _flat(lists: Sequence[list[int]]) -> tuple[Any, Any]:
    offsets = np.array([0, *accumulate(map(len, lists))], np.int64)
    return offsets, np.array([number for numbers in lists for number in numbers], np.int32)


_KEPT = 4
_ready: OrderedDict[str | Path, DirectGrouper] = OrderedDict()
_making = Lock()


def ready_grouper(place: str | Path) -> DirectGrouper | None:
    """The short way for a scheme if it is there already, so that asking for it is quick."""
    return _ready.get(place)


def direct_grouper(place: str | Path) -> DirectGrouper:
    """The short way for a scheme; those made last are kept."""
    found = _ready.get(place)
    if found is not None:
        return found
    with _making:
        if place not in _ready:
            _ready[place] = DirectGrouper.of(place)
            while len(_ready) > _KEPT:
                _ready.popitem(last=False)
        return _ready[place]
