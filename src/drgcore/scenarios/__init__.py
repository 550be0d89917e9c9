"""What another policy would mean for the same cases: side by side, and what keeps a total."""

from drgcore.scenarios.coefficient import coefficient_effect
from drgcore.scenarios.compare import Comparison, compare
from drgcore.scenarios.total import KeptTotal, keep_total

__all__ = [
    "Comparison",
    "KeptTotal",
    "coefficient_effect",
    "compare",
    "keep_total",
]
