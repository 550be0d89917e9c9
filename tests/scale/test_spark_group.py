"""Spark groups as one machine does, for any partitioning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drgcore
from drgcore import CaseSchemaError
from drgcore.scale import group_spark
from tests.scale.helpers import FEW, LAYOUTS, laid_out, rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


@FEW
@given(
    layout=LAYOUTS,
    cases=st.integers(1, 200),
    seed=st.integers(0, 99),
    scheme=st.sampled_from(["chs-drg-3.0", "by-date"]),
)
def test_any_partitioning_gives_the_groups_of_one_machine(
    spark: SparkSession, layout: Any, cases: int, seed: int, scheme: str
) -> None:
    table = drgcore.sample_cases(cases, dirty=0.5, seed=seed)
    df = laid_out(spark, table, layout)
    found = group_spark(df, scheme, severity_codes=True, names=True).toArrow()
    expected = drgcore.group(table, scheme, severity_codes=True, names=True)
    assert found.column_names == expected.column_names
    assert rows(found) == rows(expected)


def test_hostile_cases_and_empty_partitions(spark: SparkSession) -> None:
    codes = ["G11.900", None, "", "無", "I10.x00;E11.900", "x" * 300, "😀"]
    table = pa.table(
        {
            "case_id": [str(n) for n in range(len(codes))],
            "a `b`.c": pa.array([b"\0"] * len(codes)),
            "sex": pa.array([1, 2, None, 9, 1, 2, 1], pa.int8()),
            "age_years": pa.array([69, None, -1, 999, 0, 5, 40], pa.int32()),
            "age_days": pa.array([None, None, 3, 4, 400, None, None], pa.int32()),
            "newborn_weight_g": pa.nulls(len(codes), pa.int32()),
            "principal_diagnosis": pa.array(codes),
            "other_diagnoses": [["S52.804"], None, [], [None, ""], ["I10.x00"], [], ["?"]],
            "principal_procedure": pa.array([None, "51.23", None, "", "33.6x00", None, "x"]),
            "other_procedures": [[], None, [None], [], [], ["1"], []],
        }
    )
    # More partitions than cases: some are empty.
    df = spark.createDataFrame(table).repartition(20)
    found = group_spark(df, restore_zeros=True, prefix="new.").toArrow()
    assert rows(found) == rows(drgcore.group(table, restore_zeros=True, prefix="new."))
    none = group_spark(df.filter("sex = 7")).toArrow()
    assert (none.num_rows, none.column_names) == (0, drgcore.group(table).column_names)


def test_times_become_days_in_china_whatever_the_zone_of_the_session(spark: SparkSession) -> None:
    cases = drgcore.sample_cases(2, seed=1)
    # The last day of 2024 in Greenwich is the first of 2025 in China, and so of another scheme.
    moment = pa.array([1735662600000000] * 2, pa.timestamp("us", "UTC"))
    cases = cases.set_column(
        cases.schema.get_field_index("discharge_date"), "discharge_date", moment
    )
    found = group_spark(spark.createDataFrame(cases), "by-date", columns=["discharge_date"])
    assert {row.scheme for row in found.collect()} == {"chs-drg-2.0"}
    assert found.toArrow()["discharge_date"].cast(pa.int64()).to_pylist() == [1735662600000000] * 2


def test_what_is_wrong_with_the_frame_is_said_before_anything_runs(spark: SparkSession) -> None:
    cases = drgcore.sample_cases(1)
    df = spark.createDataFrame(cases)
    with pytest.raises(CaseSchemaError, match="sex"):
        group_spark(df.drop("sex"))
    with pytest.raises(CaseSchemaError, match="already has a column drg"):
        group_spark(df.withColumnRenamed("pool", "drg"))
    with pytest.raises(CaseSchemaError, match="guessed"):
        group_spark(df, mapping="auto")
    with pytest.raises(CaseSchemaError, match="no DataFrame of Spark but Table"):
        group_spark(cases)
