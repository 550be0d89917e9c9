"""What a DRG office watches: indicators, profit and loss, scores."""

from drgcore.indicators.compute import Indicators, compute_indicators
from drgcore.indicators.intervals import (
    bootstrap_interval,
    mean_interval,
    proportion_interval,
)
from drgcore.indicators.measure import INDICATORS
from drgcore.indicators.norms import death_risk, norms_of
from drgcore.indicators.readmission import readmissions
from drgcore.indicators.tally import Tally, tally_cases

__all__ = [
    "INDICATORS",
    "Indicators",
    "Tally",
    "bootstrap_interval",
    "compute_indicators",
    "death_risk",
    "mean_interval",
    "norms_of",
    "proportion_interval",
    "readmissions",
    "tally_cases",
]
