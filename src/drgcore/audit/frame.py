"""Grouped cases as the arrays that signals look at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import CodeIndex, open_cases
from drgcore.cases.attributes import Codes, dates_of, numbers_of, text_codes
from drgcore.cases.statuses import statuses_of, statuses_of_groups
from drgcore.checks.mdc import MdcTables
from drgcore.errors import CaseSchemaError
from drgcore.grouper.tables import compile_tables
from drgcore.language import _
from drgcore.schemes import Scheme, load_scheme

NO_DAY = np.iinfo(np.int32).min
"""Stands for a day that is not known."""

_AGES = np.array([18, 60, 80])


class AuditFrame:
    """Grouped cases, column by column, each read when it is first asked for.

    Parameters
    ----------
    cases : path, pandas.DataFrame, pyarrow.Table or stream
        Grouped cases.
    scheme : str, Path or Scheme, optional
        By which they were grouped.

    Attributes
    ----------
    table : pyarrow.Table
        The cases.
    scheme : str, Path or Scheme, or None

    Examples
    --------
    >>> frame = AuditFrame(pd.DataFrame({"drg": ["BR13", "BR15"], "hospital": ["H1", "H1"]}))
    >>> frame.missing(["hospital", "severity"]), frame.adrg.names
    (['severity'], ['BR1'])
    """

    def __init__(self, cases: Any, scheme: str | Path | Scheme | None = None) -> None:
        self.scheme = scheme
        if isinstance(cases, pa.Table):
            self.table = cases
        else:
            with open_cases(cases) as opened:
                self.table = pa.Table.from_batches(list(opened.batches()), opened.schema)
        self._codes: dict[str, Codes] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}

    def __len__(self) -> int:
        return len(self.table)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of the columns that the cases do not have; of ``a or b`` one is enough."""
        there = self.table.column_names
        return [name for name in names if not any(part in there for part in name.split(" or "))]

    def has(self, name: str) -> bool:
        """Whether the cases have a column."""
        return name in self.table.column_names

    def codes(self, name: str) -> Codes:
        """A column of text; -1 for none, also where the column is not there."""
        if name not in self._codes:
            self._codes[name] = text_codes(self.table, name, optional=True)
        return self._codes[name]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column of numbers; NaN for none, also where the column is not there."""
        if name not in self._numbers:
            there = self.has(name)
            self._numbers[name] = (
                numbers_of(self.table, name) if there else np.full(len(self), np.nan)
            )
        return self._numbers[name]

    def days(self, name: str) -> NDArray[np.int64]:
        """A column of days since 1970-01-01; `NO_DAY` for none."""
        days = dates_of(self.table, name).cast(pa.int32()).fill_null(NO_DAY)
        return days.to_numpy().astype(np.int64)

    def is_in(self, name: str, values: Sequence[str]) -> NDArray[np.bool_]:
        """Where a column of text is one of some values."""
        found = self.codes(name)
        return np.array([*(n in values for n in found.names), False])[found.codes]

    @cached_property
    def grouped(self) -> NDArray[np.bool_]:
        """Whether each case is in a named group."""
        drg = self.codes("drg")
        if not self.has("status"):
            return np.append(statuses_of_groups(drg.names), np.int8(2))[drg.codes] == 0
        status = self.codes("status")
        codes = np.append(statuses_of(status.names), np.int8(2))[status.codes]
        return (codes == 0) & (drg.codes >= 0)

    @cached_property
    def adrg(self) -> Codes:
        """The ADRG of each case, the beginning of its DRG."""
        return _cut(self.codes("drg"), 3)

    @cached_property
    def mdc(self) -> Codes:
        """The MDC of each case, the first letter of its DRG."""
        return _cut(self.codes("drg"), 1)

    @cached_property
    def age_band(self) -> NDArray[np.int64]:
        """0 to 17, 18 to 59, 60 to 79, 80 and above; a band of its own where none is known."""
        age = self.numbers("age_years")
        return np.where(np.isnan(age), len(_AGES) + 1, np.searchsorted(_AGES, age, side="right"))

    @cached_property
    def mean_cost(self) -> NDArray[np.float64]:
        """Mean cost [yuan] of each case's DRG among these cases; NaN where there is none."""
        return self.means(self.codes("drg").codes.astype(np.int64))

    @cached_property
    def foreign_procedure(self) -> NDArray[np.bool_]:
        """Whether the principal procedure counts in MDC, but in none of the principal diagnosis.

        Nor in the case's own MDC, nor in one that takes every diagnosis (先期分组). Without a
        scheme nothing is known of it.
        """
        if self.scheme is None:
            return np.zeros(len(self), bool)
        scheme = self.scheme if isinstance(self.scheme, Scheme) else load_scheme(self.scheme)
        compiled = compile_tables(scheme)
        tables = MdcTables.of(scheme, compiled.diagnoses, compiled.procedures)
        place = {mdc.code: i for i, mdc in enumerate(scheme.mdcs)}
        letters = {adrg.code[:1]: place[adrg.mdc] for adrg in scheme.adrgs}
        own = np.array([1 << letters[n] if n in letters else 0 for n in [*self.mdc.names, ""]])

        def bits(name: str, index: CodeIndex, of_id: NDArray[np.uint64]) -> NDArray[np.uint64]:
            found = self.codes(name)
            ids = index.encode(pa.array(found.names, pa.string()))
            return np.append(of_id[ids], np.uint64(0))[found.codes]

        operated = bits("principal_procedure", compiled.procedures, tables.procedures)
        fitting = bits("principal_diagnosis", compiled.diagnoses, tables.ever)
        fitting = fitting | own.astype(np.uint64)[self.mdc.codes] | np.uint64(tables.always)
        return (operated > 0) & (operated & fitting == 0)

    def means(self, stratum: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean cost [yuan] of the grouped cases of each case's stratum."""
        cost = self.numbers("total_cost")
        used = self.grouped & (stratum >= 0) & np.isfinite(cost) & (cost > 0)
        size = int(stratum.max(initial=-1)) + 1
        number = np.bincount(stratum[used], minlength=size)
        total = np.bincount(stratum[used], cost[used], size)
        mean = np.divide(total, number, out=np.full(size, np.nan), where=number > 0)
        return np.append(mean, np.nan)[stratum]

    def units(self, by: Sequence[str]) -> tuple[NDArray[np.int64], pd.DataFrame]:
        """Number the combinations of some columns: -1 where any is empty; and their names."""
        parts = [self.codes(name) for name in by]
        whole = strata(*(p.codes for p in parts))
        _other, first = np.unique(whole, return_index=True)
        first = first[whole[first] >= 0]
        order = np.argsort(whole[first])
        rows = first[order]
        frame = pd.DataFrame(
            {
                name: np.array(part.names, object)[part.codes[rows]]
                for name, part in zip(by, parts, strict=True)
            }
        )
        return whole, frame

    def require(self, names: Sequence[str]) -> None:
        """Refuse cases that lack a column.

        Raises
        ------
        CaseSchemaError
            With the columns that are not there.
        """
        missing = self.missing(names)
        if missing:
            raise CaseSchemaError(
                _("the cases have no column {missing}", missing=", ".join(missing)),
                where="cases",
                hint=_("group the cases first; give a mapping where columns have other names"),
            )


def strata(*columns: NDArray[Any]) -> NDArray[np.int64]:
    """Number the combinations of dense codes from 0, in ascending order; -1 where any is below 0.

    Examples
    --------
    >>> strata(np.array([1, 1, -1, 0]), np.array([5, 7, 5, 7])).tolist()
    [1, 2, -1, 0]
    """
    whole = np.zeros(len(columns[0]), np.int64)
    there = np.ones(len(whole), bool)
    for column in columns:
        there &= column >= 0
        size = int(column.max(initial=0)) + 1
        whole = np.where(there, whole * size + column, -1)
    _other, dense = np.unique(whole[there], return_inverse=True)
    whole[there] = dense
    return whole


def _cut(codes: Codes, length: int) -> Codes:
    names = [name[:length] for name in codes.names]
    distinct = sorted(set(names))
    place = {name: i for i, name in enumerate(distinct)}
    return Codes(distinct, np.array([*(place[n] for n in names), -1], np.int32)[codes.codes])
