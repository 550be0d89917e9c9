"""The server process: uvicorn around the application, with a stop that lets requests end."""

from __future__ import annotations

import logging
import os
import socket

import uvicorn

from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.serve.app import create_app
from drgcore.serve.logs import start_log
from drgcore.serve.settings import Settings

_SECONDS_TO_END = 20


def run(settings: Settings) -> None:
    """Serve until the process is told to stop (SIGTERM, SIGINT); requests at work may end.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    DrgcoreError
        The address is taken or may not be listened at; the folder of batches cannot be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    place = socket.socket(family)
    if os.name == "posix":
        # A server that was stopped a moment ago does not keep its successor from the address.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((settings.host, settings.port))
    except OSError as error:
        raise DrgcoreError(
            _(
                "cannot listen at {host}:{port}: {why}",
                host=settings.host,
                port=settings.port,
                why=error.strerror,
            ),
            hint=_("Is a server running already? Give another --port."),
        ) from None
    start_log()
    app = create_app(settings)
    # What kept it from starting is raised here, not logged with a traceback.
    logging.getLogger("uvicorn.error").addFilter(lambda _: app.state.failure is None)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=_SECONDS_TO_END,
        # Whose address a proxy tells is believed only of a proxy on this machine.
        forwarded_allow_ips="127.0.0.1",
    )
    try:
        uvicorn.Server(config).run(sockets=[place])
    finally:
        if app.state.failure is not None:
            # In the place of an exit that says nothing.
            raise app.state.failure
