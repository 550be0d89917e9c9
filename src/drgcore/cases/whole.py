"""The whole of a file through the one reader: grouped cases and side tables."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.guessing import naming_for
from drgcore.cases.mapping import CaseMapping
from drgcore.cases.readers import open_cases
from drgcore.cases.renaming import canonical_names, renamed
from drgcore.cases.text import holds_nothing, stripped
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.progress import tracked


def read_table(
    path: str | os.PathLike[str],
    *,
    sheet: str | int | None = None,
    columns: Sequence[str] | None = None,
    mapping: str | os.PathLike[str] | CaseMapping = "canonical",
    lenient: bool = False,
    dictionaries: Sequence[str] = (),
) -> pa.Table:
    """Read the whole of a file through the one reader, under canonical names.

    Parameters
    ----------
    path : str or path
        Any file that `open_cases` reads.
    sheet : str or int, optional
        The sheet of a workbook: its name, or its number from 1.
    columns : sequence of str, optional
        Canonical names of the columns wanted, of which those that are there are read; all by
        default.
    mapping : str, path or CaseMapping, default "canonical"
        Which column is which: a preset, a mapping file (.toml), or a mapping. ``"auto"`` is the
        preset that knows most of the columns, and is told on the error stream.
    lenient : bool, default False
        Columns that the mapping names may be absent: a side table has few of them.
    dictionaries : sequence of str, optional
        Canonical names of columns whose texts repeat: of a parquet file they come as dictionaries,
        which takes less time and memory.

    Returns
    -------
    pyarrow.Table
        Columns of text files and sheets are text, without blanks at their ends, null where there
        is none; those of parquet are as they are.

    Raises
    ------
    CaseSchemaError
        The file cannot be read as a whole, or a column that the mapping names is not there.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "scores.csv")
    >>> _ = path.write_text("hospital,κ\\n0012,0.98\\n", encoding="utf-8")
    >>> read_table(path).to_pylist()
    [{'hospital': '0012', 'κ': '0.98'}]
    """
    where = str(path)
    with open_cases(path, sheet=sheet) as source:
        names = source.schema.names
    try:
        chosen = naming_for(mapping, names)
        changes = canonical_names([n for n in names if n], chosen, lenient=lenient)
    except CaseSchemaError as error:
        raise CaseSchemaError(error.message, where=where, hint=error.hint) from None
    pairs = [pair for pair in renamed(names, changes) if pair[0]]
    if columns is not None:
        pairs = [pair for pair in pairs if pair[1] in columns]
    coded = [name for name, canonical in pairs if canonical in dictionaries]
    with open_cases(
        path, columns=[name for name, _canonical in pairs], dictionary_columns=coded, sheet=sheet
    ) as source:
        table = source.table()
    tidying = _("tidying {name}", name=os.path.basename(where))
    cells = [_text(column) for column in tracked(table.columns, tidying, _("columns"))]
    return pa.table(cells, names=[canonical for _name, canonical in pairs])


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    # Most columns of a wide export hold nothing at all.
    if holds_nothing(column):
        return pa.chunked_array([pa.nulls(len(column), column.type)])
    bare = stripped(column)
    return pc.if_else(pc.equal(bare, ""), pa.scalar(None, bare.type), bare)
