"""A settlement tried beside the real one, and the bureau's returned statement held against ours."""

from drgcore.trial.amounts import case_amounts, hospital_amounts, valued_cases
from drgcore.trial.returned import DIFFERENCE_KINDS, ReturnedComparison, compare_returned
from drgcore.trial.year import Trial, settle_trial

__all__ = [
    "DIFFERENCE_KINDS",
    "ReturnedComparison",
    "Trial",
    "case_amounts",
    "compare_returned",
    "hospital_amounts",
    "settle_trial",
    "valued_cases",
]
