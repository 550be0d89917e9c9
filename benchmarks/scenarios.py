"""Two policies compared on a year of cases, against computing and adding up points twice.

    python benchmarks/scenarios.py [cases] [hospitals]

The cases are those of `benchmarks/settlement.py`. What a comparison adds to the points under both
policies is the split by hospital, level, MDC and class, and the tables. Each version runs in a
process of its own, twice; the better time counts, reading and compiling are not part of it. With
`keep_total` the factor on all base points that keeps the total of points is found as well. Goal:
a comparison costs no more than 1.5 times the points and sums that it is made of, and 3 GB.
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

import pyarrow.parquet as pq
from settlement import SLICE, YEAR, policy_for, write_cases

GOAL_RATIO, GOAL_BYTES = 1.5, 3_000_000_000


def two_policies(count: int) -> dict[str, Any]:
    """The fictitious policy, and a round in which an outlier's limit and a DRG changed."""
    policy: Any = policy_for(count)
    changes = {"outliers": {"low": {"multiples": 0.5}}, "base_points": {"frozen": {"BR15": 100}}}
    return {"as is": policy, "round 2": policy.with_changes(changes)}


def run_compare(cases: Any, count: int) -> str:
    """The comparison."""
    from drgcore.scenarios import compare

    found = compare(cases, two_policies(count), year=YEAR)
    return f"{len(found.winners)} hospitals gain, {len(found.losers)} lose"


def run_sums(cases: Any, count: int) -> str:
    """Points and their sums by hospital, month and class under both policies, slice by slice."""
    from drgcore.budget import add_tallies, tally, terms_of
    from drgcore.points import compute_points

    points = []
    for policy in two_policies(count).values():
        terms = terms_of(policy, YEAR)
        parts = [
            tally(compute_points(cases.slice(start, SLICE), policy), terms)
            for start in range(0, len(cases), SLICE)
        ]
        points.append(int(add_tallies(parts).cells["points"].sum()))
    return f"{points[1] / points[0]:.6f} times the points"


def run_keep_total(cases: Any, count: int) -> str:
    """The factor that keeps the total of points."""
    from drgcore.scenarios import keep_total

    policies = two_policies(count)
    return str(keep_total(cases, policies["round 2"], policies["as is"], year=YEAR))


VERSIONS: dict[str, Callable[[Any, int], str]] = {
    "points and sums": run_sums,
    "compare": run_compare,
    "keep_total": run_keep_total,
}


def measure(what: str, path: Path, count: int) -> dict[str, Any]:
    """Run one version in its own process."""
    command = [sys.executable, __file__, "--run", what, str(path), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Write the cases, run all versions, print times, ratio and memory."""
    if sys.argv[1:2] == ["--run"]:
        what, path, count = sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
        cases = pq.read_table(path)
        VERSIONS[what](cases.slice(0, 1000), count)
        started = time.perf_counter()
        says = VERSIONS[what](cases, count)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seconds": seconds, "bytes": peak, "says": says}))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    hospitals = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.parquet"
        write_cases(path, count, hospitals)
        print(f"{count:,} cases, {hospitals} hospitals, 2 pools, 2 policies")
        best: dict[str, dict[str, Any]] = {}
        for what in VERSIONS:
            runs = [measure(what, path, count) for _ in range(2)]
            best[what] = min(runs, key=lambda run: float(run["seconds"]))
            memory = max(run["bytes"] for run in runs) / 1e9
            print(
                f"{what:16} {best[what]['seconds']:7.2f} s  {memory:5.2f} GB  {best[what]['says']}"
            )
    ratio = best["compare"]["seconds"] / best["points and sums"]["seconds"]
    met = ratio <= GOAL_RATIO and best["compare"]["bytes"] <= GOAL_BYTES
    print(f"compare / points and sums: {ratio:.2f}")
    print(f"goal {GOAL_RATIO} and {GOAL_BYTES / 1e9:.0f} GB: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
