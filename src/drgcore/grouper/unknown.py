"""The codes of cases that the dictionary does not know, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.grouper.batch import BATCH_ROWS, in_order, thread_count
from drgcore.grouper.dated import grouper_of
from drgcore.schemes import Scheme
from drgcore.schemes.calendar import SchemeCalendar

if TYPE_CHECKING:
    import pandas as pd


def unknown_codes(
    cases: Any,
    scheme: str | Path | Scheme | SchemeCalendar = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    restore_zeros: bool = False,
    threads: int | None = None,
) -> pa.Table | pd.DataFrame:
    """Count the codes of cases that the dictionary does not know, with the codes near to them.

    Parameters
    ----------
    cases, scheme, mapping, clinical_codes, restore_zeros, threads
        As for `group`.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        A frame for a pandas frame, else a table; the commonest first. ``column``: canonical column;
        ``code``: as the data hold it; ``count``: how often; ``near``: codes of the dictionary that
        may be meant, as lists. `group_file` gives the same with its summary (`reading`).

    Raises
    ------
    CaseSchemaError, SchemeError
        As `group`.

    Examples
    --------
    >>> import drgcore
    >>> drgcore.unknown_codes({"principal_diagnosis": ["K80.101", "K80101"],
    ...     "other_diagnoses": [[], []], "principal_procedure": ["51.23", "51.23"],
    ...     "other_procedures": [[], []], "sex": [1, 1], "age_years": [45, 46]}).to_pylist()
    [{'column': 'principal_procedure', 'code': '51.23', 'count': 2, 'near': ['51.2300']},
     {'column': 'principal_diagnosis', 'code': 'K80101', 'count': 1, 'near': ['K80.101']}]
    """
    grouper = grouper_of(scheme, clinical_codes, restore_zeros=restore_zeros)
    mapping = mapping_for(mapping, cases)
    with open_cases(cases, batch_rows=BATCH_ROWS) as source:
        resolved = grouper.resolve(mapping, source.schema)
        source.expect_codes(resolved.code_names())
        kind = source.kind
        for _ in in_order(
            lambda b: grouper.group(b, resolved), source.batches(), thread_count(threads)
        ):
            pass
    found = grouper.notes.unknown_codes()
    table = pa.table(
        {
            "column": pa.array([code.column for code in found], pa.string()),
            "code": pa.array([code.text for code in found], pa.string()),
            "count": pa.array([code.count for code in found], pa.int64()),
            "near": pa.array([list(code.near) for code in found], pa.list_(pa.string())),
        }
    )
    return table.to_pandas() if kind == "pandas" else table
