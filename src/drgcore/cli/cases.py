"""`drgcore cases`: cases that lie in several tables brought into one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import drgcore
from drgcore.cli.reading import FILES
from drgcore.grouper.stream import write_table

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Bring cases into one table.")


@app.callback()
def _root() -> None:
    """Keep `join` a command by its name."""


@app.command()
def join(
    info: Annotated[Path, typer.Option(help=f"Settlement information (结算信息): {FILES}.")],
    diagnoses: Annotated[Path, typer.Option(help="Diagnoses (诊断信息), one row each.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Cases: .parquet, .csv or .xlsx.")],
    operations: Annotated[
        Path | None, typer.Option(help="Operations (手术操作信息), one row each.")
    ] = None,
) -> None:
    """Join the settlement interface's tables by setl_id into one row a case."""
    joined = drgcore.join_cases(info, diagnoses, operations)
    write_table(joined.table, out)
    typer.echo(joined)
