"""Words of the library's tables that English readers want otherwise than as they are."""

from __future__ import annotations

WORDS_EN: dict[str, str] = {
    "total_cost": "all costs",
    "fund": "fund's part",
    "advantage": "advantage",
    "watch": "watch",
    "potential": "potential",
    "shrink": "shrink",
}
"""Word of a table → how a report shows it."""
