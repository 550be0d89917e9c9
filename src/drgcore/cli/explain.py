"""`drgcore explain`: one case of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import drgcore
from drgcore.cli.options import ClinicalOption, MappingOption, SchemeOption
from drgcore.cli.select import one_case

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    src: Annotated[Path, typer.Argument(metavar="IN", help="Cases: .parquet or .csv.")],
    row: Annotated[int | None, typer.Option(help="Number of the row, the first is 1.")] = None,
    case_id: Annotated[str | None, typer.Option("--id", help="Value of the id column.")] = None,
    id_column: Annotated[str, typer.Option(help="Name of the id column.")] = "case_id",
    scheme: SchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    clinical: ClinicalOption = False,
) -> None:
    """Show the whole path by which one case of a file comes to its group."""
    case = one_case(src, row=row, case_id=case_id, id_column=id_column)
    typer.echo(drgcore.explain(case, scheme, mapping=mapping, clinical_codes=clinical))
