"""Normalising, masks and programs say of every assignment what the rule itself says."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.grouper.intervals import whole_comparison
from drgcore.grouper.kernel import _compare
from drgcore.grouper.lowering import (
    ACCEPT,
    REJECT,
    SEPARABLE,
    Program,
    any_of,
    bounds,
    dimensions,
    is_complication,
    normalise,
    residual,
)
from drgcore.grouper.packing import pack
from drgcore.schemes import parse_rule
from drgcore.schemes.rules import (
    OPERATORS,
    TRUE,
    And,
    Literal,
    Member,
    Not,
    Or,
    Rule,
    atoms,
)
from tests.grouper.strategies import rules
from tests.schemes.strategies import Case, cases, holds
from tests.schemes.strategies import rules as trees

COMPARISONS = dict(
    zip(OPERATORS, (operator.eq, operator.ge, operator.gt, operator.le, operator.lt), strict=True)
)


def _evaluate(rule: Rule, truth: Callable[[Rule], bool]) -> bool:
    if isinstance(rule, Literal):
        return rule.value
    if isinstance(rule, Not):
        return not _evaluate(rule.part, truth)
    if isinstance(rule, And):
        return all(_evaluate(p, truth) for p in rule.parts)
    if isinstance(rule, Or):
        return any(_evaluate(p, truth) for p in rule.parts)
    return truth(rule)


def _run(program: Program, start: int, truth: dict[int, bool]) -> bool:
    """Follow the jumps; an instruction's operand is the number of its atom."""
    code = program.code()
    at = start
    for _ in range(len(code) + 1):
        if at < 0:
            return at == ACCEPT
        _, atom, _, if_true, if_false = code[at]
        at = if_true if truth[atom] else if_false
    pytest.fail("a program runs in a circle")


# --- normalise --------------------------------------------------------------------------------


@given(trees, cases)
def test_a_normalised_rule_says_the_same(rule: Rule, case: Case) -> None:
    assert holds(normalise(rule), case) == holds(rule, case)


@given(trees)
def test_a_normalised_rule_is_in_normal_form(rule: Rule) -> None:
    for atom in atoms(normalise(rule)):
        if isinstance(atom, Member):
            assert len(atom.fields) == 1
            assert not atom.negated
            assert is_complication(atom) == bool({"MCC", "CC"} & set(atom.sets))
            assert not is_complication(atom) or len(atom.sets) == 1
            assert list(atom.sets) == sorted(set(atom.sets))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{ZYZD, QTZD} in DI_A", "ZYZD in DI_A or QTZD in DI_A"),
        ("{ZYZD, ZYZD} in {DI_B, DI_A, DI_B}", "ZYZD in {DI_A, DI_B}"),
        ("QTZD not in {MCC, CC}", "not (QTZD in MCC or QTZD in CC)"),
        ("QTZD in {DI_A, CC}", "QTZD in CC or QTZD in DI_A"),
        ("not ZYSS not in OP_A", "not not ZYSS in OP_A"),
        ("length(DI_A ∩ {ZYZD, QTZD}) > 1", "length(DI_A ∩ {ZYZD, QTZD}) > 1"),
    ],
)
def test_normal_forms(rule: str, expected: str) -> None:
    assert str(normalise(parse_rule(rule))) == expected


