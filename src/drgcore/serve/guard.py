"""What every request passes: host, origin, token, limits, headers, the log and the counts."""

from __future__ import annotations

import asyncio
import secrets
import time
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drgcore.language import N_, _, use_language
from drgcore.serve.logs import LOGGER, where_it_failed
from drgcore.serve.metrics import Metrics
from drgcore.serve.sessions import COOKIE, VISIT, Door, Visits
from drgcore.serve.settings import Settings
from drgcore.serve.threads import HERE, Span
from drgcore.serve.views import language_of

_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        b"connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        b"base-uri 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    # With no referrer at all, a browser says of a form's origin that it is none.
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
# What was asked about a case stays in no cache; files of the pages are asked for again.
_KEPT_NOWHERE = [*_HEADERS.items(), (b"cache-control", b"no-store")]
_KEPT = [*_HEADERS.items(), (b"cache-control", b"no-cache")]
_OURS = frozenset((*_HEADERS, b"cache-control"))
# Without a token: whether the server lives, how it looks, and the door.
_OPEN = ("/health", "/login", "/static/")
_SAFE = ("GET", "HEAD", "OPTIONS")
UPLOADS = ("/batch",)
_UPLOADS_TAKE = 60
_TOO_LARGE = N_("the body is too large: at most {n:,} bytes")

_Given = dict[bytes, bytes]


