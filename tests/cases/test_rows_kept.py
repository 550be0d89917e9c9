"""Cases that look like what stands around cases, and are none of it lost."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import xlsxwriter

from drgcore import CaseSchemaError
from drgcore.cases import open_cases
from drgcore.cases.whole import read_table

HEADER = ["case_id", "principal_diagnosis", "sex", "age_years", "department"]


def written(path: Path, rows: list[list[str]]) -> Path:
    """The rows as CSV or as a workbook, by the ending."""
    if path.suffix == ".csv":
        path.write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
        return path
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def read(path: Path, columns: list[str] | None = None) -> tuple[list[str], list[str]]:
    with open_cases(path, columns=columns) as source:
        found = pa.Table.from_batches(list(source.batches()), source.schema)
        return found.column(0).to_pylist(), list(source.notes)


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize("columns", [None, ["case_id", "principal_diagnosis"]])
def test_a_case_called_like_a_total_is_a_case(
    tmp_path: Path, ending: str, columns: list[str] | None
) -> None:
    rows = [
        HEADER,
        ["合计", "K80.101", "1", "45", "外科"],
        ["C2", "J18.900", "1", "45", "内科"],
        ["合计", "", "", "90", ""],
    ]
    ids, notes = read(written(tmp_path / f"cases{ending}", rows), columns)
    assert ids == ["合计", "C2"]
    assert notes == ["row 4 of totals or footers left out"]


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize("word", ["审核科", "审核通过", "打印中心", "报表一组"])
def test_words_of_footers_in_the_first_column_are_no_footers(
    tmp_path: Path, ending: str, word: str
) -> None:
    rows = [
        ["department", "case_id", "cost", "doctor"],
        [word, "X1", "45", "王"],
        ["制表人：张三", "", "", ""],
        ["审核", "", "", ""],
        ["打印日期 2027-02-01", "", "", ""],
    ]
    ids, notes = read(written(tmp_path / f"cases{ending}", rows))
    assert ids == [word]
    assert notes == ["rows 3, 4, 5 of totals or footers left out"]


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize(
    "rows",
    [
        [["hospital", "pool"], ["市医院", "职工医保"], ["县医院", "居民医保"]],
        [["hospital", "pool"], ["医院名称", "医保类型"], ["医院名称", "医保类型"]],
        [["case_id", "status"], ["住院1", "入组"], ["C2", "未入组"]],
        [["case_id", "hospital", "decision"], ["X1", "第一医院", "住院"], ["X2", "县医院", ""]],
    ],
)
def test_rows_of_words_are_no_second_header(
    tmp_path: Path, ending: str, rows: list[list[str]]
) -> None:
    table = read_table(written(tmp_path / f"side{ending}", rows))
    assert [list(row.values()) for row in table.to_pylist()] in (
        rows[1:],
        [[cell or None for cell in row] for row in rows[1:]],
    )


def test_a_damaged_case_whose_id_begins_with_a_hash_is_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path / "cases.csv",
        [HEADER, ["#1", "K80.101", "1", "45", "x"], ["#2", "J18.900", "1", "45", "x", "more"]],
    )
    with pytest.raises(CaseSchemaError, match="row 3 has 6 values"):
        read(path)


def test_comments_that_are_passed_over_are_said(tmp_path: Path) -> None:
    rows = [HEADER, ["C1", "K80.101", "1", "45", "x"], ["# made by hand", " in two parts"]]
    assert read(written(tmp_path / "cases.csv", rows)) == (
        ["C1"],
        ["row 3 of comments left out"],
    )
