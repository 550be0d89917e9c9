"""A proposed mapping as a table: what each field is read from, and why."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

FIELDS = (
    *("case_id", "principal_diagnosis", "other_diagnoses", "principal_procedure"),
    *("other_procedures", "sex", "age_years", "age_days", "newborn_weight_g", "total_cost"),
    *("length_of_stay", "admission_date", "discharge_date", "department", "hospital"),
)
"""The fields that a page lists whether or not a mapping has them."""

_LISTS = frozenset({"other_diagnoses", "other_procedures"})
_OF_PRESET = re.compile(r'# (\w+): ("(?:[^"\\]|\\.)*")?(.*)')
_OF_CONTENTS = re.compile(r"(\w+) = .*?  # (.*)")


def fields_of(text: str, there: Sequence[str] = ()) -> list[Row]:
    """Take the text of a proposed mapping apart.

    Parameters
    ----------
    text : str
        What `guess_mapping` proposes.
    there : sequence of str
        The columns of the file: one that is called as a field is that field, unless it is said.

    Returns
    -------
    list of dict
        ``field``; ``columns``, from which it is read, as far as they are named; ``evidence``; and
        whether it is one column, which ``one`` says.

    Examples
    --------
    >>> text = 'preset = "canonical"\\nsex = "性别"  # 100% of 2 are sexes: 男, 女\\n'
    >>> [row for row in fields_of(text) if row["field"] == "sex"]
    [{'field': 'sex', 'columns': ['性别'], 'evidence': '100% of 2 are sexes: 男, 女', 'one': True}]
    """
    told = tomllib.loads(text)
    evidence: dict[str, str] = {}
    columns: dict[str, list[str]] = {}
    for line in text.splitlines():
        if found := _OF_PRESET.fullmatch(line):
            # Where no name stands, words say that the file has none.
            named = found[2] is not None
            columns[found[1]] = [tomllib.loads(f"x = {found[2]}")["x"]] if named else []
            evidence[found[1]] = found[3].removeprefix(": ").strip() if named else ""
        elif found := _OF_CONTENTS.fullmatch(line):
            evidence[found[1]] = found[2]
    for field, value in told.items():
        if field != "preset":
            columns[field] = [v for v in (value if isinstance(value, list) else [value]) if v]
    for field in FIELDS:
        if field not in columns and field in there:
            columns[field] = [field]
    order = [*FIELDS, *(field for field in columns if field not in FIELDS)]
    return [
        {
            "field": field,
            "columns": [str(column) for column in columns.get(field, [])],
            "evidence": evidence.get(field, ""),
            "one": field not in _LISTS,
        }
        for field in order
    ]
