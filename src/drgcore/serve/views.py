"""A page and its data from one function: JSON for programs, HTML for browsers.

How a page is added
-------------------
1. A function in a module of `serve/pages/` takes its query parameters and gives plain data: a
   mapping, a dataclass or a pydantic model.
2. `@views.page("/path", "template.html", "Title")` makes it ``GET /path`` (JSON, or HTML where the
   browser asks for a page) and ``GET /path.json`` (JSON in any case).
   `@views.fragment("/path", "fragment.html", "Title")` does the same for ``POST``: a part of a page
   that a script asks for and puts into it.
3. The template in `serve/templates/` extends ``frame.html``; it gets what the function gave as
   ``data``, and ``say``, ``lang``, ``path``, ``settings``. Every text goes through ``say`` and
   stands in `wording.py` (its test fails on one that is missing).
4. The page's module has ``views = Views()`` and stands in `serve/pages/__init__.py`. A page with
   ``menu=True`` is in the menu.
5. Styles stand in ``static/workbench.css``, scripts are ES modules in ``static/``; there is no
   inline style or script, since the content security policy refuses them.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import jinja2
from fastapi import APIRouter, Depends, Request
from fastapi.encoders import jsonable_encoder
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from drgcore.language import get_language, use_language
from drgcore.serve.calls.library import Library
from drgcore.serve.sessions import VISIT
from drgcore.serve.settings import LANGUAGES, Language
from drgcore.serve.tables import FILTERS, TESTS
from drgcore.serve.threads import threads_of
from drgcore.serve.wording import preferred, speaker

LANGUAGE_COOKIE = "drgcore_lang"

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FOLDER = Path(__file__).parent

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""The templates; a name that nothing gave is an error."""
TEMPLATES.filters |= FILTERS
TEMPLATES.tests |= TESTS


@dataclasses.dataclass(frozen=True)
class Entry:
    """A page in the menu: its path and its title (a key of `wording.WORDS`)."""

    path: str
    title: str


async def _library(request: Request) -> Library:
    library: Library = request.app.state.library
    return library


LibraryGiven = Annotated[Library, Depends(_library)]
"""A parameter that gets what the server knows by name."""


class Views:
    """The views of one module, and their entries in the menu.

    Examples
    --------
    >>> views = Views()
    >>> @views.page("/three", "page.html", "Home", menu=True)
    ... def three() -> dict[str, int]:
    ...     '''A number.'''
    ...     return {"number": 3}
    >>> views.menu
    [Entry(path='/three', title='Home')]
    """

    def __init__(self) -> None:
        self.router = APIRouter()
        self.menu: list[Entry] = []

    def page(
        self, path: str, template: str, title: str, *, menu: bool = False, long: bool = False
    ) -> Callable[[_Function], _Function]:
        """Make a function the page at `path`, and its JSON; one that may take `long` says so."""
        if menu:
            self.menu.append(Entry(path, title))
        return self._view("GET", path, template, title, page=True, long=long)

    def fragment(
        self, path: str, template: str, title: str, *, long: bool = False
    ) -> Callable[[_Function], _Function]:
        """Make a function what ``POST path`` answers: JSON, or a part of a page."""
        return self._view("POST", path, template, title, page=False, long=long)

    def _view(
        self, method: str, path: str, template: str, title: str, *, page: bool, long: bool
    ) -> Callable[[_Function], _Function]:
        def decorate(function: _Function) -> _Function:
            def answer(request: Request, data: Any, html: bool) -> Response:
                if html:
                    return render(request, template, title, data)
                return JSONResponse(jsonable_encoder(data), headers={"vary": "Accept"})

            both = _endpoint(function, lambda r, data: answer(r, data, wants_html(r)), long)
            kind: Any = {200: {"content": {"text/html": {}, "application/json": {}}}}
            if page and path != "/":
                # First: a name at the end of a path may have dots.
                only = _endpoint(function, lambda r, data: answer(r, data, False), long)
                self.router.add_api_route(f"{path}.json", only, include_in_schema=False)
            self.router.add_api_route(
                *(path, both),
                methods=[method],
                summary=title,
                responses=kind,
                name=function.__name__,
            )
            return function

        return decorate


def _endpoint(
    function: Callable[..., Any], answer: Callable[[Request, Any], Response], long: bool
) -> Callable[..., Any]:
    """A function that FastAPI calls with the request and what `function` takes."""
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    taken = [
        p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for p in signature.parameters.values()
    ]
    # FastAPI gives the request to one parameter alone: the function's own, where it has one.
    asked = next((p.name for p in taken if p.annotation is Request), None)
    request = inspect.Parameter(
        asked or "_request", inspect.Parameter.KEYWORD_ONLY, annotation=Request
    )
    parameters = taken if asked else [request, *taken]

    @wraps(function)
    async def called(**given: Any) -> Response:
        of = given[request.name] if asked else given.pop(request.name)
        threads = threads_of(of)
        lane = threads.long if long else threads.short
        data = await lane.run(function, **given)
        return await lane.run(answer, of, data)

    del called.__wrapped__
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    return called


def wants_html(request: Request) -> bool:
    """Whether a request is a browser's, which asks for HTML before anything else."""
    return request.headers.get("accept", "").lstrip().startswith("text/html")


def language_of(request: Request) -> Language:
    """The language of an answer: as asked for, as chosen before, as the server's, the browser's."""
    settings = request.app.state.settings
    wishes = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE), settings.lang)
    for wish in wishes:
        if wish in LANGUAGES:
            return wish
    liked = request.headers.get("accept-language")
    # A program that says nothing is answered in the language of the process.
    return preferred(liked) if liked else get_language()


class Speaking:
    """ASGI middleware: what works on a request, in whatever thread, speaks its language.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with use_language(language_of(Request(scope))):
            await self.app(scope, receive, send)


def render(
    request: Request, template: str, title: str, data: Any, status: int = 200
) -> HTMLResponse:
    """A template with its data as an answer in the language of the request."""
    lang = language_of(request)
    state = request.app.state
    html = TEMPLATES.get_template(template).render(
        data=data,
        title=title,
        lang=lang,
        say=speaker(lang),
        path=request.url.path,
        menu=state.menu,
        settings=state.settings,
        version=state.version,
    )
    answer = HTMLResponse(html, status, headers={"vary": "Accept, Accept-Language, Cookie"})
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, lang, max_age=31_536_000, httponly=True, samesite="lax")
    if VISIT not in request.cookies:
        # A browser's session, by which it is known when what it uploaded is to be removed.
        secure = request.url.scheme == "https"
        answer.set_cookie(
            VISIT, state.visits.new(), httponly=True, samesite="strict", secure=secure
        )
    return answer
