"""A comparison as files."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from drgcore.errors import DrgcoreError
from drgcore.scenarios import Comparison, compare
from drgcore.scenarios.export import TABLES
from tests.points.regions import cases, small

HOSTILE = ("=1+1", "+cmd", "-2+3", "@SUM(A1)")


@pytest.fixture(scope="module")
def found() -> Comparison:
    """Four hospitals with names that a spreadsheet would compute."""
    rows = [{"hospital": name, "total_cost": 1000.0 * n + 500} for n, name in enumerate(HOSTILE, 3)]
    rows.append({"hospital": "H1", "pool": "resident"})
    other = {"outliers": {"low": {"multiples": "0.5"}}, "title": "=HYPERLINK(1)"}
    policies = {"as is": small(), "=round 2": small().with_changes(other)}
    return compare(cases(*rows), policies, year=2026)


def test_csv_is_the_tables_in_yuan(found: Comparison, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    found.to_csv(folder)
    assert {file.name for file in folder.iterdir()} == {
        *(f"{name}.csv" for name in (*TABLES, "differences"))
    }
    table = pd.read_csv(folder / "hospitals.csv", dtype=str, keep_default_na=False)
    assert len(table) == len(found.hospitals)
    assert [Decimal(text) * 100 for text in table["money"]] == found.hospitals["money_fen"].tolist()
    assert [Decimal(text) * 10**4 for text in table["points"]] == found.hospitals["points"].tolist()
    # Text is guarded, a negative number is not.
    assert set(table["hospital"]) == {"H1", *(f"'{name}" for name in HOSTILE)}
    assert set(table["policy"]) == {"as is", "'=round 2"}
    assert any(text.startswith("-") for text in table["difference"])
    differences = pd.read_csv(folder / "differences.csv", dtype=str)
    assert differences["after"].tolist() == ["'=HYPERLINK(1)", "0.5"]


def formulas(path: Path) -> int:
    with ZipFile(path) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        return sum(
            element.tag.endswith("}f")
            for name in sheets
            for element in ElementTree.fromstring(book.read(name)).iter()
        )


def test_the_workbook_says_what_each_policy_is(found: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "round.xlsx"
    found.to_excel(path, notes={"=round 2": "2026-03-02, second round"})
    book = CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["policies", *TABLES]
    rows = book.get_sheet_by_name("policies").to_python()
    assert rows[0] == ["policy", "parameter", "in as is", "here"]
    assert ["=round 2", "note", "", "2026-03-02, second round"] in rows
    assert ["=round 2", "outliers.low.multiples", "0.4", "0.5"] in rows
    for name in TABLES:
        shown = found.side_by_side(name)
        sheet = book.get_sheet_by_name(name).to_python()
        assert sheet[0] == [str(title) for title in shown.columns]
        assert len(sheet) == len(shown) + 1
        for row, line in zip(shown.itertuples(index=False), sheet[1:], strict=True):
            for value, cell in zip(row, line, strict=True):
                if isinstance(value, str):
                    assert cell == value
                elif pd.isna(value):
                    assert cell == ""
                else:
                    assert cell == pytest.approx(float(value), abs=1e-9)
    assert formulas(path) == 0


def test_the_workbook_has_frozen_heads_and_formats(found: Comparison, tmp_path: Path) -> None:
    found.to_excel(tmp_path / "a.xlsx")
    found.to_excel(tmp_path / "b.xlsx")
    # Nothing of the time of writing is in it.
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with ZipFile(tmp_path / "a.xlsx") as book:
        for number, name in enumerate(("policies", *TABLES), 1):
            sheet = book.read(f"xl/worksheets/sheet{number}.xml").decode()
            assert 'state="frozen"' in sheet
            columns = {"policies": 1, "hospitals": 3, "winners": 3, "losers": 3}.get(name, 2)
            assert f'xSplit="{1 if name == "pools" else columns}"' in sheet
        styles = book.read("xl/styles.xml").decode()
    # Points, point values, shares.
    for form in ('"#,##0.0000"', '"#,##0.000000"', '"0.00%"'):
        assert form in styles


def test_a_policy_that_is_the_same_says_so(tmp_path: Path) -> None:
    pair = {"a": small(), "b": small()}
    both = cases({"pool": "employee"}, {"pool": "resident"})
    compare(both, pair, year=2026).to_excel(tmp_path / "a.xlsx")
    rows = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_index(0).to_python()
    assert rows[-1][:2] == ["b", "no parameter differs from a"]


def test_bad_places_and_notes(found: Comparison, tmp_path: Path) -> None:
    with pytest.raises(DrgcoreError, match="there is a note on round 3"):
        found.to_excel(tmp_path / "a.xlsx", notes={"round 3": ""})
    with pytest.raises(DrgcoreError, match="is no folder"):
        found.to_excel(tmp_path / "none" / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra(
    found: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: Any = None
    monkeypatch.setitem(sys.modules, "xlsxwriter", missing)
    with pytest.raises(DrgcoreError) as raised:
        found.to_excel(tmp_path / "a.xlsx")
    assert "XlsxWriter" in str(raised.value)


def test_side_by_side_shows_what_is_common_once(found: Comparison) -> None:
    table = found.side_by_side("hospitals")
    assert table.columns.tolist() == [
        *("pool", "hospital", "level", "cases", "outside cases"),
        *("as is: points", "as is: money", "as is: outside"),
        *("=round 2: points", "=round 2: money", "=round 2: outside"),
        *("=round 2: points difference", "=round 2: difference", "=round 2: relative difference"),
    ]
    # Cases change their class, so that the classes have them for each policy.
    assert "as is: cases" in found.side_by_side("classes").columns
    with pytest.raises(DrgcoreError, match="there is no table 'year'"):
        found.side_by_side("year")
