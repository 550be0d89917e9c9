"""What an auditor should look at: signals with their chance and the cases behind them."""

from drgcore.audit.excess import Excess, excess, false_discovery
from drgcore.audit.finding import Limits
from drgcore.audit.signals import SIGNALS, Audit, audit_cases
from drgcore.audit.wording import DEFINITIONS, SIGNAL_NAMES

__all__ = [
    "DEFINITIONS",
    "SIGNALS",
    "SIGNAL_NAMES",
    "Audit",
    "Excess",
    "Limits",
    "audit_cases",
    "excess",
    "false_discovery",
]
