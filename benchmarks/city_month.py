"""A DRG office's month of a whole city: indicators by all keys, profit and loss, all audit signals.

    python benchmarks/city_month.py [CASES]

Synthetic cases of 80 hospitals and about 2,000 doctors, with costs before admission and the month
before beside them. Prints seconds (and those of all processors) and the peak of memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import drgcore
from drgcore.synthetic.planted import plant

CASES, HOSPITALS = 200_000, 80
GOAL_SECONDS, GOAL_BYTES = 20.0, 2e9
KEYS = ("hospital", "level", "department", "doctor", "mdc", "adrg", "drg", "month", "pool")
PAIRS = (("hospital", "department"), ("hospital", "drg"), ("hospital", "doctor"))


def write_cases(folder: Path, count: int) -> None:
    """The month and the one before; costs before admission are what `shifted` looks at."""
    grouped = drgcore.group(drgcore.sample_cases(count, seed=1, hospitals=HOSPITALS))
    pq.write_table(plant(grouped, "shifted", units=0).cases, folder / "month.parquet")
    before = drgcore.group(drgcore.sample_cases(count, seed=2, hospitals=HOSPITALS))
    pq.write_table(before, folder / "before.parquet")


def indicators(path: Path) -> int:
    """All indicators with intervals and comparisons, by every key and the usual pairs."""
    return sum(
        len(drgcore.compute_indicators(path, by, outliers=(0.4, 3)).long())
        for by in (*KEYS, *PAIRS)
    )


def profit(table: pa.Table) -> int:
    """Profit and loss by every key, quadrants, fees."""
    found = drgcore.profit_and_loss(
        table, drgcore.Policy.load("example"), {"employee": 64.5, "resident": 58.0}
    )
    rows = sum(len(found.by(key)) for key in KEYS)
    return rows + len(drgcore.quadrants(table)) + len(drgcore.fee_structure(table))


def audit(table: pa.Table, past: pa.Table) -> int:
    """All signals of hospitals with the list of cases, and those of doctors."""
    rows = 0
    for by in ("hospital", "doctor_id"):
        found = drgcore.audit_cases(table, by=by, past=past)
        # A sample has no stays near 60 days, so nothing can be compared there; no column lacks.
        assert not found.summary["not_run"].str.startswith("no column").any(), found.summary
        rows += len(found.units) + len(found.cases)
    return rows


def month(folder: Path) -> dict[str, float]:
    """All of it; seconds of each part."""
    path, taken = folder / "month.parquet", {}
    for name in ("indicators", "profit and loss", "audit"):
        start = time.perf_counter()
        if name == "indicators":
            rows = indicators(path)
        elif name == "profit and loss":
            rows = profit(pq.read_table(path))
        else:
            rows = audit(pq.read_table(path), pq.read_table(folder / "before.parquet"))
        taken[name] = time.perf_counter() - start
        taken[f"{name}, rows"] = float(rows)
    return taken


def main() -> None:
    """Write the cases, do the month in a process of its own, print."""
    if sys.argv[1:2] == ["--run"]:
        started, busy = time.perf_counter(), time.process_time()
        taken = month(Path(sys.argv[2]))
        taken["all"] = time.perf_counter() - started
        taken["processors"] = time.process_time() - busy
        taken["bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(taken))
        return
    count = int(sys.argv[1]) if sys.argv[1:] else CASES
    with tempfile.TemporaryDirectory() as folder:
        write_cases(Path(folder), count)
        done = subprocess.run(
            [sys.executable, __file__, "--run", folder], check=True, capture_output=True, text=True
        )
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"a city's month: {count:,} cases, {HOSPITALS} hospitals")
    for name in ("indicators", "profit and loss", "audit"):
        print(f"{name:<18}{found[name]:7.1f} s  {found[f'{name}, rows']:>10,.0f} rows")
    met = found["all"] <= GOAL_SECONDS and found["bytes"] <= GOAL_BYTES
    print(
        f"{'all':<18}{found['all']:7.1f} s, {found['processors']:.1f} s of processors, peak "
        f"{found['bytes'] / 1e9:.2f} GB (goal {GOAL_SECONDS:.0f} s and {GOAL_BYTES / 1e9:.0f} GB: "
        f"{'met' if met else 'MISSED'})"
    )


if __name__ == "__main__":
    main()
