"""A province on Spark: cost per 10**7 cases, bytes shuffled, memory, and what 10**8 would take.

    python benchmarks/spark.py [--cases 1000000 3000000 10000000] [--hospitals 500]
                               [--workers 1 2] [--folder place] [--no-alone]

A million made-up cases are replicated, with ids and patients of their own in every replica and
hospitals of their own in every tenth, into a folder of parquet files. Spark reads and writes them
as they are, which is the least that any step with files can cost; it groups them, computes points
by the shipped fictitious policy, adds them up, settles twelve months and the year, takes weights
and indicators; beside it one machine does the same with the library's own calls, file by file. Both
write what they have grouped and scored, and each runs in a process of its own.

Seconds are those of the clock, which other programs on the machine make longer. Processor seconds,
user and system, are those of Java and of Python (the driver's and the workers'), from /proc; they
hardly depend on what else runs. Bytes shuffled are those of Spark's own status. Memory is the
largest resident size of Java, and of one Python worker, in each step. Starting Spark and compiling
come before. Every run must have the same year end and weights. At the end, for each step, a line is
laid through the sizes: what a run costs at all, and what 10**7 more cases cost.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

YEAR, REPLICA, TICKS = 2027, 1_000_000, os.sysconf("SC_CLK_TCK")
PAUSE = 0.2
"""Seconds between two looks at the memory of all processes."""


def write_cases(folder: Path, count: int, hospitals: int) -> None:
    """Write replicas of a sample, a file each; a file that is there is taken as it is."""
    from drgcore import write_sample

    folder.mkdir(parents=True, exist_ok=True)
    sample = folder.parent / f"sample-{min(count, REPLICA)}-{hospitals}.parquet"
    if not sample.exists():
        write_sample(sample, min(count, REPLICA), hospitals=hospitals)
    for number in range(-(-count // REPLICA)):
        file = folder / f"part-{number:03d}.parquet"
        rows = min(REPLICA, count - number * REPLICA)
        if file.exists():
            continue
        source = pq.ParquetFile(sample)
        with pq.ParquetWriter(file, source.schema_arrow) as writer:
            for batch in source.iter_batches(1 << 17):
                part = pa.table(batch).slice(0, rows)
                rows -= len(part)
                writer.write_table(_replica(part, number))


def _replica(table: pa.Table, number: int) -> pa.Table:
    marks = {"case_id": number, "patient_id": number, "hospital": number // 10}
    for name, mark in marks.items():
        if mark:
            column = pc.binary_join_element_wise(table[name], str(mark), "-")
            table = table.set_column(table.column_names.index(name), name, column)
    return table


Process = tuple[int, str, str, float]
"""Its number, when it started, its program, its processor seconds."""


def descendants() -> Iterator[Process]:
    """This process and all that descend from it and have not ended."""
    of: dict[int, tuple[int, Process]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                start, _, rest = (entry / "stat").read_text().rpartition(")")
            except OSError:
                continue
            fields, pid = rest.split(), int(entry.name)
            program = "java" if "java" in start else "python"
            seconds = sum(map(int, fields[11:13])) / TICKS
            of[pid] = int(fields[1]), (pid, fields[19], program, seconds)
    own = {os.getpid()}
    while own:
        yield from (of[pid][1] for pid in own if pid in of)
        own = {pid for pid, (parent, _) in of.items() if parent in own}


_SEEN: dict[tuple[int, str, str], float] = {}


def processor_seconds() -> dict[str, float]:
    """User and system seconds so far of Java and of Python, of ended workers as last seen."""
    for pid, start, program, seconds in descendants():
        _SEEN[pid, start, program] = seconds
    found = {"java": 0.0, "python": 0.0}
    for (_, _, program), seconds in list(_SEEN.items()):
        found[program] += seconds
    return found


class Memory:
    """Looks at the resident size of all processes until it is stopped."""

    def __init__(self) -> None:
        # What a process has needed in earlier steps does not count in this one.
        for pid, *_ in descendants():
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        self.peaks: dict[str, int] = {"java": 0, "worker": 0, "driver": 0}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while True:
            last = self._stop.is_set()
            for pid, start, program, seconds in descendants():
                _SEEN[pid, start, program] = seconds
                try:
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                except OSError:
                    continue
                of = program if program == "java" else "worker"
                of = "driver" if pid == os.getpid() else of
                size = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
                self.peaks[of] = max([self.peaks[of], *size])
            if last:
                return
            self._stop.wait(PAUSE)

    def stop(self) -> dict[str, float]:
        """Give the largest sizes [MB] of Java, of one worker and of the driver's Python."""
        self._stop.set()
        self._thread.join()
        return {of: kilobytes / 1024 for of, kilobytes in self.peaks.items()}


