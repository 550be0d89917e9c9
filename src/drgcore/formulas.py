"""Texts that a spreadsheet would take for formulas, made harmless."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

FORMULA_STARTS: tuple[str, ...] = ("=", "+", "-", "@", "\t", "\r")
"""With what a text begins that a spreadsheet reads as a formula."""


def guarded_text(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> guarded_text("=1+1"), guarded_text("A00.000")
    ("'=1+1", 'A00.000')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def guarded_column(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The same for a column of texts; a column of anything else is as it was.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray

    Returns
    -------
    pyarrow.Array or ChunkedArray

    Examples
    --------
    >>> guarded_column(pa.array(["@x", None, "y"])).to_pylist()
    ["'@x", None, 'y']
    >>> guarded_column(pa.array([-1, 2])).to_pylist()
    [-1, 2]
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.replace_substring_regex(column, r"\A([=+\-@\t\r])", r"'\1")
