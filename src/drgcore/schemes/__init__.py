"""What the rules are: reading, checking, keeping and comparing grouping schemes."""

from drgcore.schemes.compile import CompileReport, compile_scheme
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
    SchemeInfo,
    list_schemes,
    load_dictionary,
    load_scheme,
    load_translation,
)

__all__ = [
    "Adrg",
    "CodeUse",
    "CompileReport",
    "Complication",
    "Drg",
    "GroupKind",
    "Mdc",
    "Scheme",
    "SchemeInfo",
    "SourceTables",
    "compile_scheme",
    "list_schemes",
    "load_dictionary",
    "load_scheme",
    "load_translation",
    "parse_rule",
    "read_source",
]