# --- dimensions and residual ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("", set()),
        ("ZYZD in DI_A and NL > 3", {"ZYZD", "NL"}),
        ("QTZD in MCC", {"CC"}),
        ("QTZD in DI_A", {"QTZD"}),
        ("length(DI_A ∩ ZYZD) = 1", {"COUNT", "ZYZD"}),
    ],
)
def test_dimensions(rule: str, found: set[str]) -> None:
    assert dimensions(normalise(parse_rule(rule))) == found


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("ZYZD in DI_A and ZYSS not in OP_A and NL > 3", "1"),
        ("ZYZD in DI_A and QTZD in MCC", "QTZD in MCC"),
        ("ZYZD in DI_A or NL > 3", "ZYZD in DI_A or NL > 3"),
        (
            "(ZYZD in DI_A or ZYZD in DI_B) and (ZYSS in OP_A or QTSS in OP_A)",
            "ZYSS in OP_A or QTSS in OP_A",
        ),
        # A count is not decided by the principal codes' masks.
        ("length(DI_A ∩ ZYZD) = 1 and ZYZD in DI_A", "length(DI_A ∩ ZYZD) = 1"),
        ("0 and ZYZD in DI_A", "0"),
        ("not (XB = 1 or XB = 2) and 1", "1"),
    ],
)
def test_residual(rule: str, left: str) -> None:
    assert str(residual(normalise(parse_rule(rule)))) == left


@settings(deadline=None)
@given(rules)
def test_masks_and_residual_together_are_the_rule(text: str) -> None:
    """For any truth of the atoms: the rule holds if each dimension admits it and the rest holds."""
    rule = normalise(parse_rule(text))
    tests = [a for a in dict.fromkeys(atoms(rule)) if not isinstance(a, Literal)][:8]
    for values in product((False, True), repeat=len(tests)):
        truth = dict(zip(tests, values, strict=True))

        def of(atom: Rule, known: dict[Rule, bool] = truth) -> bool:
            return known.get(atom, False)

        def seen_from(dimension: str) -> Callable[[Rule], np.ndarray | None]:
            return lambda atom: np.array([of(atom)]) if dimensions(atom) == {dimension} else None

        possible = all(bounds(rule, 1, seen_from(d))[0][0] for d in SEPARABLE)
        assert (possible and _evaluate(residual(rule), of)) == _evaluate(rule, of)


# --- bounds -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(rules, st.randoms(use_true_random=False))
def test_bounds_enclose_the_rule(text: str, draw: object) -> None:
    """What is certain holds and what is impossible does not, whatever the unknown atoms are."""
    rule = normalise(parse_rule(text))
    tests = [a for a in dict.fromkeys(atoms(rule)) if not isinstance(a, Literal)]
    known = {a: np.array([draw.random() < 0.5 for _ in range(4)]) for a in tests[::2]}  # type: ignore[attr-defined]
    possible, certain = bounds(rule, 4, known.get)
    assert not (certain & ~possible).any()
    for _ in range(8):
        free = {a: draw.random() < 0.5 for a in tests}  # type: ignore[attr-defined]
        for i in range(4):
            truth = {a: bool(known[a][i]) if a in known else free[a] for a in tests}
            held = _evaluate(rule, truth.__getitem__)
            assert held or not certain[i]
            assert not held or possible[i]


def test_bounds_of_what_is_wholly_known_are_exact() -> None:
    rule = normalise(parse_rule("ZYZD in DI_A and not (NL > 3 or ZYZD in DI_B)"))
    tables = {
        "ZYZD in DI_A": np.array([True, True, False, False]),
        "ZYZD in DI_B": np.array([True, False, True, False]),
    }
    possible, certain = bounds(rule, 4, lambda atom: tables.get(str(atom)))
    assert possible.tolist() == [False, True, False, False]
    assert certain.tolist() == [False] * 4
    tables["NL > 3"] = np.zeros(4, dtype=bool)
    possible, certain = bounds(rule, 4, lambda atom: tables.get(str(atom)))
    assert possible.tolist() == certain.tolist() == [False, True, False, False]


# --- any_of and programs ----------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(trees, max_size=4), cases)
def test_any_of_says_whether_one_holds(several: list[Rule], case: Case) -> None:
    assert holds(any_of([normalise(r) for r in several]), case) == any(
        holds(r, case) for r in several
    )


