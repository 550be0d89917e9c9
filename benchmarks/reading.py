"""How fast wide files are read, against what an expert would pick, in one run.

python benchmarks/reading.py --rows 40000
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS = 811

WAYS = {
    "csv: drgcore": "from drgcore.cases import read_table; read_table({csv!r})",
    "csv: pyarrow": "import pyarrow.csv as c; import pyarrow as pa; c.read_csv({csv!r}, "
    "convert_options=c.ConvertOptions(column_types={{n: pa.string() for n in {names!r}}}))",
    "csv: polars": "import polars; polars.read_csv({csv!r}, infer_schema=False)",
    "csv: duckdb": "import duckdb; duckdb.read_csv({csv!r}, all_varchar=True).to_arrow_table()",
    "csv, gb18030: drgcore": "from drgcore.cases import read_table; read_table({gb18030!r})",
    "csv, gb18030: polars": "import polars; "
    "polars.read_csv({gb18030!r}, infer_schema=False, encoding='gb18030')",
    "xlsx: drgcore": "from drgcore.cases import read_table; read_table({xlsx!r})",
    "xlsx: drgcore, by batch": "from drgcore.cases import open_cases; "
    "sum(b.num_rows for b in open_cases({xlsx!r}).batches())",
    "xlsx: calamine alone": "import python_calamine as c; "
    "sum(1 for _ in c.CalamineWorkbook.from_path({xlsx!r}).get_sheet_by_index(0).iter_rows())",
    "xlsx: pandas": "import pandas; pandas.read_excel({xlsx!r}, dtype=str, engine='calamine')",
}
_TIMED = """
import resource, time
start = time.perf_counter()
{code}
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def write_files(folder: Path, rows: int, *, sheet: bool = True) -> dict[str, object]:
    """A front-page export in three forms: 811 columns, one in seven filled; the sheet on demand."""
    import xlsxwriter

    chance = random.Random(1)
    names = [f"X{place:03d}" for place in range(COLUMNS)]
    endings = {"csv": "utf-8.csv", "gb18030": "gb18030.csv", "xlsx": "wide.xlsx"}
    files = {form: str(folder / ending) for form, ending in endings.items()}
    book = xlsxwriter.Workbook(files["xlsx"], {"constant_memory": True})
    cells_of = book.add_worksheet()
    cells_of.write_row(0, 0, names)
    with (
        Path(files["csv"]).open("w", encoding="utf-8") as text,
        Path(files["gb18030"]).open("w", encoding="gb18030") as chinese,
    ):
        print(",".join(names), file=text)
        print(",".join(names), file=chinese)
        for row in range(1, rows + 1):
            cells = [""] * COLUMNS
            for place in range(0, COLUMNS, 7):
                number = place % 21 == 0
                value = chance.random() * 1000 if number else f"K80.{chance.randrange(1000):03d}"
                if sheet:
                    write = cells_of.write_number if number else cells_of.write_string
                    write(row, place, value)
                cells[place] = str(value)
            print(",".join(cells), file=text)
            print(",".join([cells[0], "男", "第一人民医院", *cells[3:]]), file=chinese)
    book.close()
    return {**files, "names": names}


def main() -> None:
    """Time each way in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--ways", default="", help="only those that begin so")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        files = write_files(Path(folder), chosen.rows)
        print(f"{chosen.rows:,} x {COLUMNS}, written in {time.perf_counter() - start:.0f} s")
        for way, code in WAYS.items():
            if way.startswith(chosen.ways):
                timed = _TIMED.format(code=code.format(**files))
                done = subprocess.run(
                    [sys.executable, "-c", timed], capture_output=True, text=True, check=False
                )
                if done.returncode:
                    print(f"{way:<24} failed: {done.stderr.strip().splitlines()[-1]}")
                    continue
                seconds, size = map(float, done.stdout.split()[-2:])
                print(f"{way:<24} {seconds:6.2f} s  {size:5.2f} GB")
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
