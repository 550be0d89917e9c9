"""Mappings that are known by name: where usual exports have the columns of a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drgcore.cases.front_page import FRONT_PAGE_PRESETS

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "canonical": {
        "principal_diagnosis": "principal_diagnosis",
        "other_diagnoses": "other_diagnoses or other_diagnosis_{1..500}",
        "principal_procedure": "principal_procedure",
        "other_procedures": "other_procedures or other_procedure_{1..500}",
        "sex": "sex",
        "age_years": "age_years",
        "age_days": "age_days?",
        "newborn_weight_g": "newborn_weight_g?",
        "length_of_stay": "length_of_stay?",
        "leaving_way": "leaving_way?",
        "icu_hours": "icu_hours?",
        "department": "department?",
        "tcm_share": "tcm_share?",
        "birth_weight_g": "birth_weight_g?",
        "day_surgery": "day_surgery?",
        "several_sites": "several_sites?",
        "new_technique": "new_technique?",
        "intensive_care": "intensive_care?",
        "front_page": FRONT_PAGE_PRESETS["canonical"],
    },
    "hqms": {
        "principal_diagnosis": "C03C",
        "other_diagnoses": "C06x{01..40}C",
        "principal_procedure": "C14x01C",
        "other_procedures": "C35x{01..40}C",
        "sex": "A12C",
        "age_years": "A14",
        "age_days": "A16?",
        "newborn_weight_g": "A17?",
        # The export has no single column of hours in intensive care.
        "length_of_stay": "B20?",
        "leaving_way": "B34C?",
        "department": "B16C?",
        "birth_weight_g": "A18x01?",
        "front_page": FRONT_PAGE_PRESETS["hqms"],
    },
}
"""Name → parameters of `CaseMapping`."""
