"""Faults as real files have them, put into synthetic cases."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_FULL_WIDTH = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})


def soil(batch: pa.RecordBatch, share: float, rng: np.random.Generator) -> pa.RecordBatch:
    """Give a share of the rows one fault each.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Clean cases.
    share : float
        Share of the rows that get a fault.
    rng : numpy.random.Generator

    Returns
    -------
    pyarrow.RecordBatch
        Of the same schema. Some faults make a case invalid, some are repaired on reading.
    """
    faulty = rng.random(batch.num_rows) < share
    chosen = np.where(faulty, rng.integers(len(_FAULTS), size=batch.num_rows), -1)
    columns = {name: batch.column(name) for name in batch.schema.names}
    for number, (name, fault) in enumerate(_FAULTS):
        columns[name] = fault(columns[name], chosen == number)
    arrays = [columns[f.name].cast(f.type) for f in batch.schema]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


_Fault = Callable[[pa.Array, NDArray[np.bool_]], pa.Array]


def _value(value: object) -> _Fault:
    """The cell holds this."""

    def fault(column: pa.Array, rows: NDArray[np.bool_]) -> pa.Array:
        return pc.if_else(pa.array(rows), pa.scalar(value, column.type), column)

    return fault


def _text(change: Callable[[str], str]) -> _Fault:
    """The cell's text is written in another way."""

    def fault(column: pa.Array, rows: NDArray[np.bool_]) -> pa.Array:
        at = np.flatnonzero(rows)
        texts = [None if t is None else change(t) for t in column.take(pa.array(at)).to_pylist()]
        return pc.replace_with_mask(column, pa.array(rows), pa.array(texts, column.type))

    return fault


def _codes(change: Callable[[list[str | None]], list[str | None]]) -> _Fault:
    """The cell's list is changed."""

    def fault(column: pa.Array, rows: NDArray[np.bool_]) -> pa.Array:
        lists = column.to_pylist()
        for i in np.flatnonzero(rows):
            lists[i] = change(lists[i])
        return pa.array(lists, column.type)

    return fault


_FAULTS: tuple[tuple[str, _Fault], ...] = (
    ("principal_diagnosis", _value(None)),
    ("principal_diagnosis", _value("Z99.999x999")),
    ("principal_diagnosis", _text(str.lower)),
    ("principal_diagnosis", _text(lambda t: t.translate(_FULL_WIDTH))),
    ("principal_diagnosis", _text(lambda t: f" {t}\u3000")),
    ("other_diagnoses", _codes(lambda codes: [*codes, *codes])),
    ("other_diagnoses", _codes(lambda codes: [*codes, None, "", "-"])),
    ("other_diagnoses", _codes(lambda codes: [*codes, "A00.999x999"])),
    ("principal_procedure", _value("-")),
    ("other_procedures", _codes(lambda codes: [*codes, "99.9999x999"])),
    ("sex", _value(None)),
    ("sex", _value(9)),
    ("sex", _value(3)),
    ("age_years", _value(None)),
    ("age_years", _value(999)),
    ("age_years", _value(-1)),
    ("age_days", _value(None)),
    ("newborn_weight_g", _value(None)),
)
"""Column and fault; a row may be chosen for a fault that its cell already has."""
