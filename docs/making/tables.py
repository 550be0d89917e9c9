"""Tables of the page about file formats, from the program's own lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import get_args

import pyarrow as pa

from drgcore.budget.ledger_tables import ENTRY_COLUMNS, LINES, POLICY_COLUMNS
from drgcore.cases import CANONICAL_SCHEMA, LOCAL_SCHEMA
from drgcore.cases.columns import FRONT_PAGE_SCHEMA
from drgcore.cases.presets import PRESETS
from drgcore.grouper import REASONS
from drgcore.language import Language, use_language
from drgcore.schemes.model import TABLE_SCHEMAS

MARK = re.compile(r"^<!-- made: ([\w-]+) -->$", re.MULTILINE)
LAYOUTS = ("hqms", "n041", "chinese", "settlement-list")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---"] * len(list(head)), *map(list, rows)]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )


def _first(layout: str, name: str) -> str:
    """The heading of a layout that is looked for first; nothing where it has none."""
    preset = PRESETS[layout]
    spec = preset.get(name) or preset["front_page"].get(name) or ""
    return f"`{spec.removesuffix('?').split(' or ')[0].strip()}`" if spec else ""


def _columns(schema: pa.Schema) -> str:
    rows = []
    for field in schema:
        told = {key.decode(): value.decode() for key, value in field.metadata.items()}
        rows.append(
            [
                f"`{field.name}`",
                told["official_name"],
                told["meaning"],
                told["unit"],
                *(_first(layout, field.name) for layout in LAYOUTS),
            ]
        )
    return _table(["column", "ZYZD …", "", "unit", *(f"`{layout}`" for layout in LAYOUTS)], rows)


def _reasons() -> str:
    said = {}
    for language in get_args(Language):
        with use_language(language):
            said[language] = dict(REASONS)
    rows = ([f"`{code}`", f"{said['zh'][code]} {said['en'][code]}"] for code in REASONS)
    return _table(["reason", ""], rows)


def _ledger() -> str:
    of_entry = [("entry", ENTRY_COLUMNS), ("policy", POLICY_COLUMNS)]
    lines = [(name, ("entry", "line", *columns)) for name, columns in LINES.items()]
    return _table(
        ["table", "columns"],
        ([f"`{name}`", ", ".join(f"`{c}`" for c in columns)] for name, columns in of_entry + lines),
    )


def _scheme_tables() -> str:
    return _table(
        ["table", "columns"],
        (
            [f"`{name}`", ", ".join(f"`{field.name}` {field.type}" for field in schema)]
            for name, schema in TABLE_SCHEMAS.items()
        ),
    )


MADE: dict[str, Callable[[], str]] = {
    "grouping-columns": lambda: _columns(CANONICAL_SCHEMA),
    "local-columns": lambda: _columns(LOCAL_SCHEMA),
    "front-page-columns": lambda: _columns(FRONT_PAGE_SCHEMA),
    "reasons": _reasons,
    "ledger": _ledger,
    "scheme-tables": _scheme_tables,
}


def with_tables(text: str) -> str:
    """A page's text with each table in the place of its mark."""
    return MARK.sub(lambda found: MADE[found[1]](), text)
