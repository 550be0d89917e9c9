"""Cases are read from files and from memory, or refused without a value in the message."""

from __future__ import annotations

import gzip
import traceback
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgcore import group_file
from drgcore.cases import CaseMapping, CodeIndex, encode_cases, open_cases, read_table
from drgcore.errors import CaseSchemaError

COLUMNS = {
    "sex": ["1", "2", None],
    "other_diagnoses": [["A00.000", None], [], None],
    "age_years": [1, None, 3],
}
SECRET = "Secret"


def read(source, **options):
    with open_cases(source, **options) as cases:
        batches = list(cases.batches())
        for batch in batches:
            assert batch.schema.names == cases.schema.names
        return pa.Table.from_batches(batches, cases.schema)


def write(path, content, encoding="utf-8"):
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def refused(source, match, **options):
    with pytest.raises(CaseSchemaError, match=match) as caught:
        read(source, **options)
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert caught.value.hint
    return str(caught.value)


def capsule(table):
    class Capsule:
        def __arrow_c_stream__(self, requested_schema=None):
            return table.__arrow_c_stream__(requested_schema)

    return Capsule()


def array_capsule(table):
    class Capsule:
        def __arrow_c_array__(self, requested_schema=None):
            return table.to_batches()[0].__arrow_c_array__(requested_schema)

    return Capsule()


TABLE = pa.table(COLUMNS)


@pytest.mark.parametrize(
    ("source", "kind", "rows"),
    [
        (lambda: TABLE, "arrow", 3),
        (lambda: TABLE.to_batches()[0], "arrow", 3),
        (lambda: TABLE.to_reader(), "arrow", None),
        (lambda: pd.DataFrame(COLUMNS), "pandas", 3),
        (lambda: pl.DataFrame(COLUMNS), "arrow", None),
        (lambda: duckdb.from_arrow(TABLE), "arrow", None),
        (lambda: capsule(TABLE), "arrow", None),
        (lambda: array_capsule(TABLE), "arrow", 3),
        (lambda: COLUMNS, "arrow", 3),
        (lambda: TABLE.to_pylist(), "arrow", 3),
    ],
    ids=("table", "batch", "reader", "pandas", "polars", "duckdb", "s", "a", "dict", "list"),
)
def test_cases_in_memory(source, kind, rows):
    with open_cases(source()) as cases:
        assert (cases.kind, cases.num_rows) == (kind, rows)
        found = pa.Table.from_batches(list(cases.batches())).to_pylist()
    for row in found:
        # pandas has no missing integer: its column is floating.
        row["age_years"] = None if row["age_years"] is None else int(row["age_years"])
    assert found == TABLE.to_pylist()
    assert read(source(), columns=["age_years", "sex"]).schema.names == ["age_years", "sex"]
    refused(source(), "absent or not unique: 'nowhere'", columns=["sex", "nowhere"])


def test_a_stream_is_read_once_and_a_table_again():
    with open_cases(TABLE.to_reader()) as cases:
        assert sum(batch.num_rows for batch in cases.batches()) == 3
        with pytest.raises(CaseSchemaError, match="only once"):
            next(cases.batches())
    with open_cases(TABLE) as cases:
        assert [len(list(cases.batches())) for _ in range(2)] == [1, 1]
    with pytest.raises(CaseSchemaError, match="closed"):
        cases.batches()


def test_batches_are_joined_and_cut_to_even_size():
    pieces = [pa.table({"x": list(range(i, i + size))}) for i, size in ((0, 1), (1, 2), (3, 20))]
    table = pa.concat_tables(pieces)
    with open_cases(table, batch_rows=8) as cases:
        batches = list(cases.batches())
    assert [batch.num_rows for batch in batches] == [3, 8, 8, 4]
    assert pa.Table.from_batches(batches).column("x").to_pylist() == list(range(23))
    with pytest.raises(ValueError, match="batch_rows"):
        open_cases(table, batch_rows=0)


@pytest.mark.parametrize("source", [{"a": []}, pd.DataFrame({"a": []}), pa.table({"a": []}), []])
def test_no_cases_in_memory(source):
    assert read(source).num_rows == 0


