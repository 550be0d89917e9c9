"""A province on Spark: cost per 10**7 cases, bytes shuffled, and what 10**8 would take.

    python benchmarks/spark.py [cases] [hospitals] [workers]

Made-up cases lie in a folder of parquet files. Spark groups them, computes points by the shipped
fictitious policy, adds them up for twelve months and the year end, takes weights and indicators;
beside it one machine does the same to the end of the points and sums with the library's own calls.
Both write what they have grouped and scored, and each runs in a process of its own. Seconds are
those of the clock; CPU is that of all processes, Java and Python, from /proc; bytes shuffled are
those of Spark's own status. Starting Spark and compiling are a run of their own before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

YEAR, FILES, TICKS = 2027, 16, os.sysconf("SC_CLK_TCK")


def write_cases(folder: Path, count: int, hospitals: int) -> None:
    """Write a sample as files of equal size."""
    from drgcore import write_sample

    whole = folder.with_suffix(".parquet")
    write_sample(whole, count, hospitals=hospitals)
    folder.mkdir()
    source = pq.ParquetFile(whole)
    rows = -(-count // FILES)
    writer, number, written = None, 0, rows
    for batch in source.iter_batches(min(rows, 1 << 16)):
        if written >= rows:
            if writer is not None:
                writer.close()
            writer = pq.ParquetWriter(folder / f"part-{number:02d}.parquet", source.schema_arrow)
            number, written = number + 1, 0
        assert writer is not None
        writer.write_batch(batch)
        written += len(batch)
    if writer is not None:
        writer.close()


def cpu_seconds() -> float:
    """CPU of this process and all that descend from it, those that have ended among them."""
    of: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            of[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    own, ticks = {os.getpid()}, 0
    while own:
        ticks += sum(of[pid][1] for pid in own)
        own = {pid for pid, (parent, _) in of.items() if parent in own}
    return ticks / TICKS


def shuffled(spark: Any) -> tuple[int, int]:
    """Bytes that all stages so far have written to shuffles and read from them."""
    context = spark.sparkContext
    place = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/stages"
    with urllib.request.urlopen(place) as answer:
        stages = json.load(answer)
    return tuple(sum(stage[f"shuffle{way}Bytes"] for stage in stages) for way in ("Write", "Read"))


def run_spark(cases: Path, out: Path, workers: str) -> list[dict[str, Any]]:
    """The steps on Spark."""
    from pyspark.sql import SparkSession

    from drgcore import Month, Policy, settle_month
    from drgcore.scale import (
        compute_points_spark,
        group_spark,
        indicators_spark,
        tally_spark,
        weights_spark,
    )

    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master(f"local[{workers}]")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "16")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    policy = Policy.load("example")
    steps: list[dict[str, Any]] = []

    def step(name: str, work: Callable[[], Any]) -> Any:
        start, cpu, bytes_ = time.perf_counter(), cpu_seconds(), shuffled(spark)
        found = work()
        seconds = time.perf_counter() - start
        wrote, read = (
            after - before for after, before in zip(shuffled(spark), bytes_, strict=True)
        )
        steps.append(
            {"step": name, "seconds": seconds, "cpu": cpu_seconds() - cpu}
            | {"shuffle_write": wrote, "shuffle_read": read}
        )
        print(steps[-1], file=sys.stderr)
        return found

    def written(df: Any, name: str) -> Any:
        df.write.mode("overwrite").parquet(str(out / name))
        return spark.read.parquet(str(out / name))

    df = spark.read.parquet(str(cases))
    # The first tenth of a file loads what is compiled.
    group_spark(df.limit(1000)).toArrow()
    grouped = step("group, write", lambda: written(group_spark(df), "grouped"))
    scored = step(
        "points, write",
        lambda: written(compute_points_spark(grouped, policy, year=YEAR), "scored"),
    )
    tally = step("sums by month, ids", lambda: tally_spark(scored, policy, YEAR))

    def months() -> None:
        before = None
        for number in range(1, 13):
            before = settle_month(tally, policy, Month(YEAR, number), before)

    step("12 months (driver)", months)
    step("weights", lambda: weights_spark(grouped, scale=100))
    step("indicators", lambda: indicators_spark(scored.drop("patient_id"), "hospital"))
    step("indicators, readmissions", lambda: indicators_spark(scored, "hospital"))
    spark.stop()
    return [*steps, {"cells": len(tally.cells)}]


def run_alone(cases: Path, out: Path) -> list[dict[str, Any]]:
    """Grouping, points and sums by the library's own calls, file by file."""
    from drgcore import Month, Policy, compute_points, group_file, settle_month
    from drgcore.budget import add_tallies, tally, terms_of

    policy = Policy.load("example")
    terms = terms_of(policy, YEAR)
    steps = []

    def step(name: str, work: Callable[[], Any]) -> Any:
        start, cpu = time.perf_counter(), cpu_seconds()
        found = work()
        steps.append(
            {"step": name, "seconds": time.perf_counter() - start, "cpu": cpu_seconds() - cpu}
        )
        return found

    files = sorted(cases.glob("*.parquet"))
    out.mkdir()
    group_file(files[0], out / "first.parquet")

    def groups() -> None:
        for file in files:
            group_file(file, out / file.name)

    def points() -> Any:
        tallies = []
        for file in files:
            scored = compute_points(pq.read_table(out / file.name), policy, year=YEAR)
            pq.write_table(scored, out / f"scored-{file.name}")
            tallies.append(tally(scored, terms))
        return add_tallies(tallies)

    def months() -> None:
        before = None
        for number in range(1, 13):
            before = settle_month(whole, policy, Month(YEAR, number), before)

    step("group, write", groups)
    whole = step("points, write, sums, ids", points)
    step("12 months", months)
    return steps


def main() -> None:
    """Run both in processes of their own and print what they cost."""
    if sys.argv[1:2] == ["--run"]:
        cases, out = Path(sys.argv[3]), Path(sys.argv[4])
        found = (
            run_alone(cases, out) if sys.argv[2] == "alone" else run_spark(cases, out, sys.argv[5])
        )
        print(json.dumps(found))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    hospitals = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    workers = sys.argv[3] if len(sys.argv) > 3 else "2"
    to_ten = 1e7 / count
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases"
        write_cases(cases, count, hospitals)
        for who in ("spark", "alone"):
            command = [
                sys.executable,
                __file__,
                "--run",
                who,
                str(cases),
                f"{folder}/{who}",
                workers,
            ]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            steps = json.loads(done.stdout.splitlines()[-1])
            print(
                f"\n{who}: {count:,} cases of {hospitals} hospitals, load {os.getloadavg()[0]:.1f}"
            )
            print(
                f"{'step':28}{'s':>8}{'CPU s':>8}{'CPU s/10^7':>12}"
                f"{'shuffled MB':>13}{'10^8 MB':>9}"
            )
            for row in steps:
                if "step" not in row:
                    print(f"cells of sums that came to the driver: {row['cells']:,}")
                    continue
                wrote = row.get("shuffle_write", 0) / 1e6
                # What is added up by cell shuffles the same for any number of cases.
                print(
                    f"{row['step']:28}{row['seconds']:8.1f}{row['cpu']:8.1f}"
                    f"{row['cpu'] * to_ten:12.1f}{wrote:13.1f}{wrote * to_ten * 10:9.0f}"
                )


if __name__ == "__main__":
    main()
