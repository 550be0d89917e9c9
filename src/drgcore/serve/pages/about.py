"""The description of the interface for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import Request

from drgcore.language import N_, _
from drgcore.serve.described import ANSWERS
from drgcore.serve.views import Views

views = Views()

Row = dict[str, str]


@views.page("/docs", "docs.html", N_("API"), menu=True)
def docs(request: Request) -> dict[str, Any]:
    """The calls of the interface: what each does, takes and answers; what refusals mean."""
    document = request.app.openapi()
    return {
        "about": document["info"]["description"],
        "calls": [
            {
                "method": method.upper(),
                "path": path,
                "title": call["summary"],
                "about": call["description"],
                "kinds": list(call.get("requestBody", {}).get("content", ())),
                "takes": [*_parameters(call), *_fields(call, document)],
                # What any call may answer stands once.
                "answers": [
                    {"status": int(status), "about": answer["description"]}
                    for status, answer in call["responses"].items()
                    if int(status) not in ANSWERS
                ],
            }
            for path, methods in document["paths"].items()
            for method, call in methods.items()
        ],
        "answers": [
            {"status": status, "about": _(answer["description"])}
            for status, answer in ANSWERS.items()
        ],
    }


def _parameters(call: dict[str, Any]) -> Iterator[Row]:
    for parameter in call.get("parameters", ()):
        yield _taken(parameter["name"], parameter["in"], parameter["schema"], parameter)


def _fields(call: dict[str, Any], document: dict[str, Any]) -> Iterator[Row]:
    """The fields of the body, where it has some."""
    for content in call.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for name, field in schema.get("properties", {}).items():
            yield _taken(name, "body", field, field)


def _taken(name: str, where: str, schema: dict[str, Any], described: dict[str, Any]) -> Row:
    return {
        "name": name,
        "in": where,
        "title": schema["title"],
        "about": described["description"],
    }
