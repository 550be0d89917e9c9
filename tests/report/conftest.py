"""A small year that is grouped and settled, for reports."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import drgcore
from drgcore.report import ReportInputs, Settled

YEAR = 2027


@pytest.fixture(scope="session")
def grouped() -> pa.Table:
    """Grouped cases of a year."""
    return drgcore.group(drgcore.sample_cases(2500, seed=5, year=YEAR, dirty=0.03))


@pytest.fixture(scope="session")
def ledger(grouped: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with all months and the year end."""
    path = tmp_path_factory.mktemp("ledger") / "book.sqlite"
    policy = drgcore.Policy.load("example")
    table = {"missing": "by_cost", "missing_rate": "1"}
    weights = drgcore.base_points(drgcore.read_history(grouped), scale=100)
    policy = policy.with_base_points(weights.policy_table())
    policy = policy.with_changes({"base_points": table})
    cases = drgcore.compute_points(grouped, policy, year=YEAR)
    with drgcore.Ledger.open(path) as book:
        for number in range(1, 13):
            month = drgcore.Month(YEAR, number)
            settled = drgcore.settle_month(cases, policy, month, book.before(month))
            book.close_month(drgcore.close_month(settled, cases, policy, "chs-drg-3.0"))
        scores = pd.DataFrame({"hospital": sorted(set(cases["hospital"].to_pylist()))})
        scores = scores.assign(**{"record quality": 96, "readmission": 92, "patient burden": 90})
        year = drgcore.settle_year(cases, book.closed_months(YEAR), policy, scores)
        book.close_year(drgcore.close_year(year, cases, policy, "chs-drg-3.0"))
    return path


@pytest.fixture(scope="session")
def settled(ledger: Path) -> Settled:
    """What the ledger says of the year."""
    return Settled.from_ledger(str(ledger), YEAR)


@pytest.fixture(scope="session")
def inputs(grouped: pa.Table, settled: Settled) -> ReportInputs:
    """Cases and settlement of January."""
    return ReportInputs(cases=grouped, settled=settled, period="2027-01")
