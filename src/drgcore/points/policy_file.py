"""A policy file as nested tables: finding and reading it, and working its amendments in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from drgcore.errors import PolicyError
from drgcore.language import _
from drgcore.points.case_rules import BasePoints
from drgcore.points.problems import Problem

PRESETS = (
    *("national-2025", "shanwei", "zhejiang-2019", "zhejiang-2025", "jinhua-2017", "zigong-2023"),
    *("chongqing-2025", "qingyang-2025", "total-cost", "base-rate", "blank", "example"),
)
"""Policies that ship with drgcore; all but `example`, which is fictitious, must be filled in."""

_FOLDER = Path(__file__).with_name("presets")


def find_policy(path: str | Path) -> Path:
    """Find a policy file: a path, or the name of a preset.

    Parameters
    ----------
    path : str or Path
        A file or one of `PRESETS`; a file of that name goes first.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> find_policy("shanwei").name
    'shanwei.toml'
    """
    file = Path(path)
    if file.is_file():
        return file
    if str(path) in PRESETS:
        return _FOLDER / f"{path}.toml"
    raise PolicyError(
        _("there is no such policy file"),
        where=str(path),
        hint=_("give a TOML file or one of the presets {presets}", presets=", ".join(PRESETS)),
    )


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file with its decimals exactly as written.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    dict
        Its tables.

    Examples
    --------
    >>> read_toml(find_policy("shanwei"))["name"]
    'shanwei'
    """
    try:
        return tomllib.loads(file.read_text("utf-8-sig"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(_("it is no TOML: {error}", error=error), where=str(file)) from error


def resolve(data: Mapping[str, Any], day: date) -> dict[str, Any]:
    """Work all amendments up to a day into the tables of a policy.

    Parameters
    ----------
    data : mapping
        Tables with `amendments`, in order of their dates.
    day : datetime.date
        The day.

    Returns
    -------
    dict
        Tables without amendments: a table of an amendment is merged into the one of that name, any
        other value replaces the old one. The effective dates become those of the period.

    Examples
    --------
    >>> data = {"effective_from": date(2026, 1, 1), "rounding": {"points": 4},
    ...         "amendments": [{"from": date(2027, 1, 1), "rounding": {"points": 2}}]}
    >>> resolve(data, date(2026, 5, 1))["rounding"], resolve(data, date(2027, 5, 1))["rounding"]
    ({'points': 4}, {'points': 2})
    """
    result = {key: value for key, value in data.items() if key != "amendments"}
    for amendment in data.get("amendments", []):
        if amendment["from"] > day:
            result["effective_to"] = date.fromordinal(amendment["from"].toordinal() - 1)
            break
        result = merge(result, {k: v for k, v in amendment.items() if k != "from"})
        result["effective_from"] = amendment["from"]
    return result


def merge(data: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested tables: tables key by key, any other value replaced.

    Parameters
    ----------
    data, change : mapping
        The tables, and what changes.

    Returns
    -------
    dict
        New tables.

    Examples
    --------
    >>> merge({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2]}})
    {'a': {'b': 1, 'c': [2]}}
    """
    result = dict(data)
    for key, value in change.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return result


def without_blanks(data: Any) -> Any:
    """Drop keys whose value is an empty string: a file shows with it what is not filled in.

    Parameters
    ----------
    data : object
        Nested tables.

    Returns
    -------
    object
        The same without them.

    Examples
    --------
    >>> without_blanks({"budget": "", "pools": [{"rate": ""}]})
    {'pools': [{}]}
    """
    if isinstance(data, Mapping):
        return {k: without_blanks(v) for k, v in data.items() if not (isinstance(v, str) and not v)}
    if isinstance(data, list):
        return [without_blanks(item) for item in data]
    return data


def check_dates(data: Mapping[str, Any], amendments: Any) -> list[Problem]:
    """Check that amendments are dated, in order, and after the policy's first day.

    Parameters
    ----------
    data : mapping
        Tables of a policy.
    amendments : object
        What stands under `amendments`.

    Returns
    -------
    list of Problem
        Empty if all is well.

    Examples
    --------
    >>> check_dates({"effective_from": date(2027, 1, 1)}, [{"from": date(2026, 1, 1)}])[0].message
    '2026-01-01 does not lie after 2027-01-01'
    """
    if not isinstance(amendments, list) or not all(isinstance(a, dict) for a in amendments):
        return [Problem("amendments", _("must be tables [[amendments]]"))]
    before = data.get("effective_from")
    problems = []
    for number, amendment in enumerate(amendments, 1):
        day = amendment.get("from")
        path = f"amendments.{number}.from"
        if not isinstance(day, date):
            problems.append(
                Problem(path, _("not filled in: day from which it applies"), day is None)
            )
            continue
        if isinstance(before, date) and day <= before:
            problems.append(
                Problem(path, _("{day} does not lie after {before}", day=day, before=before))
            )
        before = day
    return problems


def check_table(data: Mapping[str, Any]) -> list[Problem]:
    """Ask for the table of base points with all the rest that is empty.

    The model's own check of it runs only once every other parameter beside it is right.

    Parameters
    ----------
    data : mapping
        Tables of a policy.

    Returns
    -------
    list of Problem
        Empty if there is a table, or no part that it belongs to.

    Examples
    --------
    >>> check_table({"base_points": {"scale": 100}})[0].path
    'base_points.file'
    """
    table = data.get("base_points")
    if not isinstance(table, Mapping) or {"file", "groups"} & set(table):
        return []
    described = _(str(BasePoints.model_fields["file"].description))
    return [Problem("base_points.file", _("not filled in: {described}", described=described), True)]


def named_files(data: Any) -> set[str]:
    """Find the names of all files in the tables of a policy.

    Parameters
    ----------
    data : object
        Nested tables.

    Returns
    -------
    set of str
        What stands under `file` anywhere.

    Examples
    --------
    >>> named_files({"base_points": {"file": "a.csv"}, "parts": [{"file": "b.csv"}]}) == {
    ...     "a.csv", "b.csv"}
    True
    """
    if isinstance(data, Mapping):
        own = {data["file"]} if isinstance(data.get("file"), str) else set()
        return own.union(*map(named_files, data.values()))
    if isinstance(data, list | tuple):
        return set().union(*map(named_files, data))
    return set()


def file_beside(folder: Path | None, name: str, policy: str) -> Path:
    """Give the place of a file that a policy names.

    Parameters
    ----------
    folder : Path, optional
        The policy's folder.
    name : str
        Name relative to it.
    policy : str
        Name of the policy.

    Raises
    ------
    PolicyError
        There is no such file.
    """
    path = (folder or Path()) / name
    if not path.is_file():
        raise PolicyError(
            _("there is no file {path}", path=path), where=_("policy {name}", name=policy)
        )
    return path
