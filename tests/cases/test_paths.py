"""A row is the same case by whatever path it comes: each reader against plain Python."""

from __future__ import annotations

import csv
import datetime as dt
import io
import struct
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import xlwt
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drgcore.cases import open_cases, read_table
from tests.reference.plain_days import plain_day, plain_number

NAMES = ["case_id", "hospital", "discharge_date", "total_cost", "principal_diagnosis"]
Rows = list[list[str]]


def text(encoding: str, delimiter: str) -> Callable[[Rows, Path], Path]:
    def write(rows: Rows, folder: Path) -> Path:
        path = folder / "cases.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows([NAMES, *rows])
        return path

    return write


def xlsx(rows: Rows, folder: Path) -> Path:
    path = folder / "cases.xlsx"
    pd.DataFrame(rows, columns=NAMES).to_excel(path, index=False, engine="xlsxwriter")
    return path


def xls(rows: Rows, folder: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("cases")
    for number, row in enumerate([NAMES, *rows]):
        for place, cell in enumerate(row):
            sheet.write(number, place, cell)
    path = folder / "cases.xls"
    book.save(str(path))
    return path


def parquet(rows: Rows, folder: Path) -> Path:
    path = folder / "cases.parquet"
    columns = list(zip(*rows, strict=True))
    pq.write_table(pa.table([pa.array(c) for c in columns], names=NAMES), path)
    return path


def dbf(rows: Rows, folder: Path) -> Path:
    """dBase III: a header, 32 bytes a field, rows of fixed width."""
    sizes = [max(len(row[i].encode("gb18030")) for row in rows) or 1 for i in range(len(NAMES))]
    names = [name[:10].upper() for name in NAMES]
    head = 32 + 32 * len(NAMES) + 1
    out = struct.pack("<4BIHH20x", 3, 127, 1, 1, len(rows), head, 1 + sum(sizes))
    for name, size in zip(names, sizes, strict=True):
        out += struct.pack("<11sc4xBB14x", name.encode(), b"C", min(size, 254), 0)
    out += b"\r"
    for row in rows:
        out += b" " + b"".join(
            cell.encode("gb18030").ljust(size) for cell, size in zip(row, sizes, strict=True)
        )
    path = folder / "cases.dbf"
    path.write_bytes(out + b"\x1a")
    return path


PATHS: dict[str, Callable[[Rows, Path], Path]] = {
    "utf-8": text("utf-8", ","),
    "gb18030": text("gb18030", ","),
    "utf-16": text("utf-16", ","),
    "semicolons": text("utf-8", ";"),
    "tabs": text("utf-8", "\t"),
    "pipes": text("gb18030", "|"),
    "xlsx": xlsx,
    "xls": xls,
    "parquet": parquet,
    "dbf": dbf,
}

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31))
FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%MZ")
WORD = st.text("市一医院男女äβ,;|\"' x1", min_size=1, max_size=6).map(str.strip).filter(bool)


@st.composite
def row(draw: st.DrawFn) -> list[str]:
    moment = dt.datetime.combine(draw(DAYS), draw(st.times()).replace(microsecond=0))
    cost = draw(st.integers(0, 10**9)) / 100
    money = draw(st.sampled_from(["{:.2f}", "{:,.2f}", "¥{:,.2f}", "{:.2f}元", " {:.2f}"]))
    return [
        draw(st.integers(0, 10**6).map(lambda n: f"{n:08d}")),
        draw(WORD),
        moment.strftime(draw(st.sampled_from(FORMS))),
        money.format(cost),
        draw(st.sampled_from(["K80.101", "J18.900x002", "A00.000"])),
    ]


# Commas within quotes, and in every row a sign that delimits other files.
SEMICOLONS = [
    ["1", ";", "2027-01-07", cost, "K80.101"] for cost in ("0.00", "1,000.00", "2,000.00")
]


