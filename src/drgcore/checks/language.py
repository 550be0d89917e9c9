"""The expression language of checks: Python's grammar, a small part of it, checked before use.

An expression is read by `ast` of the standard library and turned into a tree of few kinds of
nodes; whatever is not one of them is refused, so an expression can neither call, import nor reach
anything but the fields of a case, sets of codes and the functions below. `docs/checks.md`
describes the language.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from drgcore.checks.fields import FIELDS, is_several
from drgcore.errors import DrgcoreError
from drgcore.language import _

_COMPARISONS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}

FUNCTIONS: Mapping[str, tuple[tuple[tuple[str, ...], ...], str]] = {
    "missing": ((("code", "codes", "number", "day", "days", "text", "bool"),), "bool"),
    "unreadable": ((("number", "day", "days", "bool"),), "bool"),
    "unknown": ((("code", "codes"),), "bool"),
    "repeated": ((("codes",),), "bool"),
    "size": ((("codes", "days"),), "number"),
    "abs": ((("number",),), "number"),
    "years": ((("day",), ("day",)), "number"),
    "first": ((("days",),), "day"),
    "last": ((("days",),), "day"),
    "total": ((("numbers",),), "number"),
    "suits": ((("code", "codes"),), "bool"),
    "seen_before": ((("text",),), "bool"),
}
"""Name → kinds that each argument may have, kind of the result. `any`, `count` and `distinct` take
``codes in set``, `matches` a text or a code and a pattern; they are read apart."""


@dataclass(frozen=True, slots=True)
class Value:
    """A number, a text or a truth."""

    value: float | str | bool
    kind: str


@dataclass(frozen=True, slots=True)
class Name:
    """A field of the case."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Codes:
    """A set of codes: the name of one, or ranges such as ``K80, K81.0-K81.9``."""

    text: str
    named: bool


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function with its operands."""

    op: str
    args: tuple[Node, ...]
    kind: str


Node: TypeAlias = Value | Name | Codes | Call


class ExpressionError(DrgcoreError):
    """An expression of a check is not in the language."""


def parse(
    text: str, *, sets: Mapping[str, str], parameters: Mapping[str, float], where: str
) -> Node:
    """Read an expression.

    Parameters
    ----------
    text : str
        The expression.
    sets : mapping of str to str
        Sets of codes that it may name → "diagnosis" or "procedure".
    parameters : mapping of str to float
        Numbers that it may name.
    where : str
        The check, for the message.

    Returns
    -------
    Node
        A tree whose kind is "bool".

    Raises
    ------
    ExpressionError
        The text is no expression of the language, or compares what cannot be compared.

    Examples
    --------
    >>> parse("age_years < 1 and missing(age_days)", sets={}, parameters={}, where="x").op
    'and'
    >>> parse("__import__('os')", sets={}, parameters={}, where="check X")
    Traceback (most recent call last):
    drgcore.checks.language.ExpressionError: check X: there is no function '__import__'
    """
    if len(text) > 4000:
        raise ExpressionError(_("the expression is longer than 4,000 characters"), where=where)
    try:
        tree = ast.parse(" ".join(text.split()), mode="eval")
        node = _Reader(sets, parameters, where).read(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else _("it is nested too deeply")
        told = _("no expression: {reason}", reason=reason)
        raise ExpressionError(told, where=where, hint=text) from None
    if kind_of(node) != "bool":
        raise ExpressionError(
            _("the expression is a {kind_of}, not true or false", kind_of=kind_of(node)),
            where=where,
            hint=text,
        )
    return node


def kind_of(node: Node) -> str:
    """The kind of a node's value."""
    return "set" if isinstance(node, Codes) else node.kind


def names_of(node: Node) -> tuple[str, ...]:
    """The fields that an expression asks for, each once, in their order."""
    if isinstance(node, Name):
        return (node.name,)
    if isinstance(node, Call):
        return tuple(dict.fromkeys(name for arg in node.args for name in names_of(arg)))
    return ()


def calls_of(node: Node) -> tuple[Call, ...]:
    """Every call within an expression, the outer ones first."""
    if not isinstance(node, Call):
        return ()
    return (node, *(call for arg in node.args for call in calls_of(arg)))


