"""drgcore: CHS-DRG grouping for China's health security funds.

The public names of the package. What costs time to import is imported with its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from drgcore.errors import (
    CaseSchemaError,
    DrgcoreError,
    RuleSyntaxError,
    SchemeError,
)

if TYPE_CHECKING:
    from drgcore.cases import CANONICAL_SCHEMA, CaseMapping
    from drgcore.grouper import (
        REASONS,
        STATUSES,
        Coverage,
        Explanation,
        GroupingSummary,
        cover,
        explain,
        group,
        group_file,
        summarise,
    )
    from drgcore.schemes import (
        Scheme,
        check_scheme,
        compile_scheme,
        diff_schemes,
        list_schemes,
        load_dictionary,
        load_scheme,
        parse_rule,
    )
    from drgcore.synthetic import sample_cases, write_sample

__version__ = "0.1.0"

_ROOM_OF = {
    "CANONICAL_SCHEMA": "cases",
    "REASONS": "grouper",
    "STATUSES": "grouper",
    "CaseMapping": "cases",
    "Coverage": "grouper",
    "Explanation": "grouper",
    "GroupingSummary": "grouper",
    "Scheme": "schemes",
    "check_scheme": "schemes",
    "compile_scheme": "schemes",
    "cover": "grouper",
    "diff_schemes": "schemes",
    "explain": "grouper",
    "group": "grouper",
    "group_file": "grouper",
    "list_schemes": "schemes",
    "load_dictionary": "schemes",
    "load_scheme": "schemes",
    "parse_rule": "schemes",
    "sample_cases": "synthetic",
    "summarise": "grouper",
    "write_sample": "synthetic",
}

__all__ = [
    "CANONICAL_SCHEMA",
    "REASONS",
    "STATUSES",
    "CaseMapping",
    "CaseSchemaError",
    "Coverage",
    "DrgcoreError",
    "Explanation",
    "GroupingSummary",
    "RuleSyntaxError",
    "Scheme",
    "SchemeError",
    "check_scheme",
    "compile_scheme",
    "cover",
    "diff_schemes",
    "explain",
    "group",
    "group_file",
    "list_schemes",
    "load_dictionary",
    "load_scheme",
    "parse_rule",
    "sample_cases",
    "summarise",
    "write_sample",
]


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'drgcore' has no attribute {name!r}")
    value = getattr(import_module(f"drgcore.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
