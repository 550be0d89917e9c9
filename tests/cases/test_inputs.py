"""Files as users have them: each is read as it should be, or refused with its row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgcore
from drgcore.cases import open_cases, read_table
from drgcore.errors import CaseSchemaError

DATA = Path(__file__).parents[1] / "data"
CASES = {"C001": "K80.101", "C002": "P07.200", "C003": "E10.300x051+H42.0*"}


def whole(path: Path, **options: str) -> tuple[pa.Table, list[str]]:
    with open_cases(path, **options) as source:
        return pa.Table.from_batches(list(source.batches()), source.schema), source.notes


# File, and what is said to be left out.
EXCEL = [
    ("cases.xls", []),
    ("cases.xlsx", []),
    ("renamed.csv", []),
    ("gbk.csv", []),
    ("pipe.txt", []),
    ("semicolon.csv", []),
    ("utf16.csv", []),
    ("title.csv", ["row 1 above the column names left out"]),
    ("title-padded.csv", ["row 1 above the column names left out"]),
    ("title.xlsx", ["row 1 above the column names left out"]),
    ("title-merged2.csv", ["rows 1, 2 above the column names left out"]),
    ("total-row.csv", ["row 5 of totals or footers left out"]),
    ("two-header.csv", ["row 2, a second row of column names, left out"]),
]


@pytest.mark.parametrize(("name", "notes"), EXCEL)
def test_one_table_in_many_files(name: str, notes: list[str]) -> None:
    table, said = whole(DATA / "excel" / name)
    assert said == notes
    assert dict(zip(*(table[c].to_pylist() for c in ("A48", "C03C")), strict=True)) == CASES
    assert table["A12C"].to_pylist() == ["1", "2", "女"]
    assert table["A14"].to_pylist() == ["45", "0", "75岁"]
    assert table["C14x01C"].to_pylist()[0] == "51.2300"
    assert [float(cost) for cost in table["D01"].to_pylist()] == [12345.67, 98765.43, 4321]
    some, again = whole(DATA / "excel" / name, columns=["C03C"])  # type: ignore[arg-type]
    assert (some["C03C"].to_pylist(), again) == (list(CASES.values()), notes)


@pytest.mark.parametrize(("name", "notes"), EXCEL)
def test_their_groups_and_days_are_the_same(name: str, notes: list[str], tmp_path: Path) -> None:
    done = drgcore.group_file(
        DATA / "excel" / name, tmp_path / "out.csv", mapping="hqms", columns=["A48"]
    )
    assert done.notes == tuple(notes)
    assert all(note in str(done) for note in notes)
    result = pd.read_csv(tmp_path / "out.csv")
    assert result["drg"].tolist()[0] == "HC43"
    table = read_table(DATA / "excel" / name, mapping="hqms")
    assert {"case_id", "admission_date", "discharge_date", "total_cost"} <= {*table.column_names}


def test_columns_of_one_name_are_refused_by_name() -> None:
    with pytest.raises(CaseSchemaError, match=r"dup\.csv: .* more than once: 'C06x01C'"):
        whole(DATA / "excel" / "dup.csv")


DIRT = {
    "blank-rows.csv": [],
    "comma-rows.csv": ["rows 3, 5 without any value left out"],
    "cr-only.csv": [],
    "crlf.csv": [],
    "ctrl-z.csv": [],
    "gbk-euro.csv": [],
    "header-quote-bom.csv": [],
    "header-space.csv": [],
    "newline-in-name.csv": [],
    "stray-quote.csv": [],
}


@pytest.mark.parametrize("name", DIRT)
def test_dirt_that_is_read(name: str, tmp_path: Path) -> None:
    table, notes = whole(DATA / "csv-dirt" / name)
    assert notes == DIRT[name]
    assert table["C03C"].to_pylist() == ["K80.101", "J18.900"]
    assert whole(DATA / "csv-dirt" / name, columns=["C06x01C"])[1] == notes  # type: ignore[arg-type]
    drgcore.group_file(DATA / "csv-dirt" / name, tmp_path / "o.csv", mapping="hqms", columns=[])
    assert pd.read_csv(tmp_path / "o.csv")["drg"].tolist()[0] == "HC43"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("csv-dirt/comma-in-name.csv", "row 2 has 9 values"),
        ("csv-dirt/short-row.csv", "row 2 has 7 values"),
        ("csv-dirt/stray-quote-open.csv", "row 2 has 5 values"),
        ("csv-dirt/nul.csv", "line 3 holds a byte 0"),
        ("csv-dirt/utf8-bad-byte.csv", "row 5 of column 'C03N' holds bytes that are not UTF-8"),
        ("open-quote/hqms-openquote.csv", "a quote in row 2 is never closed"),
        ("open-quote/openquote.csv", "a quote in row 7 is never closed"),
    ],
)
def test_dirt_that_is_refused(name: str, words: str) -> None:
    # Bytes of a column that nobody reads are nobody's fault: test_wrong_bytes.py.
    some = ["C03N"] if "dirt" in name else ["C03C"] if "hqms" in name else ["case_id"]
    for columns in (None, some):
        with pytest.raises(CaseSchemaError, match=words) as caught:
            whole(DATA / name, columns=columns)  # type: ignore[arg-type]
        assert "K80" not in str(caught.value)
        assert caught.value.hint


def test_titles_above_chinese_headings(tmp_path: Path) -> None:
    for name in ("title.csv", "title-padded.csv"):
        table, notes = whole(DATA / "title-row" / name)
        assert notes == ["row 1 above the column names left out"]
        assert table["C03C"].to_pylist() == ["K80.101"]
    table, notes = whole(DATA / "title-row" / "cn.csv")
    assert (notes, table["出院主要诊断编码"].to_pylist()) == ([], ["K80.101"])


@pytest.mark.parametrize("name", ["allnum.xlsx", "int.xlsx", "mixed.xlsx"])
def test_a_number_among_codes_is_refused(name: str, tmp_path: Path) -> None:
    words = "column 'principal_procedure' holds a number where a code belongs, first in row 2"
    with pytest.raises(CaseSchemaError, match=words) as caught:
        drgcore.group_file(DATA / "pandas-excel" / name, tmp_path / "out.parquet")
    assert "51.2300" in str(caught.value.hint)
    assert not list(tmp_path.iterdir())


def test_a_number_among_codes_of_a_frame_is_refused() -> None:
    frame = pd.DataFrame(
        {
            "principal_diagnosis": ["K80.101"] * 2,
            "other_diagnoses": "",
            "principal_procedure": pd.Series(["51.2300", 51.23], dtype=object),
            "other_procedures": "",
            "sex": 1,
            "age_years": 45,
        }
    )
    with pytest.raises(
        CaseSchemaError, match="holds a number where a code belongs, first in row 2"
    ):
        drgcore.group(frame)
    drgcore.group(frame[:1])


@pytest.mark.parametrize(
    "heading", ["主要诊断编码（C03C）", "C03C 主要诊断编码", "主要诊断编码 [C03C]", "c03c：主诊"]
)
def test_a_code_in_a_heading_counts(heading: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(
        f"病案号(A48),A12C 性别,年龄（A14）,{heading},C06x01C,C14x01C,C35x01C\n"
        "1,1,45,K80.101,I50.900,51.2300,\n",
        encoding="gbk",
    )
    drgcore.group_file(path, tmp_path / "out.csv", mapping="hqms")
    result = pd.read_csv(tmp_path / "out.csv")
    assert (result["drg"].tolist(), result[heading].tolist()) == (["HC43"], ["K80.101"])


@pytest.mark.parametrize(
    ("text", "encoding", "word"),
    [
        ("id,sex\n1,女\n", "gbk", "女"),
        ("id,sex\n1,女\n", "utf-8", "女"),
        ("id,sex\n1,女 36°\n", "gb18030", "女 36°"),
        ("id,sex\n1,36°\n", "utf-8", "36°"),
        ("id,sex\n1,β\n", "utf-8", "β"),
    ],
)
def test_a_word_tells_the_encoding(text: str, encoding: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(text.encode(encoding))
    assert whole(path)[0]["sex"].to_pylist() == [word]


def test_rows_behind_two_open_quotes_are_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text('id,cost,note\n1,2,"5 cm\n2,3,\n3,4,"6 cm\n4,5,\n', encoding="utf-8")
    for columns in (None, ["id"]):
        with pytest.raises(CaseSchemaError, match="a quote in row 2 is never closed"):
            whole(path, columns=columns)  # type: ignore[arg-type]


def test_a_workbook_of_several_sheets(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        pd.DataFrame().to_excel(book, sheet_name="封面", index=False)
        pd.DataFrame({"a": [1], "b": ["x"]}).to_excel(book, sheet_name="一月", index=False)
        pd.DataFrame({"a": [2], "b": ["y"]}).to_excel(book, sheet_name="二月", index=False)
    table, notes = whole(path)
    assert (table["a"].to_pylist(), notes) == (
        ["1"],
        ["sheet '一月' is read; the others are '封面', '二月'"],
    )
    for sheet in ("二月", "3", 3):
        assert whole(path, sheet=sheet)[0]["b"].to_pylist() == ["y"]  # type: ignore[arg-type]
    with pytest.raises(CaseSchemaError, match="there is no sheet '三月'") as caught:
        whole(path, sheet="三月")
    assert "'二月'" in str(caught.value.hint)


def test_a_damaged_dictionary_or_name_is_an_error_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.parquet"
    pq.write_table(pa.table({"NAMEOFCOL": ["x"], "b": [1]}), path)
    path.write_bytes(path.read_bytes().replace(b"NAMEOFCOL", b"NAME\xff\xfeCOL"))
    with pytest.raises(CaseSchemaError, match="parquet file is damaged"):
        whole(path)


def test_comments_of_a_text_file_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("# agreed, with all, of 2027\ndrg,points\nES43,5\n# later\nES45,6\n#7\n")
    table, notes = whole(path)
    assert table.to_pylist() == [{"drg": "ES43", "points": "5"}, {"drg": "ES45", "points": "6"}]
    # Below the column names a value may begin with # as well, so those rows are told.
    assert notes == ["rows 4, 6 of comments left out"]
