"""The same calls on engines that hold more cases than one machine."""

from drgcore.scale.duckdb_group import group_duckdb, register_duckdb
from drgcore.scale.spark_group import group_spark
from drgcore.scale.spark_indicators import indicators_spark, tally_cases_spark
from drgcore.scale.spark_points import compute_points_spark
from drgcore.scale.spark_sums import repeated_ids_spark, tally_spark
from drgcore.scale.spark_weights import statistics_spark, weights_spark

__all__ = [
    "compute_points_spark",
    "group_duckdb",
    "group_spark",
    "indicators_spark",
    "register_duckdb",
    "repeated_ids_spark",
    "statistics_spark",
    "tally_cases_spark",
    "tally_spark",
    "weights_spark",
]
