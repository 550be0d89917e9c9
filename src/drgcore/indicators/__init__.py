"""What a DRG office watches: indicators, profit and loss, scores."""

from drgcore.indicators.compute import Indicators, compute_indicators
from drgcore.indicators.groups import QUADRANTS, fee_structure, quadrants
from drgcore.indicators.intervals import (
    bootstrap_interval,
    mean_interval,
    poisson_interval,
    proportion_interval,
    ratio_interval,
)
from drgcore.indicators.measure import INDICATORS
from drgcore.indicators.norms import death_risk, norms_of
from drgcore.indicators.profit import PARTS, ProfitAndLoss, profit_and_loss
from drgcore.indicators.readmission import readmissions
from drgcore.indicators.scores import Scores, ScoreSheet, score_units
from drgcore.indicators.tally import Tally, tally_cases

__all__ = [
    "INDICATORS",
    "PARTS",
    "QUADRANTS",
    "Indicators",
    "ProfitAndLoss",
    "ScoreSheet",
    "Scores",
    "Tally",
    "bootstrap_interval",
    "compute_indicators",
    "death_risk",
    "fee_structure",
    "mean_interval",
    "norms_of",
    "poisson_interval",
    "profit_and_loss",
    "proportion_interval",
    "quadrants",
    "ratio_interval",
    "readmissions",
    "score_units",
    "tally_cases",
]
