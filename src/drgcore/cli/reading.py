"""Files that commands read: cases and side tables, through the one reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from drgcore.cases import read_table

FILES = ".xlsx, .xls, .csv, .dbf or .parquet"
"""The kinds of files, as a command's help shows them."""

CasesArgument = Annotated[Path, typer.Argument(help=f"Grouped cases: {FILES}.")]
SheetOption = Annotated[
    str | None, typer.Option(help="Sheet of a workbook: its name, or its number from 1.")
]
DecisionsOption = Annotated[
    Path | None, typer.Option(help="What panels decided: case_id, decision, points.")
]


def read_cases(
    path: Path,
    mapping: str = "canonical",
    sheet: str | None = None,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Read a file whole, under canonical names; say on the error stream what was left out."""
    return read_table(
        path,
        sheet=sheet,
        columns=columns,
        mapping=mapping,
        tell=lambda note: tell(path, note),
    )


def read_side(path: Path | None, mapping: str = "canonical") -> pa.Table | None:
    """Read a side table, where one is given."""
    if path is None:
        return None
    return read_table(path, mapping=mapping, lenient=True, tell=lambda note: tell(path, note))


def tell(path: Path, note: str) -> None:
    """Say on the error stream what was left out of a file."""
    typer.echo(f"note: {path}: {note}", err=True)
