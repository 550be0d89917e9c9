"""Shipped schemes: realistic and hostile cases against the plain twin, in any order."""

from __future__ import annotations

import random
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drgcore.grouper import group
from drgcore.grouper.explain import explain
from drgcore.grouper.plain import PlainCase
from drgcore.migration import migrate
from drgcore.synthetic import sample_cases
from tests.grouper.helpers import TEXT_SCHEMA, Row, scheme, table_of
from tests.grouper.strategies import hostile_cases, near_witness
from tests.reference.plain_migration import PlainMigration

PAIRS = [
    ("chs-drg-1.1", "chs-drg-3.0"),
    ("chs-drg-3.0", "chs-drg-1.1"),
    ("chs-drg-1.1", "suzhou-2023"),
    ("chs-drg-1.0r", "wuhan-2022"),
]


def _plain(table: pa.Table, row: int, name: str) -> PlainCase:
    return explain(table.slice(row, 1), scheme(name)).case


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_reason_is_a_difference_of_the_schemes(before: str, after: str) -> None:
    draw = random.Random(1)
    rows = [near_witness(draw.choice((before, after)), draw) for _ in range(40)]
    table = table_of(rows)
    moved = migrate(table, scheme(before), scheme(after), threads=2)
    changed = {r["row"] - 1: r for r in moved.changed.to_pylist()}
    assert len(changed) >= 10
    for row in range(len(rows)):
        plain = PlainMigration(moved.pairs, _plain(table, row, before), _plain(table, row, after))
        assert (row in changed) == (plain.parted() is not None)
        if row in changed:
            plain.check(changed[row])


def test_hostile_rows() -> None:
    before, after = PAIRS[0]

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(hostile_cases(before), min_size=1, max_size=12))
    def agree(rows: list[Row]) -> None:
        table = table_of(rows, TEXT_SCHEMA)
        moved = migrate(table, scheme(before), scheme(after), threads=1)
        changed = {r["row"] - 1: r for r in moved.changed.to_pylist()}
        assert int(moved.statuses["cases"].sum()) == len(rows)
        for row in range(len(rows)):
            plain = PlainMigration(
                moved.pairs, _plain(table, row, before), _plain(table, row, after)
            )
            assert (row in changed) == (plain.parted() is not None)
            if row in changed:
                plain.check(changed[row])

    agree()


def test_the_results_are_those_of_group() -> None:
    cases = sample_cases(3000, scheme("chs-drg-1.1"), seed=3, dirty=0.2)
    moved = migrate(cases, scheme("chs-drg-1.1"), scheme("chs-drg-3.0"))
    for side, name in (("before", "chs-drg-1.1"), ("after", "chs-drg-3.0")):
        alone = group(cases, scheme(name), columns=[], prefix=f"{side}_")
        found = moved.results.select(alone.column_names)
        assert found.to_pylist() == alone.to_pylist()


@pytest.mark.parametrize("name", ["chs-drg-1.1", "chs-drg-3.0"])
def test_a_scheme_to_itself_changes_nothing(name: str) -> None:
    moved = migrate(sample_cases(2000, scheme(name), seed=2, dirty=0.1), scheme(name), scheme(name))
    assert moved.changed.num_rows == 0
    assert set(moved.flows["relation"]) == {"kept", "none"}
    assert set(moved.groups["relation"]) == {"kept"}


def test_neither_order_nor_threads_nor_batches_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = sample_cases(4000, scheme("chs-drg-1.1"), seed=4, dirty=0.1)
    schemes = scheme("chs-drg-1.1"), scheme("chs-drg-3.0")
    moved = migrate(cases, *schemes)
    order = np.random.default_rng(5).permutation(len(cases))
    # The name of the module is that of its function as well.
    monkeypatch.setattr(sys.modules[migrate.__module__], "BATCH_ROWS", 700)
    monkeypatch.setattr("drgcore.migration.regroup._EXPLAINED_ROWS", 900)
    other = migrate(cases.take(order), *schemes, threads=3)
    for name in ("flows", "groups", "reasons", "causes", "statuses"):
        left, right = getattr(moved, name), getattr(other, name)
        assert left.drop(columns="cost", errors="ignore").equals(
            right.drop(columns="cost", errors="ignore")
        ), name
    assert moved.flows["cost"].tolist() == other.flows["cost"].tolist()
    one = moved.changed.drop_columns("row").sort_by("case_id").to_pylist()
    assert one == other.changed.drop_columns("row").sort_by("case_id").to_pylist()
    assert [order[r - 1] for r in other.changed["row"].to_pylist()] == [
        int(i) for i in order if i + 1 in set(moved.changed["row"].to_pylist())
    ]
