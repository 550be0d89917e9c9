"""A small but complete scheme, written the way the official workbook is."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter

from drgcore.schemes import Scheme
from drgcore.schemes.model import TABLE_SCHEMAS

Rows = dict[str, list[list[Any]]]

SMALL: Rows = {
    "mdc": [
        ["MDCA", "先期分组", "", 1],
        ["MDCB", "神经系统疾病及功能障碍", "ZYZD in DI_B00", 2],
    ],
    "adrg": [
        ["AA1", "心肺移植", "ZYSS in OP_AA1", "MDCA", 1],
        ["BB1", "开颅术", "{ZYSS, QTSS} in OP_BB1", "MDCB", 1],
        ["BQY", "", "ZYSS in OP_ALL", "MDCB", 2],
        ["BR1", "颅内出血", "ZYZD in DI_BR1", "MDCB", 3],
        ["B00", "", "", "MDCB", 4],
    ],
    "drg": [
        ["AA19", "心肺移植", "", "AA1", "MDCA", 1],
        ["BB11", "开颅术，伴严重并发症", "QTZD in MCC", "BB1", "MDCB", 1],
        ["BB13", "开颅术，伴并发症", "QTZD in CC and NL >= 17", "BB1", "MDCB", 2],
        ["BB15", "开颅术", "", "BB1", "MDCB", 3],
        ["BQY", "", "", "BQY", "MDCB", 1],
        ["BR19", "颅内出血", "", "BR1", "MDCB", 1],
        ["B000", "", "", "B00", "MDCB", 1],
    ],
    "sets": [
        ["OP_AA1", "33.6x00"],
        ["OP_BB1", "01.2400"],
        ["OP_BB1", "01.2500"],
        ["OP_ALL", "33.6x00"],
        ["OP_ALL", "01.2400"],
        ["OP_ALL", "01.2500"],
        ["OP_ALL", "55.5100"],
        ["DI_B00", "G40.900"],
        ["DI_B00", "I61.900"],
        ["DI_BR1", "I61.900"],
    ],
    "cc": [
        ["I46.900", "EX_1", "MCC"],
        ["I10.x00", "EX_1", "CC"],
        ["A18.000x047+M49.0*", "无", "CC"],
    ],
    "exclusions": [["EX_1", "I46.900"], ["EX_1", "I46.100"]],
}

SHEETS = {
    "mdc": ("MDC", ["MDC编码", "MDC名称", "MDC规则", "排序"]),
    "adrg": ("ADRG", ["ADRG编码", "ADRG名称", "ADRG规则", "所属MDC编码", "MDC内排序"]),
    "drg": ("DRG", ["DRG", "DRG名称", "DRG规则", "所属ADRG编码", "所属MDC编码", "排序"]),
    "sets": ("集合", ["集合编号", "ICD编码", "ICD名称", "类型编号"]),
    "cc": ("CC", ["疾病编码", "疾病名称", "排除表", "类型"]),
    "exclusions": ("排除表", ["排除表编号", "ICD编码", "ICD名称"]),
}


def _official(table: str, row: list[Any]) -> list[Any]:
    """A row in the columns of the official sheet, which also names every code."""
    if table == "sets":
        return [*row, "名称", "1"]
    if table == "cc":
        return [row[0], "名称", *row[1:]]
    return [*row, "名称"] if table == "exclusions" else row


def write_workbook(
    path: Path,
    rows: Rows,
    sheets: dict[str, tuple[str, list[str]]] = SHEETS,
    official: Callable[[str, list[Any]], list[Any]] = _official,
) -> Path:
    """Write an official workbook: a title above the MDC header, an empty column before ADRG."""
    with xlsxwriter.Workbook(path) as book:
        for table, (name, header) in sheets.items():
            sheet = book.add_worksheet(name)
            top, left = (1, 0) if table == "mdc" else (0, 0)
            if table == "mdc":
                sheet.write(0, 0, "按病组付费分组方案")
            if table == "adrg":
                left = 1
            for i, row in enumerate([header, *(official(table, row) for row in rows[table])]):
                for j, value in enumerate(row):
                    sheet.write(top + i, left + j, value)
    return path


def write_csv(folder: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    """Write the same tables as a folder of .csv files."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, schema in TABLE_SCHEMAS.items():
        with (folder / f"{table}.csv").open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([schema.names, *rows[table]])
    return folder


def make_scheme(rows: Rows, name: str = "small") -> Scheme:
    """The scheme of these rows, unchecked."""
    tables = {
        table: pa.Table.from_pylist(
            [dict(zip(schema.names, row, strict=True)) for row in rows[table]], schema=schema
        )
        for table, schema in TABLE_SCHEMAS.items()
    }
    return Scheme(name, tables)


@pytest.fixture
def rows() -> Rows:
    """The rows of the small scheme, to be changed at will."""
    return copy.deepcopy(SMALL)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """The small scheme as an official workbook."""
    return write_workbook(tmp_path / "small.xlsx", SMALL)
