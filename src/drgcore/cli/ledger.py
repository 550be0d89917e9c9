"""`drgcore ledger`: list, verify, and correct by entries that name their month."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from drgcore.budget import Adjustment, Ledger, Month, adjustments_of_sanctions
from drgcore.budget.allocate import fen
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import CasesArgument, DecisionsOption, SheetOption, read_side
from drgcore.cli.settle import with_points
from drgcore.cli.tables import table_console
from drgcore.dates import period_text
from drgcore.errors import BudgetError
from drgcore.language import _, heading
from drgcore.points import Policy, sanction_points

app = typer.Typer(no_args_is_help=True, add_completion=False)

WhereArgument = Annotated[
    str, typer.Argument(help="Ledger: an SQLite file, or postgresql://user@host/database.")
]
MonthOption = Annotated[str, typer.Option(help="The closed month, for example 2027-01.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it tells equal decisions apart.")]


@app.command("list")
def list_(where: WhereArgument) -> None:
    """List the entries."""
    table = Table(box=None, pad_edge=False)
    for name in ("entry", "kind", "period", "written", "scheme", "cases", "hash"):
        table.add_column(heading(name))
    with Ledger.open(where, read_only=True) as book:
        for row in book.entries():
            digests = (row["cases_digest"][:12], row["hash"][:12])
            fixed = (str(row["seq"]), row["kind"], row["period"], row["created_at"], row["scheme"])
            table.add_row(*fixed, *digests)
    table_console().print(table)


@app.command()
def verify(where: WhereArgument) -> None:
    """Recompute the hash chain and all sums; exit code 1 if anything is wrong."""
    with Ledger.open(where, read_only=True) as book:
        problems = book.verify()
        entries = book.entries()
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    last = _(", last hash {hash}", hash=entries[-1]["hash"]) if entries else ""
    typer.echo(_("{count} entries, chain and sums are right{last}", count=len(entries), last=last))


@app.command()
def sanction(
    where: WhereArgument,
    cases: CasesArgument,
    sanctions: Annotated[Path, typer.Argument(help="A table: case_id, kind, points.")],
    policy: Annotated[str, typer.Option(help="Policy file (.toml) or preset.")],
    decisions: DecisionsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
) -> None:
    """Withdraw points of cases of closed months, times the policy's multiples."""
    rules = Policy.load(policy)
    earned = with_points(cases, rules, decisions, mapping, sheet)
    withdrawn = sanction_points(earned, read_side(sanctions, mapping), rules)
    with Ledger.open(where) as book:
        found = adjustments_of_sanctions(withdrawn, rules)
        entries = book.adjust_all(found)
    for entry, decided in zip(entries, found, strict=True):
        typer.echo(
            _(
                "entry {entry}: {kind} of {hospital} in {month}",
                entry=entry,
                kind=decided.kind,
                hospital=decided.hospital,
                month=period_text(decided.month),
            )
        )


@app.command()
def adjust(
    where: WhereArgument,
    month: MonthOption,
    pool: Annotated[str, typer.Option(help="The fund pool.")],
    hospital: Annotated[str, typer.Option(help="The hospital.")],
    kind: Annotated[str, typer.Option(help="What it is called in the statement.")],
    amount: Annotated[str, typer.Option(help="Yuan to pay; negative: to take back.")],
    reason: ReasonOption,
    account: Annotated[
        str, typer.Option(help="What pays it: reserve, or an account of the policy.")
    ] = "reserve",
) -> None:
    """Enter a decision about money of a closed month, which its account must be able to pay."""
    if not reason:
        raise BudgetError(_("a decision needs a reason"), where="--reason")
    decided = Adjustment(Month.parse(month), pool, hospital, kind, 0, fen(amount), reason, account)
    with Ledger.open(where) as book:
        typer.echo(
            _(
                "entry {entry}: {kind} of {hospital} in {month}",
                entry=book.adjust(decided),
                kind=kind,
                hospital=hospital,
                month=period_text(month),
            )
        )
