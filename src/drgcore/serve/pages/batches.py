"""Batches in the browser: drop a file, look at its mapping, follow the work, fetch the results."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from drgcore.grouper.result import REASONS
from drgcore.language import N_
from drgcore.schemes import DEFAULT_SCHEME
from drgcore.schemes.calendar import BY_DATE
from drgcore.serve.jobs.uploads import KINDS
from drgcore.serve.jobs.work import look_at
from drgcore.serve.mapped import Row, fields_of
from drgcore.serve.pages.batch import job_of, shown_job, store_of
from drgcore.serve.parameters import JobId, SheetName
from drgcore.serve.views import TEMPLATES, LibraryGiven, Views

views = Views()

TEMPLATES.globals |= {"kinds": KINDS, "reasons": REASONS}


@views.page("/batches", "batches.html", "Batches", menu=True)
def batches(request: Request) -> list[Row]:
    """All batches, the latest first, and a place to drop a file."""
    return [shown_job(job) for job in store_of(request).jobs()]


@views.page("/batches/{job_id}", "batch.html", N_("Batch"), long=True)
def batch(request: Request, library: LibraryGiven, job_id: JobId, sheet: SheetName = "") -> Row:
    """One batch: its upload and the mapping proposed, its progress, or its results."""
    job, store = job_of(request, job_id), store_of(request)
    data: dict[str, Any] = {**shown_job(job), "sheet": sheet, "look": None, "fields": []}
    data["schemes"] = [str(scheme["name"]) for scheme in library.schemes()]
    data["default"], data["by_date"] = DEFAULT_SCHEME, BY_DATE
    if job.state in ("waiting", "failed") and store.upload(job).exists():
        data["look"] = look_at(store, job, sheet or None)
        data["fields"] = fields_of(data["look"]["mapping"] or "", data["look"]["columns"])
    return data
