"""Cases added up by month: exact, whole, and with a decision on what looks cut off."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore.errors import CaseSchemaError
from drgcore.forecast import monthly_totals
from drgcore.forecast.monthly import exact_sums
from tests.reference import plain_shares

# From the least float to numbers whose sum is just not too great, so that naive sums go wrong.
amounts = st.one_of(
    st.floats(0, 1e300),
    st.sampled_from([0.0, -0.0, 5e-324, 1e-300, 0.1, 0.2, 0.3, 1.0, 1e16, 9007199254740993.0]),
)
days = st.dates(dt.date(2024, 11, 1), dt.date(2026, 2, 28))
rows = st.lists(
    st.fixed_dictionaries(
        {"discharge_date": days, "pool": st.sampled_from(["a", "居民", "b"]), "points": amounts}
    ),
    min_size=1,
    max_size=60,
)


@given(rows=rows, seed=st.integers(0, 2**32 - 1), grouped=st.booleans(), counted=st.booleans())
def test_equals_the_plain_sums_in_any_order(
    rows: list[dict[str, Any]], seed: int, grouped: bool, counted: bool
) -> None:
    by, value = ("pool" if grouped else None), ("cases" if counted else "points")
    expected = plain_shares.monthly_totals(rows, None if counted else "points", by)
    order = np.random.default_rng(seed).permutation(len(rows))
    table = pd.DataFrame(rows).iloc[order]
    found = monthly_totals(table, value, by, incomplete="keep")
    groups = found["pool"] if by else ["all"] * len(found)
    assert list(zip(groups, found["month"], found["value"], strict=True)) == expected


@given(st.lists(st.floats(-1e300, 1e300), max_size=50), st.integers(1, 5))
def test_sums_are_the_nearest_float_of_either_sign(values: list[float], size: int) -> None:
    keys = np.arange(len(values)) % size
    found = exact_sums(np.array(values), keys.astype(np.int64), size)
    assert found.tolist() == [math.fsum(values[key::size]) for key in range(size)]


def test_a_sum_that_no_float_holds() -> None:
    with pytest.raises(CaseSchemaError, match="too great"):
        exact_sums(np.full(2, 1.7e308), np.zeros(2, np.int64), 1)


CASES = pd.DataFrame(
    {
        "discharge_date": pd.to_datetime(["2026-01-31", "2026-03-01", "2026-03-31"]),
        "pool": ["b", "a", "b"],
        "points": [1.5, 2.0, 4.0],
    }
)
EXPECTED = [("a", "2026-01", 0.0), ("a", "2026-02", 0.0), ("a", "2026-03", 2.0),
            ("b", "2026-01", 1.5), ("b", "2026-02", 0.0), ("b", "2026-03", 4.0)]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t,
        lambda t: t.assign(discharge_date=t["discharge_date"].dt.date),
        lambda t: t.assign(discharge_date=t["discharge_date"].dt.strftime("%Y-%m-%d")),
        lambda t: t.assign(discharge_date=t["discharge_date"] + pd.Timedelta("23:59:59")),
        lambda t: t.assign(discharge_date=t["discharge_date"].dt.tz_localize("Asia/Shanghai")),
        lambda t: t.assign(discharge_date=t["discharge_date"].astype("datetime64[s]")),
        lambda t: t.assign(pool=t["pool"].astype("category")),
        lambda t: t.assign(points=t["points"].astype("float32")),
        lambda t: t.assign(points=t["points"].astype(str)),
        lambda t: t.set_index(pd.Index([7, 7, 7])),
        lambda t: pa.Table.from_pandas(t, preserve_index=False),
        lambda t: pl.DataFrame(t.to_dict("list")),
    ],
)
def test_columns_of_other_types(change: Callable[[pd.DataFrame], Any]) -> None:
    found = monthly_totals(change(CASES), "points", incomplete="keep")
    assert list(found.itertuples(index=False, name=None)) == EXPECTED


def test_counts_are_whole_numbers() -> None:
    found = monthly_totals(CASES, incomplete="keep")
    assert found["value"].tolist() == [0, 0, 1, 1, 0, 1]
    assert found["value"].dtype == np.int64


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"points": [1.0, -0.5, 1.0]}, "1 cases have a negative points: row 2"),
        ({"points": [1.0, None, 1.0]}, "1 cases have no finite points: row 2"),
        ({"points": [1.0, np.inf, 1.0]}, "1 cases have no finite points: row 2"),
        ({"points": ["much", "1", "2"]}, "it holds no numbers"),
        ({"pool": ["a", None, ""]}, "2 cases have no pool: row 2, row 3"),
        ({"discharge_date": ["2026-01-31", None, "2026-03-01"]}, "have no discharge date: row 2"),
        ({"discharge_date": [True, False, True]}, "date"),
        ({"discharge_date": ["2026-01-31", "1899-12-30", "2026-03-01"]}, "outside 1990 to 2100"),
        ({"discharge_date": ["31.01.2026"] * 3}, "row 1 holds no date"),
    ],
)
def test_wrong_cases_are_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(CaseSchemaError, match=words):
        monthly_totals(CASES.assign(**change), "points")


def test_what_is_missing() -> None:
    with pytest.raises(CaseSchemaError, match="no column points"):
        monthly_totals(CASES.drop(columns="points"), "points")
    with pytest.raises(CaseSchemaError, match="no column ward"):
        monthly_totals(CASES, by="ward")
    with pytest.raises(CaseSchemaError, match="there are no cases"):
        monthly_totals(CASES.head(0))
    with pytest.raises(CaseSchemaError, match="incomplete is 'drop'"):
        monthly_totals(CASES, incomplete="drop")  # type: ignore[arg-type]


def daily(first: str, last: str, per_day: int = 10) -> pd.DataFrame:
    """So many cases on every day."""
    every = pd.date_range(first, last).repeat(per_day)
    return pd.DataFrame({"discharge_date": every, "pool": "p"})


@pytest.mark.parametrize(
    ("first", "last", "cut"),
    [
        ("2026-01-01", "2026-12-31", None),
        ("2026-01-01", "2026-12-15", "2026-12"),
        ("2026-01-01", "2026-12-30", "2026-12"),
        ("2026-01-02", "2026-12-31", "2026-01"),
        ("2026-01-20", "2026-12-31", "2026-01"),
        ("2025-12-31", "2026-12-31", "2025-12"),
    ],
)
def test_a_month_that_is_cut_off_needs_a_decision(first: str, last: str, cut: str | None) -> None:
    cases = daily(first, last)
    kept = monthly_totals(cases, incomplete="keep")
    assert kept["value"].sum() == len(cases)
    if cut is None:
        assert monthly_totals(cases).equals(kept)
        return
    with pytest.raises(CaseSchemaError, match=f"{cut} looks cut off"):
        monthly_totals(cases)
    left = monthly_totals(cases, incomplete="leave_out")
    assert left.equals(kept[kept["month"] != cut].reset_index(drop=True))


def test_few_cases_do_not_look_cut_off() -> None:
    # One case a week: the last week of December may well have none.
    cases = daily("2026-01-01", "2026-12-24", 1).iloc[::7]
    assert monthly_totals(cases)["month"].tolist()[-1] == "2026-12"


def test_a_group_keeps_the_months_of_the_others() -> None:
    late = daily("2026-07-01", "2026-12-31").assign(pool="late")
    found = monthly_totals(pd.concat([daily("2026-01-01", "2026-12-31"), late]))
    of_late = found[found["pool"] == "late"]
    assert of_late["value"].tolist() == [0] * 6 + [310, 310, 300, 310, 300, 310]
