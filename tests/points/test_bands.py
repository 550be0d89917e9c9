from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from drgcore.points import Bands

read = TypeAdapter(Bands).validate_python
THREE = [{"up_to": 100, "value": 3}, {"up_to": 200, "value": 2.5}, {"value": 2}]


def test_a_limit_belongs_to_the_band_below() -> None:
    assert read(THREE).apply([0, 100, np.nextafter(100, 101), 200, 200.1]).tolist() == [
        3, 3, 2.5, 2.5, 2
    ]  # fmt: skip
    assert np.isnan(read(THREE).apply([np.nan])[0])
    assert read(0.4).apply([1, 1e9]).tolist() == [0.4, 0.4]
    assert str(read(THREE)) == "3 up to 100, 2.5 up to 200, 2 above"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"up_to": 200, "value": 3}, {"up_to": 100, "value": 2}, {"value": 1}], "overlap"),
        ([{"up_to": 100, "value": 3}, {"up_to": 100, "value": 2}, {"value": 1}], "overlap"),
        ([{"up_to": 100, "value": 3}, {"above": 90, "value": 2}], "overlap"),
        ([{"up_to": 100, "value": 3}, {"above": 110, "value": 2}], "leave a gap"),
        ([{"value": 3}, {"value": 2}], "overlap"),
        ([{"up_to": 100, "value": 3}], "last band must have no up_to"),
        ([{"up_to": 100}, {"value": 2}], "band 1 has no value"),
        ([{"upto": 100, "value": 3}, {"value": 2}], "unknown key upto"),
        ([{"up_to": "inf", "value": 3}, {"value": 2}], "finite"),
        ([{"value": float("nan")}], "finite"),
        ([], "at least|limits need|values"),
    ],
)
def test_bands_that_are_none(rows: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        read(rows)


@given(
    limits=st.lists(st.integers(-50, 50), unique=True, max_size=5).map(sorted),
    numbers=st.lists(st.floats(-60, 60), max_size=20),
)
def test_equals_looking_for_the_first_limit_not_below(
    limits: list[int], numbers: list[float]
) -> None:
    bands = Bands(limits=tuple(limits), values=tuple(range(len(limits) + 1)))
    plain = [next((i for i, x in enumerate(limits) if n <= x), len(limits)) for n in numbers]
    assert bands.apply(numbers).tolist() == plain
