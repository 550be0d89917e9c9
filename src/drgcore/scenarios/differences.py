"""What distinguishes policies, parameter by parameter."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from drgcore.language import N_, _
from drgcore.points.bands import Bands
from drgcore.points.parameters import Model
from drgcore.points.policy import Policy
from drgcore.points.tables import group_table

DIFFERENCE_COLUMNS = ("policy", "path", "before", "after", "parameter")
_OF_DRG = (N_("base points of {drg}"), N_("mean cost of {drg}"), N_("{drg} is stable"))
_PERIOD = re.compile(r"(.*) \(from (\S+?)(?: to (\S+))?\)")
_NO_RULES = {"states", "fill_in", "amendments", "effective_from", "effective_to"}
"""What stands in a policy and decides no amount of the year."""


def policy_differences(policies: Mapping[str, Policy], year: int) -> pd.DataFrame:
    """List the parameters in which policies differ from the first one.

    Parameters
    ----------
    policies : mapping of str to Policy
        The policies.
    year : int
        The year. Where parameters change within it, a difference that is not the same throughout
        is given for each period, with its first day, and its last one if it ends within the year.

    Returns
    -------
    pandas.DataFrame
        `policy`, `path`, `before` and `after` as text; '' where there is none; `parameter`, the
        path in words. Base points are compared DRG by DRG, frozen ones as agreed; a file of
        coefficients by its content.

    Examples
    --------
    >>> policy = Policy.load("example")
    >>> other = policy.with_changes({"outliers": {"low": {"multiples": 0.5}}})
    >>> policy_differences({"as is": policy, "round 2": other}, 2027).values.tolist()
    [['round 2', 'outliers.low.multiples', '0.4', '0.5', 'outliers.low.multiples']]
    """
    names = list(policies)
    rows: list[tuple[str, str, str, str]] = []
    for name in names[1:]:
        first, other = policies[names[0]], policies[name]
        start = max(date(year, 1, 1), first.effective_from, other.effective_from)
        starts = [p.effective_from for policy in (first, other) for p in policy.periods()]
        days = sorted({max(start, day) for day in starts if day.year <= year})
        found: dict[str, dict[date, tuple[str, str]]] = {}
        for day in days:
            before, after = dict(_parameters(first.at(day))), dict(_parameters(other.at(day)))
            for path in [*after, *(path for path in before if path not in after)]:
                pair = before.get(path, ""), after.get(path, "")
                if pair[0] != pair[1]:
                    found.setdefault(path, {})[day] = pair
        for path, pairs in found.items():
            if len(pairs) == len(days) and len(set(pairs.values())) == 1:
                rows.append((name, path, *next(iter(pairs.values()))))
            else:
                ends = {day: f" to {end - timedelta(1)}" for day, end in pairwise(days)}
                rows += [
                    (name, f"{path} (from {day}{ends.get(day, '')})", *pair)
                    for day, pair in pairs.items()
                ]
    table = pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS[:-1]), dtype=object)
    return table.assign(parameter=[parameter_in_words(path) for path in table["path"]])


def parameter_in_words(path: str) -> str:
    """What a path of `policy_differences` is, in the language that is spoken.

    Examples
    --------
    >>> from drgcore.language import use_language
    >>> with use_language("zh"):
    ...     parameter_in_words("base points of ES23 (from 2027-07-01)")
    'ES23 的基准点数（2027-07-01 起）'
    """
    if period := _PERIOD.fullmatch(path):
        path, first, last = period.groups()
    called = next((_(m, drg=drg) for m in _OF_DRG if (drg := _drg_of(m, path))), path)
    if not period:
        return called
    if last is None:
        return _("{parameter} (from {first})", parameter=called, first=first)
    return _("{parameter} (from {first} to {last})", parameter=called, first=first, last=last)


def _drg_of(message: str, path: str) -> str:
    """The DRG that a path names as a message does; '' where it is another path."""
    before, after = message.split("{drg}")
    there = path.startswith(before) and path.endswith(after) and " " in path
    return path.removeprefix(before).removesuffix(after) if there else ""


def _parameters(policy: Policy) -> Iterator[tuple[str, str]]:
    """Give path and text of every parameter that is filled in."""
    # The factor is a line of its own; it need not be one of every DRG.
    table = group_table(policy.with_changes({"base_points": {"factor": ""}}))
    for name in type(policy).model_fields:
        if name in _NO_RULES:
            continue
        for path, value in _walk(name, getattr(policy, name)):
            if path.startswith("base_points.groups.") or path == "base_points.file":
                continue
            if path.endswith(".file"):
                digest = hashlib.sha256(policy.path_of(str(value)).read_bytes()).hexdigest()
                yield path, f"{value} ({digest[:12]})"
            else:
                yield path, _text(value)
    for drg, points, mean, stable in zip(
        table.drgs, table.base_points, table.mean_cost, table.stable, strict=True
    ):
        # Without zeros at the end, which another number of decimals would add to every DRG.
        yield f"base points of {drg}", _text(Decimal(f"{points:.{policy.rounding.base_points}f}"))
        if not np.isnan(mean):
            yield f"mean cost of {drg}", f"{mean:.2f}"
        yield f"{drg} is stable", _text(bool(stable))


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Give the leaves of nested models with their paths, items of lists counted from 1."""
    if value is None:
        return
    if isinstance(value, Model) and not isinstance(value, Bands):
        items = [(name, getattr(value, name)) for name in type(value).model_fields]
    elif isinstance(value, Mapping):
        items = [(str(name), part) for name, part in value.items()]
    elif isinstance(value, tuple) and value and isinstance(value[0], Model):
        items = [(str(number), part) for number, part in enumerate(value, 1)]
    else:
        yield path, value
        return
    for name, part in items:
        yield from _walk(f"{path}.{name}", part)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
