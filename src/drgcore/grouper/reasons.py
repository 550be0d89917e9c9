"""All reasons of a case, behind the first that the compiled loop gives."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from drgcore.cases import INVALID_NUMBER, MISSING_NUMBER, UNKNOWN, CaseArrays
from drgcore.cases.ages import INFANT_DAYS
from drgcore.cases.statuses import STATUSES
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.grouper.plain import PlainCase, why_no_mdc
from drgcore.grouper.result import REASONS, GroupedRows
from drgcore.schemes import Scheme

_NUMBER = {reason: number for number, reason in enumerate(REASONS, 1)}
_INVALID = STATUSES.index("invalid")


def complete_reasons(rows: GroupedRows, cases: CaseArrays, tables: GrouperTables) -> None:
    """Write all faults of invalid cases, and why no MDC takes a case, into the rows.

    Parameters
    ----------
    rows : GroupedRows
        What the compiled loop said of the cases; `faults` and `reason` are changed.
    cases : CaseArrays
        The same cases.
    tables : GrouperTables
    """
    _find_faults(rows, cases, tables)
    _find_why_no_mdc(rows, cases, tables)


def _find_faults(rows: GroupedRows, cases: CaseArrays, tables: GrouperTables) -> None:
    invalid = np.flatnonzero(rows.status == _INVALID)
    if not len(invalid):
        return
    layout = tables.kernel.layout
    diagnosis, sex = cases.principal_diagnosis[invalid], cases.sex[invalid]
    age, days = cases.age_years[invalid], cases.age_days[invalid]
    infant = (age == 0) & bool(layout["requires_days"])
    asks_age = bool(layout["requires_age"])
    asks_sex = bool(layout["requires_sex"])
    faults = np.zeros(len(invalid), np.int32)
    for reason, holds in (
        ("principal_diagnosis_missing", diagnosis < UNKNOWN),
        ("principal_diagnosis_unknown", diagnosis == UNKNOWN),
        ("sex_missing", (sex == 0) & asks_sex),
        ("sex_invalid", (sex < 0) & asks_sex),
        ("age_missing", (age == MISSING_NUMBER) & asks_age),
        ("age_invalid", (age == INVALID_NUMBER) & asks_age),
        ("age_days_missing", (days == MISSING_NUMBER) & infant),
        ("age_days_invalid", ((days == INVALID_NUMBER) | (days > INFANT_DAYS)) & infant),
    ):
        faults[holds] |= 1 << _NUMBER[reason]
    rows.faults[invalid] = faults


def _find_why_no_mdc(rows: GroupedRows, cases: CaseArrays, tables: GrouperTables) -> None:
    nowhere = np.flatnonzero(rows.reason == _NUMBER["no_mdc"])
    if not len(nowhere):
        return
    ages, days = cases.age_years[nowhere], cases.age_days[nowhere]
    # The same diagnosis, sex and age are looked at once; the days count for infants only.
    keys = np.stack(
        [
            cases.principal_diagnosis[nowhere],
            cases.sex[nowhere],
            ages,
            np.where(ages <= 0, days, MISSING_NUMBER),
        ],
        axis=1,
    )
    kinds, which = np.unique(keys, axis=0, return_inverse=True)
    first = np.empty(len(kinds), np.int8)
    faults = np.zeros(len(kinds), np.int32)
    for place, (diagnosis, sex, years, age_days) in enumerate(kinds.tolist()):
        code = tables.diagnoses.decode([diagnosis])[0].as_py()
        numbers = [_NUMBER[r] for r in _why(tables.scheme, code, sex, years, age_days)]
        first[place] = numbers[0]
        faults[place] = sum(1 << number for number in numbers)
    rows.reason[nowhere] = first[which.ravel()]
    rows.faults[nowhere] = faults[which.ravel()]


@lru_cache(maxsize=65_536)
def _why(scheme: Scheme, code: str, sex: int, years: int, days: int) -> tuple[str, ...]:
    def number(value: int) -> int | None:
        return None if value == MISSING_NUMBER else value

    case = PlainCase(code, sex=sex or None, age_years=number(years), age_days=number(days))
    return why_no_mdc(scheme, case)
