"""Tables on the screen, in a pipe and as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from drgcore.cli.streams import table_console as table_console
from drgcore.language import _, get_language, heading, word
from drgcore.workbooks import write_tables

_SHOWN = 20

_IN_WORDS = ("item", "case_class", "limit", "basis", "kind", "account", "status")
"""Columns whose cells are words that machines know: people read them in their language."""


def print_table(console: Console, name: str, table: pd.DataFrame) -> None:
    """Print a table; on a terminal its first rows, in a pipe or a file all of them.

    Parameters
    ----------
    console : Console
        What `table_console` gives.
    name : str
        Its name, as a title.
    table : DataFrame
        The table as text.
    """
    shown = Table(title=heading(name), title_justify="left", box=None, pad_edge=False)
    table = in_words(table)
    # Columns that say nothing here are left out; the files have them all.
    columns = [c for c in table.columns if not _is_empty(table[c])]
    for column in columns:
        shown.add_column(heading(column), justify=_justify(table[column]))
    most = _SHOWN if console.is_terminal else len(table)
    for row in table[columns].head(most).itertuples(index=False):
        shown.add_row(*map(str, row))
    console.print(shown)
    if len(table) > most:
        console.print(_("… {count:,} more rows", count=len(table) - most))
    console.print()


def plain_text(table: pd.DataFrame, **options: Any) -> str:
    """A table as lines of text, without its index.

    Parameters
    ----------
    table : DataFrame
        The table.
    **options
        Those of `DataFrame.to_string`; `formatters` by the names of columns.

    Returns
    -------
    str
        The lines; in Chinese with Chinese headings, in English with the names of the columns.
    """
    if get_language() == "zh":
        table = in_words(table)
        names = {str(name): heading(str(name)) for name in table.columns}
        if formatters := options.get("formatters"):
            options["formatters"] = {names.get(name, name): how for name, how in formatters.items()}
        table = table.rename(columns=names)
    with pd.option_context("display.unicode.east_asian_width", True):
        return table.to_string(index=False, **options)


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """A table with the words that machines know in the language that is spoken.

    Parameters
    ----------
    table : DataFrame
        The table.

    Returns
    -------
    DataFrame
        A copy, whose cells of `item`, `case_class` and the like are what people call them.
    """
    return table.assign(
        **{
            name: [word(cell) if isinstance(cell, str) else cell for cell in table[name]]
            for name in _IN_WORDS
            if name in table.columns
        }
    )


def write_all(tables: Mapping[str, pd.DataFrame], out: Path) -> None:
    """Write tables as one workbook, or each as .csv into a folder.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The tables by name, with plain numbers.
    out : Path
        A workbook ``.xlsx``, or a folder, which is made if it is not there.
    """
    if out.suffix.lower() == ".xlsx":
        write_tables(out, tables, keys=2)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_tables(out / f"{name}.csv", {name: table})


def _is_empty(column: pd.Series) -> bool:
    return len(column) > 0 and set(column) <= {"0.00", "", 0}


def _justify(column: pd.Series) -> Any:
    text = str(column.iloc[0]) if len(column) else ""
    return "right" if text.replace(",", "").replace(".", "").strip("+-%").isdigit() else "left"
