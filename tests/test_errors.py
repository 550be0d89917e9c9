"""What an error says: what, where, and what to do."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from drgcore import errors
from drgcore.errors import CaseSchemaError, DrgcoreError, RuleSyntaxError, SchemeError
from drgcore.schemes import parse_rule


@pytest.mark.parametrize(
    ("where", "hint", "text"),
    [
        (None, None, "it is wrong"),
        ("a.csv", None, "a.csv: it is wrong"),
        (None, "Mend it.", "it is wrong\nMend it."),
        ("a.csv", "Mend it.", "a.csv: it is wrong\nMend it."),
    ],
)
@pytest.mark.parametrize("kind", [DrgcoreError, CaseSchemaError, SchemeError])
def test_a_message(
    kind: type[DrgcoreError], where: str | None, hint: str | None, text: str
) -> None:
    error = kind("it is wrong", where=where, hint=hint)
    assert str(error) == text
    assert (error.message, error.where, error.hint) == ("it is wrong", where, hint)
    assert error.args == ("it is wrong",)


def test_every_error_is_of_the_one_tree() -> None:
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, Exception)]
    assert len(kinds) >= 6
    assert all(issubclass(kind, DrgcoreError) for kind in kinds)
    assert issubclass(RuleSyntaxError, SchemeError)


def shown(error: RuleSyntaxError) -> tuple[str, str]:
    """The rule's line and the caret's line."""
    lines = str(error).split("\n")
    assert len(lines) == 3
    return lines[1], lines[2]


def pointed_at(error: RuleSyntaxError) -> str:
    """The character above the caret, by the columns of a terminal; '' at the end of the rule."""
    rule, caret = shown(error)
    assert caret.strip() == "^"
    column = cell_len(caret[: caret.index("^")])
    for i, character in enumerate(rule):
        if cell_len(rule[:i]) == column:
            return character
    assert cell_len(rule) == column
    return ""


def test_a_short_rule() -> None:
    error = RuleSyntaxError("a set is missing", "ZYZD in and 1", 8, where="ADRG, row 3, BB1")
    assert str(error) == ("ADRG, row 3, BB1: a set is missing\n  ZYZD in and 1\n          ^")
    assert error.rule == "ZYZD in and 1"
    assert error.position == 8


def test_a_caret_behind_the_end() -> None:
    assert pointed_at(RuleSyntaxError("more was expected", "ZYZD in", 7)) == ""


@pytest.mark.parametrize("position", [0, 49, 50, 51, 400, 970, 999])
def test_a_long_rule_is_cut_around_the_fault(position: int) -> None:
    rule = "".join(chr(ord("a") + i % 26) for i in range(1000))
    error = RuleSyntaxError("wrong", rule, position)
    line, _ = shown(error)
    assert pointed_at(error) == rule[position]
    assert len(line) <= 86
    assert line.startswith("  …") == (position > 50)
    assert line.endswith("…") == (position < 970)


def test_a_rule_over_several_lines_is_shown_on_one() -> None:
    rule = "ZYZD in DI_A\nand\tZYSS in\r\n?"
    assert pointed_at(RuleSyntaxError("wrong", rule, rule.index("?"))) == "?"


def test_wide_characters_before_the_fault() -> None:
    rule = "length(主要诊断 ∩ ZYZD) ? 1"
    assert pointed_at(RuleSyntaxError("wrong", rule, rule.index("?"))) == "?"


@given(st.text("ab ∩主，\n\t\r\u2028\x0b\x85\u200b(){}>=", max_size=200), st.integers(0, 200))
@example("主" * 120 + "x", 120)
@example("\u200ba", 1)
def test_the_caret_stands_under_the_fault_in_any_rule(rule: str, position: int) -> None:
    position = min(position, len(rule))
    error = RuleSyntaxError("wrong", rule + "!", position)
    line, _ = shown(error)
    assert line.isprintable()
    character = (rule + "!")[position]
    if cell_len(character) and not character.isspace():
        assert pointed_at(error) == character


@pytest.mark.parametrize(
    ("rule", "at"),
    [
        ("ZYZD in DI_A andd ZYSS in OP_B", "andd"),
        ("(ZYZD in DI_A or\n(ZYSS in OP_B and NL ? 3))", "?"),
        (" or ".join(["ZYZD in DI_A"] * 30) + " ! " + "x" * 50, "!"),
        ("ZYZD in DI_A", ""),
    ],
)
def test_the_parser_points_at_the_fault(rule: str, at: str) -> None:
    text = rule if at else f"({rule}"
    with pytest.raises(RuleSyntaxError) as raised:
        parse_rule(text, where="ADRG, row 3")
    assert raised.value.position == (text.index(at) if at else len(text))
    assert pointed_at(raised.value) == at[:1]
    assert str(raised.value).startswith("ADRG, row 3: ")
