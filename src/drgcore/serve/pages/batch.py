"""Batches: a file is uploaded, looked at, grouped and checked; its results are fetched."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, File, Form, HTTPException, Request, UploadFile
from fastapi import Path as FromPath
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import FileResponse, Response

from drgcore.errors import DrgcoreError
from drgcore.files import passing_folder
from drgcore.language import N_, _, get_language
from drgcore.serve.described import Refusal
from drgcore.serve.jobs.store import Job, JobStore, held_alone
from drgcore.serve.jobs.uploads import keep_upload, kind_of, shown_name
from drgcore.serve.jobs.work import BatchAsked, Worker, look_at
from drgcore.serve.parameters import JobId, SheetName
from drgcore.serve.sessions import VISIT
from drgcore.serve.settings import Settings
from drgcore.serve.threads import threads_of

router = APIRouter(prefix="/batch", tags=["batch"])

_Answers = dict[int | str, dict[str, Any]]
NO_BATCH: _Answers = {
    404: {"model": Refusal, "description": N_("There is no such batch or result.")}
}
_AT_WORK: _Answers = {409: {"model": Refusal, "description": N_("The batch is being worked on.")}}
_REMOVED: _Answers = {410: {"model": Refusal, "description": N_("The file was removed.")}}

_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
}


@contextlib.asynccontextmanager
async def batches(app: FastAPI) -> AsyncIterator[None]:
    """The store and its worker, as long as the application runs."""
    settings: Settings = app.state.settings
    with contextlib.ExitStack() as stack:
        folder = settings.work_folder
        if folder is None:
            # After a kill the next start sweeps it: nobody's cases stay in the system's folder.
            folder = stack.enter_context(passing_folder("drgcore-batches"))
        stack.enter_context(held_alone(folder))
        over = app.state.visits.over
        app.state.jobs = store = JobStore(folder, settings.keep_hours * 3600, over=over)
        store.remove_old()
        app.state.worker = worker = Worker(store, app.state.library)
        worker.start()
        yield
        worker.stop(cancel=settings.work_folder is None)
        store.end_visits()


def store_of(request: Request) -> JobStore:
    store: JobStore = request.app.state.jobs
    return store


def job_of(request: Request, job_id: str) -> Job:
    job = store_of(request).get(job_id)
    if job is None:
        raise HTTPException(404, _("there is no such batch"))
    return job


def shown_job(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "keep": job.keep,
        "created": job.created,
        "ended": job.ended,
        "rows": job.rows,
        "total": job.total,
        "step": job.told.get("step"),
        "steps": job.told.get("steps"),
        "summary": job.told.get("summary"),
        "findings": job.told.get("findings"),
        "error": job.error,
        "files": list(job.files) if job.state == "done" else [],
    }


@router.post("", status_code=202, summary="Upload a file")
async def upload(
    request: Request,
    file: Annotated[UploadFile, File(description="the file, with its ending")],
    start: Annotated[bool, Form(description="at once; else look and start it then")] = True,
    keep: Annotated[bool, Form(description="until somebody removes it")] = False,
    options: Annotated[str, Form(description="what to do: a BatchAsked as JSON")] = "{}",
) -> dict[str, Any]:
    """Upload a file (.xlsx, .xls, .csv, .tsv, .txt, .dbf, .parquet) to be grouped and checked."""
    settings, store = request.app.state.settings, store_of(request)
    asked = _asked(options)
    name = shown_name(file.filename or "")
    kind = kind_of(name)
    job = store.add(name, kind, keep=keep, visit=request.cookies.get(VISIT, ""))
    job.asked, job.lang = asked.model_dump(), get_language()
    try:
        lane = threads_of(request).short
        await lane.run(keep_upload, file.file, store.upload(job), settings.max_upload)
    except (DrgcoreError, OSError):
        store.remove(job)
        raise
    if start:
        request.app.state.worker.put(job)
    else:
        store.save(job)
    return shown_job(job)


@router.get("", summary="All batches")
async def jobs(request: Request) -> list[dict[str, Any]]:
    """All batches, the latest first."""
    return [shown_job(job) for job in store_of(request).jobs()]


@router.get("/{job_id}", summary="State of a batch", responses=NO_BATCH)
async def job(request: Request, job_id: JobId) -> dict[str, Any]:
    """State and progress of a batch; its summary when it is done."""
    return shown_job(job_of(request, job_id))


@router.get("/{job_id}/look", summary="Look at an upload", responses=NO_BATCH | _REMOVED)
async def look(request: Request, job_id: JobId, sheet: SheetName = "") -> dict[str, Any]:
    """Columns and first rows of an upload, and the mapping that is proposed for it."""
    found, store = job_of(request, job_id), store_of(request)
    if not store.upload(found).exists():
        raise HTTPException(410, _("the upload was removed"))
    return await threads_of(request).long.run(look_at, store, found, sheet or None)


@router.post(
    "/{job_id}/start",
    status_code=202,
    summary="Start a batch",
    responses=NO_BATCH | _AT_WORK | _REMOVED,
)
async def start(request: Request, job_id: JobId, asked: BatchAsked) -> dict[str, Any]:
    """Group and check an upload, as is said."""
    found, store = job_of(request, job_id), store_of(request)
    if found.state in ("queued", "running"):
        raise HTTPException(409, _("the batch is being worked on"))
    if not store.upload(found).exists():
        raise HTTPException(410, _("the upload was removed"))
    found.asked, found.lang = asked.model_dump(), get_language()
    request.app.state.worker.put(found)
    return shown_job(found)


@router.get("/{job_id}/files/{name}", summary="Fetch a result", responses=NO_BATCH | _REMOVED)
async def result(
    request: Request,
    job_id: JobId,
    name: Annotated[str, FromPath(description="a name among the files of the batch")],
) -> Response:
    """One of the results: grouped.xlsx, grouped.parquet, grouped.csv, findings.xlsx."""
    found = job_of(request, job_id)
    if found.state != "done" or name not in found.files:
        raise HTTPException(404, _("there is no such result"))
    path = store_of(request).place(found) / name
    if not path.exists():
        raise HTTPException(410, _("the result was removed"))
    shown = f"{Path(found.name).stem}-{name}"
    return FileResponse(path, media_type=_TYPES[path.suffix], filename=shown)


@router.delete("/{job_id}", status_code=204, summary="Remove a batch", responses=NO_BATCH)
async def remove(request: Request, job_id: JobId) -> Response:
    """Remove a batch with its upload and its results; one that is worked on is given up."""
    found = job_of(request, job_id)
    await threads_of(request).short.run(store_of(request).remove, found)
    return Response(status_code=204)


def _asked(options: str) -> BatchAsked:
    try:
        return BatchAsked.model_validate_json(options)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
