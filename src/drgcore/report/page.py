"""A report as one HTML page: nothing is loaded from elsewhere, nothing in it becomes code."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from drgcore.errors import DrgcoreError
from drgcore.grouper.extras import program_version
from drgcore.language import _
from drgcore.progress import tracked
from drgcore.report.columns import column_of, heading, is_missing, written
from drgcore.report.section import Report, Section
from drgcore.report.svg import Pictures, svg_of
from drgcore.report.texts import Words

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 100
"""Rows of a table that the page shows; the workbook has all."""

PRINTED_ROWS = 40
"""Of these the ones that are printed."""

_LONG = 120


class _Head(NamedTuple):
    text: str
    number: bool


class _Cell(NamedTuple):
    text: str
    look: str


def page_of(
    report: Report,
    *,
    workbook: str = "",
    most_rows: int = MOST_ROWS,
    pictures: Pictures | None = None,
) -> str:
    """Write a report as a page that opens from a disk and prints on A4.

    Parameters
    ----------
    report : Report
        The report.
    workbook : str
        Name of the workbook that has all rows, for the sentence under a table that is cut.
    most_rows : int
        Rows of a table that are shown.
    pictures : Pictures, optional
        The figures, where the workbook has them too.

    Returns
    -------
    str
        HTML. Its own content security policy names the hashes of its style and its script, and
        allows nothing else.

    Raises
    ------
    DrgcoreError
        Without Jinja2 or matplotlib.

    Examples
    --------
    >>> page = page_of(Report("month", "<script>", "", "zh", (), ()))
    >>> "<title>&lt;script&gt;</title>" in page
    True
    """
    try:
        import jinja2
    except ImportError as error:
        raise DrgcoreError(
            _("a report's page needs Jinja2"),
            hint=_("Install it with pip install 'drgcore[report]'."),
        ) from error
    say, drawn = Words(report.language), pictures or Pictures()
    sections = tracked(report.sections, _("writing the page"), _("sections"))
    style, script, source = (_asset(name) for name in ("page.css", "page.js", "page.html"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(source).render(
        report=report,
        parts=[_part(section, say, workbook, most_rows, drawn) for section in sections],
        say=say,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        version=program_version(),
    )


def _part(
    section: Section, say: Words, workbook: str, most_rows: int, drawn: Pictures
) -> dict[str, Any]:
    shown = _without_empty(section.shown(), section.keys)
    names = [str(name) for name in shown.columns]
    kinds = [column_of(name).kind for name in names]
    heads = [
        _Head(heading(name, say.language), kind not in ("text", "word"))
        for name, kind in zip(names, kinds, strict=True)
    ]
    columns = [
        [_cell(value, kind, say) for value in shown.iloc[:most_rows, place].tolist()]
        for place, kind in enumerate(kinds)
    ]
    cut = []
    if len(shown) > most_rows:
        cut.append(say("The first {shown} of {all} rows.", shown=most_rows, all=f"{len(shown):,}"))
    if (cut or len(names) < len(section.table.columns)) and workbook:
        cut.append(say("All rows and columns are in the workbook {name}.", name=workbook))
    svg = ""
    if section.figure is not None:
        svg = svg_of(drawn.figure(section), section.key, section.alt or section.title)
    return {
        "key": section.key,
        "title": section.title,
        "sentence": section.sentence,
        "svg": svg,
        "heads": heads,
        "rows": list(zip(*columns, strict=True)),
        "cut": " ".join(cut),
        "late": PRINTED_ROWS,
        "printed": say("Printed are the first {shown} rows.", shown=PRINTED_ROWS)
        if len(shown) > PRINTED_ROWS
        else "",
    }


def _without_empty(table: pd.DataFrame, keys: int) -> pd.DataFrame:
    """Leave out columns in which nothing stands."""
    empty = [
        place
        for place in range(keys, len(table.columns))
        if all(is_missing(v) or v == "" for v in table.iloc[:, place].tolist())
    ]
    return table.drop(columns=table.columns[empty]) if len(table) else table


def _cell(value: Any, kind: Any, say: Words) -> _Cell:
    if kind in ("text", "word"):
        text = written(value, kind)
        text = say.word(text) if kind == "word" else text
        return _Cell(text if len(text) <= _LONG else f"{text[:_LONG]}…", "")
    look = "n"
    if kind == "sign" and not is_missing(value):
        look = "n less" if value < 0 else "n more" if value > 0 else "n"
    return _Cell(written(value, kind), look)


def _asset(name: str) -> str:
    return (resources.files("drgcore.report") / "assets" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
