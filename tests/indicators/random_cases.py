"""Random grouped cases, hostile ones among them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
from hypothesis import strategies as st

_COST = st.one_of(
    st.integers(1, 5_000_000).map(lambda fen: fen / 100),
    st.sampled_from([None, 0.0, -1.0, float("nan"), float("inf"), 1e7]),
)
_FEE = st.one_of(
    st.integers(0, 500_000).map(lambda fen: fen / 100), st.sampled_from([None, -3.0, 0.0])
)
_DAY = st.one_of(st.integers(0, 90).map(lambda d: date(2027, 1, 1) + timedelta(days=d)), st.none())
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "hospital": st.sampled_from(["H1", "H2", "H3", None, ""]),
    "hospital_level": st.sampled_from(["3", "2", None]),
    "department": st.sampled_from(["内科", "=外科", None]),
    "doctor_id": st.sampled_from(["D1", "D2", "D3"]),
    "pool": st.sampled_from(["employee", "resident", None]),
    "drg": st.sampled_from(["AA11", "AA13", "AB15", "BC11", "BC13", "BD19", None, ""]),
    "status": st.sampled_from(["grouped"] * 6 + ["ambiguous", "ungrouped", "invalid", None]),
    "severity": st.sampled_from(["MCC", "CC", "none", None]),
    "case_class": st.sampled_from(["normal", "high_cost", "low_cost", "unstable", None]),
    "total_cost": _COST,
    "drug_cost": _FEE,
    "consumable_cost": _FEE,
    "length_of_stay": st.sampled_from([0, 1, 2, 7, 30, 400, None, -1]),
    "leaving_way": st.sampled_from([1, 1, 1, 5, 5, 2, 9, None]),
    "patient_id": st.sampled_from([*(f"P{i}" for i in range(12)), None, ""]),
    "admission_date": _DAY,
    "discharge_date": _DAY,
}
NUMBERS = ("total_cost", "drug_cost", "consumable_cost", "length_of_stay", "leaving_way")


@st.composite
def case_rows(draw: st.DrawFn, most: int = 60) -> pd.DataFrame:
    """From one case to `most`."""
    rows = draw(st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=most))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(NUMBERS, "float64"))
