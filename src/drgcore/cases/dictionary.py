"""The shipped dictionaries of codes, and the folder in which all shipped tables stand."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from drgcore.errors import SchemeError
from drgcore.language import _

CodeKind = Literal["diagnoses", "procedures"]

_CODES = pa.schema([("code", pa.string()), ("name", pa.string())])
_TRANSLATION = pa.schema([("clinical_code", pa.string()), ("insurance_code", pa.string())])


def tables_folder() -> Path:
    """The folder of the shipped tables: in the installed package, or in a source checkout.

    Raises
    ------
    SchemeError
        When neither exists.
    """
    installed = Path(str(resources.files("drgcore"))) / "data" / "grouper_tables"
    checkout = Path(__file__).parents[3] / "data" / "grouper_tables"
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise SchemeError(
        _("the shipped grouping tables are missing from this installation"),
        where=str(installed),
        hint=_("Install drgcore again, or name the folder of a compiled scheme."),
    )


@cache
def code_table(kind: CodeKind) -> pa.Table:
    """The insurance version (医保版) of a code system: a table of code and name.

    Raises
    ------
    SchemeError
        When there is no such dictionary, or it cannot be read.

    Examples
    --------
    >>> code_table("diagnoses").num_rows
    33304
    """
    return _read(kind, "", _CODES)


@cache
def translation_table(kind: CodeKind) -> pa.Table:
    """Clinical (国临版) to insurance (医保版) codes: the pairs that differ."""
    return _read(kind, "_translation", _TRANSLATION)


def _read(kind: CodeKind, suffix: str, schema: pa.Schema) -> pa.Table:
    if kind not in ("diagnoses", "procedures"):
        raise SchemeError(
            _("there is no dictionary {kind!r}; there are diagnoses and procedures", kind=kind)
        )
    path = tables_folder() / "icd" / f"{kind}{suffix}.parquet"
    try:
        # `read_table` would load the dataset layer first, which takes longer than all the tables.
        with pq.ParquetFile(path) as file:
            found = file.read()
    except (OSError, pa.ArrowException) as error:
        raise SchemeError(
            _("the table cannot be read: {error}", error=error), where=str(path)
        ) from None
    if found.schema != schema:
        raise SchemeError(
            _("the table has columns {column_names}", column_names=found.column_names),
            where=str(path),
        )
    return found
