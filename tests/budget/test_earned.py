"""Points added up in one pass against `tally` of what `compute_points` gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from pandas.testing import assert_frame_equal

from drgcore.budget import Tally, earned, earned_kernel, tally, tally_points, terms_of
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.points import Policy, compute_points
from tests.points.regions import cases, small
from tests.points.test_plain import Region, folder, random_regions
from tests.points.wider_regions import wider_regions

__all__ = ["folder"]
YEAR = 2026


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of four rows, so that a handful of cases are several."""
    monkeypatch.setattr(earned, "BATCH_ROWS", 4)


def at_once(table: Any, policy: Policy, decisions: Any = None) -> Tally:
    points = compute_points(table, policy, year=YEAR, decisions=decisions)
    return tally(points, terms_of(policy, YEAR))


def hashes_of(found: Tally) -> list[int]:
    return sorted(number for run in found.hashes for number in run.hashes.tolist())


def same(one: Tally, other: Tally) -> None:
    assert_frame_equal(one.cells, other.cells)
    assert_frame_equal(one.insured, other.insured)
    assert hashes_of(one) == hashes_of(other)
    assert sorted(one.case_ids.to_pylist()) == sorted(other.case_ids.to_pylist())
    assert one.places == other.places


@settings(random_regions, max_examples=40, phases=[Phase.explicit, Phase.generate])
@given(region=wider_regions())
def test_equals_points_and_tally(folder: Path, region: Region) -> None:
    change, table, decisions = region
    policy = small(change, folder)
    panel = decisions if len(decisions) else None
    try:
        expected = at_once(table, policy, panel)
    except DrgcoreError as error:
        with pytest.raises(type(error)):
            tally_points(table, policy, YEAR, decisions=panel)
        return
    same(tally_points(table, policy, YEAR, decisions=panel), expected)


def ordinary() -> pd.DataFrame:
    rows = [
        {"total_cost": 9000.0 + n, "pool": "resident" if n % 3 else "employee", "case_id": f"{n} "}
        for n in range(11)
    ]
    return cases(*rows).assign(patient_paid=1000.5, refused_amount=[0.0, 60.25] * 5 + [9.0])


def test_a_parquet_file_is_read_in_batches(tmp_path: Path) -> None:
    table = ordinary().assign(capitation_unit=["u1", None, None] * 3 + ["u2", "u1"])
    pq.write_table(pa.Table.from_pandas(table), tmp_path / "cases.parquet", row_group_size=3)
    found = tally_points(tmp_path / "cases.parquet", small(), YEAR)
    same(found, at_once(table, small()))
    assert found.insured["unit"].tolist() == ["u1", "u2", "", "u1"]


def test_a_text_file_is_read_too(tmp_path: Path) -> None:
    table = ordinary()
    table.to_csv(tmp_path / "cases.csv", index=False)
    same(tally_points(tmp_path / "cases.csv", small(), YEAR), at_once(table, small()))


def test_violations_are_added_up_the_long_way() -> None:
    policy = small({"violations": {"amount": {"upcoding": "2"}}})
    table = ordinary().assign(violation=["upcoding", None] * 5 + [""])
    found = tally_points(table, policy, YEAR)
    same(found, at_once(table, policy))
    assert found.cells["refused_fen"].sum() == 5 * 6025 + 900


def test_an_id_of_another_batch_is_refused() -> None:
    table = ordinary()
    table.loc[10, "case_id"] = "1"
    with pytest.raises(CaseSchemaError, match="1 case ids occur more than once: 1"):
        tally_points(table, small(), YEAR)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("refused_amount", -5.0, "have negative refused_amount: 7"),
        ("patient_paid", None, "missing or not finite"),
        ("pool", "other", "no budget for the pool other"),
        ("discharge_date", pd.Timestamp("2027-01-01"), "outside 2026"),
        ("total_cost", -1.0, "negative total_cost: 7"),
    ],
)
def test_what_is_wrong_is_said_as_ever(column: str, value: Any, said: str) -> None:
    table = ordinary()
    table.loc[7, column] = value
    with pytest.raises(CaseSchemaError, match=said):
        tally_points(table, small(), YEAR)


def test_a_column_of_nothing_in_pieces() -> None:
    whole = pa.Table.from_pandas(ordinary().assign(list_item=None))
    pieces = pa.concat_tables([whole.slice(0, 5), whole.slice(5)])
    same(tally_points(pieces, small(), YEAR), at_once(whole, small()))


def test_no_case_at_all(tmp_path: Path) -> None:
    none = ordinary()[:0]
    assert len(tally_points(none, small(), YEAR).cells) == 0
    pq.write_table(pa.Table.from_pandas(none), tmp_path / "none.parquet")
    assert len(tally_points(tmp_path / "none.parquet", small(), YEAR).case_ids) == 0
    pq.write_table(pa.table({"case_id": ["1"]}), tmp_path / "few.parquet")
    with pytest.raises(CaseSchemaError, match="no column hospital"):
        tally_points(tmp_path / "few.parquet", small(), YEAR)


def test_a_batch_that_is_refused_leaves_no_trace() -> None:
    """Sums of a thread are added to batch by batch: what a bad row stops is taken away again."""
    rng = np.random.default_rng(5)
    count, classes = 1300, 3
    rows = earned_kernel.EarnedRows(
        rng.integers(0, 2, count, np.int32),
        rng.integers(0, 4, count, np.int32),
        np.full(count, -1, np.int32),
        rng.integers(100, 131, count, np.int32),
        rng.integers(0, classes, count, np.int8),
        np.zeros(count, np.int32),
        rng.integers(0, 10**6, count) / 10**4,
        rng.integers(0, 10**7, count) / 100,
        rng.integers(0, 10**5, count) / 100,
        np.empty(0),
        rng.integers(0, 2**63, count, np.uint64),
        rng.integers(0, 2**63, 2, np.uint64),
        rng.integers(0, 2**63, classes, np.uint64),
    )
    numbers = np.array([1, 0]), np.array([3, 0, 2, 1]), np.array([0])
    sums, insured = np.zeros((4 * 2 * 12 * classes, 7), np.int64), np.zeros((2, 3), np.int64)
    rest = (100, np.zeros(31, np.int8), 1e4, 2, (2, classes), numbers, sums, insured)
    rest += np.empty((2, 512), np.int64), np.empty((6, 512), np.int64)

    def add(stop: int, sign: int) -> int:
        return int(earned_kernel.add_earned(earned._read_only(rows), stop, sign, *rest))

    assert add(count, 1) == count
    before, units = sums.copy(), insured.copy()
    assert before[:, 0].sum() == units[:, 0].sum() == count
    assert before[:, 1].sum() == units[:, 1].sum() == np.rint(rows.points * 1e4).sum()
    for at in (0, 511, 512, 1299):
        bad = rows.cost.copy()
        bad[at] = np.nan
        rows = rows._replace(cost=bad)
        added = add(count, 1)
        assert added <= at
        add(added, -1)
        assert (sums == before).all()
        assert (insured == units).all()
        good = bad.copy()
        good[at] = 1.0
        rows = rows._replace(cost=good)
