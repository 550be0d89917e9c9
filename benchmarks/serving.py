"""How many cases a second the server groups, beside an endpoint that does nothing.

    python benchmarks/serving.py [--requests 100000] [--clients 100] [--rows 300000]

Starts `drgcore serve` as a process of its own and asks it as programs do: many connections that
stay open, one case a request as JSON; then large Arrow streams. Prints requests a second for
``/health`` (empty) and ``/group`` (one case), with the processor time of the server, which tells
more than they do on a machine that has other work; cases a second for streams, latencies, and
memory of the server as requests go by. Server and client share the processors.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa

import drgcore
from drgcore.cases import CANONICAL_SCHEMA

ARROW = "application/vnd.apache.arrow.stream"


class Asker(asyncio.Protocol):
    """One connection that stays open and asks one question after the other."""

    def __init__(
        self, questions: list[bytes], times: list[float], done: asyncio.Future[None]
    ) -> None:
        self.questions, self.times, self.done = questions, times, done
        self.answer, self.at, self.asked = bytearray(), 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self) -> None:
        """The next question, until there is none."""
        if self.at == len(self.questions):
            self.transport.close()
            self.done.set_result(None)
            return
        self.asked = time.perf_counter()
        self.transport.write(self.questions[self.at])  # type: ignore[attr-defined]
        self.at += 1

    def data_received(self, data: bytes) -> None:
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"the server answers {bytes(head[:40])!r}: {bytes(body[:200])!r}")
        self.times.append(time.perf_counter() - self.asked)
        self.answer.clear()
        self.ask()


def ask(port: int, questions: list[bytes], clients: int) -> tuple[float, list[float]]:
    """Seconds for all questions, dealt to so many clients at once, and the time of each.

    All connections are there before the first question is asked.
    """
    times: list[float] = []

    async def all_of_them() -> float:
        loop = asyncio.get_running_loop()
        ends, askers = [], []
        for one in range(clients):
            done: asyncio.Future[None] = loop.create_future()
            part = questions[one::clients]
            _, asker = await loop.create_connection(
                lambda p=part, d=done: Asker(p, times, d), "127.0.0.1", port
            )
            askers.append(asker)
            ends.append(done)
        begin = time.perf_counter()
        for asker in askers:
            asker.ask()
        await asyncio.gather(*ends)
        return time.perf_counter() - begin

    return asyncio.run(all_of_them()), times


def question(method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """A request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def memory(process: int) -> float:
    """Resident memory of a process [MB]; 0 where the system does not tell."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return 0.0
    line = next(t for t in status.read_text().splitlines() if t.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def processor_seconds(process: int) -> float:
    """Processor time that a process has taken [s]; 0 where the system does not tell."""
    status = Path(f"/proc/{process}/stat")
    if not status.exists():
        return 0.0
    # The name, in brackets, may hold blanks; time in the program and in the system are 14 and 15.
    numbers = status.read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def told(name: str, seconds: float, times: list[float], taken: float) -> float:
    """Print a rate with its latencies and the server's processor time; the rate."""
    cuts = statistics.quantiles(times, n=100)
    rate = len(times) / seconds
    print(
        f"{name}: {rate:,.0f} requests/s; median {1000 * cuts[49]:.1f} ms, 99 % within "
        f"{1000 * cuts[98]:.1f} ms; {1000 * taken / len(times):.3f} ms of the server's processor"
    )
    return rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--rows", type=int, default=300_000)
    asked = parser.parse_args()
    sample = drgcore.sample_cases(min(asked.rows, 300_000), "chs-drg-3.0", seed=1)
    cases = pa.table(sample).select(CANONICAL_SCHEMA.names)
    bodies = [
        json.dumps({"cases": [{k: v for k, v in row.items() if v is not None}]}).encode()
        for row in cases.slice(0, 5000).to_pylist()
    ]
    single = [question("POST", "/group", body) for body in bodies]
    empty = question("GET", "/health")
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    command = [sys.executable, "-m", "drgcore", "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port, server)
            ask(port, single[:200], 4)  # The scheme is compiled with the first case.
            some = max(asked.requests // 5, 1000)
            taken = processor_seconds(server.pid)
            seconds, times = ask(port, [empty] * some, asked.clients)
            idle = told("empty", seconds, times, processor_seconds(server.pid) - taken)
            rounds = max(asked.requests // 10, 1)
            many = [single[i % len(single)] for i in range(rounds)]
            begin, all_times, spent = memory(server.pid), [], 0.0
            taken = processor_seconds(server.pid)
            for _ in range(10):
                seconds, times = ask(port, many, asked.clients)
                spent, all_times = spent + seconds, [*all_times, *times]
                print(f"  memory after {len(all_times):,}: {memory(server.pid):,.0f} MB")
            taken = processor_seconds(server.pid) - taken
            rate = told(f"one case, {asked.clients} clients", spent, all_times, taken)
            print(
                f"  {idle / rate:.1f} times an empty request; memory grew by "
                f"{memory(server.pid) - begin:,.0f} MB over {len(all_times):,} requests"
            )
            stream(port, cases)
        finally:
            server.terminate()


def stream(port: int, cases: pa.Table) -> None:
    """Cases a second by Arrow streams: two connections, each two streams after a first."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, cases.schema) as writer:
        writer.write_table(cases, max_chunksize=131_072)
    body = sink.getvalue().to_pybytes()
    asked = question("POST", "/group", body, ARROW)
    ask(port, [asked], 1)
    seconds, times = ask(port, [asked] * 4, 2)
    rate = len(times) * cases.num_rows / seconds
    begin = time.perf_counter()
    drgcore.group(cases, columns=[])
    alone = cases.num_rows / (time.perf_counter() - begin)
    print(
        f"Arrow streams of {cases.num_rows:,} cases ({len(body) / 1e6:.0f} MB): {rate:,.0f} "
        f"cases/s; `drgcore.group` in memory: {alone:,.0f} cases/s"
    )


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    while server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
