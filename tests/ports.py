"""A port for a server that a test starts."""

from __future__ import annotations

import random
import socket

# Below those that a system gives to whoever asks for any, so that nobody gets it meanwhile.
_FIRST, _BEYOND = 10_000, 32_000


def free_port() -> int:
    """A port at which nothing listens, and which no other program is given by chance."""
    draw = random.SystemRandom()
    while True:
        with socket.socket() as place:
            port = draw.randrange(_FIRST, _BEYOND)
            try:
                place.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