def shuffled(spark: Any) -> tuple[int, int]:
    """Bytes that all stages so far have written to shuffles, and rows."""
    context = spark.sparkContext
    place = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/stages"
    with urllib.request.urlopen(place) as answer:
        stages = json.load(answer)
    bytes_, rows = (
        sum(stage[f"shuffleWrite{what}"] for stage in stages) for what in ("Bytes", "Records")
    )
    return bytes_, rows


class Steps:
    """What each step of a run has cost."""

    def __init__(self, spark: Any = None) -> None:
        self.spark = spark
        self.rows: list[dict[str, Any]] = []

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        """Do a step and write down what it costs."""
        memory, before = Memory(), processor_seconds()
        moved = shuffled(self.spark) if self.spark else (0, 0)
        start = time.perf_counter()
        found = work()
        seconds = time.perf_counter() - start
        after = processor_seconds()
        row = {"step": name, "seconds": seconds, **memory.stop()}
        row |= {f"{program}_cpu": after[program] - before[program] for program in after}
        now = shuffled(self.spark) if self.spark else (0, 0)
        row |= {"shuffle_bytes": now[0] - moved[0], "shuffle_rows": now[1] - moved[1]}
        self.rows.append(row)
        print(row, file=sys.stderr, flush=True)
        return found


def settle(sums: Any, policy: Any) -> Any:
    """Twelve months and the year, from sums."""
    import pandas as pd

    from drgcore import Month, settle_month, settle_year

    months: list[Any] = []
    for number in range(1, 13):
        before = months[-1] if months else None
        months.append(settle_month(sums, policy, Month(YEAR, number), before))
    quality = pd.DataFrame({"hospital": sorted(sums.hospitals)})
    quality[["record quality", "readmission", "patient burden"]] = [90, 80, 70]
    return settle_year(sums, months, policy, quality)


def digest_of(year: Any, weights: Any) -> str:
    """Give a digest of what every hospital is paid and of all weights, to compare two runs."""
    tables = [year.statement, year.reconciliation, weights.table]
    texts = [table.to_csv(index=False, float_format="%.17g") for table in tables]
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def run_spark(cases: Path, out: Path, workers: str) -> list[dict[str, Any]]:
    """The steps on Spark."""
    from pyspark.sql import SparkSession

    from drgcore import Policy
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
    policy, step = Policy.load("example"), Steps(spark)

    def written(df: Any, name: str) -> Any:
        df.write.mode("overwrite").parquet(str(out / name))
        return spark.read.parquet(str(out / name))

    df = spark.read.parquet(str(cases))
    # Java, the workers and what is compiled start here.
    compute_points_spark(group_spark(df.limit(1000)), policy, year=YEAR).toArrow()
    step("read, write", lambda: written(df, "same"))
    grouped = step("group, write", lambda: written(group_spark(df), "grouped"))
    scored = step(
        "points, write",
        lambda: written(compute_points_spark(grouped, policy, year=YEAR), "scored"),
    )
    sums = step("sums by month, ids", lambda: tally_spark(scored, policy, YEAR))
    year = step("12 months and the year (driver)", lambda: settle(sums, policy))
    weights = step("weights", lambda: weights_spark(grouped, scale=100))
    alone = scored.drop("patient_id")
    found = step("indicators", lambda: indicators_spark(alone, "hospital"))
    step("indicators, readmissions", lambda: indicators_spark(scored, "hospital"))
    spark.stop()
    said = {"cells": len(sums.cells), "hospitals": len(found.table)}
    return [*step.rows, said | {"results": digest_of(year, weights)}]


def run_alone(cases: Path, out: Path) -> list[dict[str, Any]]:
    """The same steps by the library's own calls, file by file."""
    from drgcore import (
        Policy,
        base_points,
        compute_indicators,
        compute_points,
        group_file,
        read_history,
    )
    from drgcore.budget import add_tallies, tally, terms_of

    policy, step = Policy.load("example"), Steps()
    terms = terms_of(policy, YEAR)
    files = sorted(cases.glob("*.parquet"))
    out.mkdir(parents=True)
    head = out / "head.parquet"
    pq.write_table(next(pa.table(b) for b in pq.ParquetFile(files[0]).iter_batches(1000)), head)
    group_file(head, out / "first.parquet")
    compute_points(pq.read_table(out / "first.parquet"), policy, year=YEAR)
    grouped, scored = out / "grouped", out / "scored"
    scored.mkdir()

    def points() -> Any:
        tallies = []
        for file in files:
            found = compute_points(pq.read_table(grouped / file.name), policy, year=YEAR)
            pq.write_table(found, scored / file.name)
            tallies.append(tally(found, terms))
        return add_tallies(tallies)

    step("group, write", lambda: group_file(cases, grouped))
    sums = step("points, write, sums, ids", points)
    year = step("12 months and the year", lambda: settle(sums, policy))
    weights = step("weights", lambda: base_points(read_history(grouped), scale=100))
    step("indicators, readmissions", lambda: compute_indicators(scored, "hospital"))
    return [*step.rows, {"cells": len(sums.cells), "results": digest_of(year, weights)}]


