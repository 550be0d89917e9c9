"""Samples that several tests look at; each is drawn once."""

from __future__ import annotations

import pyarrow as pa
import pytest

from drgcore.synthetic import sample_cases

ROWS = 30_000


@pytest.fixture(scope="session")
def clean() -> pa.Table:
    """Cases without faults."""
    return sample_cases(ROWS, seed=5)


@pytest.fixture(scope="session")
def soiled() -> pa.Table:
    """The same cases, each chosen for one fault."""
    return sample_cases(ROWS, seed=5, dirty=1.0)
