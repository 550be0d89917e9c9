"""Tables of monthly totals: as whole years, or a clear error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.forecast.series import read_series
from tests.forecast.histories import history, table

TABLE = table(history([2024, 2025, 2026], 0.05))


def both(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Two pools in one table."""
    return pd.concat([first, second.assign(pool="q")], ignore_index=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.sample(frac=1, random_state=3),
        lambda t: t.assign(month=pd.PeriodIndex(t["month"], freq="M")),
        lambda t: t.assign(month=pd.PeriodIndex(t["month"], freq="M").astype(object)),
        lambda t: t.assign(month=pd.to_datetime(t["month"])),
        lambda t: t.assign(month=pd.to_datetime(t["month"]).dt.date),
        lambda t: t.assign(month=pd.to_datetime(t["month"]) + pd.offsets.MonthEnd()),
        lambda t: t.assign(month=t["month"].astype("category")),
        lambda t: t.assign(value=t["value"].astype(str)),
        lambda t: t.assign(value=t["value"].astype("Float64")),
        lambda t: t.assign(pool=t["pool"].astype("category"), ward="other"),
        lambda t: pa.Table.from_pandas(t, preserve_index=False),
        lambda t: pl.DataFrame(t.to_dict("list")),
    ],
)
def test_columns_of_other_types(change: Callable[[pd.DataFrame], Any]) -> None:
    (series,) = read_series(change(TABLE))
    assert (series.name, series.years) == ("p", (2024, 2025, 2026))
    assert series.values.ravel().tolist() == pytest.approx(TABLE["value"].tolist(), rel=1e-15)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"month": "2026"}, "36 months cannot be read, first '2026'"),
        ({"month": "2026-13"}, "cannot be read"),
        ({"month": "2026-1"}, "cannot be read"),
        ({"month": 202601}, "cannot be read"),
        ({"month": None}, "cannot be read"),
        ({"month": "2026-01"}, "2026-01 of p stands twice"),
        ({"value": -1.0}, "36 values are negative, first in row 1"),
        ({"value": np.nan}, "36 values are missing or not finite"),
        ({"value": np.inf}, "missing or not finite"),
        ({"value": "much"}, "it holds no numbers"),
        ({"pool": None}, "a row has no pool"),
    ],
)
def test_wrong_tables(change: dict[str, Any], words: str) -> None:
    with pytest.raises(CaseSchemaError, match=words):
        read_series(TABLE.assign(**change))


def test_the_first_wrong_row_is_named() -> None:
    values = TABLE["value"].to_numpy().copy()
    values[[7, 9]] = np.nan
    with pytest.raises(CaseSchemaError, match="2 values are missing or not finite, first in row 8"):
        read_series(TABLE.assign(value=values))


def test_columns_that_are_not_there() -> None:
    with pytest.raises(CaseSchemaError, match="no column pool, value"):
        read_series(TABLE[["month"]])
    with pytest.raises(CaseSchemaError, match="incomplete is 'keep'"):
        read_series(TABLE, incomplete="keep")  # type: ignore[arg-type]


def test_one_series_needs_no_groups() -> None:
    (series,) = read_series(TABLE.drop(columns="pool"), by=None)
    assert (series.name, len(series.years)) == ("all", 3)


@pytest.mark.parametrize(
    ("rows", "years", "words"),
    [
        (slice(0, 34), (2024, 2025), r"2026 of p \(nothing in 2026-11, 2026-12\)"),
        (slice(2, 36), (2025, 2026), r"2024 of p \(nothing in 2024-01, 2024-02\)"),
        ([*range(14), *range(15, 36)], (2024, 2026), r"2025 of p \(nothing in 2025-03\)"),
    ],
)
def test_years_that_are_not_whole(rows: Any, years: tuple[int, ...], words: str) -> None:
    part = TABLE.iloc[rows]
    with pytest.raises(DrgcoreError, match=words) as error:
        read_series(part)
    assert 'incomplete="leave_out"' in str(error.value)
    (series,) = read_series(part, incomplete="leave_out")
    assert series.years == years
    assert len(series.left_out) == 1


def test_a_year_after_the_last_one_looked_at_may_be_in_pieces() -> None:
    (series,) = read_series(TABLE.iloc[:34], before=2026)
    assert series.years == (2024, 2025)
    assert series.left_out == ()


def test_a_pool_that_began_later_lacks_its_first_year() -> None:
    # As monthly_totals gives it: rows of zeros before its first month.
    late = TABLE.assign(value=np.where(np.arange(36) < 18, 0.0, TABLE["value"]))
    with pytest.raises(DrgcoreError, match="2 years are not whole: 2024 of q"):
        read_series(both(TABLE, late))
    first, second = read_series(both(TABLE, late), incomplete="leave_out")
    assert (first.years, second.years) == ((2024, 2025, 2026), (2026,))
    assert [text[:9] for text in second.left_out] == ["2024 of q", "2025 of q"]


def test_a_pool_without_rows_of_a_year_has_the_others() -> None:
    first, second = read_series(both(TABLE, TABLE.iloc[12:]))
    assert (first.years, second.years) == ((2024, 2025, 2026), (2025, 2026))


def test_zeros_within_are_history_and_a_year_of_them_is_not() -> None:
    values = TABLE["value"].to_numpy().copy()
    values[15] = 0
    assert read_series(TABLE.assign(value=values))[0].values[1, 3] == 0
    values[12:24] = 0
    with pytest.raises(DrgcoreError, match="2025 of p"):
        read_series(TABLE.assign(value=values))


def test_no_whole_year_at_all() -> None:
    with pytest.raises(DrgcoreError, match="no whole year of p"):
        read_series(TABLE.iloc[:11], incomplete="leave_out")
    with pytest.raises(DrgcoreError, match="no whole year before 2024 of p"):
        read_series(TABLE, before=2024)
    with pytest.raises(DrgcoreError, match="no whole year of p"):
        read_series(TABLE.assign(value=0.0), incomplete="leave_out")
    with pytest.raises(DrgcoreError, match="no whole year of anything"):
        read_series(TABLE.head(0))
