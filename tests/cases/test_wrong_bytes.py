"""Bytes that are not of a text file's encoding, and the numbers of its rows."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.cases import open_cases
from drgcore.cases.text_stream import WRONG_BYTES, TextStream
from drgcore.errors import CaseSchemaError

ENCODINGS = ["utf-8", "gb18030"]
# Three bytes of 男 in UTF-8, two in GB18030: what is cut off is no character of either.
NAMES = "case_id,医院,diagnosis,住址,sex\n"
ROWS = "1,市一医院,K80.101,西安,1\n2,市一医院,J18.900,北%京,2\n3,市一医院,A00.000,北京,1\n"


def damaged(path: Path, text: str, encoding: str) -> Path:
    """Write a text with a byte of no character where it has %."""
    path.write_bytes(text.encode(encoding).replace(b"%", b"\xff"))
    return path


def read(path: Path, columns: list[str] | None = None) -> tuple[list[list[str]], list[str]]:
    with open_cases(path, columns=columns) as source:
        table = pa.Table.from_batches(list(source.batches()), source.schema)
        return [list(row.values()) for row in table.to_pylist()], list(source.notes)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_column_that_is_read_is_refused_with_its_row(tmp_path: Path, encoding: str) -> None:
    path = damaged(tmp_path / "cases.csv", NAMES + ROWS, encoding)
    for columns in (None, ["住址"], ["sex", "住址"]):
        with pytest.raises(CaseSchemaError) as caught:
            read(path, columns)
        told = f"row 3 of column '住址' holds bytes that are not {encoding.upper()}"
        assert told in caught.value.message
        assert "北" not in str(caught.value)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_column_that_is_not_read_is_noted(tmp_path: Path, encoding: str) -> None:
    more = "4,市一医院,A00.000,%,1\n" * 7
    path = damaged(tmp_path / "cases.csv", NAMES + ROWS + more, encoding)
    rows, notes = read(path, ["diagnosis"])
    assert [row[0] for row in rows] == ["K80.101", "J18.900", *["A00.000"] * 8]
    assert notes == [
        f"column '住址', which is not read, holds bytes that are not {encoding.upper()} in "
        "rows 3, 5, 6, 7, 8 and 3 more"
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("first", ["case_id", "医院", "sex"])
def test_columns_that_are_only_looked_at_are_not_read(
    tmp_path: Path, encoding: str, first: str
) -> None:
    # The first columns tell totals and the last one open quotes, though nobody asked for them.
    text = "case_id,医院,sex,名称,住址\n1,市一医院,1,胆囊结石,西安\n%,%,%,肺炎,%\n"
    path = damaged(tmp_path / "cases.csv", text, encoding)
    assert read(path, ["名称"])[0] == [["胆囊结石"], ["肺炎"]]
    with pytest.raises(CaseSchemaError, match=f"row 3 of column '{first}'"):
        read(path, ["名称", first])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_that_are_no_cases_may_hold_anything(
    tmp_path: Path, encoding: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = (
        f"出院%病例,,,,\n{NAMES}# 手工%整理, 两处\n"
        f"{ROWS.replace('%', '')}# 再%次\n合计,,,%,\n制表人：%张,,,,\n"
    )
    path = damaged(tmp_path / "cases.csv", text, encoding)
    rows, notes = read(path)
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert notes == [
        "row 1 above the column names left out",
        "rows 8, 9 of totals or footers left out",
        "rows 3, 7 of comments left out",
    ]
    # Arrow prints what a handler of rows raises.
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_name_of_a_column_must_be_of_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = damaged(tmp_path / "cases.csv", NAMES.replace("住", "住%") + ROWS, encoding)
    with pytest.raises(CaseSchemaError, match="row 1, the column names, holds bytes"):
        read(path)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([*ENCODINGS, "utf-16-le"]),
    st.lists(
        st.one_of(
            st.text("a男ä😀\n,", max_size=4).map(lambda text: ("text", text)),
            st.binary(min_size=1, max_size=3).filter(lambda b: b"\0" not in b and b"\x1a" not in b),
        ),
        max_size=12,
    ),
    st.integers(1, 7),
)
def test_a_stream_in_pieces_is_the_whole_decoded(
    encoding: str, parts: list[tuple[str, str] | bytes], size: int
) -> None:
    content = b"".join(p if isinstance(p, bytes) else p[1].encode(encoding) for p in parts)
    whole = content.decode(encoding, "replace").replace("\ufffd", WRONG_BYTES)
    if "\0" in whole or "\x1a" in whole:
        return
    stream = TextStream(io.BytesIO(content), encoding)
    pieces = list(iter(lambda: stream.read(size), b""))
    assert all(len(piece) <= size for piece in pieces)
    assert b"".join(pieces).decode("utf-8") == whole
    assert stream.wrong_bytes == (WRONG_BYTES in whole)


def test_rows_are_numbered_with_the_comments_that_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    above = "case_id,cost\n# by hand, in, parts\n1,5\n# more, of, them\n\n# and, a, third\n2,6\n"
    path.write_text(above + ",\n合计,11\n", encoding="utf-8")
    rows, notes = read(path)
    assert rows == [["1", "5"], ["2", "6"]]
    # Rows without anything are not counted, as no message counts them.
    assert notes == [
        "row 7 without any value left out",
        "row 8 of totals or footers left out",
        "rows 2, 4, 5 of comments left out",
    ]
    for below, words in (
        ('3,"7\n4,8\n5,9"\n', "a quote in row 7 is never closed"),
        ("3,7,8\n", "row 7 has 3 values"),
        ("3,\ud83d\n", "row 7 of column 'cost' holds bytes"),
    ):
        path.write_bytes((above + below).encode("utf-8", "surrogatepass"))
        with pytest.raises(CaseSchemaError, match=words):
            read(path)


def test_rows_are_numbered_over_many_blocks(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    block = "# by hand, in, parts\n" + "1,Mediastinum\n" * 150_000
    path.write_text("case_id,site\n" + block * 6 + ",\n" + block + "合计,\n", encoding="utf-8")
    rows, notes = read(path)
    assert len(rows) == 7 * 150_000
    assert notes == [
        "row 900008 without any value left out",
        "row 1050010 of totals or footers left out",
        "rows 2, 150003, 300004, 450005, 600006 and 2 more of comments left out",
    ]


def test_an_open_quote_swallows_no_rows_where_lines_end_in_returns(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    for below in (b'3,"4\r5,6\r7,8\r', b'3,"4\r5,6\r7,8"\r9,1\r'):
        path.write_bytes(b"a,b\r1,2\r" + below)
        with pytest.raises(CaseSchemaError, match="a quote in row 3 is never closed"):
            read(path)
