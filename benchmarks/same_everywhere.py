"""Does every way in give the same groups, case by case?

The same synthetic cases, some with faults, are grouped in memory (pyarrow, pandas, polars, a DuckDB
relation), through DuckDB as a stream and by a function in SQL, by the command line (a parquet file,
a .csv file, a folder of partitions), by the HTTP API (JSON and an Arrow stream) and, with --spark,
by Spark. Every result must be that of `drgcore.group` in every column and every row; seconds are
printed beside it.

    python benchmarks/same_everywhere.py [--rows 1000000] [--json-rows 100000] [--spark]
                                         [--only spark http_json …]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi.testclient import TestClient

import drgcore
from drgcore.cases import read_table
from drgcore.cli.app import app
from drgcore.serve import create_app

RESULTS = ("mdc", "adrg", "drg", "status", "reason", "severity", "reasons", "code_flags")
LISTS = pa.list_(pa.string())
CODE_LISTS = ("other_diagnoses", "other_procedures")
NEEDED = (
    *("case_id", "principal_diagnosis", "other_diagnoses", "principal_procedure"),
    *("other_procedures", "sex", "age_years", "age_days", "newborn_weight_g"),
)
ARROW = "application/vnd.apache.arrow.stream"
Way = Callable[[pa.Table, Path], pa.Table]


def texts(table: pa.Table) -> pa.Table:
    """Dictionaries as the texts that they stand for."""
    columns = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def comparable(table: pa.Table) -> pa.Table:
    """Id and results in the order of the ids; texts as strings, lists as lists of strings."""
    table, columns = texts(table.select(["case_id", *RESULTS])), []
    for name in table.column_names:
        column = table[name]
        wanted = LISTS if name == "reasons" else pa.string()
        if name == "reasons" and not pa.types.is_nested(column.type) and column.type != pa.null():
            # A text file holds a list as one text.
            column = pc.split_pattern(column.cast(pa.string()), "|")
        columns.append(column.cast(wanted).combine_chunks())
    return pa.table(columns, names=["case_id", *RESULTS]).sort_by("case_id")


def by_pyarrow(cases: pa.Table, folder: Path) -> pa.Table:
    """`group` of an Arrow table."""
    return drgcore.group(cases)


def by_pandas(cases: pa.Table, folder: Path) -> pa.Table:
    """`group` of a pandas frame."""
    grouped = drgcore.group(cases.to_pandas())
    assert isinstance(grouped, pd.DataFrame)
    return pa.Table.from_pandas(grouped[["case_id", *RESULTS]], preserve_index=False)


def by_polars(cases: pa.Table, folder: Path) -> pa.Table:
    """`group` of a polars frame."""
    return drgcore.group(pl.from_arrow(cases))


def by_duckdb_relation(cases: pa.Table, folder: Path) -> pa.Table:
    """`group` of a DuckDB relation."""
    with duckdb.connect() as database:
        database.register("cases", cases)
        return drgcore.group(database.sql("FROM cases"))


def by_duckdb_stream(cases: pa.Table, folder: Path) -> pa.Table:
    """`group_duckdb`."""
    with duckdb.connect() as database:
        database.register("cases", cases)
        return drgcore.group_duckdb(database, "FROM cases").read_all()


def by_duckdb_function(cases: pa.Table, folder: Path) -> pa.Table:
    """`register_duckdb`, in SQL."""
    with duckdb.connect() as database:
        database.register("cases", cases.select(NEEDED))
        drgcore.register_duckdb(database)
        return pa.table(database.sql("SELECT case_id, unnest(drg_group(t)) FROM cases t"))


def by_command_line(cases: pa.Table, folder: Path) -> pa.Table:
    """`drgcore group` of a parquet file."""
    pq.write_table(cases, folder / "cases.parquet")
    _command("group", folder / "cases.parquet", folder / "grouped.parquet")
    return pq.read_table(folder / "grouped.parquet")


def by_text_files(cases: pa.Table, folder: Path) -> pa.Table:
    """`drgcore group` of a .csv file into another."""
    plain = cases.to_pandas()
    for name in CODE_LISTS:
        plain[name] = plain[name].map(lambda codes: "|".join(_there(codes)), na_action="ignore")
    plain.to_csv(folder / "cases.csv", index=False)
    _command("group", folder / "cases.csv", folder / "grouped.csv")
    return read_table(folder / "grouped.csv")


def by_folders(cases: pa.Table, folder: Path) -> pa.Table:
    """`drgcore group` of a folder with one partition a month."""
    months = pc.strftime(cases["discharge_date"], format="%m")
    for month in pc.unique(months).to_pylist():
        place = folder / "lake" / f"month={month}"
        place.mkdir(parents=True)
        pq.write_table(cases.filter(pc.equal(months, month)), place / "part.parquet")
    _command("group", folder / "lake", folder / "grouped")
    return read_table(folder / "grouped")


def by_http_stream(cases: pa.Table, folder: Path) -> pa.Table:
    """`POST /group` of an Arrow stream."""
    found = []
    with TestClient(create_app(), base_url="http://localhost") as client:
        # A million cases are more than the server takes at once.
        for start in range(0, len(cases), 250_000):
            sink = pa.BufferOutputStream()
            some = cases.select(NEEDED).slice(start, 250_000)
            with pa.ipc.new_stream(sink, some.schema) as writer:
                writer.write_table(some)
            answer = client.post(
                "/group",
                params={"columns": "case_id"},
                content=sink.getvalue().to_pybytes(),
                headers={"content-type": ARROW},
            )
            assert answer.status_code == 200, answer.text
            found.append(texts(pa.ipc.open_stream(answer.content).read_all()))
    return pa.concat_tables(found)


def by_http_json(cases: pa.Table, folder: Path) -> pa.Table:
    """`POST /group` of JSON."""
    found: list[dict[str, Any]] = []
    with TestClient(create_app(), base_url="http://localhost") as client:
        for start in range(0, len(cases), 10_000):
            some = cases.select(NEEDED[1:]).slice(start, 10_000).to_pylist()
            for case in some:
                case.update({name: _there(case[name] or ()) for name in CODE_LISTS})
            answer = client.post("/group", json={"cases": some})
            assert answer.status_code == 200, answer.text
            found += answer.json()["results"]
    schema = pa.schema([(n, LISTS if n == "reasons" else pa.string()) for n in RESULTS])
    rows = [{name: row[name] for name in RESULTS} for row in found]
    return pa.Table.from_pylist(rows, schema).append_column("case_id", cases["case_id"])


def by_spark(cases: pa.Table, folder: Path) -> pa.Table:
    """`group_spark`."""
    from pyspark.sql import SparkSession

    from drgcore.scale import group_spark

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    pq.write_table(cases, folder / "spark.parquet")
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    frame = session.read.parquet(str(folder / "spark.parquet")).repartition(5)
    return group_spark(frame, columns=["case_id"]).toArrow()


WAYS: dict[str, Way] = {
    way.__name__.removeprefix("by_"): way
    for way in (
        by_pyarrow,
        by_pandas,
        by_polars,
        by_duckdb_relation,
        by_duckdb_stream,
        by_duckdb_function,
        by_command_line,
        by_text_files,
        by_folders,
        by_http_stream,
        by_http_json,
    )
}


def _there(codes: Iterable[str | None]) -> list[str]:
    """The codes of a list that has gaps: neither texts nor JSON's lists of codes have them."""
    return [code for code in codes if code is not None]


