"""Cases as requests hold them, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from drgcore.cases import CANONICAL_SCHEMA, LOCAL_SCHEMA
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.schemes import DEFAULT_SCHEME

_LONGEST = 200
_MOST_CODES = 500

Code = Annotated[str, Field(max_length=_LONGEST)]
Codes = Annotated[list[Code], Field(max_length=_MOST_CODES)]
Number = Annotated[int, Field(ge=-(10**9), le=10**9)] | Annotated[float, Field(allow_inf_nan=False)]
Plain = Number | Code | None


class Case(BaseModel):
    """One case under canonical names; further columns of the front page may stand beside these."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "principal_diagnosis": "G11.900",
                    "other_diagnoses": ["S52.804"],
                    "sex": 2,
                    "age_years": 69,
                }
            ]
        },
    )
    __pydantic_extra__: dict[str, Plain | bool | Codes] = Field(init=False)

    principal_diagnosis: Code | None = Field(None, description="ICD-10, insurance version (医保版)")
    other_diagnoses: Codes = Field([], description="ICD-10, in their order")
    principal_procedure: Code | None = Field(
        None, description="ICD-9-CM-3, insurance version (医保版)"
    )
    other_procedures: Codes = Field([], description="ICD-9-CM-3, in their order")
    sex: int | Code | None = Field(None, description="1 or 男, 2 or 女")
    age_years: Plain = Field(None, description="completed years")
    age_days: Plain = Field(None, description="completed days, under one year")
    newborn_weight_g: Plain = Field(None, description="weight on admission [g]")


class Asked(BaseModel):
    """What is said of every question."""

    model_config = ConfigDict(extra="forbid")

    scheme: Code = Field(DEFAULT_SCHEME, description="a name of GET /schemes, or by-date")
    clinical_codes: bool = Field(False, description="codes are of the clinical version (国临版)")


class CasesAsked(Asked):
    """A question about some cases."""

    cases: Annotated[list[Case], Field(min_length=1, description="one or more cases")]


class CaseAsked(Asked):
    """A question about one case."""

    case: Case = Field(description="one case")


def table_of(cases: Sequence[Case]) -> pa.Table:
    """Cases as a table; canonical columns that none has are there and empty.

    Raises
    ------
    CaseSchemaError
        A column holds what does not go together, such as texts and lists.

    Examples
    --------
    >>> table = table_of([Case(principal_diagnosis="A00.000", sex=1, total_cost=9000)])
    >>> table["total_cost"].to_pylist(), table["other_diagnoses"].to_pylist()
    ([9000], [[]])
    """
    rows = [dict(case) for case in cases]
    names = dict.fromkeys([*CANONICAL_SCHEMA.names, *LOCAL_SCHEMA.names, "discharge_date"])
    for row in rows:
        names.update(dict.fromkeys(row))
    return pa.table({name: _column(name, [row.get(name) for row in rows]) for name in names})


def _column(name: str, values: list[Any]) -> pa.Array:
    try:
        if name in ("other_diagnoses", "other_procedures"):
            return pa.array(values, pa.list_(pa.string()))
        if len({isinstance(value, str) for value in values if value is not None}) > 1:
            # One writes 69, another "69岁": both are read from texts.
            return pa.array([None if v is None else str(v) for v in values], pa.string())
        return pa.array(values)
    except (pa.ArrowException, TypeError, OverflowError, UnicodeEncodeError) as error:
        raise CaseSchemaError(
            _("the values of {name} do not go together", name=name),
            hint=_("Give all cases the same type."),
        ) from error
