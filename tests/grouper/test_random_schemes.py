"""Random schemes: whatever rules a workbook may hold, the compiled form says what they say."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drgcore.cases import LOCAL_SCHEMA
from drgcore.cases.ages import INFANT_DAYS
from drgcore.grouper import cover, tables
from drgcore.grouper.plain import PlainCase, group_plainly
from drgcore.schemes import Scheme
from drgcore.schemes.rules import LOCAL_NAMES
from tests.grouper.helpers import Row, assert_same, by_kernel, by_plain, local_schema, twin_of
from tests.grouper.kept_schemes import kept_schemes
from tests.grouper.strategies import (
    DIAGNOSES,
    LOCAL_KINDS,
    PROCEDURES,
    SchemeRows,
    case_of,
    local_case_of,
    scheme_of,
    schemes,
)
from tests.reference import plain_cases
from tests.reference.plain_grouper import LOCAL_NUMBERS, KnownCodes

CASES = 40
_ANY = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def _new_draws(
    examples: int, *strategies: st.SearchStrategy[Any]
) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Other draws in every run: ways must agree on them, whatever they reach."""
    return lambda body: settings(max_examples=examples, **_ANY)(given(*strategies)(body))


def _plain_case(of: Scheme, row: Row) -> PlainCase:
    """The case as the rules see it: what a reader makes of 'unknown' and of -7."""
    grouper = tables.compile_tables(of)
    diagnoses = set(grouper.diagnoses.codes.to_pylist())
    procedures = set(grouper.procedures.codes.to_pylist())

    def number(value: int | None) -> int | None:
        return -2 if value is not None and value < 0 else value

    def local(column: str, read: Callable[[object], float]) -> float | None:
        value = read(row.get(column))
        return None if value == plain_cases.MISSING_NUMBER else value

    principal, procedure = row["principal_diagnosis"], row["principal_procedure"]
    years, days = (number(row[name]) for name in ("age_years", "age_days"))
    # An infant whose age stands in days only is 0 years old.
    if years is None and days is not None and 0 <= days <= INFANT_DAYS:
        years = 0
    departments = KnownCodes(grouper.departments.codes.to_pylist())
    return PlainCase(
        principal if principal in diagnoses else None,
        tuple(c for c in row["other_diagnoses"] if c in diagnoses),
        procedure if procedure in procedures else None,
        tuple(c for c in row["other_procedures"] if c in procedures),
        {1: 1, 2: 2, None: None}.get(row["sex"], -1),
        years,
        days,
        number(row["newborn_weight_g"]),
        *(local(*how) for how in LOCAL_NUMBERS.values()),
        departments.read(row.get("department")),
        principal_diagnosis_unknown=principal is not None and principal not in diagnoses,
    )


@pytest.mark.usefixtures("small_dictionaries")
def test_random_schemes() -> None:
    seen: Counter[str | None] = Counter()
    drawn = schemes(), st.integers(0, 2**32)

    def agree(rows: SchemeRows, number: int) -> None:
        of = scheme_of(rows)
        draw = random.Random(number)
        cases = [case_of(of, draw) for _ in range(CASES)]
        kernel = by_kernel(cases, of, threads=1)
        slow = twin_of(of, DIAGNOSES, PROCEDURES)
        assert_same(kernel, [slow.group(c) for c in cases], cases, "twin")
        plain = [by_plain(group_plainly(of, _plain_case(of, c))) for c in cases]
        assert_same(kernel, plain, cases, "plain")
        seen.update(r["status"] for r in kernel)
        seen.update(r["reason"] for r in kernel)

    for number, rows in enumerate(3 * kept_schemes()):
        agree(rows, number)
    # A strategy that no longer reaches what it is for must not pass in silence.
    for what in ("grouped", "ambiguous", "catch_all", "no_drg", "no_adrg", "no_mdc_diagnosis"):
        assert seen[what] >= 20, what
    for what in ("newborn_weight_missing", "newborn_weight_invalid", "age_days_invalid"):
        assert seen[what] >= 1, what
    _new_draws(200, *drawn)(agree)()


