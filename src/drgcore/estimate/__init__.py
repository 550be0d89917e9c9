"""What another coding would mean, and what is known of a case before it is finished."""

from drgcore.estimate.pivotal import PIVOTAL_COLUMNS, pivotal_codes, pivotal_summary
from drgcore.estimate.prices import weights_by_drg
from drgcore.estimate.what_if import WhatIf, what_if

__all__ = [
    "PIVOTAL_COLUMNS",
    "WhatIf",
    "pivotal_codes",
    "pivotal_summary",
    "weights_by_drg",
    "what_if",
]