class Guard:
    """ASGI middleware around the whole application.

    Parameters
    ----------
    app : ASGI application
    settings : Settings
    door : Door
    visits : Visits
    metrics : Metrics
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, door: Door, visits: Visits, metrics: Metrics
    ) -> None:
        self.app, self.settings, self.door, self.metrics = app, settings, door, metrics
        self.visits = visits
        self._hosts = settings.hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Of a header that comes twice, the first one counts, as it does for the pages.
        given: _Given = dict(reversed(scope["headers"]))
        exchange = _Exchange(self, scope, given, receive, send)
        try:
            refusal = self._refusal(scope, given)
            if refusal is not None:
                await refusal(scope, exchange.receive, exchange.send)
            else:
                if b"cookie" in given:
                    self.visits.seen(_cookie(given, VISIT))
                await exchange.run(self.app)
        finally:
            exchange.close()

    def _refusal(self, scope: Scope, given: _Given) -> Response | None:
        """The answer to a request that must not come in; None for one that may."""
        path = str(scope["path"])
        host = given.get(b"host", b"").decode("latin-1")
        if self._hosts and _name(host) not in self._hosts:
            # A strange page may have its name lead to this machine (DNS rebinding).
            return _refused(
                scope, 421, N_("the server is not known by this name"), N_("See --name.")
            )
        if scope["method"] not in _SAFE:
            origin = given.get(b"origin")
            if origin is not None and _place(origin.decode("latin-1")) != host:
                return _refused(scope, 403, N_("the request comes from another site's page"))
        if self.door.open or path.startswith(_OPEN):
            return None
        client = scope["client"][0] if scope.get("client") else ""
        sent = given.get(b"authorization")
        token = None if sent is None else sent.decode("latin-1")
        if token is not None and self.door.blocked(client):
            return _refused(scope, 429, N_("too many wrong tokens"), N_("Wait a minute."))
        if self.door.admits(token, _cookie(given, COOKIE)):
            return None
        if token is not None:
            self.door.failed(client)
        if scope["method"] == "GET" and b"text/html" in given.get(b"accept", b""):
            return RedirectResponse(f"/login?next={quote(path)}", 303)
        answer = _refused(
            scope, 401, N_("the token is missing or wrong"), "Authorization: Bearer …"
        )
        answer.headers["www-authenticate"] = "Bearer"
        return answer


def _cookie(given: _Given, name: str) -> str | None:
    """A cookie, where a request has it."""
    try:
        found = SimpleCookie(given.get(b"cookie", b"").decode("latin-1")).get(name)
    except CookieError:
        return None
    return None if found is None else found.value


@lru_cache(maxsize=256)
def _name(host: str) -> str:
    """The name of a host without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _place(origin: str) -> str:
    """Host and port of an origin."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _refused(
    scope: Scope, status: int, error: str, hint: str | None = None, **values: object
) -> Response:
    """An answer in the language of the request, which nothing before has asked for."""
    with use_language(language_of(Request(scope))):
        told = {"error": _(error, **values), "hint": hint and _(hint, **values)}
    return JSONResponse(told, status)


class _Exchange:
    """One request and its answer."""

    def __init__(
        self, guard: Guard, scope: Scope, given: _Given, receive: Receive, send: Send
    ) -> None:
        self._guard, self._scope, self._receive, self._send = guard, scope, receive, send
        self._began = time.perf_counter()
        self._taken = self._given = 0
        self._status = 0
        self._span = Span()
        self._length = given.get(b"content-length", b"0")
        self._upload = str(scope["path"]).startswith(UPLOADS)
        settings = guard.settings
        self._most = settings.max_upload if self._upload else settings.max_body
        self.id = secrets.token_hex(8)
        guard.metrics.active += 1

    async def run(self, app: ASGIApp) -> None:
        """Let the application answer, within the time that there is."""
        if self._length.isdigit() and int(self._length) > self._most:
            await self._say(413, _TOO_LARGE, n=self._most)
            return
        # An upload takes as long as the network needs.
        seconds = self._guard.settings.seconds * (_UPLOADS_TAKE if self._upload else 1)
        timer = asyncio.get_running_loop().call_later(seconds, self._expire)
        here = HERE.set(self._span)
        try:
            await app(self._scope, self.receive, self.send)
        except Exception as error:
            # Nobody expected it. The log says where in the code it was and nothing of the case.
            LOGGER.error("failed", extra={"request": self.id, **where_it_failed(error)})
            if not self._status:
                unexpected = N_("an error that nobody expected")
                await self._say(500, unexpected, N_("request {id}"), id=self.id)
        finally:
            HERE.reset(here)
            timer.cancel()

    def _expire(self) -> None:
        """Answer in the application's place; what it says later is dropped."""
        settings = self._guard.settings
        if not self._status:
            hint = N_("At most {n:g} s; use a batch.")
            said = self._say(503, N_("the request took too long"), hint, n=settings.seconds)
            task = asyncio.ensure_future(said)
            self._span.over = True
            task.add_done_callback(lambda done: done.exception())

    async def _say(
        self, status: int, error: str, hint: str | None = None, **values: object
    ) -> None:
        answer = _refused(self._scope, status, error, hint, **values)
        await answer(self._scope, self._receive, self._pass)

    async def receive(self) -> Message:
        """A part of the body, as long as it is not too large."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._most:
                raise HTTPException(413, _(_TOO_LARGE, n=self._most))
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the application says, unless the time is over."""
        if not self._span.over:
            await self._pass(message)

    async def _pass(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            static = str(self._scope["path"]).startswith("/static/")
            own = [one for one in message.get("headers", ()) if one[0] not in _OURS]
            ours = _KEPT if static else _KEPT_NOWHERE
            message["headers"] = [*own, *ours, (b"x-request-id", self.id.encode())]
        elif message["type"] == "http.response.body":
            self._given += len(message.get("body", b""))
        await self._send(message)

    def close(self) -> None:
        """Count the request and write its line of the log."""
        metrics, spent = self._guard.metrics, time.perf_counter() - self._began
        scope = self._scope
        route = scope.get("route")
        if route is None:
            pattern = "/static" if scope["path"].startswith("/static/") else "other"
        else:
            pattern = str(route.path)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        metrics.active -= 1
        metrics.answered(method, pattern, self._status, spent)
        client = scope["client"][0] if scope.get("client") else None
        LOGGER.info(
            "request",
            extra={
                "request": self.id,
                "method": method,
                "route": pattern,
                "status": self._status,
                "ms": round(spent * 1000, 2),
                "bytes": self._given,
                "client": client,
            },
        )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
