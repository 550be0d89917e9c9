"""A comparison as files: .csv for analysis, a workbook for a round of negotiation."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.language import _, heading
from drgcore.scenarios.comparison import TABLES, ComparisonTables
from drgcore.scenarios.tables import in_yuan
from drgcore.workbooks import guarded, new_workbook

_KEYS = ("pool", "policy", "hospital", "level", "mdc", "case_class")


def write_csv(comparison: ComparisonTables, folder: Path) -> None:
    """Write all tables of a comparison as .csv, see `Comparison.to_csv`.

    Parameters
    ----------
    comparison : ComparisonTables
        The comparison.
    folder : Path
        Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {name: in_yuan(getattr(comparison, name), comparison.places) for name in TABLES}
    for name, table in {**tables, "differences": comparison.differences}.items():
        with whole_file(folder / f"{name}.csv") as part:
            table.apply(guarded).to_csv(part, index=False)


def write_excel(comparison: ComparisonTables, path: Path, notes: Mapping[str, str]) -> None:
    """Write a comparison as a workbook, see `Comparison.to_excel`.

    Parameters
    ----------
    comparison : ComparisonTables
        The comparison.
    path : Path
        The file.
    notes : mapping of str to str
        What to say of policies on the first sheet.
    """
    unknown = sorted(set(notes) - set(comparison.policies))
    if unknown:
        raise DrgcoreError(
            _("there is a note on {unknown}", unknown=", ".join(unknown)),
            where=str(path),
            hint=_("the policies are {policies}", policies=", ".join(comparison.policies)),
        )
    content = io.BytesIO()
    with new_workbook(content) as book:
        # The same comparison gives the same file, so the time of writing is not in it.
        book.set_properties({"created": datetime(comparison.year, 1, 1)})
        sheets = _Sheets(book, comparison.places)
        sheets.about(comparison, notes)
        for name in TABLES:
            sheets.table(name, comparison.side_by_side(name))
    with whole_file(path) as part:
        part.write_bytes(content.getvalue())


class _Sheets:
    """Writes sheets of one workbook; text is always written as text, never as a formula."""

    def __init__(self, book: Any, places: int) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "text_wrap": True, "bottom": 1})
        self._money = book.add_format({"num_format": "#,##0.00"})
        points = "#,##0." + "0" * places if places else "#,##0"
        self._points = book.add_format({"num_format": points})
        self._count = book.add_format({"num_format": "#,##0"})
        self._share = book.add_format({"num_format": "0.00%"})
        self._value = book.add_format({"num_format": "#,##0.000000"})

    def about(self, comparison: ComparisonTables, notes: Mapping[str, str]) -> None:
        """Say what each policy is: its note, and its differences from the first."""
        sheet = self._book.add_worksheet("policies")
        first = comparison.policies[0]
        rows = [
            (heading("policy"), heading("parameter"), _("in {policy}", policy=first), _("here"))
        ]
        for policy in comparison.policies:
            rows.append((policy, _("note"), "", notes.get(policy, "")))
            own = comparison.differences[comparison.differences["policy"] == policy]
            rows += own[["policy", "parameter", "before", "after"]].itertuples(
                index=False, name=None
            )
            if policy != first and own.empty:
                rows.append((policy, _("no parameter differs from {policy}", policy=first), "", ""))
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                sheet.write_string(at, column, text, self._head if at == 0 else None)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 20)
        sheet.set_column(1, 1, 44)
        sheet.set_column(2, 3, 32)

    def table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table with its head frozen."""
        sheet = self._book.add_worksheet(name)
        for column, title in enumerate(map(str, table.columns)):
            sheet.write_string(0, column, title, self._head)
            number = self._format(title)
            values = table.iloc[:, column].tolist()
            for row, value in enumerate(values, 1):
                if isinstance(value, str):
                    sheet.write_string(row, column, value)
                elif not math.isnan(value):
                    sheet.write_number(row, column, float(value), number)
        # What says what a row is stays in sight; a window full of frozen columns cannot be moved.
        sheet.freeze_panes(1, sum(title in _KEYS for title in table.columns))
        sheet.set_column(0, len(table.columns) - 1, 16)

    def _format(self, title: str) -> Any:
        measure = title.rsplit(": ", 1)[-1].replace(" ", "_")
        known = {
            "cases": self._count,
            "outside_cases": self._count,
            "points": self._points,
            "points_difference": self._points,
            "relative_difference": self._share,
            "point_value": self._value,
        }
        return known.get(measure, self._money)
