"""Requests that take too long are answered, and what they left at work starves nobody."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from drgcore.serve import Settings, create_app
from drgcore.serve.calls.direct import direct_grouper
from drgcore.serve.pages import one_case

SECONDS = 3600.0
CASE = {"principal_diagnosis": "G11.900", "sex": 2, "age_years": 69}


class Asked:
    """A request of which the answer is seen while the application still works on it."""

    def __init__(self, app: Any, method: str, path: str, body: dict[str, Any] | None = None):
        self._sent = json.dumps(body).encode() if body else b""
        self.headers: dict[str, str] = {}
        self.body = b""
        self._answered = asyncio.get_running_loop().create_future()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self.work = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._sent, "more_body": False}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self.headers = {n.decode(): v.decode() for n, v in message["headers"]}
        elif not message.get("more_body"):
            self.body += message["body"]
            self._answered.set_result(self._status)

    async def status(self) -> int:
        """The status, once the answer is whole."""
        return await self._answered


@pytest.fixture
def held(monkeypatch):
    """Checks that last until the event is set; how many were begun."""
    goes_on, begun = threading.Event(), []

    def check(asked, library):
        begun.append(asked)
        goes_on.wait()
        return {"cases": 1, "findings": []}

    monkeypatch.setattr(one_case, "check_case_list", check)
    yield goes_on, begun
    goes_on.set()


def test_work_that_took_too_long_holds_up_nobody_else(held):
    goes_on, begun = held
    direct_grouper("chs-drg-3.0")

    async def ask() -> None:
        app, loop, ends = create_app(Settings(seconds=SECONDS)), asyncio.get_running_loop(), []
        later = loop.call_later

        def noted(seconds: float, end: Any, *given: Any) -> Any:
            if seconds == SECONDS:
                ends.append(end)
            return later(seconds, end, *given)

        loop.call_later = noted
        several = [Asked(app, "POST", "/check", {"cases": [CASE]}) for _ in range(7)]
        while len(begun) < 4:
            await asyncio.sleep(0.01)
        # Their time is over: as if so many seconds had gone by.
        assert len(ends) == 7
        for end in ends:
            end()
        assert [await one.status() for one in several] == [503] * 7
        # Four are still at work; the others were not begun, and a new one is refused at once.
        assert len(begun) == 4
        refused = Asked(app, "POST", "/check", {"cases": [CASE]})
        assert await refused.status() == 503
        assert refused.headers["retry-after"] == "60"
        assert len(begun) == 4
        # Others are answered as ever, by a thread and without.
        assert await Asked(app, "GET", "/schemes").status() == 200
        grouped = Asked(app, "POST", "/group", {"cases": [CASE]})
        assert await grouped.status() == 200
        assert json.loads(grouped.body)["results"][0]["drg"] == "BU25"
        goes_on.set()
        await asyncio.gather(*(one.work for one in several))
        # What nobody waited for any more was not begun when the threads were free again.
        assert len(begun) == 4
        assert await Asked(app, "POST", "/check", {"cases": [CASE]}).status() == 200

    asyncio.run(ask())


def test_work_in_time_waits_for_a_thread(held):
    goes_on, begun = held

    async def ask() -> None:
        app = create_app(Settings(seconds=SECONDS))
        several = [Asked(app, "POST", "/check", {"cases": [CASE]}) for _ in range(6)]
        while len(begun) < 4:
            await asyncio.sleep(0.01)
        goes_on.set()
        assert [await one.status() for one in several] == [200] * 6

    asyncio.run(ask())
    assert len(begun) == 6
