"""docs/spark.md: its year is settled as it says, in a session and by spark-submit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import drgcore
from drgcore import Month, Policy, scale
from drgcore.budget.tables import plain
from drgcore.workbooks import write_tables
from tests.scale.conftest import spark as spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PAGE = Path(__file__).parents[2] / "docs" / "spark.md"
PAGES = [PAGE, PAGE.with_suffix(".zh.md")]
CODE = re.compile(r'^```python(?: title="([\w.]+)")?\n(.*?)^```$', re.M | re.S)


def test_the_pages_name_every_function_of_spark() -> None:
    there = {name for name in scale.__all__ if name.endswith("_spark")}
    for page in PAGES:
        assert set(re.findall(r"`(\w+_spark)`", page.read_text("utf-8"))) == there, page


def test_both_languages_show_the_same_code() -> None:
    """So that what the English page is tested for holds for the Chinese one."""
    english, chinese = (CODE.findall(page.read_text("utf-8")) for page in PAGES)
    comments = re.compile(r"^# .*$", re.M)
    assert [title for title, _ in english] == ["", "settle_province.py"]
    assert [(title, comments.sub("", code)) for title, code in english] == [
        (title, comments.sub("", code)) for title, code in chinese
    ]


def on_one_machine(cases: pa.Table) -> list[Any]:
    """The months and the year by the library's own calls, with the scores of the page."""
    policy = Policy.load("example")
    scored = drgcore.compute_points(drgcore.group(cases), policy, year=2027)
    months: list[Any] = []
    for number in range(1, 13):
        before = months[-1] if months else None
        months.append(drgcore.settle_month(scored, policy, Month(2027, number), before))
    quality = pd.DataFrame({"hospital": sorted(set(cases["hospital"].to_pylist()))})
    quality[["record quality", "readmission", "patient burden"]] = [90, 80, 70]
    return [*months, drgcore.settle_year(scored, months, policy, quality)]


@pytest.mark.spark
def test_the_year_in_a_session(spark: SparkSession, tmp_path: Path) -> None:
    code = dict(CODE.findall(PAGE.read_text("utf-8")))[""]
    (tmp_path / "cases").mkdir()
    drgcore.write_sample(tmp_path / "cases" / "part.parquet", 300)
    found: dict[str, Any] = {"spark": spark, "folder": str(tmp_path)}
    exec(code, found)
    expected = on_one_machine(pq.ParquetFile(tmp_path / "cases" / "part.parquet").read())
    for own, theirs in zip(expected, [*found["months"], found["year"]], strict=True):
        pd.testing.assert_frame_equal(theirs.statement, own.statement)
    assert found["sums"].cells["cases"].sum() == 300
    assert found["weights"].table["cases"].sum() > 0
    assert found["indicators"].table["cases"].sum() == 300


@pytest.mark.spark
def test_the_year_without_a_session(tmp_path: Path) -> None:
    """The script settles cases of folders named after months as one machine does, to the byte."""
    pyspark = pytest.importorskip("pyspark")
    code = dict(CODE.findall(PAGE.read_text("utf-8")))["settle_province.py"]
    (tmp_path / "settle_province.py").write_text(code, "utf-8")
    cases = drgcore.sample_cases(300, seed=6, hospitals=4)
    months = pc.strftime(cases["discharge_date"], format="%m")
    for month in pc.unique(months).to_pylist():
        folder = tmp_path / "lake" / "cases" / "year=2027" / f"month={month}"
        folder.mkdir(parents=True)
        pq.write_table(cases.filter(pc.equal(months, month)), folder / "part.parquet")
    hospitals = sorted(set(cases["hospital"].to_pylist()))
    rows = ["hospital,record quality,readmission,patient burden"]
    rows += [f"{hospital},90,80,70" for hospital in hospitals]
    (tmp_path / "quality.csv").write_text("\n".join(rows), "utf-8")
    subprocess.run(
        [
            *(str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--master", "local[2]"),
            *("--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.ui.enabled=false"),
            *("settle_province.py", "lake/cases", "example", "2027", "quality.csv", "lake"),
            "settled",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable},
        check=True,
        capture_output=True,
    )
    own = tmp_path / "own"
    own.mkdir()
    for at, settled in enumerate(on_one_machine(cases), 1):
        name = 2027 if at == 13 else Month(2027, at)
        write_tables(own / f"{name}.xlsx", plain(settled), keys=2)
    expected = {file.name: file.read_bytes() for file in own.iterdir()}
    found = {file.name: file.read_bytes() for file in (tmp_path / "settled").iterdir()}
    assert len(expected) == 13
    assert found == expected
