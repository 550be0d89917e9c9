"""The ledger: closing, closing again, tampering, killing."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from drgcore.budget import ledger_sqlite
from drgcore.budget.adjustments import Adjustment
from drgcore.budget.closing import ClosedMonth, close_month
from drgcore.budget.ledger import Ledger
from drgcore.budget.month_end import settle_month
from drgcore.budget.year_end import ClosedYear, close_year, settle_year
from drgcore.errors import BudgetError

from .conftest import postgres_server
from .regions import Region, random_region


def a_region() -> Region:
    """A region with three months, money in every pool, and no κ missing."""
    for seed in range(1000):
        region = random_region(seed)
        if len(region.months) == 3 and all(p.budget_fen > 10**6 for p in region.terms.pools):
            terms = dataclasses.replace(region.terms, name="test", text="budget = 1")
            return dataclasses.replace(region, terms=terms)
    raise AssertionError("no such region among the first thousand")


def closed_months(region: Region) -> list[ClosedMonth]:
    months: list[ClosedMonth] = []
    for month in region.months:
        previous = months[-1] if months else None
        settled = settle_month(region.cases, region.terms, month, previous)
        months.append(close_month(settled, region.cases, region.terms, "chs-drg-1.1"))
    return months


def closed_year(region: Region, months: list[ClosedMonth]) -> ClosedYear:
    year = settle_year(region.cases, months, region.terms, region.kappas)
    return close_year(year, region.cases, region.terms, "chs-drg-1.1")


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.sqlite")
    else:
        with postgres_server() as url:
            yield url


def test_what_was_closed_comes_back_and_closing_again_does_nothing(
    where: str, tmp_path: Path
) -> None:
    region = a_region()
    months = closed_months(region)
    with Ledger.open(where, cases_folder=tmp_path / "cases") as ledger:
        assert [ledger.close_month(month) for month in months] == [1, 2, 3]
        assert [ledger.close_month(month) for month in months] == [1, 2, 3]
        year = closed_year(region, ledger.closed_months(2026))
        assert ledger.close_year(year) == ledger.close_year(year) == 4
    with Ledger.open(where, cases_folder=tmp_path / "cases") as ledger:
        for before, after in zip(months, ledger.closed_months(2026), strict=True):
            assert (before.policy_text, before.scheme) == (after.policy_text, after.scheme)
            assert before.cases.equals(after.cases)
            for name in ("point_values", "statement", "classes", "reserve"):
                pd.testing.assert_frame_equal(
                    getattr(before.settlement, name),
                    getattr(after.settlement, name),
                    check_dtype=False,
                )
        kept = ledger.year(2026).settlement
        pd.testing.assert_frame_equal(kept.statement, year.settlement.statement, check_dtype=False)
        assert len(ledger.entries()) == 4
        assert ledger.verify() == []


def test_closing_with_other_facts_says_what_differs(where: str) -> None:
    region = a_region()
    months = closed_months(region)
    rows = [dict(row) for row in region.rows]
    next(row for row in rows if row["discharge_date"].month == 1)["points"] += 10
    other = dataclasses.replace(region, rows=rows)
    changed = closed_months(other)[0]
    with Ledger.open(where) as ledger:
        ledger.close_month(months[0])
        with pytest.raises(BudgetError, match="closed by entry 1 with other facts") as error:
            ledger.close_month(dataclasses.replace(changed, scheme="chs-drg-3.0", policy_text="x"))
        text = str(error.value)
        assert "the policy's text" in text
        assert "the grouping scheme was chs-drg-1.1 and is chs-drg-3.0" in text
        assert "the cases;" in text
        assert "point_value of pool0: points was" in text or "numerator" in text
        # The refused closing left nothing behind.
        assert len(ledger.entries()) == 1
        assert ledger.verify() == []
        with pytest.raises(BudgetError, match="2026-02 is not closed"):
            ledger.close_month(months[2])


def test_row_order_is_not_another_fact(where: str) -> None:
    region = a_region()
    mixed = dataclasses.replace(region, rows=random.Random(3).sample(region.rows, len(region.rows)))
    with Ledger.open(where) as ledger:
        assert ledger.close_month(closed_months(region)[0]) == 1
        assert ledger.close_month(closed_months(mixed)[0]) == 1


def test_a_later_correction_is_an_entry_that_names_its_month(where: str) -> None:
    region = a_region()
    months = closed_months(region)
    case = region.cases.iloc[0]
    sanction = Adjustment(
        region.months[0], case["pool"], case["hospital"], "upcoding", -5_000, 0, "audit 7"
    )
    with Ledger.open(where) as ledger:
        with pytest.raises(BudgetError, match="not closed"):
            ledger.adjust(sanction)
        for month in months:
            ledger.close_month(month)
        assert ledger.adjust(sanction) == 4
        with pytest.raises(BudgetError, match="entry 4 is the same decision"):
            ledger.adjust(sanction)
        assert ledger.adjustments(2026) == [sanction]
        year = settle_year(
            region.cases,
            ledger.closed_months(2026),
            region.terms,
            region.kappas,
            adjustments=ledger.adjustments(2026),
        )
        found = year.adjustments[year.adjustments["kind"] == "upcoding"]
        assert found[["month", "points"]].values.tolist() == [["2026-01", -5_000]]
        ledger.close_year(close_year(year, region.cases, region.terms))
        with pytest.raises(BudgetError, match="settled; its points do not change"):
            ledger.adjust(dataclasses.replace(sanction, reason="audit 8"))
        assert ledger.adjust(dataclasses.replace(sanction, points=0, amount_fen=-100)) == 6
        assert ledger.verify() == []


def test_a_year_must_be_that_of_the_closed_months(where: str) -> None:
    region = a_region()
    months = closed_months(region)
    year = closed_year(region, months)
    with Ledger.open(where) as ledger:
        ledger.close_month(months[0])
        with pytest.raises(BudgetError, match="is not that of the closed months"):
            ledger.close_year(year)


def test_the_database_itself_refuses_changes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        for month in closed_months(a_region()):
            ledger.close_month(month)
    connection = sqlite3.connect(path)
    for statement in (
        "UPDATE month_statement SET prepaid_fen = 0",
        "DELETE FROM entry WHERE seq = 3",
        "DELETE FROM policy_text",
        "INSERT INTO reserve_line VALUES (1, 99, 'p', 'x', 5)",
        "INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE seq = 1",
        "INSERT OR REPLACE INTO policy_text SELECT digest, name, 'y' FROM policy_text",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=r"append-only|sealed|in order"):
            connection.execute(statement)
    connection.close()


def test_the_server_itself_refuses_changes() -> None:
    with postgres_server() as url:
        import sqlalchemy as sa

        with Ledger.open(url) as ledger:
            for month in closed_months(a_region()):
                ledger.close_month(month)
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        for statement, refusal in (
            ("UPDATE drgcore.month_statement SET prepaid_fen = 0", "append-only"),
            ("DELETE FROM drgcore.entry WHERE seq = 3", "append-only"),
            ("TRUNCATE drgcore.decision", "append-only"),
            ("INSERT INTO drgcore.reserve_line VALUES (1, 99, 'p', 'x', 5)", "sealed"),
            ("INSERT INTO drgcore.reserve_line VALUES (9, 1, 'p', 'x', 5)", "foreign key"),
            (
                "INSERT INTO drgcore.entry SELECT 9, 'month', '2027-01', created_at, "
                "policy_digest, scheme, cases_digest, facts_digest, hash, hash "
                "FROM drgcore.entry WHERE seq = 3",
                "in order",
            ),
        ):
            with pytest.raises(sa.exc.DBAPIError, match=refusal), engine.begin() as connection:
                connection.execute(sa.text(statement))
        engine.dispose()
        with Ledger.open(url) as ledger:
            assert ledger.verify() == []


def test_a_servers_ledger_of_the_first_version_is_opened_and_goes_on() -> None:
    with postgres_server() as url:
        import sqlalchemy as sa

        first, *later = closed_months(a_region())
        with Ledger.open(url) as ledger:
            ledger.close_month(first)
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        # What the first version did not have yet.
        with engine.begin() as connection:
            for table in ("flow", "decision_account"):
                connection.execute(sa.text(f"DROP TABLE drgcore.{table}"))
        with Ledger.open(url) as ledger:
            assert ledger.verify() == []
            assert ledger.closed_months(2026)[0].settlement.flows.empty
            assert [ledger.close_month(month) for month in [first, *later]] == [1, 2, 3]
            assert ledger.verify() == []
        for table in ("flow", "decision_account"):
            row = "1, 99" + ", 'x'" * (4 if table == "flow" else 0)
            row += ", 'x', 5" if table == "flow" else ", 'x'"
            for statement, refusal in (
                (f"TRUNCATE drgcore.{table}", "append-only"),
                (f"INSERT INTO drgcore.{table} VALUES ({row})", "sealed"),
            ):
                with pytest.raises(sa.exc.DBAPIError, match=refusal), engine.begin() as connection:
                    connection.execute(sa.text(statement))
        # Opened once more, nothing is made a second time.
        engine.dispose()
        with Ledger.open(url) as ledger:
            assert [entry["seq"] for entry in ledger.entries()] == [1, 2, 3]
            assert ledger.verify() == []


@pytest.mark.parametrize(
    ("table", "change", "found"),
    [
        ("month_statement", "prepaid_fen = prepaid_fen + 1, held_fen = held_fen - 1", "lines"),
        ("month_statement", "prepaid_fen = prepaid_fen + 1", "do not add up"),
        ("point_value", "numerator_fen = numerator_fen + 1", "numerator_fen"),
        ("policy_text", "text = 'budget = 2'", "text is not what was stored"),
        ("entry", "created_at = '2020-01-01'", "hash"),
        ("entry", "scheme = 'other'", "lines"),
    ],
)
def test_verify_finds_what_was_changed_behind_the_triggers(
    tmp_path: Path, table: str, change: str, found: str
) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        for month in closed_months(a_region()):
            ledger.close_month(month)
        assert ledger.verify() == []
    connection = sqlite3.connect(path)
    connection.execute(f"DROP TRIGGER {table}_no_update")
    connection.execute(f"UPDATE {table} SET {change} WHERE rowid = 1")
    connection.commit()
    connection.close()
    with Ledger.open(path) as ledger:
        problems = ledger.verify()
        assert any(found in problem for problem in problems), problems


def test_verify_finds_a_removed_entry(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        for month in closed_months(a_region()):
            ledger.close_month(month)
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER entry_no_delete")
    connection.execute("DELETE FROM entry WHERE seq = 2")
    connection.commit()
    connection.close()
    with Ledger.open(path) as ledger:
        assert any("entry 2 is missing" in problem for problem in ledger.verify())


def test_another_file_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("this is not a database, but long enough to be looked at\n" * 50)
    with pytest.raises(BudgetError, match="not a ledger"):
        Ledger.open(text)
    connection = sqlite3.connect(tmp_path / "other.sqlite")
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    with pytest.raises(BudgetError, match="something else than a ledger"):
        Ledger.open(tmp_path / "other.sqlite")


def test_changed_cases_beside_the_ledger_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        months = closed_months(a_region())
        for month in months[:2]:
            ledger.close_month(month)
        folder = tmp_path / "ledger.sqlite.cases"
        first, second = (folder / f"{m.cases_digest}.parquet" for m in months[:2])
        second.replace(first)
        with pytest.raises(BudgetError, match="not those that the month was closed with"):
            ledger.month(months[0].month)
        assert ledger.month(months[1].month).cases is None


CLOSER = """
import sys
from budget.test_ledger import a_region, closed_months
from drgcore.budget.ledger import Ledger
months = closed_months(a_region())
print("ready", flush=True)
sys.stdin.readline()
with Ledger.open(sys.argv[1]) as ledger:
    for month in months:
        ledger.close_month(month)
        print(month.month, flush=True)
