"""One warm process for all tests of a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .jobs import sample
from .killing import HITS, Warm


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    process = Warm(tmp_path_factory.mktemp("warm"))
    yield process
    process.close()


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("few") / "cases.parquet", 300)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("many") / "cases.parquet", 20_000)


@pytest.fixture(scope="session")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("some") / "cases.parquet", 2_000)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many kills hit a command at work, and where; what came before or after is none."""
    for when in sorted({when for when, _place in HITS}):
        places = {place: count for (at, place), count in sorted(HITS.items()) if at == when}
        terminalreporter.write_line(f"{sum(places.values())} kills {when} of a command at work")
        for place, count in places.items():
            terminalreporter.write_line(f"  {count:4} {place}")
