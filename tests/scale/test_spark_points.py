"""Points and settlements by Spark: each case's points, each fen, for any partitioning."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given

from drgcore import (
    CaseSchemaError,
    Month,
    Policy,
    PolicyError,
    compute_points,
    group,
    sample_cases,
    settle_month,
    settle_year,
)
from drgcore.cases.repeated import CaseWarning
from drgcore.scale import compute_points_spark, group_spark, repeated_ids_spark, tally_spark
from drgcore.scale.spark_frames import clear_errors
from tests.points.regions import cases, small
from tests.points.test_plain import folder as folder
from tests.points.wider_regions import wider_regions
from tests.scale.helpers import FEW, FIXED, LAYOUTS, laid_out, rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
QUOTA = {"share": "0.2", "among": "hospital", "period": "quarter", "rounding": "nearest"}


def arrow(frame: pd.DataFrame) -> pa.Table:
    """A frame with days as days: Spark gives times of day back in the zone of its session."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for name in ("admission_date", "discharge_date"):
        if name in table.column_names:
            at = table.column_names.index(name)
            table = table.set_column(at, name, table.column(name).cast(pa.date32()))
    return table


@FEW
@given(wider_regions(), LAYOUTS)
def test_any_partitioning_gives_the_points_of_one_machine(
    spark: SparkSession, folder: Path, region: Any, layout: Any
) -> None:
    change, frame, decisions = region
    policy, table = small(change, folder), arrow(frame)
    df = laid_out(spark, table, layout)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CaseWarning)
        try:
            expected = compute_points(table, policy, decisions=decisions)
        except PolicyError:
            with pytest.raises(PolicyError):
                computed(df, policy, decisions)
            return
    told = [str(w.message) for w in caught if w.category is CaseWarning and "dec" in str(w.message)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CaseWarning)
        found = computed(df, policy, decisions)
    assert found.column_names == expected.column_names
    assert rows(found) == rows(expected)
    assert [str(w.message) for w in caught if "decisions" in str(w.message)] == told


def computed(df: DataFrame, policy: Policy, decisions: pd.DataFrame | None = None) -> pa.Table:
    """The points, asked for."""
    with clear_errors():
        return compute_points_spark(df, policy, decisions=decisions).toArrow()


@pytest.mark.parametrize("among", ["hospital", "drg"])
@pytest.mark.parametrize("layout", FIXED, ids=str)
def test_a_quota_counts_the_cases_of_all_partitions(
    spark: SparkSession, among: str, layout: Any
) -> None:
    quota = {**QUOTA, "among": among}
    change = {
        "outliers": {"high": {"rule": "added_reviewed", "multiples": 2, "quota": quota}},
        "amendments": [{"from": datetime.date(2026, 3, 15), "outliers": {"low": {"rule": "none"}}}],
    }
    # Ties of C/m, blanks behind a hospital's name, another quarter.
    frame = cases(*(
        {
            "hospital": ["H1", "H2", "H1 "][n % 3],
            "drg": ["BR15", "ES23"][n % 2],
            "total_cost": [8000.0, 40000.0, 40000.0, 70000.0][n % 4] * (1 + n % 2),
            "discharge_date": pd.Timestamp(["2026-03-09", "2026-03-20", "2026-05-01"][n % 5 % 3]),
        }
        for n in range(60)
    ))  # fmt: skip
    decisions = pd.DataFrame(
        {"case_id": ["c4", "c1", "none"], "decision": "added", "points": [5.0, None, None]}
    )
    policy, table = small(change), arrow(frame)
    with pytest.warns(CaseWarning) as told:
        expected = compute_points(table, policy, decisions=decisions)
    df = laid_out(spark, table, layout)
    with pytest.warns(CaseWarning) as said:
        found = computed(df, policy, decisions)
    assert rows(found) == rows(expected)
    wanted = {"1 decisions concern none of the cases", *(str(w.message) for w in told)}
    assert wanted <= {str(w.message) for w in said}


def test_quotas_of_two_kinds_are_refused(spark: SparkSession) -> None:
    change = {
        "outliers": {"high": {"rule": "outside", "multiples": 2, "quota": QUOTA}},
        "amendments": [{
            "from": datetime.date(2026, 3, 15),
            "outliers": {"high": {"quota": {**QUOTA, "among": "drg"}}},
        }],
    }  # fmt: skip
    df = spark.createDataFrame(arrow(cases({})))
    with pytest.raises(PolicyError, match=r"outliers\.high\.quota\.among"):
        compute_points_spark(df, small(change))


def test_what_is_wrong_is_said_as_on_one_machine(spark: SparkSession) -> None:
    df = spark.createDataFrame(arrow(cases({}, {}, {"total_cost": -1.0})))
    with pytest.raises(CaseSchemaError, match="no column drg"):
        compute_points_spark(df.drop("drg"), small())
    with pytest.raises(CaseSchemaError, match="negative total_cost: c3") as caught:
        compute_points_spark(df, small())
    assert "give 0 where there is no amount" in str(caught.value)
    lazy = compute_points_spark(df, small(), checks=False)
    with pytest.raises(CaseSchemaError, match="negative total_cost: c3") as caught, clear_errors():
        lazy.collect()
    assert "give 0 where there is no amount" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    twice = df.union(df.limit(1).withColumn("case_id", df["case_id"]))
    with pytest.raises(CaseSchemaError, match="1 case ids occur more than once: c1"):
        compute_points_spark(twice, small())
    assert repeated_ids_spark(twice.union(df), most=2) == (3, ["c1", "c2"])
    assert repeated_ids_spark(df) == (0, [])
    fen = spark.createDataFrame(arrow(cases({"total_cost": 800_000.0})))
    with pytest.warns(CaseWarning, match="are costs in fen"):
        compute_points_spark(fen, small())


@pytest.mark.parametrize("layout", FIXED, ids=str)
def test_months_and_year_are_settled_to_the_byte(spark: SparkSession, layout: Any) -> None:
    table, policy = sample_cases(400, seed=5), Policy.load("example")
    scored = compute_points(group(table), policy, year=2027)
    df = group_spark(laid_out(spark, table, layout))
    whole = tally_spark(compute_points_spark(df, policy, year=2027), policy, 2027)
    quality = pd.DataFrame({"hospital": sorted(set(table["hospital"].to_pylist()))})
    quality[["record quality", "readmission", "patient burden"]] = [90, 80, 70]
    own, theirs = [], []
    for number in range(1, 13):
        month = Month(2027, number)
        own.append(settle_month(scored, policy, month, own[-1] if own else None))
        theirs.append(settle_month(whole, policy, month, theirs[-1] if theirs else None))
        assert files_of(theirs[-1]) == files_of(own[-1])
    year = settle_year(scored, own, policy, quality)
    assert files_of(settle_year(whole, theirs, policy, quality)) == files_of(year)


def files_of(settlement: Any) -> dict[str, bytes]:
    """Each table of a settlement as the bytes that a file of it has."""
    tables = {n: v for n, v in vars(settlement).items() if isinstance(v, pd.DataFrame)}
    return {n: v.to_csv(index=False).encode() for n, v in tables.items()}
