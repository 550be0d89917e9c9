"""What a case earns: the policy, the class of each case, its points, sanctions."""

from drgcore.points.bands import Bands
from drgcore.points.case_columns import CaseWarning
from drgcore.points.compute import POINT_COLUMNS, compute_points
from drgcore.points.kernel import CLASSES
from drgcore.points.policy import PRESETS, Policy

__all__ = [
    "CLASSES",
    "POINT_COLUMNS",
    "PRESETS",
    "Bands",
    "CaseWarning",
    "Policy",
    "compute_points",
]
