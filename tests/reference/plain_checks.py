"""Checks held against one case at a time, straight from their text: slow, plain, by Python's `ast`.

It shares with the package only the catalogue of checks and the scheme; it has no ids, no Arrow and
no tree of its own. A value is None where it is missing or unreadable, as is a comparison with it.
"""

from __future__ import annotations

import ast
import datetime
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

Case = Mapping[str, Any]

_COMPARE = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def in_ranges(code: str, text: str) -> bool:
    """Whether a code stands under one of the codes or ranges."""
    for part in text.split(","):
        first, _, last = (p.strip() for p in part.partition("-"))
        head = code[: len(first)]
        if first <= head <= (last or first):
            return True
    return False


class Plain:
    """One case; `unreadable` names its fields that hold something that cannot be read.

    A case has codes as texts (unknown ones too), numbers, dates, texts, lists of codes, dates and
    numbers. `sets` gives each named set as a function of a code, `known` the dictionary.
    """

    def __init__(
        self,
        case: Case,
        sets: Mapping[str, Any],
        parameters: Mapping[str, float],
        known: Mapping[str, set[str]],
        systems: Mapping[str, str],
    ) -> None:
        self.case, self.sets, self.parameters = case, sets, parameters
        self.known, self.systems = known, systems

    def holds(self, text: str) -> bool | None:
        """Whether an expression is true of the case; None for neither."""
        return self._of(ast.parse(text, mode="eval").body)

    def _list(self, name: str) -> list[Any]:
        case = self.case
        if name == "diagnoses":
            return [case["principal_diagnosis"], *case["other_diagnoses"]]
        if name == "procedures":
            return [case["principal_procedure"], *case["other_procedures"]]
        if name == "procedure_dates":
            return [case["principal_procedure_date"], *case["other_procedure_dates"]]
        return list(case[name])

    def _codes(self, name: str) -> list[str]:
        values = [self.case[name]] if name in self.systems_of_one() else self._list(name)
        return [v for v in values if v is not None]

    def systems_of_one(self) -> set[str]:
        """Fields with one code."""
        return {"principal_diagnosis", "principal_procedure", "external_cause"}

    def _is_in(self, code: str, right: ast.expr, name: str) -> bool:
        if code not in self.known[self.systems[name]]:
            return False
        if isinstance(right, ast.Name):
            return bool(self.sets[right.id](code))
        return in_ranges(code, right.value)  # type: ignore[attr-defined]

    def _of(self, node: ast.expr) -> Any:
        if isinstance(node, ast.BoolOp):
            parts = [self._of(v) for v in node.values]
            decisive = isinstance(node.op, ast.Or)
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        if isinstance(node, ast.UnaryOp):
            value = self._of(node.operand)
            if value is None:
                return None
            return not value if isinstance(node.op, ast.Not) else -value
        if isinstance(node, ast.BinOp):
            left, right = self._of(node.left), self._of(node.right)
            if left is None or right is None:
                return None
            if isinstance(left, datetime.date) and isinstance(right, datetime.date):
                return (left - right).days
            op = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
            return op[type(node.op)](left, right)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call):
            return self._call(node.func.id, node.args)  # type: ignore[attr-defined]
        if isinstance(node, ast.Constant):
            return node.value
        assert isinstance(node, ast.Name)
        if node.id in self.parameters:
            return self.parameters[node.id]
        return self.case[node.id]

    def _compare(self, node: ast.Compare) -> bool | None:
        assert len(node.ops) == 1
        right = node.comparators[0]
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            assert isinstance(node.left, ast.Name)
            value = self.case[node.left.id]
            if isinstance(right, ast.Tuple):
                return None if value is None else value in ast.literal_eval(right)
            return value is not None and self._is_in(value, right, node.left.id)
        a, b = self._of(node.left), self._of(right)
        return None if a is None or b is None else _COMPARE[type(node.ops[0])](a, b)

    def _call(self, name: str, args: Sequence[ast.expr]) -> Any:
        if name in ("any", "count", "distinct"):
            inside = args[0]
            assert isinstance(inside, ast.Compare)
            of = inside.left.id  # type: ignore[attr-defined]
            found = [c for c in self._codes(of) if self._is_in(c, inside.comparators[0], of)]
            return {"any": bool(found), "count": len(found), "distinct": len(set(found))}[name]
        if name == "matches":
            text = self.case[args[0].id]  # type: ignore[attr-defined]
            if text is None:
                return None
            text = text.upper() if args[0].id in self.systems_of_one() else text  # type: ignore[attr-defined]
            return re.search(args[1].value, text) is not None  # type: ignore[attr-defined]
        if name in ("missing", "unreadable", "unknown", "repeated", "size", "total", "suits"):
            return self._over(name, args[0].id)  # type: ignore[attr-defined]
        if name in ("first", "last"):
            days = [d for d in self._list(args[0].id) if d is not None]  # type: ignore[attr-defined]
            return None if not days else min(days) if name == "first" else max(days)
        values = [self._of(arg) for arg in args]
        if None in values:
            return None
        if name == "abs":
            return abs(values[0])
        assert name == "years"
        born, at = values
        return at.year - born.year - ((at.month, at.day) < (born.month, born.day))

    def _over(self, name: str, field: str) -> Any:
        if name == "unreadable":
            return field in self.case["unreadable"]
        if name == "suits":
            return self.case["suits"](self._codes(field))
        if name == "total":
            amounts = [v for v in self._list(field) if v is not None]
            return sum(amounts) if amounts else None
        if field in self.systems or field == "procedure_dates":
            if field == "procedure_dates":
                values = [d for d in self._list(field) if d is not None]
            else:
                values = self._codes(field)
            if name == "unknown":
                return any(c not in self.known[self.systems[field]] for c in values)
            if name == "repeated":
                there = [c for c in values if c in self.known[self.systems[field]]]
                return len(set(there)) < len(there)
            return len(values) if name == "size" else not values
        return self.case[field] is None and field not in self.case["unreadable"]
