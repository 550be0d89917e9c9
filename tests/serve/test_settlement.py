"""Settlement: what the pages show of a ledger is what the ledger holds, to the fen."""

from __future__ import annotations

import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

import drgcore
from drgcore.budget import Adjustment, Month
from drgcore.budget.ledger_sqlite import is_ledger
from drgcore.errors import DrgcoreError
from drgcore.language import use_language
from drgcore.points import Policy
from drgcore.serve import Settings, trials
from drgcore.serve.shelf import Shelf
from drgcore.trial import case_amounts, settle_trial
from tests.budget.conftest import postgres_server

from .conftest import HTML, client_of

NAME = "region/book.sqlite"
YEAR = {"ledger": NAME, "period": "2027"}
MONTH = {"ledger": NAME, "period": "2027-03"}


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """A folder with grouped cases and a ledger of three months, and the months."""
    folder = tmp_path_factory.mktemp("data") / "region"
    folder.mkdir()
    cases = drgcore.group(drgcore.sample_cases(1500, "chs-drg-3.0", seed=3), "chs-drg-3.0")
    pq.write_table(cases, folder / "grouped.parquet")
    policy = Policy.load("example")
    scores = pd.DataFrame({"hospital": sorted(set(cases["hospital"].to_pylist()))})
    scores = scores.assign(**{"record quality": 96, "readmission": 92, "patient burden": 90})
    scores.to_csv(folder / "scores.csv", index=False)
    trial = settle_trial(cases, policy, 2027, scores)
    with drgcore.Ledger.open(folder / "book.sqlite") as book:
        for month in trial.months:
            book.close_month(drgcore.close_month(month, trial.cases, policy, "chs-drg-3.0"))
        book.close_year(drgcore.close_year(trial.year, trial.cases, policy, "chs-drg-3.0"))
    return folder, trial


@pytest.fixture(scope="module")
def pages(year):
    return client_of(Settings(data=(year[0],), lang="zh"))


def test_the_overview_has_every_period_and_is_sound(pages, year):
    data = pages.get("/settlement").json()
    assert data["ledger"] == NAME
    assert data["faults"] == []
    assert len(data["months"]) == 12
    assert data["years"] == ["2027"]
    of_month = year[1].months[2]
    value = float(of_month.value("resident").yuan)
    assert data["values"]["resident"][2] == pytest.approx(value, abs=1e-6)
    page = pages.get("/settlement", headers=HTML).text
    assert "共13条记录" in page
    assert "/settlement/period?ledger=region%2Fbook.sqlite&amp;period=2027-03" in page


def test_a_statement_is_the_settlements_to_the_fen(pages, year):
    found = pages.get("/settlement/period", params=YEAR).json()["tables"]["statement"]
    ours = year[1].year.statement
    assert [round(row["final"] * 100) for row in found] == ours["final_fen"].tolist()
    hospital = found[0]["hospital"]
    asked = YEAR | {"hospital": hospital}
    data = pages.get("/settlement/statement", params=asked).json()
    with use_language("zh"):
        assert data["text"] == year[1].explain(hospital)
    page = pages.get("/settlement/statement", params=asked, headers=HTML).text
    final = f"{ours['final_fen'].iloc[0] / 100:,.2f}"
    assert re.search(rf"清算额.*?{re.escape(final)}", page, re.DOTALL)


def test_looking_leaves_no_trace_beside_the_ledger(pages, year):
    before = {path.name: path.stat().st_mtime_ns for path in year[0].iterdir()}
    for path in ("/settlement", "/settlement/trial"):
        assert pages.get(path).status_code == 200
    assert pages.get("/settlement/period", params=MONTH).status_code == 200
    assert {path.name: path.stat().st_mtime_ns for path in year[0].iterdir()} == before


def test_a_statement_is_in_the_language_of_the_page(pages, year):
    hospital = str(year[1].year.statement["hospital"].iloc[0])
    asked = YEAR | {"hospital": hospital}
    chinese = pages.get("/settlement/statement", params=asked).json()["pools"]
    english = pages.get("/settlement/statement", params=asked | {"lang": "en"}).json()["pools"]
    keys = [[line["key"] for line in pool["lines"]] for pool in chinese]
    assert keys == [[line["key"] for line in pool["lines"]] for pool in english]
    found = {line["key"]: line for line in chinese[0]["lines"] if line["kind"] == "amount"}
    assert found["final"]["text"] == "清算额"
    assert sum(line["kind"] == "formula" for pool in chinese for line in pool["lines"]) > 10
    page = pages.get("/settlement/statement", params=asked | {"lang": "en"}, headers=HTML).text
    pages.cookies.clear()
    assert "held back from all hospitals" in page


