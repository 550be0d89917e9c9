"""What was seen in columns, in words for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from drgcore.cases.contents import Contents
from drgcore.language import N_, _

_MOST = 20
_SEEN = {
    "diagnosis": N_("{share} of {n:,} are diagnoses: {shown}"),
    "procedure": N_("{share} of {n:,} are procedures: {shown}"),
    "sex": N_("{share} of {n:,} are sexes: {shown}"),
}
_AGES = N_("{share} of {n:,} are ages: {shown}")


def overview(columns: Sequence[Contents]) -> str:
    """Columns with what they hold; those with most codes first."""
    named = {
        "diagnosis": _("diagnoses"),
        "procedure": _("procedures"),
        "sex": _("sexes"),
        "age": _("ages"),
    }
    lines = []
    for column in columns:
        parts = [f"{column.shares[k]:.0%} {w}" for k, w in named.items() if column.shares.get(k)]
        seen = ", ".join(parts) or _("nothing like these")
        lines.append((bool(parts), f"  {quoted(column.name)}: {seen}"))
    lines.sort(key=lambda line: not line[0])
    more = ["  " + _("… {count} more", count=len(lines) - _MOST)] if len(lines) > _MOST else []
    return "\n".join([line[1] for line in lines[:_MOST]] + more)


def seen_in(column: Contents, kind: str) -> str:
    """How much of a column is of a kind, and the commonest of it, after a colon."""
    if not column.filled:
        return ": " + _("empty")
    text, shown = _SEEN.get(kind, _AGES), ", ".join(column.examples[kind])
    return ": " + _(text, share=f"{column.shares[kind]:.0%}", n=column.filled, shown=shown)


def quoted(value: Any) -> str:
    """A value as a mapping file has it."""
    return json.dumps(value, ensure_ascii=False)
