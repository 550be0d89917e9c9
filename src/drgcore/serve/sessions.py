"""Who may use the server: the token, the cookie that stands for it, attempts to guess it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable

COOKIE = "drgcore_session"
_SECONDS = 12 * 3600
_ATTEMPTS = 5
_WINDOW = 60.0
_MOST_CLIENTS = 10_000


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
