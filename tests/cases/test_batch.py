"""Batches become the kernel's arrays, the same ones from every shape of the same cases."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore.cases import CaseMapping, CodeIndex, encode_cases
from drgcore.errors import CaseSchemaError
from tests.reference import plain_cases as plain

DIAGNOSES = ["A00.000", "A01.000", "S82.100x011", "A18.000x047+M49.0*"]
PROCEDURES = ["33.6x00", "00.0100"]
CANONICAL = CaseMapping.preset("canonical")

LISTED = [
    "A00.000,S82.100X011",
    '["A00.000", "A01.000"]',
    "A00.000 霍乱",
    "A00.000， A99.9",
    "A00/?",
]
diagnosis = st.sampled_from(
    [
        *DIAGNOSES,
        "s82.100X011",
        "?",
        "Z" * 200,
        None,
        "",
        " ",
        "无",
        "A00.000,S82.100X011",
        '["A00.000", "A01.000"]',
        "A00.000 霍乱",
        "A00.000， A99.9",
        "A00/?",
    ]
)
procedure = st.sampled_from(
    [*PROCEDURES, "33.6X00", "x", None, "-", "33.6x00、 00.0100", "['33.6x00']", '="00.0100"']
)
case = st.fixed_dictionaries(
    {
        "principal_diagnosis": diagnosis,
        "other_diagnoses": st.none() | st.lists(diagnosis, max_size=6),
        "principal_procedure": procedure,
        "other_procedures": st.none() | st.lists(procedure, max_size=3),
        "sex": st.sampled_from(["1", "2", "男", None, "9", "x"]),
        "age_years": st.sampled_from(["0", "65", "65岁", "-1", None, "1e300", "5月", "12天", "-"]),
        "age_days": st.sampled_from(["12", "12天", None, "70000", "0天12小时", "400"]),
        "newborn_weight_g": st.sampled_from(["3200", "3200g", "0", None, "3.2kg"]),
    }
)
tables = st.lists(case, max_size=25)


def encode(table, mapping=CANONICAL):
    return encode_cases(
        table, mapping.resolve(table.schema), CodeIndex(DIAGNOSES), CodeIndex(PROCEDURES)
    )


def text_table(rows):
    kinds = {name: pa.string() for name in CANONICAL.resolve(SCHEMA).columns()}
    kinds["other_diagnoses"] = kinds["other_procedures"] = pa.list_(pa.string())
    return pa.Table.from_pylist(rows, pa.schema(kinds))


SCHEMA = pa.schema(
    {
        "principal_diagnosis": pa.string(),
        "other_diagnoses": pa.list_(pa.string()),
        "principal_procedure": pa.string(),
        "other_procedures": pa.list_(pa.string()),
        "sex": pa.int8(),
        "age_years": pa.int32(),
        "age_days": pa.int32(),
        "newborn_weight_g": pa.int32(),
    }
)


def replaced(table, **columns):
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def joined(rows, name, separator):
    return pa.array(
        [None if row[name] is None else separator.join(c or "" for c in row[name]) for row in rows],
        pa.string(),
    )


def numbered(table, rows, name, prefix, width, kind):
    table = table.drop_columns([name])
    for place in range(width):
        values = [row[name][place] if len(row[name] or ()) > place else None for row in rows]
        column = pa.array(values, pa.string())
        if kind == "dictionary":
            column = column.dictionary_encode()
        elif column.null_count == len(column):
            column = pa.nulls(len(rows))
        table = table.append_column(f"{prefix}_{place + 1}", column)
    return table


def assert_is(arrays, rows):
    assert len(arrays) == len(rows)
    expected = {
        "sex": [plain.sex(r["sex"]) for r in rows],
        "age_years": [plain.ages(r["age_years"], r["age_days"])[0] for r in rows],
        "age_days": [plain.ages(r["age_years"], r["age_days"])[1] for r in rows],
        "newborn_weight_g": [plain.newborn_weight(r["newborn_weight_g"]) for r in rows],
    }
    for name, values in expected.items():
        assert getattr(arrays, name).tolist() == values, name
    for principals, offsets, ids, principal, name, codes in (
        (*arrays.arrays()[:3], "principal_diagnosis", "other_diagnoses", DIAGNOSES),
        (*arrays.arrays()[3:6], "principal_procedure", "other_procedures", PROCEDURES),
    ):
        parts = [ids[a:b].tolist() for a, b in pairwise(offsets)]
        right = [plain.codes_of_case(row[principal], row[name], codes) for row in rows]
        assert principals.tolist() == [first for first, _ in right]
        assert parts == [others for _, others in right], name
        assert offsets[0] == 0
        assert offsets[-1] == len(ids)
    assert not arrays.local
    # In the order of the attributes, `local` left out.
    names = [field.name for field in dataclasses.fields(arrays)][:-3]
    for name, array in zip(names, arrays.arrays(), strict=True):
        assert array is getattr(arrays, name)
        assert array.flags.c_contiguous
        kind = np.int64 if name.endswith("offsets") else np.int32
        assert array.dtype == (np.int8 if name == "sex" else kind)


@given(tables)
def test_lists(rows):
    table = text_table(rows)
    assert_is(encode(table), rows)
    lists = table.column("other_diagnoses").combine_chunks()
    for kind in (
        pa.large_list(pa.large_string()),
        pa.list_view(pa.string()),
        pa.large_list_view(pa.string_view()),
        pa.list_(pa.string_view()),
        pa.list_(pa.dictionary(pa.int8(), pa.string())),
    ):
        column = pa.array(lists.to_pylist(), kind)
        assert_is(encode(replaced(table, other_diagnoses=column)), rows)


@given(tables, st.sampled_from(["|", ";", "||"]))
def test_joined_strings(rows, separator):
    mapping = dataclasses.replace(CANONICAL, separator=separator)
    for kind in (pa.string(), pa.large_string(), pa.string_view(), "dictionary"):
        table = text_table(rows)
        for name in ("other_diagnoses", "other_procedures"):
            column = joined(rows, name, separator)
            column = column.dictionary_encode() if kind == "dictionary" else column.cast(kind)
            table = replaced(table, **{name: column})
        assert_is(encode(table, mapping), rows)


@given(tables, st.sampled_from(["string", "dictionary"]))
def test_numbered_columns(rows, kind):
    table = text_table(rows)
    table = numbered(table, rows, "other_diagnoses", "other_diagnosis", 6, kind)
    table = numbered(table, rows, "other_procedures", "other_procedure", 3, kind)
    assert_is(encode(table), rows)


@given(tables, st.integers(0, 25), st.integers(0, 25))
def test_slices_and_chunks(rows, start, length):
    table = text_table(rows)
    part = rows[start : start + length]
    assert_is(encode(table.slice(start, length)), part)
    for batch in table.combine_chunks().slice(start, length).to_batches():
        assert_is(encode(batch), part)
    twice = pa.concat_tables([table.slice(start, length), table])
    assert_is(encode(twice), part + rows)
    wide = numbered(table, rows, "other_diagnoses", "other_diagnosis", 6, "dictionary")
    assert_is(encode(pa.concat_tables([wide.slice(start, length), wide])), part + rows)


def one_case(**values):
    row = dict.fromkeys(SCHEMA.names) | {"principal_diagnosis": "A00.000"}
    return row | values


def test_fixed_size_lists_and_null_lists_over_codes():
    rows = [one_case(other_diagnoses=d) for d in (["A00.000", "?"], None, ["", "A01.000"])]
    fixed = pa.array([r["other_diagnoses"] for r in rows], pa.list_(pa.string(), 2))
    assert_is(encode(replaced(text_table(rows), other_diagnoses=fixed)), rows)
    # A null list may still span values of its child; they are not the case's.
    spanning = pa.ListArray.from_arrays(
        pa.array([0, 2, 4, 6]),
        pa.array(["A00.000", "?", "A01.000", "A01.000", "", "A01.000"]),
        mask=pa.array([False, True, False]),
    )
    assert_is(encode(replaced(text_table(rows), other_diagnoses=spanning)), rows)


def test_five_hundred_diagnoses_with_repeats():
    rows = [one_case(other_diagnoses=DIAGNOSES * 125), one_case(other_diagnoses=["A00.000"])]
    table = text_table(rows)
    assert_is(encode(table), rows)
    wide = numbered(table, rows, "other_diagnoses", "other_diagnosis", 500, "string")
    assert_is(encode(wide), rows)
    long = replaced(table, other_diagnoses=joined(rows, "other_diagnoses", "|"))
    assert_is(encode(long), rows)


def test_columns_that_the_data_do_not_have():
    rows = [one_case(sex="1", age_years="0")]
    mapping = dataclasses.replace(
        CANONICAL, other_diagnoses=None, other_procedures=None, principal_procedure=None
    )
    table = text_table(rows).select(["principal_diagnosis", "sex", "age_years"])
    assert_is(encode(table, mapping), rows)


def test_empty_floating_columns_are_empty_and_others_are_refused():
    rows = [one_case(), one_case()]
    empty = pa.array([None, float("nan")])
    wide = numbered(text_table(rows), rows, "other_diagnoses", "other_diagnosis", 2, "string")
    table = replaced(
        wide, other_diagnosis_2=empty, principal_procedure=empty, other_procedures=empty
    )
    assert_is(encode(table), rows)
    with pytest.raises(CaseSchemaError, match="'other_diagnosis_2' is double and holds numbers"):
        encode(replaced(wide, other_diagnosis_2=pa.array([None, 45.13])))


def test_columns_of_several_types_side_by_side():
    rows = [one_case(other_diagnoses=["A00.000", "A01.000", "?"]), one_case(other_diagnoses=[])]
    wide = numbered(text_table(rows), rows, "other_diagnoses", "other_diagnosis", 3, "string")
    second = wide.column("other_diagnosis_2").combine_chunks()
    table = replaced(
        wide,
        other_diagnosis_2=second.cast(pa.large_string()).dictionary_encode(),
        other_diagnosis_3=wide.column("other_diagnosis_3").cast(pa.string_view()),
    )
    assert_is(encode(table), rows)


def test_polars_lists_of_categories():
    rows = [
        one_case(other_diagnoses=["A01.000", None, "?"], other_procedures=None, sex="1"),
        one_case(other_diagnoses=None, other_procedures=["33.6X00"], sex="2"),
    ]
    frame = pl.from_arrow(text_table(rows)).cast(
        {
            "principal_diagnosis": pl.Categorical,
            "other_diagnoses": pl.List(pl.Categorical),
            "sex": pl.Enum(["1", "2"]),
        }
    )
    assert_is(encode(pa.table(frame)), rows)


def test_a_batch_without_a_mapped_column_is_refused():
    table = text_table([one_case()])
    with pytest.raises(CaseSchemaError, match="lacks columns of its mapping: 'sex'"):
        encode_cases(
            table.drop_columns(["sex"]),
            CANONICAL.resolve(table.schema),
            CodeIndex(DIAGNOSES),
            CodeIndex(PROCEDURES),
        )


@given(tables, st.lists(st.integers(0, 24), max_size=40), st.integers(1, 10))
def test_cases_are_taken_and_joined_as_their_rows_are(rows, places, size) -> None:
    table = text_table(rows)
    whole = encode(table)
    chosen = [place for place in places if place < len(rows)]
    taken = whole.take(np.array(chosen, dtype=np.int64))
    expected = encode(text_table([rows[place] for place in chosen]))
    starts = range(0, max(1, len(rows)), size)
    joined = type(whole).joined([encode(table.slice(start, size)) for start in starts])
    for left, right in ((taken, expected), (joined, whole)):
        for one, other in zip(left.arrays(), right.arrays(), strict=True):
            assert one.dtype == other.dtype
            assert one.tolist() == other.tolist()
