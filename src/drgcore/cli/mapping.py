"""`drgcore mapping`: which columns of a file hold what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgcore.cases import CaseMapping, CodeColumns, open_cases
from drgcore.cases.presets import PRESETS
from drgcore.cli.reading import FILES, SheetOption
from drgcore.errors import CaseSchemaError

app = typer.Typer(no_args_is_help=True, help="Which columns of a file hold what.")

_SHOWN = ("principal_diagnosis", "other_diagnoses", "principal_procedure", "other_procedures")
_NUMBERS = ("sex", "age_years", "age_days", "newborn_weight_g", "birth_date", "admission_date")


@app.callback()
def _root() -> None:
    """Keep `guess` a command by its name."""


@app.command()
def guess(
    src: Annotated[Path, typer.Argument(metavar="FILE", help=f"Cases: {FILES}.")],
    sheet: SheetOption = None,
) -> None:
    """Print a mapping file for a file whose columns a preset knows, with what it understood."""
    with open_cases(src, sheet=sheet) as source:
        schema = source.schema
    for name in PRESETS:
        try:
            found = CaseMapping.preset(name).resolve(schema)
        except CaseSchemaError:
            continue
        typer.echo(f'preset = "{name}"')
        for field in (*_SHOWN, *_NUMBERS):
            typer.echo(f"# {field}: {_columns(getattr(found, field))}")
        return
    raise CaseSchemaError(
        f"no preset ({', '.join(PRESETS)}) fits the columns",
        where=str(src),
        hint=f"Write a mapping file by hand. The file has: {', '.join(schema.names[:30])}",
    )


def _columns(found: CodeColumns | str | None) -> str:
    if isinstance(found, CodeColumns):
        names = found.names
        more = f" … {names[-1]} ({len(names)} columns)" if len(names) > 1 else ""
        return f"{names[0]}{more}" if names else "not in the file"
    return found or "not in the file"
