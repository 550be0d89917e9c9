"""A mapping file: TOML whose keys are the parameters of a mapping."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any, Protocol

from drgcore.cases.columns import FRONT_PAGE_SCHEMA, LOCAL_SCHEMA, NAMED_COLUMNS
from drgcore.cases.front_page import FRONT_PAGE_PRESETS
from drgcore.errors import CaseSchemaError
from drgcore.language import _

ALWAYS = ("sex", "age_years")
"""The columns that a mapping must name."""

APART = {
    "diagnoses": ("principal_diagnosis", "other_diagnoses"),
    "procedures": ("principal_procedure", "other_procedures"),
}
"""What one column of all codes stands in the stead of."""


class Parameters(Protocol):
    """What a file's parameters are for: their names, and those of a preset."""

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """The parameters that are columns, or how columns are read."""

    @classmethod
    def preset_parameters(cls, name: str) -> dict[str, Any]:
        """All parameters of a preset."""


def read_parameters(path: str | os.PathLike[str], cls: type[Parameters]) -> dict[str, Any]:
    """The parameters of `cls` that a mapping file gives.

    Raises
    ------
    CaseSchemaError
        As `CaseMapping.from_file`.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CaseSchemaError(
            _("the mapping file cannot be read"), where=str(path), hint=error.strerror
        ) from error
    except UnicodeDecodeError as error:
        raise CaseSchemaError(
            _("the mapping file is not UTF-8"), where=str(path), hint=_("Save it as UTF-8.")
        ) from error
    return parameters_of(text, str(path), cls)


def parameters_of(text: str, where: str, cls: type[Parameters]) -> dict[str, Any]:
    """The parameters of `cls` that the text of a mapping file gives; `where` is for messages.

    Raises
    ------
    CaseSchemaError
        As `CaseMapping.from_file`.
    """
    try:
        entries = tomllib.loads(text)
    except RecursionError:
        raise CaseSchemaError(
            _("the mapping file is nested too deep"), where=where, hint=_("Write plain lines.")
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise CaseSchemaError(
            _("the mapping file is no TOML: {error}", error=error),
            where=where,
            hint=_('Each line is: canonical_column = "your column"'),
        ) from error
    chosen: dict[str, Any] = {}
    known = [*cls.parameter_names()]
    if not any(key in known for key in entries):
        # A file for a settlement alone says nothing about codes.
        entries.setdefault("preset", "canonical")
    if "preset" in entries:
        chosen = cls.preset_parameters(str(entries.pop("preset")))
    front_page = dict(chosen.pop("front_page", FRONT_PAGE_PRESETS["canonical"]))
    extra = entries.pop("columns", {})
    if not isinstance(extra, dict):
        raise CaseSchemaError(
            _("columns is no table"),
            where=where,
            hint=_('Write [columns] and lines name = "column"'),
        )
    others = {key: entries.pop(key) for key in NAMED_COLUMNS if key in entries} | extra
    # An empty text says that the data do not have the column.
    chosen["others"] = {key: value for key, value in others.items() if value != ""}
    known += NAMED_COLUMNS
    for key, value in entries.items():
        if key in FRONT_PAGE_SCHEMA.names:
            front_page[key] = tuple(value) if isinstance(value, list) else value or None
            continue
        if key not in known:
            near = difflib.get_close_matches(key, [*known, *FRONT_PAGE_SCHEMA.names], n=1)
            raise CaseSchemaError(
                _("the mapping file has an unknown key {key!r}", key=key),
                where=where,
                hint=_("Did you mean {near}?", near=near[0])
                if near
                else _("Keys: {known}", known=", ".join(known)),
            )
        chosen[key] = tuple(value) if isinstance(value, list) else value
        if value == "" and key not in (*ALWAYS, "separator"):
            chosen[key] = None
    for whole, parts in APART.items():
        if chosen.get(whole) is not None:
            chosen |= {part: entries.get(part) or None for part in parts}
    optional = ("separator", "age_months", *LOCAL_SCHEMA.names, *APART, *NAMED_COLUMNS)
    absent = [key for key in known if key not in (*chosen, *optional)]
    if absent:
        raise CaseSchemaError(
            _("the mapping file lacks {absent}", absent=", ".join(absent)),
            where=where,
            hint=_('Add them, or start from a preset: preset = "hqms"'),
        )
    return {**chosen, "front_page": front_page}
