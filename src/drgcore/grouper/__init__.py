"""How a case finds its group."""

from drgcore.cases.statuses import STATUSES
from drgcore.grouper.coverage import Coverage, cover
from drgcore.grouper.explain import Explanation, explain
from drgcore.grouper.folder_summary import FolderSummary
from drgcore.grouper.group import group
from drgcore.grouper.result import CODE_FLAGS, REASONS, RESULT_COLUMNS
from drgcore.grouper.stream import group_file
from drgcore.grouper.summary import GroupingSummary, summarise
from drgcore.grouper.unknown import unknown_codes

__all__ = [
    "CODE_FLAGS",
    "REASONS",
    "RESULT_COLUMNS",
    "STATUSES",
    "Coverage",
    "Explanation",
    "FolderSummary",
    "GroupingSummary",
    "cover",
    "explain",
    "group",
    "group_file",
    "summarise",
    "unknown_codes",
]
