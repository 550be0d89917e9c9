"""`drgcore group`: every case of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import drgcore
from drgcore.cli.options import AnySchemeOption, ClinicalOption, MappingOption
from drgcore.cli.progress import progress_bar
from drgcore.cli.reading import FILES, SheetOption

app = typer.Typer(add_completion=False)


@app.command()
def group(
    src: Annotated[Path, typer.Argument(metavar="IN", help=f"Cases: {FILES}.")],
    dst: Annotated[Path, typer.Argument(metavar="OUT", help="Result: .xlsx, .csv or .parquet.")],
    scheme: AnySchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    columns: Annotated[
        str | None, typer.Option(help="Input columns to keep, comma-separated; all by default.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Put before the result columns' names.")] = "",
    clinical: ClinicalOption = False,
    threads: Annotated[int | None, typer.Option(help="All processors by default.")] = None,
    progress: Annotated[bool, typer.Option("--progress", help="Show a progress bar.")] = False,
) -> None:
    """Group every case of a file and write it with mdc, adrg, drg, status, reason, severity."""
    kept = None if columns is None else [c.strip() for c in columns.split(",") if c.strip()]
    with progress_bar(progress, "group") as callback:
        summary = drgcore.group_file(
            src,
            dst,
            scheme,
            mapping=mapping,
            columns=kept,
            prefix=prefix,
            clinical_codes=clinical,
            threads=threads,
            progress=callback,
            sheet=sheet,
        )
    typer.echo(summary)
