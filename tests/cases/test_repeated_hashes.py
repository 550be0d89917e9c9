"""Repeated hashes are those that a count finds, in any number of threads."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore.cases.repeated_hashes import repeated_hashes

EDGES = [0, 1, 2**63, 2**64 - 1]


@given(st.lists(st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64 - 1)), max_size=40))
def test_as_counted(values):
    expected = sorted(value for value, count in Counter(values).items() if count > 1)
    assert repeated_hashes(np.array(values, np.uint64)).tolist() == expected


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_of_many_in_threads(threads):
    rng = np.random.default_rng(3)
    values = rng.integers(0, 2**64, 200_000, dtype=np.uint64)
    values[150_000:150_100] = values[:100]
    values[-3:] = 0
    expected = np.unique(np.append(values[:100], np.uint64(0)))
    assert repeated_hashes(values, threads).tolist() == expected.tolist()
