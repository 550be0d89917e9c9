"""What the rules are: reading, checking, keeping and comparing grouping schemes."""

from drgcore.schemes.calendar import SchemeCalendar, load_calendar
from drgcore.schemes.cells import Repair, RepairKind
from drgcore.schemes.checks import check_scheme
from drgcore.schemes.code_search import FoundCode, about_dictionaries, search_codes
from drgcore.schemes.compile import CompileReport, compile_scheme
from drgcore.schemes.diff import SchemeDiff, diff_schemes
from drgcore.schemes.export import export_scheme
from drgcore.schemes.findings import CheckReport, Finding, Severity
from drgcore.schemes.lists import CodeLists, code_lists
from drgcore.schemes.model import (
    Adrg,
    CodeUse,
    Complication,
    Drg,
    GroupKind,
    Mdc,
    Scheme,
)
from drgcore.schemes.parser import parse_rule
from drgcore.schemes.source import SourceTables, read_source
from drgcore.schemes.store import (
    DEFAULT_SCHEME,
    SchemeInfo,
    list_schemes,
    load_dictionary,
    load_scheme,
    load_translation,
)

__all__ = [
    "DEFAULT_SCHEME",
    "Adrg",
    "CheckReport",
    "CodeLists",
    "CodeUse",
    "CompileReport",
    "Complication",
    "Drg",
    "Finding",
    "FoundCode",
    "GroupKind",
    "Mdc",
    "Repair",
    "RepairKind",
    "Scheme",
    "SchemeCalendar",
    "SchemeDiff",
    "SchemeInfo",
    "Severity",
    "SourceTables",
    "about_dictionaries",
    "check_scheme",
    "code_lists",
    "compile_scheme",
    "diff_schemes",
    "export_scheme",
    "list_schemes",
    "load_calendar",
    "load_dictionary",
    "load_scheme",
    "load_translation",
    "parse_rule",
    "read_source",
    "search_codes",
]
