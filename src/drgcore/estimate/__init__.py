"""What another coding would mean, and what is known of a case before it is finished."""

from drgcore.estimate.compare import GroupComparison, compare_groups
from drgcore.estimate.differing import DIFFERENCE_REASONS
from drgcore.estimate.in_stay import IN_STAY_COLUMNS, WARNINGS, estimate_in_stay
from drgcore.estimate.likely import LikelyGroups, fit_likely_groups
from drgcore.estimate.pivotal import PIVOTAL_COLUMNS, pivotal_codes, pivotal_summary
from drgcore.estimate.prices import weights_by_drg
from drgcore.estimate.what_if import WhatIf, what_if

__all__ = [
    "DIFFERENCE_REASONS",
    "IN_STAY_COLUMNS",
    "PIVOTAL_COLUMNS",
    "WARNINGS",
    "GroupComparison",
    "LikelyGroups",
    "WhatIf",
    "compare_groups",
    "estimate_in_stay",
    "fit_likely_groups",
    "pivotal_codes",
    "pivotal_summary",
    "weights_by_drg",
    "what_if",
]
