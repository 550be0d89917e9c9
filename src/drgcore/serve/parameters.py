"""What several pages are asked by, each described once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

_LONGEST = 200

LEDGER = "a ledger in a data folder, or one of --ledger, by its name"
PERIOD = "a closed month (2027-01) or year (2027)"

CasesFile = Annotated[
    str, Query(description="a file of grouped cases in a data folder, by its name")
]
LedgerName = Annotated[str, Query(description=LEDGER)]
PeriodName = Annotated[str, Query(description=PERIOD)]
HospitalName = Annotated[str, Query(description="a hospital; empty for all")]
DepartmentName = Annotated[str, Query(description="a department; empty for all")]
MonthName = Annotated[str, Query(description="a month (2027-01); empty for the whole year")]
SheetName = Annotated[
    str, Query(description="a sheet of the workbook; by default the first with cases")
]
SchemeGiven = Annotated[
    str, Query(max_length=_LONGEST, description="a name of GET /schemes, or by-date")
]
Part = Annotated[int, Query(ge=1, le=100_000, description="which part of the rows, from 1")]
SearchText = Annotated[
    str, Query(max_length=_LONGEST, description="only rows that hold this text; empty for all")
]
JobId = Annotated[str, Path(description="the id of a batch")]
