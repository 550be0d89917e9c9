"""Front-page checks of 10⁶ cases: time and memory; five checks beside polars and DuckDB.

    python benchmarks/checks.py [rows]

The five checks of the comparison are written in each library as an expert would write them, on the
same parquet file, and must find the same cases, but for a few of drgcore, which also reads codes in
full width and lower case. Only drgcore says what stands in the fields and writes a profile.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 1_000_000

FIVE = """
[switch]
"*" = false
M02 = true
D01 = true
D03 = true
S01 = true
C10 = true
"""


def timed(name: str, path: Path) -> tuple[float, float, dict[str, int]]:
    """Seconds, MB and counts of one way, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, peak, counts = eval(done.stdout.strip().splitlines()[-1])
    return seconds, peak, counts


def drgcore_checks(path: Path, only_five: bool) -> dict[str, int]:
    import drgcore

    switches = path.with_name("five.toml")
    switches.write_text(FIVE, encoding="utf-8")
    report = drgcore.check_file(
        path, path.with_name("findings.parquet"), checks=switches if only_five else None
    )
    rows = report.checks.to_pylist()
    if not only_five:
        print(f"checks run: {sum(r['status'] == 'run' for r in rows)}", file=sys.stderr)
    return {r["check"]: r["cases"] for r in rows if r["status"] == "run"}


def prefixes() -> tuple[list[str], list[str]]:
    """Codes that only women have, and gray codes, as lists for the other libraries."""
    import numpy as np

    from drgcore.checks import Catalogue
    from drgcore.schemes import load_dictionary
    from drgcore.schemes.lists import code_lists

    codes = np.array(load_dictionary("diagnoses")["code"].to_pylist(), dtype=np.str_)
    female = codes[Catalogue.load().sets["female_only"].members(codes)].tolist()
    return female, sorted(code_lists("chs-drg-3.0").gray_diagnoses)


def polars_checks(path: Path) -> dict[str, int]:
    import polars as pl

    female, gray = prefixes()
    every = pl.col("other_diagnoses").list.concat([pl.col("principal_diagnosis")])
    stay = (pl.col("discharge_date") - pl.col("admission_date")).dt.total_days()
    found = (
        pl.scan_parquet(path)
        .select(
            M02=pl.col("sex").is_null() | (pl.col("sex") == 9),
            D01=pl.col("discharge_date") < pl.col("admission_date"),
            D03=(pl.col("length_of_stay") != stay)
            & (stay >= 0)
            & ~((stay == 0) & (pl.col("length_of_stay") == 1)),
            S01=(pl.col("sex") == 1) & (every.list.set_intersection(female).list.len() > 0),
            C10=every.list.set_intersection(gray).list.len() > 0,
        )
        .collect(engine="streaming")
    )
    found.write_parquet(path.with_name("polars.parquet"))
    return {name: int(found[name].sum()) for name in found.columns}


def duckdb_checks(path: Path) -> dict[str, int]:
    import duckdb

    female, gray = prefixes()
    base = duckdb.connect()
    base.execute("create table female as select unnest(?) as code", [female])
    base.execute("create table gray as select unnest(?) as code", [gray])
    base.execute(
        f"""
        create table found as
        with cases as (
            select file_row_number as row, sex, admission_date as a, discharge_date as d,
                   length_of_stay as l, list_append(other_diagnoses, principal_diagnosis) as codes
            from read_parquet('{path}', file_row_number = true)
        ), long as (select row, sex, unnest(codes) as code from cases)
        select 'M02' as rule, row from cases where sex is null or sex = 9
        union all select 'D01', row from cases where d < a
        union all select 'D03', row from cases where l <> d - a and d >= a and not (d = a and l = 1)
        union all select distinct 'S01', row from long semi join female using (code) where sex = 1
        union all select distinct 'C10', row from long semi join gray using (code)
        """
    )
    base.execute(f"copy found to '{path.with_name('duckdb.parquet')}'")
    counts = base.execute("select rule, count(*) from found group by rule").fetchall()
    return {"M02": 0, "D01": 0, "D03": 0, **dict(counts)}


WAYS = {
    "drgcore, all checks": lambda path: drgcore_checks(path, False),
    "drgcore, five checks": lambda path: drgcore_checks(path, True),
    "polars, five checks": polars_checks,
    "DuckDB, five checks": duckdb_checks,
}


def one(name: str, path: Path) -> None:
    """Run one way and print what it took."""
    if name.startswith("drgcore"):
        import drgcore

        drgcore.check_cases({"principal_diagnosis": ["A00.000"], "other_diagnoses": [[]],
                             "principal_procedure": [None], "other_procedures": [None],
                             "sex": [1], "age_years": [50]})  # fmt: skip
    start = time.perf_counter()
    counts = WAYS[name](path)
    seconds = time.perf_counter() - start
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print((seconds, peak, counts))


def main() -> None:
    """Run all ways on one file and print a table."""
    import drgcore

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cases.parquet")
        drgcore.write_sample(path, ROWS, seed=1, dirty=0.01)
        results = {name: timed(name, path) for name in WAYS}
    print(f"{ROWS:,} cases")
    for name, (seconds, peak, counts) in results.items():
        print(f"  {name:<22}{seconds:7.2f} s {peak:7.0f} MB {sum(counts.values()):>10,} findings")
    five = [counts for name, (_, _, counts) in results.items() if name.endswith("five checks")]
    assert all(0.999 * five[0][k] <= c[k] <= five[0][k] for c in five[1:] for k in c), five


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--one":
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
