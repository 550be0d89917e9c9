"""A report as a workbook: contents, figures, and a sheet for each table."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

from drgcore.files import whole_file
from drgcore.language import _
from drgcore.progress import Step, step, tracked
from drgcore.report.columns import Kind, column_of, heading, is_missing
from drgcore.report.section import Report, Section
from drgcore.report.style import columns_of
from drgcore.report.svg import Pictures, png_of
from drgcore.report.texts import Words
from drgcore.workbooks import new_workbook

_FORMATS: dict[Kind, str] = {
    "count": "#,##0",
    "yuan": "#,##0.00",
    "sign": "#,##0.00;[Color9]-#,##0.00",
    "points": "#,##0.0000",
    "value": "#,##0.000000",
    "share": "0.00%",
    "index": "#,##0.000",
    "number": "#,##0.00",
}
_SHEET_NAME = 31
_WIDEST = 44
_MOST_ROWS = 1_048_575
# Rows above a table: title, what to see, the way back.
_HEAD_ROW = 3
_ROW_PIXELS = 20


def write_workbook(report: Report, path: Path, pictures: Pictures | None = None) -> None:
    """Write a report as a workbook; no text of it becomes a formula or a link.

    Parameters
    ----------
    report : Report
        The report.
    path : Path
        The file, whole or not at all.
    pictures : Pictures, optional
        The figures, where the page has them too.

    Raises
    ------
    DrgcoreError
        If it cannot be written, or without matplotlib.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "report.xlsx"
    >>> write_workbook(Report("month", "月报", "", "zh", (), ()), path)
    >>> path.read_bytes()[:2]
    b'PK'
    """
    content = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with new_workbook(content, options) as book:
        # The same report gives the same file, so the time of writing is not in it.
        book.set_properties({"title": report.title[:255], "created": datetime(2000, 1, 1)})
        _Book(book, report, pictures or Pictures()).write()
    with whole_file(path) as part:
        part.write_bytes(content.getvalue())


def _shown(section: Section) -> Any:
    """The rows that a sheet has room for."""
    return section.table.iloc[: _MOST_ROWS - _HEAD_ROW]


class _Book:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any, report: Report, pictures: Pictures) -> None:
        self._pictures = pictures
        self._book, self._report, self._say = book, report, Words(report.language)
        font = {"font_name": "Microsoft YaHei" if report.language == "zh" else "Calibri"}
        self._title = book.add_format({**font, "bold": True, "font_size": 14})
        self._text = book.add_format({**font, "text_wrap": False})
        self._wrapped = book.add_format({**font, "text_wrap": True, "valign": "top"})
        self._head = book.add_format(
            {
                **font,
                "bold": True,
                "text_wrap": True,
                "bottom": 2,
                "bg_color": "#E8EDF3",
                "valign": "top",
            }
        )
        self._link = book.add_format({**font, "font_color": "#005A8C", "underline": 1})
        self._cell = {
            kind: book.add_format({**font, "num_format": code}) for kind, code in _FORMATS.items()
        }
        self._less = book.add_format({"font_color": "#A83F00", "bg_color": "#FDF0E7"})

    def write(self) -> None:
        """Write contents, figures and tables."""
        contents = self._book.add_worksheet(self._say("Contents"))
        names = self._names([section.title for section in self._report.sections])
        figures = self._say("Figures")
        drawn = [s for s in self._report.sections if s.figure is not None]
        places = self._figures(self._book.add_worksheet(figures), drawn) if drawn else {}
        self._contents(contents, names, figures, places)
        cells = sum(_shown(section).size for section in self._report.sections)
        with step(_("writing the sheets"), _("cells"), cells) as written:
            for section, name in zip(self._report.sections, names, strict=True):
                self._table(self._book.add_worksheet(name), section, written)

    def _names(self, titles: list[str]) -> list[str]:
        """Names of sheets: what Excel allows, each once."""
        taken = {self._say("Contents").lower(), self._say("Figures").lower(), "history"}
        names = []
        for title in titles:
            clean = "".join(" " if c in "[]:*?/\\'" or not c.isprintable() else c for c in title)
            base = clean.strip()[:_SHEET_NAME] or "-"
            name, number = base, 2
            while name.lower() in taken:
                end = f" {number}"
                name, number = base[: _SHEET_NAME - len(end)] + end, number + 1
            taken.add(name.lower())
            names.append(name)
        return names

    def _contents(self, sheet: Any, names: list[str], figures: str, places: dict[str, int]) -> None:
        report = self._report
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 12)
        sheet.set_column(2, 2, 100)
        sheet.write_string(0, 0, report.title, self._title)
        sheet.write_string(1, 0, report.subtitle, self._text)
        row = 3
        for name, value in report.facts:
            sheet.write_string(row, 0, name, self._text)
            sheet.write_string(row, 2, value, self._text)
            row += 1
        row += 1
        heads = (self._say("Table"), self._say("Figure"), self._say("What to see"))
        for column, text in enumerate(heads):
            sheet.write_string(row, column, text, self._head)
        for section, name in zip(report.sections, names, strict=True):
            row += 1
            sheet.write_url(row, 0, f"internal:'{name}'!A1", self._link, section.title[:255])
            if section.key in places:
                target = f"internal:'{figures}'!A{places[section.key] + 1}"
                sheet.write_url(row, 1, target, self._link, figures)
            sheet.write_string(row, 2, section.sentence, self._wrapped)
        row += 2
        for note in report.notes:
            sheet.write_string(row, 0, note, self._text)
            row += 1
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def _figures(self, sheet: Any, sections: list[Section]) -> dict[str, int]:
        """Put the figures one below the other; give the row of each."""
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 120)
        row, places = 0, {}
        for section in tracked(sections, _("drawing figures"), _("figures")):
            places[section.key] = row
            sheet.write_string(row, 0, section.title, self._title)
            sheet.write_string(row + 1, 0, section.sentence, self._wrapped)
            figure = self._pictures.picture(section)
            options = {"image_data": io.BytesIO(png_of(figure)), "object_position": 2}
            options["description"] = section.alt or section.title
            sheet.insert_image(row + 2, 0, f"{section.key}.png", options)
            row += 4 + int(figure.get_figheight() * 96 / _ROW_PIXELS) + 1
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return places

    def _table(self, sheet: Any, section: Section, written: Step) -> None:
        say, table = self._say, _shown(section)
        sheet.write_string(0, 0, section.title, self._title)
        sheet.write_string(1, 0, section.sentence, self._text)
        sheet.write_url(2, 0, f"internal:'{say('Contents')}'!A1", self._link, say("Contents"))
        last = _HEAD_ROW + len(table)
        for column, name in enumerate(map(str, table.columns)):
            kind = column_of(name).kind
            title = heading(name, say.language)
            sheet.write_string(_HEAD_ROW, column, title, self._head)
            values = table.iloc[:, column].tolist()
            for row, value in enumerate(values, _HEAD_ROW + 1):
                if is_missing(value):
                    continue
                if isinstance(value, str) or kind in ("text", "word"):
                    text = str(value)
                    sheet.write_string(row, column, say.word(text) if kind == "word" else text)
                else:
                    sheet.write_number(row, column, float(value), self._cell[kind])
            sheet.set_column(column, column, _width(title, values, kind))
            written.advance(len(values))
            if len(table):
                self._colour(sheet, kind, name, (_HEAD_ROW + 1, column, last, column))
        sheet.freeze_panes(_HEAD_ROW + 1, min(section.keys, 3))
        if len(table):
            sheet.autofilter(_HEAD_ROW, 0, last, len(table.columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_HEAD_ROW)

    def _colour(self, sheet: Any, kind: Kind, name: str, where: tuple[int, int, int, int]) -> None:
        if kind == "sign":
            rule = {"type": "cell", "criteria": "<", "value": 0, "format": self._less}
            sheet.conditional_format(*where, rule)
        elif name in ("cmi", "cost_index", "time_index", "ratio"):
            # Blue below 1, orange above: a scale that the colour-blind see.
            scale = {"min_color": "#8CBEDD", "mid_color": "#FFFFFF", "max_color": "#F2C879"}
            ends = {"mid_type": "num", "mid_value": 1}
            sheet.conditional_format(*where, {"type": "3_color_scale", **scale, **ends})
        elif name == "cases":
            bar = {"type": "data_bar", "bar_color": "#A9CBE5", "bar_solid": True}
            sheet.conditional_format(*where, bar)


def _width(title: str, values: list[Any], kind: Kind) -> float:
    """Width of a column by its first rows; a Chinese character takes two."""
    if kind not in ("text", "word"):
        numbers = [abs(float(v)) for v in values if not is_missing(v) and not isinstance(v, str)]
        most = f"{max(numbers, default=0):,.0f}"
        places = {"yuan": 3, "sign": 4, "points": 5, "value": 7, "index": 4, "number": 3}
        return max(min(columns_of(title), 14), len(most) + places.get(kind, 2)) + 2.5
    longest = max((columns_of(str(v)) for v in values[:2000] if not is_missing(v)), default=0)
    return min(max(longest, min(columns_of(title), 14)) + 3, _WIDEST)
