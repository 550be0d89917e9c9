"""Tables of two engines compared: the same columns, the same values, whatever the order of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Each example is a job of Spark, so a failing one is not made smaller.
FEW = settings(
    max_examples=4,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

LAYOUTS = st.tuples(st.integers(1, 9), st.sampled_from(["dealt out", "one holds all", "skewed"]))
"""How cases lie in partitions, see `laid_out`."""
FIXED = [(1, "dealt out"), (30, "skewed"), (7, "one holds all")]
"""Layouts that are always tried: of 30 partitions for a dozen hospitals most have no case."""


def laid_out(spark: SparkSession, table: pa.Table, layout: tuple[int, str]) -> DataFrame:
    """A frame in some partitions: evenly, all but one of them empty, or a hospital's in one."""
    from pyspark.sql import functions

    parts, kind = layout
    df = spark.createDataFrame(table)
    if kind == "dealt out":
        return df.repartition(parts)
    # An expression that Spark cannot work out before it looks at the cases.
    by = functions.isnull("hospital") if kind == "one holds all" else functions.col("hospital")
    return df.repartition(parts, by)


def texts(table: pa.Table) -> pa.Table:
    """Dictionaries as the texts that they stand for."""
    columns = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def rows(table: pa.Table, key: str = "case_id") -> list[dict[str, object]]:
    """The rows in the order of their key."""
    return texts(table).sort_by(key).to_pylist()
