"""`drgcore mapping`: which columns of a file hold what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgcore.cases.guessing import guess_mapping
from drgcore.cli.reading import FILES, SheetOption

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Which columns of a file hold what."
)


@app.callback()
def _root() -> None:
    """Keep `guess` a command by its name."""


@app.command()
def guess(
    src: Annotated[Path, typer.Argument(metavar="FILE", help=f"Cases: {FILES}.")],
    sheet: SheetOption = None,
) -> None:
    """Print a mapping file for FILE, by its headings and contents, with what it understood."""
    typer.echo(guess_mapping(src, sheet=sheet), nl=False)
