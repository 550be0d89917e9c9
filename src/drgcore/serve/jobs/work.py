"""The work on batches: one after the other in a thread, from upload to results."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from drgcore.cases import CaseMapping, guess_mapping, open_cases
from drgcore.checks import check_file
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.grouper import group_file
from drgcore.language import _, use_language
from drgcore.schemes import DEFAULT_SCHEME
from drgcore.schemes.calendar import BY_DATE
from drgcore.serve.calls.library import Library, known_mapping
from drgcore.serve.jobs.store import Job, JobStore
from drgcore.serve.logs import LOGGER, where_it_failed

Output = Literal["parquet", "xlsx", "csv"]

_SAMPLES = 5
_LONGEST_SAMPLE = 200
_LONGEST_MAPPING = 100_000
_MINUTES = 5 * 60.0
_SECONDS_TO_END = 10.0


class BatchAsked(BaseModel):
    """What is to be done with an upload."""

    model_config = ConfigDict(extra="forbid")

    scheme: str = Field(
        DEFAULT_SCHEME, max_length=200, description="a name of GET /schemes, or by-date"
    )
    mapping: str = Field("auto", max_length=200, description="auto, or a mapping's name")
    mapping_text: str = Field(
        "", max_length=_LONGEST_MAPPING, description="a mapping file (TOML) in its place"
    )
    sheet: str | None = Field(
        None,
        max_length=200,
        description="a sheet of the workbook; by default the first with cases",
    )
    clinical_codes: bool = Field(False, description="codes are of the clinical version (国临版)")
    restore_zeros: bool = Field(
        False, description="give codes back the zeros that a spreadsheet took from their ends"
    )
    check: bool = Field(True, description="also check the front pages")
    outputs: list[Output] = Field(
        ["xlsx", "parquet"], min_length=1, max_length=3, description="kinds of files of results"
    )


class Cancelled(Exception):
    """Somebody removed the batch while it was worked on."""


def look_at(store: JobStore, job: Job, sheet: str | None) -> dict[str, Any]:
    """What an upload looks like: its columns, its first rows, and the mapping that is proposed.

    Returns
    -------
    dict
        ``columns``, ``samples`` (the first rows, as texts), ``mapping`` (a mapping file, with what
        was understood as comments) or the ``error`` for which none is proposed.
    """
    path = store.upload(job)
    with open_cases(path, sheet=sheet, batch_rows=1000) as source:
        names = list(source.schema.names)
        first = next(iter(source.batches()), None)
        notes = list(source.notes)
    rows = [] if first is None else first.slice(0, _SAMPLES).to_pylist()
    told: dict[str, Any] = {
        "columns": names,
        "samples": [[_sample(row[name]) for name in names] for row in rows],
        "notes": [_without(note, store) for note in notes],
        "mapping": None,
        "error": None,
    }
    try:
        told["mapping"] = guess_mapping(path, sheet=sheet).text
    except DrgcoreError as error:
        told["error"] = _told(error, store)
    return told


def _sample(value: Any) -> str:
    """A cell of an upload as people read it; lists of codes as one text."""
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)[:_LONGEST_SAMPLE]
    return "" if value is None else str(value)[:_LONGEST_SAMPLE]


def work_on(store: JobStore, job: Job, library: Library) -> None:
    """Group and check one upload; its results are files in its folder.

    Raises
    ------
    DrgcoreError
        What is wrong with the upload or with what was asked.
    Cancelled
    """
    asked = BatchAsked.model_validate(job.asked)
    source, place = store.upload(job), store.place(job)
    if not source.exists():
        raise CaseSchemaError(_("the upload is gone"), hint=_("Upload it again."))
    mapping = _mapping(asked, source, place)
    scheme = library.scheme_place(asked.scheme)
    steps = len(asked.outputs) + asked.check

    def progress(step: int) -> Callable[[int, int | None], None]:
        def tell(rows: int, total: int | None) -> None:
            if job.cancelled:
                raise Cancelled
            job.rows = rows
            job.told["step"], job.told["steps"], job.total = step, steps, total

        return tell

    for step, kind in enumerate(asked.outputs, 1):
        summary = group_file(
            source,
            place / f"grouped.{kind}",
            scheme,
            mapping=mapping,
            clinical_codes=asked.clinical_codes,
            restore_zeros=asked.restore_zeros,
            names=True,
            stamp=True,
            sheet=asked.sheet,
            progress=progress(step),
        )
        job.files.append(f"grouped.{kind}")
    job.told["summary"] = {
        "scheme": summary.scheme,
        "rows": summary.rows,
        "grouping_rate": summary.grouping_rate if summary.rows else None,
        "statuses": dict(summary.statuses),
        "reasons": dict(summary.reasons),
        "notes": [_without(note, store) for note in (*summary.notes, *summary.warnings)],
    }
    if asked.check:
        report = check_file(
            source,
            place / "findings.xlsx",
            # The checks' lists are those of one scheme, whatever the days of discharge are.
            library.scheme(DEFAULT_SCHEME if scheme == BY_DATE else asked.scheme),
            mapping=mapping,
            clinical_codes=asked.clinical_codes,
            sheet=asked.sheet,
            progress=progress(steps),
        )
        found = report.checks.to_pylist()
        job.told["findings"] = [row for row in found if row["cases"]]
        job.files.append("findings.xlsx")


class Worker:
    """Works on batches in a thread of its own until it is told to stop.

    Parameters
    ----------
    store : JobStore
    library : Library
    """

    def __init__(self, store: JobStore, library: Library) -> None:
        self.store, self.library = store, library
        self._waiting: queue.Queue[Job | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)

    def start(self) -> None:
        """Begin, with what was waiting when the server stopped."""
        for job in reversed(self.store.jobs()):
            if job.state == "queued":
                self._waiting.put(job)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Have a batch worked on."""
        job.state, job.error, job.files, job.told, job.rows = "queued", None, [], {}, 0
        self.store.save(job)
        self._waiting.put(job)

    def stop(self, *, cancel: bool) -> None:
        """Stop; what waits or is worked on is begun anew by the next start, unless `cancel`."""
        self._stopping.set()
        self._waiting.put(None)
        if cancel:
            for job in self.store.jobs():
                job.cancelled = True
            self._thread.join(_SECONDS_TO_END)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                job = self._waiting.get(timeout=_MINUTES)
            except queue.Empty:
                self.store.remove_old()
                continue
            if job is None:
                return
            if not job.cancelled:
                with use_language(job.lang):
                    self._work(job)
            self.store.remove_old()

    def _work(self, job: Job) -> None:
        job.state = "running"
        try:
            self.store.save(job)
            work_on(self.store, job, self.library)
            self.store.end(job, "done")
        except Cancelled:
            self.store.remove(job)
        except DrgcoreError as error:
            self._failed(job, _told(error, self.store))
        except Exception as error:
            # Nobody expected it; the other batches are to be worked on all the same.
            LOGGER.error("batch failed", extra={"job": job.id, **where_it_failed(error)})
            told = {"error": _("an error that nobody expected"), "where": None, "hint": None}
            self._failed(job, told)
        else:
            LOGGER.info("batch done", extra={"job": job.id})

    def _failed(self, job: Job, told: dict[str, Any]) -> None:
        job.error = told
        try:
            self.store.end(job, "failed")
        except DrgcoreError as error:
            # Its folder was removed while it was worked on, or the disk is full.
            LOGGER.error("batch not kept", extra={"job": job.id, **where_it_failed(error)})


def _mapping(asked: BatchAsked, source: Path, place: Path) -> str | CaseMapping:
    # What was taken for what stays with the results, whose columns are those of the upload.
    file = place / "mapping.toml"
    file.unlink(missing_ok=True)
    if asked.mapping_text:
        file.write_text(asked.mapping_text, encoding="utf-8", newline="")
        return CaseMapping.from_file(file)
    if known_mapping(asked.mapping) == "auto":
        guess = guess_mapping(source, sheet=asked.sheet)
        file.write_text(guess.text, encoding="utf-8", newline="")
        return guess.mapping
    return asked.mapping


def _told(error: DrgcoreError, store: JobStore) -> dict[str, Any]:
    where = None if error.where is None else _without(error.where, store)
    return {"error": _without(error.message, store), "where": where, "hint": error.hint}


def _without(text: str, store: JobStore) -> str:
    """A text without the names of the store's folders."""
    plain = text.replace(f"{store.folder}", "")
    return plain.replace("//", "/").lstrip("/")
