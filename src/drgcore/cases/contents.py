"""What a column's values look like: codes, sexes, ages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from drgcore.cases.dictionary import CodeKind, code_table, translation_table
from drgcore.cases.text import is_missing, is_text, tidy
from drgcore.cases.values import is_number, parse_age_days, parse_age_years, parse_sex

_BETWEEN = re.compile(r"[\s;；,，、|｜/\[\]'\"]+")
_SHOWN = 4


@dataclass(frozen=True)
class Contents:
    """The values of a column of a sample.

    Attributes
    ----------
    name : str
    filled : int
        Values that are not missing.
    shares : dict of str to float
        Kind (``diagnosis``, ``procedure``, ``sex``, ``age``, ``days``) → share of the filled
        values.
    examples : dict of str to tuple of str
        Kind → the commonest values that are of it. Never another value: it may be a name.
    several : bool
        Whether a value holds several codes.
    words_of_sex : bool
        Whether sexes are written in words, as no flag is.
    """

    name: str
    filled: int
    shares: dict[str, float]
    examples: dict[str, tuple[str, ...]]
    several: bool = False
    words_of_sex: bool = False


def contents_of(name: str, column: pa.ChunkedArray) -> Contents:
    """Look at a column of a sample.

    Parameters
    ----------
    name : str
        Of the column.
    column : pyarrow.ChunkedArray
        Of any type; only numbers, texts and lists of texts are looked into.

    Examples
    --------
    >>> found = contents_of("诊断", pa.chunked_array([["K80.101;I10.x00", "I10.x00", "", "张三"]]))
    >>> found.filled, round(found.shares["diagnosis"], 2), found.examples["diagnosis"]
    (3, 0.67, ('I10.X00', 'K80.101'))
    """
    several = types.is_list(column.type) or types.is_large_list(column.type)
    if several:
        column = pc.list_flatten(column)
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if not (is_text(kind) or is_number(kind)):
        return Contents(name, 0, {}, {})
    plain = column.cast(kind) if types.is_dictionary(column.type) else column
    counts = pc.value_counts(plain.cast(pa.large_string()))
    words = tidy(counts.field("values").cast(pa.string()))
    numbers = counts.field("counts").to_pylist()
    missing = is_missing(words)
    rows = [
        (word.upper(), number)
        for word, number, nothing in zip(words.to_pylist(), numbers, missing, strict=True)
        if not nothing
    ]
    filled = sum(number for _, number in rows)
    tallies: dict[str, Counter[str]] = {
        kind: Counter() for kind in ("diagnosis", "procedure", "sex", "age", "days")
    }
    hits: Counter[str] = Counter()
    codes = {"diagnosis": _codes("diagnoses"), "procedure": _codes("procedures")}
    for word, number in rows:
        parts = [part for part in _BETWEEN.split(word) if part]
        for kind_of, known in codes.items():
            there = [part for part in parts if part in known]
            if parts and 2 * len(there) > len(parts):
                hits[kind_of] += number
                several |= len(there) > 1
                for part in there:
                    tallies[kind_of][part] += number
    texts = pa.array([word for word, _ in rows], pa.string())
    for kind_of, right in (
        ("sex", parse_sex(texts) > 0),
        ("age", parse_age_years(texts) >= 0),
        ("days", parse_age_days(texts) >= 0),
    ):
        for (word, number), holds in zip(rows, right, strict=True):
            if holds:
                hits[kind_of] += number
                tallies[kind_of][word] += number
    return Contents(
        name,
        filled,
        {kind: hits[kind] / filled if filled else 0.0 for kind in tallies},
        {kind: tuple(word for word, _ in t.most_common(_SHOWN)) for kind, t in tallies.items()},
        several,
        bool(rows) and hits["sex"] == filled and not any(word.isdigit() for word, _ in rows),
    )


@cache
def _codes(kind: CodeKind) -> frozenset[str]:
    """Codes of the insurance and of the clinical version, in upper case."""
    texts = (*code_table(kind)["code"].to_pylist(),)
    clinical = translation_table(kind)["clinical_code"].to_pylist()
    return frozenset(text.upper() for text in (*texts, *clinical))
