"""What-if of one case in a warm process, and of all cases of a month.

    python benchmarks/estimate.py [--rows 200000]

Prints milliseconds a case for `what_if` (median of 200) and seconds for `pivotal_codes` beside the
time that grouping the same cases once takes.
"""

from __future__ import annotations

import argparse
import statistics
import time

import drgcore


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    cases = drgcore.sample_cases(rows, "chs-drg-3.0", seed=1)
    ones = [cases.slice(at, 1).combine_chunks() for at in range(min(201, rows))]
    drgcore.what_if(ones[0])
    times = []
    for one in ones[1:]:
        start = time.perf_counter()
        drgcore.what_if(one)
        times.append(time.perf_counter() - start)
    print(f"what_if of one case: {1000 * statistics.median(times):.1f} ms (median)")
    start = time.perf_counter()
    drgcore.group(cases, columns=[], threads=1)
    grouping = time.perf_counter() - start
    start = time.perf_counter()
    found = drgcore.pivotal_codes(cases)
    pivotal = time.perf_counter() - start
    print(
        f"pivotal_codes of {rows:,} cases: {pivotal:.1f} s, {len(found):,} codes; grouping them "
        f"once: {grouping:.2f} s, ratio {pivotal / grouping:.0f}"
    )


if __name__ == "__main__":
    main()
