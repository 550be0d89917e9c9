"""Who uses the server: the token and its cookie, attempts to guess it, browsers that are there."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

COOKIE = "drgcore_session"
VISIT = "drgcore_visit"
_SECONDS = 12 * 3600
_ATTEMPTS = 5
_WINDOW = 60.0
_MOST_CLIENTS = 10_000
_MOST_VISITS = 100_000
_A_VISIT = re.compile(r"[0-9a-f]{32}")


class Door:
    """Checks tokens and cookies in constant time and slows those down who guess.

    Parameters
    ----------
    token : str or None
        Without a token everybody may enter.
    clock : callable, optional
        Seconds since the epoch.

    Examples
    --------
    >>> door = Door("a token that is long")
    >>> door.admits("Bearer a token that is long", None), door.admits("Bearer another", None)
    (True, False)
    >>> door.admits(None, door.cookie()), door.admits(None, "9999999999.forged")
    (True, False)
    """

    def __init__(self, token: str | None, clock: Callable[[], float] = time.time) -> None:
        self._token = None if token is None else token.encode()
        self._clock = clock
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    @property
    def open(self) -> bool:
        """Whether there is no token."""
        return self._token is None

    def admits(self, authorization: str | None, cookie: str | None) -> bool:
        """Whether a request with this header or this cookie may enter."""
        if self._token is None:
            return True
        if authorization is not None:
            scheme, _, given = authorization.partition(" ")
            return scheme.lower() == "bearer" and self.fits(given.strip())
        return cookie is not None and self._signed(cookie)

    def fits(self, given: str) -> bool:
        """Whether this is the token; compared in constant time."""
        digests = (hashlib.sha256(t).digest() for t in (given.encode(), self._token or b""))
        return self._token is not None and hmac.compare_digest(*digests)

    def cookie(self) -> str:
        """A value that stands for the token until it expires; nothing is kept for it."""
        until = str(int(self._clock()) + _SECONDS)
        return f"{until}.{self._sign(until)}"

    def blocked(self, client: str) -> bool:
        """Whether a client has failed too often within the last minute."""
        return len(self._recent(client)) >= _ATTEMPTS

    def failed(self, client: str) -> None:
        """Remember that a client gave a wrong token."""
        self._failures[client] = [*self._recent(client), self._clock()]
        self._failures.move_to_end(client)
        while len(self._failures) > _MOST_CLIENTS:
            self._failures.popitem(last=False)

    def _recent(self, client: str) -> list[float]:
        now = self._clock()
        # What lies ahead is from before the clock was set back.
        return [at for at in self._failures.get(client, ()) if now - _WINDOW < at <= now]

    def _sign(self, text: str) -> str:
        return hmac.new(self._token or b"", f"session {text}".encode(), hashlib.sha256).hexdigest()

    def _signed(self, cookie: str) -> bool:
        until, _, signature = cookie.partition(".")
        genuine = hmac.compare_digest(signature.encode(), self._sign(until).encode())
        return genuine and until.isdigit() and int(until) > self._clock()


class Visits:
    """Which browsers are there, so that what one uploaded can be removed when it is gone.

    A visit begins with the first page and is over when nothing was asked for so long. It gives no
    rights: it is a number that a browser repeats.

    Parameters
    ----------
    idle_seconds : float
        [s]
    clock : callable, optional
        Seconds since the epoch.

    Examples
    --------
    >>> now = [0.0]
    >>> visits = Visits(3600, lambda: now[0])
    >>> visit = visits.new()
    >>> now[0] = 3000
    >>> visits.seen(visit)
    >>> now[0] = 6000
    >>> visits.over(visit), visits.over("of before the server's start")
    (False, True)
    """

    def __init__(self, idle_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._idle, self._clock = idle_seconds, clock
        # One that was begun before the server was is given its time anew.
        self._began = clock()
        self._last: OrderedDict[str, float] = OrderedDict()

    def new(self) -> str:
        """The number of a visit that begins."""
        visit = secrets.token_hex(16)
        self.seen(visit)
        return visit

    def seen(self, visit: str | None) -> None:
        """Something was asked in a visit; what is no number of one is nobody's."""
        if visit is None or not _A_VISIT.fullmatch(visit):
            return
        self._last[visit] = self._clock()
        self._last.move_to_end(visit)
        while len(self._last) > _MOST_VISITS:
            self._last.popitem(last=False)

    def over(self, visit: str) -> bool:
        """Whether a visit is over."""
        return self._clock() - self._last.get(visit, self._began) > self._idle
