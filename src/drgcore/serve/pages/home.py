"""The first page: what an office sees in the morning, and where to drop a file."""

from __future__ import annotations

from collections import Counter

import pyarrow.parquet as pq
from fastapi import Request

from drgcore.errors import DrgcoreError
from drgcore.language import N_
from drgcore.serve import books
from drgcore.serve.jobs.store import JobStore
from drgcore.serve.pages.batch import shown_job
from drgcore.serve.pages.in_house import WardGiven
from drgcore.serve.pages.settlement import ShelfGiven
from drgcore.serve.shelf import Shelf
from drgcore.serve.tables import Row
from drgcore.serve.views import TEMPLATES, Views
from drgcore.serve.ward import LEVELS, Ward

views = Views()

_BATCHES = 5
_FILES = 8

ABOUT = {
    "/case": N_("Type codes, see the group of two schemes with the evidence, what-if, payment."),
    "/batches": N_("Group and check a file; search its cases."),
    "/dashboard": N_("A grouped year in figures, with filters."),
    "/settlement": N_("Months, statements to the fen, trials, the bureau's statement."),
    "/schemes": N_("Read, search and compare schemes."),
    "/policies": N_("Check and explain a policy."),
    "/in-house": N_("Patients of now with estimate and warning."),
    "/docs": N_("The same for programs."),
}
"""What each page of the menu is for."""

TEMPLATES.globals |= {"about": ABOUT}


@views.page("/", "home.html", "Workbench", long=True)
def home(request: Request, shelf: ShelfGiven, ward: WardGiven) -> Row:
    """What is new: the last batches, warnings of patients in house, the month closed last."""
    store: JobStore | None = request.app.state.jobs
    return {
        "batches": [shown_job(job) for job in store.jobs()[:_BATCHES]] if store else [],
        "ward": None if ward is None else _warnings(ward),
        "ledger": _closed_last(shelf),
        "files": _grouped(shelf),
    }


def _warnings(ward: Ward) -> Row:
    try:
        found = ward.patients(wait=0)
    except DrgcoreError as error:
        return {"problem": str(error)}
    if found is None:
        return {"problem": None, "counts": {}}
    counts = Counter(row["level"] for row in found["rows"])
    return {
        "problem": found.get("problem"),
        "counts": {name: counts[name] for name in LEVELS if counts[name]},
        "patients": len(found["rows"]),
        "read": found["read"],
        "scheme": found["scheme"],
    }


def _closed_last(shelf: Shelf) -> Row | None:
    """The last month of the ledger that was written last; of those on a server nothing is asked."""
    items = sorted(shelf.items("ledger"), key=lambda item: item.path.stat().st_mtime)
    if not items:
        return next(({"name": name, "period": None} for name in shelf.names("ledger")), None)
    told: Row = {"name": items[-1].name, "problem": None, "period": None, "pools": []}
    try:
        with books.opened(items[-1].path) as book:
            return told | books.closed_last(book)
    except DrgcoreError as error:
        return told | {"problem": str(error)}


def _grouped(shelf: Shelf) -> list[str]:
    """Files of grouped cases, the latest first: as far as a look at their columns can tell."""
    found: list[str] = []
    for item in sorted(shelf.items("table"), key=lambda item: -item.path.stat().st_mtime):
        if len(found) < _FILES and item.path.suffix.lower() == ".parquet":
            try:
                names = pq.read_schema(item.path).names
            except (OSError, ValueError):
                continue
            if {"drg", "status"} <= {*names}:
                found.append(item.name)
    return found
