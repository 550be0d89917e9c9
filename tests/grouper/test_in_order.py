"""Work in order on threads, with the items taken in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from drgcore.grouper.batch import in_order
from drgcore.language import get_language, use_language


def test_results_come_in_the_order_of_the_items() -> None:
    done = list(in_order(lambda n: n * n, iter(range(50)), 3))
    assert done == [(n, n * n) for n in range(50)]
    assert list(in_order(len, [], 2)) == []


def test_items_are_taken_in_one_other_thread() -> None:
    taken: list[threading.Thread] = []

    def items() -> Iterator[int]:
        for number in range(5):
            taken.append(threading.current_thread())
            yield number

    assert [n for n, _ in in_order(str, items(), 2)] == list(range(5))
    assert len(set(taken)) == 1
    assert taken[0] is not threading.current_thread()


def test_few_items_are_taken_in_advance() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = in_order(str, items(), 2)
    next(results)
    results.close()
    assert len(taken) <= 5


def test_what_goes_wrong_while_reading_or_working_comes_out() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the file ends")

    found = in_order(str, items(), 2)
    with pytest.raises(ValueError, match="the file ends"):
        list(found)
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda n: 1 // n, [1, 0, 2], 2))


def test_threads_speak_the_language_of_the_caller() -> None:
    with use_language("zh"):
        assert [said for _, said in in_order(lambda n: get_language(), [1, 2], 2)] == ["zh"] * 2
