"""The report of a month of many cases: time of workbook and page, size of both.

    python benchmarks/report.py [CASES]

The month is grouped and settled before; what is measured is reading both, composing the report and
writing the files. Beside it stands the time that points and settlement of the month take.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

import drgcore
from drgcore.budget.tables import plain
from drgcore.workbooks import write_tables

_MONTH = drgcore.Month(2027, 1)
_MOST_SECONDS, _MOST_BYTES = 40.0, 5_000_000


def main(rows: int) -> None:
    """Make a month, settle it, and write its report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = folder / "grouped.parquet"
        # A twelfth of a year's cases fall into one month.
        year = drgcore.group(drgcore.sample_cases(12 * rows, seed=1, year=2027, hospitals=60))
        inputs = drgcore.ReportInputs(year, period=str(_MONTH))
        pq.write_table(inputs.of_period(), cases)
        del year
        policy = _policy(cases)
        start = time.perf_counter()
        table = pq.read_table(cases)
        earned = drgcore.compute_points(table, policy, year=2027)
        settled = drgcore.settle_month(earned, policy, _MONTH)
        settling = time.perf_counter() - start
        write_tables(folder / "settled.xlsx", plain(settled))
        start = time.perf_counter()
        inputs = drgcore.ReportInputs(
            pq.read_table(cases),
            drgcore.Settled.from_files(folder / "settled.xlsx", str(_MONTH)),
            period=str(_MONTH),
            policy=policy,
        )
        report = drgcore.make_report("month", inputs, "zh")
        composing = time.perf_counter() - start
        files = drgcore.write_report(report, folder / "report")
        whole = time.perf_counter() - start
        print(f"{len(table):,} cases, {len(report.sections)} sections")
        print(f"read, points, settled      {settling:8.1f} s")
        print(f"report composed            {composing:8.1f} s")
        print(f"report, workbook and page  {whole:8.1f} s   goal: at most {_MOST_SECONDS:.0f} s")
        for form, path in files.items():
            print(f"{form:<5}{path.stat().st_size:>15,} bytes")
        print(f"goal: a page of at most {_MOST_BYTES:,} bytes")


def _policy(cases: Path) -> drgcore.Policy:
    """The fictitious region's policy with the base points of these cases."""
    weights = drgcore.base_points(drgcore.read_history(pq.read_table(cases)), scale=100)
    policy = drgcore.Policy.load("example").with_base_points(weights.policy_table())
    return policy.with_changes({"base_points": {"missing": "by_cost", "missing_rate": "1"}})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
