"""The short way of what is asked thousands of times a second: one case to its group, and nothing.

Routing, parameters and answers of the framework cost several times what grouping a case does. What
is answered here is what the routes would answer, which stand behind it and in the OpenAPI document;
whatever is not plain (a scheme that is not compiled, a wrong body, an Arrow stream) goes to them.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drgcore.errors import DrgcoreError
from drgcore.serve.calls.cases import CasesAsked
from drgcore.serve.calls.direct import DirectGrouper, Read
from drgcore.serve.calls.grouping import ReadCases, read_at_once

_JSON = b"application/json"
_LARGE = 1 << 16
_GROUP, _HEALTH = SimpleNamespace(path="/group"), SimpleNamespace(path="/health")


class Quick:
    """ASGI middleware that answers ``GET /health`` and most of ``POST /group``.

    Parameters
    ----------
    app : ASGI application
        Answers everything else.
    state : State
        Of the application: ``health``, ``library``, ``metrics``, ``settings``.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app, self._state = app, state
        self._health = to_json(state.health)
        self._together = Together()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        asked = (scope.get("method"), scope.get("path"))
        if asked == ("POST", "/group") and _is_json(scope):
            await self._group(scope, receive, send)
        elif asked == ("GET", "/health"):
            scope["route"] = _HEALTH
            await _answer(send, self._health)
        else:
            await self.app(scope, receive, send)

    async def _group(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive)
        found = self._read(await body.whole())
        if found is None:
            await self.app(scope, body.again, send)
            return
        results = await self._together.group(found.direct, found.reads)
        scope["route"] = _GROUP
        self._state.metrics.cases.inc(len(results))
        await _answer(send, to_json({"scheme": found.scheme, "results": results}))

    def _read(self, body: bytes | None) -> ReadCases | None:
        if body is None or len(body) > _LARGE:
            return None
        try:
            asked = CasesAsked.model_validate_json(body)
            if len(asked.cases) > self._state.settings.max_rows:
                return None
            return read_at_once(asked, self._state.library)
        except (ValidationError, DrgcoreError):
            # The route finds it too and says it in the language of the request.
            return None


class Together:
    """Groups the cases of requests that are there at the same time in one call.

    Every case is decided by itself, so nobody's results depend on who else asks. Nobody waits for
    others either: what is there when the event loop has read all that came is grouped.

    Examples
    --------
    >>> from drgcore.serve.calls.cases import Case
    >>> direct = DirectGrouper.of("chs-drg-3.0")
    >>> cases = [Case(principal_diagnosis="G11.900", sex=2, age_years=age) for age in (69, None)]
    >>> async def ask() -> list[list[dict[str, Any]]]:
    ...     together = Together()
    ...     return await asyncio.gather(
    ...         *(together.group(direct, [direct.read(case)]) for case in cases))
    >>> [(one["drg"], one["reason"]) for one, in asyncio.run(ask())]
    [('BU25', None), (None, 'age_missing')]
    """

    def __init__(self) -> None:
        self._waiting: dict[DirectGrouper, list[tuple[list[Read], _Results]]] = {}

    def group(self, direct: DirectGrouper, reads: list[Read]) -> _Results:
        """The results of some cases, as `DirectGrouper.group` gives them."""
        loop = asyncio.get_running_loop()
        results: _Results = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._work)
        self._waiting.setdefault(direct, []).append((reads, results))
        return results

    def _work(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for direct, asked in waiting.items():
            try:
                found = iter(direct.group([read for reads, _ in asked for read in reads]))
            except Exception:
                # Nobody expected it; whoever did not cause it is not to suffer from it.
                _one_by_one(direct, asked)
            else:
                for reads, results in asked:
                    some = [next(found) for _ in reads]
                    if not results.done():
                        results.set_result(some)


_Results = asyncio.Future[list[dict[str, Any]]]


def _one_by_one(direct: DirectGrouper, asked: list[tuple[list[Read], _Results]]) -> None:
    for reads, results in asked:
        if results.done():
            continue
        try:
            results.set_result(direct.group(reads))
        except Exception as error:
            results.set_exception(error)


class _Body:
    """The body of a request, which the application may read again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: list[Message | HTTPException] = []

    async def whole(self) -> bytes | None:
        """All of it; None for one that breaks off or is too large."""
        while True:
            try:
                message = await self._receive()
            except HTTPException as error:
                self._kept.append(error)
                return None
            self._kept.append(message)
            if message["type"] != "http.request":
                return None
            if not message.get("more_body"):
                break
        parts: list[bytes] = [m.get("body", b"") for m in self._kept if isinstance(m, dict)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def again(self) -> Message:
        """What was received, then what comes."""
        if not self._kept:
            return await self._receive()
        message = self._kept.pop(0)
        if isinstance(message, HTTPException):
            raise message
        return message


def _is_json(scope: Scope) -> bool:
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return bool(kind.partition(b";")[0].strip().lower() == _JSON)


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", _JSON)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
