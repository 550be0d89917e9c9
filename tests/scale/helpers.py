"""Tables of two engines compared: the same columns, the same values, whatever the order of rows."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings

# Each example is a job of Spark, so a failing one is not made smaller.
FEW = settings(
    max_examples=4,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def texts(table: pa.Table) -> pa.Table:
    """Dictionaries as the texts that they stand for."""
    columns = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def rows(table: pa.Table, key: str = "case_id") -> list[dict[str, object]]:
    """The rows in the order of their key."""
    return texts(table).sort_by(key).to_pylist()
