"""drgcore beside what an expert would pick: polars, DuckDB and pyarrow, in one run.

    python benchmarks/peers.py [--cases 5000000] [--only weights,sums,...] [--runs 3]

Every version runs in processes of its own, by turns, on the same files, reading included; what is
compiled or imported once is not counted but for the first grouping. Results are compared before
times are. The limit of `group_file` is the time in which pyarrow, by which it reads and writes,
does nothing but read the same columns and write the same result; polars is shown beside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import drgcore

sys.path.insert(0, str(Path(__file__).parent))
import peer_versions as versions
from grouping import FIRST_GROUP, fresh
from history import write_history
from reading import COLUMNS, write_files
from settlement import write_cases

HOSPITALS, SMALL = 500, 20_000


def as_written(path: Path) -> None:
    """Give a file the types that `group_file` writes: plain strings, no dictionaries."""
    part = path.with_suffix(".part")
    with pq.ParquetFile(path) as file:
        fields = [
            pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type)
            for f in file.schema_arrow
        ]
        schema = pa.schema(fields)
        with pq.ParquetWriter(part, schema) as writer:
            for group in range(file.num_row_groups):
                writer.write_table(file.read_row_group(group).cast(schema))
    part.replace(path)


@dataclass(frozen=True)
class Contest:
    """Versions of one question, ours first; the goal is the faster peer's time over ours."""

    title: str
    versions: dict[str, Callable[[Path, int], pd.DataFrame]]
    goal: float
    keys: tuple[str, ...] = ()
    million: float | None = None
    """Seconds a million cases, where the goal is a time."""
    judge: str | None = None
    """The peer that the goal is about, where that is not the faster one."""


CONTESTS = {
    "weights": Contest(
        "statistics and weights",
        {
            "drgcore": versions.weights_drgcore,
            "polars": versions.weights_polars,
            "DuckDB": versions.weights_duckdb,
        },
        1.0,
        ("drg",),
    ),
    "sums": Contest(
        "points and sums by pool, hospital and month",
        {
            "drgcore": versions.sums_drgcore,
            "polars": versions.sums_polars,
            "DuckDB": versions.sums_duckdb,
        },
        1.0,
        ("pool", "hospital", "month"),
    ),
    "year": Contest(
        "the whole year end against points and sums alone",
        {
            "drgcore": versions.year_drgcore,
            "polars": versions.sums_polars,
            "DuckDB": versions.sums_duckdb,
        },
        1 / 1.5,
    ),
    "ids": Contest(
        "group_file, the id kept, against reading and writing",
        {
            "drgcore": versions.file_ids_drgcore,
            "pyarrow": versions.file_ids_pyarrow,
            "polars": versions.file_ids_polars,
        },
        0.9,
        ("drg",),
        judge="pyarrow",
    ),
    "all": Contest(
        "group_file, all columns kept, against reading and writing",
        {
            "drgcore": versions.file_all_drgcore,
            "pyarrow": versions.file_all_pyarrow,
            "polars": versions.file_all_polars,
        },
        0.9,
        ("drg",),
        judge="pyarrow",
    ),
    "memory": Contest(
        "a table of plain strings grouped on one thread",
        {
            "drgcore": versions.memory_drgcore,
        },
        1,
        (),
        0.35,
    ),
    "text": Contest(
        f"GB18030, 40,000 × {COLUMNS} as text",
        {
            "drgcore": versions.text_drgcore,
            "polars": versions.text_polars,
        },
        0.7,
        ("column",),
    ),
}


def run_one(contest: str, version: str, folder: Path, count: int) -> None:
    """Run one version on few cases, then on all, and say what it took."""
    work = CONTESTS[contest].versions[version]
    small = folder / "small"
    if small.exists():
        work(small, SMALL)
    started, busy = time.perf_counter(), time.process_time()
    table = work(folder, count)
    ended = time.perf_counter(), time.process_time()
    if "started" in table:
        started, busy = table.pop("started")[0], table.pop("busy")[0]
    table.to_parquet(folder / f"{version}.answer")
    taken = {
        "seconds": ended[0] - started,
        "cpu": ended[1] - busy,
        "bytes": peak_bytes(),
    }
    print(json.dumps(taken))


