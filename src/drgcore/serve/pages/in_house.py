"""In house: the patients of now with the payment to be expected, and what to look at."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import Depends, Query, Request

from drgcore.estimate import WARNINGS
from drgcore.serve.parameters import DepartmentName
from drgcore.serve.tables import Row
from drgcore.serve.views import TEMPLATES, Views
from drgcore.serve.ward import LEVELS, Ward

views = Views()

TEMPLATES.globals |= {"warnings": WARNINGS}

_MOST = 1000


async def _ward(request: Request) -> Ward | None:
    ward: Ward | None = request.app.state.ward
    return ward


WardGiven = Annotated[Ward | None, Depends(_ward)]


@views.page("/in-house", "in_house.html", "In house", menu=True, long=True)
def in_house(
    ward: WardGiven,
    level: Annotated[str, Query(description="a level of warnings; empty for all")] = "",
    department: DepartmentName = "",
) -> Row:
    """Patients in house: likely group, expected payment, cost and days so far, warnings."""
    data: Row = {"level": level, "department": department, "state": "none", "levels": list(LEVELS)}
    if ward is None:
        return data
    found = ward.patients()
    if found is None:
        return data | {"state": "learning"}
    rows = found["rows"]
    departments = sorted({row["department"] for row in rows if row.get("department")})
    counts = Counter(row["level"] for row in rows)
    kept = [
        row
        for row in rows
        if level in ("", row["level"]) and department in ("", row.get("department"))
    ]
    data |= {"state": "there", "counts": {name: counts[name] for name in LEVELS}}
    data |= {"patients": len(rows), "departments": departments, "shown": len(kept)}
    return data | found | {"rows": kept[:_MOST]}
