"""How long a search for a code takes while one types, in a warm process: each prefix of some texts.

Beside it DuckDB answers the same by three conditions of text over the same dictionary.
"""

from __future__ import annotations

import time

import duckdb
import pyarrow as pa

from drgcore.schemes import load_dictionary, search_codes

TEXTS = ("I21.900", "急性心肌梗死", "jxxjgs", "47.0901", "阑尾 切除", "lwqcs", "2型糖尿病")


def main() -> None:
    """Type each text letter by letter."""
    prefixes = [text[: i + 1] for text in TEXTS for i in range(len(text))]
    search_codes("a")
    codes = pa.concat_tables([load_dictionary("diagnoses"), load_dictionary("procedures")])
    base = duckdb.connect()
    base.register("codes", codes)
    query = """select code, name from codes where starts_with(lower(code), lower(?))
        or contains(name, ?) order by length(name), code limit 20"""
    ours: list[float] = []
    theirs: list[float] = []
    for prefix in prefixes * 5:
        began = time.perf_counter()
        search_codes(prefix)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        base.execute(query, [prefix, prefix]).fetchall()
        theirs.append(time.perf_counter() - began)
    for name, spent in (("search_codes", ours), ("DuckDB, no initials", theirs)):
        spent.sort()
        middle, late = spent[len(spent) // 2], spent[int(len(spent) * 0.95)]
        print(f"{name:<20} median {middle * 1e3:6.1f} ms, 95th percentile {late * 1e3:6.1f} ms")


if __name__ == "__main__":
    main()
