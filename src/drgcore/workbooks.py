"""Tables as files: parquet, .csv, or a workbook; text never becomes a formula."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from drgcore.errors import DrgcoreError
from drgcore.files import passing_folder, whole_file
from drgcore.formulas import guarded_text
from drgcore.language import _
from drgcore.progress import Step, step

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 1_048_575
_SHEET_NAME = 31
_TOLD_ROWS = 1000

_MONEY, _PERCENT, _RATIO, _COUNT, _CHANCE = "#,##0.00", "0.00%", "0.000", "#,##0", "0.0000"
_BY_FORMAT = {
    _MONEY: (
        *("money", "mean_cost", "region_mean_cost", "peer_mean", "payment", "cost", "surplus"),
        *("total_cost", "pre_admission_cost", "outpatient_cost"),
        *("average_stay", "mean_stay", "total_weight", "score", "points"),
    ),
    _PERCENT: (
        *("mortality", "low_risk_mortality", "grouping_rate", "ambiguous_rate", "mcc_rate"),
        *("cc_rate", "mcc_cc_rate", "high_outlier_share", "low_outlier_share", "drug_share"),
        *("consumable_share", "readmission_rate", "peer_share", "excess_share"),
    ),
    _RATIO: ("cmi", "cost_index", "time_index", "ratio", "relative_weight"),
    _COUNT: ("cases", "grouped_cases", "peer_cases", "groups", "units", "signals"),
    _CHANCE: ("chance", "fdr", "code_chance"),
}
_FORMATS = {name: form for form, names in _BY_FORMAT.items() for name in names}
# Of a table with one row an indicator these columns are in the indicator's unit.
_OF_INDICATOR = ("value", "lower", "upper", "region", "level_peers", "last_year")


def number_format(name: str, table: pd.DataFrame) -> str | None:
    """Give the format in which a workbook shows a column of numbers; None for the usual one.

    Parameters
    ----------
    name : str
        The column.
    table : pandas.DataFrame
        Its table, whose ``attrs["money"]`` may name further columns of amounts [yuan].

    Examples
    --------
    >>> import pandas as pd
    >>> number_format("drug_share", pd.DataFrame()), number_format("drg", pd.DataFrame())
    ('0.00%', None)
    """
    if name in table.attrs.get("money", ()):
        return _MONEY
    if "peer_mean" in table and name in ("mean", "difference"):
        return _MONEY
    if "peer_share" in table and name.startswith("share"):
        return _PERCENT
    return _FORMATS.get(name)


def guarded(values: pd.Series) -> pd.Series:
    """Put an apostrophe before every text that a spreadsheet would take for a formula.

    Parameters
    ----------
    values : pandas.Series
        A column.

    Returns
    -------
    pandas.Series
        The column; numbers, negative ones too, are as they were, lists are one text.

    Examples
    --------
    >>> import pandas as pd
    >>> guarded(pd.Series(["@x", -1.5])).tolist()
    ["'@x", -1.5]
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values):
        return values
    return values.map(lambda v: guarded_text(_plain(v)) if isinstance(v, str | list) else v)


def _plain(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "; ".join(value)


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
        with (
            step(_("writing {name}", name=path.name), _("rows"), len(table)) as written,
            whole_file(path) as part,
        ):
            if kind == ".csv":
                # The mark at the beginning tells Excel that it is UTF-8.
                shown = table.apply(guarded)
                marked = any(not str(text).isascii() for text in shown.columns)
                marked |= not all(_is_ascii(shown[c]) for c in shown.columns)
                encoding = "utf-8-sig" if marked else "utf-8"
                shown.to_csv(part, index=False, encoding=encoding)
            else:
                table.to_parquet(part, index=False)
            written.update(len(table))


def _is_ascii(values: pd.Series) -> bool:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values):
        return True
    return all(text.isascii() for text in values.unique() if isinstance(text, str))


