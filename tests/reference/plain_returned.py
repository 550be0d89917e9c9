"""A returned statement compared row by row in decimals, as a clerk would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any


def _fen(yuan: Decimal) -> int:
    return int((yuan * 100).quantize(Decimal(1), ROUND_HALF_EVEN))


def plain_comparison(
    ours: Sequence[Mapping[str, Any]], returned: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[str, dict[str, int]]]:
    """Kinds and parts [fen] of each case; every returned row has a value and a deduction."""
    mine = {row["case_id"]: row for row in ours}
    theirs = {row["case_id"]: row for row in returned}
    found = {}
    for key in mine.keys() | theirs.keys():
        parts = dict.fromkeys(("group", "points", "value", "deduction", "other"), 0)
        if key not in theirs or key not in mine:
            found[key] = ("missing_ours" if key in theirs else "missing_returned", parts)
            continue
        a, b = mine[key], theirs[key]
        q_a, q_b = Decimal(repr(a["points"])), Decimal(repr(b["points"]))
        v_a, v_b = Decimal(repr(a["value"])), Decimal(repr(b["value"]))
        difference = _fen(Decimal(repr(b["amount"]))) - a["amount_fen"]
        moved = (a["drg"] or "") != (b["drg"] if b["drg"] not in (None, "0000") else "")
        parts["group" if moved else "points"] = _fen((q_b - q_a) * v_a)
        parts["value"] = _fen(q_b * (v_b - v_a))
        parts["deduction"] = a["deduction_fen"] - _fen(Decimal(repr(b["deduction"])))
        rest = difference - sum(parts.values())
        for name in ("value", "points", "group"):
            if abs(rest) == 1 and parts[name]:
                parts[name] += rest
                rest = 0
        parts["other"] = rest
        kinds = []
        for name, part in parts.items():
            named = part != 0
            if name == "group":
                named = named or moved
            if name == "points":
                named = named or (not moved and q_a != q_b)
            if named:
                kinds.append(name)
        found[key] = (";".join(kinds), parts)
    return found
