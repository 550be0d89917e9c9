"""Codes are found by what one types; the fast search is the plain one."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.errors import SchemeError
from drgcore.schemes import about_dictionaries, load_dictionary, load_scheme, search_codes
from drgcore.schemes.code_search import INITIALS_SCHEMA, folded
from drgcore.schemes.store import CodeKind, read_table, tables_folder


@cache
def _rows(kind: CodeKind) -> list[tuple[str, str, str]]:
    initials = read_table(tables_folder() / "icd", f"{kind}_initials", INITIALS_SCHEMA)
    table = load_dictionary(kind)
    columns = (table["code"], table["name"], initials["initials"])
    return list(zip(*(c.to_pylist() for c in columns), strict=True))


def _plainly(text: str, kind: CodeKind, limit: int) -> list[str]:
    """One code after the other, one word after the other."""
    found = []
    for code, name, initials in _rows(kind):
        key, plain, total = code.lower().replace(".", ""), folded(name).replace(" ", ""), 0
        for word in folded(text).split():
            bare = word.replace(".", "")
            ways = [
                (0, word.isascii() and key == bare),
                (1, word.isascii() and bare != "" and key.startswith(bare)),
                (2, plain == word),
                (3, plain.startswith(word)),
                (4, word.isascii() and word.isalnum() and initials.startswith(word)),
                (5, word in plain),
                (6, word.isascii() and word.isalnum() and word in initials),
            ]
            total += next((rank for rank, holds in ways if holds), 99)
        if total < 99:
            found.append((total, len(plain), code))
    return [code for _, _, code in sorted(found)[:limit]]


_WORDS = st.sampled_from(
    ["i21", "I21.9", "jxxjgs", "急性", "心肌", "骨折", "gz", "47.0", "x0", ".", "Ｉ10", "术", "zz"]
)


@settings(max_examples=15, deadline=None)
@given(st.lists(_WORDS, min_size=1, max_size=3), st.sampled_from(["diagnoses", "procedures"]))
def test_the_search_is_the_plain_one(words: list[str], kind: CodeKind) -> None:
    text = " ".join(words)
    found = [hit.code for hit in search_codes(text, kind=kind, limit=30)]
    assert found == _plainly(text, kind, 30)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("I21.900", "I21.900"),
        ("i21900", "I21.900"),
        ("急性心肌梗死", "I21.900"),
        ("lwqc", "47.0901"),
        ("阑尾切除术", "47.0901"),
        ("A18.000x047+M49.0*", "A18.000x047+M49.0*"),
    ],
)
def test_what_comes_first(text: str, first: str) -> None:
    kind: CodeKind = "procedures" if first[0].isdigit() else "diagnoses"
    assert first in [hit.code for hit in search_codes(text, kind=kind, limit=3)]


def test_headings_are_marked() -> None:
    found = search_codes("47.0900")[0]
    assert found.gray
    assert not search_codes("47.0901")[0].gray


def test_nothing_is_found_for_nothing() -> None:
    assert search_codes("") == search_codes(" \u3000") == search_codes("没有这样的病名") == ()


def test_what_is_refused() -> None:
    with pytest.raises(SchemeError, match="one code or more, not 0"):
        search_codes("i21", limit=0)
    with pytest.raises(SchemeError, match="no dictionary 'drugs'"):
        search_codes("i21", kind="drugs")  # type: ignore[arg-type]


def test_what_is_known_of_later_codes() -> None:
    for told in about_dictionaries():
        known = set(load_dictionary(told["kind"])["code"].to_pylist())
        assert told["codes"] == len(known)
        assert known.isdisjoint({*told["newer"], *told["removed_2026"]})
    _, procedures = about_dictionaries()
    codes = frozenset().union(*load_scheme("chs-drg-3.0").sets.values())
    assert set(procedures["newer"]) <= codes
    assert codes.isdisjoint(procedures["removed_2026"])
