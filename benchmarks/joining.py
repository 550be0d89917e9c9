"""How long the interface's three tables take to become cases, against polars.

Run as ``python benchmarks/joining.py [CASES]``; a million cases, five diagnoses and two operations
each, by default.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import polars as pl
import pyarrow as pa

import drgcore


def tables(cases: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Made-up tables; the rows of diagnoses and operations in random order."""
    rng = np.random.default_rng(1)
    ids = np.char.add("S", np.arange(10**9, 10**9 + cases).astype(str))
    info = pa.table({"setl_id": ids, "gend": ["1"] * cases, "age": ["45"] * cases})

    def long(each: int, main: str, code: str) -> pa.Table:
        place = rng.permutation(cases * each)
        codes = np.array([f"K{n:02}.{m}00" for n in range(100) for m in range(10)])
        return pa.table(
            {
                "setl_id": ids[place // each],
                main: np.where(place % each == 0, "1", "0"),
                code: codes[rng.integers(0, len(codes), len(place))],
            }
        )

    return info, long(5, "maindiag_flag", "diag_code"), long(2, "main_oprn_flag", "oprn_oprt_code")


def by_polars(info: pa.Table, diagnoses: pa.Table, operations: pa.Table) -> pl.DataFrame:
    """The same without a word about missing or repeated main rows."""
    found = pl.from_arrow(info)
    for table, main, code in (
        (diagnoses, "maindiag_flag", "diag_code"),
        (operations, "main_oprn_flag", "oprn_oprt_code"),
    ):
        rows = pl.from_arrow(table).group_by("setl_id", maintain_order=True)
        is_main = pl.col(main) == "1"
        grouped = rows.agg(
            pl.col(code).filter(is_main).first().alias(f"main_{code}"),
            pl.col(code).filter(~is_main).alias(f"other_{code}"),
        )
        found = found.join(grouped, on="setl_id", how="left")
    return found


def main(cases: int) -> None:
    """Print both times and their ratio."""
    made = tables(cases)
    times = {}
    for name, work in (("drgcore", drgcore.join_cases), ("polars", by_polars)):
        began = time.perf_counter()
        work(*made)
        times[name] = time.perf_counter() - began
    print(f"{cases:,} cases: " + ", ".join(f"{n} {t:.1f} s" for n, t in times.items()))
    print(f"ratio {times['drgcore'] / times['polars']:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
