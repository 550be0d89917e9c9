"""A migration from 2.0 to 3.0 with a reason for every case, against grouping twice and counting.

    python benchmarks/migration.py [cases]

The plain way groups the file by both schemes and counts the flows between DRG with polars, which
says what moves and not why. A migration also pairs the groups and evaluates the rules of both
schemes for each changed case until one condition explains it, and here it weighs hospitals,
departments and MDC too. Each version runs in a process of its own, in turn, twice; the better time
counts. Reading is part of it, drawing the cases and compiling are not. Goal: with all reasons no
more than 4 times the plain way, and 4 GB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GOAL_RATIO, GOAL_BYTES = 4.0, 4_000_000_000
BEFORE, AFTER = "chs-drg-2.0", "chs-drg-3.0"
BUDGETS = {"employee": "9000000000", "resident": "7000000000"}
COLUMNS = ["hospital", "hospital_level", "department", "pool", "total_cost"]


def run_plain(path: Path) -> str:
    """Both groupings and the flows between them."""
    import polars
    import pyarrow.parquet as pq

    import drgcore

    table = pq.read_table(path)
    sides = [
        polars.from_arrow(drgcore.group(table, scheme, columns=[])).select(
            polars.col("drg").cast(polars.String).alias(name)
        )
        for name, scheme in (("before", BEFORE), ("after", AFTER))
    ]
    flows = polars.concat(sides, how="horizontal").group_by("before", "after").len()
    return f"{len(flows):,} flows"


def run_migrate(path: Path) -> str:
    """The migration."""
    import drgcore

    moved = drgcore.migrate(path, BEFORE, AFTER)
    return f"{moved.changed.num_rows:,} of {moved.results.num_rows:,} cases changed, each explained"


def run_effect(path: Path) -> str:
    """The migration, and the weights and money of hospitals, departments and MDC."""
    import pyarrow.parquet as pq

    import drgcore

    moved = drgcore.migrate(path, BEFORE, AFTER)
    effect = drgcore.migration_effect(pq.read_table(path, columns=COLUMNS), moved, budgets=BUDGETS)
    return f"{len(effect.departments):,} departments"


VERSIONS: dict[str, Callable[[Path], str]] = {
    "plain": run_plain,
    "migrate": run_migrate,
    "effect": run_effect,
}


def measure(version: str, path: Path, small: Path) -> dict[str, Any]:
    """Time of one version, and the memory at its height."""
    run = VERSIONS[version]
    run(small)
    start = time.perf_counter()
    told = run(path)
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "bytes": memory, "told": told}


def main() -> None:
    """Draw the cases, run each version twice in turn, print the ratios."""
    import drgcore

    if len(sys.argv) == 5:
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path, small = Path(folder) / "cases.parquet", Path(folder) / "small.parquet"
        for target, rows in ((path, count), (small, 2000)):
            drgcore.write_sample(target, rows, BEFORE, seed=1, year=2026, hospitals=60)
        runs: dict[str, list[dict[str, Any]]] = {version: [] for version in VERSIONS}
        for _ in range(2):
            for version, found in runs.items():
                done = subprocess.run(
                    [sys.executable, __file__, str(count), version, str(path), str(small)],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                found.append(json.loads(done.stdout))
    best = {version: min(r["seconds"] for r in found) for version, found in runs.items()}
    height = {version: max(r["bytes"] for r in found) for version, found in runs.items()}
    print(f"{count:,} cases, {BEFORE} to {AFTER}")
    for version, found in runs.items():
        print(
            f"  {version:<8} {best[version]:7.2f} s  {best[version] / best['plain']:5.2f} times "
            f"the plain way  {height[version] / 1e9:4.1f} GB  {found[0]['told']}"
        )
    met = best["effect"] <= GOAL_RATIO * best["plain"] and height["effect"] <= GOAL_BYTES
    print(f"goal: {GOAL_RATIO} times and {GOAL_BYTES / 1e9:.0f} GB: {'met' if met else 'missed'}")


if __name__ == "__main__":
    main()
