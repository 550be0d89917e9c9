"""The cases of a file: of a batch, or of a data folder; searched, and opened one by one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import HTTPException, Query, Request

from drgcore.language import N_, _
from drgcore.serve.browse import Wanted, browse
from drgcore.serve.jobs.work import BatchAsked
from drgcore.serve.pages.batch import job_of, shown_job, store_of
from drgcore.serve.pages.settlement import ShelfGiven
from drgcore.serve.tables import Row
from drgcore.serve.views import LibraryGiven, Views

views = Views()

_STATUSES = ("grouped", "ambiguous", "ungrouped", "invalid")
_READ = ("grouped.parquet", "grouped.csv", "grouped.xlsx")

Part = Annotated[int, Query(ge=1, le=10**7)]


@views.page("/batches/{job_id}/cases", "cases.html", N_("Cases"), long=True)
def of_batch(
    request: Request,
    library: LibraryGiven,
    job_id: str,
    q: str = "",
    drg: str = "",
    status: str = "",
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


@views.page("/cases", "cases.html", N_("Cases"), long=True)
def of_file(
    shelf: ShelfGiven,
    cases: str,
    q: str = "",
    drg: str = "",
    status: str = "",
    hospital: str = "",
    department: str = "",
    month: str = "",
    part: Part = 1,
) -> Row:
    """The cases of a file of a data folder: searched, a part at a time."""
    wanted = Wanted(q, drg, status, hospital, department, month)
    found = browse(shelf.path("table", cases), wanted, part)
    kept = {"cases": cases, "hospital": hospital, "department": department, "month": month}
    return _shown({"q": q, "drg": drg, "status": status} | kept, found) | {"batch": None}


def _shown(asked: dict[str, str], found: Row) -> Row:
    return {**found, "asked": asked, "statuses": list(_STATUSES)}
