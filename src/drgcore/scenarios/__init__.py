"""What a policy would mean: policies side by side, and what keeps a total."""

from drgcore.scenarios.compare import Comparison, compare

__all__ = [
    "Comparison",
    "compare",
]
