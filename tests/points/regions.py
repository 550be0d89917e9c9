"""A small region for tests: four groups, three hospitals, and cases to vary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from drgcore.points import Policy
from drgcore.points.policy_file import merge

GROUPS = {
    # P ≤ 100, P ≤ 200, P > 200, and a group that is not stable (n = 4).
    "BR15": {"base_points": "80", "mean_cost": "8000", "cases": 50, "cv": "0.5"},
    "ES23": {"base_points": "150", "mean_cost": "15000", "cases": 50, "cv": "1"},
    "GB19": {"base_points": "300", "mean_cost": "30000", "cases": 50, "cv": "0.9"},
    "TR19": {"base_points": "120", "mean_cost": "12000", "cases": 50, "cv": "0.9"},
    "CB69": {"base_points": "60", "mean_cost": "6000", "cases": 4, "cv": "0.2"},
}

SMALL: dict[str, Any] = {
    "name": "small",
    "source": "none: a test",
    "effective_from": pd.Timestamp("2026-01-01").date(),
    "base_points": {
        "holds": "base_points",
        "groups": GROUPS,
        "scale": 100,
        "mean_cost": "10000",
        "group_means": "column",
    },
    "stability": {"rule": "test", "n_min": 5, "cv_max": "1"},
    "rounding": {"base_points": 4, "coefficient": 4, "points": 4},
    "outliers": {
        "high": {
            "rule": "added",
            "multiples": [
                {"up_to": 100, "value": 3},
                {"up_to": 200, "value": 2.5},
                {"value": 2},
            ],
        },
        "low": {"rule": "proportional", "multiples": "0.4"},
    },
    "by_cost": {
        "unstable": {"rule": "by_cost", "rate": "1"},
        "ambiguous": {"rule": "by_cost", "rate": "0.8"},
        "ungrouped": {"rule": "by_cost", "rate": "0.7"},
        "invalid": {"rule": "outside"},
    },
    "coefficients": {
        "components": [
            {
                "name": "level",
                "weight": 1,
                "method": "level",
                "levels": {"3": "1.1", "2": "1", "1": "0.9"},
            }
        ]
    },
    "costs": {"unreasonable": "not_used"},
    "budget": {
        "reserve_share": "0.05",
        "months": ["0.08"] * 11 + ["0.12"],
        "prepayment": "0.95",
        "basis": "fund",
        "reference": "none",
        "pools": {"employee": {"budget": "1000000"}, "resident": {"budget": "500000.55"}},
    },
    "quality": {"rule": "given"},
    "incentive_pool": {"rule": "all"},
    "sharing": {"surplus": "all_kept", "deficit": "not_shared"},
    "outside": {"paid_from": "elsewhere"},
}


def small(change: dict[str, Any] | None = None, folder: Path | None = None) -> Policy:
    """The small region's policy with changes merged in."""
    return Policy.from_data(merge(SMALL, change or {}), folder=folder)


def cases(*rows: dict[str, Any]) -> pd.DataFrame:
    """Cases that differ from an ordinary one as the rows say."""
    ordinary = {
        "hospital": "H1",
        "hospital_level": "2",
        "pool": "employee",
        "admission_date": pd.Timestamp("2026-03-01"),
        "discharge_date": pd.Timestamp("2026-03-09"),
        "length_of_stay": 8,
        "total_cost": 8000.0,
        "unreasonable_cost": 0.0,
        "patient_paid": 0.0,
        "drg": "BR15",
        "status": "grouped",
    }
    table = [{"case_id": f"c{n}", **ordinary, **row} for n, row in enumerate(rows, 1)]
    return pd.DataFrame(table)
