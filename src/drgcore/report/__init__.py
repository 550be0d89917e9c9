"""What people look at: reports as workbooks, pages and PDF; data in, files out."""

from drgcore.report.inputs import ReportInputs
from drgcore.report.kinds import KINDS, make_report
from drgcore.report.section import Report, Section
from drgcore.report.settled import Settled
from drgcore.report.write import FORMATS, write_report

__all__ = [
    "FORMATS",
    "KINDS",
    "Report",
    "ReportInputs",
    "Section",
    "Settled",
    "make_report",
    "write_report",
]
