"""Does the memory of a run stay flat, however many cases there are?

One file of very many cases is made of a sample, the same rows with other ids again and again, then
grouped with `group_file` in a process of its own while that process's memory is read. Prints the
memory at each tenth of the run, the most that it ever was, and cases a second. Every part of the
result must have the groups of the sample.

    python benchmarks/very_long.py [--rows 100000000] [--sample 1000000] [--folder DIR]

It needs about 15 GB of disk for 10**8 cases.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import drgcore

WORK = "import sys, drgcore; drgcore.group_file(sys.argv[1], sys.argv[2])"


def repeat(sample: pa.Table, path: Path, rows: int) -> None:
    """Write the sample's rows again and again, each time with ids of their own."""
    at = sample.column_names.index("case_id")
    with pq.ParquetWriter(path, sample.schema) as writer:
        for number in range(-(-rows // len(sample))):
            part = sample.slice(0, min(len(sample), rows - number * len(sample)))
            ids = pc.binary_join_element_wise(str(number), part.column("case_id"), "-")
            field = sample.schema.field(at)
            writer.write_table(part.set_column(at, field, ids.cast(field.type)))


def memory_of(process: int) -> float:
    """Resident memory of a process [MB]."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def watch(process: subprocess.Popen[bytes], seen: list[tuple[float, float]]) -> None:
    """Read the memory twice a second until the process ends."""
    begin = time.perf_counter()
    while process.poll() is None:
        try:
            seen.append((time.perf_counter() - begin, memory_of(process.pid)))
        except (OSError, IndexError):
            return
        time.sleep(0.5)


def check(sample: pa.Table, result: Path, rows: int) -> None:
    """Every part of the result has the groups of the sample."""
    groups = pa.table(drgcore.group(sample, columns=["case_id"])).column("drg")
    expected = groups.cast(pa.string()).combine_chunks()
    seen = 0
    with pq.ParquetFile(result) as file:
        for batch in file.iter_batches(batch_size=1 << 18, columns=["drg"]):
            column = batch.column(0).cast(pa.string())
            while len(column):
                at = seen % len(sample)
                part = column.slice(0, len(sample) - at)
                if not part.equals(expected.slice(at, len(part))):
                    raise SystemExit(f"other groups at row {seen}")
                seen, column = seen + len(part), column.slice(len(part))
    if seen != rows:
        raise SystemExit(f"{seen:,} rows in place of {rows:,}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--sample", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    made = drgcore.sample_cases(min(asked.sample, asked.rows), "chs-drg-3.0", seed=1)
    sample = pa.table(made)
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        cases, result = Path(name, "cases.parquet"), Path(name, "grouped.parquet")
        repeat(sample, cases, asked.rows)
        begin, seen = time.perf_counter(), []
        with subprocess.Popen([sys.executable, "-c", WORK, cases, result]) as process:
            watcher = threading.Thread(target=watch, args=(process, seen))
            watcher.start()
            process.wait()
            watcher.join()
        seconds = time.perf_counter() - begin
        if process.returncode:
            raise SystemExit(process.returncode)
        check(sample, result, asked.rows)
        sizes = [path.stat().st_size / 1e9 for path in (cases, result)]
    print(f"{asked.rows:,} cases, {os.cpu_count()} cores: {sizes[0]:.1f} GB in, {sizes[1]:.1f} out")
    for tenth in range(1, 11):
        until = [mb for at, mb in seen if at <= seconds * tenth / 10]
        if until:
            print(f"  {seconds * tenth / 10:7.1f} s  {until[-1]:7,.0f} MB")
    print(
        f"{seconds:.0f} s, {asked.rows / seconds / 1e6:.2f} million cases/s, "
        f"at most {max((mb for _, mb in seen), default=0):,.0f} MB"
    )


if __name__ == "__main__":
    main()
