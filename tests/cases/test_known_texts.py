"""Words looked up in the compiled table are those that a dictionary finds, whatever they are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore.cases.hashes import begin_and_end_in
from drgcore.cases.known_texts import KnownTexts
from drgcore.cases.text_lookup import LONGEST

# Pieces that lie on the borders of the three numbers of a word, and look alike at one end.
PIECES = st.sampled_from(["A00.000", "A", "\0", "x001", "12345678", "123456789abcdef", "无", ""])
TEXTS = st.lists(PIECES, max_size=5).map("".join) | st.text(max_size=30)


def by_dictionary(slots, words):
    return [slots.get(word, 1) for word in words]


@given(
    st.lists(TEXTS, unique=True, max_size=30),
    st.lists(TEXTS | st.none(), max_size=30),
    st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]),
    st.integers(0, 40),
)
def test_as_a_dictionary_finds_them(known, others, kind, left_out):
    slots = {text: 2 + number for number, text in enumerate(known)}
    # Enough that they are not looked up one by one.
    words = (known + others) * 300
    expected = by_dictionary(slots, words)[left_out:]
    found = KnownTexts(slots, 1).find(pa.array(words, kind)[left_out:])
    assert found.tolist() == expected


@pytest.mark.parametrize("shift", range(9))
def test_bytes_at_any_place_of_the_memory(shift):
    texts = [f"{'x' * (n % (LONGEST + 3))}{n}" for n in range(400)]
    raw = "".join(texts).encode()
    memory = pa.py_buffer(bytes(shift) + raw).slice(shift)
    ends = np.cumsum([0, *(len(text) for text in texts)]).astype(np.int32)
    words = pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(ends), memory])
    slots = {text: number for number, text in enumerate(texts) if number % 3}
    found = KnownTexts(slots, -7).find(words)
    assert found.tolist() == [slots.get(text, -7) for text in texts]


def test_chunks_of_which_some_are_empty():
    chunks = [pa.array(["a"] * 300), pa.array([], pa.string()), pa.array(["b", None] * 200)]
    found = KnownTexts({"a": 5}, 1).find(pa.chunked_array(chunks))
    assert found.tolist() == [5] * 300 + [1] * 400


def test_bytes_that_are_no_text_are_no_code():
    raw = [b"A00.000", b"A00.00\xff", b"\xff" * 30] * 200
    words = pa.array(raw, pa.binary()).view(pa.string())
    assert KnownTexts({"A00.000": 2}, 1).find(words).tolist() == [2, 1, 1] * 200


def test_no_known_texts():
    assert KnownTexts({}, 1).find(pa.array(["", "a"] * 300)).tolist() == [1] * 600


@given(st.lists(st.text(max_size=4), max_size=9), st.integers(0, 3))
def test_ends_of_texts(texts, left_out):
    allowed = np.zeros(256, np.bool_)
    allowed[0x21:0x7F] = True
    raw = [text.encode() for text in texts][left_out:]
    expected = all(allowed[text[0]] and allowed[text[-1]] for text in raw if text)
    assert begin_and_end_in(pa.array(texts, pa.string())[left_out:], allowed) is expected