def test_numbers_and_text_in_one_column_are_text():
    mixed = {"p": ["33.6x00", 45.13, None, np.nan, 7]}
    assert read(pd.DataFrame(mixed)).column("p").to_pylist() == [
        "33.6x00",
        "45.13",
        None,
        None,
        "7",
    ]
    assert read(mixed).column("p").to_pylist()[:3] == ["33.6x00", "45.13", None]


def test_rows_may_lack_columns():
    rows = [{"a": "1"}, {"b": "2"}]
    assert read(rows).to_pylist() == [{"a": "1", "b": None}, {"a": None, "b": "2"}]


def test_sources_in_memory_that_are_refused():
    refused({"a": [[SECRET], 1]}, "column 'a' holds values of kinds")
    refused({"a": [1], "b": [1, 2]}, "different numbers of rows")
    refused(pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than once: 'a'")
    refused(3, "cannot be read from int")
    refused([1, 2], "cannot be read from list")


def many_cases(n=1000):
    codes = [f"C{i % 37}" for i in range(n)]
    return pa.table(
        {
            "sex": ["1"] * n,
            "principal_diagnosis": codes,
            "other_diagnoses": [codes[i : i + i % 4] for i in range(n)],
        }
    )


@pytest.mark.parametrize("dictionaries", [None, ["principal_diagnosis"], ["sex"], ["nowhere"]])
@pytest.mark.parametrize("nested", [[], ["other_diagnoses.list.element"], ["other_diagnoses"]])
def test_parquet_in_row_groups_smaller_and_larger_than_batches(tmp_path, dictionaries, nested):
    table = many_cases()
    wanted = None if dictionaries is None else dictionaries + nested
    for group in (70, 1000):
        pq.write_table(table, tmp_path / "c.parquet", row_group_size=group)
        with open_cases(tmp_path / "c.parquet", dictionary_columns=wanted, batch_rows=150) as cases:
            assert (cases.kind, cases.num_rows) == ("parquet", 1000)
            batches = list(cases.batches())
            assert max(batch.num_rows for batch in batches) <= 150
            assert pa.Table.from_batches(batches, cases.schema).to_pylist() == table.to_pylist()
            for field in cases.schema:
                kind = field.type.value_type if pa.types.is_list(field.type) else field.type
                asked = any(name.split(".")[0] == field.name for name in wanted or ())
                assert pa.types.is_dictionary(kind) == asked


def test_parquet_columns_come_in_the_order_asked_for(tmp_path):
    pq.write_table(many_cases(), tmp_path / "c.parquet")
    columns = ["other_diagnoses", "sex"]
    assert read(tmp_path / "c.parquet", columns=columns).equals(many_cases().select(columns))
    refused(tmp_path / "c.parquet", "absent or not unique: 'x'", columns=["x"])


def test_parquet_without_cases(tmp_path):
    pq.write_table(many_cases(0), tmp_path / "c.parquet")
    assert read(tmp_path / "c.parquet").num_rows == 0


def test_parquet_is_grouped_through_its_mapping(tmp_path):
    table = many_cases()
    for name, values in (
        ("principal_procedure", pa.nulls(1000, pa.string())),
        ("other_procedures", pa.nulls(1000, pa.list_(pa.string()))),
        ("age_years", pa.array(range(1000))),
    ):
        table = table.append_column(name, values)
    pq.write_table(table, tmp_path / "c.parquet", row_group_size=333)
    diagnoses, procedures = CodeIndex([f"C{i}" for i in range(37)]), CodeIndex([])
    mapping = CaseMapping.preset("canonical")
    with open_cases(tmp_path / "c.parquet") as plain:
        resolved = mapping.resolve(plain.schema)
    with open_cases(
        tmp_path / "c.parquet",
        columns=resolved.columns(),
        dictionary_columns=resolved.code_columns(),
    ) as cases:
        resolved = mapping.resolve(cases.schema)
        parts = [encode_cases(b, resolved, diagnoses, procedures) for b in cases.batches()]
    whole = encode_cases(table, mapping.resolve(table.schema), diagnoses, procedures)
    flat = np.concatenate([part.other_diagnoses for part in parts])
    assert flat.tolist() == whole.other_diagnoses.tolist()
    assert len(flat) == sum(i % 4 for i in range(997)) + (997 % 4) + 2 + 1


def test_files_that_are_refused(tmp_path):
    refused(tmp_path / "absent.csv", r"absent\.csv: there is no such file")
    refused(str(tmp_path), "there is no file of cases")
    refused(write(tmp_path / "a.csv", b""), r"0 bytes")
    refused(write(tmp_path / "a.parquet", b""), r"0 bytes")
    refused(write(tmp_path / "a.xlsx", b"PK"), "workbook is damaged")
    refused(write(tmp_path / "a.json", b"[]"), r"kind '.json'")
    refused(write(tmp_path / "bare", b"a"), "without suffix")
    refused(write(tmp_path / "b.parquet", f"{SECRET},b\n1,2\n"), "is not parquet")
    pq.write_table(many_cases(), tmp_path / "c.parquet")
    whole = (tmp_path / "c.parquet").read_bytes()
    refused(write(tmp_path / "d.parquet", whole[:-100]), "truncated")
    refused(write(tmp_path / "e.parquet", whole[:200] + b"PAR1"), "damaged")
    holed = whole[:4] + b"\xff" * 300 + whole[304:]
    refused(write(tmp_path / "f.parquet", holed), "damaged")


ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"]
TEXT = "病案号,性别,诊断\n007,男,A00.000\n,女,\n"
ROWS = [
    {"病案号": "007", "性别": "男", "诊断": "A00.000"},
    {"病案号": "", "性别": "女", "诊断": ""},
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("suffix", "delimiter"),
    [(".csv", ","), (".txt", "\t"), (".TSV", "\t"), (".csv", ";"), (".txt", "|")],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_text_files(tmp_path, encoding, suffix, delimiter, newline):
    text = TEXT.replace(",", delimiter).replace("\n", newline)
    path = write(tmp_path / f"cases{suffix}", text, encoding)
    with open_cases(path) as cases:
        assert (cases.kind, cases.num_rows) == ("csv", None)
        assert set(cases.schema.types) == {pa.string()}
    assert read(path).to_pylist() == ROWS
    assert read(path, columns=["诊断"]).column("诊断").to_pylist() == ["A00.000", ""]
    refused(path, "absent or not unique: 'x'", columns=["x"])


def test_gzipped_text(tmp_path):
    path = write(tmp_path / "cases.csv.gz", gzip.compress(TEXT.encode("gb18030")))
    assert read(path).to_pylist() == ROWS
    refused(write(tmp_path / "cut.csv.gz", gzip.compress(TEXT.encode())[:-20]), "cut")
    refused(write(tmp_path / "not.csv.gz", f"{SECRET},b\n1,2\n"), "unreadable")


def test_types_do_not_depend_on_the_first_rows(tmp_path):
    numbers = "".join(f"{i:07d},{i}\n" for i in range(60_000))
    path = write(tmp_path / "c.csv", f"id,code\n{numbers}x,33.6x00\n")
    table = read(path, batch_rows=10_000)
    assert table.num_rows == 60_001
    assert table.column("id")[7].as_py() == "0000007"
    assert table.column("code")[-1].as_py() == "33.6x00"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_first_chinese_character_may_come_late(tmp_path, encoding):
    # 9 MB of ASCII: beyond the first blocks that are looked at.
    text = "a,b\n" + "0123456789,0123456\n" * 500_000 + "1,男\n"
    table = read(write(tmp_path / "c.csv", text, encoding))
    assert table.num_rows == 500_001
    assert table.column("b")[-1].as_py() == "男"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("shift", range(4))
def test_a_block_of_4_mib_may_end_within_a_character(tmp_path, encoding, shift):
    text = "a,b\n" + "y,z\n" * ((1 << 20) - 2) + "y" * (3 - shift) + ",男\n"
    table = read(write(tmp_path / "c.csv", text, encoding))
    assert table.column("b")[-1].as_py() == "男"
    assert table.num_rows == (1 << 20) - 1


def test_quotes_newlines_and_empty_rows(tmp_path):
    text = '\n"a","b ""c"""\n"x, y","line\nbreak"\n\n1,2\n'
    path = write(tmp_path / "c.csv", text)
    assert read(path).to_pylist() == [
        {"a": "x, y", 'b "c"': "line\nbreak"},
        {"a": "1", 'b "c"': "2"},
    ]
    closed = write(tmp_path / "d.csv", 'a,b\n1,"x\ny"\n')
    assert read(closed).column("b").to_pylist() == ["x\ny"]


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "\ufeffa,b\r\n"])
def test_a_text_file_without_cases(tmp_path, text):
    table = read(write(tmp_path / "c.csv", text))
    assert (table.num_rows, table.schema.names) == (0, ["a", "b"])


