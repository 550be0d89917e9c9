"""The variants of one case as lists of codes, each made by hand."""

from __future__ import annotations

from typing import Any

Variant = tuple[str, str | None, dict[str, Any]]


def plain_variants(case: dict[str, Any]) -> list[Variant]:
    """Kind, code and the whole case of every variant, in the order in which they are shown."""
    found: list[Variant] = [("as_coded", None, case)]
    for field in ("diagnosis", "procedure"):
        found += _swapped(case, field)
    found += _without(case, "diagnosis")
    if _is_there(case["principal_procedure"]):
        code = case["principal_procedure"]
        found.append(("without_principal_procedure", code, case | {"principal_procedure": None}))
    return found + _without(case, "procedure")


def _many(field: str) -> str:
    return "other_diagnoses" if field == "diagnosis" else "other_procedures"


def _is_there(code: str | None) -> bool:
    return code is not None and code.strip() not in ("", "-", "无", "—")


def _codes(case: dict[str, Any], field: str) -> list[str]:
    return [code for code in case[_many(field)] or () if _is_there(code)]


def _swapped(case: dict[str, Any], field: str) -> list[Variant]:
    codes = _codes(case, field)
    found = []
    for place, code in enumerate(codes):
        others = list(codes)
        first = case[f"principal_{field}"]
        others[place : place + 1] = [first] if _is_there(first) else []
        changed = case | {f"principal_{field}": code, _many(field): others}
        found.append((f"principal_{field}", code, changed))
    return found


def _without(case: dict[str, Any], field: str) -> list[Variant]:
    codes = _codes(case, field)
    return [
        (f"without_{field}", code, case | {_many(field): codes[:place] + codes[place + 1 :]})
        for place, code in enumerate(codes)
    ]
