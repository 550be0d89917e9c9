"""What a case is paid by a policy, with every factor."""

from __future__ import annotations

import math
import warnings
from typing import Annotated, Any

import pyarrow as pa
from pydantic import Field

from drgcore.cases.repeated import CaseWarning
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.language import _
from drgcore.points import compute_points, explain_points
from drgcore.points.compute import POINT_COLUMNS
from drgcore.points.needs import needs_all_cases
from drgcore.rounding import round_half_up
from drgcore.serve.calls.cases import CaseAsked, CasesAsked, Code, table_of
from drgcore.serve.calls.grouping import group_cases
from drgcore.serve.calls.library import Library


class EstimateAsked(CaseAsked):
    """What is a case paid? Besides its codes it must have what the policy looks at."""

    policy: Code = Field(description="a name of GET /policies")
    value: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = Field(
        None, description="value of a point [yuan], for the payment"
    )


def estimate_case(asked: EstimateAsked, library: Library) -> dict[str, Any]:
    """Points and payment of one case by a policy: its class, every factor, the lines by hand.

    Examples
    --------
    >>> from drgcore.serve.calls.cases import Case
    >>> case = Case(principal_diagnosis="J18.900", sex=1, age_years=70, hospital="H01",
    ...     hospital_level="3", pool="employee", discharge_date="2027-01-31", total_cost=9000,
    ...     length_of_stay=8, patient_paid=2000)
    >>> told = estimate_case(EstimateAsked(case=case, policy="example", value=64), Library())
    >>> told["result"]["drg"], told["points"], told["payment"]
    ('ES4G', 121.3646, 7767.33)
    """
    policy = library.policy(asked.policy)
    if needs_all_cases(policy):
        raise PolicyError(
            _(
                "{policy} ranks the cases of a period, so one case has no points of its own",
                policy=asked.policy,
            ),
            hint=_("Settle the month with `drgcore settle month`."),
        )
    question = CasesAsked(
        scheme=asked.scheme, clinical_codes=asked.clinical_codes, cases=[asked.case]
    )
    (result,) = group_cases(question, library)["results"]
    row = table_of([asked.case])
    given = {"case_id", "mdc", "adrg", "drg", "status", "reason"} & set(row.column_names)
    row = row.drop_columns(sorted(given))
    for name, value in (("case_id", "1"), ("drg", result["drg"]), ("status", result["status"])):
        row = row.append_column(name, pa.array([value], pa.string()))
    with warnings.catch_warnings():
        # The one who types a cost sees the unit beside the field.
        warnings.simplefilter("ignore", CaseWarning)
        earned = compute_points(_typed(row), policy).to_pandas().iloc[0]
    points = float(earned["points"])
    factors = {name: _plain(earned[name]) for name in POINT_COLUMNS if name in earned}
    return {
        "policy": asked.policy,
        "title": policy.title or policy.name,
        "fictitious": policy.fictitious,
        "result": result,
        "factors": factors,
        "points": points,
        "value": asked.value,
        "payment": None if asked.value is None else float(round_half_up(points * asked.value, 2)),
        "lines": explain_points(earned.to_dict(), policy).splitlines(),
    }


_TEXTS = ("hospital", "hospital_level", "pool", "discharge_date", "list_item")


def _typed(row: pa.Table) -> pa.Table:
    """The columns of a policy as it reads them: empty ones are absent, names are texts."""
    kept = [n for n in row.column_names if row[n].null_count < len(row)]
    row = row.select([*kept, *(n for n in ("drg",) if n not in kept)])
    for name in ("hospital", "pool", "discharge_date", "total_cost"):
        if name not in row.column_names:
            raise CaseSchemaError(
                _("the case has no {name}", name=name), hint=_("The policy asks for it.")
            )
    for name in _TEXTS:
        if name in row.column_names and not pa.types.is_list(row[name].type):
            row = row.set_column(row.column_names.index(name), name, row[name].cast(pa.string()))
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
