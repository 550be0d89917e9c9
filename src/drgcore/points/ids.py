"""The case ids that occur twice among millions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.attributes import some_of
from drgcore.cases.hashes import hash_strings
from drgcore.cases.repeated_hashes import repeated_hashes
from drgcore.errors import CaseSchemaError
from drgcore.language import _


def repeated_ids(ids: pa.ChunkedArray) -> list[str]:
    """Find the case ids that occur more than once.

    Ids are compared by a 64-bit hash first, and by their text only where two hashes agree.

    Parameters
    ----------
    ids : pyarrow.ChunkedArray
        Case ids, none null.

    Returns
    -------
    list of str
        The repeated ids, sorted.

    Examples
    --------
    >>> repeated_ids(pa.chunked_array([["a", "b"], ["c", "a"]]))
    ['a']
    """
    hashes = hash_strings(ids)
    twice = repeated_hashes(hashes)
    if not len(twice):
        return []
    suspects = ids.filter(pa.array(np.isin(hashes, twice)))
    counts = pc.value_counts(pc.cast(suspects, pa.large_string()))
    return sorted(pair["values"] for pair in counts.to_pylist() if pair["counts"] > 1)


def ids_of(cases: pa.Table) -> pa.ChunkedArray:
    """Give the ids of cases, each of which must have one; whether one occurs twice is not asked.

    Parameters
    ----------
    cases : pyarrow.Table
        Cases with the column `case_id`, as `select_columns` gives them.

    Returns
    -------
    pyarrow.ChunkedArray
        The ids.

    Raises
    ------
    CaseSchemaError
        If cases have no id.

    Examples
    --------
    >>> ids_of(pa.table({"case_id": ["1", "2"]})).to_pylist()
    ['1', '2']
    """
    ids = cases.column("case_id")
    if ids.null_count:
        raise CaseSchemaError(
            _("{count} cases have no id", count=ids.null_count), where=_("column case_id")
        )
    return ids


def checked_ids(cases: pa.Table) -> pa.ChunkedArray:
    """Give the ids of cases, each of which must have one of its own.

    Parameters
    ----------
    cases : pyarrow.Table
        Cases with the column `case_id`, as `select_columns` gives them.

    Returns
    -------
    pyarrow.ChunkedArray
        The ids.

    Raises
    ------
    CaseSchemaError
        If cases have no id, or an id occurs twice.

    Examples
    --------
    >>> checked_ids(pa.table({"case_id": ["1", "2", "1"]}))
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: column case_id: 1 case ids occur more than once: 1
    a case is paid once; remove the repeated rows
    """
    ids = ids_of(cases)
    twice = repeated_ids(ids)
    if twice:
        raise CaseSchemaError(
            _(
                "{count} case ids occur more than once: {twice}",
                count=len(twice),
                twice=some_of(twice),
            ),
            where=_("column case_id"),
            hint=_("a case is paid once; remove the repeated rows"),
        )
    return ids