def peak_bytes() -> int:
    """This process's own high-water mark: getrusage counts the one that it was forked from."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def compete(name: str, folder: Path, count: int, runs: int) -> None:
    """Run all versions by turns, compare what they found, print times and the ratio."""
    contest = CONTESTS[name]
    taken: dict[str, list[dict[str, float]]] = {version: [] for version in contest.versions}
    for turn in range(runs):
        order = list(contest.versions)
        for version in order if turn % 2 == 0 else reversed(order):
            command = [sys.executable, __file__, "--run", name, version, str(folder), str(count)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            taken[version].append(json.loads(done.stdout.splitlines()[-1]))
    compare(contest, folder)
    print(f"\n{contest.title}")
    best = {}
    for version, results in taken.items():
        seconds = [result["seconds"] for result in results]
        cpu = min(result["cpu"] for result in results)
        memory = max(result["bytes"] for result in results)
        best[version] = min(seconds), cpu
        print(
            f"  {version:10}{min(seconds):7.2f} s best {statistics.median(seconds):7.2f} s median"
            f"{cpu:8.2f} s of processors {memory / 1e9:6.2f} GB peak"
        )
    own, own_cpu = best.pop("drgcore")
    if contest.million is not None:
        goal = contest.million * count / 1e6
        print(f"  goal {goal:.2f} s: {'met' if own <= goal else 'MISSED'}")
        return
    for peer, (seconds, cpu) in best.items():
        print(f"  {peer} / drgcore {seconds / own:.2f} ({cpu / own_cpu:.2f} of processors)")
    judged = best if contest.judge is None else {contest.judge: best[contest.judge]}
    ratio = min(seconds for seconds, _ in judged.values()) / own
    met = "met" if ratio >= contest.goal else "MISSED"
    print(f"  goal ≥ {contest.goal:.2f} × {contest.judge or 'the faster peer'}: {ratio:.2f} {met}")


def compare(contest: Contest, folder: Path) -> None:
    """Refuse results that differ by more than the order of addition explains."""
    if not contest.keys:
        return
    keys = list(contest.keys)
    tables = {
        version: pd.read_parquet(folder / f"{version}.answer").sort_values(keys, ignore_index=True)
        for version in contest.versions
    }
    own = tables["drgcore"]
    for version, other in tables.items():
        assert set(own) == set(other), (version, set(own) ^ set(other))
        for column in own:
            if column in keys:
                assert own[column].astype(str).tolist() == other[column].astype(str).tolist()
            else:
                close = np.isclose(own[column], other[column].astype(float), rtol=1e-7)
                assert close.all(), (version, column, own[~close], other[~close])


def prepare(names: list[str], folder: Path, count: int) -> None:
    """Write the files that the contests read, and small ones to warm up with."""
    small = folder / "small"
    small.mkdir()
    for place, cases in ((folder, count), (small, SMALL)):
        if "weights" in names:
            write_history(place / "history.parquet", cases)
            as_written(place / "history.parquet")
        if {"sums", "year"} & set(names):
            write_cases(place / "cases.parquet", cases, HOSPITALS)
            as_written(place / "cases.parquet")
        if {"ids", "all", "memory"} & set(names):
            # A fifth of the cases: these contests are about a million.
            drgcore.write_sample(place / "ask.parquet", max(cases // 5, SMALL), seed=1)
            drgcore.group_file(place / "ask.parquet", place / "ids.parquet", columns=["case_id"])
            drgcore.group_file(place / "ask.parquet", place / "all.parquet")
        if "text" in names:
            write_files(place, min(40_000, cases), sheet=False)


def first_group(folder: Path, runs: int) -> None:
    """What a fresh process pays for its first grouping, with and without compiled code."""
    path = folder / "first.parquet"
    drgcore.write_sample(path, 1000, seed=1)
    fresh(FIRST_GROUP, str(path))
    print("\nimport and first grouping of a process")
    next_one = [fresh(FIRST_GROUP, str(path)) for _ in range(runs)]
    empty = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as cache:
            empty.append(fresh(FIRST_GROUP, str(path), cache=cache))
    for what, times, goal in (("next process", next_one, 0.9), ("fresh install", empty, 5.0)):
        met = "met" if min(times) <= goal else "MISSED"
        print(
            f"  {what:14}{min(times):7.2f} s best {statistics.median(times):7.2f} s median  "
            f"goal ≤ {goal}: {met}"
        )


def main() -> None:
    """Run the contests that are asked for."""
    if sys.argv[1:2] == ["--run"]:
        contest, version, folder, count = sys.argv[2:]
        run_one(contest, version, Path(folder), int(count))
        return
    every = [*CONTESTS, "first"]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=5_000_000)
    parser.add_argument("--only", default=",".join(every), help="which contests, with commas")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    names = options.only.split(",")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(names, folder, options.cases)
        print(f"{options.cases:,} cases; a fifth of them for grouping")
        for contest in names:
            if contest == "first":
                first_group(folder, options.runs)
            else:
                million = contest in ("ids", "all", "memory")
                compete(
                    contest, folder, options.cases // 5 if million else options.cases, options.runs
                )


if __name__ == "__main__":
    main()