@pytest.mark.usefixtures("small_dictionaries")
def test_random_local_schemes() -> None:
    """What cities ask beside the official names, in columns of every type, with hostile values."""
    asked: Counter[str] = Counter()
    decided = 0
    drawn = schemes(local=True), st.sampled_from(LOCAL_KINDS), st.integers(0, 2**32)

    def agree(rows: SchemeRows, kind: pa.DataType, number: int) -> None:
        nonlocal decided
        of = scheme_of(rows)
        draw = random.Random(number)
        cases = [local_case_of(of, draw, kind) for _ in range(CASES)]
        kernel = by_kernel(cases, of, local_schema(kind), threads=1)
        slow = twin_of(of, DIAGNOSES, PROCEDURES)
        assert_same(kernel, [slow.group(c) for c in cases], cases, "twin")
        plain = [by_plain(group_plainly(of, _plain_case(of, c))) for c in cases]
        assert_same(kernel, plain, cases, "plain")
        asked.update(tuple(of.local_columns))
        # Without their local values some of the cases belong elsewhere.
        bare = [{**c, **dict.fromkeys(LOCAL_SCHEMA.names)} for c in cases]
        without = by_kernel(bare, of, local_schema(kind), threads=1)
        decided += sum(a != b for a, b in zip(kernel, without, strict=True))

    for number, rows in enumerate(3 * kept_schemes(local=True)):
        agree(rows, LOCAL_KINDS[number % len(LOCAL_KINDS)], number)
    assert min(asked[name] for name in LOCAL_NAMES) >= 20, asked
    assert decided >= 200
    _new_draws(100, *drawn)(agree)()


@pytest.mark.usefixtures("small_dictionaries")
def test_coverage_of_random_local_schemes() -> None:
    """As for official schemes: witnesses reach their groups, and what is proven holds."""
    seen: Counter[str] = Counter()
    drawn = schemes(local=True), st.sampled_from(LOCAL_KINDS), st.integers(0, 2**32)

    def agree(rows: SchemeRows, kind: pa.DataType, number: int) -> None:
        of = scheme_of(rows)
        found = cover(of)
        assert {d.code for d in of.drgs} == {*found.witnesses, *found.unreachable, *found.open}
        for drg, case in found.witnesses.items():
            assert by_plain(group_plainly(of, case))["drg"] == drg
        draw = random.Random(number)
        cases = [local_case_of(of, draw, kind) for _ in range(400)]
        kernel = by_kernel(cases, of, local_schema(kind), threads=1)
        reached = {r["drg"] for r in kernel} - {None}
        assert not reached & set(found.unreachable)
        local = [getattr(c, n) for c in found.witnesses.values() for n in LOCAL_SCHEMA.names]
        seen.update(
            witnesses=len(found.witnesses),
            unreachable=len(found.unreachable),
            local=sum(value is not None for value in local),
        )

    for number, rows in enumerate(kept_schemes(local=True)):
        agree(rows, LOCAL_KINDS[number % len(LOCAL_KINDS)], number)
    assert seen["witnesses"] >= 15
    assert seen["unreachable"] >= 20
    assert seen["local"] >= 15
    _new_draws(30, *drawn)(agree)()


@pytest.mark.usefixtures("small_dictionaries")
def test_coverage_of_random_schemes() -> None:
    """A witness reaches its group, and no case reaches a group that is called unreachable."""
    seen: Counter[str] = Counter()
    drawn = schemes(), st.integers(0, 2**32)

    def agree(rows: SchemeRows, number: int) -> None:
        of = scheme_of(rows)
        found = cover(of)
        assert {d.code for d in of.drgs} == {*found.witnesses, *found.unreachable, *found.open}
        for drg, case in found.witnesses.items():
            assert by_plain(group_plainly(of, case))["drg"] == drg
        draw = random.Random(number)
        kernel = by_kernel([case_of(of, draw) for _ in range(400)], of, threads=1)
        reached = {r["drg"] for r in kernel} - {None}
        assert not reached & set(found.unreachable)
        seen.update(witnesses=len(found.witnesses), unreachable=len(found.unreachable))

    for number, rows in enumerate(kept_schemes()):
        agree(rows, number)
    assert seen["witnesses"] >= 15
    assert seen["unreachable"] >= 20
    _new_draws(30, *drawn)(agree)()
