"""Whichever way cases come in, each has the same group (`benchmarks/same_everywhere.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import drgcore
from benchmarks import same_everywhere as same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = 3000


@pytest.fixture(scope="module")
def cases() -> pa.Table:
    """Cases of which every status and many reasons occur."""
    return same.sample(ROWS)


@pytest.fixture(scope="module")
def expected(cases: pa.Table) -> pa.Table:
    """Their groups in memory."""
    found = same.comparable(drgcore.group(cases, threads=1))
    assert set(found["status"].to_pylist()) == set(drgcore.STATUSES)
    return found


@pytest.mark.parametrize("way", list(same.WAYS))
def test_the_same_groups(way: str, cases: pa.Table, expected: pa.Table, tmp_path: Path) -> None:
    found = same.comparable(same.WAYS[way](cases, tmp_path))
    for name in expected.column_names:
        assert found[name].to_pylist() == expected[name].to_pylist(), name
    assert found.equals(expected)


@pytest.mark.spark
def test_the_same_groups_by_spark(
    spark: SparkSession, cases: pa.Table, expected: pa.Table, tmp_path: Path
) -> None:
    # The session of the tests is the one that is found.
    found = same.comparable(same.by_spark(cases, tmp_path))
    assert found.equals(expected)


def test_another_result_is_noticed(cases: pa.Table, expected: pa.Table) -> None:
    other = drgcore.group(cases, "chs-drg-2.0")
    assert not same.comparable(other).equals(expected)