def test_a_trial_is_the_year_that_the_ledger_holds(pages, year):
    asked = {"cases": "region/grouped.parquet", "year": 2027}
    by_scores = asked | {"policy": "example", "quality": "region/scores.csv"}
    as_closed = asked | {"policy": f"ledger:{NAME}:2027"}
    for query in (by_scores, as_closed):
        found = pages.get("/settlement/trial", params=query).json()["tables"]["statement"]
        finals = [round(row["final"] * 100) for row in found]
        assert finals == year[1].year.statement["final_fen"].tolist()
    hospital = found[0]["hospital"]
    one = pages.get("/settlement/trial", params=as_closed | {"hospital": hospital}).json()
    assert f"{hospital} · 2027年 · 基金池" in one["explained"]["text"]
    missing = pages.get("/settlement/trial", params=asked | {"policy": "example"})
    assert missing.status_code == 400
    assert "quality" in missing.json()["error"] + str(missing.json()["hint"])


def test_the_dashboard_shows_what_the_ledger_paid(pages, year):
    asked = {"cases": "region/grouped.parquet", "ledger": NAME}
    ours = year[1].year.statement
    found = pages.get("/dashboard", params=asked).json()["paid"]
    assert found["period"] == "2027"
    assert round(found["final"] * 100) == ours["final_fen"].sum()
    assert round(found["pool_share"] * 100) == ours["pool_share_fen"].sum()
    assert [len(series) for series in found["values"].values()] == [12, 12]
    one = ours[ours["hospital"] == "H01"]
    of_one = pages.get("/dashboard", params=asked | {"hospital": "H01"}).json()["paid"]
    assert [round(amount * 100) for amount in of_one["amounts"]] == [one["final_fen"].sum()]
    assert pages.get("/dashboard", params=asked | {"drg": "F"}).json()["paid"] is None


def test_two_years_are_settled_at_once_and_the_same_one_once(year, monkeypatch):
    begun, free = threading.Event(), threading.Event()
    settled = []

    def slowly(cases, rules, when, scores):
        settled.append(when)
        if when == 2027:
            begun.set()
            assert free.wait(30)
        if when == 2029:
            raise DrgcoreError("no cases")
        return when

    monkeypatch.setattr(trials, "settle_trial", slowly)
    kept = trials.Trials(Shelf([year[0]]))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.settle, "region/grouped.parquet", "example", 2027)
        assert begun.wait(30)
        assert kept.settle("region/grouped.parquet", "example", 2028) == 2028
        second = pool.submit(kept.settle, "region/grouped.parquet", "example", 2027)
        free.set()
        assert (first.result(), second.result()) == (2027, 2027)
    assert settled == [2027, 2028]
    for _ in range(2):
        with pytest.raises(DrgcoreError, match="no cases"):
            kept.settle("region/grouped.parquet", "example", 2029)
    assert settled == [2027, 2028, 2029, 2029]


def test_a_returned_statement_is_compared_to_the_case(pages, year):
    trial = year[1]
    theirs = case_amounts(trial.cases, trial.months[2])
    theirs["amount"] = theirs.pop("amount_fen") / 100
    theirs.loc[2, "amount"] -= 12.34
    sent = theirs.drop(index=[5])[["case_id", "drg", "points", "amount"]]
    content = sent.to_csv(index=False).encode()
    done = pages.post(
        "/settlement/compare", data=MONTH, files={"upload": ("返回表.csv", content, "text/csv")}
    ).json()
    assert done["rows"] == len(theirs)
    assert done["differing_rows"] == 2
    kinds = {row["kinds"]: row["difference"] for row in done["differing"]}
    assert set(kinds) == {"missing_returned", "other"}
    assert kinds["other"] == -12.34
    html = pages.post(
        "/settlement/compare",
        data=MONTH,
        files={"upload": ("x.csv", content)},
        headers={**HTML, "x-fragment": "1"},
    ).text
    assert "返回表缺" in html
    assert "<html" not in html


def test_by_hospital_a_year_can_be_compared_and_by_case_not(pages, year):
    ours = drgcore.show(year[1].year)["statement"]
    theirs = ours.assign(amount=ours["final"].str.replace(",", ""))[["hospital", "pool", "amount"]]
    sent = {"upload": ("a.csv", theirs.to_csv(index=False).encode())}
    assert pages.post("/settlement/compare", data=YEAR, files=sent).json()["differing"] == []
    wrong = {"upload": ("a.csv", b"case_id,amount\n1,2\n")}
    refused = pages.post("/settlement/compare", data=YEAR, files=wrong)
    assert refused.status_code == 400
    assert refused.json()["hint"] == "请逐月比对。"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.exe", b"MZ"), ("a.csv", b""), ("a.xlsx", b"PK\x03\x04nothing"), ("..", b"x")],
)
def test_an_upload_that_cannot_be_read_is_refused(pages, name, content):
    answer = pages.post("/settlement/compare", data=MONTH, files={"upload": (name, content)})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_only_files_of_the_folders_can_be_named(pages, year):
    for name in ("../book.sqlite", str(year[0] / "book.sqlite"), "region/grouped.parquet", ""):
        asked = {"ledger": name or "region", "period": "2027"}
        assert pages.get("/settlement/period", params=asked).status_code == 400
    assert pages.get("/settlement/period", params=YEAR | {"period": "2026"}).status_code == 400
    assert pages.get("/settlement/period", params=YEAR | {"period": "x"}).status_code == 400


