"""Kernel, plain evaluator and slow twin give the same for whatever case, in every scheme."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drgcore.grouper import STATUSES, explain
from tests.grouper.helpers import (
    SCHEMES,
    TEXT_SCHEMA,
    Row,
    assert_same,
    by_kernel,
    by_plain,
    case_row,
    coverage,
    row_of,
    scheme,
    twin,
)
from tests.grouper.strategies import hostile_cases, near_witness


def _agree(name: str, cases: list[Row], explained: int, **options: object) -> list[Row]:
    """Compare the three ways; the plain evaluator on the first `explained` cases."""
    kernel = by_kernel(cases, scheme(name), **options)
    assert_same(kernel, [twin(name).group(c) for c in cases], cases, "twin")
    few = cases[:explained]
    assert_same(kernel[:explained], [by_plain(explain(c, scheme(name))) for c in few], few, "plain")
    return kernel


@pytest.mark.parametrize("name", SCHEMES)
def test_hostile_cases(name: str) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(hostile_cases(name), min_size=1, max_size=6))
    def agree(cases: list[Row]) -> None:
        _agree(name, cases, explained=2, schema=TEXT_SCHEMA)

    agree()


@pytest.mark.parametrize("name", SCHEMES)
def test_cases_near_the_edges_of_rules(name: str) -> None:
    draw = random.Random(f"near {name}")
    cases = [near_witness(name, draw) for _ in range(2500)]
    kernel = _agree(name, cases, explained=60)
    # The cases are worth something only if they still reach most groups and many reasons.
    assert len({r["drg"] for r in kernel}) > 0.6 * len(coverage(name).witnesses)
    kinds = {a.kind for a in scheme(name).adrgs}
    never = set() if "ambiguous" in kinds else {"ambiguous"}
    assert {r["status"] for r in kernel} == set(STATUSES) - never
    assert len({r["reason"] for r in kernel}) >= 4
    assert {r["severity"] for r in kernel} == {None, "none", "CC", "MCC"}


@pytest.mark.parametrize("name", SCHEMES)
def test_every_reason_for_an_invalid_case(name: str) -> None:
    # In 1.0r, and so in Wuhan's version, PB1 asks for nothing but the age in days and stands before
    # all groups that ask for the weight.
    weight_decides = name not in ("chs-drg-1.0r", "wuhan-2022")
    group = next(
        a.code
        for a in scheme(name).adrgs
        if a.code.startswith("P") and ("XSRTZ" in str(a.rule)) == weight_decides
    )
    witness = next(c for d, c in coverage(name).witnesses.items() if d.startswith(group))
    numbers = ("sex", "age_years", "age_days", "newborn_weight_g")
    good = row_of(witness)
    good |= {n: None if good[n] is None else str(good[n]) for n in numbers}
    changes = {
        "principal_diagnosis_missing": {"principal_diagnosis": " "},
        "principal_diagnosis_unknown": {"principal_diagnosis": "Q"},
        "sex_missing": {"sex": "9"},
        "sex_invalid": {"sex": "both"},
        # With an age in days the age in years is deduced.
        "age_missing": {"age_years": None, "age_days": None},
        "age_invalid": {"age_years": "-1"},
        "age_days_missing": {"age_days": "无"},
        "age_days_invalid": {"age_days": "366"},
        "newborn_weight_missing": {"newborn_weight_g": "0"},
        "newborn_weight_invalid": {"newborn_weight_g": "heavy"},
    }
    cases = [good, *({**good, **change} for change in changes.values())]
    first, *rest = _agree(name, cases, explained=11, schema=TEXT_SCHEMA)
    assert (first["status"], first["adrg"]) == ("grouped", group)
    reasons = [r["reason"] for r in rest]
    if weight_decides:
        assert reasons == list(changes)
    else:
        assert reasons == [*list(changes)[:8], None, None]
        assert rest[8] == rest[9] == first
    assert all(r["status"] == "invalid" for r in rest if r["reason"])


def test_five_hundred_diagnoses_and_long_codes_change_nothing() -> None:
    plain = case_row("G11.900", ["S52.804"], sex=2, age_years=69)
    loud = {**plain, "other_diagnoses": ["S52.804"] * 250 + ["y" * 200] * 250}
    unknown = {**plain, "principal_diagnosis": "G" * 200}
    kernel = _agree("chs-drg-3.0", [plain, loud, unknown], explained=3)
    assert kernel[1]["code_flags"] == "other_diagnoses"
    assert kernel[0] == {**kernel[1], "code_flags": None}
    assert kernel[0]["drg"] == "BU23"
    assert kernel[2]["reason"] == "principal_diagnosis_unknown"
