"""What another scheme would mean for the same cases: flows, reasons, weights and money."""

from drgcore.migration.effect import MigrationEffect, migration_effect
from drgcore.migration.migrate import Migration, migrate
from drgcore.migration.reasons import REASON_KINDS

__all__ = [
    "REASON_KINDS",
    "Migration",
    "MigrationEffect",
    "migrate",
    "migration_effect",
]
