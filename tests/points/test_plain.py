"""The engine equals a plain calculation, case by case in exact decimals."""

from __future__ import annotations

import warnings
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drgcore.points import CaseWarning, Policy, compute_points
from tests.points.random_regions import (
    DRGS,
    HOSPITAL_TABLE,
    LEVEL_TABLE,
    LEVELS,
    regions,
)
from tests.points.regions import small
from tests.reference.plain_points import plain_points

Region = tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]
random_regions = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of coefficients, from which some pairs are left out on purpose."""
    path = tmp_path_factory.mktemp("tables")
    rows = [f"{h},{d},{0.8 + 0.05 * i + 0.01 * j:.2f}"
            for i, h in enumerate(("H1", "H2")) for j, d in enumerate(DRGS[:5])]  # fmt: skip
    (path / HOSPITAL_TABLE).write_text("\n".join(["hospital,drg,coefficient", *rows]) + "\n")
    rows = [f"{level},{d},{9000 + 700 * i + 31 * j},{9500 + 17 * j}"
            for i, level in enumerate(LEVELS) for j, d in enumerate(DRGS[1:])]  # fmt: skip
    head = "level,drg,level_mean_cost,regional_mean_cost"
    (path / LEVEL_TABLE).write_text("\n".join([head, *rows]) + "\n")
    return path


def points_of(region: Region, folder: Path) -> tuple[Policy, pd.DataFrame]:
    change, table, decisions = region
    policy = small(change, folder)
    with warnings.catch_warnings():
        # Random costs may look like fen, and grants may concern cases that are not high-cost.
        warnings.simplefilter("ignore", CaseWarning)
        return policy, compute_points(table, policy, year=2026, decisions=decisions)


@random_regions
@given(region=regions())
def test_equals_the_plain_calculation(folder: Path, region: Region) -> None:
    policy, result = points_of(region, folder)
    decisions = region[2]
    decided = {
        row["case_id"]: (row["decision"], None if pd.isna(row["points"]) else row["points"])
        for row in decisions.to_dict("records")
    }
    for row in result.astype(object).where(result.notna(), None).to_dict("records"):
        plain = plain_points(row, policy, decided.get(row["case_id"]))
        assert row["case_class"] == plain.case_class
        unit = Decimal(1).scaleb(-policy.rounding.points)
        difference = abs(Decimal(repr(row["points"])) - plain.points)
        # Equal to the last decimal, unless the exact value lies within a ten-millionth of a unit
        # of a half, where floats may take the other side.
        assert difference <= (2 * unit if plain.near_tie else 0), (row, plain)
        if plain.base is not None:
            assert Decimal(repr(row["base_points"])) == plain.base
        if plain.coefficient is not None and not plain.near_tie:
            assert Decimal(repr(row["coefficient"])) == plain.coefficient
            assert Decimal(repr(row["added_points"])) == plain.added

    follow_from_the_columns(result, policy.rounding.points)


def follow_from_the_columns(result: pd.DataFrame, places: int) -> None:
    """Apply the table in the documentation of compute_points to the columns alone."""
    for row in result.astype(object).where(result.notna(), None).to_dict("records"):
        base, k, multiple = row["base_points"], row["coefficient"], row["multiple"]
        kind, reason = row["case_class"], row["class_reason"]
        if kind == "outside":
            expected = 0.0
        elif kind == "normal":
            expected = base * k
        elif multiple is None:
            expected = base
        elif kind == "high_cost" and "P·k" in reason:
            expected = base * k + row["added_points"]
        elif kind == "low_cost" and "by cost" not in reason:
            expected = min(base * multiple, base * k)
        else:
            expected = base * multiple * k
        assert row["points"] == pytest.approx(expected, abs=0.51 * 10.0**-places + 1e-9)


@random_regions
@given(region=regions(), seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 12))
def test_order_and_partition_change_nothing(
    folder: Path, region: Region, seed: int, cut: int
) -> None:
    change, table, decisions = region
    whole = points_of(region, folder)[1]
    order = np.random.default_rng(seed).permutation(len(table))
    shuffled = points_of((change, table.iloc[order], decisions), folder)[1]
    pd.testing.assert_frame_equal(shuffled.sort_index(), whole)
    parts = [points_of((change, part, decisions), folder)[1]
             for part in (table.iloc[:cut], table.iloc[cut:]) if len(part)]  # fmt: skip
    columns = ["case_class", "class_reason", "points", "coefficient", "multiple"]
    joined = pd.concat([part[columns].astype(dict.fromkeys(columns[:2], object)) for part in parts])
    pd.testing.assert_frame_equal(
        joined, whole[columns].astype(dict.fromkeys(columns[:2], object)), check_dtype=False
    )


@random_regions
@given(region=regions(), factor=st.sampled_from([2, 4, 10, 100]))
def test_scale_of_costs_changes_nothing(folder: Path, region: Region, factor: int) -> None:
    change, table, decisions = region
    policy, before = points_of(region, folder)
    base = change["base_points"]
    groups = {
        drg: {**row, "mean_cost": str(Decimal(row["mean_cost"]) * factor)}
        if "mean_cost" in row else row
        for drg, row in base["groups"].items()
    }  # fmt: skip
    mean = str(Decimal(base["mean_cost"]) * factor)
    scaled = {**change, "base_points": {**base, "groups": groups, "mean_cost": mean}}
    costs = ["total_cost", "unreasonable_cost", "patient_paid"]
    dearer = table.assign(**{name: (table[name] * factor).round(2) for name in costs})
    after = points_of((scaled, dearer, decisions), folder)[1]
    assert Counter(after["case_class"]) == Counter(before["case_class"])
    # A value on the edge of a half may round by one unit otherwise.
    unit = 10.0**-policy.rounding.points
    assert np.abs(after["points"] - before["points"]).max() <= 2.1 * unit
    changed = (after["points"] != before["points"]).sum()
    assert changed <= sum(
        plain_points(row, policy, None).near_tie
        for row in table.astype(object).where(table.notna(), None).to_dict("records")
    )


def test_every_frame_gives_the_same(folder: Path) -> None:
    table = pd.DataFrame({
        "case_id": [f"c{n}" for n in range(40)],
        "hospital": ["H1", "H2"] * 20, "hospital_level": ["3", "2"] * 20, "pool": "employee",
        "discharge_date": pd.Timestamp("2026-05-05"), "drg": ["BR15", None] * 20,
        "status": ["grouped", "ungrouped"] * 20,
        "total_cost": [500.0 * n for n in range(40)],
    })  # fmt: skip
    policy = small()
    expected = compute_points(table, policy)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    plain = compute_points(arrow, policy)
    assert isinstance(plain, pa.Table)
    assert pa.types.is_dictionary(plain.schema.field("case_class").type)
    categories = table.astype(dict.fromkeys(("hospital", "pool", "drg", "status"), "category"))
    chunks = pa.concat_tables([arrow.slice(0, 7), arrow.slice(7).combine_chunks()])
    coded = arrow.set_column(
        arrow.column_names.index("drg"), "drg", arrow.column("drg").dictionary_encode()
    )
    for other in (plain.to_pandas(), compute_points(categories, policy),
                  compute_points(chunks, policy).to_pandas(),
                  compute_points(coded, policy).to_pandas()):  # fmt: skip
        assert other["points"].tolist() == expected["points"].tolist()
        assert other["case_class"].tolist() == expected["case_class"].tolist()
    assert table.columns.tolist() == expected.columns[: len(table.columns)].tolist()
    assert "points" not in table


def test_no_cases() -> None:
    table = pd.DataFrame({
        "case_id": pd.Series([], dtype="str"), "hospital": pd.Series([], dtype="str"),
        "hospital_level": pd.Series([], dtype="str"), "pool": pd.Series([], dtype="str"),
        "discharge_date": pd.Series([], dtype="datetime64[us]"),
        "drg": pd.Series([], dtype="str"), "status": pd.Series([], dtype="str"),
        "total_cost": pd.Series([], dtype="float64"),
    })  # fmt: skip
    assert len(compute_points(table, small())) == 0
