"""The workbench is killed while batches are uploaded and worked on, and started again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from drgcore.serve.settings import WORK
from tests.ports import free_port

from .killing import Ended, Warm, leftovers, temporary

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name != "posix", reason="process groups and forks of POSIX"),
]

RESULTS = ("grouped.parquet", "grouped.xlsx", "findings.xlsx")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    process = Warm(tmp_path_factory.mktemp("warm"), "drgcore.serve.run", "drgcore.cli.serve")
    yield process
    process.close()


class Visit:
    """What a browser does while the server runs, which may end at any moment."""

    def __init__(self, port: int, upload: bytes, *, stop: bool) -> None:
        self._port, self._upload, self._stop = port, upload, stop
        self.done: list[str] = []

    def __call__(self, child: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=600) as client:
            try:
                self._wait(client, child)
                self._visit(client)
            except httpx.TransportError:
                return
        if self._stop:
            os.kill(child, signal.SIGTERM)

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
            sent = {"file": ("cases.parquet", self._upload)}
            assert client.post("/batch", files=sent).status_code == 202
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


def run(server: Warm, folder: Path, visit: Visit, **how: float) -> Ended:
    """A server of a folder with its visit."""
    arguments = ["serve", "--port", visit._port, "--data", folder]
    return server.run(arguments, meanwhile=visit, TMPDIR=str(temporary(folder)), **how)


def results(folder: Path, done: list[str]) -> list[bytes]:
    """The results of the one batch; nothing else is left of it."""
    (number,) = done
    place = folder / WORK / number
    assert {p.name for p in place.iterdir()} == {*RESULTS, "job.json"}
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
    visit = Visit(free_port(), upload, stop=True)
    undisturbed = run(server, whole, visit)
    expected = results(whole, visit.done)
    draw = random.Random(first)
    for turn in range(15):
        folder = tmp_path / f"kill{turn}"
        folder.mkdir()
        after = draw.uniform(0, undisturbed.seconds)
        number = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
        run(server, folder, Visit(free_port(), upload, stop=False), after=after, number=number)
        for path in (folder / WORK).glob("*/*"):
            # A result that is there is whole.
            if path.name in RESULTS:
                assert path.read_bytes() == expected[RESULTS.index(path.name)]
        again = Visit(free_port(), upload, stop=True)
        ended = run(server, folder, again)
        assert ended.code in (0, -signal.SIGTERM), ended.said
        assert results(folder, again.done) == expected
        assert leftovers(folder, temporary(folder)) == []
