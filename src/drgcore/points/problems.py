"""What is wrong with a policy file, or still empty in it, by path and in words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from drgcore.errors import PolicyError
from drgcore.language import _
from drgcore.validation import words_of

ASKED = "?"
"""What a file has in place of a parameter that it asks for in any case."""


@dataclass(frozen=True)
class Problem:
    """One fault of a policy.

    Parameters
    ----------
    path : str
        Where: keys of the file joined by dots, list items counted from 1.
    message : str
        What is wrong, or what is asked for.
    missing : bool
        Whether the parameter is not filled in, rather than wrong.
    """

    path: str
    message: str
    missing: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def problems_of(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[Problem]:
    """Translate pydantic's findings into problems with meaning, unit and source.

    Parameters
    ----------
    error : pydantic.ValidationError
        The findings.
    model : type
        The model that was validated.
    prefix : str
        Put before every path.

    Returns
    -------
    list of Problem
        In the order of the file's model; one for each path and message.

    Examples
    --------
    >>> from drgcore.points.fund_rules import PoolBudget
    >>> try:
    ...     PoolBudget.model_validate({"prepayment": 1.5})
    ... except ValidationError as error:
    ...     for problem in problems_of(error, PoolBudget, "budget.pools.resident")[:1]:
    ...         print(problem)
    budget.pools.resident.budget: not filled in: A, the fund's budget of the year; or \
a pool without budget has a value [yuan]
    """
    found: dict[Problem, None] = {}
    asked: list[str] = []
    for item in error.errors(include_url=False):
        loc = list(item["loc"])
        if ASKED in (item.get("input"), item.get("ctx", {}).get("tag")):
            asked.append(_walk(model, loc)[0])  # `asked_for` asks for it
            continue
        missing = item["type"] in ("missing", "asked")
        if item["type"] == "too_short" and any(
            path.startswith(_walk(model, loc)[0]) for path in (*asked, *(p.path for p in found))
        ):
            # A list whose only item is wrong counts as empty; the item's own fault says it all.
            continue
        if item["type"] == "asked":
            loc.append(item["ctx"]["field"])
        if item["type"] == "wrong":
            loc += item["ctx"]["place"]
        path, field = _walk(model, loc)
        message = _message(item, field)
        full = ".".join(part for part in (prefix, path) if part)
        found[Problem(full, message, missing)] = None
    return list(found)


def described_at(model: type[BaseModel], loc: Sequence[str | int]) -> tuple[str, str]:
    """Give the path of a parameter and what it is.

    Parameters
    ----------
    model : type
        The model of the whole.
    loc : sequence of str or int
        Keys, and places of list items from 0.

    Returns
    -------
    path, description : str
        The description with unit and source; empty where no parameter stands there.

    Examples
    --------
    >>> from drgcore.points.policy_parameters import PolicyParameters
    >>> described_at(PolicyParameters, ["bed_day", 0, "points_per_day"])
    ('bed_day.1.points_per_day', 'points per day by L [points per day]')
    """
    path, field = _walk(model, loc)
    return path, _described(field) if field else ""


def once_for_all_pools(problems: Sequence[Problem], shared: Collection[str]) -> list[Problem]:
    """Name what concerns every pool alike once, where it may stand once in [budget].

    Parameters
    ----------
    problems : sequence of Problem
        The problems of a policy.
    shared : collection of str
        Parameters of a pool that may stand in [budget] for all pools.

    Returns
    -------
    list of Problem
        ``budget.reserve_share`` in place of the same problem at ``budget.pools.….reserve_share``,
        where the first of them stood. A problem of one pool alone keeps its path.

    Examples
    --------
    >>> both = [Problem(f"budget.pools.{pool}.basis", "not filled in", True) for pool in "ab"]
    >>> [str(problem) for problem in once_for_all_pools(both, ("basis",))]
    ['budget.basis: not filled in']
    """
    found: dict[Problem, None] = {}
    alike: dict[tuple[str, str], list[Problem]] = {}
    places: dict[Problem, tuple[str, str]] = {}
    for problem in problems:
        place = re.fullmatch(r"budget\.pools\.([^.]+)(?:\.(.+))?", problem.path)
        tail = (place[2] or "") if place else ""
        if place and (not tail or tail.split(".")[0] in shared):
            places[problem] = (tail, problem.message)
            alike.setdefault(places[problem], []).append(problem)
    for problem in problems:
        key = places.get(problem)
        if key is not None and len(alike[key]) > 1:
            path = f"budget.{key[0]}" if key[0] else "budget"
            found[Problem(path, problem.message, problem.missing)] = None
        else:
            found[problem] = None
    return list(found)


def refused(problems: Sequence[Problem], where: str) -> PolicyError:
    """The error that tells all problems of a policy.

    Parameters
    ----------
    problems : sequence of Problem
        The problems.
    where : str
        Which policy.
    """
    missing = sum(problem.missing for problem in problems)
    wrong = len(problems) - missing
    return PolicyError(
        _(
            "{missing} parameters are not filled in, {wrong} are wrong",
            missing=missing,
            wrong=wrong,
        ),
        where=where,
        hint="\n".join(f"  {problem}" for problem in problems),
    )


def _message(item: Any, field: FieldInfo | None) -> str:
    if item["type"] == "missing":
        return (
            _("not filled in: {described}", described=_described(field))
            if field
            else _("not filled in")
        )
    if item["type"] == "asked":
        return f"{item['msg']}: {_described(field)}" if field else str(item["msg"])
    if item["type"] == "extra_forbidden":
        return _("a policy has no such parameter")
    if item["type"] == "wrong":
        return str(item["msg"])
    text = words_of(item)
    given = item.get("input")
    if isinstance(given, (str, int, float, bool)) or type(given).__name__ in ("Decimal", "date"):
        text = _("{text}, but it is {given}", text=text, given=given)
    own_words = field is None or not field.description or item["type"] == "value_error"
    return text if own_words or field is None else f"{text} ({_described(field)})"


def _described(field: FieldInfo) -> str:
    facts = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    unit = f" [{_(str(facts['unit']))}]" if facts.get("unit") else ""
    source = str(facts.get("source") or "")
    from_source = _(" (source: {source})", source=_(source)) if source else ""
    meaning = _(field.description) if field.description else ""
    return f"{meaning}{unit}{from_source}"


def _walk(model: type[BaseModel], loc: Sequence[Any]) -> tuple[str, FieldInfo | None]:
    """Write a location as a path of the file; give the field that it leads to.

    The location also names members of unions (a method's tag, a type), which are no keys of the
    file: a part counts only where the model at hand has such a field, item or key.
    """
    parts: list[str] = []
    models: tuple[type[BaseModel], ...] = (model,)
    field: FieldInfo | None = None
    is_mapping = False
    for place, part in enumerate(loc):
        if isinstance(part, int):
            parts.append(str(part + 1))
            continue
        known = next((m.model_fields[part] for m in models if part in m.model_fields), None)
        if is_mapping:
            parts.append(part)
            is_mapping = False
        elif known is not None:
            parts.append(part)
            field, models = known, _models(known.annotation)
            is_mapping = _is_mapping(known.annotation)
        elif place == len(loc) - 1 and not _is_type_name(part):
            parts.append(part)
            field = None
    return ".".join(parts), field


def _is_type_name(part: str) -> bool:
    return bool(re.search(r"[\[(-]", part)) or part in ("str", "int", "float", "Bands", "tuple")


def _models(annotation: Any) -> tuple[type[BaseModel], ...]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for inner in get_args(annotation) for model in _models(inner))


def _is_mapping(annotation: Any) -> bool:
    origin = getattr(annotation, "__origin__", None)
    return origin is dict or any(
        getattr(inner, "__origin__", None) is dict for inner in get_args(annotation)
    )
