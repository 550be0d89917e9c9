"""What a case earns: the policy, the class of each case, its points, sanctions."""

from drgcore.points.bands import Bands
from drgcore.points.policy import PRESETS, Policy

__all__ = ["PRESETS", "Bands", "Policy"]
