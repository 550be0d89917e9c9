"""DuckDB groups as one machine does: as a stream, by a function in SQL, from hive folders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgcore
from drgcore import CaseSchemaError
from drgcore.cases import CaseMapping
from drgcore.scale import group_duckdb, register_duckdb
from tests.scale.helpers import rows, texts

duckdb = pytest.importorskip("duckdb")

OPTIONS: list[dict[str, Any]] = [
    {},
    {"names": True, "severity_codes": True, "stamp": True},
    {"clinical_codes": True, "restore_zeros": True},
]


@pytest.fixture
def database() -> Iterator[Any]:
    """A database of its own."""
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Cases with many faults; more than DuckDB's chunks of 2,048 rows."""
    return drgcore.sample_cases(5000, seed=9, dirty=0.3)


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "extras", "translated"])
@pytest.mark.parametrize("scheme", ["chs-drg-3.0", "by-date"])
def test_a_stream_and_a_function_give_the_groups_of_one_machine(
    database: Any, table: pa.Table, scheme: str, options: dict[str, Any]
) -> None:
    expected = texts(drgcore.group(table, scheme, **options))
    database.register("cases", table)
    found = group_duckdb(database, "FROM cases", scheme, prefix="", **options).read_all()
    assert found.column_names == expected.column_names
    # The order is that of the query, too.
    assert found.to_pylist() == expected.to_pylist()
    register_duckdb(database, scheme, **options)
    query = "SELECT case_id, unnest(drg_group(t)) FROM cases t"
    by_function = pa.table(database.sql(query))
    assert rows(by_function) == rows(expected.select(by_function.column_names))


def test_what_is_kept_and_what_it_is_called(database: Any, table: pa.Table) -> None:
    database.register("cases", table.slice(0, 50))
    found = group_duckdb(database, "FROM cases", columns=["case_id"], prefix="our_").read_all()
    expected = drgcore.group(table.slice(0, 50), columns=["case_id"], prefix="our_")
    assert found.to_pylist() == texts(expected).to_pylist()


def test_a_table_is_made_from_a_stream(database: Any, table: pa.Table) -> None:
    database.register("given", table)
    database.execute("CREATE TABLE cases AS SELECT * FROM given")
    groups = group_duckdb(database, "FROM cases ORDER BY case_id", columns=["case_id"])
    database.cursor().execute("CREATE TABLE grouped AS SELECT * FROM groups")
    assert groups.schema.names[0] == "case_id"
    found = pa.table(database.sql("FROM grouped"))
    assert rows(found) == rows(drgcore.group(table, columns=["case_id"]))


def test_hive_folders(database: Any, table: pa.Table, tmp_path: Path) -> None:
    for month, size in (("01", 30), ("02", 0), ("03", 12)):
        folder = tmp_path / "year=2027" / f"month={month}"
        folder.mkdir(parents=True)
        pq.write_table(table.slice(int(month), size), folder / "a.parquet")
    query = f"SELECT * FROM read_parquet('{tmp_path}/**/*.parquet', hive_partitioning = true)"
    found = group_duckdb(database, query, columns=["case_id", "month"]).read_all()
    assert found["month"].to_pylist() == ["01"] * 30 + ["03"] * 12
    read = drgcore.group_file(tmp_path, tmp_path / "one.parquet", columns=["case_id", "month"])
    assert read.rows == 42
    assert rows(found) == rows(pq.ParquetFile(tmp_path / "one.parquet").read())


def test_a_row_of_what_is_needed_is_enough(database: Any, table: pa.Table) -> None:
    register_duckdb(database, mapping=CaseMapping.preset("canonical"), name="found")
    database.register("cases", table.slice(0, 20))
    needed = [
        *("principal_diagnosis", "other_diagnoses", "principal_procedure", "other_procedures"),
        *("sex", "age_years", "age_days", "newborn_weight_g"),
    ]
    packed = ", ".join(f"{name} := {name}" for name in needed)
    query = f"SELECT found(struct_pack({packed})).drg FROM cases"
    got = [row[0] for row in database.sql(query).fetchall()]
    assert got == drgcore.group(table.slice(0, 20))["drg"].to_pylist()


def test_a_row_that_is_null_is_an_invalid_case(database: Any, table: pa.Table) -> None:
    register_duckdb(database)
    database.register("cases", table.slice(0, 1))
    query = "SELECT drg_group(t).status FROM (SELECT 1 AS i) LEFT JOIN cases t ON false"
    assert database.sql(query).fetchall() == [("invalid",)]


def test_no_case(database: Any, table: pa.Table) -> None:
    database.register("cases", table.slice(0, 0))
    assert group_duckdb(database, "FROM cases").read_all().num_rows == 0
    register_duckdb(database)
    assert database.sql("SELECT drg_group(t) FROM cases t").fetchall() == []


def test_what_is_refused(database: Any) -> None:
    with pytest.raises(CaseSchemaError, match="cannot be guessed"):
        register_duckdb(database, mapping="auto")
    with pytest.raises(CaseSchemaError, match="cannot be guessed"):
        group_duckdb(database, "SELECT 1", mapping="auto")
    with pytest.raises(CaseSchemaError, match="columns are missing from the data"):
        group_duckdb(database, "SELECT 1 AS sex")
    register_duckdb(database)
    with pytest.raises(duckdb.Error, match="drg_group takes one row"):
        database.sql("SELECT drg_group(1, 2)").fetchall()
    with pytest.raises(duckdb.Error, match="columns are missing from the data"):
        database.sql("SELECT drg_group(t) FROM (SELECT 1 AS sex) t").fetchall()


def test_dates_decide_the_scheme(database: Any, table: pa.Table) -> None:
    days = pa.array([dt.date(2024, 5, 1), dt.date(2025, 5, 1), dt.date(2027, 5, 1)] * 20)
    place = table.column_names.index("discharge_date")
    dated = table.slice(0, 60).set_column(place, "discharge_date", days)
    database.register("cases", dated)
    found = group_duckdb(database, "FROM cases", "by-date").read_all()
    assert found.to_pylist() == texts(drgcore.group(dated, "by-date")).to_pylist()
    assert len(set(found["scheme"].to_pylist())) == 3
