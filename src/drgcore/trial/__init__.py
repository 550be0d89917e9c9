"""A settlement tried beside the real one, and the bureau's returned statement held against ours."""

from drgcore.trial.amounts import case_amounts, hospital_amounts, valued_cases
from drgcore.trial.drafts import HistoryPolicy
from drgcore.trial.from_history import HISTORY_COLUMNS, policy_from_history
from drgcore.trial.returned import DIFFERENCE_KINDS, ReturnedComparison, compare_returned
from drgcore.trial.year import Trial, settle_trial

__all__ = [
    "DIFFERENCE_KINDS",
    "HISTORY_COLUMNS",
    "HistoryPolicy",
    "ReturnedComparison",
    "Trial",
    "case_amounts",
    "compare_returned",
    "hospital_amounts",
    "policy_from_history",
    "settle_trial",
    "valued_cases",
]
