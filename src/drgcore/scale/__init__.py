"""The same calls on engines that hold more cases than one machine."""

from drgcore.scale.spark_group import group_spark

__all__ = ["group_spark"]