def test_empty_names_behind_the_last_column_do_no_harm(tmp_path):
    path = write(tmp_path / "c.csv", "a,b,,\n1,2,,\n")
    assert read(path).column("b").to_pylist() == ["2"]
    assert read(path, columns=["b"]).to_pylist() == [{"b": "2"}]


@pytest.mark.parametrize("extra", [f"4,{SECRET},6\n", f"{SECRET}\n"])
def test_ragged_rows_are_named_by_number(tmp_path, extra):
    refused(write(tmp_path / "c.csv", f'a,b\n"x\ny",2\n{extra}1,2\n'), r"row 3 has \d values")
    late = "a,b\n" + "1,2\n" * 2_000_000 + extra
    refused(write(tmp_path / "d.csv", late), "row 2000002 has")


def test_a_quote_that_is_never_closed_does_not_swallow_rows(tmp_path):
    text = f'a,b\n1,2\n3,"{SECRET}\n5,6\n7,8\n'
    refused(write(tmp_path / "c.csv", text), "quote in row 3 is never closed")
    refused(write(tmp_path / "c.csv", text), "quote in row 3", columns=["a"])
    refused(write(tmp_path / "c.csv", text), "quote in row 3", columns=["b", "a"])
    large = 'a,b\n1,"' + f"{SECRET},1\n" * 2_000_000
    refused(write(tmp_path / "d.csv", large), "rows at the start cannot be read")


