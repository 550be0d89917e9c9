"""Proofs about rules: what is proved holds for every case."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.schemes import implication, parse_rule
from drgcore.schemes.implication import Prover
from drgcore.schemes.rules import And, Or, Rule

from .strategies import SETS, Case, cases, holds, rules

PROVER = Prover(SETS)


@settings(max_examples=100)
@given(rules, rules, st.lists(cases, min_size=10, max_size=10))
def test_no_case_contradicts_an_implication(premise: Rule, other: Rule, many: list[Case]) -> None:
    # Weaker forms of the premise are there so that implications do occur.
    for conclusion in (other, Or((premise, other)), And((premise, other))):
        if PROVER.implies(premise, conclusion):
            assert all(holds(conclusion, case) for case in many if holds(premise, case))
    assert PROVER.implies(premise, Or((premise, other)))


@settings(max_examples=100)
@given(rules, rules, st.lists(cases, min_size=10, max_size=10))
def test_no_case_meets_a_rule_that_never_holds(a: Rule, b: Rule, many: list[Case]) -> None:
    for rule in (a, And((a, b))):
        if PROVER.never(rule):
            assert not any(holds(rule, case) for case in many)


@pytest.mark.parametrize(
    ("premise", "conclusion", "proved"),
    [
        ("ZYZD in DI_A", "1", True),
        ("0", "ZYZD in DI_A", True),
        ("ZYZD in DI_A and NL < 17", "ZYZD in DI_AB", True),
        ("ZYZD in DI_A", "{ZYZD, QTZD} in DI_AB", True),
        ("ZYZD in DI_AB", "ZYZD in DI_A", False),
        ("{ZYZD, QTZD} in DI_A", "ZYZD in DI_A", False),
        ("{ZYZD, QTZD} not in DI_AB", "ZYZD not in DI_A", True),
        ("ZYZD not in DI_A", "ZYZD not in DI_AB", False),
        ("not ZYZD in DI_AB", "not ZYZD in DI_A", True),
        ("NL = 0", "NL < 1", True),
        ("NL < 1", "NL = 0", True),
        ("NL <= 17", "NL < 17", False),
        ("XSRTZ < 1", "XSRTZ = 0", False),
        ("XSRTZ < 1500", "XSRTZ <= 1500", True),
        ("length(OP_12 ∩ QTSS) >= 2", "length(OP_12 ∩ QTSS) > 0", True),
        ("length(OP_12 ∩ QTSS) >= 2", "length(OP_12 ∩ ZYSS) > 0", False),
        ("XB = 1 and NL < 5", "NL < 5 and XB = 1", True),
        ("1", "ZYZD in DI_A or ZYZD not in DI_A", True),
        # A missing age meets neither, so the two together do not hold for every case.
        ("1", "NL < 18 or NL >= 18", False),
        ("QTZD in MCC", "QTZD in {MCC, CC}", True),
        ("QTZD in CC", "QTZD in MCC", False),
    ],
)
def test_what_is_proved(premise: str, conclusion: str, proved: bool) -> None:
    assert PROVER.implies(parse_rule(premise), parse_rule(conclusion)) is proved


@pytest.mark.parametrize(
    ("text", "proved"),
    [
        ("0", True),
        ("not 1", True),
        ("NL < 0", True),
        ("NL = 17.5", True),
        ("NL > 0 and NL < 1", True),
        ("XSRTZ > 0 and XSRTZ < 1", False),
        ("XB = 3", True),
        ("NL = 0 and (NL > 17 or XB = 1 and NL > 2)", False),
        ("NL = 0 and NL > 17 or XB = 0", True),
        ("length(OP_12 ∩ QTSS) > 2", True),
        ("length(OP_12 ∩ QTSS) = 2", False),
        ("length(OP_12 ∩ QTZD) >= 1", True),
        ("length(OP_12 ∩ QTZD) = 0", False),
        ("ZYSS in DI_A", True),
        ("ZYSS not in DI_A", False),
        ("ZYZD in DI_A and {ZYZD, QTZD} not in DI_AB", True),
        ("ZYZD in DI_AB and ZYZD not in DI_A", False),
    ],
)
def test_what_never_holds(text: str, proved: bool) -> None:
    assert PROVER.never(parse_rule(text)) is proved


def test_giving_up_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    premise, conclusion = parse_rule("ZYZD in DI_A and (NL < 5 and XB = 1)"), parse_rule("NL < 9")
    assert PROVER.implies(premise, conclusion)
    monkeypatch.setattr(implication, "_MAX_STEPS", 2)
    assert not PROVER.implies(premise, conclusion)
