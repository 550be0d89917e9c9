"""Several processes at one ledger, and a clock that is set back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from drgcore.budget import ledger as ledger_module
from drgcore.budget.adjustments import Adjustment
from drgcore.budget.ledger import Ledger
from drgcore.serve.jobs.store import JobStore
from drgcore.serve.sessions import Door
from tests.budget.test_ledger import a_region, closed_months

PROCESSES = 4


def at_once(work: Callable[[int], object]) -> None:
    """Do something in several processes that begin at the same moment; all of it goes well."""
    wait, begin = os.pipe()
    children = []
    for number in range(PROCESSES):
        child = os.fork()
        if not child:
            code = 1
            try:
                os.close(begin)
                os.read(wait, 1)
                work(number)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    os.close(wait)
    # The end of the pipe is what they wait for.
    os.close(begin)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * PROCESSES


forks = pytest.mark.skipif(os.name != "posix", reason="forks of POSIX")


@forks
def test_the_same_months_are_closed_once_by_several(tmp_path: Path) -> None:
    months = closed_months(a_region())
    path = tmp_path / "ledger.sqlite"

    def work(number: int) -> None:
        with Ledger.open(path) as ledger:
            assert [ledger.close_month(month) for month in months] == [1, 2, 3]

    at_once(work)
    with Ledger.open(path) as ledger:
        assert [e["period"] for e in ledger.entries()] == [str(m.month) for m in months]
        assert ledger.verify() == []
    parts = [p for p in tmp_path.rglob("*") if p.name.endswith(".part")]
    assert parts == []


@forks
def test_no_decision_of_several_is_lost(tmp_path: Path) -> None:
    months = closed_months(a_region())
    row = months[0].settlement.statement.iloc[0]
    one = Adjustment(months[0].month, row["pool"], row["hospital"], "upcoding", -5_000)
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        for month in months:
            ledger.close_month(month)

    def work(number: int) -> None:
        with Ledger.open(path) as ledger:
            for turn in range(5):
                ledger.adjust(dataclasses.replace(one, reason=f"case {number}.{turn}"))

    at_once(work)
    with Ledger.open(path) as ledger:
        reasons = {decided.reason for decided in ledger.adjustments(2026)}
        assert reasons == {f"case {n}.{turn}" for n in range(PROCESSES) for turn in range(5)}
        assert len(ledger.entries()) == 3 + len(reasons)
        assert ledger.verify() == []


def test_a_clock_that_is_set_back_changes_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = closed_months(a_region())
    day = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    days = iter([day, day - dt.timedelta(days=3650), day - dt.timedelta(days=1)])

    class Clock:
        UTC = dt.UTC

        class datetime:
            now = staticmethod(lambda zone: next(days))

    monkeypatch.setattr(ledger_module, "dt", Clock)
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        assert [ledger.close_month(month) for month in months] == [1, 2, 3]
        assert [e["created_at"][:4] for e in ledger.entries()] == ["2026", "2016", "2026"]
        assert ledger.verify() == []
        assert [c.month for c in ledger.closed_months(2026)] == [m.month for m in months]


def test_batches_outlive_a_clock_that_is_set_back(tmp_path: Path) -> None:
    now = [1_000_000.0]
    store = JobStore(tmp_path, 3600, lambda: now[0])
    first = store.add("a.csv", ".csv", keep=False)
    store.end(first, "done")
    now[0] -= 500_000
    second = store.add("b.csv", ".csv", keep=False)
    store.end(second, "done")
    store.remove_old()
    assert {job.id for job in store.jobs()} == {first.id, second.id}
    assert {job.id for job in JobStore(tmp_path, 3600).jobs()} == {first.id, second.id}
    now[0] += 500_000 + 3601
    store.remove_old()
    assert store.jobs() == []


def test_nobody_is_kept_out_longer_because_the_clock_was_set_back() -> None:
    now = [1_000_000.0]
    door = Door("a token that is long", lambda: now[0])
    for _attempt in range(5):
        door.failed("a client")
    assert door.blocked("a client")
    now[0] -= 86_400
    assert not door.blocked("a client")
