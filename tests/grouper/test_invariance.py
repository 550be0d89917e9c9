"""The same cases give the same groups, whatever they come in and however the work is cut."""

from __future__ import annotations

import random
import string
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from drgcore.cases import CaseMapping
from drgcore.errors import DrgcoreError
from drgcore.grouper import group, group_file
from tests.grouper.helpers import (
    CASE_COLUMNS,
    CODE_LISTS,
    DATA,
    RESULT,
    TEXT_SCHEMA,
    Row,
    plain_rows,
    read_samples,
    scheme,
    table_of,
)

NAME = "chs-drg-3.0"


@lru_cache
def _cases() -> tuple[Row, ...]:
    """Cases of many groups, some of them with missing and unknown values."""
    cases = [{n: r[n] for n in CASE_COLUMNS} for r in read_samples(DATA / f"expected_{NAME}.csv")]
    for at, change in enumerate(
        (
            {"sex": None},
            {"age_years": None},
            {"principal_diagnosis": None},
            {"principal_diagnosis": "nonsense"},
            {"other_diagnoses": [], "other_procedures": []},
            {"other_diagnoses": ["nonsense", "I10.x00"]},
        )
    ):
        cases[at * 7] = {**cases[at * 7], **change}
    return tuple(cases)


@lru_cache
def _table() -> pa.Table:
    numbered = pa.array(range(len(_cases())), pa.int64())
    return table_of(_cases()).add_column(0, "case_id", numbered)


@lru_cache
def _expected() -> tuple[Row, ...]:
    return tuple(plain_rows(group(_table(), scheme(NAME), threads=1)))


def _assert_expected(result: Any) -> None:
    rows = result.to_arrow() if isinstance(result, pl.DataFrame) else result
    assert tuple(plain_rows(rows)) == _expected()


def _joined(separator: str = "|") -> pa.Table:
    table = _table()
    for name in CODE_LISTS:
        texts = [None if v is None else separator.join(v) for v in table[name].to_pylist()]
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array(texts, pa.string()))
    return table


def _numbered(pattern: str = "{}_{}") -> pa.Table:
    table = _table()
    for name, single in (
        ("other_diagnoses", "other_diagnosis"),
        ("other_procedures", "other_procedure"),
    ):
        lists = table[name].to_pylist()
        table = table.drop_columns([name])
        for i in range(max(len(v) for v in lists)):
            values = [v[i] if i < len(v) else None for v in lists]
            table = table.append_column(
                pattern.format(single, i + 1), pa.array(values, pa.string())
            )
    return table


# --- how the work is cut ----------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 7, None])
@pytest.mark.parametrize("chunk", [5000, 100])
def test_threads_and_chunks_in_memory(threads: int | None, chunk: int) -> None:
    pieces = pa.Table.from_batches(_table().to_batches(max_chunksize=chunk))
    _assert_expected(group(pieces, scheme(NAME), threads=threads))


@pytest.mark.parametrize(
    ("threads", "batch_rows", "row_group"),
    [(1, 131_072, 5000), (2, 17, 100), (3, 131_072, 7), (7, 100, 1276), (1, 1, 50), (2, 2, 3)],
)
def test_threads_batches_and_row_groups_of_a_file(
    tmp_path: Path, threads: int, batch_rows: int, row_group: int
) -> None:
    rows = 60 if batch_rows < 17 else len(_cases())
    pq.write_table(_table().slice(0, rows), tmp_path / "in.parquet", row_group_size=row_group)
    summary = group_file(
        tmp_path / "in.parquet",
        tmp_path / "out.parquet",
        scheme(NAME),
        threads=threads,
        batch_rows=batch_rows,
    )
    result = pq.read_table(tmp_path / "out.parquet")
    assert tuple(plain_rows(result)) == _expected()[:rows]
    assert result["case_id"].to_pylist() == list(range(rows))
    assert summary.rows == rows


@pytest.mark.parametrize("threads", [0, -1])
def test_no_thread_is_refused(threads: int) -> None:
    with pytest.raises(DrgcoreError, match="threads"):
        group(_table(), scheme(NAME), threads=threads)


def test_the_order_of_rows_goes_with_them() -> None:
    order = list(range(len(_cases())))
    random.Random(3).shuffle(order)
    result = group(_table().take(order), scheme(NAME))
    assert plain_rows(result) == [_expected()[i] for i in order]


def test_a_row_is_decided_by_itself() -> None:
    for i in (0, 1, 14, 35, 700):
        assert plain_rows(group(_table().slice(i, 1), scheme(NAME))) == [_expected()[i]]


def test_the_order_of_other_codes_and_repeats_do_not_matter() -> None:
    draw = random.Random(4)
    shuffled, repeated = [], []
    for case in _cases():
        lists = {n: draw.sample(case[n], len(case[n])) for n in CODE_LISTS}
        shuffled.append({**case, **lists})
        repeated.append({**case, **{n: case[n] * 3 for n in CODE_LISTS}})
    _assert_expected(group(table_of(shuffled), scheme(NAME)))
    _assert_expected(group(table_of(repeated), scheme(NAME)))


# --- what the cases come in -------------------------------------------------------------------


def test_arrow_of_other_types() -> None:
    wide = {
        "principal_diagnosis": pa.large_string(),
        "other_diagnoses": pa.large_list(pa.large_string()),
        "other_procedures": pa.large_list(pa.string()),
        "sex": pa.string(),
        "age_years": pa.float64(),
        "age_days": pa.int64(),
        "newborn_weight_g": pa.decimal128(14, 2),
    }
    columns = {name: _table()[name].cast(kind) for name, kind in wide.items()}
    columns["principal_procedure"] = _table()["principal_procedure"].dictionary_encode()
    table = pa.table(columns)
    _assert_expected(group(table, scheme(NAME)))


