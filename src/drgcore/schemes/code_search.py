"""Codes found by code, by name or by the initials of the name's pinyin, while one types."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.errors import SchemeError
from drgcore.language import _
from drgcore.schemes.lists import code_lists
from drgcore.schemes.store import (
    DEFAULT_SCHEME,
    CodeKind,
    load_dictionary,
    read_table,
    tables_folder,
)

INITIALS_SCHEMA = pa.schema([("code", pa.string()), ("initials", pa.string())])
"""Columns of the compiled initials, one row a code of the dictionary, in its order."""

_KINDS: tuple[CodeKind, ...] = ("diagnoses", "procedures")
_NOWHERE = 99
# What is found, the likeliest first.
_CODE, _CODE_START, _NAME, _NAME_START, _INITIALS_START, _IN_NAME, _IN_INITIALS = range(7)


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A code that a search found.

    Parameters
    ----------
    kind : str
        ``"diagnoses"`` or ``"procedures"``.
    code, name : str
        As the insurance version (医保版) has them.
    gray : bool
        Whether it is a heading (置灰) that a settlement list must not carry.
    """

    kind: CodeKind
    code: str
    name: str
    gray: bool


@dataclass(frozen=True, eq=False)
class _Index:
    """A dictionary as it is searched."""

    codes: pa.Array
    names: pa.Array
    code_keys: pa.Array
    name_keys: pa.Array
    initials: pa.Array
    lengths: NDArray[np.int64]


def search_codes(
    text: str, *, kind: CodeKind | None = None, limit: int = 20
) -> tuple[FoundCode, ...]:
    """Find codes by what one types of them.

    Parameters
    ----------
    text : str
        Words of a code (its beginning, with or without the dot), of the name, or of the initials
        of its pinyin; a code is found that has all of them.
    kind : {"diagnoses", "procedures"}, optional
        Search one dictionary; both where none is given.
    limit : int, default 20
        Most codes to give.

    Returns
    -------
    tuple of FoundCode
        The code itself first, then codes that begin so, names, initials; among equals the shorter
        name first. Nothing for a blank text.

    Raises
    ------
    SchemeError
        When there is no such dictionary, or `limit` is below 1.

    Examples
    --------
    >>> for found in search_codes("急性 心肌梗死", limit=2):
    ...     print(found.code, found.name)
    I21.900 急性心肌梗死
    I21.001 急性前壁心肌梗死
    >>> search_codes("i21900")[0].code
    'I21.900'
    >>> search_codes("jxxjgs", kind="diagnoses")[0].name
    '急性心肌梗死'
    """
    if limit < 1:
        raise SchemeError(_("a search gives one code or more, not {limit}", limit=limit))
    words = folded(text).split()
    if not words:
        return ()
    candidates: list[tuple[int, int, str, CodeKind, str]] = []
    for of_kind in _KINDS if kind is None else (kind,):
        index = _index(of_kind)
        ranks = np.sum([_ranks(index, word) for word in words], axis=0)
        hits = np.flatnonzero(ranks < _NOWHERE)
        best = hits[np.lexsort((index.lengths[hits], ranks[hits]))[:limit]]
        candidates += [
            (
                int(ranks[i]),
                int(index.lengths[i]),
                index.codes[i].as_py(),
                of_kind,
                index.names[i].as_py(),
            )
            for i in best.tolist()
        ]
    lists = code_lists(DEFAULT_SCHEME)
    gray = {"diagnoses": lists.gray_diagnoses, "procedures": lists.gray_procedures}
    return tuple(
        FoundCode(of_kind, code, name, code in gray[of_kind])
        for _, _, code, of_kind, name in sorted(candidates)[:limit]
    )


def about_dictionaries() -> tuple[Mapping[str, Any], ...]:
    """What the shipped dictionaries are: version, number of codes, what is known of revisions.

    Returns
    -------
    tuple of mapping
        One for each dictionary: ``kind``, ``system``, ``version``, ``date``, ``codes``, and
        ``newer`` and ``removed_2026``: codes of the schemes that it lacks.

    Examples
    --------
    >>> for told in about_dictionaries():
    ...     print(told["kind"], told["codes"], len(told["newer"]), told["removed_2026"])
    diagnoses 33304 0 []
    procedures 13686 80 ['50.2400x001', '52.2200x008']
    """
    path = tables_folder() / "icd" / "dictionaries.json"
    try:
        return tuple(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SchemeError(
            _("the file is damaged: {error!r}", error=error), where=str(path)
        ) from None


def folded(text: str) -> str:
    """A text as it is compared: plain width, lower case, one space between words.

    Examples
    --------
    >>> folded("  Ｉ21．9　急性 ")
    'i21.9 急性'
    """
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


@cache
def _index(kind: CodeKind) -> _Index:
    table = load_dictionary(kind).combine_chunks()
    initials = read_table(tables_folder() / "icd", f"{kind}_initials", INITIALS_SCHEMA)
    if not initials["code"].equals(table["code"]):
        raise SchemeError(
            _("the initials of {kind} are not those of the dictionary", kind=kind),
            hint=_("Install drgcore again."),
        )
    codes, names = (table[column].combine_chunks() for column in ("code", "name"))
    keys = [folded(name).replace(" ", "") for name in names.to_pylist()]
    return _Index(
        codes,
        names,
        pc.replace_substring(pc.utf8_lower(codes), ".", ""),
        pa.array(keys, pa.string()),
        initials["initials"].combine_chunks(),
        np.array([len(key) for key in keys], dtype=np.int64),
    )


def _ranks(index: _Index, word: str) -> NDArray[np.int64]:
    """How well each code fits a word, 0 the best; `_NOWHERE` where it does not."""
    ranks = np.full(len(index.codes), _NOWHERE, dtype=np.int64)

    def better(where: pa.Array, rank: int) -> None:
        np.minimum(ranks, rank, out=ranks, where=where.to_numpy(zero_copy_only=False))

    if word.isascii():
        code = word.replace(".", "")
        if code:
            better(pc.equal(index.code_keys, code), _CODE)
            better(pc.starts_with(index.code_keys, code), _CODE_START)
        if word.isalnum():
            at = pc.find_substring(index.initials, word)
            better(pc.equal(at, 0), _INITIALS_START)
            better(pc.greater(at, 0), _IN_INITIALS)
    at = pc.find_substring(index.name_keys, word)
    better(pc.equal(index.name_keys, word), _NAME)
    better(pc.equal(at, 0), _NAME_START)
    better(pc.greater(at, 0), _IN_NAME)
    return ranks
