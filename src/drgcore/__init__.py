"""drgcore: CHS-DRG grouping and point-based payment for China's health security funds.

The public names of the package. What costs time to import is imported with its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from drgcore.errors import (
    BudgetError,
    CaseSchemaError,
    DrgcoreError,
    PolicyError,
    RuleSyntaxError,
    SchemeError,
)

if TYPE_CHECKING:
    from drgcore.budget import (
        Adjustment,
        Ledger,
        Month,
        adjustments_of_sanctions,
        allocate,
        close_month,
        close_year,
        explain_payment,
        settle_month,
        settle_year,
        show,
    )
    from drgcore.cases import CANONICAL_SCHEMA, LOCAL_SCHEMA, CaseMapping
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
    from drgcore.points import (
        Bands,
        Policy,
        check_policy,
        compute_points,
        explain_points,
        points_by_class,
        policy_sentences,
        sanction_points,
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
    "LOCAL_SCHEMA": "cases",
    "REASONS": "grouper",
    "STATUSES": "grouper",
    "Adjustment": "budget",
    "Bands": "points",
    "CaseMapping": "cases",
    "Coverage": "grouper",
    "Explanation": "grouper",
    "GroupingSummary": "grouper",
    "Ledger": "budget",
    "Month": "budget",
    "Policy": "points",
    "Scheme": "schemes",
    "adjustments_of_sanctions": "budget",
    "allocate": "budget",
    "check_policy": "points",
    "check_scheme": "schemes",
    "close_month": "budget",
    "close_year": "budget",
    "compile_scheme": "schemes",
    "compute_points": "points",
    "cover": "grouper",
    "diff_schemes": "schemes",
    "explain": "grouper",
    "explain_payment": "budget",
    "explain_points": "points",
    "group": "grouper",
    "group_file": "grouper",
    "list_schemes": "schemes",
    "load_dictionary": "schemes",
    "load_scheme": "schemes",
    "parse_rule": "schemes",
    "points_by_class": "points",
    "policy_sentences": "points",
    "sample_cases": "synthetic",
    "sanction_points": "points",
    "settle_month": "budget",
    "settle_year": "budget",
    "show": "budget",
    "summarise": "grouper",
    "write_sample": "synthetic",
}

__all__ = [
    "CANONICAL_SCHEMA",
    "LOCAL_SCHEMA",
    "REASONS",
    "STATUSES",
    "Adjustment",
    "Bands",
    "BudgetError",
    "CaseMapping",
    "CaseSchemaError",
    "Coverage",
    "DrgcoreError",
    "Explanation",
    "GroupingSummary",
    "Ledger",
    "Month",
    "Policy",
    "PolicyError",
    "RuleSyntaxError",
    "Scheme",
    "SchemeError",
    "adjustments_of_sanctions",
    "allocate",
    "check_policy",
    "check_scheme",
    "close_month",
    "close_year",
    "compile_scheme",
    "compute_points",
    "cover",
    "diff_schemes",
    "explain",
    "explain_payment",
    "explain_points",
    "group",
    "group_file",
    "list_schemes",
    "load_dictionary",
    "load_scheme",
    "parse_rule",
    "points_by_class",
    "policy_sentences",
    "sample_cases",
    "sanction_points",
    "settle_month",
    "settle_year",
    "show",
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
