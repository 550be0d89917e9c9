"""What the calls of the interface say of themselves, in the language that is spoken.

The OpenAPI document and the schemas of the tools are made from docstrings and descriptions, which
are messages of the catalogue. Keys, paths and names are the same in both languages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from drgcore.language import Language, _, get_language, heading

_TEXTS = frozenset({"summary", "description"})
# What stands below these are names with what is called so, and values of data.
_NAMED = frozenset({"$defs", "content", "patternProperties", "paths", "responses", "schemas"})
_DATA = frozenset({"const", "default", "enum", "example", "examples", "required"})

_Text = Callable[[str], str]


class Refusal(BaseModel):
    """Why a call was not answered."""

    error: str = Field(description="what is wrong")
    where: str | None = Field(None, description="in which file, sheet, row or parameter")
    hint: str | None = Field(None, description="what to do")


ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": said}
    for status, said in (
        (400, "What is asked cannot be done; the answer says what is wrong, where, what to do."),
        (401, "The token is missing or wrong."),
        (403, "The request comes from another site's page."),
        (413, "The body, or the number of its cases, is too large."),
        (421, "The server is not known by this name."),
        (422, "The form of the request is wrong; the answer says in which fields."),
        (429, "There were too many wrong tokens; wait a minute."),
        (500, "Nobody expected the error; the log names the place in the code."),
        (503, "It took too long, or the server is busy with what took too long."),
    )
}
"""The answers of every call that is refused."""


class Api(FastAPI):
    """The application, whose OpenAPI document is in the language that is spoken."""

    def openapi(self) -> dict[str, Any]:
        """Give the document.

        Examples
        --------
        >>> from drgcore.language import use_language
        >>> api = Api(title="drgcore", version="1", description="Whether the server lives.")
        >>> with use_language("zh"):
        ...     api.openapi()["info"]["description"]
        '服务器是否在运行。'
        """
        kept: dict[Language, dict[str, Any]] = self.__dict__.setdefault("_spoken", {})
        language = get_language()
        if language not in kept:
            kept[language] = spoken(super().openapi())
        return kept[language]


def spoken(described: dict[str, Any]) -> dict[str, Any]:
    """Give an OpenAPI document, or a JSON schema, in the language that is spoken.

    Parameters
    ----------
    described : dict
        In English, as the framework makes it.

    Returns
    -------
    dict
        Its copy. The title of a field is the heading of its name; other titles, which the framework
        makes of names of the code, are left out.

    Examples
    --------
    >>> from drgcore.language import use_language
    >>> field = {"title": "Sex", "description": "1 or 男, 2 or 女", "enum": [1, 2]}
    >>> with use_language("zh"):
    ...     spoken({"title": "Case", "properties": {"sex": field}})
    {'properties': {'sex': {'title': '性别', 'description': '1 或男，2 或女', 'enum': [1, 2]}}}
    """
    told: dict[str, Any] = _told(described, _, heading)
    return told


def texts_of(described: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Give the texts for people that a document or a schema has, and the names of its fields.

    Parameters
    ----------
    described : dict

    Returns
    -------
    texts, names : list of str
        In their order; the same may come again.

    Examples
    --------
    >>> texts_of({"description": "One.", "properties": {"sex": {"title": "Sex"}}})
    (['One.'], ['sex'])
    """
    texts: list[str] = []
    names: list[str] = []

    def kept(text: str) -> str:
        texts.append(text)
        return text

    def named(name: str) -> str:
        names.append(name)
        return name

    _told(described, kept, named)
    return texts, names


def _told(node: Any, text: _Text, name: _Text) -> Any:
    if isinstance(node, list):
        return [_told(part, text, name) for part in node]
    if not isinstance(node, dict):
        return node
    told: dict[str, Any] = {}
    for key, part in node.items():
        if key == "info":
            # The title is the name of the program.
            told[key] = {**part, "description": text(part["description"])}
        elif key in _TEXTS:
            told[key] = text(part)
        elif key in _DATA:
            told[key] = part
        elif key in _NAMED:
            told[key] = {one: _told(below, text, name) for one, below in part.items()}
        elif key == "properties":
            told[key] = dict(_fields(part, text, name))
        elif key == "schema" and "in" in node:
            told[key] = _field(node["name"], part, text, name)
        elif key != "title":
            told[key] = _told(part, text, name)
    return told


def _fields(fields: dict[str, Any], text: _Text, name: _Text) -> Iterator[tuple[str, Any]]:
    for one, schema in fields.items():
        yield one, _field(one, schema, text, name)


def _field(of: str, schema: Any, text: _Text, name: _Text) -> dict[str, Any]:
    return {"title": name(of), **_told(schema, text, name)}