@contextmanager
def new_workbook(
    place: Path | io.BytesIO, options: Mapping[str, object] | None = None
) -> Iterator[Any]:
    """A workbook of XlsxWriter, written when the block ends; the same content, the same bytes.

    Parameters
    ----------
    place : Path or io.BytesIO
        Where it is written.
    options : mapping, optional
        As XlsxWriter's. The rows that wait to be put together lie in a folder that is swept after
        a kill.

    Yields
    ------
    xlsxwriter.Workbook

    Raises
    ------
    DrgcoreError
        When XlsxWriter is not installed.
    OSError
        What the system says when it cannot be written.

    Examples
    --------
    >>> content = io.BytesIO()
    >>> with new_workbook(content) as book:
    ...     _ = book.add_worksheet("cases").write_string(0, 0, "J18.9")
    >>> content.getvalue()[:2]
    b'PK'
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise DrgcoreError(
            _("writing a workbook needs XlsxWriter"),
            hint=_("install it with pip install XlsxWriter, or write .csv or .parquet"),
        ) from error
    with passing_folder("drgcore-workbook") as folder, ExitStack() as opened:
        file = opened.enter_context(place.open("wb")) if isinstance(place, Path) else place
        packed = _Packed(file)
        book = xlsxwriter.Workbook(packed, {**(options or {}), "tmpdir": str(folder)})
        # The time of writing is not in it.
        book.set_properties({"created": datetime(2000, 1, 1)})
        try:
            yield book
        finally:
            try:
                with step(_("packing the workbook"), "MB") as packed.told:
                    book.close()
            except xlsxwriter.exceptions.FileCreateError as error:
                # What the system said of the file is within.
                raise (error.args[0] if isinstance(error.args[0], OSError) else error) from None


class _Packed:
    """The file of a workbook, which tells how much of it is there while it is put together."""

    told: Step | None = None

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = 0

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        size = self._file.tell() >> 20
        if self.told is not None and size > self._size:
            self._size = size
            self.told.update(size)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _write_workbook(out: Path, tables: Mapping[str, pd.DataFrame], keys: int) -> None:
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
    # Text is written as text, so that neither a formula nor a link comes of it; rows are done with
    # when they are written, not when all are.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    rows = sum(map(len, tables.values()))
    with (
        new_workbook(content, options) as book,
        step(_("writing {name}", name=out.name), _("rows"), rows) as written,
    ):
        head = book.add_format({"bold": True, "text_wrap": True, "bottom": 1})
        formats = {text: book.add_format({"num_format": text}) for text in _BY_FORMAT}
        done = 0
        for name, table in tables.items():
            sheet = book.add_worksheet(name[:_SHEET_NAME])
            for row in _fill(sheet, table, head, formats):
                written.update(done + row)
            done += len(table)
            sheet.freeze_panes(1, min(keys, 4))
            sheet.set_column(0, max(len(table.columns) - 1, 0), 16)
            if len(table):
                sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
    with whole_file(out) as part:
        part.write_bytes(content.getvalue())


def _fill(sheet: Any, table: pd.DataFrame, head: Any, formats: Mapping[str, Any]) -> Iterator[int]:
    """Write a table row by row; tells the rows that are written from time to time."""
    import pandas as pd

    titles = list(map(str, table.columns))
    forms = [formats.get(number_format(title, table) or "") for title in titles]
    of_indicator = [title in _OF_INDICATOR and "indicator" in table for title in titles]
    indicators = list(table["indicator"]) if "indicator" in table else []
    for column, title in enumerate(titles):
        sheet.write_string(0, column, title, head)
    values = [table.iloc[:, column].tolist() for column in range(len(titles))]
    for row, cells in enumerate(zip(*values, strict=True), 1):
        for column, value in enumerate(cells):
            if isinstance(value, str | list):
                sheet.write_string(row, column, _plain(value))
            elif isinstance(value, bool):
                sheet.write_boolean(row, column, value)
            elif not (pd.isna(value) or (isinstance(value, float) and math.isinf(value))):
                form = forms[column]
                if of_indicator[column]:
                    form = formats.get(_FORMATS.get(indicators[row - 1], ""))
                sheet.write_number(row, column, float(value), form)
        if row % _TOLD_ROWS == 0 or row == len(table):
            yield row
