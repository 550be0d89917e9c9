"""Indicators by Spark are those of one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore import CaseSchemaError, compute_indicators, group, sample_cases, tally_cases
from drgcore.indicators.kernel import MEASURES
from drgcore.scale import indicators_spark, tally_cases_spark
from tests.scale.helpers import FEW, LAYOUTS, laid_out, texts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
BY: list[Any] = [["hospital"], [], ["month", "mdc"], ["doctor_id", "drg"]]


def cases(count: int, seed: int, stays: bool) -> pa.Table:
    """Grouped cases; few patients, so that many come again."""
    table = texts(group(sample_cases(count, seed=seed, dirty=0.2)))
    at = table.column_names.index("patient_id")
    if not stays:
        return table.remove_column(at)
    patients = np.random.default_rng(seed).choice(["p1", "p2", "p3", None], count)
    return table.set_column(at, "patient_id", pa.array(patients.tolist(), pa.string()))


@FEW
@given(
    count=st.integers(1, 120),
    seed=st.integers(0, 99),
    layout=LAYOUTS,
    by=st.sampled_from(BY),
    stays=st.booleans(),
    outliers=st.sampled_from([None, (0.4, 2.0)]),
)
def test_any_partitioning_gives_the_indicators_of_one_machine(
    spark: SparkSession, count: int, seed: int, layout: Any, by: Any, stays: bool, outliers: Any
) -> None:
    table = cases(count, seed, stays)
    df = laid_out(spark, table, layout)
    expected = compute_indicators(table, by, outliers=outliers)
    found = indicators_spark(df, by, outliers=outliers)
    pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
    pd.testing.assert_frame_equal(found.norms, expected.norms, check_exact=True)
    # Squares, from which the intervals of means are, may differ in the last bit.
    names = ["mean_cost", "average_stay", "cmi", "grouping_rate"]
    pd.testing.assert_frame_equal(found.long(*names), expected.long(*names), rtol=1e-12)


def test_sums_and_what_is_wrong(spark: SparkSession) -> None:
    table = cases(50, 4, stays=True)
    df = laid_out(spark, table, (9, "skewed"))
    whole, found = tally_cases(table, "pool"), tally_cases_spark(df, "pool")
    assert (found.keys, found.names, found.columns) == (whole.keys, whole.names, whole.columns)
    assert found.codes.tolist() == whole.codes.tolist()
    exact = [name for name in MEASURES if name not in ("cost2", "stay2")]
    for name in exact:
        assert found.measure(name).tolist() == whole.measure(name).tolist(), name
    none = tally_cases_spark(df.filter("hospital = 'none'"), "pool")
    assert len(none.codes) == 0
    with pytest.raises(CaseSchemaError, match="no column department"):
        tally_cases_spark(df.drop("department"), "department")
    with pytest.raises(CaseSchemaError, match="no column total_cost"):
        tally_cases_spark(df.drop("total_cost"), outliers=(0.4, 2.0))
