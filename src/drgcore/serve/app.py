"""`create_app`: the application, put together from its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response

from drgcore.errors import DrgcoreError
from drgcore.grouper.extras import program_version
from drgcore.language import N_, _
from drgcore.serve import login
from drgcore.serve.calls.library import Library
from drgcore.serve.cube import Cubes
from drgcore.serve.described import ANSWERS, Api
from drgcore.serve.guard import Guard
from drgcore.serve.metrics import CONTENT_TYPE, Metrics
from drgcore.serve.pages import CALLS, PAGES, dashboard
from drgcore.serve.pages.batch import batches
from drgcore.serve.quick import Quick
from drgcore.serve.sessions import Door, Visits
from drgcore.serve.settings import Settings
from drgcore.serve.shelf import Shelf
from drgcore.serve.threads import Threads
from drgcore.serve.trials import Trials
from drgcore.serve.views import Speaking, render, wants_html
from drgcore.serve.ward import Ward
from drgcore.validation import words_of

_ABOUT = (
    "CHS-DRG grouping and point-based payment. Codes are of the insurance version (医保版). "
    "Nothing of a case is kept or logged; a batch is kept until it is removed or expires. With "
    "?lang=zh or ?lang=en any call is answered in Chinese or English."
)
_OF_THE_FRAMEWORK = (N_("Not Found"), N_("Method Not Allowed"))


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    settings : Settings, optional
        By default those of a server on this machine alone, without data folders.

    Returns
    -------
    FastAPI
        An ASGI application; ``drgcore serve`` runs it.

    Examples
    --------
    >>> from fastapi.testclient import TestClient
    >>> client = TestClient(create_app(), base_url="http://localhost")
    >>> client.get("/health").json()["status"]
    'ok'
    """
    settings = settings or Settings()
    app = Api(
        title="drgcore",
        version=program_version(),
        description=_ABOUT,
        # The documentation that FastAPI brings loads scripts from another machine.
        docs_url=None,
        redoc_url=None,
        responses=ANSWERS,
        lifespan=_lifespan,
    )
    state = app.state
    state.settings, state.version = settings, program_version()
    state.health = {"status": "ok", "version": state.version}
    state.library = Library(settings.data)
    state.door, state.metrics = Door(settings.token), Metrics()
    state.visits = Visits(settings.idle_hours * 3600)
    state.threads = Threads()
    state.failure = None
    # The store of batches is there while the application runs.
    state.jobs = None
    state.ward = None if settings.in_house is None else Ward(settings.in_house)
    state.cubes = Cubes(dashboard.figures)
    state.trials = Trials(Shelf(settings.data, settings.ledgers))
    state.menu = [entry for views in PAGES for entry in views.menu]
    for router in (login.router, *CALLS, *(views.router for views in PAGES)):
        app.include_router(router)
    app.add_api_route("/health", _health, tags=["server"], summary="Health")
    app.add_api_route(
        *("/metrics", _metrics),
        tags=["server"],
        summary="Counts",
        response_class=PlainTextResponse,
        name="metrics",
    )
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.add_exception_handler(DrgcoreError, _on_known)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    # The one that is added last is passed first.
    app.add_middleware(Speaking)
    app.add_middleware(Quick, state=state)
    app.add_middleware(
        Guard, settings=settings, door=state.door, visits=state.visits, metrics=state.metrics
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        async with batches(app):
            yield
    except DrgcoreError as error:
        # The process that runs the application says it in a sentence.
        app.state.failure = error
        raise


async def _health(request: Request) -> dict[str, str]:
    """Whether the server lives."""
    health: dict[str, str] = request.app.state.health
    return health


async def _metrics(request: Request) -> Response:
    """Counts of this process in Prometheus's text format."""
    return PlainTextResponse(request.app.state.metrics.text(), media_type=CONTENT_TYPE)


def _error(request: Request, status: int, told: dict[str, Any]) -> Response:
    if "x-fragment" in request.headers:
        return render(request, "error_box.html", N_("That did not work"), told, status)
    if wants_html(request):
        missing = status == 404
        title = N_("There is no such page") if missing else N_("That did not work")
        return render(request, "error.html", title, told, status)
    return JSONResponse(told, status)


async def _on_known(request: Request, error: Exception) -> Response:
    """What drgcore refuses on purpose: it says what is wrong, where, and what to do."""
    assert isinstance(error, DrgcoreError)
    told = {"error": error.message, "where": error.where, "hint": error.hint}
    return _error(request, 400, told)


async def _on_invalid(request: Request, error: Exception) -> Response:
    """A request of a wrong form: where, without repeating what was sent."""
    assert isinstance(error, RequestValidationError)
    told = [
        f"{'.'.join(str(part) for part in one['loc'])}: {words_of(one)}" for one in error.errors()
    ]
    return _error(request, 422, {"error": "; ".join(told[:5]), "where": None, "hint": None})


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = {"error": _(error.detail), "where": None, "hint": None}
    answer = _error(request, error.status_code, told)
    answer.headers.update(error.headers or {})
    return answer
