"""The components of a policy's coefficients that history can give numbers to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from drgcore.rounding import round_half_up
from drgcore.weights import (
    Trimming,
    hospital_coefficients,
    hospital_group_coefficients,
    level_coefficients,
    level_cost_coefficients,
)

COEFFICIENTS: Mapping[str, str] = {
    "level": "level",
    "level-drg": "level_cost",
    "hospital": "hospital",
    "hospital-drg": "hospital_drg",
}
"""What `--coefficients` may choose, with the method of the component that it makes."""

# A component per hospital says by its name which of the figures of a hospital it is.
_OF_HOSPITAL = ("own history", "case mix", "patient burden")
_PLACES = 4


def new_component(kind: str) -> dict[str, Any]:
    """Make the one component of a policy that has none.

    Parameters
    ----------
    kind : str
        One of `COEFFICIENTS`.

    Returns
    -------
    dict
        The component with weight 1; pairs without history are asked for.

    Examples
    --------
    >>> new_component("hospital-drg")
    {'name': 'hospital-drg', 'weight': 1, 'method': 'hospital_drg', 'file': '', 'otherwise': '?'}
    """
    method = COEFFICIENTS[kind]
    name = "own history" if method == "hospital" else kind
    rest: dict[str, Any] = {"levels": ""} if method == "level" else {"hospitals": ""}
    if method in ("level_cost", "hospital_drg"):
        rest = {"file": "", "otherwise": "?"}
    return {"name": name, "weight": 1, "method": method, **rest}


def component_numbers(
    component: Mapping[str, Any], cases: Any, trimming: Trimming
) -> tuple[str, dict[str, float] | pd.DataFrame] | None:
    """Find the numbers of a component in history.

    Parameters
    ----------
    component : mapping
        The component as the policy file has it.
    cases : DataFrame or Arrow table
        Grouped cases with `hospital_level` or `hospital`.
    trimming : Trimming
        Cases to leave out.

    Returns
    -------
    tuple of str and (dict or DataFrame), or None
        The key that holds them, and the coefficients by level or hospital, or the table of a file;
        None for a component that is no ratio of costs: a constant, or one per hospital whose name
        is none of own history, case mix and patient burden.

    Raises
    ------
    CaseSchemaError
        For cases without the column that it needs.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": "BR13", "hospital_level": ["3"] * 5 + ["2"] * 5,
    ...     "total_cost": [12e3] * 5 + [8e3] * 5})
    >>> from drgcore.weights import read_history, trim_none
    >>> component_numbers({"method": "level"}, cases, trim_none(read_history(cases)))
    ('levels', {'2': 0.8, '3': 1.2})
    """
    method, name = component.get("method"), str(component.get("name"))
    if method == "level":
        return "levels", _by(level_coefficients(cases, trimming=trimming), "level", "coefficient")
    if method == "level_cost":
        table = level_cost_coefficients(cases, trimming=trimming)
        return "file", table.drop(columns=["cases", "coefficient"])
    if method == "hospital_drg":
        table = hospital_group_coefficients(cases, trimming=trimming)
        table["coefficient"] = round_half_up(table["coefficient"].to_numpy(), _PLACES)
        return "file", table[["hospital", "drg", "coefficient"]]
    if method == "hospital" and name in _OF_HOSPITAL:
        table, column = hospital_coefficients(cases, trimming=trimming), name.replace(" ", "_")
        if column in table.columns and table[column].notna().all():
            return "hospitals", _by(table, "hospital", column)
    return None


def _by(table: pd.DataFrame, key: str, column: str) -> dict[str, float]:
    values = round_half_up(table[column].to_numpy(), _PLACES)
    return {str(name): float(value) for name, value in zip(table[key], values, strict=True)}
