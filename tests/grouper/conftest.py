"""Fixtures of the tests of grouping."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from drgcore.grouper import tables
from tests.grouper.strategies import DIAGNOSES, PROCEDURES


@pytest.fixture
def small_dictionaries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ten diagnoses and eight procedures in the stead of the official dictionaries.

    A scheme then compiles in milliseconds, so that hundreds can be tried.
    """

    def dictionary(kind: str) -> pa.Table:
        codes = list(DIAGNOSES if kind == "diagnoses" else PROCEDURES)
        return pa.table({"code": pa.chunked_array([codes])})

    monkeypatch.setattr(tables, "load_dictionary", dictionary)
    yield
    tables.compile_tables.cache_clear()
