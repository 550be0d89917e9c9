"""Splits to the fen."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore.budget.allocate import (
    allocate,
    decimal_text,
    fen,
    round_to_total,
    split_share,
    yuan,
)
from drgcore.budget.month import Month
from drgcore.errors import BudgetError

AMOUNTS = st.integers(-(10**14), 10**14)
WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=40).filter(any)


@given(st.integers(0, 10**14), st.fractions(0, 1, max_denominator=10**4))
def test_a_share_and_the_rest_as_two_weights(amount: int, share: Fraction) -> None:
    assert list(split_share(amount, share)) == allocate(amount, [share, 1 - share])


@given(st.lists(st.fractions(-9, 9, max_denominator=7), min_size=1, max_size=9), st.data())
def test_rounded_as_exact_remainders_say(quotas: list[Fraction], data: st.DataObject) -> None:
    floors = [quota.__floor__() for quota in quotas]
    total = sum(floors) + data.draw(st.integers(0, len(quotas)))
    ranking = sorted(range(len(quotas)), key=lambda i: (floors[i] - quotas[i], -i))
    expected = [part + (i in ranking[: total - sum(floors)]) for i, part in enumerate(floors)]
    of = lcm(*(quota.denominator for quota in quotas))
    scaled = [int(quota * of) for quota in quotas]
    assert round_to_total(scaled, of, total, [-i for i in range(len(quotas))]) == expected


@given(AMOUNTS, WEIGHTS)
def test_parts_add_up_and_are_within_a_fen_of_their_quota(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, total)) < 1
        assert weight or not part


@given(AMOUNTS, WEIGHTS, st.randoms())
def test_with_keys_the_order_of_parts_has_no_influence(
    amount: int, weights: list[int], draw: object
) -> None:
    keys = [f"H{i}" for i in range(len(weights))]
    there = dict(zip(keys, allocate(amount, weights, keys), strict=True))
    pairs = list(zip(keys, weights, strict=True))
    draw.shuffle(pairs)  # type: ignore[attr-defined]
    mixed = [k for k, _ in pairs]
    assert dict(zip(mixed, allocate(amount, [w for _, w in pairs], mixed), strict=True)) == there


@given(AMOUNTS, WEIGHTS)
def test_a_recovery_takes_what_the_payment_gave(amount: int, weights: list[int]) -> None:
    assert allocate(-amount, weights) == [-part for part in allocate(amount, weights)]


@given(
    st.integers(0, 10**12),
    st.lists(st.integers(-1000, 1000), min_size=1).filter(lambda w: sum(w) > 0),
)
def test_signed_weights_add_up_too(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights, signed=True)
    assert sum(parts) == amount
    exact = [amount * weight for weight in weights]
    assert round_to_total(exact, sum(weights), amount, range(len(weights))) == parts


def test_weights_may_be_any_exact_numbers() -> None:
    third = [Fraction(1, 3), Decimal("0.5"), np.int64(1)]
    assert allocate(11, third) == [2, 3, 6]


def test_many_parts() -> None:
    parts = allocate(10**9, range(1, 100_001))
    assert sum(parts) == 10**9


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0, 0], "weights add up to 0"),
        ([], "0 weights"),
        ([1, -1, 5], "negative weight"),
        ([0.5, 0.5], "not exact"),
    ],
)
def test_what_cannot_be_split(weights: list[object], message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        allocate(5, weights)


def test_equal_keys_would_leave_ties_to_chance() -> None:
    with pytest.raises(BudgetError, match="occurs twice"):
        allocate(5, [1, 1], ["a", "a"])
    with pytest.raises(BudgetError, match="2 parts need 2 keys"):
        allocate(5, [1, 1], ["a"])


@given(st.integers(-(10**15), 10**15))
def test_yuan_and_fen_are_inverse(amount: int) -> None:
    assert fen(yuan(amount).replace(",", "")) == amount


@pytest.mark.parametrize("wrong", ["1.005", "NaN", "Infinity", "ten", 0.1])
def test_no_part_of_a_fen(wrong: object) -> None:
    with pytest.raises(BudgetError):
        fen(wrong)  # type: ignore[arg-type]


def test_decimals_are_rounded_from_the_fraction() -> None:
    assert decimal_text(Fraction(5, 1000), 2) == "0.01"
    assert decimal_text(Fraction(-5, 1000), 2) == "-0.01"
    assert decimal_text(Fraction(-1, 1000), 2) == "0.00"
    assert decimal_text(Fraction(7), 0) == "7"


def test_a_month_is_no_string() -> None:
    with pytest.raises(TypeError):
        assert Month(2026, 1) < "2026-02"  # type: ignore[operator]
    assert Month(2026, 12).next == Month(2027, 1)
    assert Month(2027, 1).previous == Month(2026, 12)
    assert str(Month(2026, 2).last_day) == "2026-02-28"


@pytest.mark.parametrize("wrong", ["2026-1", "2026-13", "2026-00", "2026-01-31", "26-01", ""])
def test_what_is_not_a_month(wrong: str) -> None:
    with pytest.raises(BudgetError):
        Month.parse(wrong)
