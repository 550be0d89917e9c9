"""The cases of a file: of a batch, or of a data folder; searched, and opened one by one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import HTTPException, Query, Request

from drgcore.cases.statuses import STATUSES
from drgcore.language import N_, _
from drgcore.serve.browse import Wanted, browse
from drgcore.serve.jobs.work import BatchAsked
from drgcore.serve.pages.batch import job_of, shown_job, store_of
from drgcore.serve.pages.settlement import ShelfGiven
from drgcore.serve.parameters import CasesFile, DepartmentName, HospitalName, JobId, MonthName
from drgcore.serve.tables import Row
from drgcore.serve.views import LibraryGiven, Views

views = Views()

_READ = ("grouped.parquet", "grouped.csv", "grouped.xlsx")

Part = Annotated[int, Query(ge=1, le=10**7, description="which part of the rows, from 1")]
IdText = Annotated[str, Query(max_length=200, description="a part of the case's id")]
GroupText = Annotated[str, Query(max_length=20, description="what codes of groups begin with")]
StatusName = Annotated[
    str, Query(max_length=20, description="grouped, ambiguous, ungrouped or invalid; empty for all")
]


@views.page("/batches/{job_id}/cases", "cases.html", N_("List of cases"), long=True)
def of_batch(
    request: Request,
    library: LibraryGiven,
    job_id: JobId,
    q: IdText = "",
    drg: GroupText = "",
    status: StatusName = "",
    part: Part = 1,
) -> Row:
    """The cases of a batch that is done: searched by id, group and status, a part at a time."""
    job, store = job_of(request, job_id), store_of(request)
    name = next((name for name in _READ if name in job.files), None)
    if job.state != "done" or name is None:
        raise HTTPException(404, _("there is no such result"))
    place = store.place(job)
    if not (place / name).exists():
        raise HTTPException(410, _("the result was removed"))
    asked, mapping = BatchAsked.model_validate(job.asked), place / "mapping.toml"
    link = {"c": "1"} if asked.clinical_codes else {}
    if asked.scheme in {scheme["name"] for scheme in library.schemes()}:
        link["r"] = asked.scheme
    where: Any = mapping if mapping.exists() else asked.mapping
    wanted = Wanted(q, drg, status)
    found = browse(place / name, wanted, part, where, link)
    return _shown({"q": q, "drg": drg, "status": status}, found) | {"batch": shown_job(job)}


@views.page("/cases", "cases.html", N_("List of cases"), long=True)
def of_file(
    shelf: ShelfGiven,
    cases: CasesFile,
    q: IdText = "",
    drg: GroupText = "",
    status: StatusName = "",
    hospital: HospitalName = "",
    department: DepartmentName = "",
    month: MonthName = "",
    part: Part = 1,
) -> Row:
    """The cases of a file of a data folder: searched, a part at a time."""
    wanted = Wanted(q, drg, status, hospital, department, month)
    found = browse(shelf.path("table", cases), wanted, part)
    kept = {"cases": cases, "hospital": hospital, "department": department, "month": month}
    return _shown({"q": q, "drg": drg, "status": status} | kept, found) | {"batch": None}


def _shown(asked: dict[str, str], found: Row) -> Row:
    return {**found, "asked": asked, "statuses": list(STATUSES)}
