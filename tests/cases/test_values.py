"""Sex, ages and weights from every type a file may hold."""

from __future__ import annotations

import warnings
from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drgcore.cases import (
    parse_age_days,
    parse_age_years,
    parse_icu_hours,
    parse_leaving_way,
    parse_length_of_stay,
    parse_newborn_weight,
    parse_sex,
)
from drgcore.cases.local_values import parse_birth_weight, parse_tcm_share, parse_yes_no
from tests.reference import plain_cases as plain

READERS = [
    (parse_sex, plain.sex, np.int8),
    (parse_age_years, plain.age_years, np.int32),
    (parse_age_days, plain.age_days, np.int32),
    (parse_newborn_weight, plain.newborn_weight, np.int32),
    (parse_length_of_stay, plain.length_of_stay, np.int32),
    (parse_leaving_way, plain.leaving_way, np.int32),
    (parse_icu_hours, plain.icu_hours, np.int32),
    (parse_tcm_share, plain.tcm_share, np.float64),
    (parse_birth_weight, plain.newborn_weight, np.int32),
    (parse_yes_no, plain.yes_no, np.int32),
]

UNITS = [
    "个月",
    "周岁",
    "日",
    "小时",
    "个小时",
    "天龄",
    "月龄",
    "年3日",
    "岁零5天",
    "月 零5天",
    "/30",
    "kg",
    "公斤",
    "岁5月",
    "天12小时",
    "月40天",
    ",200",
]
INFANTS = ["2 15/30", "12 15/30", "15/30", "2又15/30", "1月", "0月28天", "1月1天", "3.25 kg"]

texts = st.one_of(
    st.none(),
    st.builds(
        lambda head, number, tail: head + number + tail,
        st.sampled_from(["", " ", "\u3000", "+", "-", "\ufeff", "0", "'"]),
        st.one_of(
            st.integers(-5, 70_000).map(str),
            st.floats(-5, 30_000).map(str),
            st.integers(0, 10**30).map(str),
            st.sampled_from(["６５", "1e300", "1e400", "9" * 300, "5.", ".5", "1e2", "0" * 40]),
        ),
        st.sampled_from(
            [
                "",
                " ",
                "岁",
                "天",
                "克",
                "g",
                " G",
                "ｇ",
                " 岁 ",
                "月",
                "岁岁",
                "%",
                " ％",
                "%%",
                *UNITS,
            ]
        ),
    ),
    st.sampled_from(["", "-", "——", "无", "NaN", "null", "inf", "岁", "g", "1.0", "9", "2.00"]),
    st.sampled_from(
        [
            "男",
            "女",
            " 男性",
            "女性",
            "M",
            "f",
            "Ｍａｌｅ",
            "FEMALE",
            "未知",
            "未说明的性别",
            "1-男",
            "2女",
            "1女",
            *INFANTS,
        ]
    ),
    st.sampled_from(
        ["是", "否", "有", "Y", " n", "Ｔrue", "false", "√", "×", "0.6", "57.3%", "1e0%"]
    ),
    st.text(max_size=5),
)


@given(st.lists(texts, max_size=30))
@example(["0.5,200", "1,200"])
@example(["5个小时", "1年3日", "/３0", "3岁整", "9000小时", "2月龄", "3天龄", "3岁5月 零2天"])
@example(["%", "-%", "无％", "nan%", "/%", "1\x0b%", "1\u2003%", "%%"])
def test_text_is_read_as_the_plain_reader_reads_it(values):
    array = pa.array(values, pa.string())
    sliced = pa.array(["1", *values, "x"], pa.string()).slice(1, len(values))
    forms = [
        array,
        sliced,
        sliced.dictionary_encode(),
        array.dictionary_encode(null_encoding="encode"),
        array.cast(pa.string_view()),
        array.cast(pa.large_string()),
        pa.chunked_array([array[:3], array[3:]], pa.string()),
    ]
    for read, plain_read, kind in READERS:
        expected = [plain_read(value) for value in values]
        for form in forms:
            result = read(form)
            assert result.dtype == kind
            assert result.tolist() == expected, (read.__name__, form.type)


