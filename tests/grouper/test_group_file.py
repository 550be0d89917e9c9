"""Files in and out: types stay, options do what they say, summaries add up."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from drgcore.cases import read_table
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.grouper import STATUSES, group, group_file, summarise
from drgcore.grouper.xlsx_writer import xlsx_writer
from drgcore.schemes import load_translation
from tests.grouper.helpers import (
    CASE_COLUMNS,
    CODE_LISTS,
    DATA,
    RESULT,
    Row,
    plain_rows,
    read_samples,
    scheme,
    table_of,
)

NAME = "chs-drg-3.0"
ROWS = 400


def _table(rows: int = ROWS) -> pa.Table:
    return table_of(read_samples(DATA / f"expected_{NAME}.csv")[:rows])


def _as_text(rows: list[Row]) -> list[Row]:
    """The rows as a text file holds them."""
    return [{**row, "reasons": "|".join(row["reasons"] or ()) or None} for row in rows]


def _expected(rows: int = ROWS) -> list[dict[str, Any]]:
    return plain_rows(group(_table(rows), scheme(NAME)))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A parquet file of cases, in several row groups."""
    pq.write_table(_table(), tmp_path / "in.parquet", row_group_size=150)
    return tmp_path / "in.parquet"


def _with_everything() -> pa.Table:
    """The cases among columns of every type that a warehouse holds."""
    utc = dt.UTC
    start = dt.datetime(2027, 1, 1, 8, tzinfo=utc)
    some = range(ROWS)
    extra = {
        "text": pa.array([None if i % 7 == 0 else f"t{i % 9}" for i in some], pa.string()),
        "large": pa.array([f"l{i}" for i in some], pa.large_string()),
        "view": pa.array([f"v{i}" for i in some], pa.string_view()),
        "category": pa.array(["甲", "乙"] * (ROWS // 2)).dictionary_encode(),
        "admitted": pa.array([start] * ROWS, pa.timestamp("us", "Asia/Shanghai")),
        "discharged": pa.array([start.replace(tzinfo=None)] * ROWS, pa.timestamp("ms")),
        "born": pa.array([dt.date(1960, 2, 29)] * ROWS, pa.date32()),
        "stay": pa.array([dt.timedelta(days=3)] * ROWS, pa.duration("ms")),
        "cost": pa.array([Decimal("12345.67")] * ROWS, pa.decimal128(18, 2)),
        "ratio": pa.array(np.linspace(0, 1, ROWS, dtype=np.float32)),
        "flag": pa.array([True, None] * (ROWS // 2)),
        "raw": pa.array([b"\x00\xff"] * ROWS, pa.binary()),
        "fixed": pa.array([b"ab"] * ROWS, pa.binary(2)),
        "tiny": pa.array([i % 5 for i in some], pa.uint8()),
        "nothing": pa.nulls(ROWS),
        "nested": pa.array([{"a": i, "b": ["x", None]} for i in some]),
        "pairs": pa.array([[("k", i)] for i in some], pa.map_(pa.string(), pa.int32())),
        "lists": pa.array([[i, None] if i % 3 else None for i in some], pa.list_(pa.int16())),
        "vector": pa.array([[1.0, 2.0]] * ROWS, pa.list_(pa.float32(), 2)),
    }
    table = _table()
    for name, column in extra.items():
        field = pa.field(name, column.type, metadata={"unit": "none of ours"})
        table = table.append_column(field, column)
    return table.replace_schema_metadata({"made by": "a warehouse", "版本": "一"})


# --- what goes in comes out -------------------------------------------------------------------


@pytest.mark.parametrize("batch_rows", [131_072, 37])
def test_types_values_and_metadata_of_the_input_stay(tmp_path: Path, batch_rows: int) -> None:
    table = _with_everything()
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=150)
    written = pq.read_table(tmp_path / "in.parquet")
    group_file(
        tmp_path / "in.parquet", tmp_path / "out.parquet", scheme(NAME), batch_rows=batch_rows
    )
    result = pq.read_table(tmp_path / "out.parquet")
    assert result.column_names == [*table.column_names, *RESULT]
    for name in table.column_names:
        field, before = result.schema.field(name), written.schema.field(name)
        assert field.type == before.type, name
        assert (field.metadata or {}).get(b"unit") == (before.metadata or {}).get(b"unit"), name
        assert result[name].to_pylist() == written[name].to_pylist(), name
    for key, value in (written.schema.metadata or {}).items():
        assert result.schema.metadata[key] == value
    for name in RESULT:
        lists = name == "reasons"
        assert result.schema.field(name).type == (pa.list_(pa.string()) if lists else pa.string())
    assert plain_rows(result) == _expected()


def test_other_programs_can_read_what_is_written(source: Path, tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    target = tmp_path / "out.parquet"
    group_file(source, target, scheme(NAME))
    expected = [r["drg"] for r in _expected()]
    assert polars.read_parquet(target)["drg"].to_list() == expected
    with duckdb.connect() as connection:
        rows = connection.execute("select drg from read_parquet($1)", [str(target)]).fetchall()
    assert [r[0] for r in rows] == expected


def test_numbered_code_columns_stay_strings(tmp_path: Path) -> None:
    table = _table().drop_columns(["other_diagnoses"])
    lists = _table()["other_diagnoses"].to_pylist()
    for i in range(max(map(len, lists))):
        codes = pa.array([v[i] if i < len(v) else None for v in lists], pa.large_string())
        table = table.append_column(f"other_diagnosis_{i + 1}", codes)
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=90)
    group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", scheme(NAME), batch_rows=100)
    result = pq.read_table(tmp_path / "out.parquet")
    assert result.select(table.column_names).equals(pq.read_table(tmp_path / "in.parquet"))
    assert plain_rows(result) == _expected()


def test_parquet_to_csv(source: Path, tmp_path: Path) -> None:
    group_file(source, tmp_path / "out.csv", scheme(NAME), batch_rows=70)
    raw = (tmp_path / "out.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert list(rows[0]) == [*CASE_COLUMNS, *RESULT]
    assert [{n: r[n] or None for n in RESULT} for r in rows] == _as_text(_expected())
    assert [r["other_diagnoses"] for r in rows] == [
        "|".join(v) for v in _table()["other_diagnoses"].to_pylist()
    ]
    # And what was written can be read again.
    group_file(tmp_path / "out.csv", tmp_path / "again.parquet", scheme(NAME), prefix="new_")
    again = pq.read_table(tmp_path / "again.parquet")
    assert again["new_drg"].to_pylist() == [r["drg"] for r in _expected()]


def test_a_list_with_a_gap_keeps_its_codes_in_csv(tmp_path: Path) -> None:
    lists = pa.array([["I10.x00", None, "E11.900"], [], None, [None]], pa.list_(pa.string()))
    at = CASE_COLUMNS.index("other_diagnoses")
    table = _table(4).set_column(at, "other_diagnoses", lists)
    pq.write_table(table, tmp_path / "in.parquet")
    group_file(tmp_path / "in.parquet", tmp_path / "out.csv", scheme(NAME))
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text("utf-8-sig").splitlines()))
    assert [[c for c in r["other_diagnoses"].split("|") if c] for r in rows] == [
        ["I10.x00", "E11.900"],
        [],
        [],
        [],
    ]


def test_csv_to_csv_and_empty_texts(tmp_path: Path) -> None:
    table = _table(50)
    for name in CODE_LISTS:
        joined = pa.array(["|".join(v) for v in table[name].to_pylist()])
        table = table.set_column(table.column_names.index(name), name, joined)
    table = table.append_column("note", pa.array(['said "no", then\nleft'] * 50))
    table = table.append_column("record", pa.array([f"{i:08}" for i in range(50)]))
    pa_csv.write_csv(table, tmp_path / "in.csv")
    summary = group_file(tmp_path / "in.csv", tmp_path / "out.csv", scheme(NAME))
    assert summary.rows == 50
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["note"] for r in rows] == ['said "no", then\nleft'] * 50
    # Text stays text: zeros at its start too.
    assert [r["record"] for r in rows] == [f"{i:08}" for i in range(50)]
    assert [{n: r[n] or None for n in RESULT} for r in rows] == _as_text(_expected(50))


def test_columns_that_csv_cannot_hold_are_refused_by_name(tmp_path: Path) -> None:
    pq.write_table(_with_everything(), tmp_path / "in.parquet")
    with pytest.raises(DrgcoreError) as error:
        group_file(tmp_path / "in.parquet", tmp_path / "out.csv", scheme(NAME))
    assert "nested" in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["in.parquet"]
    group_file(
        tmp_path / "in.parquet", tmp_path / "out.csv", scheme(NAME), columns=["text", "cost"]
    )
    assert (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("ending", [".PARQUET", ".pq", ".Csv"])
def test_endings_in_any_case(source: Path, tmp_path: Path, ending: str) -> None:
    group_file(source, tmp_path / f"out{ending}", scheme(NAME))
    assert (tmp_path / f"out{ending}").stat().st_size > 1000


# --- options ----------------------------------------------------------------------------------


def test_columns_are_kept_in_the_order_asked_for(source: Path, tmp_path: Path) -> None:
    group_file(source, tmp_path / "out.parquet", scheme(NAME), columns=["sex", "age_years"])
    result = pq.read_table(tmp_path / "out.parquet")
    assert result.column_names == ["sex", "age_years", *RESULT]
    assert plain_rows(result) == _expected()
    group_file(source, tmp_path / "out.parquet", scheme(NAME), columns=[])
    assert pq.read_table(tmp_path / "out.parquet").column_names == list(RESULT)
    kept = group(_table(), scheme(NAME), columns=["sex", "principal_diagnosis"])
    assert kept.column_names == ["sex", "principal_diagnosis", *RESULT]


def test_a_column_to_keep_must_be_there(source: Path, tmp_path: Path) -> None:
    with pytest.raises(CaseSchemaError, match="no column 'Sex', 'cost' to keep") as error:
        group_file(source, tmp_path / "out.parquet", scheme(NAME), columns=["Sex", "cost"])
    assert "age_years" in str(error.value)
    assert not (tmp_path / "out.parquet").exists()


def test_a_prefix_and_a_collision(source: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    group_file(source, first, scheme(NAME))
    with pytest.raises(CaseSchemaError, match="already has columns mdc, adrg, drg"):
        group_file(first, second, scheme("chs-drg-1.1"))
    assert not second.exists()
    group_file(first, second, scheme("chs-drg-1.1"), prefix="v1_")
    both = pq.read_table(second)
    assert both.column_names[-16:] == [*RESULT, *(f"v1_{n}" for n in RESULT)]
    assert plain_rows(both) == _expected()
    assert both["v1_drg"].to_pylist() != both["drg"].to_pylist()
    # What is not kept is not in the way.
    group_file(first, second, scheme(NAME), columns=["sex"])
    assert pq.read_table(second).column_names == ["sex", *RESULT]


def test_progress_is_told(source: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    group_file(
        source,
        tmp_path / "out.parquet",
        scheme(NAME),
        batch_rows=100,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told[-1] == (ROWS, ROWS)
    assert [d for d, _ in told] == sorted({d for d, _ in told})
    assert len(told) >= 4
    group_file(source, tmp_path / "in.csv", scheme(NAME), prefix="x_")
    told.clear()
    group_file(
        tmp_path / "in.csv",
        tmp_path / "out.csv",
        scheme(NAME),
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(ROWS, None)]


def test_an_older_file_is_replaced(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    target.write_text("old")
    group_file(source, target, scheme(NAME))
    assert plain_rows(pq.read_table(target)) == _expected()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


# --- summary and translation ------------------------------------------------------------------


def test_the_summary_is_that_of_the_rows(tmp_path: Path) -> None:
    cases = read_samples(DATA / f"expected_{NAME}.csv")[:100]
    cases[3] = {**cases[3], "sex": None}
    cases[4] = {**cases[4], "other_diagnoses": ["nonsense", "I10.x00", "rubbish"]}
    cases[5] = {**cases[5], "principal_procedure": "nonsense", "other_procedures": ["x"]}
    cases[6] = {**cases[6], "principal_diagnosis": "nonsense", "other_procedures": ["x"]}
    pq.write_table(table_of(cases), tmp_path / "in.parquet")
    summary = group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", scheme(NAME))
    counted = summarise(pq.read_table(tmp_path / "out.parquet"), NAME)
    assert summary.scheme == NAME
    assert summary.rows == counted.rows == 100 == sum(summary.statuses.values())
    assert summary.statuses == counted.statuses
    assert summary.reasons == counted.reasons
    assert tuple(summary.statuses) == STATUSES
    assert summary.rows_with_unknown_diagnosis == 1
    assert summary.rows_with_unknown_procedure == 2
    assert summary.codes_translated is None


def _translated_code() -> tuple[str, str, str]:
    """A clinical code, the insurance code it means, and a clinical code that is itself an
    insurance code of another meaning."""
    table = load_translation("diagnoses").to_pylist()
    of = scheme(NAME)
    known = set(of.complications)
    pair = next(
        r for r in table if r["insurance_code"] in known and r["clinical_code"] not in known
    )
    return pair["clinical_code"], pair["insurance_code"], pair["clinical_code"]


def test_clinical_codes_are_translated_only_on_request(tmp_path: Path) -> None:
    clinical, insurance, _ = _translated_code()
    case = read_samples(DATA / f"expected_{NAME}.csv")[0]

    def table(code: str) -> pa.Table:
        return table_of([{**case, "other_diagnoses": [code, code, "nonsense"]}])

    pq.write_table(table(clinical), tmp_path / "in.parquet")
    summary = group_file(
        tmp_path / "in.parquet", tmp_path / "out.parquet", scheme(NAME), clinical_codes=True
    )
    assert summary.codes_translated is not None
    assert summary.codes_translated >= 2
    assert summary.codes_untranslated is not None
    assert summary.codes_untranslated >= 1
    translated = plain_rows(pq.read_table(tmp_path / "out.parquet"))
    meant = group(table(insurance), scheme(NAME), clinical_codes=False)
    assert translated[0]["severity"] == plain_rows(meant)[0]["severity"]
    # The column itself comes out as it came in.
    kept = pq.read_table(tmp_path / "out.parquet")["other_diagnoses"].to_pylist()
    assert kept == [[clinical, clinical, "nonsense"]]
    plain = group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", scheme(NAME))
    assert plain.codes_translated is None
    assert plain.codes_untranslated is None


def test_a_translation_can_change_the_group() -> None:
    clinical, insurance, _ = _translated_code()
    of = scheme(NAME)
    adult = {"sex": 1, "age_years": 40, "age_days": None, "newborn_weight_g": None}
    codes = {"other_diagnoses": [], "principal_procedure": None, "other_procedures": []}
    given = table_of([{"principal_diagnosis": clinical, **codes, **adult}])
    meant = table_of([{"principal_diagnosis": insurance, **codes, **adult}])
    with_translation = plain_rows(group(given, of, clinical_codes=True))
    assert with_translation == plain_rows(group(meant, of))
    assert with_translation != plain_rows(group(given, of))


def test_nanoseconds_fit_into_a_workbook(tmp_path: Path) -> None:
    schema = pa.schema({"at": pa.timestamp("ns")})
    with xlsx_writer(tmp_path / "out.xlsx", schema) as writer:
        writer.write(
            pa.record_batch([pa.array([1_600_000_000_000_000_001], schema[0].type)], schema=schema)
        )
    assert read_table(tmp_path / "out.xlsx")["at"].to_pylist() == ["2020-09-13 12:26:40"]
