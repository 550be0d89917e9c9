"""Codes become ids: exact texts, repaired texts, marks for nothing, translation."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore.cases import MISSING, UNKNOWN, CodeIndex
from tests.reference import plain_cases as plain

CODES = ["A00.000", "S82.100x011", "A18.000x047+M49.0*", "33.6x00", "b12", "B12", "xx"]

around = st.text(" \u3000\ufeff\u200b\u00a0\t\n", max_size=3)
written = st.one_of(
    st.none(),
    st.sampled_from(CODES),
    st.builds(
        lambda head, code, tail: head + code + tail,
        around,
        st.sampled_from([*CODES, "S82.100X011", "ｓ８２．１００ｘ０１１", "33.6X00", "a00.000"]),
        around,
    ),
    st.sampled_from(["", " ", "-", "--", "—", "——", "/", "无", "NA", "NULL", "nan", "None", "－"]),
    st.text(max_size=8),
    st.just("Z" * 200),
)
columns = st.lists(written, max_size=40)


def shapes(values: list[str | None]) -> dict[str, pa.Array | pa.ChunkedArray]:
    """One column in each of the Arrow forms in which it may arrive."""
    array = pa.array(values, pa.string())
    padded = pa.array(["A00.000", None, *values, "zz"], pa.string())
    half = len(values) // 2
    return {
        "string": array,
        "large": array.cast(pa.large_string()),
        "view": array.cast(pa.string_view()),
        "dictionary": array.dictionary_encode(),
        "null in dictionary": array.dictionary_encode(null_encoding="encode"),
        "slice": padded.slice(2, len(values)),
        "slice of dictionary": padded.dictionary_encode().slice(2, len(values)),
        "chunks": pa.chunked_array([array[:half], array[half:]], pa.string()),
        "chunks of dictionaries": pa.chunked_array(
            [array[:half].dictionary_encode(), array[half:].dictionary_encode()]
        ),
    }


@given(columns)
def test_every_form_of_a_column_gives_the_ids_of_the_plain_lookup(values):
    index = CodeIndex(CODES)
    expected = [plain.encode(value, CODES)[0] for value in values]
    for name, column in shapes(values).items():
        ids = index.encode(column)
        assert ids.dtype == np.int32
        assert ids.tolist() == expected, name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S82.100X011", 3),
        ("\ufeffＳ82.100ｘ011\u3000", 3),
        ("33.6X00", 5),
        ("b12", 6),
        ("B12", 7),
        ("A00.001", UNKNOWN),
        ("A00 .000", UNKNOWN),
        ("——", MISSING),
        (" 无 ", MISSING),
        ("Q" * 200, UNKNOWN),
    ],
)
def test_lookup(text, expected):
    assert CodeIndex(CODES).lookup(text) == expected


def test_codes_that_differ_in_case_only_are_not_guessed():
    assert CodeIndex(["b12", "B12", "c1"]).encode(pa.array(["Ｂ12", "C1"])).tolist() == [UNKNOWN, 4]


def test_repeated_and_unused_dictionary_values():
    column = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, None, 3], pa.int8()),
        pa.array(["A00.000", "A00.000", None, "junk", "never used"][:4]),
    )
    assert CodeIndex(CODES).encode(column).tolist() == [2, 2, MISSING, MISSING, UNKNOWN]


def test_dictionary_with_as_many_values_as_its_index_type_can_number():
    words = pa.array([f"w{i}" for i in range(127)] + ["A00.000"])
    indices = pa.array([127, None, *range(126)], pa.int8())
    ids = CodeIndex(CODES).encode(pa.DictionaryArray.from_arrays(indices, words))
    assert ids[:3].tolist() == [2, MISSING, UNKNOWN]


def test_few_rows_of_a_long_dictionary():
    column = pa.array([f"w{i}" for i in range(1000)] + ["A00.000"]).dictionary_encode()
    assert CodeIndex(CODES).encode(column.slice(999, 2)).tolist() == [UNKNOWN, 2]


def test_dictionaries_seen_before_in_whatever_order():
    index = CodeIndex(CODES)
    words = [[code, "?", f"w{i}"] for i in range(7) for code in CODES[: i % 3 + 1]]
    for turn in (words, words[::-1], words):
        for values in turn:
            column = pa.array(values).dictionary_encode()
            expected = [plain.encode(value, CODES)[0] for value in values]
            assert index.encode(column).tolist() == expected
            longer = pa.array([*values, None, "A00.000"]).dictionary_encode()
            assert index.encode(longer).tolist() == [*expected, MISSING, 2]


def test_polars_categories_hold_string_views():
    frame = pl.DataFrame({"c": ["A00.000", None, "b12", "b12"]}).cast({"c": pl.Categorical})
    column = pa.table(frame).column("c")
    assert CodeIndex(CODES).encode(column).tolist() == [2, MISSING, 6, 6]


def test_column_without_type_or_without_rows():
    index = CodeIndex(CODES)
    assert index.encode(pa.nulls(2)).tolist() == [MISSING, MISSING]
    assert index.encode(pa.array([], pa.string())).tolist() == []
    assert index.encode(pa.chunked_array([], pa.string())).tolist() == []


def test_bytes_that_are_not_utf8_are_an_unknown_code():
    offsets = pa.py_buffer(np.array([0, 2, 9], np.int32))
    bad = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xfeA00.000")])
    assert CodeIndex(CODES).encode(bad).tolist() == [UNKNOWN, 2]


def test_numbers_are_refused():
    with pytest.raises(TypeError, match="text is needed, not double"):
        CodeIndex(CODES).encode(pa.array([45.13]))


def test_decode_gives_the_codes_back():
    index = CodeIndex(CODES)
    assert index.decode(index.encode(pa.array(CODES))).to_pylist() == CODES
    assert index.decode(np.array([MISSING, UNKNOWN, 2])).to_pylist() == [None, None, "A00.000"]
    assert len(index) == len(CODES) + 2
    for wrong in (-1, len(index)):
        with pytest.raises(IndexError):
            index.decode([wrong])


@pytest.mark.parametrize("codes", [["a", "a"], ["a", None], ["a", " "], ["无"]])
def test_a_list_of_codes_must_be_one(codes):
    with pytest.raises(ValueError, match="a list of codes"):
        CodeIndex(codes)


CLINICAL = {"A00.000": "B12", "K01": "33.6x00", "k02": "gone", "xx": "xx", "K3": "b12", "k3": "B12"}


@given(st.lists(st.one_of(written, st.sampled_from([*CLINICAL, "a00.000", "k01", "Ｋ3"]))))
def test_translation_and_its_counts(values):
    index = CodeIndex(CODES, translate=CLINICAL)
    expected = [plain.encode(value, CODES, CLINICAL) for value in values]
    for repeat, column in enumerate(shapes(values).values(), start=1):
        assert index.encode(column).tolist() == [i for i, _ in expected]
        assert index.translation_count.changed == repeat * sum(c for _, c in expected)
        assert index.translation_count.unknown == repeat * sum(i == UNKNOWN for i, _ in expected)


def test_nothing_is_translated_unasked():
    assert CodeIndex(CODES).translation_count is None
    assert CodeIndex(CODES).lookup("K01") == UNKNOWN


def test_lookup_is_not_counted():
    index = CodeIndex(CODES, translate=CLINICAL)
    assert index.lookup("k01") == 5
    assert index.translation_count.changed == 0


def test_counts_from_several_threads_add_up_after_pickling():
    index = pickle.loads(pickle.dumps(CodeIndex(CODES, translate=CLINICAL)))
    column = pa.array(["K01", "?"] * 50)
    threads = [threading.Thread(target=index.encode, args=(column,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (index.translation_count.changed, index.translation_count.unknown) == (800, 800)
