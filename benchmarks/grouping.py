"""How fast is grouping, against reading and writing the same file?

One run prints everything as ratios: `group_file` against pyarrow reading and writing the same
columns, the kernel alone, one thread against two, memory at two sizes, and the first call of a
fresh process without and with compiled code in the cache.

    python benchmarks/grouping.py [--rows 1000000] [--large 10000000] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import drgcore
from drgcore.grouper.batch import BATCH_ROWS, BatchGrouper, in_order
from drgcore.grouper.kernel import group_rows
from drgcore.grouper.result import GroupedRows

CODE_COLUMNS = [
    "principal_diagnosis",
    "other_diagnoses.list.element",
    "principal_procedure",
    "other_procedures.list.element",
]

# Run in a fresh interpreter, so that nothing of this process counts.
IMPORT = "import time; t = time.perf_counter(); import drgcore; print(time.perf_counter() - t)"
IMPORT_ALL = (
    "import time; t = time.perf_counter(); from drgcore import group, load_scheme, explain; "
    "print(time.perf_counter() - t)"
)
LOAD = (
    "import drgcore, time; drgcore.load_scheme; t = time.perf_counter(); "
    "drgcore.load_scheme('chs-drg-3.0'); print(time.perf_counter() - t)"
)
FIRST_GROUP = (
    "import sys, time, pyarrow.parquet as pq; t = time.perf_counter(); import drgcore; "
    "cases = pq.ParquetFile(sys.argv[1]).read_row_group(0).slice(0, 1000); "
    "drgcore.group(cases); print(time.perf_counter() - t)"
)
# The kernel's own high-water mark: getrusage would count this process, from which it was forked.
PEAK = (
    "import sys, drgcore; drgcore.group; "
    "drgcore.group_file(sys.argv[1], sys.argv[2]) if len(sys.argv) > 2 else None; "
    "status = open('/proc/self/status').read(); "
    "print(int(status.split('VmHWM:')[1].split()[0]) / 1024)"
)


def fresh(code: str, *args: str, cache: str | None = None) -> float:
    """The number that a fresh interpreter prints."""
    env = dict(os.environ) | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    done = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=True, env=env
    )
    return float(done.stdout)


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def copy(src: Path, dst: Path) -> None:
    """The limit: read and write the same columns with pyarrow and do nothing else."""
    with pq.ParquetFile(src) as file, pq.ParquetWriter(dst, file.schema_arrow) as writer:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            writer.write_table(pa.Table.from_batches([batch]))


def end_to_end(src: Path, folder: Path, repeats: int) -> None:
    """`group_file` against the copy, by turns."""
    runs: dict[str, list[float]] = {"copy": [], "two": [], "one": []}
    for _ in range(repeats):
        runs["copy"].append(seconds(lambda: copy(src, folder / "copy.parquet")))
        runs["two"].append(seconds(lambda: drgcore.group_file(src, folder / "out.parquet")))
        runs["one"].append(
            seconds(lambda: drgcore.group_file(src, folder / "out.parquet", threads=1))
        )
    ratio = statistics.median(c / g for c, g in zip(runs["copy"], runs["two"], strict=True))
    print(f"read + write by pyarrow         {statistics.median(runs['copy']):8.2f} s")
    print(f"group_file, all threads         {statistics.median(runs['two']):8.2f} s")
    print(f"group_file, one worker thread   {statistics.median(runs['one']):8.2f} s")
    print(f"share of the limit reached      {ratio:8.2f}    goal ≥ 0.5")


def kernel(src: Path, repeats: int) -> None:
    """The compiled loop alone, and all of `group` but the reading, on one thread and on two."""
    grouper = BatchGrouper.of("chs-drg-3.0", False)
    with pq.ParquetFile(src, read_dictionary=CODE_COLUMNS) as file:
        batches = list(file.iter_batches(batch_size=BATCH_ROWS))
    mapping = grouper.resolve("canonical", batches[0].schema)
    encoded = [grouper.tables.inputs(grouper.encode(b, mapping)) for b in batches]
    rows = sum(len(cases[0]) for cases in encoded)

    def loop(cases: tuple) -> None:
        out = GroupedRows.empty(len(cases[0]))
        group_rows(*grouper.tables.kernel, cases, 0, len(out), out.arrays())

    def run(work: Callable[[object], object], items: list, threads: int) -> float:
        # Ten rounds, so that starting the threads does not count for much.
        return seconds(lambda: [None for _ in in_order(work, items * 10, threads)]) / 10

    loop(encoded[0])
    one, two, whole_one, whole_two = [], [], [], []
    for _ in range(repeats):
        one.append(run(loop, encoded, 1))
        two.append(run(loop, encoded, 2))
        whole_one.append(run(lambda b: grouper.group(b, mapping), batches, 1))
        whole_two.append(run(lambda b: grouper.group(b, mapping), batches, 2))
    pairs = statistics.median(a / b for a, b in zip(one, two, strict=True))
    whole = statistics.median(a / b for a, b in zip(whole_one, whole_two, strict=True))
    speed = rows / statistics.median(one) / 1e6
    print(f"kernel, one core                {speed:8.2f} million cases/s    goal ≥ 3")
    print(f"kernel, two threads             {pairs:8.2f} × one    goal ≥ 1.7")
    print(f"codes to ids + kernel, two      {whole:8.2f} × one")


def processes(src: Path, repeats: int) -> None:
    """What a fresh process pays."""

    def median(code: str, *args: str, cache: str | None = None) -> float:
        return statistics.median(fresh(code, *args, cache=cache) for _ in range(repeats))

    print(f"import drgcore                  {median(IMPORT):8.2f} s    goal ≤ 0.6")
    print(f"import all of grouping          {median(IMPORT_ALL):8.2f} s")
    print(f"load a shipped scheme           {median(LOAD):8.2f} s    goal ≤ 0.3")
    first = []
    for _ in range(min(repeats, 3)):
        with tempfile.TemporaryDirectory() as cache:
            first.append(fresh(FIRST_GROUP, str(src), cache=cache))
    print(f"import + first group, no cache  {statistics.median(first):8.2f} s    goal ≤ 6")
    print(f"import + first group, cached    {median(FIRST_GROUP, str(src)):8.2f} s    goal ≤ 1")


def memory(small: Path, large: Path, folder: Path) -> None:
    """Peak memory of a process that groups a file."""
    out = str(folder / "out.parquet")
    base = fresh(PEAK)
    peaks = {p: fresh(PEAK, str(p), out) for p in (small, large)}
    print(f"peak memory, only imported      {base:8.0f} MB")
    for path, peak in peaks.items():
        rows = pq.read_metadata(path).num_rows
        print(f"peak memory, {rows:>12,} cases {peak:8.0f} MB    goal ≤ 1500")
    print(f"large / small                   {peaks[large] / peaks[small]:8.2f}    goal ≤ 1.2")


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    versions = {m: __import__(m).__version__ for m in ("pyarrow", "numba", "numpy")}
    print(f"{platform.machine()}, {os.cpu_count()} cores, {json.dumps(versions)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = folder / "small.parquet", folder / "large.parquet"
        made = seconds(lambda: drgcore.write_sample(small, options.rows, seed=1))
        print(f"{options.rows:,} synthetic cases made in {made:8.2f} s    goal ≤ 30 for 10⁶")
        end_to_end(small, folder, options.repeats)
        kernel(small, options.repeats)
        processes(small, options.repeats)
        drgcore.write_sample(large, options.large, seed=2)
        memory(small, large, folder)


if __name__ == "__main__":
    main()