def show(who: str, count: int, rows: list[dict[str, Any]]) -> None:
    """Print the steps of one run."""
    print(f"\n{who}: {count:,} cases, load {os.getloadavg()[0]:.1f}")
    print(
        f"{'step':33}{'s':>8}{'Java s':>9}{'Python s':>9}{'shuffled MB':>12}{'rows':>12}"
        f"{'Java MB':>9}{'worker MB':>10}{'driver MB':>10}"
    )
    for row in rows:
        if "step" not in row:
            print(", ".join(f"{name}: {found}" for name, found in row.items()))
            continue
        print(
            f"{row['step']:33}{row['seconds']:8.1f}{row['java_cpu']:9.1f}{row['python_cpu']:9.1f}"
            f"{row['shuffle_bytes'] / 1e6:12.1f}{row['shuffle_rows']:12,}{row['java']:9.0f}"
            f"{row['worker']:10.0f}{row['driver']:10.0f}",
            flush=True,
        )


def show_slopes(who: str, found: dict[int, list[dict[str, Any]]]) -> None:
    """Print what a step costs at all, and for each 10**7 cases, by a line through the sizes."""
    if len(found) < 2:
        return
    counts = np.array(sorted(found)) / 1e7
    print(f"\n{who}: a line through {', '.join(f'{count:,}' for count in sorted(found))} cases")
    print(f"{'step':33}{'CPU s':>8}{'+ s/10^7':>10}{'10^8: h':>9}{'MB/10^7':>9}{'10^8: GB':>10}")
    for at, row in enumerate(found[max(found)]):
        if "step" not in row:
            continue
        rows = [found[count][at] for count in sorted(found)]
        cpu = [row["java_cpu"] + row["python_cpu"] for row in rows]
        slope, base = np.polyfit(counts, cpu, 1)
        moved, once = np.polyfit(counts, [row["shuffle_bytes"] / 1e6 for row in rows], 1)
        print(
            f"{row['step']:33}{base:8.1f}{slope:10.1f}{(base + 10 * slope) / 3600:9.2f}"
            f"{moved:9.1f}{(once + 10 * moved) / 1e3:10.2f}"
        )


def main() -> None:
    """Run every size, Spark with each number of workers and one machine, in processes."""
    if sys.argv[1:2] == ["--run"]:
        who, cases, out = sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
        found = run_alone(cases, out) if who == "alone" else run_spark(cases, out, who)
        print(json.dumps(found))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--hospitals", type=int, default=500)
    parser.add_argument("--workers", nargs="+", default=["1", "2"])
    parser.add_argument(
        "--folder", type=Path, help="keep made-up cases here, and results for a while"
    )
    parser.add_argument("--no-alone", action="store_true", help="leave out one machine's own calls")
    asked = parser.parse_args()
    runs = [*asked.workers, *([] if asked.no_alone else ["alone"])]
    by: dict[str, dict[int, list[dict[str, Any]]]] = {}
    with tempfile.TemporaryDirectory(dir=asked.folder) as results:
        for count in asked.cases:
            cases = (asked.folder or Path(results)) / f"cases-{count}"
            write_cases(cases, count, asked.hospitals)
            for who in runs:
                out = Path(results) / f"{who}-{count}"
                command = [sys.executable, __file__, "--run", who, str(cases), str(out)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                name = "one machine" if who == "alone" else f"local[{who}]"
                by.setdefault(name, {})[count] = json.loads(done.stdout.splitlines()[-1])
                show(name, count, by[name][count])
                subprocess.run(["rm", "-rf", str(out)], check=True)
            digests = {by[name][count][-1]["results"] for name in by}
            if len(digests) > 1:
                sys.exit(f"{count:,} cases: the runs have other results")
    for name, found in by.items():
        show_slopes(name, found)


if __name__ == "__main__":
    main()
