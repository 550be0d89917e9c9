"""Statistics and weights by Spark are those of one machine to the last bit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore import (
    CaseSchemaError,
    Credibility,
    base_points,
    group_statistics,
    read_history,
    trim_iqr,
    trim_multiples,
)
from drgcore.scale import statistics_spark, weights_spark
from drgcore.weights import HistoryWarning
from tests.scale.helpers import FEW, LAYOUTS, laid_out

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
BY: list[Any] = ["drg", ["hospital", "mdc"], ["year", "adrg", "pool"]]


def history(count: int, seed: int) -> pa.Table:
    """Cases of two years, some without a hospital, a day or a cost that can be used."""
    draw = np.random.default_rng(seed)
    hospitals = draw.choice(["H1", "H2 ", "H2", ""], count)
    cost = np.round(draw.lognormal(9, 1, count), 2)
    cost[draw.random(count) < 0.05] = 0
    cost[draw.random(count) < 0.05] = np.nan
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(draw.integers(0, 730, count), "D")
    return pa.table(
        {
            "case_id": [str(n) for n in range(count)],
            "drg": draw.choice(["BR13", "BR15", "ES23 ", "ES23", "GB19", None], count),
            "status": draw.choice(["grouped"] * 9 + ["ungrouped"], count),
            "hospital": hospitals.tolist(),
            "pool": draw.choice(["employee", "resident"], count),
            "discharge_date": days.strftime("%Y-%m-%d").tolist(),
            "total_cost": cost,
            "length_of_stay": pa.array(draw.integers(1, 40, count), mask=draw.random(count) < 0.1),
        }
    )


@FEW
@given(
    count=st.integers(30, 200),
    seed=st.integers(0, 99),
    layout=LAYOUTS,
    by=st.sampled_from(BY),
    trimmed=st.booleans(),
)
def test_any_partitioning_gives_the_statistics_of_one_machine(
    spark: SparkSession, count: int, seed: int, layout: Any, by: Any, trimmed: bool
) -> None:
    table = history(count, seed)
    df = laid_out(spark, table, layout)
    trim = partial(trim_multiples, low=0.3, high=2.0) if trimmed else None
    cases = read_history(table)
    options = {"quantiles": (0.1, 0.5, 0.9), "n_min": 3}
    expected = group_statistics(cases, by, trimming=trim(cases) if trim else None, **options)
    found = statistics_spark(df, by, trim=trim, **options)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@FEW
@given(
    count=st.integers(30, 200),
    seed=st.integers(0, 99),
    layout=LAYOUTS,
    years=st.sampled_from([None, {2025: 1, 2026: 3}, {2025: 0, 2026: 1}]),
    method=st.sampled_from(["of_means", "of_cases"]),
    smooth=st.booleans(),
)
def test_any_partitioning_gives_the_weights_of_one_machine(
    spark: SparkSession, count: int, seed: int, layout: Any, years: Any, method: str, smooth: bool
) -> None:
    table = history(count, seed)
    df = laid_out(spark, table, layout)
    options = {
        "scale": 100,
        "year_weights": years,
        "year_method": method,
        "credibility": Credibility("adrg", k=5) if smooth else None,
    }
    cases = read_history(table)
    expected = base_points(cases, trimming=trim_iqr(cases), **options)
    found = weights_spark(df, trim=trim_iqr, **options)
    pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
    assert (found.mean_cost, found.k) == (expected.mean_cost, expected.k)
    pd.testing.assert_frame_equal(found.left_out, expected.left_out)


def test_what_is_wrong_with_a_history_is_said_as_on_one_machine(spark: SparkSession) -> None:
    table = history(40, 1)
    df = spark.createDataFrame(table)
    with pytest.raises(CaseSchemaError, match="no column total_cost"):
        weights_spark(df.drop("total_cost"), scale=100)
    with pytest.raises(CaseSchemaError, match="broken down by 'doctor'"):
        statistics_spark(df, "doctor")
    with pytest.raises(CaseSchemaError, match="no weight is given for year 2026"):
        weights_spark(df, scale=100, year_weights={2025: 1})
    schemes = pa.array(["a", "b"] * 20)
    with pytest.raises(CaseSchemaError, match="grouped by 2 schemes: a, b"):
        weights_spark(spark.createDataFrame(table.append_column("scheme", schemes)), scale=100)
    days = ["2025-05-01"] * 600 + ["2026-05-01"] * 600
    drgs = ["BR13"] * 600 + ["XX19"] * 600
    strange = pa.table({"drg": drgs, "discharge_date": days, "total_cost": [1.0] * 1200})
    with pytest.warns(HistoryWarning, match="600 of 600 cases of 2025"):
        weights_spark(spark.createDataFrame(strange), scale=100)