def test_everything_as_text() -> None:
    texts = pa.table({f.name: _table()[f.name].cast(f.type) for f in TEXT_SCHEMA})
    _assert_expected(group(texts, scheme(NAME)))


def test_record_batch_and_stream() -> None:
    _assert_expected(group(_table().combine_chunks().to_batches()[0], scheme(NAME)))
    _assert_expected(group(_table().to_reader(max_chunksize=200), scheme(NAME)))


def test_lists_of_dicts_and_dict_of_columns() -> None:
    _assert_expected(group([dict(c) for c in _cases()], scheme(NAME)))
    _assert_expected(group(_table().to_pydict(), scheme(NAME)))


def test_pandas_keeps_frame_and_index() -> None:
    frame = _table().to_pandas()
    frame.index = pd.Index([f"r{i}" for i in range(len(frame))], name="row")
    before = frame.copy()
    result = group(frame, scheme(NAME))
    assert isinstance(result, pd.DataFrame)
    assert result.index.equals(frame.index)
    assert list(result.columns) == [*frame.columns, *RESULT]
    pd.testing.assert_frame_equal(frame, before)
    rows = result[list(RESULT)].astype(object).where(result[list(RESULT)].notna(), None)
    assert tuple(rows.to_dict("records")) == _expected()
    pd.testing.assert_frame_equal(result[frame.columns], frame)


def test_pandas_with_other_column_labels_and_a_repeating_index() -> None:
    frame = _table().to_pandas().head(40)
    frame[7] = "seven"
    frame.index = [0] * len(frame)
    result = group(frame, scheme(NAME), columns=["case_id"])
    assert list(result.columns) == ["case_id", *RESULT]
    whole = group(frame, scheme(NAME))
    assert list(whole.columns) == [*frame.columns, *RESULT]
    assert whole["drg"].astype(object).where(whole["drg"].notna(), None).tolist() == [
        r["drg"] for r in _expected()[:40]
    ]


def test_polars_and_duckdb() -> None:
    frame = pl.from_arrow(_table())
    _assert_expected(group(frame, scheme(NAME)))
    strings = frame.with_columns(pl.col("principal_diagnosis").cast(pl.Categorical))
    _assert_expected(group(strings, scheme(NAME)))
    arrow = _table()  # DuckDB finds it by its name.
    connection = duckdb.connect()  # The oldest versions close it with its last name.
    _assert_expected(group(connection.from_arrow(arrow), scheme(NAME)))


@pytest.mark.parametrize("compression", ["snappy", "zstd", "none"])
def test_parquet_file(tmp_path: Path, compression: str) -> None:
    pq.write_table(_table(), tmp_path / "in.parquet", compression=compression, use_dictionary=False)
    group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", scheme(NAME))
    _assert_expected(pq.read_table(tmp_path / "out.parquet"))


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("utf-8", "\t")],
)
def test_csv_file(tmp_path: Path, encoding: str, delimiter: str) -> None:
    pa_csv.write_csv(
        _joined().append_column("院", pa.array(["甲"] * len(_cases()))),
        tmp_path / "plain.csv",
        pa_csv.WriteOptions(delimiter=delimiter),
    )
    text = (tmp_path / "plain.csv").read_text(encoding="utf-8")
    (tmp_path / "in.csv").write_text(text, encoding=encoding)
    group_file(tmp_path / "in.csv", tmp_path / "out.parquet", scheme(NAME), batch_rows=500)
    result = pq.read_table(tmp_path / "out.parquet")
    _assert_expected(result)
    assert set(result["院"].to_pylist()) == {"甲"}


# --- the shape of the lists -------------------------------------------------------------------


def test_lists_joined_or_numbered() -> None:
    _assert_expected(group(_joined(), scheme(NAME)))
    _assert_expected(group(_numbered(), scheme(NAME)))


def test_another_mapping() -> None:
    renamed = _joined(";").rename_columns(
        ["id", *string.ascii_uppercase[: len(_table().column_names) - 1]]
    )
    mapping = CaseMapping(*"ABCDEFGH", separator=";")
    _assert_expected(group(renamed, scheme(NAME), mapping=mapping))


def test_an_hqms_export() -> None:
    table = _table()
    names = {
        "principal_diagnosis": "C03C",
        "principal_procedure": "C14X01C",
        "sex": "A12C",
        "age_years": "A14",
        "age_days": "A16",
        "newborn_weight_g": "A17",
    }
    columns = {new: table[old].cast(pa.string()) for old, new in names.items()}
    for old, new in (("other_diagnoses", "C06x{:02}C"), ("other_procedures", "C35x{:02}C")):
        lists = table[old].to_pylist()
        for i in range(40):
            values = [v[i] if i < len(v) else "" for v in lists]
            columns[new.format(i + 1)] = pa.array(values, pa.string())
    _assert_expected(group(pa.table(columns), scheme(NAME), mapping="hqms"))


def test_a_scheme_by_name_by_path_and_as_itself() -> None:
    few = _table().slice(0, 50)
    expected = list(_expected()[:50])
    assert plain_rows(group(few)) == expected
    assert plain_rows(group(few, NAME)) == expected
    folder = Path(__file__).parents[2] / "data" / "grouper_tables" / NAME
    assert plain_rows(group(few, folder)) == expected
    assert plain_rows(group(few, "chs-drg-1.1")) != expected
