"""Formulas of a printed statement, computed from their own text: no code of drgcore."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor
from typing import Any

_OPERATIONS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def value_of(text: str) -> Fraction:
    """The exact value of a formula: + − × ÷, min(a; b), max(a; b), ⌊a⌋ and ⌈a⌉ to the fen."""
    code = re.sub(r"(?<=\d),(?=\d)", "", text)
    code = re.sub(r"\d+\.?\d*", lambda found: f"N('{found[0]}')", code)
    for sign, word in (("−", "-"), ("×", "*"), ("÷", "/"), (";", ",")):
        code = code.replace(sign, word)
    code = code.replace("⌊", "down(").replace("⌋", ")").replace("⌈", "up(").replace("⌉", ")")
    return _value(ast.parse(code.strip(), mode="eval").body)


def _value(node: Any) -> Fraction:
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp):
        return -_value(node.operand)
    assert isinstance(node, ast.Call)
    if node.func.id == "N":
        return Fraction(node.args[0].value)
    values = [_value(argument) for argument in node.args]
    if node.func.id == "down":
        return Fraction(floor(values[0] * 100), 100)
    if node.func.id == "up":
        return Fraction(ceil(values[0] * 100), 100)
    return {"min": min, "max": max}[node.func.id](values)


def amounts(statement: str) -> Iterator[tuple[str, str, int, int]]:
    """Each formula of a statement: the line above it, its text, its value in fen, the amount."""
    lines = statement.split("\n")
    number = 0
    above = ""
    while number < len(lines):
        line = lines[number]
        number += 1
        if re.match(r" {4}[\d(⌊⌈m].*[\d)⌋⌉]? ?", line) and not re.search(
            r"  -?[\d,]+\.\d\d$", line
        ):
            whole = line
            while " = " not in f"{whole} " and number < len(lines):
                whole += " " + lines[number].strip()
                number += 1
            while not re.search(
                r"= -?[\d,]+\.\d\d( \((?:largest remainder|最大余数) [+−] [\d.,]+\))?$", whole
            ):
                assert number < len(lines), whole
                whole += " " + lines[number].strip()
                number += 1
            text, result = whole.rsplit(" = ", 1)
            moved = re.search(r"([+−]) ([\d.,]+)\)", result)
            fen = floor(value_of(text) * 100 + Fraction(1, 2))
            if moved:
                sign = 1 if moved[1] == "+" else -1
                cents = int(Fraction(moved[2].replace(",", "")) * 100)
                assert cents <= 2, "largest remainders move a fen, not more"
                fen += sign * cents
            amount = int(Fraction(result.split(" ")[0].replace(",", "")) * 100)
            yield above, text.strip(), fen, amount
        else:
            above = line
