"""Pages and workbooks: whole, safe, and the same numbers in both."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from drgcore.errors import DrgcoreError
from drgcore.report import Report, Section, make_report, write_report
from drgcore.report.page import MOST_ROWS, page_of
from drgcore.report.pdf import find_browser, write_pdf
from drgcore.report.workbook import write_workbook

HOSTILE = [
    "=cmd()",
    "<script>alert(1)</script>",
    "\"'&<b>",
    "长" * 300,
    "+1",
    "@x",
    "-2",
    "{{ 7*7 }}",
]


def of_table(table: pd.DataFrame, **more) -> Report:
    """A report of one table."""
    section = Section("only", "标题", table, "看这里。", **more)
    return Report("month", "报告", "", "zh", (("病例数", "1"),), (section,))


def test_hostile_names_are_text_in_page_and_workbook(tmp_path):
    table = pd.DataFrame({"hospital": HOSTILE, "surplus": [-1.5, 2.5] * 4})
    report = of_table(table)
    page = page_of(report)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7*7 }}" in page
    assert page.count("<script") == 1
    path = tmp_path / "r.xlsx"
    write_workbook(report, path)
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("标题").to_python()
    assert [row[0] for row in rows[4:]] == HOSTILE
    assert [row[1] for row in rows[4:]] == table["surplus"].tolist()
    import zipfile

    with zipfile.ZipFile(path) as book:
        sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
        assert not any(b"<f>" in book.read(name) for name in sheets)


def test_titles_become_names_of_sheets(tmp_path):
    parts = tuple(
        Section(f"s{i}", title, pd.DataFrame({"cases": [i]}), "x")
        for i, title in enumerate(["a/b[c]*?", "目录", "长" * 60, "长" * 60, "'q'", ""])
    )
    write_workbook(Report("month", "t", "", "zh", (), parts), tmp_path / "r.xlsx")
    names = CalamineWorkbook.from_path(str(tmp_path / "r.xlsx")).sheet_names
    assert len(set(names)) == len(names) == 7
    assert all(0 < len(name) <= 31 for name in names)


def test_the_page_allows_its_own_style_and_script_and_nothing_else():
    page = page_of(of_table(pd.DataFrame({"hospital": ["H1"]})))
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    body = page.partition("</head>")[2]
    assert " style=" not in body
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", page)
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_long_tables_are_cut_in_the_page_and_whole_in_the_workbook(tmp_path):
    table = pd.DataFrame({"drg": [f"D{i}" for i in range(5000)], "cases": range(5000)})
    report = of_table(table)
    files = write_report(report, tmp_path)
    page = files["html"].read_text(encoding="utf-8")
    assert page.count("<tr") == MOST_ROWS + 1
    assert "共5,000行" in page
    assert "month.xlsx" in page
    rows = CalamineWorkbook.from_path(str(files["xlsx"])).get_sheet_by_name("标题").to_python()
    assert len(rows) == 5004


def test_the_same_report_gives_the_same_files(inputs, tmp_path):
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        report = make_report("month", inputs)
        few = dataclasses.replace(report, sections=report.sections[:4])
        made.append(write_report(few, folder))
    for form in ("html", "xlsx"):
        assert made[0][form].read_bytes() == made[1][form].read_bytes()


def test_a_month_in_page_and_workbook(inputs, tmp_path):
    report = make_report("month", inputs, "zh")
    files = write_report(report, tmp_path)
    page = files["html"].read_text(encoding="utf-8")
    assert page.count("<svg") == sum(s.figure is not None for s in report.sections)
    for section in report.sections:
        assert section.title in page
        assert section.sentence
    book = CalamineWorkbook.from_path(str(files["xlsx"]))
    assert book.sheet_names == ["目录", "图", *(s.title for s in report.sections)]
    rows = book.get_sheet_by_name("各医院预付").to_python()
    expected = inputs.settled.month("statement", "2027-01")
    at = rows[3].index("医院")
    assert [row[at] for row in rows[4:]] == expected["hospital"].tolist()
    at = rows[3].index("预付额")
    assert [row[at] for row in rows[4:]] == pytest.approx(expected["prepaid"].tolist())


def test_formats(tmp_path):
    report = of_table(pd.DataFrame({"hospital": ["H1"]}))
    with pytest.raises(DrgcoreError, match="not written as docx"):
        write_report(report, tmp_path, ["docx"])
    with pytest.raises(DrgcoreError, match="no format to write"):
        write_report(report, tmp_path, [])
    assert not list(tmp_path.iterdir())


def test_without_a_browser_a_pdf_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DrgcoreError, match="no Chromium is there"):
        write_pdf(tmp_path / "x.html", tmp_path / "x.pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")
def test_the_page_becomes_a_pdf(tmp_path: Path):
    table = pd.DataFrame({"hospital": [f"医院{i}" for i in range(100)], "cases": range(100)})
    files = write_report(of_table(table), tmp_path, ["pdf"])
    assert files["pdf"].read_bytes().startswith(b"%PDF-")
    assert files["html"].exists()
