"""The same calls on engines that hold more cases than one machine."""

from drgcore.scale.duckdb_group import group_duckdb, register_duckdb
from drgcore.scale.spark_group import group_spark

__all__ = ["group_duckdb", "group_spark", "register_duckdb"]
