"""What every request passes: host, origin, token, limits, headers, the log and the counts."""

from __future__ import annotations

import asyncio
import secrets
import time
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drgcore.language import use_language
from drgcore.serve.logs import LOGGER, where_it_failed
from drgcore.serve.metrics import Metrics
from drgcore.serve.sessions import COOKIE, Door
from drgcore.serve.settings import Settings
from drgcore.serve.views import language_of

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With no referrer at all, a browser says of a form's origin that it is none.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
# Without a token: whether the server lives, how it looks, and the door.
_OPEN = ("/health", "/login", "/static/")
_SAFE = ("GET", "HEAD", "OPTIONS")
UPLOADS = ("/batch",)
_UPLOADS_TAKE = 60


class Guard:
    """ASGI middleware around the whole application.

    Parameters
    ----------
    app : ASGI application
    settings : Settings
    door : Door
    metrics : Metrics
    """

    def __init__(self, app: ASGIApp, settings: Settings, door: Door, metrics: Metrics) -> None:
        self.app, self.settings, self.door, self.metrics = app, settings, door, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(self, scope, receive, send)
        refusal = self._refusal(scope)
        try:
            if refusal is not None:
                await refusal(scope, exchange.receive, exchange.send)
            else:
                # Threads that work on the request speak its language too.
                with use_language(language_of(Request(scope))):
                    await exchange.run(self.app)
        finally:
            exchange.close()

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that must not come in; None for one that may."""
        headers, path = Headers(scope=scope), str(scope["path"])
        hosts = self.settings.hosts
        if hosts and _name(f"//{headers.get('host', '')}") not in hosts:
            # A strange page may have its name lead to this machine (DNS rebinding).
            return _refused(421, "the server is not known by this name", "see --name")
        if scope["method"] not in _SAFE:
            origin = headers.get("origin")
            if origin is not None and urlsplit(origin).netloc != headers.get("host"):
                return _refused(403, "the request comes from another site's page", None)
        if self.door.open or path.startswith(_OPEN):
            return None
        client = scope["client"][0] if scope.get("client") else ""
        given = headers.get("authorization")
        if given is not None and self.door.blocked(client):
            return _refused(429, "too many wrong tokens", "wait a minute")
        if self.door.admits(given, cookie_of(headers)):
            return None
        if given is not None:
            self.door.failed(client)
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse(f"/login?next={quote(path)}", 303)
        answer = _refused(401, "the token is missing or wrong", "Authorization: Bearer …")
        answer.headers["www-authenticate"] = "Bearer"
        return answer


def cookie_of(headers: Headers) -> str | None:
    """The session's cookie, where a request has one."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _name(url: str) -> str:
    """The name of a host without its port."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _refused(status: int, error: str, hint: str | None) -> Response:
    return JSONResponse({"error": error, "hint": hint}, status)


class _Exchange:
    """One request and its answer."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard, self._scope, self._receive, self._send = guard, scope, receive, send
        self._began = time.perf_counter()
        self._taken = self._given = 0
        self._status = 0
        self._late = False
        upload = str(scope["path"]).startswith(UPLOADS)
        self._most = guard.settings.max_upload if upload else guard.settings.max_body
        self.id = secrets.token_hex(8)
        guard.metrics.active.inc()

    async def run(self, app: ASGIApp) -> None:
        """Let the application answer, within the time that there is."""
        length = Headers(scope=self._scope).get("content-length", "0")
        if length.isdigit() and int(length) > self._most:
            await self._say(413, "the body is too large", f"at most {self._most:,} bytes")
            return
        loop = asyncio.get_running_loop()
        # An upload takes as long as the network needs.
        upload = self._most == self._guard.settings.max_upload
        seconds = self._guard.settings.seconds * (_UPLOADS_TAKE if upload else 1)
        timer = loop.call_later(seconds, self._expire)
        try:
            await app(self._scope, self.receive, self.send)
        except Exception as error:
            # Nobody expected it. The log says where in the code it was and nothing of the case.
            LOGGER.error("failed", extra={"request": self.id, **where_it_failed(error)})
            if not self._status:
                await self._say(500, "an error that nobody expected", f"request {self.id}")
        finally:
            timer.cancel()

    def _expire(self) -> None:
        """Answer in the application's place; what it says later is dropped."""
        if not self._status:
            hint = f"at most {self._guard.settings.seconds:g} s; use a batch"
            task = asyncio.ensure_future(self._say(503, "the request took too long", hint))
            self._late = True
            task.add_done_callback(lambda done: done.exception())

    async def _say(self, status: int, error: str, hint: str) -> None:
        answer = _refused(status, error, hint)
        await answer(self._scope, self._receive, self._pass)

    async def receive(self) -> Message:
        """A part of the body, as long as it is not too large."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._most:
                raise HTTPException(413, f"the body is too large: at most {self._most:,} bytes")
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the application says, unless the time is over."""
        if not self._late:
            await self._pass(message)

    async def _pass(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers["x-request-id"] = self.id
            # What was asked about a case stays in no cache; files of the pages are asked for again.
            static = str(self._scope["path"]).startswith("/static/")
            headers["cache-control"] = "no-cache" if static else "no-store"
        elif message["type"] == "http.response.body":
            self._given += len(message.get("body", b""))
        await self._send(message)

    def close(self) -> None:
        """Count the request and write its line of the log."""
        metrics, spent = self._guard.metrics, time.perf_counter() - self._began
        route: Any = self._scope.get("route")
        static = "/static" if self._scope["path"].startswith("/static/") else "other"
        pattern = str(getattr(route, "path", static))
        method = self._scope["method"] if self._scope["method"] in _METHODS else "other"
        metrics.active.dec()
        metrics.requests.labels(method, pattern, str(self._status)).inc()
        metrics.seconds.labels(pattern).observe(spent)
        client = self._scope["client"][0] if self._scope.get("client") else None
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
