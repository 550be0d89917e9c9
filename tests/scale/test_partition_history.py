"""Histories of partitions, without Spark: groups that are whole join to the weights of all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore import CaseSchemaError, base_points, read_history, trim_iqr
from drgcore.scale.partition_history import (
    FACT_SCHEMA,
    MOMENT_SCHEMA,
    fact_batches,
    moment_batches,
    moments_in,
    usable_batches,
)
from drgcore.weights.moments import join_moments, moments_of
from tests.scale.helpers import FEW
from tests.scale.test_spark_weights import history


@FEW
@given(st.integers(30, 150), st.integers(0, 99), st.lists(st.integers(0, 150), max_size=3))
def test_parts_have_the_weights_of_the_whole(count: int, seed: int, cuts: list[int]) -> None:
    table = history(count, seed)
    edges = [0, *sorted(min(cut, count) for cut in cuts), count]
    parts = [table.slice(a, b - a).combine_chunks().to_batches() for a, b in pairwise(edges)]
    facts = pa.Table.from_batches(
        [b for part in parts for b in fact_batches(part, cost="total_cost")], FACT_SCHEMA
    ).to_pandas()
    names = ("drg", "discharge_date")
    usable = pa.Table.from_batches(
        [
            batch
            for part in parts
            for batch in usable_batches(part, cost="total_cost", names=names, by=["drg"])
        ]
    )
    # Groups meet by their place; here those of odd places in one worker, the others in another.
    odd = pa.array(usable["place"].to_numpy() % 2 == 1)
    years = {2025: 1.0, 2026: 3.0}
    rows = pa.Table.from_batches(
        [
            batch
            for mask in (odd, pa.array(~odd.to_numpy(zero_copy_only=False)))
            for batch in moment_batches(
                usable.filter(mask).drop_columns(["place"]).to_batches(),
                trim=trim_iqr,
                year_weights=years,
            )
        ],
        MOMENT_SCHEMA,
    )
    reasons = facts[facts["kind"] == "reason"].groupby("name")["cases"].sum()
    cases = read_history(table)
    assert reasons.to_dict() == dict(cases.left_out.itertuples(index=False, name=None))
    lacking = sorted(set(facts[facts["kind"] == "drg"]["name"]) - set(rows["drg"].to_pylist()))
    moments = join_moments(moments_in(rows, cases.left_out, lacking))
    assert moments.drgs == cases.drg.names
    found = base_points(moments, scale=100, year_weights=years)
    expected = base_points(cases, scale=100, trimming=trim_iqr(cases), year_weights=years)
    pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
    assert found.mean_cost == expected.mean_cost


def test_a_group_in_two_parts_is_refused() -> None:
    part = moments_of(read_history(pd.DataFrame({"drg": ["BR13"], "total_cost": [1.0]})))
    with pytest.raises(CaseSchemaError, match="two parts"):
        join_moments([part, part])
    assert np.isnan(part.sd).sum() == 0
