"""Words of the library's tables that English readers want otherwise than as they are."""

from __future__ import annotations

from drgcore.points.records import CLASSES

WORDS_EN: dict[str, str] = {
    **{name: name.replace("_", " ") for name in CLASSES},
    "total_cost": "all costs",
    "fund": "fund's part",
    "status": "valid in one scheme only",
    "mdc": "another MDC",
    "adrg": "another ADRG",
    "drg": "another DRG of the same ADRG",
    "code": "the same group under another code",
}
"""Word of a table → how a report shows it."""
