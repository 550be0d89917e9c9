"""Batches: upload, look, group, fetch; names, bombs, and what is left after a kill."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

import drgcore
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.serve import Settings, create_app
from drgcore.serve.calls.library import Library
from drgcore.serve.jobs.store import JobStore
from drgcore.serve.jobs.uploads import keep_upload
from drgcore.serve.jobs.work import Worker
from drgcore.serve.sessions import VISIT, Visits
from drgcore.serve.settings import WORK
from tests.ports import free_port

from .conftest import TOKEN

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(drgcore.__file__).parents[1]),
    "DRGCORE_LANG": "en",
}
CASES = """case_id,sex,age_years,principal_diagnosis,other_diagnoses
a,女,69,G11.900,S52.804
b,男,60,I21.900,
c,男,,I10.x00,
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a folder of batches."""
    return Settings(work=tmp_path / "work")


@pytest.fixture
def running(settings: Settings) -> Iterator[TestClient]:
    """A client of a running application."""
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


def send(client: TestClient | httpx.Client, body: bytes, name: str = "cases.csv", **form: str):
    """Upload a file."""
    return client.post("/batch", files={"file": (name, body)}, data=form)


def finished(client: TestClient | httpx.Client, job_id: str) -> dict[str, object]:
    """The batch when it is over."""
    while True:
        told = client.get(f"/batch/{job_id}").json()
        if told["state"] in ("done", "failed"):
            return told
        time.sleep(0.02)


def folders_in(work: Path) -> list[Path]:
    """What lies in the folder of batches beside the lock."""
    return [path for path in work.iterdir() if path.name != ".server.lock"]


def test_a_file_is_grouped_and_checked(running, settings):
    answer = send(running, CASES.encode(), options=json.dumps({"outputs": ["parquet", "csv"]}))
    assert answer.status_code == 202
    told = finished(running, answer.json()["id"])
    assert told["error"] is None
    assert told["files"] == ["grouped.parquet", "grouped.csv", "findings.xlsx"]
    assert told["summary"]["statuses"]["grouped"] == 2
    assert told["summary"]["reasons"] == {"age_missing": 1}
    place = f"/batch/{told['id']}/files"
    table = pq.read_table(io.BytesIO(running.get(f"{place}/grouped.parquet").content))
    assert table["drg"].to_pylist() == ["BU23", "FR19", None]
    text = pa_csv.read_csv(io.BytesIO(running.get(f"{place}/grouped.csv").content))
    assert text["case_id"].to_pylist() == ["a", "b", "c"]
    findings = running.get(f"{place}/findings.xlsx")
    assert 'filename="cases-findings.xlsx"' in findings.headers["content-disposition"]
    assert zipfile.is_zipfile(io.BytesIO(findings.content))
    # What was uploaded is gone when it is no longer needed.
    assert not list(settings.work.glob("*/upload*"))
    assert running.get(f"/batch/{told['id']}/look").status_code == 410
    assert running.delete(f"/batch/{told['id']}").status_code == 204
    assert folders_in(settings.work) == []
    assert running.get(f"/batch/{told['id']}").status_code == 404


def test_a_mapping_is_proposed_and_may_be_another(running):
    odd = CASES.replace("principal_diagnosis", "主要诊断编码").replace("sex", "性别")
    job = send(running, odd.encode("gb18030"), start="false", keep="true").json()
    assert job["state"] == "waiting"
    told = running.get(f"/batch/{job['id']}/look").json()
    assert told["columns"][3] == "主要诊断编码"
    assert told["samples"][0][:2] == ["a", "女"]
    assert 'principal_diagnosis = "主要诊断编码"' in told["mapping"]
    asked = {"mapping_text": told["mapping"], "outputs": ["parquet"], "check": False}
    assert running.post(f"/batch/{job['id']}/start", json=asked).status_code == 202
    assert finished(running, job["id"])["summary"]["statuses"]["grouped"] == 2
    # It is kept, so it can be grouped once more; by a mapping that does not fit, it fails.
    running.post(f"/batch/{job['id']}/start", json={"mapping": "hqms"})
    failed = finished(running, job["id"])
    assert failed["state"] == "failed"
    assert "columns are missing" in failed["error"]["error"]
    assert failed["files"] == []


@pytest.mark.parametrize("name", ["cases.exe", "cases", ".csv/..", "cases.xlsx.html", ""])
def test_other_kinds_are_refused(running, settings, name):
    assert send(running, b"x", name).status_code in (400, 422)
    assert folders_in(settings.work) == []


@pytest.mark.parametrize("name", ["../../../evil.csv", "C:\\evil.csv", "/etc/cron.d/evil.csv"])
def test_a_name_leads_nowhere(running, settings, name):
    told = send(running, CASES.encode(), name, keep="true").json()
    assert told["name"] == "evil.csv"
    finished(running, told["id"])
    there = {path.name for path in settings.work.rglob("*") if path.is_file()}
    assert there >= {"job.json", "upload.csv", "grouped.xlsx"}
    assert not any("evil" in name for name in there)
    assert {path.parent.name for path in settings.work.rglob("*.csv")} == {told["id"]}
    for inner in ("job.json", "../job.json", "%2e%2e%2fjob.json", "upload.csv"):
        assert running.get(f"/batch/{told['id']}/files/{inner}").status_code == 404
    for other in ("..", "%2e%2e", "0" * 32):
        assert running.get(f"/batch/{other}/look").status_code == 404


def test_bombs_are_refused(running, settings, tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (80 << 20))
    answer = send(running, bomb.getvalue(), "cases.xlsx")
    assert answer.status_code == 400
    assert "when unpacked" in answer.json()["error"]
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    assert send(running, many.getvalue(), "cases.xlsx").status_code == 400
    table = pa.table({"x": pa.array(["x" * 1000] * 90_000)})
    pq.write_table(table, tmp_path / "x.parquet", compression="zstd", use_dictionary=False)
    packed = (tmp_path / "x.parquet").read_bytes()
    assert len(packed) < 120_000
    assert send(running, packed, "cases.parquet").status_code == 400
    assert send(running, b"PAR1 no parquet", "cases.parquet").status_code == 400
    assert folders_in(settings.work) == []


def test_an_upload_has_a_limit(tmp_path):
    with pytest.raises(CaseSchemaError, match="too large"):
        keep_upload(io.BytesIO(b"x" * 100), tmp_path / "upload.csv", 99)
    assert list(tmp_path.iterdir()) == []


def test_what_was_asked_is_looked_at(running):
    for options in ("{", '{"scheme": 3}', '{"unknown": 1}', '{"outputs": ["exe"]}'):
        assert send(running, CASES.encode(), options=options).status_code == 422
    told = send(running, CASES.encode(), options='{"scheme": "/etc/passwd"}').json()
    assert "there is no scheme" in finished(running, told["id"])["error"]["error"]
    told = send(running, CASES.encode(), options='{"mapping": "/etc/x.toml"}').json()
    assert "there is no mapping" in finished(running, told["id"])["error"]["error"]


def test_old_batches_are_removed_and_kept_ones_stay(tmp_path):
    now = [1000.0]
    store = JobStore(tmp_path, 3600, lambda: now[0])
    over, kept, waiting = (store.add("x.csv", ".csv", keep=keep) for keep in (False, True, False))
    store.end(over, "done")
    store.end(kept, "done")
    now[0] += 3601
    late = store.add("x.csv", ".csv", keep=False)
    store.remove_old()
    assert {job.id for job in store.jobs()} == {kept.id, late.id}
    assert not store.place(waiting).exists()


def test_results_end_with_the_session_of_the_browser(tmp_path):
    now = [1000.0]
    visits = Visits(3600, lambda: now[0])
    store = JobStore(tmp_path, 1e9, lambda: now[0], over=visits.over)
    gone, there = visits.new(), visits.new()
    jobs = {
        (visit, keep): store.add("x.csv", ".csv", keep=keep, visit=visit)
        for visit in (gone, there, "")
        for keep in (False, True)
    }
    for job in jobs.values():
        store.end(job, "done")
    at_work = store.add("x.csv", ".csv", keep=False, visit=gone)
    at_work.state = "running"
    now[0] += 3000
    visits.seen(there)
    now[0] += 3000
    store.remove_old()
    left = {job.id for job in store.jobs()}
    assert {who for who, job in jobs.items() if job.id not in left} == {(gone, False)}
    assert not store.place(jobs[gone, False]).exists()
    assert at_work.id in left
    # A server that starts anew knows nobody yet: who comes back in time finds what is its own.
    now[0] += 3000
    again = Visits(3600, lambda: now[0])
    assert not again.over(there)
    store.end_visit(gone)
    assert at_work.cancelled
    # With an orderly stop all sessions end; what programs sent outlives it.
    store.end_visits()
    assert {job.id for job in store.jobs()} == {
        job.id for (visit, keep), job in jobs.items() if keep or not visit
    }


def test_signing_out_and_the_stop_of_the_server_remove_what_a_browser_sent(settings):
    html = {"accept": "text/html"}
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        of_program = finished(client, send(client, CASES.encode()).json()["id"])
        assert client.get("/batches", headers=html).status_code == 200
        assert VISIT in client.cookies
        first = finished(client, send(client, CASES.encode()).json()["id"])
        assert client.post("/logout", follow_redirects=False).status_code == 303
        assert VISIT not in client.cookies
        assert client.get(f"/batch/{first['id']}").status_code == 404
        client.get("/batches", headers=html)
        second = finished(client, send(client, CASES.encode()).json()["id"])
        kept = finished(client, send(client, CASES.encode(), keep="true").json()["id"])
        left = {path.name for path in folders_in(settings.work)}
        assert left == {of_program["id"], second["id"], kept["id"]}
    assert {path.name for path in folders_in(settings.work)} == {of_program["id"], kept["id"]}


def test_two_servers_do_not_share_a_folder(settings):
    with TestClient(create_app(settings)):
        second = create_app(settings)
        with (
            pytest.raises(DrgcoreError, match="another server uses this folder"),
            TestClient(second),
        ):
            pass
        assert str(settings.work) in str(second.state.failure)
    with TestClient(create_app(settings), base_url="http://localhost") as third:
        assert third.get("/health").status_code == 200


def test_after_a_kill_finished_ones_are_there_and_others_begin_anew(tmp_path):
    store = JobStore(tmp_path, 3600)
    done, at_work = (store.add("x.csv", ".csv", keep=False) for _ in range(2))
    store.end(done, "done")
    store.upload(at_work).write_text(CASES)
    at_work.asked = {"outputs": ["parquet"], "check": False}
    at_work.state = "running"
    store.save(at_work)
    (tmp_path / ("f" * 32)).mkdir()  # Killed while it was uploaded.
    again = JobStore(tmp_path, 3600)
    assert {job.state for job in again.jobs()} == {"done", "queued"}
    assert not (tmp_path / ("f" * 32)).exists()
    worker = Worker(again, Library())
    worker.start()
    while again.get(at_work.id).state != "done":
        time.sleep(0.02)
    worker.stop(cancel=False)
    assert pq.read_table(tmp_path / at_work.id / "grouped.parquet").num_rows == 3


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_server_that_is_killed_and_started_again_and_told_to_stop(tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    port = free_port()

    def serve() -> subprocess.Popen[str]:
        arguments = ["serve", "--port", str(port), "--data", str(tmp_path)]
        arguments += ["--token-file", str(tmp_path / "token")]
        process = subprocess.Popen(
            [sys.executable, "-m", "drgcore", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        while process.poll() is None:
            try:
                client.get("/health")
                return process
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(process.stderr.read())

    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=600) as client:
        server = serve()
        try:
            told = send(client, CASES.encode(), "张三的病例.csv").json()
            finished(client, told["id"])
        finally:
            server.kill()
            server.wait()
        server = serve()
        try:
            # A second server on the same folder says so and goes, without a traceback.
            second = subprocess.run(
                [*server.args[:3], "serve", "--port", str(free_port()), *server.args[6:]],
                capture_output=True,
                text=True,
                check=False,
                env=ENVIRONMENT,
            )
            assert second.returncode == 2
            assert "another server uses this folder of batches" in second.stderr
            assert "Traceback" not in second.stderr
            assert (tmp_path / WORK).is_dir()
            result = client.get(f"/batch/{told['id']}/files/grouped.parquet")
            assert pq.read_table(io.BytesIO(result.content)).num_rows == 3
        finally:
            server.send_signal(signal.SIGTERM)
            log = server.communicate(timeout=600)[1]
    assert server.returncode in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in log.splitlines()[1:]]
    # A batch that a kill met between its end and the word of it has a line of its own.
    assert {line.get("route") for line in lines} >= {"/health", "/batch/{job_id}/files/{name}"}
    for secret in ("张三", TOKEN, told["id"]):
        assert secret not in log
