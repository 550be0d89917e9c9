"""Cases whose groups are known from elsewhere: every way of grouping gives those."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drgcore.cases import LOCAL_SCHEMA
from drgcore.grouper.plain import PlainCase, group_plainly
from drgcore.schemes import list_schemes
from tests.grouper.helpers import (
    CASE_COLUMNS,
    CODE_LISTS,
    DATA,
    assert_same,
    by_kernel,
    by_plain,
    local_schema,
    read_samples,
    scheme,
    twin,
)

SHARED = Path(__file__).parents[2].parent / "shared" / "cases"
GROUPS = ("mdc", "adrg", "drg")


def _plain_case(row: dict[str, Any]) -> PlainCase:
    values = {n: tuple(row[n]) if n in CODE_LISTS else row[n] for n in CASE_COLUMNS}
    return PlainCase(**values)


def _only_groups(results: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    for result, row in zip(results, expected, strict=True):
        assert [result[g] for g in GROUPS] == [row[g] for g in GROUPS], row


@pytest.mark.parametrize(
    ("name", "rows", "drgs"),
    [
        ("chs-drg-3.0", 1000, 650),
        ("chs-drg-2.0", 1000, 630),
        ("chs-drg-1.1", 1000, 600),
    ],
)
def test_carried_cases_have_the_expected_groups(name: str, rows: int, drgs: int) -> None:
    cases = read_samples(DATA / f"expected_{name}.csv")
    assert len(cases) >= rows
    assert len({c["drg"] for c in cases}) >= drgs
    kernel = by_kernel(cases, scheme(name))
    plain = [by_plain(group_plainly(scheme(name), _plain_case(c))) for c in cases]
    slow = [twin(name).group(c) for c in cases]
    _only_groups(kernel, cases)
    assert_same(kernel, plain, cases, "plain evaluator")
    assert_same(kernel, slow, cases, "twin")


def test_cases_of_the_local_versions_have_the_expected_groups() -> None:
    """Groups of each local version for cases of its base, by the plain evaluator of the tests."""
    with (DATA / "expected_chs-drg-1.1.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["case_id"] for row in csv.DictReader(file)]
    known = dict(zip(ids, read_samples(DATA / "expected_chs-drg-1.1.csv"), strict=True))
    with (DATA / "expected_cities.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file))
    local = {info.name for info in list_schemes() if info.base}
    assert {row["scheme"] for row in expected} == local - {"wuhan-2022", "suzhou-2023"}
    nothing = dict.fromkeys(LOCAL_SCHEMA.names)
    for name in sorted({row["scheme"] for row in expected}):
        wanted = [row for row in expected if row["scheme"] == name]
        assert len({row["drg"] for row in wanted}) == len(wanted) == 30
        cases = [
            {**known[row["case_id"]], **nothing, "length_of_stay": int(row["length_of_stay"])}
            for row in wanted
        ]
        kernel = by_kernel(cases, scheme(name), local_schema())
        _only_groups(kernel, [{g: row[g] or None for g in GROUPS} for row in wanted])
        plain = [
            by_plain(
                group_plainly(
                    scheme(name),
                    replace(_plain_case(c), length_of_stay=c["length_of_stay"]),
                )
            )
            for c in cases[::5]
        ]
        assert_same(kernel[::5], plain, cases[::5], f"{name}, plain evaluator")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the whole sample is not there")
@pytest.mark.parametrize("name", ["chs-drg-3.0", "chs-drg-2.0", "chs-drg-1.1"])
def test_the_whole_sample_has_the_expected_groups(name: str) -> None:
    cases = read_samples(SHARED / f"{name}.csv")
    assert len(cases) >= 4000
    kernel = by_kernel(cases, scheme(name))
    _only_groups(kernel, cases)
    assert_same(kernel, [twin(name).group(c) for c in cases], cases, "twin")
