"""`drgcore settle`: settle a month or a year, and explain a hospital's payment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from drgcore.budget import (
    Ledger,
    Month,
    close_month,
    close_year,
    explain_payment,
    settle_month,
    settle_year,
    show,
)
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import (
    CasesArgument,
    DecisionsOption,
    SheetOption,
    read_cases,
    read_side,
)
from drgcore.errors import BudgetError
from drgcore.points import Policy, compute_points
from drgcore.points.needs import needs_all_cases

app = typer.Typer(no_args_is_help=True, add_completion=False)

_SLICE = 1 << 20
_SHOWN = 20

PolicyOption = Annotated[str, typer.Option(help="Policy file (.toml) or preset.")]
LedgerOption = Annotated[
    str, typer.Option(help="Ledger: an SQLite file, or postgresql://user@host/database.")
]
SchemeOption = Annotated[str, typer.Option(help="Grouping scheme, stored with the closing.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder for all tables as .csv.")]
CloseOption = Annotated[bool, typer.Option("--close", help="Enter the result in the ledger.")]


@app.command()
def month(
    cases: CasesArgument,
    month: Annotated[str, typer.Option(help="The month, for example 2027-01.")],
    policy: PolicyOption,
    ledger: LedgerOption,
    scheme: SchemeOption = "",
    decisions: DecisionsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: OutOption = None,
    close: CloseOption = False,
) -> None:
    """Settle a month; the month before it comes from the ledger."""
    rules, when = Policy.load(policy), Month.parse(month)
    earned = with_points(cases, rules, decisions, mapping, sheet)
    with Ledger.open(ledger) as book:
        before = book.before(when)
        settled = settle_month(earned, rules, when, before)
        _print(show(settled), ("point_values", "statement", "reserve"), out)
        if settled.other_cases:
            typer.echo(f"{settled.other_cases:,} cases of other months were left aside")
        if close:
            entry = book.close_month(close_month(settled, earned, rules, scheme))
            typer.echo(f"{when} is closed: entry {entry} of {ledger}")


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
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: OutOption = None,
    close: CloseOption = False,
) -> None:
    """Settle a year from all its cases; closed months and decisions come from the ledger."""
    rules = Policy.load(policy)
    earned = with_points(cases, rules, decisions, mapping, sheet)
    scores = read_side(quality, mapping)
    with Ledger.open(ledger) as book:
        settled = settle_year(
            earned, book.closed_months(year), rules, scores, adjustments=book.adjustments(year)
        )
        _print(show(settled), ("point_values", "statement", "units", "reconciliation"), out)
        if close:
            entry = book.close_year(close_year(settled, earned, rules, scheme))
            typer.echo(f"{year} is closed: entry {entry} of {ledger}")


@app.command()
def explain(
    hospital: Annotated[str, typer.Argument(help="The hospital, as in the cases.")],
    period: Annotated[str, typer.Argument(help="A closed month or year, 2027-01 or 2027.")],
    policy: PolicyOption,
    ledger: LedgerOption,
) -> None:
    """Print a hospital's statement of a closed month or year, to be checked by hand."""
    rules = Policy.load(policy)
    with Ledger.open(ledger) as book:
        closed = book.year(int(period)) if period.isdigit() else book.month(Month.parse(period))
    if closed.policy_text != rules.text:
        raise BudgetError(
            f"{period} was closed with another text of the policy",
            where=policy,
            hint="name the file that it was closed with",
        )
    typer.echo(explain_payment(hospital, closed, rules))


def with_points(
    path: Path,
    policy: Policy,
    decisions: Path | None,
    mapping: str = "canonical",
    sheet: str | None = None,
) -> pa.Table:
    """Read cases and, where they have no points yet, compute them slice by slice."""
    table = read_cases(path, mapping, sheet)
    if "points" in table.column_names:
        return table
    panel = read_side(decisions, mapping)
    # Decisions name single cases, and a quota ranks all: both take the whole table, not a slice.
    whole = panel is not None or needs_all_cases(policy)
    size = max(len(table), 1) if whole else _SLICE
    starts = range(0, max(len(table), 1), size)
    slices = track(starts, "case points", console=Console(stderr=True), transient=True)
    parts = [compute_points(table.slice(s, size), policy, decisions=panel) for s in slices]
    return pa.concat_tables(parts).unify_dictionaries()


def _print(tables: Mapping[str, pd.DataFrame], names: tuple[str, ...], out: Path | None) -> None:
    """Print the main tables, and write all of them where a folder is given."""
    console = Console()
    for name in names:
        print_table(console, name, tables[name])
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            unfinished = out / f"{name}.csv.part"
            table.to_csv(unfinished, index=False)
            unfinished.replace(out / f"{name}.csv")
        typer.echo(f"{len(tables)} tables in {out}")


def print_table(console: Console, name: str, table: pd.DataFrame) -> None:
    shown = Table(title=name.replace("_", " "), title_justify="left", box=None, pad_edge=False)
    # Columns that say nothing here are left out; the files have them all.
    columns = [c for c in table.columns if not _is_empty(table[c])]
    for column in columns:
        shown.add_column(column.replace("_", " "), justify=_justify(table[column]))
    for row in table[columns].head(_SHOWN).itertuples(index=False):
        shown.add_row(*map(str, row))
    console.print(shown)
    if len(table) > _SHOWN:
        console.print(f"… {len(table) - _SHOWN:,} more rows")
    console.print()


def _is_empty(column: pd.Series) -> bool:
    return len(column) > 0 and set(column) <= {"0.00", "", 0}


def _justify(column: pd.Series) -> Any:
    text = str(column.iloc[0]) if len(column) else ""
    return "right" if text.replace(",", "").replace(".", "").strip("+-%").isdigit() else "left"