def test_any_of_merges_members_of_the_same_field() -> None:
    texts = ["ZYZD in DI_A", "NL > 3", "ZYZD in {DI_C, DI_B}", "QTZD in DI_A", "QTZD in MCC"]
    merged = any_of([normalise(parse_rule(t)) for t in texts])
    assert str(merged) == "ZYZD in {DI_A, DI_B, DI_C} or QTZD in DI_A or NL > 3 or QTZD in MCC"
    assert any_of([]) == Or(())


@settings(max_examples=200, deadline=None)
@given(st.lists(rules, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_programs_decide_as_their_rules_do(texts: list[str], draw: object) -> None:
    several = [normalise(parse_rule(t)) for t in texts]
    number: dict[Rule, int] = {}

    def operands(atom: Rule) -> tuple[int, int, int]:
        return 0, number.setdefault(atom, len(number)), 0

    program = Program(operands)
    starts = [program.add(rule) for rule in several]
    assert program.code().dtype == np.int32
    for _ in range(16):
        truth = {i: draw.random() < 0.5 for i in number.values()}  # type: ignore[attr-defined]
        for rule, start in zip(several, starts, strict=True):
            expected = _evaluate(rule, lambda atom, known=truth: known[number[atom]])
            assert _run(program, start, truth) == expected


def test_equal_rules_share_their_code() -> None:
    program = Program(lambda atom: (0, 0, 0))
    first = program.add(parse_rule("ZYZD in DI_A and NL > 3"))
    size = len(program.code())
    assert program.add(parse_rule("(ZYZD in DI_A) AND NL>3")) == first
    assert len(program.code()) == size == 2


def test_literals_need_no_instruction() -> None:
    program = Program(lambda atom: (0, 0, 0))
    assert program.add(TRUE) == ACCEPT
    assert program.add(Literal(False)) == REJECT
    assert program.add(Not(TRUE)) == REJECT
    assert program.add(Or(())) == REJECT
    assert program.code().shape == (1, 5)


def test_a_program_stops_at_the_first_answer() -> None:
    asked: list[str] = []
    program = Program(lambda atom: (0, asked.append(str(atom)) or len(asked) - 1, 0))
    start = program.add(parse_rule("NL > 1 and (NL > 2 or NL > 3)"))
    op, atom, _, if_true, if_false = program.code()[start].tolist()
    assert (op, asked[atom], if_false) == (0, "NL > 1", REJECT)
    op, atom, _, then, _ = program.code()[if_true].tolist()
    assert (asked[atom], then) == ("NL > 2", ACCEPT)


# --- numbers ----------------------------------------------------------------------------------


@given(
    st.sampled_from(OPERATORS),
    st.one_of(st.integers(0, 6), st.floats(0, 6, allow_nan=False)),
    st.integers(0, 8),
)
def test_a_count_compares_with_a_fraction_as_with_a_whole_number(
    sign: str, number: float, count: int
) -> None:
    whole_sign, whole = whole_comparison(sign, number)
    assert isinstance(whole, int)
    assert COMPARISONS[whole_sign](count, whole) == COMPARISONS[sign](count, number)


@given(st.sampled_from(OPERATORS), st.integers(-5, 5), st.integers(-5, 5))
def test_the_kernel_compares_by_the_place_of_the_operator(sign: str, left: int, right: int) -> None:
    assert _compare.py_func(OPERATORS.index(sign), left, right) == COMPARISONS[sign](left, right)


@pytest.mark.parametrize("width", [0, 1, 63, 64, 65, 200])
def test_bits_are_packed_lowest_first(width: int) -> None:
    bits = np.random.default_rng(width).random((5, width)) < 0.5
    words = pack(bits)
    assert words.dtype == np.uint64
    assert words.shape == (5, max(1, -(-width // 64)))
    for row in range(5):
        whole = sum(int(w) << 64 * i for i, w in enumerate(words[row]))
        assert [bool(whole >> i & 1) for i in range(width)] == bits[row].tolist()
        assert whole >> width == 0
