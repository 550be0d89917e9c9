"""Make the catalogue of translations from the code: `make messages`.

New messages come in without a translation, those that the code no longer has go out, and the
compiled catalogue is written. The test of the catalogue says what is still to be translated.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import typer.main
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from typer.core import TyperGroup

from drgcore.cli.app import app
from drgcore.cli.lazy import help_texts

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
# The same messages give the same file, so the time of making is not in it.
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


def extracted() -> Catalog:
    """Every message that the code has: marked ones, help texts, headings and words of tables."""
    found = Catalog()
    for file in sorted(PACKAGE.rglob("*.py")):
        for message in messages_of(file.read_text(encoding="utf-8")):
            found.add(message)
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    for text in help_texts(root):
        found.add(text)
    for name in HEADINGS.read_text(encoding="utf-8").splitlines():
        found.add(name.replace("_", " "), context="heading")
    for name in WORDS.read_text(encoding="utf-8").splitlines():
        found.add(name, context="word")
    return found


def messages_of(source: str) -> Iterator[str]:
    """The literals of a module that `_` looks up or `N_` marks.

    The syntax tree finds those within the values of others, which babel's extraction passes over.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            first = node.args[0] if node.args else None
            if node.func.id in ("_", "N_") and isinstance(first, ast.Constant):
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
