"""A table of monthly totals as whole years of each group, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases.attributes import some_of
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.forecast.monthly import month_text
from drgcore.language import N_, _

MONTHS = tuple(f"{number:02d}" for number in range(1, 13))
_WRITTEN = r"(\d{4})-(0[1-9]|1[0-2])(?:-\d{2}(?:[T ][\d:.]+)?)?"


@dataclass(frozen=True)
class Series:
    """The whole years of one group.

    Parameters
    ----------
    name : str
        The group, for example the pool.
    years : tuple of int
        The years, ascending; some may be missing between them.
    values : ndarray of float64, shape (years, 12)
        Totals of January to December.
    left_out : tuple of str
        The years that were left out, each with what it lacks.

    Examples
    --------
    >>> series = Series("employee", (2025, 2026), np.ones((2, 12)))
    >>> series.shares[0, :2].round(4).tolist()
    [0.0833, 0.0833]
    >>> series.before(2026).years
    (2025,)
    """

    name: str
    years: tuple[int, ...]
    values: NDArray[np.float64]
    left_out: tuple[str, ...] = ()

    @property
    def shares(self) -> NDArray[np.float64]:
        """Each month's share of its year, one row a year."""
        return self.values / self.values.sum(axis=1, keepdims=True)

    def before(self, year: int) -> Series:
        """Give the part before a year."""
        kept = sum(y < year for y in self.years)
        return Series(self.name, self.years[:kept], self.values[:kept], self.left_out)


def read_series(
    monthly: Any,
    *,
    by: str | None = "pool",
    incomplete: Literal["error", "leave_out"] = "error",
    before: int | None = None,
) -> list[Series]:
    """Read a table of monthly totals.

    Parameters
    ----------
    monthly : pandas.DataFrame, or anything with the Arrow PyCapsule interface
        Columns `by`, `month` and `value`, as `monthly_totals` gives them. A month may be text such
        as ``2026-01``, a pandas Period, or a date of that month.
    by : str or None, default "pool"
        Column of the groups; None if the table is one series.
    incomplete : {"error", "leave_out"}
        What to do with a year of which a month is missing, or in which the group has nothing
        before its first month or after its last (a pool that began in July, a year not over yet).
    before : int, optional
        Only years before this one.

    Returns
    -------
    list of Series
        By name of the group.

    Raises
    ------
    CaseSchemaError
        For a column that is not there, a month that cannot be read or stands twice, a value that
        is missing, negative or not finite.
    DrgcoreError
        For an incomplete year, unless it is left out, and a group without any whole year.

    Examples
    --------
    >>> months = [f"{year}-{number}" for year in (2025, 2026) for number in MONTHS]
    >>> table = pd.DataFrame({"month": months, "value": range(1, 25)})
    >>> [series.years for series in read_series(table, by=None)]
    [(2025, 2026)]
    >>> read_series(table.head(15), by=None)
    Traceback (most recent call last):
    drgcore.errors.DrgcoreError: monthly totals: 1 years are not whole: 2026 of all (nothing in \
2026-04, 2026-05, 2026-06, 2026-07, 2026-08 and 4 more)
    Add the months that are missing, or decide: incomplete="leave_out" leaves these years out.
    """
    if incomplete not in ("error", "leave_out"):
        raise CaseSchemaError(
            _("incomplete is {incomplete!r}", incomplete=incomplete),
            hint=_("It is error or leave_out."),
        )
    frame = monthly if isinstance(monthly, pd.DataFrame) else pa.table(monthly).to_pandas()
    needed = [*([by] if by else []), "month", "value"]
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise CaseSchemaError(
            _("there is no column {missing}", missing=", ".join(missing)),
            where=_("monthly totals"),
            hint=_("monthly_totals gives the table; by=None if it has no groups"),
        )
    index, values = _months(frame["month"]), _values(frame["value"])
    if by and frame[by].isna().any():
        raise CaseSchemaError(_("a row has no {by}", by=by), where=_("monthly totals"))
    names = frame[by].astype(str).to_numpy(object) if by else np.full(len(frame), "all", object)
    found = [
        _whole_years(name, index[names == name], values[names == name], before)
        for name in sorted(set(names))
    ]
    lacking = [text for series in found for text in series.left_out]
    if lacking and incomplete == "error":
        raise DrgcoreError(
            _(
                "{count} years are not whole: {lacking}",
                count=len(lacking),
                lacking="; ".join(lacking),
            ),
            where=_("monthly totals"),
            hint=_(
                'Add the months that are missing, or decide: incomplete="leave_out" leaves '
                "these years out."
            ),
        )
    without = [series.name for series in found if not series.years]
    if without or not found:
        until = _(" before {year}", year=before) if before else ""
        raise DrgcoreError(
            _(
                "there is no whole year{until} of {without}",
                until=until,
                without=some_of(without) or _("anything"),
            ),
            where=_("monthly totals"),
            hint=_("A forecast needs twelve months of at least one year."),
        )
    return found


