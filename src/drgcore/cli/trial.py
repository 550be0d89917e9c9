"""`drgcore settle trial`: a whole year in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgcore.budget import Month
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import CasesArgument, DecisionsOption, SheetOption, read_side
from drgcore.cli.settle import ItemsOption, OutOption, PolicyOption, with_points
from drgcore.cli.tables import print_table, table_console, write_all
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.points import Policy
from drgcore.trial import settle_trial

app = typer.Typer(add_completion=False)

_SHOWN = ("point_values", "statement", "units", "reconciliation")


@app.command()
def trial(
    cases: CasesArgument,
    policy: PolicyOption,
    year: Annotated[int, typer.Option(help="The year.")],
    quality: Annotated[
        Path | None, typer.Option(help="κ or scores by hospital: hospital, kappa or …")
    ] = None,
    decisions: DecisionsOption = None,
    items: ItemsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    explain: Annotated[
        str | None, typer.Option(help="Print the payment of this hospital step by step.")
    ] = None,
    month: Annotated[
        str | None, typer.Option(help="With --explain: of this month, for example 2027-01.")
    ] = None,
    out: OutOption = None,
) -> None:
    """Settle twelve months and the year end from grouped cases; nothing is entered in a ledger."""
    when = None if month is None else Month.parse(month)
    if when is not None and when.year != year:
        raise BudgetError(_("{when} is no month of {year}", when=when, year=year))
    if when is not None and explain is None:
        raise BudgetError(
            _("{when} is the month to explain, but of no hospital", when=when),
            where="--month",
            hint=_("add --explain HOSPITAL"),
        )
    rules = Policy.load(policy)
    earned = with_points(cases, rules, decisions, mapping, sheet, items)
    tried = settle_trial(earned, rules, year, read_side(quality, mapping))
    account = None if explain is None else tried.explain(explain, when)
    said = []
    if out is not None:
        written = tried.tables(plain=True)
        write_all(written, out)
        said.append(_("{count} tables in {out}", count=len(written), out=out))
    if account is not None:
        said.insert(0, account)
    else:
        console, tables = table_console(), tried.tables()
        print_table(console, "cases_by_class", tables["cases_by_class"])
        for name in _SHOWN:
            print_table(console, name, tables[name])
    for text in said:
        typer.echo(text)
