"""Tables as files: number formats of a workbook, lists as one text."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from drgcore.workbooks import write_tables

SHORT = pd.DataFrame(
    {"hospital": ["H1", None], "cases": [12345, 1], "cmi": [1.0, None], "drug_share": [0.25, 0.5]}
)
LONG = pd.DataFrame(
    {"indicator": ["drug_share", "mean_cost", "cmi"], "value": [0.25, 9000.5, None], "lower": 0.1}
)
FEES = pd.DataFrame(
    {"mean": [300.0], "peer_mean": [100.0], "share": [0.5], "peer_share": [0.25], "mean_age": [5.0]}
)


_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def formats(path: Path, number: int) -> dict[str, list[str]]:
    """The number formats of each column of a sheet, by its heading; "" for an empty cell."""
    with ZipFile(path) as book:
        styles = ElementTree.fromstring(book.read("xl/styles.xml"))
        sheet = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    own = {f.get("numFmtId"): f.get("formatCode") for f in styles.iter(f"{_SHEET}numFmt")}
    # Formats that every workbook knows have no text in it.
    known = {"0": "General", "3": "#,##0", "4": "#,##0.00", "10": "0.00%"} | own
    cells = styles.find(f"{_SHEET}cellXfs")
    assert cells is not None
    codes = [str(known[cell.get("numFmtId")]) for cell in cells]
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(number - 1).to_python()
    found: dict[str, list[str]] = {str(head): [""] * (len(rows) - 1) for head in rows[0]}
    for cell in sheet.iter(f"{_SHEET}c"):
        place = str(cell.get("r"))
        head, row = str(rows[0][ord(place[0]) - ord("A")]), int(place[1:]) - 2
        if row >= 0:
            found[head][row] = codes[int(cell.get("s", "0"))]
    return found


def test_columns_have_the_format_of_their_name(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_tables(path, {"short": SHORT, "long": LONG, "fees": FEES})
    short = formats(path, 1)
    assert short["cases"] == ["#,##0"] * 2
    assert short["drug_share"] == ["0.00%"] * 2
    assert short["cmi"] == ["0.000", ""]
    # One row an indicator: each in its own unit.
    long = formats(path, 2)
    assert long["value"] == ["0.00%", "#,##0.00", ""]
    assert long["lower"] == ["0.00%", "#,##0.00", "0.000"]
    fees = formats(path, 3)
    assert [fees[n] for n in ("mean", "share", "mean_age")] == [
        ["#,##0.00"],
        ["0.00%"],
        ["General"],
    ]
    values = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert values[1:] == [["H1", 12345, 1, 0.25], ["", 1, "", 0.5]]


def test_amounts_that_only_a_table_knows_are_said_with_it(tmp_path: Path) -> None:
    table = pd.DataFrame({"value": [1234.5], "points": [3.0]})
    write_tables(tmp_path / "a.xlsx", {"plain": table})
    assert formats(tmp_path / "a.xlsx", 1)["value"] == ["General"]
    table.attrs["money"] = ["value"]
    write_tables(tmp_path / "b.xlsx", {"money": table})
    assert formats(tmp_path / "b.xlsx", 1)["value"] == ["#,##0.00"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_list_is_one_text(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    write_tables(path, {"t": pd.DataFrame({"reasons": [["a", "b"], None, ["=1"]]})})
    read = pd.read_csv(path) if ending == "csv" else pd.read_excel(path, engine="calamine")
    # In a .csv only an apostrophe keeps a text from being a formula.
    assert read["reasons"].tolist()[0] == "a; b"
    assert read["reasons"].tolist()[2] == ("'=1" if ending == "csv" else "=1")


def test_what_is_missing_is_an_empty_cell(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "whole": pd.array([1, None, 2], "Int64"),
            "number": [float("nan"), float("inf"), 2.0],
            "text": ["=1", None, "x"],
        }
    )
    write_tables(tmp_path / "t.xlsx", {"t": table})
    rows = CalamineWorkbook.from_path(str(tmp_path / "t.xlsx")).get_sheet_by_name("t").to_python()
    assert rows[1:] == [[1.0, "", "=1"], ["", "", ""], [2.0, 2.0, "x"]]
