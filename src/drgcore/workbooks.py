"""Tables as files: parquet, .csv, or a workbook; text never becomes a formula."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.formulas import guarded_text
from drgcore.language import _

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 1_048_575
_SHEET_NAME = 31


def guarded(values: pd.Series) -> pd.Series:
    """Put an apostrophe before every text that a spreadsheet would take for a formula.

    Parameters
    ----------
    values : pandas.Series
        A column.

    Returns
    -------
    pandas.Series
        The column; numbers, negative ones too, are as they were.

    Examples
    --------
    >>> import pandas as pd
    >>> guarded(pd.Series(["@x", -1.5])).tolist()
    ["'@x", -1.5]
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values):
        return values
    return values.map(lambda v: guarded_text(v) if isinstance(v, str) else v)


def write_tables(out: Path, tables: Mapping[str, pd.DataFrame], *, keys: int = 1) -> None:
    """Write tables as a workbook, or each as a file, by the ending of the name.

    Parameters
    ----------
    out : Path
        ``.xlsx``: a sheet for each table. ``.csv`` or ``.parquet``: the only table; where there are
        several, one file a table, the table's name before the ending. Written next to its name and
        renamed when whole.
    tables : mapping of str to DataFrame
        The tables by name.
    keys : int, default 1
        Number of first columns that stay in sight in a sheet.

    Raises
    ------
    DrgcoreError
        For another ending, a table with more rows than a sheet holds, or a file that cannot be
        written.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> out = Path(tempfile.mkdtemp()) / "a.csv"
    >>> write_tables(out, {"first": pd.DataFrame({"x": ["=1+1"]})})
    >>> out.read_text()
    "x\\n'=1+1\\n"
    """
    kind = out.suffix.lower()
    if kind == ".xlsx":
        _write_workbook(out, tables, keys)
        return
    if kind not in (".csv", ".parquet"):
        raise DrgcoreError(
            _(
                "{out}: tables are not written as {kind}",
                out=out,
                kind=kind or _("a file without ending"),
            ),
            hint=_("Name it with the ending .xlsx, .csv or .parquet."),
        )
    for name, table in tables.items():
        path = out if len(tables) == 1 else out.with_name(f"{out.stem}-{name}{out.suffix}")
        with whole_file(path) as part:
            if kind == ".csv":
                # The mark at the beginning tells Excel that it is UTF-8.
                marked = any(not str(text).isascii() for text in table.columns)
                marked |= not all(_is_ascii(table[c]) for c in table.columns)
                encoding = "utf-8-sig" if marked else "utf-8"
                table.apply(guarded).to_csv(part, index=False, encoding=encoding)
            else:
                table.to_parquet(part, index=False)


def _is_ascii(values: pd.Series) -> bool:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values):
        return True
    return all(text.isascii() for text in values.unique() if isinstance(text, str))


def _write_workbook(out: Path, tables: Mapping[str, pd.DataFrame], keys: int) -> None:
    try:
        import xlsxwriter
    except ImportError as error:
        raise DrgcoreError(
            _("writing a workbook needs XlsxWriter"),
            where=str(out),
            hint=_("install it with pip install XlsxWriter, or write .csv or .parquet"),
        ) from error
    for name, table in tables.items():
        if len(table) > _MOST_ROWS:
            raise DrgcoreError(
                _(
                    "{name} has {count:,} rows; a sheet holds {most_rows:,}",
                    name=name,
                    count=len(table),
                    most_rows=_MOST_ROWS,
                ),
                where=str(out),
                hint=_("write .csv or .parquet, or fewer keys"),
            )
    content = io.BytesIO()
    # Text is written as text, so that neither a formula nor a link comes of it.
    with xlsxwriter.Workbook(content, {"strings_to_formulas": False, "strings_to_urls": False}) as (
        book
    ):
        # The same tables give the same file, so the time of writing is not in it.
        book.set_properties({"created": datetime(2000, 1, 1)})
        head = book.add_format({"bold": True, "text_wrap": True, "bottom": 1})
        for name, table in tables.items():
            sheet = book.add_worksheet(name[:_SHEET_NAME])
            _fill(sheet, table, head)
            sheet.freeze_panes(1, min(keys, 4))
            sheet.set_column(0, max(len(table.columns) - 1, 0), 16)
            if len(table):
                sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
    with whole_file(out) as part:
        part.write_bytes(content.getvalue())


def _fill(sheet: Any, table: pd.DataFrame, head: Any) -> None:
    import pandas as pd

    for column, title in enumerate(map(str, table.columns)):
        sheet.write_string(0, column, title, head)
        for row, value in enumerate(table.iloc[:, column].tolist(), 1):
            if isinstance(value, str):
                sheet.write_string(row, column, value)
            elif isinstance(value, bool):
                sheet.write_boolean(row, column, value)
            elif not (pd.isna(value) or (isinstance(value, float) and math.isinf(value))):
                sheet.write_number(row, column, float(value))
