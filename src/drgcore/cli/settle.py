"""`drgcore settle`: settle a month or a year, and explain a hospital's payment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from drgcore.budget import (
    Ledger,
    Month,
    MonthSettlement,
    YearSettlement,
    close_month,
    close_year,
    explain_payment,
    settle_month,
    settle_year,
    show,
)
from drgcore.budget.on_top import with_on_top
from drgcore.budget.tables import plain
from drgcore.cli.lazy import Lazy, lazy_group
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import (
    CasesArgument,
    DecisionsOption,
    SheetOption,
    read_cases,
    read_side,
)
from drgcore.cli.tables import print_table, table_console, write_all
from drgcore.errors import BudgetError, CaseSchemaError
from drgcore.language import _
from drgcore.points import Policy, compute_points
from drgcore.points.needs import needs_all_cases
from drgcore.progress import starts

app = typer.Typer(
    cls=lazy_group(
        {
            "trial": Lazy(
                "trial", "Settle a whole year at once, entered in no ledger.", lasts=True
            ),
            "compare-returned": Lazy(
                "returned", "Hold the bureau's returned statement against ours.", lasts=True
            ),
        }
    ),
    no_args_is_help=True,
    add_completion=False,
)

_SLICE = 1 << 20

PolicyOption = Annotated[str, typer.Option(help="Policy file (.toml) or preset.")]
LedgerOption = Annotated[
    str, typer.Option(help="Ledger: an SQLite file, or postgresql://user@host/database.")
]
SchemeOption = Annotated[str, typer.Option(help="Grouping scheme, stored with the closing.")]
OutOption = Annotated[
    Path | None, typer.Option(help="Folder for all tables as .csv, or a workbook .xlsx.")
]
ItemsOption = Annotated[
    Path | None,
    typer.Option(help="Items paid on top of points: case_id, item, cost; lists in the policy."),
]
KeepOption = Annotated[
    Path | None,
    typer.Option("--cases-folder", help="Where the closed cases are kept; else beside the file."),
]
CloseOption = Annotated[bool, typer.Option("--close", help="Enter the result in the ledger.")]


@app.command()
def month(
    cases: CasesArgument,
    month: Annotated[str, typer.Option(help="The month, for example 2027-01.")],
    policy: PolicyOption,
    ledger: LedgerOption,
    scheme: SchemeOption = "",
    decisions: DecisionsOption = None,
    items: ItemsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: OutOption = None,
    close: CloseOption = False,
    cases_folder: KeepOption = None,
) -> None:
    """Settle a month; the month before it comes from the ledger."""
    rules, when = Policy.load(policy), Month.parse(month)
    earned = with_points(cases, rules, decisions, mapping, sheet, items)
    with Ledger.open(ledger, cases_folder=cases_folder) as book:
        before = book.before(when)
        settled = settle_month(earned, rules, when, before)
        said = []
        if settled.other_cases:
            said.append(
                _("{count:,} cases of other months were left aside", count=settled.other_cases)
            )
        if close:
            entry = book.close_month(close_month(settled, earned, rules, scheme))
            said.append(
                _(
                    "{period} is closed: entry {entry} of {ledger}",
                    period=when,
                    entry=entry,
                    ledger=ledger,
                )
            )
    _finish(settled, ("point_values", "statement", "reserve"), out, said)


@app.command()
def year(
    cases: CasesArgument,
    year: Annotated[int, typer.Option(help="The year.")],
    policy: PolicyOption,
    ledger: LedgerOption,
    quality: Annotated[
        Path | None, typer.Option(help="κ or scores by hospital: hospital, kappa or …")
    ] = None,
    scheme: SchemeOption = "",
    decisions: DecisionsOption = None,
    items: ItemsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: OutOption = None,
    close: CloseOption = False,
    cases_folder: KeepOption = None,
) -> None:
    """Settle a year from all its cases; closed months and decisions come from the ledger."""
    rules = Policy.load(policy)
    earned = with_points(cases, rules, decisions, mapping, sheet, items)
    scores = read_side(quality, mapping)
    with Ledger.open(ledger, cases_folder=cases_folder) as book:
        settled = settle_year(
            earned, book.closed_months(year), rules, scores, adjustments=book.adjustments(year)
        )
        said = []
        if close:
            entry = book.close_year(close_year(settled, earned, rules, scheme))
            said.append(
                _(
                    "{period} is closed: entry {entry} of {ledger}",
                    period=year,
                    entry=entry,
                    ledger=ledger,
                )
            )
    _finish(settled, ("point_values", "statement", "units", "reconciliation"), out, said)


@app.command()
def explain(
    hospital: Annotated[str, typer.Argument(help="The hospital, as in the cases.")],
    period: Annotated[str, typer.Argument(help="A closed month or year, 2027-01 or 2027.")],
    policy: PolicyOption,
    ledger: LedgerOption,
) -> None:
    """Print a hospital's statement of a closed month or year, to be checked by hand."""
    rules = Policy.load(policy)
    with Ledger.open(ledger, read_only=True) as book:
        closed = book.year(int(period)) if period.isdigit() else book.month(Month.parse(period))
        months = book.closed_months(int(period)) if period.isdigit() else []
    if closed.policy_text != rules.text:
        raise BudgetError(
            _("{period} was closed with another text of the policy", period=period),
            where=policy,
            hint=_("name the file that it was closed with"),
        )
    typer.echo(explain_payment(hospital, closed, rules, months))


def with_points(
    path: Path,
    policy: Policy,
    decisions: Path | None,
    mapping: str = "canonical",
    sheet: str | None = None,
    items: Path | None = None,
) -> pa.Table:
    """Read cases and, where they have no points yet, compute them slice by slice."""
    table = _points_of(read_cases(path, mapping, sheet), policy, decisions, mapping)
    given = "on_top_amount" in table.column_names
    if items is not None or (policy.on_top is not None and not given):
        return with_on_top(table, read_side(items, mapping), policy)
    return table


def _points_of(table: pa.Table, policy: Policy, decisions: Path | None, mapping: str) -> pa.Table:
    if "points" in table.column_names:
        if decisions is not None:
            raise CaseSchemaError(
                _("the cases have points already, so that decisions would change nothing"),
                where=str(decisions),
                hint=_(
                    "give cases without points, or give the decisions to drgcore points compute"
                ),
            )
        return table
    panel = read_side(decisions, mapping)
    # Decisions name single cases, and a quota ranks all: both take the whole table, not a slice.
    whole = panel is not None or needs_all_cases(policy)
    size = max(len(table), 1) if whole else _SLICE
    begins = starts(len(table), size, _("case points"), _("cases")) if len(table) else [0]
    parts = [compute_points(table.slice(s, size), policy, decisions=panel) for s in begins]
    return pa.concat_tables(parts).unify_dictionaries()


def _finish(
    settled: MonthSettlement | YearSettlement,
    names: tuple[str, ...],
    out: Path | None,
    said: list[str],
) -> None:
    """Write all tables where a place is given, and print the main ones last."""
    if out is not None:
        tables = plain(settled)
        write_all(tables, out)
        said = [*said, _("{count} tables in {out}", count=len(tables), out=out)]
    console, tables = table_console(), show(settled)
    for name in names:
        print_table(console, name, tables[name])
    if len(tables["flows"]):
        print_table(console, "money_beside_the_statement", tables["flows"])
    for text in said:
        typer.echo(text)
