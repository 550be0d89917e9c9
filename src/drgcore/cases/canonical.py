"""The codes, sex and age of grouped cases under canonical names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.mapping import CaseMapping
from drgcore.cases.resolving import CodeColumns
from drgcore.cases.text import stripped
from drgcore.cases.values import parse_age_years


def with_canonical_codes(table: pa.Table, mapping: CaseMapping) -> pa.Table:
    """Give cases the columns of codes, sex and age that what looks at grouped cases knows.

    Parameters
    ----------
    table : pyarrow.Table
        n cases.
    mapping : CaseMapping
        Where the columns are.

    Returns
    -------
    pyarrow.Table
        The cases with `principal_diagnosis`, `other_diagnoses` (a list of texts),
        `principal_procedure`, `other_procedures`, `sex` and `age_years` [whole years; null where
        there is none that can be read], in the place of columns of these names.

    Raises
    ------
    CaseSchemaError
        As `CaseMapping.resolve`.

    Examples
    --------
    >>> from drgcore.cases import CaseMapping
    >>> cases = pa.table({"JBDM": ["I10.x00"], "JBDM1": ["E11.900"], "JBDM2": [""],
    ...     "SSJCZBM1": [None], "SSJCZBM2": [None], "XB": ["1"], "NL": ["65岁"]})
    >>> found = with_canonical_codes(cases, CaseMapping.preset("n041"))
    >>> found.select(["other_diagnoses", "age_years"]).to_pylist()
    [{'other_diagnoses': ['E11.900'], 'age_years': 65}]
    """
    found = mapping.resolve(table.schema)
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for one, many, single, several in (
        (
            "principal_diagnosis",
            "other_diagnoses",
            found.principal_diagnosis,
            found.other_diagnoses,
        ),
        (
            "principal_procedure",
            "other_procedures",
            found.principal_procedure,
            found.other_procedures,
        ),
    ):
        lists = _lists(table, several, found.separator)
        if several.principal_first:
            first, lists = _apart(lists)
            columns[one] = first
        elif single is not None:
            columns[one] = table.column(single)
        else:
            columns[one] = pa.nulls(len(table), pa.string())
        columns[many] = lists
    columns["sex"] = table.column(found.sex)
    years = parse_age_years(table.column(found.age_years))
    columns["age_years"] = pa.array(years, pa.int32(), mask=years < 0)
    kept = table.drop_columns([name for name in columns if name in table.column_names])
    for name, column in columns.items():
        kept = kept.append_column(name, column)
    return kept


def _lists(table: pa.Table, source: CodeColumns, separator: str) -> pa.Array:
    """The codes of each case as a list of texts, without blank ones."""
    n = len(table)
    if source.shape == "none":
        rows, flat = np.empty(0, np.int64), pa.array([], pa.string())
    elif source.shape == "numbered":
        every = pa.concat_arrays(
            [c.cast(pa.string()) for name in source.names for c in _chunks(table, name)]
        )
        # Column by column; the codes of a case belong together, in the order of the columns.
        order = np.arange(len(every)).reshape(len(source.names), n).T.ravel()
        rows, flat = np.repeat(np.arange(n), len(source.names)), every.take(pa.array(order))
    else:
        kind = pa.string() if source.shape == "joined" else pa.list_(pa.string())
        column = pa.concat_arrays([c.cast(kind) for c in _chunks(table, source.names[0])])
        if source.shape == "joined":
            column = pc.split_pattern(column, separator)
        rows = pc.list_parent_indices(column).to_numpy().astype(np.int64)
        flat = pc.list_flatten(column)
    bare = stripped(flat)
    there = pc.fill_null(pc.not_equal(bare, ""), False).to_numpy(zero_copy_only=False)
    number = np.bincount(rows[there], minlength=n)
    offsets = np.concatenate([[0], np.cumsum(number)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), bare.filter(pa.array(there)))


def _chunks(table: pa.Table, name: str) -> list[pa.Array]:
    chunks: list[pa.Array] = table.column(name).chunks
    return chunks or [pa.array([], table.schema.field(name).type)]


def _apart(lists: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The first code of each list, and the others."""
    some = pc.list_slice(lists, 0, 1)
    number = pc.list_value_length(some).to_numpy(zero_copy_only=False).astype(np.int64)
    firsts = pc.list_flatten(some)
    place = np.cumsum(number) - 1
    first = firsts.take(pa.array(place, mask=number == 0))
    return first, pc.list_slice(lists, 1)
