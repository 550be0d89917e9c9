"""The door: a page that takes the token and gives a cookie for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from drgcore.language import N_
from drgcore.serve.jobs.store import JobStore
from drgcore.serve.sessions import COOKIE, VISIT, Door
from drgcore.serve.threads import threads_of
from drgcore.serve.views import render

router = APIRouter(include_in_schema=False)

_SECONDS = 12 * 3600


@router.get("/login")
async def login_page(request: Request, next: str = "/") -> Response:
    """The page that asks for the token."""
    return render(request, "login.html", "Sign in", {"next": _inside(next), "wrong": None})


@router.post("/login")
async def login(
    request: Request, token: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    """Take the token; wrong ones are slowed down."""
    door: Door = request.app.state.door
    client = request.client.host if request.client else ""
    wrong, status = N_("The token is not right."), 403
    if door.blocked(client):
        wrong, status = N_("Too many attempts; wait a minute."), 429
    elif door.open or door.fits(token):
        answer = RedirectResponse(_inside(next), 303)
        if not door.open:
            answer.set_cookie(
                COOKIE,
                door.cookie(),
                max_age=_SECONDS,
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
            )
        return answer
    else:
        door.failed(client)
    return render(request, "login.html", "Sign in", {"next": _inside(next), "wrong": wrong}, status)


@router.post("/logout")
async def logout(request: Request) -> Response:
    """End the session: forget its cookies and remove what it uploaded and does not keep."""
    visit = request.cookies.get(VISIT)
    jobs: JobStore | None = request.app.state.jobs
    if visit and jobs is not None:
        await threads_of(request).short.run(jobs.end_visit, visit)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(VISIT, httponly=True, samesite="strict")
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _inside(path: str) -> str:
    """A path of this server; anything that leads elsewhere becomes the first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