def test_a_ledger_that_was_touched_is_said_to_be_unsound(year, tmp_path):
    content = (year[0] / "book.sqlite").read_bytes()
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "book.sqlite").write_bytes(content)
    book = sqlite3.connect(folder / "book.sqlite")
    book.execute("DROP TRIGGER month_statement_no_update")
    book.execute("UPDATE month_statement SET prepaid_fen = prepaid_fen + 1 WHERE line = 1")
    book.commit()
    book.execute("PRAGMA journal_mode = DELETE")
    book.close()
    answer = client_of(Settings(data=(folder,), lang="en")).get("/settlement", headers=HTML).text
    assert "The ledger is not sound." in answer


def test_a_ledger_that_is_being_written_is_read_as_it_is(year, tmp_path):
    path = tmp_path / "live.sqlite"
    path.write_bytes((year[0] / "book.sqlite").read_bytes())
    with drgcore.Ledger.open(path) as book:
        decided = drgcore.Adjustment(
            drgcore.Month(2027, 1), "resident", "H01", "decision", 0, 100, "<b>why</b>"
        )
        book.adjust(decided)
        assert Path(f"{path}-wal").stat().st_size
        page = client_of(Settings(data=(tmp_path,))).get("/settlement", headers=HTML).text
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    assert not is_ledger(tmp_path / "nothing.sqlite")


def test_a_ledger_on_postgresql_is_shown_like_a_file_and_only_read(pages, year):
    with postgres_server() as url:
        nothing = client_of(Settings(ledgers=(url,)))
        assert "there is no ledger" in nothing.get("/settlement?lang=en").json()["error"]
        with drgcore.Ledger.open(year[0] / "book.sqlite") as book, drgcore.Ledger.open(url) as copy:
            for month in book.closed_months(2027):
                copy.close_month(month)
            copy.close_year(book.year(2027))
        secret = url.replace("bureau@", "bureau:geheim@")
        served = client_of(Settings(data=(year[0],), ledgers=(secret,), lang="zh"))
        name = url.rpartition("@")[2]
        ours = served.get("/settlement", params={"ledger": name}).json()
        theirs = pages.get("/settlement").json()
        assert ours.pop("ledger") == name
        assert ours.pop("ledgers") == [NAME, name]
        assert (theirs.pop("ledger"), theirs.pop("ledgers")) == (NAME, [NAME])
        for told in (ours, theirs):
            # When it was entered differs, and with it the chain.
            for entry in told["entries"]:
                del entry["created_at"], entry["hash"]
        assert ours == theirs
        hospital = year[1].year.statement["hospital"].iloc[0]
        for path, more in (
            ("/settlement/period", {}),
            ("/settlement/statement", {"hospital": hospital}),
        ):
            found = [
                client.get(path, params={**YEAR, "ledger": ledger, **more}).json()
                for client, ledger in ((served, name), (pages, NAME))
            ]
            assert {**found[0], "ledger": ""} == {**found[1], "ledger": ""}
        page = served.get("/settlement", params={"ledger": name}, headers=HTML).text
        assert name in page
        assert "geheim" not in page
        statement = drgcore.show(year[1].year)["statement"]
        statement["amount"] = statement["final"].str.replace(",", "")
        returned = statement[["hospital", "pool", "amount"]].to_csv(index=False).encode()
        compared = served.post(
            "/settlement/compare",
            data={**YEAR, "ledger": name},
            files={"upload": ("returned.csv", returned)},
        )
        assert compared.json()["differing"] == []
        # By case too: the cases lie in a folder of a data folder, known by their digest.
        theirs = case_amounts(year[1].cases, year[1].months[2])
        theirs["amount"] = theirs.pop("amount_fen") / 100
        returned = theirs[["case_id", "drg", "points", "amount"]].to_csv(index=False).encode()
        by_case = {"data": {**MONTH, "ledger": name}, "files": {"upload": ("a.csv", returned)}}
        compared = served.post("/settlement/compare", **by_case).json()
        assert (compared["rows"], compared["differing"]) == (len(theirs), [])
        without = client_of(Settings(ledgers=(secret,), lang="en"))
        assert "--cases-folder" in without.post("/settlement/compare", **by_case).json()["hint"]
        asked = {"cases": "region/grouped.parquet", "policy": f"ledger:{name}:2027", "year": 2027}
        assert asked["policy"] in served.get("/settlement/trial").json()["policies"]
        assert served.get("/settlement/trial", params=asked).status_code == 200
        board = {"cases": "region/grouped.parquet", "ledger": name}
        assert served.get("/dashboard", params=board).status_code == 200
        decision = Adjustment(Month(2027, 3), "resident", hospital, "other", amount_fen=100)
        with (
            drgcore.Ledger.open(url, read_only=True) as book,
            pytest.raises((sa.exc.SQLAlchemyError, DrgcoreError), match="read-only"),
        ):
            book.adjust(decision)


def test_without_folders_the_pages_say_what_to_do():
    page = client_of(Settings(lang="en")).get("/settlement", headers=HTML).text
    assert "--data FOLDER" in page
