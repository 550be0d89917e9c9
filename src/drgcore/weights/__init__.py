"""What history says: trimming, group statistics, base points, performance, coefficients."""

from drgcore.weights.base_points import GroupWeights, base_points
from drgcore.weights.coefficients import (
    hospital_coefficients,
    hospital_group_coefficients,
    level_coefficients,
    level_cost_coefficients,
)
from drgcore.weights.credibility import Credibility
from drgcore.weights.history import History, read_history
from drgcore.weights.history_checks import HistoryWarning
from drgcore.weights.performance import compare_groupings, grouping_performance, riv
from drgcore.weights.standardise import standardise_costs
from drgcore.weights.statistics import group_statistics
from drgcore.weights.trimming import (
    Trimming,
    trim_iqr,
    trim_multiples,
    trim_none,
    trim_norm,
    trim_percentiles,
)

__all__ = [
    "Credibility",
    "GroupWeights",
    "History",
    "HistoryWarning",
    "Trimming",
    "base_points",
    "compare_groupings",
    "group_statistics",
    "grouping_performance",
    "hospital_coefficients",
    "hospital_group_coefficients",
    "level_coefficients",
    "level_cost_coefficients",
    "read_history",
    "riv",
    "standardise_costs",
    "trim_iqr",
    "trim_multiples",
    "trim_none",
    "trim_norm",
    "trim_percentiles",
]
