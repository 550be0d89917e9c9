"""`drgcore compare-groups`: our groups beside the official ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgcore.cases import open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.cli.options import ClinicalOption, MappingOption, SchemeOption
from drgcore.cli.reading import FILES, SheetOption, read_side
from drgcore.cli.tables import plain_text
from drgcore.estimate import compare_groups as compare_with_official
from drgcore.language import _
from drgcore.workbooks import write_tables

app = typer.Typer(add_completion=False)

_SHOWN = 20


@app.command()
def compare_groups(
    cases: Annotated[Path, typer.Argument(help=f"Cases: {FILES}.")],
    official: Annotated[Path, typer.Argument(help=f"Official groups, case_id and drg: {FILES}.")],
    scheme: SchemeOption = "chs-drg-3.0",
    other: Annotated[
        list[str] | None,
        typer.Option(help="A scheme to try where groups differ, repeatable; else the national."),
    ] = None,
    min_mdc: Annotated[float | None, typer.Option(help="Least agreement, 0 to 1.")] = None,
    min_adrg: Annotated[float | None, typer.Option(help="Least agreement, 0 to 1.")] = None,
    min_drg: Annotated[float | None, typer.Option(help="Least agreement, 0 to 1.")] = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    clinical: ClinicalOption = False,
    id_column: Annotated[str, typer.Option(help="Name of the id column.")] = "case_id",
    out: Annotated[
        Path | None, typer.Option(help="All tables: .xlsx, or .csv or .parquet files.")
    ] = None,
) -> None:
    """Compare groups with the official ones; exit code 1 if they agree less than asked for."""
    where = mapping_for(mapping, cases, sheet=sheet)
    with open_cases(cases, sheet=sheet) as source:
        found = compare_with_official(
            source,
            read_side(official),
            scheme,
            mapping=where,
            clinical_codes=clinical,
            case_id=id_column,
            schemes=other or (),
        )
    if out is not None:
        write_tables(out, found.tables())
    least = {"mdc": min_mdc, "adrg": min_adrg, "drg": min_drg}
    below = found.below({level: share for level, share in least.items() if share is not None})
    typer.echo(found)
    if len(found.by_month):
        typer.echo(plain_text(found.by_month.query("level == 'drg'")))
    if len(found.differing):
        typer.echo(plain_text(found.differing.head(_SHOWN).fillna("")))
    for level, share in below.items():
        typer.echo(
            _(
                "{level} agrees in {share:.2%}, less than {least:.2%}",
                level=level,
                share=share,
                least=least[level],
            ),
            err=True,
        )
    if below:
        raise typer.Exit(1)
