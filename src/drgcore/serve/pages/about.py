"""The first page, and the description of the interface for programs."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from drgcore.language import N_
from drgcore.serve.views import Views

views = Views()


@views.page("/", "home.html", "Workbench")
def home() -> dict[str, str]:
    """The first page."""
    return {"name": "drgcore"}


@views.page("/docs", "docs.html", N_("API"), menu=True)
def docs(request: Request) -> list[dict[str, Any]]:
    """The calls of the interface: method, path, what each does and takes."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "summary": call.get("description") or call.get("summary", ""),
            "takes": [parameter["name"] for parameter in call.get("parameters", ())],
            "body": list(call.get("requestBody", {}).get("content", ())),
        }
        for path, methods in request.app.openapi()["paths"].items()
        for method, call in methods.items()
    ]