"""


def test_a_kill_at_any_moment_leaves_the_last_whole_state(tmp_path: Path) -> None:
    months = closed_months(a_region())
    draw = random.Random(5)
    tests = Path(__file__).parents[1]
    paths = os.pathsep.join([str(tests), *sys.path])
    seen = set()
    for number in range(4):
        path = tmp_path / f"ledger{number}.sqlite"
        child = subprocess.Popen(
            [sys.executable, "-c", CLOSER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": paths},
        )
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("\n")
        child.stdin.flush()
        time.sleep(draw.uniform(0, 0.06))
        child.send_signal(signal.SIGKILL)
        reported = child.stdout.read().split()
        child.wait()
        child.stdout.close()
        child.stdin.close()
        with Ledger.open(path) as ledger:
            assert ledger.verify() == []
            closed = [entry["period"] for entry in ledger.entries()]
            # What was reported is there, and what is there is whole months in order.
            assert closed[: len(reported)] == reported
            assert closed == [str(m.month) for m in months][: len(closed)]
            assert [ledger.close_month(month) for month in months] == [1, 2, 3]
            assert ledger.verify() == []
        seen.add(len(closed))
    assert seen <= {0, 1, 2, 3}


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 1.0])
def test_a_failure_within_a_closing_leaves_nothing_of_it(
    tmp_path: Path, part: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = closed_months(a_region())
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        ledger.close_month(months[0])
        store = ledger._store
        settled = months[1].settlement
        tables = (settled.point_values, settled.statement, settled.reserve, settled.classes)
        lines = int(part * sum(map(len, tables)))
        insert, count = store.insert, 0

        def failing(table: str, rows: list[dict[str, object]]) -> None:
            nonlocal count
            for row in rows:
                if count == lines:
                    raise OSError("disk full")
                count += 1
                insert(table, [row])

        monkeypatch.setattr(store, "insert", failing)
        with pytest.raises(OSError, match="disk full"):
            ledger.close_month(months[1])
        monkeypatch.undo()
        assert [entry["period"] for entry in ledger.entries()] == ["2026-01"]
        assert store.select("month_statement", entry=2) == []
        assert ledger.close_month(months[1]) == 2
        assert ledger.verify() == []


def test_decisions_that_belong_together_are_entered_all_or_none(where: str) -> None:
    months = closed_months(a_region())
    pool = months[0].settlement.statement["pool"].iloc[0]
    hospital = months[0].settlement.statement["hospital"].iloc[0]
    one = Adjustment(months[0].month, pool, hospital, "upcoding", -5_000, 0, "case 1")
    other = dataclasses.replace(one, hospital="nobody", reason="case 2")
    with Ledger.open(where) as ledger:
        ledger.close_month(months[0])
        with pytest.raises(BudgetError, match="is none of the"):
            ledger.adjust_all([one, other])
        assert len(ledger.entries()) == 1
        assert ledger.adjust_all([one, dataclasses.replace(one, reason="case 2")]) == [2, 3]
        assert ledger.verify() == []


def test_a_decision_entered_while_the_year_was_settled_is_not_lost(where: str) -> None:
    region = a_region()
    months = closed_months(region)
    row = months[0].settlement.statement.iloc[0]
    sanction = Adjustment(months[0].month, row["pool"], row["hospital"], "upcoding", -5_000)
    with Ledger.open(where) as ledger:
        for month in months:
            ledger.close_month(month)
        year = closed_year(region, ledger.closed_months(2026))
        # Another process enters it between the settling of the year and its closing.
        assert ledger.adjust(sanction) == 4
        with pytest.raises(BudgetError, match="without the decisions of the entries 4"):
            ledger.close_year(year)
        again = settle_year(
            region.cases, months, region.terms, region.kappas, adjustments=[sanction]
        )
        assert ledger.close_year(close_year(again, region.cases, region.terms)) == 5
        assert ledger.verify() == []


def test_a_ledger_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="there is no ledger"):
        Ledger.open(tmp_path / "typo.sqlite", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_another_process_that_writes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = closed_months(a_region())
    path = tmp_path / "ledger.sqlite"
    monkeypatch.setattr(ledger_sqlite, "_WAIT_SECONDS", 0.05)
    with Ledger.open(path) as ledger:
        ledger.close_month(months[0])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BudgetError, match="another process is writing the ledger"):
            ledger.close_month(months[1])
        # Who only looks waits for nobody.
        with Ledger.open(path, read_only=True) as looked:
            assert len(looked.entries()) == 1
        other.execute("ROLLBACK")
        other.close()
        assert ledger.close_month(months[1]) == 2


def test_a_ledger_says_what_it_is_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path):
        # Nothing was written back from the file beside it, as after a kill.
        assert ledger_sqlite.is_ledger(path)
