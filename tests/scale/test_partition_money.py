"""Points and sums of partitions, without Spark: any cut of the cases gives those of the whole."""

from __future__ import annotations

import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore import BudgetError, CaseSchemaError, DrgcoreError, PolicyError, compute_points
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.tally import add_tallies, tally
from drgcore.cases.repeated import CaseWarning
from drgcore.scale import parcels
from drgcore.scale.parcels import PolicyParcel, policy_in
from drgcore.scale.partition_money import SUM_SCHEMA, score_batches, tally_batches, tally_of
from drgcore.scale.partitions import id_hashes, with_ids
from tests.points.regions import cases, small
from tests.points.test_plain import folder as folder
from tests.points.wider_regions import wider_regions
from tests.scale.helpers import FEW, rows


def parts_of(table: pa.Table, cuts: list[int]) -> list[list[pa.RecordBatch]]:
    """The rows cut into partitions; some of them may be empty."""
    edges = [0, *sorted(min(cut, len(table)) for cut in cuts), len(table)]
    return [table.slice(a, b - a).combine_chunks().to_batches() for a, b in pairwise(edges)]


@FEW
@given(wider_regions(), st.lists(st.integers(0, 14), max_size=3))
def test_partitions_have_the_points_of_the_whole(
    folder: Path, region: Any, cuts: list[int]
) -> None:
    change, frame, decisions = region
    high = change["outliers"]["high"]
    if high.pop("quota", None) and not high.get("multiples"):
        high["multiples"] = "2"
    policy = small(change, folder)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CaseWarning)
        try:
            expected = compute_points(table, policy, decisions=decisions)
        except PolicyError as error:
            expected = error
    decided = pa.Table.from_pandas(decisions, preserve_index=False) if len(decisions) else None
    parcel = PolicyParcel.of(policy)

    def found() -> list[dict[str, object]]:
        batches = [
            batch
            for part in parts_of(table, cuts)
            for batch in score_batches(part, parcel=parcel, year=None, decisions=decided)
        ]
        return rows(pa.Table.from_batches(batches))

    if isinstance(expected, PolicyError):
        with pytest.raises(PolicyError):
            found()
    else:
        assert found() == rows(expected)


def scored(count: int, seed: int) -> pa.Table:
    """Cases of two pools with points, spread over the year."""
    draw = np.random.default_rng(seed)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(draw.integers(0, 365, count), "D")
    kinds = ["normal", "high_cost", "outside"]
    return pa.table(
        {
            "case_id": [f"c{n} " for n in range(count)],
            "hospital": draw.choice(["H1", "H2 ", "H2"], count),
            "pool": draw.choice(["employee", "resident"], count),
            "discharge_date": days.strftime("%Y年%m月%d日").tolist(),
            "case_class": draw.choice(kinds, count),
            "points": np.round(draw.uniform(0, 9e4, count), 4),
            "patient_paid": np.round(draw.uniform(0, 1e5, count), 2),
            "total_cost": np.round(draw.uniform(1e5, 9e6, count), 2),
            "drg": draw.choice(["BR15", "ES23"], count),
        }
    )


@settings(FEW, max_examples=10)
@given(st.integers(0, 60), st.integers(0, 99), st.lists(st.integers(0, 60), max_size=4))
def test_sums_of_partitions_are_those_of_the_whole(count: int, seed: int, cuts: list[int]) -> None:
    table, terms = scored(count, seed), terms_of(small(), 2026)
    whole = tally(table, terms)
    batches = [
        batch for part in parts_of(table, cuts) for batch in tally_batches(part, terms=terms)
    ]
    parts = pa.Table.from_batches(batches, SUM_SCHEMA)
    keys = ["pool", "hospital", "month", "case_class", "unit"]
    sums = [name for name in SUM_SCHEMA.names if name not in keys]
    added = parts.group_by(keys).aggregate([(name, "sum") for name in sums])
    found = tally_of(added.rename_columns([*keys, *sums]).select(SUM_SCHEMA.names), terms)
    # A table without rows says nothing of the type of its texts.
    pd.testing.assert_frame_equal(found.cells, whole.cells, check_dtype=count > 0)
    pd.testing.assert_frame_equal(found.insured, whole.insured, check_dtype=count > 0)


def test_a_tally_without_ids_is_not_added_to_another() -> None:
    table, terms = scored(5, 1), terms_of(small(), 2026)
    [batch] = tally_batches(table.to_batches(), terms=terms)
    found = tally_of(pa.Table.from_batches([batch]), terms)
    with pytest.raises(BudgetError, match="without the ids"):
        add_tallies([found, tally(scored(0, 1), terms)])


def test_a_policy_travels_with_its_files(tmp_path: Path) -> None:
    rows = "drg,base_points,mean_cost,cases,cv\nBR15,80,8000,50,0.5\n"
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "points.csv").write_text(rows)
    base = {"file": "sub/points.csv", "groups": ""}
    policy = small({"base_points": base}, tmp_path)
    parcel = PolicyParcel.of(policy)
    (tmp_path / "sub" / "points.csv").unlink()
    opened = policy_in(parcel)
    assert compute_points(cases({}), opened)["points"].tolist() == [80.0]
    (tmp_path / "points.csv").write_text(rows)
    outside = small({"base_points": {**base, "file": "../points.csv"}}, tmp_path / "sub")
    with pytest.raises(PolicyError, match="outside the policy's folder"):
        PolicyParcel.of(outside)


def test_a_policy_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    parcel = PolicyParcel.of(small({"name": "of another version"}))
    monkeypatch.setattr(parcels, "program_version", lambda: "9.9")
    with pytest.raises(DrgcoreError, match=r"a worker 9\.9"):
        policy_in(parcel)


def test_a_text_that_is_no_day_by_itself_is_refused_with_its_case() -> None:
    # Of a whole file of such texts the library takes days of Excel; a part cannot know.
    frame = cases({"discharge_date": "46000"})
    frame["admission_date"] = "2025-12-01"
    assert len(compute_points(frame, small({"effective_from": pd.Timestamp("2025-01-01").date()})))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    work = score_batches(
        table.to_batches(), parcel=PolicyParcel.of(small()), year=None, decisions=None
    )
    with pytest.raises(CaseSchemaError, match=r"column discharge_date.* c1"):
        list(work)


def test_ids_are_compared_without_blanks() -> None:
    batch = pa.RecordBatch.from_pydict({"case_id": ["a", " a", None, "b"]})
    [found] = id_hashes([batch], texts=True)
    assert found["id"].to_pylist() == ["a", "a", None, "b"]
    hashes = found["hash"].to_pylist()
    assert hashes[0] == hashes[1] != hashes[3]
    assert hashes[2] is None
    kept = list(with_ids([batch], ids=pa.array(["a"])))
    assert [part["case_id"].to_pylist() for part in kept] == [["a", " a"]]
