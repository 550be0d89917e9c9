"""The short way of one case to its group: ids from a dictionary, no table of columns."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from drgcore.cases import FIRST_CODE, MISSING, MISSING_NUMBER, CaseArrays, CodeIndex
from drgcore.cases.ages import INFANT_DAYS
from drgcore.cases.values import MAX_AGE_YEARS
from drgcore.grouper.batch import BatchGrouper
from drgcore.grouper.result import RESULT_COLUMNS, SEVERITIES
from drgcore.serve.calls.cases import Case

_NAMED = ("mdc", "adrg", "drg")
_SEXES = {1: 1, 2: 2, "1": 1, "2": 2, "男": 1, "女": 2}


@dataclass(frozen=True, eq=False)
class DirectGrouper:
    """Groups one case at a time, where all that it holds is written in the plainest form.

    Most of what `group` does for a table costs the same for one row as for a thousand: columns are
    resolved, cast, looked up, and results made dictionaries of all groups. This way does none of
    it. What is not plain (an unknown code, an age as a text) it leaves to the other.

    Parameters
    ----------
    grouper : BatchGrouper
        Of insurance codes.
    diagnoses, procedures : dict of str to int
        The ids of codes.
    names : dict of str to str
        The names of groups.

    Examples
    --------
    >>> direct = DirectGrouper.of("chs-drg-3.0")
    >>> case = Case(principal_diagnosis="G11.900", other_diagnoses=["S52.804"], sex=2, age_years=69)
    >>> direct.group(case)["drg"]
    'BU23'
    >>> direct.group(Case(principal_diagnosis="G11.900", sex=2, age_years="69岁")) is None
    True
    """

    grouper: BatchGrouper
    diagnoses: dict[str, int]
    procedures: dict[str, int]
    names: dict[str, str]

    @classmethod
    def of(cls, place: str | Path) -> DirectGrouper:
        """For a scheme, compiled once."""
        grouper = BatchGrouper.of(place, False)
        tables = grouper.tables
        codes = [*tables.mdc_codes, *tables.adrg_codes, *tables.drg_codes]
        return cls(
            grouper,
            _ids(tables.diagnoses),
            _ids(tables.procedures),
            {code: tables.scheme.name_of(code) for code in codes},
        )

    def group(self, case: Case) -> dict[str, Any] | None:
        """The results of a case, or None for one that is not plain."""
        arrays = self._arrays(case)
        if arrays is None:
            return None
        tables = self.grouper.tables
        rows = self.grouper.group_arrays(arrays)
        if rows.code_flags[0] or rows.reason[0] > 0:
            # Reasons and marks are texts; cases with them are few.
            columns = rows.columns(tables)
            found = {name: columns[name][0].as_py() for name in RESULT_COLUMNS}
        else:
            adrg, drg = int(rows.adrg[0]), int(rows.drg[0])
            found = {
                "mdc": tables.mdc_codes[tables.adrg_mdc[adrg]],
                "adrg": tables.adrg_codes[adrg],
                "drg": tables.drg_codes[drg],
                "status": "grouped",
                "reason": None,
                "severity": SEVERITIES[int(rows.severity[0])],
                "reasons": None,
                "code_flags": None,
            }
        return found | {f"{level}_name": self.names.get(found[level]) for level in _NAMED}

    def _arrays(self, case: Case) -> CaseArrays | None:
        sex, years, days, weight = (
            _SEXES.get(case.sex) if type(case.sex) in (int, str) else None,
            case.age_years,
            case.age_days,
            case.newborn_weight_g,
        )
        if sex is None or type(years) is not int or not 0 <= years <= MAX_AGE_YEARS:
            return None
        if years == 0 and (type(days) is not int or not 0 <= days <= INFANT_DAYS):
            return None
        if weight is not None or (years and days is not None) or self.grouper.asks_local:
            return None
        first = self.diagnoses.get(case.principal_diagnosis or "")
        others = [self.diagnoses.get(code) for code in case.other_diagnoses]
        operation = MISSING
        if case.principal_procedure is not None:
            operation = self.procedures.get(case.principal_procedure, -1)
        further = [self.procedures.get(code) for code in case.other_procedures]
        if first is None or operation < 0 or None in others or None in further:
            return None
        return CaseArrays(
            np.array([first], np.int32),
            np.array([0, len(others)], np.int64),
            np.array(others, np.int32),
            np.array([operation], np.int32),
            np.array([0, len(further)], np.int64),
            np.array(further, np.int32),
            np.array([sex], np.int8),
            np.array([years], np.int32),
            np.array([MISSING_NUMBER if days is None else days], np.int32),
            np.array([MISSING_NUMBER], np.int32),
        )


_KEPT = 4
_ready: OrderedDict[str | Path, DirectGrouper] = OrderedDict()
_making = Lock()


def is_ready(place: str | Path) -> bool:
    """Whether the short way for a scheme is there already, so that asking for it is quick."""
    return place in _ready


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


def _ids(index: CodeIndex) -> dict[str, int]:
    return {code: FIRST_CODE + i for i, code in enumerate(index.codes.to_pylist())}
