"""Readmissions found, their sanctions, and special reviews against their quota."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.budget import Month, close_month, settle_month
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.points import (
    compute_points,
    find_readmissions,
    refuse_over_quota,
    review_report,
    sanction_points,
)
from drgcore.points.policy_file import merge
from tests.points.regions import cases, small


def rule(**more: Any) -> dict[str, Any]:
    found = {"kind": "again", "within_days": 15, "same": "drg", "hospital": "same", **more}
    return {"readmissions": [found], "violations": {"points": {"again": "0.5"}}}


def stays(*rows: tuple[str, str, str, str, str]) -> pd.DataFrame:
    """Patient, hospital, DRG, first and last day of each stay."""
    table = pd.DataFrame(rows, columns=["patient_id", "hospital", "drg", "in", "out"])
    days = {"admission_date": pd.to_datetime(table.pop("in")),
            "discharge_date": pd.to_datetime(table.pop("out"))}  # fmt: skip
    return table.assign(case_id=[f"c{n}" for n in range(1, len(table) + 1)], **days)


def pairs(table: pd.DataFrame, **more: Any) -> list[tuple[str, str, int]]:
    found = find_readmissions(table, small(rule(**more)))
    columns = (found["case_id"], found["later_case_id"], found["days"].tolist())
    return list(zip(*columns, strict=True))


def test_the_first_stay_within_the_days() -> None:
    table = stays(
        ("p", "H1", "BR15", "2026-03-01", "2026-03-05"),
        ("p", "H1", "BR15", "2026-03-20", "2026-03-25"),  # 15 days after
        ("p", "H1", "BR15", "2026-04-10", "2026-04-12"),  # 16 days after
        ("q", "H1", "BR15", "2026-03-06", "2026-03-07"),
        ("p", "H1", "BR11", "2026-03-06", "2026-03-07"),
        ("p", "H2", "BR15", "2026-03-07", "2026-03-08"),
    )
    assert pairs(table) == [("c1", "c2", 15)]
    assert pairs(table, same="adrg") == [("c1", "c5", 1), ("c5", "c2", 13)]
    assert pairs(table, hospital="any") == [("c1", "c6", 2), ("c6", "c2", 12)]
    assert pairs(table, same="any", within_days=1) == [("c1", "c5", 1)]
    assert pairs(table, exempt=["BR1"]) == []


def test_stays_of_one_day_and_stays_that_overlap() -> None:
    table = stays(
        ("p", "H1", "BR15", "2026-03-01", "2026-03-01"),
        ("p", "H1", "BR15", "2026-03-01", "2026-03-01"),
        ("q", "H1", "BR15", "2026-03-01", "2026-03-09"),
        ("q", "H1", "BR15", "2026-03-05", "2026-03-06"),
    )
    assert pairs(table) == [("c1", "c2", 0)]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("pq"), st.sampled_from(["H1", "H2"]),
                  st.sampled_from(["BR15", "BR11", "ES23", None]), st.integers(0, 40),
                  st.integers(0, 9)),
        min_size=1, max_size=14,
    ),
    same=st.sampled_from(["drg", "adrg", "any"]),
    hospital=st.sampled_from(["same", "any"]),
)  # fmt: skip
def test_equals_a_plain_search(rows: list[Any], same: str, hospital: str) -> None:
    first = pd.Timestamp("2026-03-01")
    table = stays(*[
        (p, h, d, first + pd.Timedelta(days=i), first + pd.Timedelta(days=i + n))
        for p, h, d, i, n in rows
    ])  # fmt: skip
    expected = []
    for one in range(len(rows)):
        best = None
        for two in range(len(rows)):
            p, h, d, i, n = rows[one]
            gap = rows[two][3] - (i + n)
            if two == one or rows[two][0] != p or gap < 0:
                continue
            if hospital == "same" and rows[two][1] != h:
                continue
            cut = {"drg": 4, "adrg": 3, "any": 0}[same]
            if cut and (d is None or rows[two][2] is None or rows[two][2][:cut] != d[:cut]):
                continue
            # Of two stays on one day the one that stands first came first.
            if (i, i + n, one) > (rows[two][3], rows[two][3] + rows[two][4], two):
                continue
            key = (rows[two][3], rows[two][3] + rows[two][4], two)
            best = key if best is None or key < best else best
        if best is not None and best[0] - (rows[one][3] + rows[one][4]) <= 15:
            expected.append((f"c{one + 1}", f"c{best[2] + 1}"))
    found = pairs(table, same=same, hospital=hospital)
    assert [pair[:2] for pair in found] == sorted(expected)


def earned(points: float, **case: Any) -> pd.DataFrame:
    return cases({"drg": "GB19", **case}).assign(points=points)


def test_half_of_the_earlier_stay_is_withdrawn() -> None:
    policy = small(rule())
    table = cases(
        {"patient_id": "p"},
        {
            "patient_id": "p",
            "admission_date": pd.Timestamp("2026-03-12"),
            "discharge_date": pd.Timestamp("2026-03-20"),
        },
    )
    table = table.assign(points=[110.0, 80.0])  # fmt: skip
    found = sanction_points(table, find_readmissions(table, policy), policy)
    assert found["case_id"].tolist() == ["c1"]
    assert found["points"].tolist() == [-55.0]


SHAOXING = {
    "base_points": {"groups": {"GB19": {"base_points": "100"}}},
    "violations": {"points": {"splitting": 1}, "base_points": {"upcoding": 2, "grave": 1}},
}


def test_shaoxing() -> None:
    listed = pd.DataFrame({"case_id": ["c1"], "kind": ["upcoding"], "points": [None]})
    found = sanction_points(earned(110.0), listed, small(SHAOXING)).iloc[0]
    assert (found["points"], found["base_multiple"], found["base_points"]) == (-310.0, 2, 100)
    # Whatever the case earned; of a split stay its points alone.
    assert sanction_points(earned(0.0), listed, small(SHAOXING))["points"][0] == -200.0
    split = listed.assign(kind="splitting")
    assert sanction_points(earned(110.0), split, small(SHAOXING))["points"][0] == -110.0


def test_base_points_that_are_not_there() -> None:
    listed = pd.DataFrame({"case_id": ["c1"], "kind": ["upcoding"], "points": [None]})
    with pytest.raises(PolicyError, match="case c1 is of a DRG without base points"):
        sanction_points(earned(110.0, drg="ZZ11"), listed, small(SHAOXING))


def test_cases_without_patients_or_rules() -> None:
    with pytest.raises(PolicyError, match="it has no readmissions"):
        find_readmissions(cases({}), small())
    with pytest.raises(CaseSchemaError, match="no column patient_id"):
        find_readmissions(cases({}), small(rule()))
    with pytest.raises(CaseSchemaError, match="have no patient_id: c1"):
        find_readmissions(cases({"patient_id": None}).astype({"patient_id": "str"}), small(rule()))


REVIEW = {
    "special_review": {
        "without_points": "by_cost", "rate": 1,
        "quota": {"share": {"3": "0.005", "2": "0.003"}, "period": "quarter",
                  "rounding": "up", "counts": "filed", "deadline_days": 15,
                  "deadline_counts": "working", "holidays": [datetime.date(2026, 4, 6)]},
    }
}  # fmt: skip


def reviewed(kinds: list[str], **more: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = cases(*[{} for _ in range(300)])
    decisions = pd.DataFrame({
        "case_id": [f"c{n}" for n in range(1, len(kinds) + 1)], "decision": kinds,
        "points": [None] * len(kinds), **more,
    })  # fmt: skip
    return compute_points(table, small(REVIEW), decisions=decisions), decisions


def test_a_hospital_over_its_quota() -> None:
    filed = pd.to_datetime(["2026-04-21", "2026-04-22", "2026-04-23"])
    table, decisions = reviewed(["special", "outside", "refused"], filed=filed)
    assert table["case_class"].tolist()[:4] == ["special_review", "outside", "normal", "normal"]
    assert table["class_reason"][1] == "panel: outside the points"
    row = review_report(table, small(REVIEW), decisions).iloc[0]
    # 0.3 % of 300 cases are 0.9, rounded up 1; 15 working days without 6 April end on the 22nd.
    assert row[["period", "cases", "allowed", "filed", "granted", "over", "late"]].tolist() == [
        "2026-Q1", 300, 1, 3, 2, 2, 1]  # fmt: skip
    assert row["deadline"] == datetime.date(2026, 4, 22)
    with pytest.raises(PolicyError, match="H1 2026-Q1: 2 over 1"):
        refuse_over_quota(table, small(REVIEW))
    # The quarter is not over on its last day.
    refuse_over_quota(table, small(REVIEW), today=datetime.date(2026, 3, 31))
    granted = {"special_review": {"quota": {"counts": "granted"}}}
    assert review_report(table, small(REVIEW).with_changes(granted))["over"].tolist() == [1]


def test_a_level_without_share() -> None:
    table, _ = reviewed(["special"])
    with pytest.raises(PolicyError, match="no share for level 1 of hospital H1"):
        review_report(table.assign(hospital_level="1"), small(REVIEW))


def test_many_stays_are_searched_at_once() -> None:
    """Every stay of one patient in a row: the search is by arrays, not by pairs."""
    count = 20_000
    day = np.arange(count) * 3
    first = np.datetime64("2026-01-01") + (day % 360)
    table = pd.DataFrame({
        "case_id": np.arange(count).astype(str), "patient_id": (day // 360).astype(str),
        "hospital": "H1", "drg": "BR15", "admission_date": first, "discharge_date": first + 1,
    })  # fmt: skip
    found = find_readmissions(table, small(rule()))
    assert len(found) == count - len(set(table["patient_id"]))


def test_a_closing_is_refused_while_a_hospital_is_over_its_quota() -> None:
    quota = {"period": "month", "rounding": "down"}
    policy = small(merge(REVIEW, {"special_review": {"quota": quota}}))
    decisions = pd.DataFrame({"case_id": ["c1"], "decision": ["special"], "points": [90.0]})
    day = {"admission_date": pd.Timestamp("2026-01-02"),
           "discharge_date": pd.Timestamp("2026-01-09")}  # fmt: skip
    rows = [day] * 5 + [{**day, "pool": "resident", "hospital": "H2"}]
    table = compute_points(cases(*rows), policy, decisions=decisions)
    january = Month(2026, 1)
    settled = settle_month(table, policy, january)
    with pytest.raises(PolicyError, match="H1 2026-01: 1 over 0"):
        close_month(settled, table, policy)
    # A quarter is judged at the year end, when all its cases are there.
    later = policy.with_changes({"special_review": {"quota": {"period": "quarter"}}})
    assert close_month(settle_month(table, later, january), table, later).cases.num_rows == 6