def _command(*arguments: str | Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        app([*map(str, arguments)], standalone_mode=False)


def sample(rows: int) -> pa.Table:
    """Cases with faults, of which none is one that a text file cannot hold."""
    return drgcore.sample_cases(rows, seed=13, dirty=0.1)


def compare(
    rows: int, json_rows: int, *, spark: bool, only: list[str] | None = None
) -> Iterator[tuple[str, int, float, bool]]:
    """Each way, its cases, its seconds, and whether its results are those of `group`."""
    cases = sample(rows)
    expected = comparable(drgcore.group(cases))
    ways = {**WAYS, **({"spark": by_spark} if spark else {})}
    for name in only or ways:
        way = ways[name]
        few = json_rows if name == "http_json" else rows
        own = cases.slice(0, few)
        wanted = expected if few >= rows else comparable(drgcore.group(own))
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            found = way(own, Path(folder))
            seconds = time.perf_counter() - start
            yield name, len(own), seconds, comparable(found).equals(wanted)


def main() -> None:
    """Print one line a way; fail where one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json-rows", type=int, default=100_000)
    parser.add_argument("--spark", action="store_true")
    parser.add_argument("--only", nargs="+", choices=[*WAYS, "spark"])
    asked = parser.parse_args()
    spark = asked.spark or "spark" in (asked.only or ())
    differ = []
    for name, rows, seconds, same in compare(
        asked.rows, asked.json_rows, spark=spark, only=asked.only
    ):
        told = "same" if same else "DIFFERENT"
        print(f"{name:<18} {rows:>10,} cases {seconds:8.2f} s  {told}", flush=True)
        differ += [] if same else [name]
    if differ:
        sys.exit(f"other results: {', '.join(differ)}")


if __name__ == "__main__":
    main()
