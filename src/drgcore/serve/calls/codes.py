"""Codes by what one types of them, with what a scheme makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drgcore.grouper.account import code_name
from drgcore.schemes import Scheme, code_lists, search_codes
from drgcore.schemes.store import CodeKind
from drgcore.serve.calls.library import Library


def find_codes(
    text: str, library: Library, *, kind: CodeKind | None, scheme: str, principal: str, limit: int
) -> list[dict[str, Any]]:
    """Codes that a text may mean, the likeliest first; see `about_code` for what is told.

    Examples
    --------
    >>> found = find_codes("jxxjgs", Library(), kind="diagnoses", scheme="chs-drg-3.0",
    ...     principal="", limit=1)
    >>> found[0]["code"], found[0]["name"], found[0]["complication"]
    ('I21.900', '急性心肌梗死', 'MCC')
    """
    of = library.scheme(scheme)
    return [
        {"kind": hit.kind, "gray": hit.gray, **about_code(hit.code, of, principal)}
        for hit in search_codes(text, kind=kind, limit=limit)
    ]


def know_codes(
    codes: Sequence[str], library: Library, *, scheme: str, principal: str
) -> list[dict[str, Any]]:
    """The same of codes that are known, in their order; one that is not has no name.

    Examples
    --------
    >>> known, = know_codes(["I21.900"], Library(), scheme="chs-drg-3.0", principal="I21.001")
    >>> known["complication"], known["excluded"]
    ('MCC', True)
    """
    of = library.scheme(scheme)
    return [about_code(code, of, principal) for code in codes]


def about_code(code: str, scheme: Scheme, principal: str) -> dict[str, Any]:
    """What a scheme makes of a code.

    Returns
    -------
    dict
        ``code``, ``name``; ``complication``: MCC, CC or None; ``exclusion``: the table that it
        names; ``excluded``: whether the principal diagnosis is in that table, so that it does not
        count; ``lists``: the lists beside the rules that hold it (`CodeLists`).
    """
    listed = scheme.complications.get(code)
    return {
        "code": code,
        "name": code_name(code),
        "complication": listed and listed.type,
        "exclusion": listed and listed.exclusion,
        "excluded": bool(listed and principal in scheme.exclusions.get(listed.exclusion, ())),
        "lists": list(code_lists(scheme).about(code)),
    }
