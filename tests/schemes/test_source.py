"""Reading a source: official workbooks with their quirks, .csv folders, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from drgcore.errors import RuleSyntaxError, SchemeError
from drgcore.schemes import RepairKind, read_source
from drgcore.schemes.compile import content_digest
from drgcore.schemes.model import TABLE_SCHEMAS

from .conftest import SHEETS, SMALL, Rows, make_scheme, write_csv, write_workbook


def _kinds(path: Path) -> list[RepairKind]:
    return [repair.kind for repair in read_source(path).repairs]


def test_a_workbook_gives_its_rows(workbook: Path) -> None:
    source = read_source(workbook)
    assert source.origin == "small.xlsx"
    assert source.repairs == ()
    assert source.source_rows == {table: len(rows) for table, rows in SMALL.items()}
    for table, schema in TABLE_SCHEMAS.items():
        assert source.tables[table].schema == schema
        assert [list(row.values()) for row in source.tables[table].to_pylist()] == SMALL[table]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_folder_is_the_same_source(workbook: Path, tmp_path: Path, encoding: str) -> None:
    folder = write_csv(tmp_path / "small", SMALL, encoding)
    of_workbook, of_csv = read_source(workbook), read_source(folder)
    assert of_csv.tables == of_workbook.tables
    assert content_digest(of_csv.tables) == content_digest(of_workbook.tables)


def test_the_digest_sees_content_and_not_order(rows: Rows) -> None:
    before = content_digest(make_scheme(rows).tables)
    rows["sets"].reverse()
    assert content_digest(make_scheme(rows).tables) == before
    rows["sets"][0][1] = "I60.900"
    assert content_digest(make_scheme(rows).tables) != before


def test_sheets_are_found_by_longer_names_in_any_case(tmp_path: Path) -> None:
    names = {
        "mdc": " Mdc ",
        "adrg": "3.0版ADRG",
        "drg": "drg（870）",
        "sets": "ICD集合",
        "cc": "Cc",
        "exclusions": "CC排除表",
    }
    sheets = {table: (names[table], header) for table, (_, header) in SHEETS.items()}
    path = write_workbook(tmp_path / "named.xlsx", SMALL, sheets)
    assert read_source(path).tables == make_scheme(SMALL).tables


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("drg", "DRG", "DRG编码"),
        ("drg", "排序", "ADRG内排序"),
        ("exclusions", "排除表编号", "集合编号"),
        ("adrg", "所属MDC编码", "　所属mdc编码\n"),
        ("cc", "疾病编码", "ICD编码"),
    ],
)
def test_headers_may_vary(tmp_path: Path, table: str, old: str, new: str) -> None:
    path = write_workbook(tmp_path / "a.xlsx", SMALL, _renamed(table, old, new))
    assert read_source(path).tables == make_scheme(SMALL).tables


def _renamed(table: str, old: str, new: str) -> dict[str, tuple[str, list[str]]]:
    name, header = SHEETS[table]
    return {**SHEETS, table: (name, [new if title == old else title for title in header])}


def test_an_mdc_sheet_without_sort_is_in_its_own_order(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", SMALL, _renamed("mdc", "排序", "备注"))
    source = read_source(path)
    assert source.tables["mdc"]["sort"].to_pylist() == [1, 2]
    assert [repair.kind for repair in source.repairs] == [RepairKind.SORT_FROM_ORDER]


@pytest.mark.parametrize(
    ("table", "row", "column", "written", "meant", "kinds"),
    [
        ("sets", 0, 1, " 33.6x00\u3000", "33.6x00", [RepairKind.SPACE]),
        ("sets", 0, 1, "33.6\u200bx00\ufeff", "33.6x00", [RepairKind.INVISIBLE]),
        ("sets", 0, 1, "33.6X00", "33.6x00", [RepairKind.CASE]),
        ("sets", 0, 1, "３３．６x００", "33.6x00", [RepairKind.FULL_WIDTH]),
        ("sets", 0, 0, "op_aa1", "OP_AA1", [RepairKind.CASE]),
        ("cc", 2, 0, "a18.000X047+m49.0*", "A18.000x047+M49.0*", [RepairKind.CASE]),
        ("adrg", 0, 0, "aa1\xa0", "AA1", [RepairKind.SPACE, RepairKind.CASE]),
        ("adrg", 0, 1, "\u200b心肺移植 ", "心肺移植", [RepairKind.INVISIBLE, RepairKind.SPACE]),
        ("adrg", 0, 1, "胰／肾（联合）", "胰／肾（联合）", []),
        ("adrg", 0, 2, "ZYSS　in op_aa1", "ZYSS in OP_AA1", [RepairKind.SPACE, RepairKind.CASE]),
        ("adrg", 0, 2, "ZYSS in_x000D_\nOP_AA1", "ZYSS in OP_AA1", [RepairKind.EXCEL_BREAK]),
        ("adrg", 0, 2, "（ZYSS in OP_AA1）", "(ZYSS in OP_AA1)", [RepairKind.FULL_WIDTH]),
        ("adrg", 0, 2, 1, "1", []),
        ("adrg", 0, 4, "1", 1, []),
        ("cc", 0, 2, "mcc", "MCC", [RepairKind.CASE]),
    ],
)
def test_a_cell_is_repaired(
    tmp_path: Path,
    rows: Rows,
    table: str,
    row: int,
    column: int,
    written: Any,
    meant: Any,
    kinds: list[RepairKind],
) -> None:
    rows[table][row][column] = written
    source = read_source(write_workbook(tmp_path / "a.xlsx", rows))
    name = TABLE_SCHEMAS[table].names[column]
    assert source.tables[table][name][row].as_py() == meant
    assert [repair.kind for repair in source.repairs if _is_certain(repair.kind, kinds)] == kinds


def _is_certain(kind: RepairKind, expected: list[RepairKind]) -> bool:
    # Excel's own escape of a line break is unescaped by some readers: then only space is left.
    return kind in expected or kind is not RepairKind.SPACE


def test_a_repair_names_its_place(tmp_path: Path, rows: Rows) -> None:
    rows["sets"][3][1] = "33.6X00"
    (repair,) = read_source(write_workbook(tmp_path / "a.xlsx", rows)).repairs
    assert (repair.sheet, repair.row, repair.column) == ("集合", 5, "ICD编码")
    assert (repair.before, repair.after) == ("33.6X00", "33.6x00")


def test_a_numbered_exclusion_table_may_be_a_number(tmp_path: Path, rows: Rows) -> None:
    rows["cc"][0][1] = rows["cc"][1][1] = 7
    for row in rows["exclusions"]:
        row[0] = 7
    source = read_source(write_workbook(tmp_path / "a.xlsx", rows))
    assert source.tables["exclusions"]["set_id"].to_pylist() == ["7", "7"]
    assert source.tables["cc"]["exclusion"].to_pylist() == ["7", "7", "无"]
    assert source.repairs_by_kind() == {"CC: number for text": 2, "排除表: number for text": 2}


def test_repeats_are_counted_and_kept_once(tmp_path: Path, rows: Rows) -> None:
    rows["sets"].append(["OP_BB1", "01.2400"])
    rows["exclusions"].append(["EX_1", " I46.900"])
    rows["cc"].append(list(rows["cc"][0]))
    source = read_source(write_workbook(tmp_path / "a.xlsx", rows))
    for table in ("sets", "exclusions", "cc"):
        assert source.source_rows[table] == len(rows[table])
        assert source.tables[table] == make_scheme(SMALL).tables[table]
    assert source.repairs_by_kind() == {
        "CC: repeated row": 1,
        "排除表: repeated row": 1,
        "排除表: space": 1,
        "集合: repeated row": 1,
    }
    (repair,) = (r for r in source.repairs if r.sheet == "集合")
    assert (repair.row, repair.before, repair.after) == (12, "OP_BB1 01.2400", "row 3")


def test_blank_rows_are_passed_over(tmp_path: Path, rows: Rows) -> None:
    rows["sets"].insert(2, [" ", "\u200b"])
    rows["sets"] += [["", ""], ["\u3000", ""]]
    source = read_source(
        write_workbook(tmp_path / "a.xlsx", rows, official=lambda _, row: _no_name(_, row))
    )
    assert source.tables["sets"] == make_scheme(SMALL).tables["sets"]
    assert [(r.kind, r.row, r.before) for r in source.repairs] == [
        (RepairKind.BLANK_ROWS, 4, "1"),
        (RepairKind.BLANK_ROWS, 13, "2"),
    ]


def _no_name(table: str, row: list[Any]) -> list[Any]:
    return [row[0], "", *row[1:]] if table == "cc" else row


@pytest.mark.parametrize(
    ("table", "row", "column", "written", "message"),
    [
        ("sets", 1, 1, 33.6, "row 3, column ICD编码: the code is stored as the number 33.6"),
        ("sets", 1, 1, 55.0, "row 3, column ICD编码: the code is stored as the number 55.0"),
        ("sets", 1, 1, "", "row 3, column ICD编码: the cell is empty"),
        ("sets", 1, 0, True, "row 3, column 集合编号: True is a bool, not text"),
        ("adrg", 1, 4, 1.5, "row 3, column MDC内排序: 1.5 is not a whole number"),
        ("adrg", 1, 4, "third", "row 3, column MDC内排序: 'third' is not a whole number"),
        ("adrg", 1, 4, -1, "row 3, column MDC内排序: -1 is out of range"),
        ("adrg", 1, 4, 1e300, "row 3, column MDC内排序: 1e+300 is out of range"),
        ("adrg", 1, 4, "nan", "row 3, column MDC内排序"),
        ("adrg", 1, 3, " ", "row 3, column 所属MDC编码: the cell is empty"),
        ("mdc", 1, 3, None, "row 4, column 排序: the cell is empty"),
        ("drg", 2, 0, "BB11", "row 4: group BB11 stands in row 3 already"),
        ("cc", 0, 2, "", "row 2, column 类型: the cell is empty"),
    ],
)
def test_what_has_no_single_reading_is_refused(
    tmp_path: Path, rows: Rows, table: str, row: int, column: int, written: Any, message: str
) -> None:
    rows[table][row][column] = written
    path = write_workbook(tmp_path / "a.xlsx", rows)
    with pytest.raises(SchemeError) as caught:
        read_source(path)
    assert f"{path}, sheet {SHEETS[table][0]}, {message}" in str(caught.value)


def test_a_wrong_rule_is_shown_in_its_place(tmp_path: Path, rows: Rows) -> None:
    rows["drg"][1][2] = "QTZD inn MCC"
    path = write_workbook(tmp_path / "a.xlsx", rows)
    with pytest.raises(RuleSyntaxError) as caught:
        read_source(path)
    assert str(caught.value).split("\n") == [
        f"{path}, sheet DRG, row 3, BB11: expected 'in' or 'not in' after QTZD",
        "  QTZD inn MCC",
        "       ^",
    ]


def test_all_problems_are_told_at_once(tmp_path: Path, rows: Rows) -> None:
    rows["drg"][1][2] = "QTZD inn MCC"
    rows["adrg"][0][4] = "x"
    rows["sets"] += [["OP_AA1", i] for i in range(30)]
    with pytest.raises(SchemeError, match="problems: 32") as caught:
        read_source(write_workbook(tmp_path / "a.xlsx", rows))
    told = str(caught.value)
    assert "sheet ADRG, row 2" in told
    assert "sheet DRG, row 3, BB11" in told
    assert "and 12 more" in told


def test_a_missing_sheet_is_named(tmp_path: Path) -> None:
    sheets = {**SHEETS, "exclusions": ("排除", SHEETS["exclusions"][1])}
    with pytest.raises(
        SchemeError, match="no sheet 排除表; there are MDC, ADRG, DRG, 集合, CC, 排除"
    ):
        read_source(write_workbook(tmp_path / "a.xlsx", SMALL, sheets))


@pytest.mark.parametrize("names", [("DRG 2026", "DRG旧"), ("DRG", " drg")])
def test_sheets_that_could_be_the_same_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    sheets = {**SHEETS, "drg": (names[0], SHEETS["drg"][1]), "more": (names[1], [])}
    with pytest.raises(SchemeError, match=f"sheets {names[0]}, {names[1]} could all be DRG"):
        read_source(write_workbook(tmp_path / "a.xlsx", {**SMALL, "more": []}, sheets))


@pytest.mark.parametrize("name", ["ADRG", "MCC", "目录"])
def test_a_name_within_another_word_is_no_sheet_name(tmp_path: Path, name: str) -> None:
    sheets = {**SHEETS, "cc": (name + "表", SHEETS["cc"][1])}
    with pytest.raises(SchemeError, match="there is no sheet CC"):
        read_source(write_workbook(tmp_path / "a.xlsx", SMALL, sheets))


def test_charts_are_no_sheets_of_the_scheme(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("MDC").write(0, 0, 1)
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"values": "=MDC!$A$1"})
        book.add_chartsheet("DRG").set_chart(chart)
    with pytest.raises(SchemeError, match=r"no sheet ADRG; there are MDC$"):
        read_source(path)


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", SMALL, _renamed("adrg", "ADRG规则", "ADRG规測"))
    with pytest.raises(SchemeError) as caught:
        read_source(path)
    told = str(caught.value)
    assert (
        f"{path}, sheet ADRG, row 1: there is no column ADRG规则 or 规则; nearest: ADRG规測" in told
    )


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", SMALL, _renamed("sets", "ICD名称", "ICD编码"))
    with pytest.raises(SchemeError, match="sheet 集合, row 1: there are two columns ICD编码"):
        read_source(path)


def test_an_empty_sheet_is_refused(tmp_path: Path, rows: Rows) -> None:
    rows["exclusions"] = []
    with pytest.raises(SchemeError, match="sheet 排除表, row 1: there is nothing below the header"):
        read_source(write_workbook(tmp_path / "a.xlsx", rows))
    sheets = {**SHEETS, "exclusions": ("排除表", [])}
    with pytest.raises(
        SchemeError, match=r"sheet 排除表, row 1: there is no column .* nearest: none"
    ):
        read_source(write_workbook(tmp_path / "b.xlsx", rows, sheets))


def test_a_folder_must_hold_readable_tables(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match=r"holds no \.csv files"):
        read_source(tmp_path)
    folder = write_csv(tmp_path / "small", SMALL)
    (folder / "cc.csv").write_bytes(b"code,exclusion,type\n\xff\xfe\xff,1,CC\n")
    with pytest.raises(SchemeError, match=r"cc\.csv: the file is neither UTF-8 nor GB18030 text"):
        read_source(folder)
    (folder / "cc.csv").write_text('code,exclusion,type\n"' + "x" * 200_000, encoding="utf-8")
    with pytest.raises(SchemeError, match=r"cc\.csv: the file is no table"):
        read_source(folder)
