"""Front-page checks: rules as data, held against cases before they are grouped."""

from drgcore.checks.catalogue import Catalogue, Check
from drgcore.checks.check import check_cases
from drgcore.checks.findings import FINDINGS_SCHEMA
from drgcore.checks.language import ExpressionError
from drgcore.checks.report import CHECKS_SCHEMA, PROFILE_SCHEMA, CaseChecks
from drgcore.checks.stream import check_file

__all__ = [
    "CHECKS_SCHEMA",
    "FINDINGS_SCHEMA",
    "PROFILE_SCHEMA",
    "CaseChecks",
    "Catalogue",
    "Check",
    "ExpressionError",
    "check_cases",
    "check_file",
]
