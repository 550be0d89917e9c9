"""Dashboard: a grouped year, and what it is paid, by hospital, department, group and month."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

import pandas as pd
from fastapi import Depends, Query, Request

from drgcore.language import N_
from drgcore.serve import books
from drgcore.serve.cube import AMOUNTS, Cube, Cubes, Filters
from drgcore.serve.figures import Bubble, bars, bubbles, small
from drgcore.serve.pages.settlement import ShelfGiven
from drgcore.serve.parameters import (
    CasesFile,
    DepartmentName,
    HospitalName,
    LedgerName,
    MonthName,
)
from drgcore.serve.shelf import Shelf
from drgcore.serve.tables import Row, rows_of
from drgcore.serve.views import TEMPLATES, Views

views = Views()

_SHOWN = (
    *("cases", "grouping_rate", "cmi", "cost_index", "time_index", "mean_cost", "average_stay"),
    *("mcc_cc_rate", "drug_share", "consumable_share", "mortality", "readmission_rate"),
)
_GROUPS = 15
_PANELS = 12
_BARS = 30
_BUBBLES = 60
_FILTERS = ("hospital", "department", "drg", "month")


async def _cubes(request: Request) -> Cubes:
    kept: Cubes = request.app.state.cubes
    return kept


def _link(data: Row, key: str) -> Callable[[Row], str]:
    """The dashboard with one filter more."""
    kept = {name: data[name] for name in ("cases", "ledger", *_FILTERS) if data[name]}
    # An MDC is what the codes of its groups begin with.
    name = "drg" if key == "mdc" else key
    return lambda row: f"/dashboard?{urlencode({**kept, name: row[key]})}"


TEMPLATES.globals |= {"bars": bars, "bubbles": bubbles, "small": small, "filtered": _link}


@views.page("/dashboard", "dashboard.html", N_("Dashboard"), menu=True, long=True)
def dashboard(
    shelf: ShelfGiven,
    kept: Annotated[Cubes, Depends(_cubes)],
    cases: CasesFile = "",
    ledger: LedgerName = "",
    hospital: HospitalName = "",
    department: DepartmentName = "",
    drg: Annotated[str, Query(description="what codes of groups begin with")] = "",
    month: MonthName = "",
) -> Row:
    """A grouped year: indicators, groups and months; with a ledger also payment against cost."""
    filters = Filters(hospital, department, month, drg)
    data: Row = {"cases": cases, "ledger": ledger, "hospital": hospital, "month": month}
    data |= {"department": department, "drg": drg}
    data |= {"files": shelf.names("table"), "ledgers": shelf.names("ledger"), "state": "none"}
    if not cases:
        return data
    policy, values = _prices(shelf, ledger)
    cube = kept.get(shelf.path("table", cases), policy, values)
    if cube is None:
        return data | {"state": "loading"}
    data |= {"state": "there", "paid": None, **cube.answer(filters, figures)}
    # A statement knows hospitals and months, and nothing of departments and groups.
    if ledger and not (department or drg or month):
        data["paid"] = _paid(shelf, ledger, hospital)
    return data


def _paid(shelf: Shelf, ledger: str, hospital: str) -> Row | None:
    """What the ledger's last year came to, of all hospitals or of one."""
    with books.opened(shelf.ledger(ledger)) as book:
        found = books.paid(book)
    rows = [row for row in found["hospitals"] if hospital in ("", row["hospital"])]
    if not rows:
        return None
    ended = "final" in rows[0]
    sums: dict[str, Any] = {}
    for row in rows:
        sums[row["hospital"]] = sums.get(row["hospital"], 0) + row["final" if ended else "prepaid"]
    largest = sorted(sums, key=lambda name: -sums[name])[:_BARS]
    return {
        **found,
        "hospitals": rows,
        "names": largest,
        "amounts": [float(sums[name]) for name in largest],
        "prepaid": sum(row["prepaid"] for row in rows),
        "pool_share": sum(row["pool_share"] for row in rows) if ended else None,
        "final": sum(row["final"] for row in rows) if ended else None,
    }


def _prices(shelf: Shelf, ledger: str) -> tuple[Any, dict[str, float]]:
    """Policy and point values of a ledger's last closed year, or else of its last month."""
    if not ledger:
        return None, {}
    with books.opened(shelf.ledger(ledger)) as book:
        return books.prices_of(book, shelf)


