"""What a check may ask of a case: the names of the expression language, and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types

from drgcore.cases.columns import CANONICAL_SCHEMA, FRONT_PAGE_SCHEMA, LOCAL_SCHEMA

_LISTS = {"codes", "days", "numbers"}


@dataclass(frozen=True, slots=True)
class Field:
    """A name of the expression language.

    Attributes
    ----------
    name : str
    kind : str
        "code", "codes", "number", "numbers", "day", "days", "text" or "bool".
    columns : tuple of str
        The canonical columns that it is made of; a check that uses it needs them all.
    meaning : str
        What it is, in English and Chinese.
    codes : str
        "diagnosis" or "procedure" for fields of codes, else "".
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    meaning: str
    codes: str = ""

    @property
    def read(self) -> bool:
        """Whether it is a column by itself; else it is made of others, or of the scheme."""
        return self.columns == (self.name,)

    @property
    def chinese(self) -> str:
        """The Chinese term alone."""
        return self.meaning.rpartition("(")[2].rstrip(")")


_CODES = {
    "principal_diagnosis": "diagnosis",
    "other_diagnoses": "diagnosis",
    "external_cause": "diagnosis",
    "principal_procedure": "procedure",
    "other_procedures": "procedure",
}


def _kind(field: pa.Field) -> str:
    several = types.is_list(field.type)
    plain = field.type.value_type if several else field.type
    if field.name in _CODES:
        kind = "code"
    elif types.is_date(plain):
        kind = "day"
    elif types.is_boolean(plain):
        kind = "bool"
    else:
        kind = "text" if types.is_string(plain) else "number"
    return kind + "s" if several else kind


def _fields() -> dict[str, Field]:
    found = {}
    for column in (*CANONICAL_SCHEMA, *LOCAL_SCHEMA, *FRONT_PAGE_SCHEMA):
        meaning = column.metadata[b"meaning"].decode()
        found[column.name] = Field(
            column.name, _kind(column), (column.name,), meaning, _CODES.get(column.name, "")
        )
    made: tuple[tuple[str, str, tuple[str, ...], str, str], ...] = (
        (
            "diagnoses",
            "codes",
            ("principal_diagnosis", "other_diagnoses"),
            "all diagnoses (全部诊断)",
            "diagnosis",
        ),
        (
            "procedures",
            "codes",
            ("principal_procedure", "other_procedures"),
            "all procedures (全部手术操作)",
            "procedure",
        ),
        (
            "procedure_dates",
            "days",
            ("principal_procedure_date", "other_procedure_dates"),
            "dates of all procedures (手术操作日期)",
            "",
        ),
        (
            "accepted",
            "bool",
            ("principal_diagnosis", "sex", "age_years"),
            "some MDC takes the principal diagnosis at this sex and age (主要诊断可入MDC)",
            "",
        ),
        (
            "accepted_otherwise_sexed",
            "bool",
            ("principal_diagnosis", "sex", "age_years"),
            "some MDC takes the principal diagnosis at the other sex only (仅另一性别可入MDC)",
            "",
        ),
        (
            "accepted_otherwise_aged",
            "bool",
            ("principal_diagnosis", "sex", "age_years"),
            "some MDC takes the principal diagnosis at another age only (仅其他年龄可入MDC)",
            "",
        ),
        (
            "accepted_ever",
            "bool",
            ("principal_diagnosis",),
            "some MDC takes the principal diagnosis at some sex and age (主要诊断可作分组)",
            "",
        ),
    )
    for name, kind, columns, meaning, codes in made:
        found[name] = Field(name, kind, columns, meaning, codes)
    return found


FIELDS: Mapping[str, Field] = _fields()
"""Name → field: the canonical columns, those of the front page and of local schemes, and what is
made of them."""


def is_several(kind: str) -> bool:
    """Whether a field of this kind holds several values a case."""
    return kind in _LISTS
