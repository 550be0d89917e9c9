"""`drgcore check`: every case of a file held against the front-page checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import drgcore
from drgcore.cli.options import ClinicalOption, MappingOption, SchemeOption
from drgcore.cli.reading import FILES, SheetOption

app = typer.Typer(add_completion=False)


@app.command()
def check(
    src: Annotated[Path, typer.Argument(metavar="IN", help=f"Cases: {FILES}.")],
    dst: Annotated[Path, typer.Argument(metavar="OUT", help="Findings: .parquet, .csv or .xlsx.")],
    scheme: SchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    checks: Annotated[
        Path | None, typer.Option(help="A .toml file that switches and adds checks.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="By hospital and department: .parquet or .csv.")
    ] = None,
    clinical: ClinicalOption = False,
) -> None:
    """Check the front page of every case and write what is wrong, with a summary."""
    report = drgcore.check_file(
        src,
        dst,
        scheme,
        mapping=mapping,
        checks=checks,
        profile=profile,
        clinical_codes=clinical,
        sheet=sheet,
    )
    typer.echo(report)