@given(
    st.lists(st.one_of(st.none(), st.floats(), st.floats(-2, 12), st.integers(-3, 10).map(float)))
)
def test_floating_columns(values):
    for read, plain_read, _ in READERS:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = read(pa.array(values, pa.float64()))
        assert result.tolist() == [plain_read(value) for value in values]


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-3, 200))))
def test_integer_columns(values):
    array = pa.array(values, pa.int64())
    for read, plain_read, _ in READERS:
        expected = [plain_read(value) for value in values]
        assert read(array).tolist() == expected
        assert read(array.dictionary_encode()).tolist() == expected


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([2**64 - 1, 30], pa.uint64()), [-2, 30]),
        (pa.array(np.array([1.5, np.inf], np.float16)), [1, -2]),
        (pa.array([Decimal("1.90"), None]), [1, -1]),
        (pa.array([10**50], pa.decimal256(60)), [-2]),
        (pa.nulls(2), [-1, -1]),
        (pa.array([], pa.int8()), []),
        (pa.chunked_array([], pa.string()), []),
        (pa.chunked_array([[7], [None]], pa.int8()), [7, -1]),
        (pa.array([10**9, 150, 151], pa.int32()), [-2, 150, -2]),
    ],
)
def test_rarer_types_of_age(array, expected):
    assert parse_age_years(array).tolist() == expected


def test_limits_of_days_and_weights():
    assert parse_age_days(pa.array([0, 60_000, 60_001, -1])).tolist() == [0, 60_000, -2, -2]
    weights = parse_newborn_weight(pa.array([0, 3.2, 99, 100, 20_000, 20_001, None]))
    assert weights.tolist() == [-1, -2, -2, 100, 20_000, -2, -1]


def test_limits_of_the_local_numbers():
    stays = parse_length_of_stay(pa.array([0, 36_500, 36_501, -1, None, 2.9]))
    assert stays.tolist() == [0, 36_500, -2, -2, -1, 2]
    ways = parse_leaving_way(pa.array([0, 1, 9, 10, None, 2.5, 2.0]))
    assert ways.tolist() == [-2, 1, 9, -2, -1, -2, 2]
    hours = parse_icu_hours(pa.array([0, 200_000, 200_001, -1, None, 0.5]))
    assert hours.tolist() == [0, 200_000, -2, -2, -1, 0]


def test_shares_and_answers():
    shares = parse_tcm_share(pa.array([0, 1, 0.6, 1.01, -0.01, None]))
    assert shares.tolist() == [0, 1, 0.6, -2, -2, -1]
    # What is written in percent is the decimal of a rule, to the last bit.
    percents = pa.array([f"{n / 10}%" for n in range(1001)])
    assert parse_tcm_share(percents).tolist() == [float(f"{n}e-3") for n in range(1001)]
    assert parse_yes_no(pa.array([True, None, False])).tolist() == [1, -1, 0]
    assert parse_yes_no(pa.chunked_array([[True], [False]])).tolist() == [1, 0]
    assert parse_yes_no(pa.array([0, 1, 2, 0.5])).tolist() == [0, 1, -2, -2]
    with pytest.raises(TypeError):
        parse_tcm_share(pa.array([True]))


def test_a_unit_belongs_to_its_own_column():
    twelve_days = pa.array(["12天"])
    assert parse_age_days(twelve_days).tolist() == [12]
    # Whoever is twelve days old has completed no year; who is 400 days old, who knows.
    assert parse_age_years(pa.array(["12天", "400天"])).tolist() == [0, -2]
    assert parse_newborn_weight(twelve_days).tolist() == [-2]
    assert parse_length_of_stay(twelve_days).tolist() == [12]
    assert parse_leaving_way(pa.array(["1天"])).tolist() == [-2]
    assert parse_icu_hours(twelve_days).tolist() == [-2]


def test_polars_categories():
    frame = pl.DataFrame({"c": ["男", "女", None, "男"]}).cast({"c": pl.Categorical})
    assert parse_sex(pa.table(frame).column("c")).tolist() == [1, 2, 0, 1]


@pytest.mark.parametrize("array", [pa.array([True]), pa.array([[1]]), pa.array([b"1"])])
def test_other_types_are_refused(array):
    for read, _, _ in READERS:
        if read is parse_yes_no and array.type == pa.bool_():
            continue
        with pytest.raises(TypeError, match="numbers or text"):
            read(array)