class _Reader:
    def __init__(
        self, sets: Mapping[str, str], parameters: Mapping[str, float], where: str
    ) -> None:
        self._sets, self._parameters, self._where = sets, parameters, where

    def read(self, node: ast.expr) -> Node:
        readers: dict[type, Callable[..., Node]] = {
            ast.BoolOp: self._bool,
            ast.UnaryOp: self._unary,
            ast.Compare: self._compare,
            ast.BinOp: self._binary,
            ast.Call: self._call,
            ast.Name: self._name,
            ast.Constant: self._constant,
        }
        reader = readers.get(type(node))
        if reader is None:
            raise self._error(_("{ast!r} is not allowed in a check", ast=ast.unparse(node)))
        return reader(node)

    def _bool(self, node: ast.BoolOp) -> Node:
        op = "and" if isinstance(node.op, ast.And) else "or"
        return Call(op, tuple(self._need(self.read(v), ("bool",)) for v in node.values), "bool")

    def _unary(self, node: ast.UnaryOp) -> Node:
        if isinstance(node.op, ast.Not):
            return Call("not", (self._need(self.read(node.operand), ("bool",)),), "bool")
        if isinstance(node.op, ast.USub):
            inner = self._need(self.read(node.operand), ("number",))
            return Call("-", (Value(0.0, "number"), inner), "number")
        raise self._error(_("{ast!r} is not allowed in a check", ast=ast.unparse(node)))

    def _binary(self, node: ast.BinOp) -> Node:
        op = _ARITHMETIC.get(type(node.op))
        if op is None:
            raise self._error(_("{ast!r} is not allowed in a check", ast=ast.unparse(node)))
        left, right = self.read(node.left), self.read(node.right)
        kinds = (kind_of(left), kind_of(right))
        if kinds == ("day", "day") and op == "-":
            return Call("days_between", (left, right), "number")
        if kinds == ("day", "number") and op in "+-":
            return Call(op, (left, right), "day")
        for part in (left, right):
            self._need(part, ("number",))
        return Call(op, (left, right), "number")

    def _compare(self, node: ast.Compare) -> Node:
        parts: list[Node] = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._pair(left, operator, right))
            left = right
        return parts[0] if len(parts) == 1 else Call("and", tuple(parts), "bool")

    def _pair(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Node:
        if isinstance(operator, ast.In | ast.NotIn):
            inside = self._member("in", left, right, ("code", "number", "text"))
            return inside if isinstance(operator, ast.In) else Call("not", (inside,), "bool")
        op = _COMPARISONS.get(type(operator))
        if op is None:
            raise self._error(_("only < <= > >= == != in and not in compare"))
        a, b = self.read(left), self.read(right)
        kinds = {kind_of(a), kind_of(b)}
        if len(kinds) > 1 or not kinds <= {"number", "day", "text"}:
            raise self._error(
                _(
                    "a {kind_of} cannot be compared with a {kind_of_2} by {op}",
                    kind_of=kind_of(a),
                    kind_of_2=kind_of(b),
                    op=op,
                )
            )
        if kinds == {"text"} and op not in ("==", "!="):
            raise self._error(_("texts are compared with == and != only"))
        return Call(op, (a, b), "bool")

    def _member(self, op: str, left: ast.expr, right: ast.expr, kinds: tuple[str, ...]) -> Node:
        of = self.read(left)
        if is_several(kind_of(of)) and op == "in":
            raise self._error(
                _(
                    "{ast} holds several values: say any({ast} in …), count(…) or distinct(…)",
                    ast=ast.unparse(left),
                )
            )
        self._need(of, kinds)
        if kind_of(of) in ("code", "codes"):
            assert isinstance(of, Name)
            return Call(op, (of, self._codes(right, FIELDS[of.name].codes)), "bool")
        values = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
        options = tuple(self._need(self.read(value), (kind_of(of),)) for value in values)
        return Call("or", tuple(Call("==", (of, option), "bool") for option in options), "bool")

    def _codes(self, node: ast.expr, system: str) -> Codes:
        if isinstance(node, ast.Name):
            if node.id not in self._sets:
                raise self._unknown(_("set of codes"), node.id, self._sets)
            if self._sets[node.id] != system:
                raise self._error(
                    _("the set {id} holds {sets} codes", id=node.id, sets=self._sets[node.id])
                )
            return Codes(node.id, True)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            read_ranges(node.value, self._where)
            return Codes(f"{system}:{node.value}", False)
        raise self._error(_("behind `in` stands the name of a set, or a text of codes and ranges"))

    def _call(self, node: ast.Call) -> Node:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if node.keywords or any(isinstance(arg, ast.Starred) for arg in node.args):
            raise self._error(_("{name}() takes plain arguments only", name=name))
        if name in ("any", "count", "distinct"):
            return self._over_codes(name, node.args)
        if name == "matches":
            return self._matches(node.args)
        if name not in FUNCTIONS:
            raise self._unknown(_("function"), name, [*FUNCTIONS, "any", "count", "distinct"])
        kinds, result = FUNCTIONS[name]
        if len(kinds) != len(node.args):
            raise self._error(_("{name}() takes {count} argument(s)", name=name, count=len(kinds)))
        args = tuple(
            self._need(self.read(arg), allowed)
            for arg, allowed in zip(node.args, kinds, strict=True)
        )
        if name in ("missing", "unreadable", "unknown", "repeated", "suits", "seen_before") and (
            not isinstance(args[0], Name)
        ):
            raise self._error(_("{name}() takes the name of a field", name=name))
        if name in ("missing", "unreadable") and kind_of(args[0]) == "bool":
            assert isinstance(args[0], Name)
            if not FIELDS[args[0].name].read:
                raise self._error(
                    _("{name} follows from the scheme: it is never missing", name=args[0].name)
                )
        if name == "suits" and FIELDS[args[0].name].codes != "procedure":  # type: ignore[union-attr]
            raise self._error(_("suits() takes procedures"))
        return Call(name, args, result)

    def _over_codes(self, name: str, args: list[ast.expr]) -> Node:
        if (
            len(args) != 1
            or not isinstance(args[0], ast.Compare)
            or len(args[0].ops) != 1
            or not isinstance(args[0].ops[0], ast.In)
        ):
            raise self._error(_("{name}() takes one argument: codes in a set", name=name))
        kind = "bool" if name == "any" else "number"
        inside = self._member(name, args[0].left, args[0].comparators[0], ("codes",))
        assert isinstance(inside, Call)
        return Call(name, inside.args, kind)

    def _matches(self, args: list[ast.expr]) -> Node:
        pattern = args[1] if len(args) == 2 else None
        if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
            raise self._error(_("matches() takes a field and a pattern in quotes"))
        of = self._need(self.read(args[0]), ("text", "code"))
        if not isinstance(of, Name):
            raise self._error(_("matches() takes the name of a field"))
        try:
            re.compile(pattern.value)
        except re.error as error:
            raise self._error(
                _("the pattern of matches() is wrong: {error}", error=error)
            ) from None
        return Call("matches", (of, Value(pattern.value, "text")), "bool")

    def _name(self, node: ast.Name) -> Node:
        if node.id in FIELDS:
            return Name(node.id, FIELDS[node.id].kind)
        if node.id in self._parameters:
            return Value(float(self._parameters[node.id]), "number")
        if node.id in self._sets:
            raise self._error(_("{id} is a set of codes; it stands behind `in`", id=node.id))
        raise self._unknown(_("field"), node.id, [*FIELDS, *self._parameters])

    def _constant(self, node: ast.Constant) -> Node:
        if isinstance(node.value, bool):
            return Value(node.value, "bool")
        if isinstance(node.value, int | float):
            return Value(float(node.value), "number")
        if isinstance(node.value, str):
            return Value(node.value, "text")
        raise self._error(_("{ast!r} is not allowed in a check", ast=ast.unparse(node)))

    def _need(self, node: Node, kinds: tuple[str, ...]) -> Node:
        if kind_of(node) not in kinds:
            what = node.name if isinstance(node, Name) else _("this")
            raise self._error(
                _(
                    "{what} is a {kind_of}; needed is {kinds}",
                    what=what,
                    kind_of=kind_of(node),
                    kinds=" or ".join(kinds),
                )
            )
        return node

    def _error(self, message: str) -> ExpressionError:
        return ExpressionError(message, where=self._where)

    def _unknown(self, what: str, name: str, known: object) -> ExpressionError:
        near = difflib.get_close_matches(name, list(known), n=3)  # type: ignore[call-overload]
        hint = _("Did you mean {near}?", near=", ".join(near)) if near else None
        return ExpressionError(
            _("there is no {what} {name!r}", what=what, name=name), where=self._where, hint=hint
        )


_RANGE = re.compile(r"([A-Z]?\d[\w.+*]*|[A-Z]\d[\w.+*]*)(?:\s*-\s*([A-Z]?\d[\w.]*))?")


def read_ranges(text: str, where: str) -> tuple[tuple[str, str], ...]:
    """Codes and ranges of a text, as pairs of first and last.

    Raises
    ------
    ExpressionError
        A part is no code and no range.

    Examples
    --------
    >>> read_ranges("K80, K81.0-K81.9, O80-O84", "x")
    (('K80', 'K80'), ('K81.0', 'K81.9'), ('O80', 'O84'))
    """
    pairs = []
    for part in text.replace("，", ",").split(","):
        found = _RANGE.fullmatch(part.strip())
        first = found[1] if found else ""
        last = (found[2] if found else "") or first
        if not found or len(first) != len(last) or first > last:
            raise ExpressionError(
                _("{part!r} is no code and no range of codes", part=part.strip()),
                where=where,
                hint=_("Write K80, or K80-K87; both ends of a range have the same length."),
            )
        pairs.append((first, last))
    return tuple(pairs)
