"""What would be: the same cases by other rules."""

from drgcore.scenarios.effect import MigrationEffect, migration_effect
from drgcore.scenarios.migration import Migration, migrate
from drgcore.scenarios.reasons import REASON_KINDS

__all__ = ["REASON_KINDS", "Migration", "MigrationEffect", "migrate", "migration_effect"]
