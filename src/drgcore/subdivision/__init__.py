"""Local groups: how a region cuts the national ADRGs anew, and why."""

from drgcore.subdivision.conditions import SplitCandidates
from drgcore.subdivision.partition import SplitLimits
from drgcore.subdivision.report import Subdivision
from drgcore.subdivision.subdivide import subdivide

__all__ = [
    "SplitCandidates",
    "SplitLimits",
    "Subdivision",
    "subdivide",
]
