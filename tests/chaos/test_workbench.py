"""The workbench is killed while batches are uploaded and worked on, and started again."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import httpx
import pytest

from drgcore.serve.settings import WORK
from tests.ports import free_port

from .killing import HITS, Ended, Warm, leftovers, temporary

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name != "posix", reason="process groups and forks of POSIX"),
]

_HITS, _TURNS = 15, 60
"""Kills of a server while a batch was uploaded or worked on, and draws for them at most."""

RESULTS = ("grouped.parquet", "grouped.xlsx", "findings.xlsx")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    process = Warm(tmp_path_factory.mktemp("warm"), "drgcore.serve.run", "drgcore.cli.serve")
    yield process
    process.close()


class Visit:
    """What a browser does while the server runs, which is killed so long after the upload began.

    Without `after` the server is asked to end when the batch is done.
    """

    def __init__(
        self,
        port: int,
        upload: bytes,
        after: float | None = None,
        number: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.port, self._upload = port, upload
        self._after, self._number = after, number
        self.seconds, self.sent = 0.0, False
        self.done: list[str] = []

    def __call__(self, child: int) -> None:
        timer = None
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=600) as client:
            try:
                self._wait(client, child)
                if self._after is not None:
                    timer = Timer(self._after, os.killpg, (child, self._number))
                    timer.start()
                began = time.perf_counter()
                self._visit(client)
                self.seconds = time.perf_counter() - began
            except httpx.TransportError:
                assert timer is not None
        if timer is None:
            os.kill(child, signal.SIGTERM)
        else:
            timer.join()

    @staticmethod
    def _wait(client: httpx.Client, child: int) -> None:
        while True:
            try:
                client.get("/health")
                return
            except httpx.ConnectError:
                # A process that has ended is a zombie as long as nobody has asked for it.
                state = Path(f"/proc/{child}/stat")
                if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
                    raise
                time.sleep(0.02)

    def _visit(self, client: httpx.Client) -> None:
        jobs = client.get("/batch").json()
        if not jobs:
            files, self.sent = {"file": ("cases.parquet", self._upload)}, True
            assert client.post("/batch", files=files).status_code == 202
            jobs = client.get("/batch").json()
        for job in jobs:
            if job["state"] == "waiting":
                # The upload was whole, the start was not: it is started by hand.
                assert client.post(f"/batch/{job['id']}/start", json={}).status_code == 202
            while job["state"] not in ("done", "failed"):
                time.sleep(0.02)
                job = client.get(f"/batch/{job['id']}").json()
            assert job["state"] == "done", job
            self.done.append(job["id"])


def run(server: Warm, folder: Path, visit: Visit) -> Ended:
    """A server of a folder with its visit."""
    arguments = ["serve", "--port", visit.port, "--data", folder]
    return server.run(arguments, meanwhile=visit, TMPDIR=str(temporary(folder)))


def results(folder: Path, done: list[str]) -> list[bytes]:
    """The results of the one batch; nothing else is left of it."""
    (number,) = done
    place = folder / WORK / number
    assert {p.name for p in place.iterdir()} == {*RESULTS, "job.json", "mapping.toml"}
    # The lock of the server stays.
    kept = {p.name for p in (folder / WORK).iterdir()}
    assert kept - {".server.lock"} == {number}
    return [(place / name).read_bytes() for name in RESULTS]


@pytest.mark.parametrize("first", range(2))
def test_a_killed_server_goes_on_where_it_was(
    first: int, server: Warm, some: Path, tmp_path: Path
) -> None:
    upload = some.read_bytes()
    whole = tmp_path / "whole"
    whole.mkdir()
    visit = Visit(free_port(), upload)
    run(server, whole, visit)
    expected = results(whole, visit.done)
    draw = random.Random(first)
    hits = 0
    for turn in range(_TURNS):
        folder = tmp_path / f"kill{turn}"
        folder.mkdir()
        after = draw.uniform(0, visit.seconds)
        number = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
        stopped = Visit(free_port(), upload, after, number)
        ended = run(server, folder, stopped)
        for path in (folder / WORK).glob("*/*"):
            # A result that is there is whole.
            if path.name in RESULTS:
                assert path.read_bytes() == expected[RESULTS.index(path.name)]
        state = _state(folder)
        if stopped.sent and state != "done":
            hits += 1
            HITS["at a random moment", f"workbench: {state}"] += 1
        again = Visit(free_port(), upload)
        ended = run(server, folder, again)
        assert ended.code in (0, -signal.SIGTERM), ended.said
        assert results(folder, again.done) == expected
        assert leftovers(folder, temporary(folder)) == []
        if hits == _HITS:
            break
    assert hits == _HITS


def _state(folder: Path) -> str:
    """How far the batch was when the server ended."""
    states = [json.loads(path.read_text())["state"] for path in (folder / WORK).glob("*/job.json")]
    return states[0] if states else "uploading"
