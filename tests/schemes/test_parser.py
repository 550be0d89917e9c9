"""The rule language: what is printed is read back, and what is wrong is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore.errors import RuleSyntaxError
from drgcore.schemes import parse_rule
from drgcore.schemes.rules import (
    FIELDS,
    LOCAL_FIELDS,
    LOCAL_NAMES,
    LOCAL_VARIABLES,
    TRUE,
    VARIABLES,
    And,
    Compare,
    Count,
    Literal,
    Member,
    Not,
    Or,
    Rule,
    SetsMet,
    local_names,
)

from .strategies import rules

IN_A = Member(("ZYZD",), ("DI_A",))
MALE = Compare("XB", "=", 1)


PAGE = (Path(__file__).parents[2] / "docs" / "rule_language.md").read_text(encoding="utf-8")


def test_the_page_names_every_name_with_its_column() -> None:
    told = re.findall(r"^\| `(\w+)` \|[^|]*\| `(\w+)` \| (field|number) \|", PAGE, re.MULTILINE)
    fields, numbers = {**FIELDS, **LOCAL_FIELDS}, {**VARIABLES, **LOCAL_VARIABLES}
    assert len(told) == len(fields) + len(numbers)
    assert {name: column for name, column, kind in told if kind == "field"} == fields
    assert {name: column for name, column, kind in told if kind == "number"} == numbers


def test_the_examples_of_the_page_are_rules() -> None:
    examples = re.findall(r"^(\S.*?) {3,}\w.*$", PAGE, re.MULTILINE)
    found = [parse_rule(text) for text in examples if not re.match(r"\w+ *:=", text)]
    assert len(found) == 17
    assert sorted(frozenset().union(*map(local_names, found))) == sorted(LOCAL_NAMES)


@given(rules)
def test_a_printed_rule_is_read_back(rule: Rule) -> None:
    assert parse_rule(str(rule)) == rule


@given(rules, st.sampled_from(["\n", "\u3000", "_x000D_", "_x000D_\n", "\u200b ", "\t\xa0"]))
def test_white_space_of_any_kind_says_nothing(rule: Rule, space: str) -> None:
    assert parse_rule(str(rule).replace(" ", space)) == rule


@given(rules)
def test_keywords_and_fields_are_read_in_any_case(rule: Rule) -> None:
    # Set names are the one thing whose case counts; those of the strategy are upper case.
    assert parse_rule(str(rule).upper()) == rule


@given(st.text(max_size=60))
def test_any_text_is_a_rule_or_a_syntax_error(text: str) -> None:
    try:
        rule = parse_rule(text)
    except RuleSyntaxError as error:
        fault = error
    else:
        assert parse_rule(str(rule)) == rule
        return
    assert 0 <= fault.position <= len(text)
    assert str(fault).endswith("^")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", TRUE),
        (" \n_x000D_\u200b", TRUE),
        ("1", TRUE),
        ("0", Literal(False)),
        ("ZYZD in DI_A", IN_A),
        ("ZYZD not in DI_A", Member(("ZYZD",), ("DI_A",), negated=True)),
        ("not ZYZD in DI_A", Not(IN_A)),
        ("not not XB=1", Not(Not(MALE))),
        ("{ZYSS,QTSS} in {OP_1,OP_2}", Member(("ZYSS", "QTSS"), ("OP_1", "OP_2"))),
        ("qtzd IN mcc", Member(("QTZD",), ("MCC",))),
        ("（ZYZD in DI_A）and(XB＝1)", And((IN_A, MALE))),
        ("length(OP_1∩{ZYSS,QTSS})≥2", Count("OP_1", ("ZYSS", "QTSS"), ">=", 2)),
        ("XSRTZ<2499.5", Compare("XSRTZ", "<", 2499.5)),
        ("zyts＞＝60", Compare("ZYTS", ">=", 60)),
        ("not LYFS = 5", Not(Compare("LYFS", "=", 5))),
        ("ICUSC < 0.5", Compare("ICUSC", "<", 0.5)),
        ("cykb not in {DEPT_X,DEPT_Y}", Member(("CYKB",), ("DEPT_X", "DEPT_Y"), negated=True)),
        ("{CYKB} in 病区_X", Member(("CYKB",), ("病区_X",))),
        (
            "count({OP_1,OP_2}∩{ZYSS,QTSS})≥2",
            met := SetsMet(("OP_1", "OP_2"), ("ZYSS", "QTSS"), ">=", 2),
        ),
        ("COUNT ( { OP_1, OP_2 } ∩ {zyss, QTSS} ) >= 2", met),
        ("not count(OP_1 ∩ QTSS) < 1", Not(SetsMet(("OP_1",), ("QTSS",), "<", 1))),
        # No reserved word.
        ("ZYSS in count", Member(("ZYSS",), ("count",))),
        ("length(count ∩ ZYSS) > 0", Count("count", ("ZYSS",), ">", 0)),
        ("ZYZLZB>=0.6 and rjss=1", And((Compare("ZYZLZB", ">=", 0.6), Compare("RJSS", "=", 1)))),
        # "and" binds closer than "or", "not" closer than both; brackets of one kind fall away.
        ("XB=1 or XB=1 and not ZYZD in DI_A", Or((MALE, And((MALE, Not(IN_A)))))),
        ("(XB=1 or ZYZD in DI_A) or 0", Or((MALE, IN_A, Literal(False)))),
    ],
)
def test_a_rule_means_what_the_grammar_says(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("ZYZD inn DI_A", "inn", "expected 'in' or 'not in' after ZYZD"),
        ("ZYZD in", "", "expected the name of a set"),
        ("XB = 1 XB = 2", "XB = 2", "after the end of the rule"),
        ("(XB = 1", "", "to close the bracket"),
        ("XB = 1)", ")", "after the end of the rule"),
        ("XB in DI_A", "in DI_A", "expected one of = >= > <= < after XB"),
        ("NL < x", "x", "expected a number after <"),
        ("2", "2", "a number alone must be 1 (true) or 0 (false)"),
        ("ZYZD in {DI_A,}", "}", "expected the name of a set"),
        ("{ZYZD in DI_A", "in", "to close the list"),
        ("ZYXX in DI_A", "ZYXX", "expected one of ZYZD"),
        ("ZYZD in MCC", "ZYZD", "only QTZD can be in them"),
        ("length(MCC ∩ QTZD) > 1", "MCC", "not MCC or CC"),
        ("length OP_1", "OP_1", "after length"),
        ("XB = 1 # male", "#", "'#' has no meaning in a rule"),
        ("ZYTS in DI_A", "in DI_A", "expected one of = >= > <= < after ZYTS"),
        ("CYKB = 3", "= 3", "expected 'in' or 'not in' after CYKB"),
        ("{CYKB, ZYZD} in DI_A", "{CYKB", "CYKB is a department: it cannot stand in a list"),
        ("{ZYSS, CYKB} not in OP_1", "{ZYSS", "CYKB is a department"),
        ("CYKB in CC", "CYKB", "only QTZD can be in them"),
        ("length(DEPT_X ∩ CYKB) > 0", "CYKB", "counts diagnoses and procedures"),
        ("length(OP_1 ∩ {ZYSS, CYKB}) > 0", "{ZYSS", "counts diagnoses and procedures"),
        ("count({OP_1, OP_2, OP_1} ∩ QTSS) > 1", "{OP_1", "names a set twice"),
        ("count({OP_1, CC} ∩ QTZD) > 1", "CC", "count() takes a set, not MCC or CC"),
        ("count({OP_1} ∩ CYKB) > 1", "CYKB", "count() counts diagnoses and procedures"),
        ("count({OP_1} QTSS) > 1", "QTSS", "after the sets in count()"),
        ("count(OP_1 ∩ QTSS > 1", "> 1", "to close count()"),
        ("count(OP_1 ∩ QTSS) in OP_2", "in OP_2", "expected one of"),
        ("count in OP_1", "count", "expected one of ZYZD"),
        ("{ZYTS} > 3", "ZYTS", "expected one of ZYZD"),
        ("XB == 1", "= 1", "expected a number after ="),
        ("XB = 1 and", "", "the rule ends where a condition is expected"),
        ("and XB = 1", "and", "'and' where a condition is expected"),
    ],
)
def test_an_error_stands_under_the_fault(text: str, at: str, message: str) -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        parse_rule(text, where="sheet DRG, row 7, ES43")
    assert caught.value.position == (text.index(at) if at else len(text))
    first, shown, caret = str(caught.value).split("\n")
    assert first.startswith("sheet DRG, row 7, ES43: ")
    assert message in first
    assert shown[caret.index("^") :].startswith(at)


def test_the_caret_stays_right_in_a_long_rule() -> None:
    text = " or ".join(["XB = 1"] * 200) + " or XB ? 1" + " or XB = 1" * 200
    with pytest.raises(RuleSyntaxError) as caught:
        parse_rule(text)
    _, shown, caret = str(caught.value).split("\n")
    assert shown[caret.index("^")] == "?"
    assert len(shown) < 100


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "XB = 1" + ")" * 10_000,
        "not " * 10_000 + "XB = 1",
        "not (" * 10_000 + "XB = 1" + ")" * 10_000,
        "{" * 10_000,
        "ZYZD in {" + "DI_A," * 10_000,
    ],
)
def test_a_hostile_rule_is_refused(text: str) -> None:
    with pytest.raises(RuleSyntaxError):
        parse_rule(text)


def test_brackets_may_nest_deeper_than_any_official_rule() -> None:
    assert parse_rule("(" * 60 + "XB = 1" + ")" * 60) == MALE


def test_a_rule_of_a_megabyte_is_read() -> None:
    text = " or ".join(["ZYZD in DI_A"] * 65_000)
    assert len(text) > 1_000_000
    rule = parse_rule(text)
    assert isinstance(rule, Or)
    assert len(rule.parts) == 65_000
