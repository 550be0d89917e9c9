"""What would be: other policies, or another scheme, for the same cases."""

from drgcore.scenarios.coefficient import coefficient_effect
from drgcore.scenarios.compare import Comparison, compare
from drgcore.scenarios.effect import MigrationEffect, migration_effect
from drgcore.scenarios.migration import Migration, migrate
from drgcore.scenarios.reasons import REASON_KINDS
from drgcore.scenarios.total import KeptTotal, keep_total

__all__ = [
    "REASON_KINDS",
    "Comparison",
    "KeptTotal",
    "Migration",
    "MigrationEffect",
    "coefficient_effect",
    "compare",
    "keep_total",
    "migrate",
    "migration_effect",
]
