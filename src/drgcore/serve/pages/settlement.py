"""Settlement: the ledgers, a hospital's statement to the fen, trials, the bureau's statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, File, Form, Query, Request, UploadFile

from drgcore.cases import read_table
from drgcore.errors import BudgetError
from drgcore.files import passing_folder
from drgcore.language import N_, _
from drgcore.serve import books, trials
from drgcore.serve.figures import legend, lines
from drgcore.serve.jobs.uploads import keep_upload, kind_of
from drgcore.serve.parameters import (
    LEDGER,
    PERIOD,
    CasesFile,
    HospitalName,
    LedgerName,
    MonthName,
    PeriodName,
)
from drgcore.serve.shelf import Shelf
from drgcore.serve.tables import Row
from drgcore.serve.trials import Trials
from drgcore.serve.views import TEMPLATES, Views

views = Views()

_TITLES = {
    "units": N_("Settlement units"),
    "reserve": N_("Reserve"),
    "pool": N_("Incentive pool"),
    "reconciliation": N_("Where every fen of the budget is"),
    "flows": N_("Money beside the statement"),
    "adjustments": N_("Adjustments"),
    "classes": N_("Classes of cases"),
    "cases_by_class": N_("Classes of cases"),
}


class _Links:
    """Addresses of what a row of a table leads to."""

    @staticmethod
    def period(ledger: str) -> Callable[[Row], str]:
        return lambda row: _to("period", ledger=ledger, period=row["period"])

    @staticmethod
    def hospital(ledger: str, period: str) -> Callable[[Row], str]:
        keys = {"ledger": ledger, "period": period}
        return lambda row: _to("statement", **keys, hospital=row["hospital"])

    @staticmethod
    def trial(data: Row) -> Callable[[Row], str]:
        keys = {name: data[name] for name in ("cases", "policy", "year", "quality")}
        return lambda row: _to("trial", **keys, hospital=row["hospital"]) + "#explained"


def _to(page: str, **query: object) -> str:
    return f"/settlement/{page}?{urlencode(query)}"


TEMPLATES.globals |= {"lines": lines, "legend": legend, "links": _Links, "titles": _TITLES}


async def _shelf(request: Request) -> Shelf:
    settings = request.app.state.settings
    return Shelf(settings.data, settings.ledgers)


async def _trials(request: Request) -> Trials:
    kept: Trials = request.app.state.trials
    return kept


ShelfGiven = Annotated[Shelf, Depends(_shelf)]
TrialsGiven = Annotated[Trials, Depends(_trials)]


@views.page("/settlement", "settlement.html", "Settlement", menu=True)
def settlement(shelf: ShelfGiven, ledger: LedgerName = "") -> Row:
    """A ledger: its months and years with point values, its entries, whether it is sound."""
    ledgers = shelf.names("ledger")
    data: Row = {"ledgers": ledgers, "ledger": ledger or next(iter(ledgers), "")}
    if not data["ledger"]:
        return data
    with books.opened(shelf.ledger(data["ledger"])) as book:
        return data | books.overview(book)


@views.page("/settlement/period", "settlement_period.html", N_("Statements"))
def of_period(shelf: ShelfGiven, ledger: LedgerName, period: PeriodName) -> Row:
    """A closed month or year: point values, statements of all hospitals, accounts."""
    with books.opened(shelf.ledger(ledger)) as book:
        found = books.period_of(book, period)
    return {"ledger": ledger, **found, "files": shelf.names("table")}


@views.page("/settlement/statement", "settlement_statement.html", N_("Statement of a hospital"))
def of_hospital(
    shelf: ShelfGiven,
    ledger: LedgerName,
    period: PeriodName,
    hospital: Annotated[str, Query(description="a hospital of the statement")],
) -> Row:
    """A hospital's statement of a closed month or year, every amount explained to the fen."""
    with books.opened(shelf.ledger(ledger)) as book:
        found = books.statement_of(book, period, hospital, shelf)
        entries = book.entries()
    periods = [entry["period"] for entry in entries if entry["kind"] in ("month", "year")]
    return {"ledger": ledger, **found, "periods": periods}


@views.page("/settlement/trial", "settlement_trial.html", "Trial settlement", long=True)
def trial(
    shelf: ShelfGiven,
    kept: TrialsGiven,
    cases: CasesFile = "",
    policy: Annotated[
        str,
        Query(description="a policy by its name, or ledger:NAME:YEAR for a closed year's"),
    ] = "",
    year: Annotated[int, Query(description="the year that is settled")] = 0,
    quality: Annotated[
        str, Query(description="a table of quality results in a data folder; empty for none")
    ] = "",
    hospital: HospitalName = "",
    month: MonthName = "",
) -> Row:
    """A whole year settled on trial from grouped cases, entered in no ledger."""
    asked = {"cases": cases, "policy": policy, "year": year, "quality": quality}
    data: Row = asked | {"hospital": hospital, "month": month}
    data |= {"files": shelf.names("table"), "policies": kept.policies()}
    data |= {"tables": {}, "explained": None}
    if not cases:
        return data
    settled = kept.settle(cases, policy, year, quality)
    data["tables"] = trials.shown(settled)
    data["months"] = [str(one.month) for one in settled.months]
    data["hospitals"] = sorted({row["hospital"] for row in data["tables"]["statement"]})
    if hospital:
        data["explained"] = trials.explained(settled, hospital, month)
    return data


@views.fragment(
    "/settlement/compare", "settlement_compared.html", N_("Compare a returned statement"), long=True
)
def compare(
    request: Request,
    shelf: ShelfGiven,
    ledger: Annotated[str, Form(description=LEDGER)],
    period: Annotated[str, Form(description=PERIOD)],
    upload: Annotated[
        UploadFile | None, File(description="the returned statement, with its ending")
    ] = None,
    file: Annotated[
        str, Form(description="a returned statement in a data folder, by its name")
    ] = "",
) -> dict[str, Any]:
    """The bureau's returned statement, sent or of a data folder, against a closed period."""
    settings = request.app.state.settings
    if upload is not None and upload.filename:
        with passing_folder("drgcore-returned") as folder:
            path = folder / f"returned{kind_of(upload.filename)}"
            keep_upload(upload.file, path, settings.max_body)
            returned = read_table(path, lenient=True)
    elif file:
        returned = read_table(shelf.path("table", file), lenient=True)
    else:
        raise BudgetError(_("there is no returned statement"), hint=_("Choose a file."))
    return trials.compared(shelf, ledger, period, returned)