def _months(column: pd.Series[Any]) -> NDArray[np.int64]:
    """Months counted from the year 0."""
    if isinstance(column.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(column):
        numbers = column.dt.year * 12 + column.dt.month - 1
    else:
        parts = column.astype(str).str.extract(f"^{_WRITTEN}$").astype("float64")
        numbers = parts[0] * 12 + parts[1] - 1
    if numbers.isna().any():
        wrong = column[numbers.isna()]
        raise CaseSchemaError(
            _(
                "{count} months cannot be read, first {first!r}",
                count=len(wrong),
                first=str(wrong.iloc[0]),
            ),
            where=_("monthly totals: column month"),
            hint=_("Write a month like 2026-01."),
        )
    return numbers.to_numpy(np.int64)


def _values(column: pd.Series[Any]) -> NDArray[np.float64]:
    try:
        values = pd.to_numeric(column).to_numpy(np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise CaseSchemaError(
            _("it holds no numbers"), where=_("monthly totals: column value")
        ) from error
    kinds = ((~np.isfinite(values), N_("missing or not finite")), (values < 0, N_("negative")))
    for wrong, what in kinds:
        if wrong.any():
            raise CaseSchemaError(
                _(
                    "{count} values are {what}, first in row {row}",
                    count=int(wrong.sum()),
                    what=_(what),
                    row=int(wrong.argmax()) + 1,
                ),
                where=_("monthly totals: column value"),
                hint=_("A month without cases has 0; correct the others."),
            )
    return values


def _whole_years(
    name: str, index: NDArray[np.int64], values: NDArray[np.float64], before: int | None
) -> Series:
    """Put the months of one group into years; name those that are not whole."""
    unique, counts = np.unique(index, return_counts=True)
    if (counts > 1).any():
        twice = [month_text(int(i)) for i in unique[counts > 1]]
        raise CaseSchemaError(
            _("{twice} of {name} stands twice", twice=some_of(twice), name=name),
            where=_("monthly totals: column month"),
            hint=_("Give one row for each month and group."),
        )
    first_year = int(unique[0]) // 12
    grid = np.full((int(unique[-1]) // 12 - first_year + 1) * 12, np.nan)
    grid[index - first_year * 12] = values
    # Outside its first and last month with anything, a group did not exist, as far as is known.
    some = np.flatnonzero(grid > 0)
    there = np.isfinite(grid)
    if len(some):
        there[: some[0]] = there[some[-1] + 1 :] = False
    else:
        there[:] = False
    lacks = (~there).reshape(-1, 12)
    # Nothing has no shares.
    lacks[(np.nan_to_num(grid).reshape(-1, 12) == 0).all(axis=1)] = True
    numbers = [y for y in range(first_year, first_year + len(lacks)) if not before or y < before]
    # A year of which there is no row at all was not claimed to be history.
    given = np.isfinite(grid).reshape(-1, 12).any(axis=1)
    whole = [y for y in numbers if not lacks[y - first_year].any()]
    left_out = []
    for y in numbers:
        lack = lacks[y - first_year]
        if lack.any() and given[y - first_year]:
            texts = [month_text(y * 12 + int(m)) for m in np.flatnonzero(lack)]
            left_out.append(
                _(
                    "{year} of {name} (nothing in {months})",
                    year=y,
                    name=name,
                    months=some_of(texts),
                )
            )
    rows = [y - first_year for y in whole]
    return Series(name, tuple(whole), grid.reshape(-1, 12)[rows], tuple(left_out))
