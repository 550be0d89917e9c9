"""Files that commands read: cases and side tables, through the one reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from drgcore.cases import read_table
from drgcore.cases.canonical import with_canonical_codes
from drgcore.cases.guessing import mapping_for
from drgcore.cases.telling import listener
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import _

FILES = ".xlsx, .xls, .csv, .dbf or .parquet"
"""The kinds of files, as a command's help shows them."""

CasesArgument = Annotated[
    Path, typer.Argument(help=f"Grouped cases: {FILES}; or a folder or a pattern of such files.")
]
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
    """Read a file whole, under canonical names."""
    return read_table(path, sheet=sheet, columns=columns, mapping=mapping)


def read_coded(path: Path, mapping: str, sheet: str | None) -> pa.Table:
    """Read grouped cases whole, their codes, sex and age under canonical names too.

    Where these are not where the mapping says, that is said on the error stream, and what needs
    them cannot be looked at.
    """
    table = read_cases(path, mapping, sheet)
    try:
        return with_canonical_codes(table, mapping_for(mapping, table))
    except CaseSchemaError as error:
        tell = listener()
        if mapping != "canonical" and tell is not None:
            tell(str(path), _("codes are not read: {message}", message=error.message))
        return table


def read_together(
    paths: Sequence[Path], names: Sequence[str], mapping: str, sheet: str | None
) -> pa.Table:
    """Some columns of all files, of which a parquet file's others are not even read."""
    parts = [read_cases(path, mapping, sheet, names) for path in paths]
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        raise CaseSchemaError(
            _("the files' columns do not go together: {error}", error=error),
            where=", ".join(map(str, paths)),
            hint=_("Give every file the same types of columns."),
        ) from error


def read_side(path: Path | None, mapping: str = "canonical") -> pa.Table | None:
    """Read a side table, where one is given."""
    if path is None:
        return None
    return read_table(path, mapping=mapping, lenient=True)


def values_by_pool(given: Sequence[str] | None) -> dict[str, str] | None:
    """Read values of a point as ``pool=yuan``.

    Raises
    ------
    DrgcoreError
        When one is not of this form, or a pool is named twice.
    """
    if not given:
        return None
    values: dict[str, str] = {}
    for text in given:
        pool, _other, value = text.partition("=")
        if not re.fullmatch(r"\d+(\.\d+)?", value.strip()) or pool.strip() in values:
            raise DrgcoreError(
                _("--value {text!r} cannot be read", text=text),
                hint=_("write pool=yuan, each pool once"),
            )
        values[pool.strip()] = value.strip()
    return values
