"""Make the catalogue of translations from the code: `make messages`.

New messages come in without a translation, those that the code no longer has go out, and the
compiled catalogue is written. The test of the catalogue says what is still to be translated.
"""

from __future__ import annotations

import ast
import asyncio
import io
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer.main
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from fastapi import FastAPI
from jinja2 import Environment
from jinja2.nodes import Call, Const, Name
from typer.core import TyperGroup

from drgcore.cli.app import app
from drgcore.cli.lazy import help_texts
from drgcore.serve import create_app
from drgcore.serve.described import texts_of
from drgcore.serve.tools import make_tools

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "drgcore"
PO = PACKAGE / "locale" / "zh" / "LC_MESSAGES" / "drgcore.po"
HEADINGS = PACKAGE / "locale" / "headings.txt"
WORDS = PACKAGE / "locale" / "words.txt"

_HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: zh\\n"

"""
_WIDTH = 100
_ARGUMENTS = {"_": 1, "N_": 1, "parameter": 2}
"""Function → how many of its first arguments are messages; a parameter has a unit too."""
_SAYING = ("report", "serve")
"""Rooms that speak a language of their own, by `say`."""
# The same messages give the same file, so the time of making is not in it.
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


def extracted() -> Catalog:
    """Every message that the code has: marked ones, help texts, headings and words of tables."""
    found = Catalog()
    for file in sorted(PACKAGE.rglob("*.py")):
        says = file.relative_to(PACKAGE).parts[0] in _SAYING
        for message in messages_of(file.read_text(encoding="utf-8"), says=says):
            found.add(message)
    for file in sorted(PACKAGE.rglob("*.html")):
        for message in messages_of_page(file.read_text(encoding="utf-8")):
            found.add(message)
    for name in titles_of((PACKAGE / "report" / "columns.py").read_text(encoding="utf-8")):
        found.add(name, context="column")
    for preset in sorted((PACKAGE / "points" / "presets").glob("*.toml")):
        for text in told_by(tomllib.loads(preset.read_text(encoding="utf-8"))):
            found.add(text)
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    for text in help_texts(root):
        found.add(text)
    texts, names = api_texts()
    for text in texts:
        found.add(text)
    for name in (*names, *HEADINGS.read_text(encoding="utf-8").splitlines()):
        found.add(name.replace("_", " "), context="heading")
    for name in WORDS.read_text(encoding="utf-8").splitlines():
        found.add(name, context="word")
    return found


def messages_of(source: str, *, says: bool = False) -> Iterator[str]:
    """The literals of a module that `_` looks up or `N_` marks, and descriptions of parameters.

    The syntax tree finds those within the values of others, which babel's extraction passes over.
    """
    known = _ARGUMENTS | ({"say": 1, "_say": 1} if says else {})
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            sources = [k.value for k in node.keywords if (name, k.arg) == ("parameter", "source")]
            for argument in (*node.args[: known.get(name, 0)], *sources):
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def titles_of(source: str) -> Iterator[str]:
    """The headings of a report's columns."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Column":
            title = node.args[1]
            if isinstance(title, ast.Constant) and title.value:
                yield title.value


def api_texts() -> tuple[list[str], list[str]]:
    """What the API and the tools say of themselves, and the names of their fields."""
    described: list[dict[str, Any]] = [FastAPI.openapi(create_app())]
    for tool in asyncio.run(make_tools().list_described()):
        described += [{"description": tool.description}, tool.input_schema]
    every = [texts_of(one) for one in described]
    return [t for texts, _ in every for t in texts], [n for _, names in every for n in names]


def told_by(preset: dict[str, Any]) -> Iterator[str]:
    """What a preset says in words: its title and region, its sources, what they state, what not."""
    texts = [preset.get(name, "") for name in ("title", "region", "source")]
    texts += [*preset.get("states", ()), *preset.get("fill_in", ())]
    texts += preset.get("articles", {}).values()
    for source in preset.get("sources", ()):
        texts += [source["document"], *source.get("states", ())]
    yield from (text for text in texts if re.search("[A-Za-z]{2}", text))


def messages_of_page(template: str) -> Iterator[str]:
    """The literals of a template that its `say` says."""
    for call in Environment().parse(template).find_all(Call):
        first = call.args[0] if call.args else None
        if isinstance(call.node, Name) and call.node.name == "say" and isinstance(first, Const):
            yield first.value


def updated(old: Catalog, new: Catalog) -> Catalog:
    """The messages of the code with the translations that there are, in the order of the texts."""
    catalogue = Catalog(
        locale="zh", domain="drgcore", fuzzy=False, creation_date=_ALWAYS, revision_date=_ALWAYS
    )
    for message in sorted(new, key=_order):
        if message.id:
            known = old.get(message.id, message.context)
            string = known.string if known else ""
            # The message as it is: babel would take some for formats of `%`.
            catalogue.add(message.id, string, context=message.context).flags.clear()
    return catalogue


def _order(message: Message) -> tuple[str, str]:
    return str(message.context or ""), str(message.id)


def read(path: Path = PO) -> Catalog:
    """The catalogue as it stands."""
    with path.open("rb") as file:
        return read_po(file, locale="zh", domain="drgcore", abort_invalid=True)


def as_po(catalogue: Catalog) -> bytes:
    """A catalogue as the text that people edit."""
    text = io.BytesIO()
    write_po(text, catalogue, width=_WIDTH, omit_header=True)
    return _HEAD.encode() + text.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """A catalogue as the file that gettext reads."""
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    return compiled.getvalue()


def main() -> None:
    """Update the catalogue and say what is to be translated."""
    catalogue = updated(read(), extracted())
    PO.write_bytes(as_po(catalogue))
    PO.with_suffix(".mo").write_bytes(as_mo(catalogue))
    untranslated = [message for message in catalogue if message.id and not message.string]
    print(f"{len(catalogue)} messages, {len(untranslated)} of them without a translation")


if __name__ == "__main__":
    main()
