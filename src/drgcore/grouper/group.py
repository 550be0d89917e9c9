"""Grouping of data in memory."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.cases.repeated import CaseWarning, RepeatedIds
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import BATCH_ROWS, in_order, thread_count
from drgcore.grouper.dated import grouper_of
from drgcore.grouper.extras import Extras
from drgcore.grouper.result import check_free
from drgcore.language import _
from drgcore.schemes import Scheme
from drgcore.schemes.calendar import SchemeCalendar

if TYPE_CHECKING:
    import pandas as pd


def group(
    cases: Any,
    scheme: str | Path | Scheme | SchemeCalendar = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    columns: Sequence[str] | None = None,
    prefix: str = "",
    clinical_codes: bool = False,
    restore_zeros: bool = False,
    names: bool = False,
    severity_codes: bool = False,
    stamp: bool = False,
    threads: int | None = None,
) -> pa.Table | pd.DataFrame:
    """Assign inpatient cases to MDC, ADRG and DRG.

    Parameters
    ----------
    cases : DataFrame, pyarrow.Table, or any object with the Arrow PyCapsule interface
        One row a case, e.g. a frame of pandas or polars or a DuckDB relation; or one case, as a
        dict of its values or a pandas Series.
    scheme : str, Path, Scheme or SchemeCalendar, default "chs-drg-3.0"
        Name of a shipped scheme, path of a compiled one, or a scheme. ``"by-date"`` is the national
        scheme that holds on each case's day of discharge, and a calendar file (.toml) or a
        `SchemeCalendar` a region's own (`load_calendar`).
    mapping : str, Path or CaseMapping, default "canonical"
        Which columns hold what: a preset (``"canonical"``, ``"hqms"`` …), a mapping file (.toml),
        or a mapping. ``"auto"`` guesses one by headings and contents (`guess_mapping`) and tells it
        on the error stream.
    columns : sequence of str, optional
        Input columns to keep; all by default.
    prefix : str, default ""
        Put before the names of the result columns.
    clinical_codes : bool, default False
        The codes are of the clinical version (国临版) and are translated to the insurance version
        (医保版) first. Some strings are codes of both with different meanings, so this is never
        guessed.
    restore_zeros : bool, default False
        Read a procedure that a spreadsheet took for a number, ``51.23``, as the one code that it
        can have been, ``51.2300``.
    names : bool, default False
        Add ``mdc_name``, ``adrg_name`` and ``drg_name``.
    severity_codes : bool, default False
        Add ``severity_codes``: the other diagnoses that counted as MCC or CC, as lists.
    stamp : bool, default False
        Add ``scheme``, ``scheme_digest`` and ``drgcore_version`` to every row.
    threads : int, optional
        As many as the process may use, by default. The result is the same with any number.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        A frame for a pandas frame, with its index, else a table. To the columns kept it adds, as
        dictionaries (categories) of strings:

        - ``mdc``, ``adrg``, ``drg``: codes, null where there is none
        - ``status``: ``grouped``, ``ambiguous``, ``ungrouped`` or ``invalid``
        - ``reason``: why a case is not ``grouped`` (`drgcore.REASONS`), null where it is
        - ``severity``: ``MCC``, ``CC`` or ``none`` after exclusions, null for an invalid case
        - ``reasons``: all that is wrong with a case that is not ``grouped``, as lists of strings
        - ``code_flags``: which columns hold codes that the dictionary does not know, joined by
          ``|`` (`drgcore.CODE_FLAGS`)
        - ``scheme``: the scheme of the case, where its day of discharge decides it

    Raises
    ------
    CaseSchemaError
        When a column is missing or of a wrong type, or a result would replace an input column.
    SchemeError
        When there is no such scheme.

    Warns
    -----
    CaseWarning
        Rows repeat the id of another row, or have none.

    Notes
    -----
    The order of evaluation is that of the official configuration workbook of the scheme
    (按病组（DRG）付费分组方案配置信息): MDC in their order, in each the ADRG in theirs, in that the
    DRG; catch-alls last.

    Examples
    --------
    >>> import drgcore, pyarrow as pa
    >>> cases = pa.table({
    ...     "sex": [2, 1, None], "age_years": [69, 0, 50], "age_days": [None, 3, None],
    ...     "newborn_weight_g": [None, 999, None],
    ...     "principal_diagnosis": ["G11.900", "S82.100x011", "I10.x00"],
    ...     "other_diagnoses": [["S52.804"], ["S13.101"], []],
    ...     "principal_procedure": [None, "21.4x00", None],
    ...     "other_procedures": [[], [], []]})
    >>> grouped = drgcore.group(cases, columns=["sex"]).to_pandas()
    >>> grouped[["sex", "mdc", "adrg", "drg", "status", "reason", "severity"]]
       sex   mdc adrg   drg     status               reason severity
    0  2.0  MDCB  BU2  BU23    grouped                  NaN       CC
    1  1.0  MDCP  PQY   PQY  ambiguous  unrelated_procedure       CC
    2  NaN   NaN  NaN   NaN    invalid          sex_missing      NaN
    """
    grouper = grouper_of(
        scheme,
        clinical_codes,
        restore_zeros=restore_zeros,
        extras=Extras(names, severity_codes, stamp),
    )
    threads = thread_count(threads)
    mapping = mapping_for(mapping, cases)
    with open_cases(cases, batch_rows=BATCH_ROWS) as source:
        have = source.schema.names
        keep = kept_columns(have, columns)
        check_free(keep, prefix, "columns=", grouper.result_columns)
        resolved = grouper.resolve(mapping, source.schema)
        source.expect_codes(resolved.code_names())
        ids = RepeatedIds(mapping, source.schema)
        kept: list[pa.RecordBatch] = []
        parts: list[dict[str, pa.DictionaryArray]] = []
        for batch, rows in in_order(
            lambda b: grouper.group(b, resolved), source.batches(), threads
        ):
            kept.append(batch.select(keep))
            parts.append(grouper.columns(rows))
            ids.add(batch)
        schema = pa.schema([source.schema.field(n) for n in keep], source.schema.metadata)
        kind = source.kind
    for warning in ids.warnings():
        warnings.warn(warning, CaseWarning, stacklevel=2)
    if not parts:
        parts.append(grouper.columns(grouper.group(source.schema.empty_table(), resolved)))
    results = {
        # Each scheme of several brings the texts of its groups; a frame has each text once.
        prefix + c: pa.chunked_array([p[c] for p in parts]).unify_dictionaries()
        for c in grouper.result_columns
    }
    if kind == "pandas":
        # By position: a frame's labels need not be text.
        frame: pd.DataFrame = cases.iloc[:, [have.index(name) for name in keep]].copy()
        for name, column in results.items():
            frame[name] = column.to_pandas().array
        return frame
    table = pa.Table.from_batches(kept, schema)
    for name, column in results.items():
        table = table.append_column(name, column)
    return table


def kept_columns(names: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    """The input columns to keep, in the order asked for.

    Raises
    ------
    CaseSchemaError
        Names those that the input lacks, or has twice.
    """
    occurrences = Counter(names)
    twice = [n for n, count in occurrences.items() if n and count > 1]
    if twice:
        raise CaseSchemaError(
            _("column names occur more than once: {twice}", twice=", ".join(map(repr, twice))),
            hint=_("Rename or remove the repeated columns."),
        )
    if columns is None:
        # Spreadsheets leave several columns without a name behind the last one.
        return [n for n, count in occurrences.items() if count == 1]
    missing = [c for c in columns if c not in names]
    if missing:
        raise CaseSchemaError(
            _("the input has no column {missing} to keep", missing=", ".join(map(repr, missing))),
            hint=_("It has: {names}", names=", ".join(names)),
        )
    return list(dict.fromkeys(columns))
