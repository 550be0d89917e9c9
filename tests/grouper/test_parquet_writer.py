"""Results as parquet: whatever the form of a column, readers get what was written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from drgcore.grouper.parquet_writer import parquet_writer


def batch(rows: int) -> pa.RecordBatch:
    numbers = range(rows)
    return pa.RecordBatch.from_pydict(
        {
            "case_id": [f"C{n}" for n in numbers],
            "total_cost": [n / 7 for n in numbers],
            "hospital": [f"H{n % 3}" for n in numbers],
            "a.b": [["x", None, f"y{n % 5}"] for n in numbers],
            "empty": pa.array([None] * rows, pa.string()),
            "drg": pa.array([f"A{n % 4}" for n in numbers]).dictionary_encode(),
        }
    )


def test_only_what_repeats_has_a_dictionary(tmp_path: Path) -> None:
    first, second = batch(2000), batch(500)
    schema = pa.schema([f.with_type(pa.string()) if f.name == "drg" else f for f in first.schema])
    with parquet_writer(tmp_path / "out.parquet", schema) as writer:
        writer.write(first)
        writer.write(second)
    table = pq.read_table(tmp_path / "out.parquet")
    expected = pa.Table.from_batches([first, second]).cast(schema)
    assert table.equals(expected)
    group = pq.read_metadata(tmp_path / "out.parquet").row_group(0)
    coded = {
        group.column(place).path_in_schema: group.column(place).has_dictionary_page
        for place in range(group.num_columns)
    }
    assert [path for path, dictionary in coded.items() if not dictionary] == [
        "case_id",
        "total_cost",
    ]


def test_a_file_without_rows_has_its_columns(tmp_path: Path) -> None:
    with parquet_writer(tmp_path / "none.parquet", batch(1).schema):
        pass
    assert pq.read_table(tmp_path / "none.parquet").column_names == batch(1).schema.names
