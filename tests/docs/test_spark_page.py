"""docs/spark.md: its year is settled as it says, by one session of Spark."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import drgcore
from drgcore import scale
from tests.scale.conftest import spark as spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PAGE = Path(__file__).parents[2] / "docs" / "spark.md"


def test_the_page_names_every_function_of_spark() -> None:
    text = PAGE.read_text("utf-8")
    named = set(re.findall(r"`(\w+_spark)`", text))
    assert named == {name for name in scale.__all__ if name.endswith("_spark")}


@pytest.mark.spark
def test_the_year_of_the_page(spark: SparkSession, tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    drgcore.write_sample(tmp_path / "cases.parquet", 300)
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases.parquet").rename(tmp_path / "cases" / "part.parquet")
    found: dict[str, Any] = {"spark": spark, "folder": str(tmp_path)}
    exec(code, found)
    assert found["january"].statement["cases"].sum() > 0
    assert found["sums"].cells["cases"].sum() == 300
    assert found["weights"].table["cases"].sum() > 0
