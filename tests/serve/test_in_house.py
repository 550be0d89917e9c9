"""Patients in house: read anew when the HIS has written, only read, nothing of them in the log."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
import sqlalchemy as sa

import drgcore
from drgcore.errors import DrgcoreError
from drgcore.estimate import estimate_in_stay, fit_likely_groups
from drgcore.serve import Settings
from drgcore.serve.logs import JsonLines
from drgcore.serve.ward import InHouse, Ward
from tests.budget.conftest import postgres_server

from .conftest import HTML, client_of

COLUMNS = (
    *("case_id", "department", "principal_diagnosis", "other_diagnoses", "principal_procedure"),
    *("other_procedures", "sex", "age_years", "age_days", "newborn_weight_g", "total_cost"),
    *("length_of_stay",),
)
EVIL = "<script>alert(1)</script>"


def patients(cost: float = 1.0) -> pa.Table:
    """Forty patients, whose lists of codes are one text each, as a HIS writes them."""
    cases = drgcore.sample_cases(40, "chs-drg-3.0", seed=8).select(COLUMNS).to_pandas()
    for name in ("other_diagnoses", "other_procedures"):
        cases[name] = [";".join(codes) for codes in cases[name]]
    cases["total_cost"] = (cases["total_cost"] * cost).round(2)
    cases.loc[0, "department"] = EVIL
    cases.loc[1, "principal_diagnosis"] = None
    return pa.Table.from_pandas(cases, preserve_index=False)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Finished cases of the past."""
    path = tmp_path_factory.mktemp("past") / "history.parquet"
    drgcore.write_sample(path, 2000, "chs-drg-3.0", seed=9)
    return path


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "ward.csv"
    pa_csv.write_csv(patients(), path)
    return path


def test_the_estimates_are_those_of_the_library_the_gravest_first(history, source):
    client = client_of(Settings(in_house=InHouse(str(source), history, high=1.2), lang="zh"))
    data = client.get("/in-house").json()
    ours = estimate_in_stay(patients(), fit_likely_groups(history), high=1.2)
    found = {row["case_id"]: row for row in data["rows"]}
    assert len(found) == data["patients"] == 40
    for row in ours.to_dict("records"):
        assert found[row["case_id"]]["drg"] == (row["drg"] if row["drg"] == row["drg"] else None)
        assert found[row["case_id"]]["level"] == row["level"]
    assert data["counts"]["critical"] > 0
    grave = [data["levels"].index(row["level"]) for row in data["rows"]]
    assert grave == sorted(grave)
    critical = client.get("/in-house", params={"level": "critical"}).json()
    assert {row["level"] for row in critical["rows"]} == {"critical"}
    page = client.get("/in-house", headers=HTML).text
    assert "超高倍率界值" in page
    assert "主要诊断" in page
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_a_file_is_read_again_when_it_changed_and_kept_when_it_cannot_be(history, source):
    ward = Ward(InHouse(str(source), history))
    first = ward.patients(60)
    assert ward.patients()["rows"] is first["rows"]
    pa_csv.write_csv(patients(cost=3.0).slice(0, 10), source)
    again = ward.patients()
    assert len(again["rows"]) == 10
    assert again["problem"] is None
    source.write_bytes(b"")
    kept = ward.patients()
    assert kept["problem"]
    assert kept["rows"] is again["rows"]
    source.unlink()
    assert "cannot be read" in ward.patients()["problem"]
    with pytest.raises(DrgcoreError, match="cannot be read"):
        Ward(InHouse(str(source), history)).patients(60)


def test_a_database_is_read_in_its_turn_and_never_written(history, tmp_path):
    path = tmp_path / "his.db"
    with sqlite3.connect(path) as book:
        patients().to_pandas().to_sql("in_house", book, index=False)
    before = path.read_bytes()
    now = [1000.0]
    given = InHouse(f"sqlite:///{path}#in_house", history, seconds=60)
    ward = Ward(given, lambda: now[0])
    assert len(ward.patients(60)["rows"]) == 40
    assert path.read_bytes() == before
    with sqlite3.connect(path) as book:
        book.execute("DELETE FROM in_house WHERE rowid > 25")
    assert len(ward.patients()["rows"]) == 40
    now[0] += 60
    assert len(ward.patients()["rows"]) == 25
    path.unlink()
    now[0] += 60
    assert ward.patients()["problem"]
    assert not path.exists()


def test_patients_are_read_from_postgresql_by_an_account_that_may_only_read(history):
    with postgres_server() as url:
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        table = patients().to_pandas()
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE SCHEMA his"))
            table.to_sql("in_house", connection, schema="his", index=False)
            # As a HIS keeps money.
            connection.execute(
                sa.text("ALTER TABLE his.in_house ALTER COLUMN total_cost TYPE numeric(12, 2)")
            )
            for statement in (
                "CREATE ROLE reader LOGIN",
                "GRANT USAGE ON SCHEMA his TO reader",
                "GRANT SELECT ON his.in_house TO reader",
            ):
                connection.execute(sa.text(statement))
        given = InHouse(f"{url.replace('bureau@', 'reader@')}#his.in_house", history, high=1.2)
        client = client_of(Settings(in_house=given, lang="en"))
        found = {row["case_id"]: row for row in client.get("/in-house").json()["rows"]}
        ours = estimate_in_stay(patients(), fit_likely_groups(history), high=1.2)
        assert len(found) == 40
        for row in ours.to_dict("records"):
            told = found[row["case_id"]]
            assert told["drg"] == (row["drg"] if row["drg"] == row["drg"] else None)
            assert told["level"] == row["level"]
        with engine.begin() as connection:
            connection.execute(sa.text("REVOKE SELECT ON his.in_house FROM reader"))
        with pytest.raises(DrgcoreError, match="cannot be read"):
            Ward(given).patients(60)
        engine.dispose()


@pytest.mark.parametrize(
    "source", ["nosuch://a:geheim@b/c#t", "sqlite:///nowhere.db#t", "postgresql://u:geheim@[/x#t"]
)
def test_what_is_said_of_a_database_holds_no_password(history, source):
    with pytest.raises(DrgcoreError) as caught:
        Ward(InHouse(source, history)).patients(60)
    assert "geheim" not in str(caught.value)


def test_the_log_has_nothing_of_the_patients(history, source, caplog):
    client = client_of(Settings(in_house=InHouse(str(source), history)))
    with caplog.at_level(logging.INFO, "drgcore.serve"):
        logging.getLogger("drgcore.serve").propagate = True
        page = client.get("/in-house", params={"department": "骨科"}, headers=HTML)
        source.write_bytes(b"\x00\xff")
        client.get("/in-house")
    assert page.status_code == 200
    text = "\n".join(JsonLines().format(record) for record in caplog.records)
    assert "/in-house" in text
    for name in ("骨科", *patients().column("case_id").to_pylist()):
        assert name not in text


def test_without_a_source_the_page_says_what_to_do():
    page = client_of(Settings(lang="en")).get("/in-house", headers=HTML).text
    assert "--in-house FILE_OR_URL" in page
    with pytest.raises(DrgcoreError, match="rate must be above 0"):
        InHouse("a.csv", Path("past.csv"), rate=0)
