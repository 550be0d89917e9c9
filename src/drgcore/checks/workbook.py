"""Findings as a workbook for coders: what is wrong, where, how often."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgcore.checks.report import CaseChecks
from drgcore.language import N_, _, heading, word
from drgcore.workbooks import new_workbook

_MOST_ROWS = 1_048_575

_WIDTHS = {
    "row": 9,
    "case_id": 18,
    "hospital": 14,
    "department": 14,
    "doctor_id": 12,
    "check": 9,
    "level": 9,
    "fields": 26,
    "values": 44,
    "message": 60,
    "message_en": 60,
    "status": 9,
    "why": 30,
    "cases": 10,
    "undecided": 11,
    "found": 11,
    "share": 9,
    "source": 50,
    "when": 60,
}
_MESSAGES = {"message": N_("fault, in Chinese"), "message_en": N_("fault, in English")}
_WORDS = ("level", "status")
"""Columns of which each value is one of a few words."""


class _Workbook:
    def __init__(self, book: Any) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._count = book.add_format({"num_format": "#,##0"})
        self._share = book.add_format({"num_format": "0.00%"})
        self._checks = book.add_worksheet(_("Checks"))
        self._profile = book.add_worksheet(_("By department"))
        self._sheet: Any = None
        self._sheets, self._at = 0, 0

    def write(self, table: pa.Table) -> None:
        """Append findings; a new sheet is begun where one is full."""
        start = 0
        while self._sheet is None or start < len(table):
            if self._sheet is None or self._at == _MOST_ROWS:
                self._sheets += 1
                name = _("Findings") + (str(self._sheets) if self._sheets > 1 else "")
                self._sheet, self._at = self._book.add_worksheet(name), 0
                self._headings(self._sheet, table.column_names, frozen=2)
            piece = table.slice(start, _MOST_ROWS - self._at)
            self._rows(self._sheet, piece, self._at + 1)
            self._at += len(piece)
            start += len(piece)

    def finish(self, report: CaseChecks) -> None:
        """Write what became of each check, and the profile."""
        if self._sheet is not None:
            self._sheet.autofilter(0, 0, max(self._at, 1), self._width - 1)
        for sheet, table in ((self._checks, report.checks), (self._profile, report.profile)):
            self._headings(sheet, table.column_names, frozen=1)
            self._rows(sheet, table.slice(0, _MOST_ROWS), 1)
            sheet.autofilter(0, 0, max(len(table), 1), table.num_columns - 1)

    def _headings(self, sheet: Any, names: list[str], frozen: int) -> None:
        self._width = len(names)
        for place, name in enumerate(names):
            title = _(_MESSAGES[name]) if name in _MESSAGES else heading(name)
            sheet.write_string(0, place, title, self._head)
            sheet.set_column(place, place, _WIDTHS[name])
        sheet.freeze_panes(1, frozen)

    def _rows(self, sheet: Any, table: pa.Table, first: int) -> None:
        words = [name in _WORDS for name in table.column_names]
        formats = [self._share if name == "share" else self._count for name in table.column_names]
        for row, values in enumerate(zip(*(c.to_pylist() for c in table.columns), strict=True)):
            for place, value in enumerate(values):
                if isinstance(value, str):
                    # Always as text: no cell becomes a formula, whatever it begins with.
                    text = word(value) if words[place] else value
                    sheet.write_string(first + row, place, text[:32_000])
                elif value is not None and not math.isnan(value):
                    sheet.write_number(first + row, place, value, formats[place])


@contextmanager
def workbook_writer(path: Path, schema: pa.Schema) -> Iterator[_Workbook]:
    """A workbook that findings of this schema are written into, row by row, with flat memory.

    Raises
    ------
    DrgcoreError
        When XlsxWriter is not installed.
    """
    with new_workbook(path, {"constant_memory": True}) as book:
        workbook = _Workbook(book)
        workbook.write(schema.empty_table())
        yield workbook
