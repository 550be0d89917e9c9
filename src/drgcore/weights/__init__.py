"""What history says: trimming, group statistics, base points, coefficients, local groups."""

from drgcore.weights.backtest import backtest_shares, backtest_summary
from drgcore.weights.base_points import GroupWeights, base_points
from drgcore.weights.coefficients import (
    hospital_coefficients,
    level_coefficients,
    level_cost_coefficients,
)
from drgcore.weights.conditions import SplitCandidates
from drgcore.weights.credibility import Credibility
from drgcore.weights.festival import spring_festival
from drgcore.weights.forecast import METHODS, ShareForecast, forecast_shares
from drgcore.weights.history import History, HistoryWarning, read_history
from drgcore.weights.monthly import monthly_totals
from drgcore.weights.partition import SplitLimits
from drgcore.weights.performance import compare_groupings, grouping_performance, riv
from drgcore.weights.standardise import standardise_costs
from drgcore.weights.statistics import group_statistics
from drgcore.weights.subdivide import subdivide
from drgcore.weights.subdivision import Subdivision
from drgcore.weights.trimming import (
    Trimming,
    trim_iqr,
    trim_multiples,
    trim_none,
    trim_norm,
    trim_percentiles,
)

__all__ = [
    "METHODS",
    "Credibility",
    "GroupWeights",
    "History",
    "HistoryWarning",
    "ShareForecast",
    "SplitCandidates",
    "SplitLimits",
    "Subdivision",
    "Trimming",
    "backtest_shares",
    "backtest_summary",
    "base_points",
    "compare_groupings",
    "forecast_shares",
    "group_statistics",
    "grouping_performance",
    "hospital_coefficients",
    "level_coefficients",
    "level_cost_coefficients",
    "monthly_totals",
    "read_history",
    "riv",
    "spring_festival",
    "standardise_costs",
    "subdivide",
    "trim_iqr",
    "trim_multiples",
    "trim_none",
    "trim_norm",
    "trim_percentiles",
]