def test_text_that_is_refused(tmp_path):
    refused(write(tmp_path / "a.csv", "a,b,a\n1,2,3\n"), "more than once: 'a'")
    nul = write(tmp_path / "c.csv", b"a,b\n1,2\n3,4\n5,6\n7,\0" + SECRET.encode())
    refused(nul, "line 5 holds a byte 0")
    refused(write(tmp_path / "d.csv", b"\xef\xbb\xbf\n \n"), "the file is empty")
    refused(write(tmp_path / "e.csv", b"a,b\n1,\xff\xff" + SECRET.encode()), "that are not GB18030")
    convincing = f"a,b\n1,{'男' * 9000}\n".encode() + b"2,3\n" * 2_000_000
    late = convincing + SECRET.encode() + b",\xff\n"
    refused(
        write(tmp_path / "f.csv", late), "row 2000003 of column 'b' holds bytes that are not UTF-8"
    )


@pytest.mark.parametrize("below", ["\n", " ", "\r\n\r\n", "\n\t \n", "\n" * (3 << 20), "\n\x1a"])
def test_blank_lines_below_the_names_alone_are_no_cases_and_end(below: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(f"sex,age_years\n{below}".encode())
    assert read_table(path).num_rows == 0


def test_text_that_is_none_in_a_column_that_is_only_kept(tmp_path):
    # Arrow reads it, and it would fail wherever somebody looks.
    ends = pa.py_buffer(np.array([0, 2], np.int32))
    words = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(b"a\xff")])
    codes = {name: [""] for name in ("principal_diagnosis", "other_diagnoses")}
    codes |= {name: [""] for name in ("principal_procedure", "other_procedures")}
    table = pa.table({**codes, "sex": [1], "age_years": [45], "case_id": words, "note": words})
    pq.write_table(table, tmp_path / "cases.parquet", use_dictionary=False)
    for columns in (["note"], ["case_id"], None):
        with pytest.raises(CaseSchemaError, match="parquet file is damaged"):
            group_file(tmp_path / "cases.parquet", tmp_path / "out.parquet", columns=columns)
        with pytest.raises(CaseSchemaError, match="parquet file is damaged"):
            read_table(tmp_path / "cases.parquet", columns=columns)
    assert [path.name for path in tmp_path.iterdir()] == ["cases.parquet"]
