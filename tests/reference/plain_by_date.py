"""Which scheme a case has by its day of discharge, one text at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from tests.reference.plain_cases import MARKS, tidy

_FORMS = (
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?: \d{1,2}:\d{2}(?::\d{2})?)?",
    r"(\d{4})年(\d{1,2})月(\d{1,2})日",
    r"(\d{4})(\d{2})(\d{2})",
)


def day(text: str | None) -> date | str:
    """The day, or the reason for which there is none."""
    if text is None or tidy(text) in MARKS:
        return "discharge_date_missing"
    for form in _FORMS:
        found = re.fullmatch(form, tidy(text))
        if found:
            try:
                return date(*map(int, found.groups()))
            except ValueError:
                break
    return "discharge_date_invalid"


def group(
    row: Mapping[str, Any],
    calendar: Sequence[tuple[str, date | None]],
    group_by: Callable[[str, Mapping[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """The result of one case; `group_by` groups it by a scheme of that name."""
    when = day(row["discharge_date"])
    chosen = None
    if isinstance(when, date):
        for name, first in calendar:
            if first is None or when >= first:
                chosen = name
        if chosen is not None:
            return {**group_by(chosen, row), "scheme": chosen}
        when = "discharge_date_early"
    nothing = dict.fromkeys(("mdc", "adrg", "drg", "severity", "scheme"))
    return {**nothing, "status": "invalid", "reason": when}
