"""`drgcore explain`: one case of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import drgcore
from drgcore.cases.guessing import mapping_for
from drgcore.cli.options import AnySchemeOption, ClinicalOption, MappingOption
from drgcore.cli.reading import FILES, SheetOption
from drgcore.cli.select import one_case
from drgcore.language import Language, get_language

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    src: Annotated[Path, typer.Argument(metavar="IN", help=f"Cases: {FILES}.")],
    row: Annotated[int | None, typer.Option(help="Number of the row, the first is 1.")] = None,
    case_id: Annotated[str | None, typer.Option("--id", help="Value of the id column.")] = None,
    id_column: Annotated[str, typer.Option(help="Name of the id column.")] = "case_id",
    scheme: AnySchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    clinical: ClinicalOption = False,
    lang: Annotated[
        Language | None, typer.Option(help="Language of the path; else that of the command.")
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="One HTML fragment for a page.")] = False,
) -> None:
    """Show the whole path by which one case of a file comes to its group."""
    where = mapping_for(mapping, src, sheet=sheet)
    case = one_case(src, row=row, case_id=case_id, id_column=id_column, mapping=where, sheet=sheet)
    why = drgcore.explain(
        case, scheme, mapping=where, clinical_codes=clinical, lang=lang or get_language()
    )
    typer.echo(why.html() if html else why)