@pytest.mark.parametrize("way", PATHS)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(row(), min_size=1, max_size=6))
@example(rows=SEMICOLONS)
def test_a_row_is_the_same_case_by_every_path(way: str, rows: Rows, tmp_path: Path) -> None:
    from drgcore.cases.attributes import dates_of, numbers_of

    table = read_table(PATHS[way](rows, tmp_path))
    if way == "dbf":
        table = table.rename_columns(NAMES)
    assert table.column_names == NAMES
    for place in (0, 1, 4):
        assert table.column(place).to_pylist() == [row[place].strip() for row in rows]
    assert dates_of(table, "discharge_date").to_pylist() == [plain_day(row[2]) for row in rows]
    assert numbers_of(table, "total_cost").tolist() == [plain_number(row[3]) for row in rows]


def test_cells_of_an_xls_that_are_no_text_are_read_as_those_of_an_xlsx(tmp_path: Path) -> None:
    day, moment = dt.date(2027, 1, 7), dt.datetime(2027, 1, 7, 13, 5)
    values = [
        ["007", "51.2300", 45, 51.23, True, day, moment],
        ["008", "", -3, 0.1, False, day, None],
    ]
    names = [f"c{place}" for place in range(7)]
    formats = [None] * 5 + ["yyyy-mm-dd", "yyyy-mm-dd hh:mm"]
    old = xlwt.Workbook()
    sheet = old.add_sheet("cases")
    with xlsxwriter.Workbook(tmp_path / "cases.xlsx") as new:
        other = new.add_worksheet("cases")
        for number, row in enumerate([names, *values]):
            for place, cell in enumerate(row):
                form = formats[place] if number else None
                style = xlwt.easyxf(num_format_str=form) if form else xlwt.Style.default_style
                sheet.write(number, place, cell, style)
                other.write(number, place, cell, new.add_format({"num_format": form or "General"}))
    old.save(str(tmp_path / "cases.xls"))
    found = read_table(tmp_path / "cases.xls")
    assert found.equals(read_table(tmp_path / "cases.xlsx"))
    assert found.to_pylist()[0] == dict(
        zip(
            names,
            ["007", "51.2300", "45", "51.23", "true", "2027-01-07", "2027-01-07 13:05:00"],
            strict=True,
        )
    )


def test_a_dbf_says_what_is_deleted_and_is_not_cut_off(tmp_path: Path) -> None:
    rows = [["1", "H1", "2027-01-07", "5", "K80.101"], ["2", "H1", "2027-01-07", "5", "K80.101"]]
    path = dbf(rows, tmp_path)
    content = path.read_bytes()
    first = 32 + 32 * len(NAMES) + 1
    path.write_bytes(content[:first] + b"*" + content[first + 1 :])
    with open_cases(path) as source:
        table = pa.Table.from_batches(list(source.batches()), source.schema)
        assert (table.num_rows, source.notes) == (1, ["1 rows marked as deleted left out"])
    path.write_bytes(content[:-20])
    with pytest.raises(Exception, match="cut off: 2 rows are announced"):
        open_cases(path)


def test_a_result_in_a_workbook_has_no_formula(tmp_path: Path) -> None:
    import drgcore

    out = tmp_path / "out.xlsx"
    source = tmp_path / "cases.csv"
    stream = io.StringIO()
    names = ["case_id", "note", "A48", "A12C", "A14", "C03C", "C06x01C", "C14x01C", "C35x01C"]
    csv.writer(stream).writerows(
        [names, ["007", "=1+1", "1", "1", "45", "K80.101", "I50.900", "51.2300", ""]]
    )
    source.write_text(stream.getvalue(), encoding="utf-8")
    drgcore.group_file(source, out, mapping="hqms")
    table = read_table(out)
    assert table["note"].to_pylist() == ["=1+1"]
    assert table["case_id"].to_pylist() == ["007"]
    assert table["C14x01C"].to_pylist() == ["51.2300"]
    assert table["drg"].to_pylist() == ["HC43"]
