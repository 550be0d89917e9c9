"""Sheets that are read in pieces hold what they hold when they are read whole."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drgcore.cases import large_sheets, open_cases
from drgcore.errors import CaseSchemaError

NAMES = ["case_id", "discharge_date", "total_cost", "principal_diagnosis", "sex"]
PIECES = "sheet 'cases' is large and is read in pieces"
PART = "xl/worksheets/sheet2.xml"

CELLS = st.one_of(
    st.none(),
    st.sampled_from(["007", "51.2300", "K80.101", "男", "  x ", "a\nb", "<&>", "_x000D_", "=1+1"]),
    st.integers(-9, 10**17),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3)),
    st.booleans(),
    st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(2060, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    st.dates(dt.date(1900, 1, 2), dt.date(2060, 1, 1)),
    st.sampled_from(["#N/A", "#DIV/0!", "cached", 5, True]).map(lambda value: ("formula", value)),
)
Rows = list[list[Any]]


def written(path: Path, rows: Rows, *, above: int, left: int, inline: bool) -> Path:
    """A workbook with an empty sheet, one of cases, and one of something else."""
    with xlsxwriter.Workbook(path, {"constant_memory": inline}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        time = book.add_format({"num_format": "yyyy/m/d h:mm:ss"})
        book.add_worksheet("empty")
        sheet = book.add_worksheet("cases")
        for number, row in enumerate([NAMES, *rows], above):
            for place, cell in enumerate(row, left):
                match cell:
                    case None:
                        continue
                    case ("formula", value):
                        sheet.write_formula(number, place, "=A1", None, value)
                    case bool():
                        sheet.write_boolean(number, place, cell)
                    case dt.datetime():
                        sheet.write_datetime(number, place, cell, time)
                    case dt.date():
                        sheet.write_datetime(number, place, cell, day)
                    case int() | float():
                        sheet.write_number(number, place, cell)
                    case _:
                        sheet.write_string(number, place, cell)
        book.add_worksheet("notes").write("A1", "nothing of interest")
    return path


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with its sheet of cases changed."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, change(content) if name == PART else content)
    return path


def without_numbers(xml: bytes) -> bytes:
    return re.sub(rb'(<(?:row|c)\b[^>]*?) r="[A-Z]*\d+"', rb"\1", xml)


def with_prefix(xml: bytes) -> bytes:
    return re.sub(rb"<(/?)(\w)", rb"<\1x:\2", xml).replace(b" xmlns=", b" xmlns:x=")


def as_streaming_exporters_do(xml: bytes) -> bytes:
    return re.sub(rb'<dimension ref="[^"]*"/>', b'<dimension ref="A1"/>', xml)


def read(path: Path, sheet: str | None = None) -> tuple[list[dict[str, str]], list[str]]:
    with open_cases(path, columns=NAMES, sheet=sheet) as source:
        table = pa.Table.from_batches(list(source.batches()), source.schema)
        return table.to_pylist(), list(source.notes)


def make_small(patch: pytest.MonkeyPatch, cells: int, read_bytes: int) -> None:
    patch.setattr(large_sheets, "LARGE_BYTES", 0)
    patch.setattr(large_sheets, "PIECE_CELLS", cells)
    patch.setattr(large_sheets, "_BYTES_OF_CELL", 10**9)
    # The head ends soon after the rows begin.
    patch.setattr(large_sheets, "_HEAD_BYTES", 700)
    patch.setattr(large_sheets, "_READ_BYTES", read_bytes)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=9),
    above=st.integers(0, 3),
    left=st.integers(0, 2),
    inline=st.booleans(),
    change=st.sampled_from([bytes, without_numbers, with_prefix, as_streaming_exporters_do]),
    cells=st.integers(1, 30),
    read_bytes=st.integers(1, 300),
)
def test_pieces_are_the_whole(
    rows: Rows,
    above: int,
    left: int,
    inline: bool,
    change: Callable[[bytes], bytes],
    cells: int,
    read_bytes: int,
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "cases.xlsx", rows, above=above, left=left, inline=inline)
    # Rows without anything are written where they have numbers, or lost in any way of reading.
    rewritten(path, change)
    whole, notes = read(path)
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch, cells, read_bytes)
        pieces, more = read(path)
        named, _ = read(path, "cases")
    assert pieces == named == whole
    assert PIECES in more
    assert [note for note in more if note != PIECES] == notes


def test_rows_keep_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = ["007", dt.date(2027, 1, 7), 5.5, "K80.101", True]
    rows = [*[case] * 4, [None] * 5, *[case] * 4, ["合计", *[None] * 4]]
    path = written(tmp_path / "cases.xlsx", rows, above=2, left=0, inline=False)
    make_small(monkeypatch, 10, 64)
    found, notes = read(path)
    texts = ["007", "2027-01-07", "5.5", "K80.101", "true"]
    assert found == [dict(zip(NAMES, texts, strict=True))] * 8
    assert notes[1:] == [
        PIECES,
        "row 8 without any value left out",
        "row 13 of totals or footers left out",
    ]
    with open_cases(path, columns=NAMES) as source:
        source.expect_codes(["case_id"])
        assert len(list(source.batches())) == 1
    number = [["007", None, 5, "K80.101", "1"]] * 7 + [[7.0, None, 5, "K80.101", "1"]]
    path = written(tmp_path / "numbers.xlsx", number, above=0, left=0, inline=True)
    with open_cases(path, columns=NAMES) as source:
        source.expect_codes(["case_id"])
        with pytest.raises(CaseSchemaError, match="number where a code belongs, first in row 9"):
            list(source.batches())


def test_only_large_sheets_are_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: Rows = [["1", None, 5, "K80.101", "1"]] * 20
    path = written(tmp_path / "cases.xlsx", rows, above=0, left=0, inline=False)
    assert large_sheets.large_sheets(path) == {}
    monkeypatch.setattr(large_sheets, "LARGE_CELLS", 21 * 5 - 1)
    assert large_sheets.large_sheets(path) == {"cases": PART}
    monkeypatch.setattr(large_sheets, "LARGE_CELLS", 21 * 5)
    assert large_sheets.large_sheets(path) == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b"</sheetData>", b""),
        lambda xml: xml[: len(xml) * 2 // 3],
        lambda xml: xml.replace(b"</c></row>", b"</row>", 5),
        lambda xml: xml.replace(b"</c>", b"<![CDATA[</row>]]></c>", 30),
    ],
)
def test_a_damaged_sheet_is_refused(
    change: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: Rows = [["Zhang", None, 5, "K80.101", "1"]] * 20
    path = written(tmp_path / "cases.xlsx", rows, above=0, left=0, inline=True)
    rewritten(path, change)
    make_small(monkeypatch, 10, 64)
    with pytest.raises(CaseSchemaError, match="damaged or truncated") as caught:
        read(path, "cases")
    assert "Zhang" not in str(caught.value)
