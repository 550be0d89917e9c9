"""`drgcore points`: what cases earn, one case by hand, readmissions, special reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import typer

from drgcore.cli.options import MappingOption
from drgcore.cli.reading import CasesArgument, DecisionsOption, SheetOption, read_cases, read_side
from drgcore.cli.settle import with_points
from drgcore.cli.tables import plain_text
from drgcore.errors import CaseSchemaError
from drgcore.grouper.stream import write_table
from drgcore.language import _
from drgcore.points import (
    Policy,
    explain_points,
    find_readmissions,
    points_by_class,
    review_report,
)

app = typer.Typer(no_args_is_help=True, add_completion=False)

PolicyOption = Annotated[str, typer.Option(help="Policy file (.toml) or preset.")]
TableOption = Annotated[Path | None, typer.Option(help="The whole table: .csv, .xlsx or .parquet.")]
_SHOWN = 20


@app.command()
def compute(
    cases: CasesArgument,
    policy: PolicyOption,
    decisions: DecisionsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: TableOption = None,
) -> None:
    """Points of every case with every factor; prints the sums by class."""
    earned = with_points(cases, Policy.load(policy), decisions, mapping, sheet)
    if out is not None:
        write_table(earned, out)
    table = points_by_class(earned)
    typer.echo(plain_text(table[table["cases"] > 0]))
    if out is not None:
        typer.echo(_("written {out}", out=out))


@app.command()
def explain(
    cases: CasesArgument,
    case_id: Annotated[str, typer.Option("--id", help="The case.")],
    policy: PolicyOption,
    decisions: DecisionsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
) -> None:
    """Print how the points of one case come about, with the policy's numbers."""
    rules = Policy.load(policy)
    earned = with_points(cases, rules, decisions, mapping, sheet)
    ids = pc.cast(earned.column("case_id"), pa.string())
    found = earned.filter(pc.equal(ids, case_id))
    if len(found) != 1:
        raise CaseSchemaError(
            _("there are {count} cases {case_id}", count=len(found), case_id=case_id),
            where=str(cases),
        )
    typer.echo(explain_points(found.to_pandas().to_dict("records")[0], rules))


@app.command()
def readmissions(
    cases: CasesArgument,
    policy: PolicyOption,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: TableOption = None,
) -> None:
    """Find stays that follow each other too soon: the list that `ledger sanction` takes."""
    found = find_readmissions(read_cases(cases, mapping, sheet), Policy.load(policy))
    shown = ["case_id", "kind", "hospital", "drg", "later_case_id", "later_hospital", "days"]
    _show(found, shown, out, _("no stay follows another too soon"))


@app.command()
def reviews(
    cases: CasesArgument,
    policy: PolicyOption,
    decisions: DecisionsOption,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: TableOption = None,
) -> None:
    """Special reviews of each hospital against its quota and deadline; exit 1 if any is over."""
    rules = Policy.load(policy)
    earned = with_points(cases, rules, decisions, mapping, sheet)
    panel = read_side(decisions, mapping)
    dated = panel is not None and "filed" in panel.column_names
    report = review_report(earned, rules, panel if dated else None)
    shown = ["hospital", "level", "period", "cases", "allowed", "filed", "granted", "over", "late"]
    _show(report, shown, out, _("no hospital has cases in a period of the quota"))
    if (report["over"] > 0).any():
        raise typer.Exit(1)


def _show(table: pd.DataFrame, columns: list[str], out: Path | None, none: str) -> None:
    if out is not None:
        write_table(pa.Table.from_pandas(table, preserve_index=False), out)
    shown = table[columns].head(_SHOWN).astype(object)
    # `na_rep` leaves an integer that is not known as <NA>.
    shown = shown.where(shown.notna(), "")
    typer.echo(plain_text(shown) if len(table) else none)
    if len(table) > _SHOWN:
        typer.echo(_("… {count:,} more rows", count=len(table) - _SHOWN))
    if out is not None:
        typer.echo(_("written {out}", out=out))
