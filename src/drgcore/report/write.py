"""A report as files: workbook, page, PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.language import _, reason_of
from drgcore.report.page import page_of
from drgcore.report.pdf import write_pdf
from drgcore.report.section import Report
from drgcore.report.svg import Pictures
from drgcore.report.workbook import write_workbook

FORMATS = ("html", "xlsx", "pdf")
"""What a report can be written as."""


def write_report(
    report: Report, folder: str | Path, formats: Sequence[str] = ("html", "xlsx"), name: str = ""
) -> dict[str, Path]:
    """Write a report into a folder, each file whole or not at all.

    Parameters
    ----------
    report : Report
        The report.
    folder : str or Path
        Made if it is not there.
    formats : sequence of str
        Of `FORMATS`. A PDF is printed from the page, which is then written too.
    name : str
        Of the files, without ending; the report's kind by default.

    Returns
    -------
    dict of str to Path
        The files by format.

    Raises
    ------
    DrgcoreError
        For an unknown format, a file that cannot be written, or a PDF without a browser.

    Examples
    --------
    >>> import tempfile
    >>> report = Report("month", "月报", "2027-01", "zh", (), ())
    >>> sorted(p.name for p in write_report(report, tempfile.mkdtemp()).values())
    ['month.html', 'month.xlsx']
    """
    unknown = [form for form in formats if form not in FORMATS]
    if unknown or not formats:
        raise DrgcoreError(
            _("a report is not written as {form}", form=unknown[0])
            if unknown
            else _("there is no format to write the report in"),
            hint=_("The formats are {names}.", names=", ".join(FORMATS)),
        )
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DrgcoreError(
            _("cannot make the folder {path}: {reason}", path=place, reason=reason_of(error))
        ) from error
    files = {form: place / f"{name or report.kind}.{form}" for form in FORMATS}
    written, pictures = {}, Pictures()
    if "xlsx" in formats:
        write_workbook(report, files["xlsx"], pictures)
        written["xlsx"] = files["xlsx"]
    if "html" in formats or "pdf" in formats:
        workbook = files["xlsx"].name if "xlsx" in formats else ""
        with whole_file(files["html"]) as part:
            page = page_of(report, workbook=workbook, pictures=pictures)
            part.write_text(page, encoding="utf-8", newline="\n")
        written["html"] = files["html"]
    if "pdf" in formats:
        write_pdf(files["html"], files["pdf"])
        written["pdf"] = files["pdf"]
    return written
