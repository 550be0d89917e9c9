"""Synthetic cases in the layout of an export, as a hospital would hand them in."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import types

from drgcore.cases.presets import PRESETS
from drgcore.cases.resolving import expand
from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.language import _
from drgcore.workbooks import write_tables

EXPORT_LAYOUTS = ("hqms", "chinese", "settlement-list")
"""Layouts that have a place for all that grouping asks for."""


def as_export(cases: pa.Table, layout: str = "hqms") -> pa.Table:
    """Bring cases under the headings of an export that is known by name.

    Parameters
    ----------
    cases : pyarrow.Table
        As `sample_cases` gives them.
    layout : {"hqms", "chinese", "settlement-list"}, default "hqms"
        A mapping that is known by name. Of several headings for one thing the first is taken;
        lists become numbered columns, as many as the layout has. What it has no place for, such
        as the pool of the insurance, keeps its name: a bureau adds it to what hospitals send.

    Returns
    -------
    pyarrow.Table
        The same rows; no column holds lists.

    Raises
    ------
    DrgcoreError
        No such layout.

    Examples
    --------
    >>> from drgcore import sample_cases
    >>> export = as_export(sample_cases(100, seed=1))
    >>> [name for name in export.column_names if name.startswith("C")][:3]
    ['C03C', 'C06x01C', 'C06x02C']
    """
    if layout not in EXPORT_LAYOUTS:
        raise DrgcoreError(
            _("there is no layout {layout!r}", layout=layout),
            hint=_("Choose one of {names}.", names=", ".join(EXPORT_LAYOUTS)),
        )
    preset = dict(PRESETS[layout])
    places = {**preset, **preset.pop("front_page")}
    columns: dict[str, pa.ChunkedArray] = {}
    for name, column in zip(cases.column_names, cases.columns, strict=True):
        heading = (places.get(name) or name).removesuffix("?").split(" or ")[0].strip()
        if not types.is_list(column.type):
            # A day is written as people write it, in every kind of file.
            columns[heading] = column.cast(pa.string()) if types.is_date(column.type) else column
            continue
        lists = column.to_pylist()
        for place, numbered in enumerate(expand(heading)):
            values = [codes[place] if codes and place < len(codes) else None for codes in lists]
            columns[numbered] = pa.chunked_array([pa.array(values, pa.string())])
    return pa.table(columns)


def write_export(path: Path, cases: pa.Table, layout: str = "hqms") -> None:
    """Write cases as an export: .csv in GB18030, as hospital systems write it, or .xlsx.

    Parameters
    ----------
    path : Path
        Ends in ``.csv`` or ``.xlsx``. Written next to its name and renamed when whole.
    cases, layout
        As for `as_export`.

    Raises
    ------
    DrgcoreError
        No such layout, another ending, or the file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from drgcore import group_file, sample_cases
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "hqms.csv"
    >>> write_export(path, sample_cases(50, seed=1))
    >>> group_file(path, path.with_name("grouped.csv"), mapping="hqms").rows
    50
    """
    frame = as_export(cases, layout).to_pandas(integer_object_nulls=True)
    if path.suffix.lower() == ".xlsx":
        write_tables(path, {"cases": frame})
    elif path.suffix.lower() == ".csv":
        with whole_file(path) as part:
            frame.to_csv(part, index=False, encoding="gb18030")
    else:
        raise DrgcoreError(
            _("{path}: an export is written as .csv or .xlsx", path=path),
            hint=_("Name it with one of these endings."),
        )
