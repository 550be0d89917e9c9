"""The parameters of a policy as tables: meaning, unit, whether it is asked for, source."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from drgcore.language import N_, _
from drgcore.points.bands import Bands
from drgcore.points.policy_parameters import PolicyParameters

_HEAD = (N_("parameter"), N_("meaning"), N_("unit"), N_("if left out"), N_("source"))


def parameter_sections() -> dict[str, type[BaseModel]]:
    """Name every section of a policy file with the model of its parameters.

    Returns
    -------
    dict of str to type
        ``outliers.high`` is a table, ``[[bed_day]]`` one of a list, ``hospitals.NAME`` one of any
        name; where a section has several forms, the value that chooses one stands behind it.

    Examples
    --------
    >>> [name for name in parameter_sections() if name.startswith("outliers")]
    ['outliers', 'outliers.high', 'outliers.high.quota', 'outliers.low']
    """
    return dict(_walk("", PolicyParameters))


def parameter_table(section: str) -> str:
    """Write the parameters of a section as a table in Markdown.

    Parameters
    ----------
    section : str
        One of `parameter_sections`.

    Returns
    -------
    str
        The table: name, meaning, unit, what holds if it is left out, source.

    Examples
    --------
    >>> print(parameter_table("costs").splitlines()[2][:60])
    | `unreasonable` | whether U, cost found unreasonable, is de
    """
    rows = [tuple(map(_, _HEAD)), ("---",) * len(_HEAD)]
    for name, field in parameter_sections()[section].model_fields.items():
        facts: Any = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        said = (
            *(field.description or "", facts.get("unit", ""), _default(field)),
            facts.get("source", ""),
        )
        values = (f"`{name}`", *(_(text) if text else "" for text in said))
        rows.append(tuple(str(value).replace("|", "\\|") for value in values))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def section_tables(top: str) -> str:
    """Write the tables of a part of the policy file and of all sections below it.

    Parameters
    ----------
    top : str
        Name of the part, for example ``outliers``; ``(top)`` for what stands before all parts.

    Returns
    -------
    str
        Markdown: each section's name over its table; a section with the parameters of one that
        stands before it names that one.

    Examples
    --------
    >>> print(section_tables("rounding").splitlines()[0])
    **`rounding`**
    """
    parts, shown = [], dict[type[BaseModel], str]()
    for section, model in parameter_sections().items():
        first = shown.setdefault(model, section)
        if _top(section) != top:
            continue
        if first != section:
            parts.append(
                _("**`{section}`** has the parameters of `{first}`.", section=section, first=first)
            )
        else:
            parts.append(f"**`{section}`**\n\n{parameter_table(section)}")
    return "\n\n".join(parts)


def parts_of_policy() -> list[str]:
    """Name the parts of a policy file that have parameters of their own, in order.

    Returns
    -------
    list of str
        ``(top)`` first.

    Examples
    --------
    >>> parts_of_policy()[:3]
    ['(top)', 'sources', 'base_points']
    """
    return list(dict.fromkeys(map(_top, parameter_sections())))


def _top(section: str) -> str:
    return section if section == "(top)" else section.strip("[]").split(".")[0].split("]")[0]


def _walk(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path or "(top)", model
    for name, field in model.model_fields.items():
        inner = f"{path}.{name}" if path else name
        inner = inner.replace("[[", "").replace("]]", "")
        found = list(_models(field.annotation))
        kind = _container(field.annotation)
        shown = {"list": f"[[{inner}]]", "dict": f"{inner}.NAME", "": inner}[kind]
        for each in found:
            tag = each.model_fields.get("method") if len(found) > 1 else None
            form = f" (method = {get_args(tag.annotation)[0]})" if tag is not None else ""
            if len(found) > 1 and tag is None:
                form = f" ({each.__name__})"
            yield from _named(f"{shown}{form}", inner, each, kind)


def _named(
    shown: str, inner: str, model: type[BaseModel], kind: str
) -> Iterator[tuple[str, type[BaseModel]]]:
    below = f"{inner}.NAME" if kind == "dict" else inner
    for place, (_name, each) in enumerate(walked := list(_walk(below, model))):
        name = shown if place == 0 else walked[place][0]
        yield name, each


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation is not Bands:
            yield annotation
        return
    for inner in get_args(annotation):
        yield from _models(inner)


def _container(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is tuple:
        return "list"
    if origin is dict:
        return "dict"
    inside = [_container(inner) for inner in get_args(annotation)]
    return next((kind for kind in inside if kind), "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return N_("asked for")
    value = field.default
    if value is PydanticUndefined or value is None or value in ((), {}, ""):
        return "—"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, BaseModel):
        return N_("its defaults")
    return str(value).lower() if isinstance(value, bool) else str(value)
