"""Batches of grouped cases as numbers: keys as dense codes, costs, stays, marks."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.attributes import dates_of, numbers_of, some_of, text_codes
from drgcore.cases.fees import DIED, fee_columns, fees_of
from drgcore.cases.statuses import statuses_of, statuses_of_groups
from drgcore.errors import CaseSchemaError
from drgcore.indicators.kernel import Rows
from drgcore.language import _

KEYS = (
    *("hospital", "hospital_level", "department", "doctor_id"),
    *("mdc", "adrg", "drg", "month", "pool"),
)
"""What indicators may be broken down by."""

ALIASES = {"level": "hospital_level", "doctor": "doctor_id"}

MEASURED = (*("total_cost", "length_of_stay", "leaving_way", "severity", "case_class"),)
"""Columns that indicators look at beside the keys; each may be absent."""

UNBOUNDED = 1 << 31
"""The size of a key whose numbers are not counted from 0."""

_DERIVED = ("mdc", "adrg", "drg")
_SEVERITIES = {"none": 0, "CC": 1, "MCC": 2}
_CLASSES = {"high_cost": 1, "low_cost": 2}
_NO_MARKS = np.empty(0, np.int8)


def checked_keys(by: str | Sequence[str]) -> tuple[str, ...]:
    """Give the keys by their columns' names.

    Parameters
    ----------
    by : str or sequence of str
        Of `KEYS`; ``level`` and ``doctor`` stand for ``hospital_level`` and ``doctor_id``.

    Raises
    ------
    CaseSchemaError
        For a name that is no key, or comes twice.

    Examples
    --------
    >>> checked_keys(["level", "drg"])
    ('hospital_level', 'drg')
    """
    names = [by] if isinstance(by, str) else list(by)
    keys = tuple(ALIASES.get(name, name) for name in names)
    unknown = [name for name in keys if name not in KEYS]
    if unknown:
        raise CaseSchemaError(
            _("indicators cannot be broken down by {unknown}", unknown=some_of(unknown)),
            hint=_("by: {keys}", keys=some_of(KEYS, 9)),
        )
    if len(set(keys)) < len(keys):
        raise CaseSchemaError(_("a key is named twice"), hint=_("name each once"))
    return keys


def columns_for(keys: Sequence[str], there: Sequence[str]) -> list[str]:
    """Give those of the wanted columns that the cases have.

    Raises
    ------
    CaseSchemaError
        Where the column of a key, or the group, is not there.

    Examples
    --------
    >>> columns_for(["month"], ["drg", "discharge_date", "name"])
    ['drg', 'discharge_date']
    """
    needed = ["drg", *("discharge_date" if k == "month" else k for k in keys if k not in _DERIVED)]
    missing = [name for name in dict.fromkeys(needed) if name not in there]
    if missing:
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing=some_of(missing)),
            hint=_("group the cases first; name other columns or leave the key out"),
        )
    fees = [c for name in ("drug_cost", "consumable_cost") for c in fee_columns(name, there)]
    wanted = dict.fromkeys([*needed, "status", *MEASURED, *fees])
    return [name for name in wanted if name in there]


class Encoder:
    """Turns batches into `Rows`, with one numbering of names for all of them; safe for threads."""

    def __init__(self, keys: Sequence[str]) -> None:
        # MDC and ADRG are the beginning of the DRG, which every cell has.
        self.keys = tuple(key for key in keys if key not in _DERIVED)
        self._names: dict[str, dict[str, int]] = {
            key: {} for key in (*self.keys, "drg") if key != "month"
        }
        self._lock = threading.Lock()

    def names(self, key: str) -> list[str]:
        """Names of a key in the order of their numbers."""
        return list(self._names[key])

    def sizes(self) -> NDArray[np.int64]:
        """Of each key, the DRG and the status, what is greater by 2 than all numbers so far."""
        keys = (*self.keys, "drg")
        with self._lock:
            known = [UNBOUNDED if k == "month" else len(self._names[k]) for k in keys]
        return np.array([*known, 4]) + 1

    def rows(self, batch: pa.Table, back: NDArray[np.int8], limits: Limits | None) -> Rows:
        """Encode a batch; `back` are its marks of readmission."""
        drg = self._codes(batch, "drg")
        status = _statuses(batch, drg, self._names["drg"])
        columns = [self.months(batch) if k == "month" else self._codes(batch, k) for k in self.keys]
        cost = _numbers(batch, "total_cost")
        if limits is not None:
            outlier = limits.marks(self._names["drg"], drg, status, cost)
        else:
            outlier = _marks(batch, "case_class", _CLASSES, 0)
        way = _numbers(batch, "leaving_way")
        died = (way == DIED).astype(np.int8)
        died[np.isnan(way)] = -1
        keys = np.empty((batch.num_rows, len(columns) + 2), np.int32)
        for at, column in enumerate((*columns, drg, status)):
            keys[:, at] = column
        return Rows(
            keys,
            cost,
            _numbers(batch, "length_of_stay"),
            _fixed(fees_of(batch, "drug_cost")),
            _fixed(fees_of(batch, "consumable_cost")),
            died,
            _marks(batch, "severity", _SEVERITIES, -1),
            outlier,
            back,
        )

    def _codes(self, batch: pa.Table, key: str) -> NDArray[np.int32]:
        found = text_codes(batch, key, optional=True)
        names = self._names[key]
        with self._lock:
            place = [names.setdefault(name, len(names)) for name in found.names]
        return np.array([*place, -1], np.int32)[found.codes]

    @staticmethod
    def months(batch: pa.Table) -> NDArray[np.int32]:
        """Months of discharge since year 0; -1 for none."""
        day = dates_of(batch, "discharge_date")
        number = pc.add(pc.multiply(pc.year(day), 12), pc.subtract(pc.month(day), 1))
        return pc.fill_null(number, -1).to_numpy().astype(np.int32)


class Limits:
    """Multiples of the regional mean beyond which a case is an outlier, where no class says it."""

    def __init__(self, low: float, high: float, means: dict[str, float]) -> None:
        if not 0 <= low < high:
            raise CaseSchemaError(
                _("outliers={low},{high}: the first must be below the second", low=low, high=high)
            )
        self._low, self._high, self._means = low, high, means

    def marks(
        self,
        names: dict[str, int],
        drg: NDArray[np.int32],
        status: NDArray[np.int8],
        cost: NDArray[np.float64],
    ) -> NDArray[np.int8]:
        """1 high, 2 low, 0 between; -1 without a group, a mean or a cost."""
        if not len(cost):
            return _NO_MARKS
        mean = np.array([*(self._means.get(name, np.nan) for name in list(names)), np.nan])[drg]
        with np.errstate(invalid="ignore"):
            marks = np.where(cost > self._high * mean, 1, np.where(cost < self._low * mean, 2, 0))
            known = (status == 0) & (cost > 0) & np.isfinite(cost) & (mean > 0)
        return np.where(known, marks, -1).astype(np.int8)


def _numbers(batch: pa.Table, name: str) -> NDArray[np.float64]:
    return _fixed(numbers_of(batch, name) if name in batch.column_names else np.empty(0))


def _fixed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Forbid writing, as Arrow does for its own: the kernel is compiled for each mixture anew."""
    values.flags.writeable = False
    return values


def _marks(batch: pa.Table, name: str, known: dict[str, int], other: int) -> NDArray[np.int8]:
    """A text column as small numbers; a text that is not known is `other`, none is -1."""
    if name not in batch.column_names:
        return _NO_MARKS
    found = text_codes(batch, name, optional=True)
    order = np.array([*(known.get(n, other) for n in found.names), -1], np.int8)
    return order[found.codes]


def _statuses(batch: pa.Table, drg: NDArray[np.int32], names: dict[str, int]) -> NDArray[np.int8]:
    if "status" not in batch.column_names:
        return np.append(statuses_of_groups(list(names)), np.int8(2))[drg]
    found = text_codes(batch, "status", optional=True)
    # A case without status, or one called grouped that has no group, is in no group.
    codes = np.append(statuses_of(found.names), np.int8(2))[found.codes]
    return np.where((codes == 0) & (drg < 0), 2, codes).astype(np.int8)