def figures(cube: Cube, filters: Filters) -> Row:
    """Everything that the page shows of a question."""
    whole = rows_of(cube.by([], filters))
    key = "department" if filters.hospital else "hospital"
    data: Row = {
        "names": {name: cube.names(name) for name in ("hospital", "department", "month")},
        "facts": {n: whole[0][n] for n in _SHOWN} if whole else {},
        "statuses": cube.statuses(filters),
        "key": key if cube.names(key) else "",
        "units": [],
        "months": [],
        "panels": [],
        "money": None,
    }
    if not whole or not whole[0]["cases"]:
        return data | {"facts": {}}
    if data["key"]:
        data["units"] = _shown(cube.by([key], filters), key)
    if cube.names("month"):
        data["months"] = _shown(cube.by(["month"], filters), "month", by_cases=False)
    other = "department" if cube.names("department") else key
    if cube.names("month") and cube.names(other) and not filters.month:
        data["panels"] = _panels(cube, other, filters)
        data["panel_key"] = other
    groups = _shown(cube.by(["drg"], filters), "drg")
    data["groups"] = [
        {"drg": row["drg"], "name": cube.name_of(row["drg"]), **row} for row in groups
    ]
    data["seen"] = _seen(data)
    if cube.money is not None:
        data["money"] = _money(cube, filters)
    return data


def _shown(table: pd.DataFrame, key: str, *, by_cases: bool = True) -> list[Row]:
    table = table[table[key].notna()]
    if by_cases:
        table = table.sort_values("cases", ascending=False, kind="stable")
    rows = rows_of(table[[key, *_SHOWN]])
    return [row | {"cases": int(row["cases"])} for row in rows if row["cases"]]


def _panels(cube: Cube, key: str, filters: Filters) -> list[Row]:
    """Months of the largest units, one line each."""
    table = cube.by([key, "month"], filters)
    months = cube.names("month")
    found: list[Row] = []
    for name, part in table[table[key].notna()].groupby(key, sort=False, observed=True):
        by_month = part.set_index("month")["cost_index"]
        values = [_number(by_month.get(month)) for month in months]
        found.append({key: name, "cases": int(part["cases"].sum()), "cost_index": values})
    found.sort(key=lambda panel: -panel["cases"])
    return found[:_PANELS]


def _seen(data: Row) -> Row:
    """The numbers of the sentences that say what to see."""
    known = [u for u in data["units"] if u["cost_index"] is not None and u["cmi"] is not None]
    dear = [u for u in known if u["cost_index"] > 1]
    light = [u for u in dear if u["cmi"] < 1]
    cases = sum(row["cases"] for row in data["groups"])
    largest = sum(row["cases"] for row in data["groups"][:_GROUPS])
    months = [m for m in data["months"] if m["cost_index"] is not None]
    ends = sorted(months, key=lambda m: float(m["cost_index"]))
    return {
        "units": len(known),
        "dear": len(dear),
        "light": [u[data["key"]] for u in light][:5],
        "bubbles": [_bubble(u, data["key"]) for u in known[:_BUBBLES]],
        "largest": len(data["groups"][:_GROUPS]),
        "largest_share": largest / cases if cases else None,
        "groups": len(data["groups"]),
        "low": ends[0] if ends else None,
        "high": ends[-1] if ends else None,
    }


def _bubble(unit: Row, key: str) -> Bubble:
    marked = unit["cost_index"] > 1 and unit["cmi"] < 1
    return Bubble(unit[key], unit["cmi"], unit["cost_index"], unit["cases"], marked)


def _money(cube: Cube, filters: Filters) -> Row:
    """Payment against cost by MDC, by group and by unit, and the parts of the whole."""
    mdcs, groups = cube.surplus("mdc", filters), cube.surplus("drg", filters)
    key = "department" if filters.hospital else "hospital"
    groups.insert(1, "name", [cube.name_of(str(code)) for code in groups["drg"]])
    sums = {name: float(mdcs[name].sum()) for name in AMOUNTS}
    losing = mdcs[mdcs["surplus"] < 0]
    return {
        "sums": sums,
        "mdcs": [{"mdc": r["mdc"], "name": cube.name_of(r["mdc"]), **r} for r in rows_of(mdcs)],
        "groups": rows_of(groups),
        "units": rows_of(cube.surplus(key, filters)) if cube.names(key) else [],
        "losing": len(losing),
        "lost": float(losing["surplus"].abs().sum()),
        "worst": rows_of(groups.head(1)),
    }


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
