"""The search for a better cut: its figures from single cases, its limits, its order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drgcore.errors import DrgcoreError, SchemeError
from drgcore.schemes import Scheme, load_scheme, parse_rule
from drgcore.schemes.rules import TRUE
from drgcore.subdivision.cells import MOST_CONDITIONS, make_cells
from drgcore.subdivision.conditions import Condition, SplitCandidates
from drgcore.subdivision.contrast import threshold, z_of_difference, z_of_parts
from drgcore.subdivision.local_scheme import name_groups, parts_of
from drgcore.subdivision.partition import MOST_GROUPS, Part, SplitLimits, search
from tests.reference.plain_partition import splits

LAX = SplitLimits(
    min_cases=2, n_min=2, min_difference=0.0, merge_difference=0.0, max_cv=1e9, penalty=0.0,
    merge=False, max_groups=2,
)  # fmt: skip


def condition(number: int) -> Condition:
    """A condition that stands for itself."""
    return Condition("age", parse_rule(f"NL <= {number}"), f"{number}")


def table_of(groups, truths, costs):
    return make_cells(np.array(groups), [np.array(t) for t in truths], np.array(costs, float))


@st.composite
def one_group(draw):
    """Cases of one group with up to three conditions."""
    size = draw(st.integers(3, 40))
    conditions = draw(st.integers(1, 3))
    truths = [
        draw(st.lists(st.booleans(), min_size=size, max_size=size)) for _ in range(conditions)
    ]
    costs = draw(
        st.lists(
            st.sampled_from([50.0, 100.0, 130.0, 5000.0, 9999.99]), min_size=size, max_size=size
        )
    )
    return truths, costs


@given(one_group())
def test_the_first_split_is_the_best_by_a_plain_count(case) -> None:
    truths, costs = case
    groups = [0] * len(costs)
    mean = float(np.mean(costs))
    everything = float(((np.array(costs) - mean) ** 2).sum()) or 1.0
    table = table_of(groups, truths, costs)
    _, cells, adrg_mean = table.of(0, 1, range(len(truths)))
    whole = Part(TRUE, np.ones(cells.moments.shape[1], bool), ("X",))
    conditions = [condition(i) for i in range(len(truths))]
    _, steps = search([whole], cells, conditions, LAX, 0.0, adrg_mean**2 / everything)
    allowed = [
        s
        for s in splits(groups, truths, costs, everything)
        if min(s.cases) >= 2 and s.gain > 1e-12 and (s.z > 0) == (s.means[0] > s.means[1])
    ]
    if not allowed:
        assert all(step.gain <= 1e-9 for step in steps)
        return
    best = max(allowed, key=lambda s: s.gain)
    done = steps[0]
    assert done.gain == pytest.approx(best.gain, rel=1e-6, abs=1e-12)
    same = next(s for s in allowed if conditions[s.condition] == done.condition)
    assert done.cases == same.cases
    assert [m * adrg_mean for m in done.means] == pytest.approx(same.means)
    assert done.cvs == pytest.approx(same.cvs, abs=1e-6)
    if np.isfinite(same.z):
        assert done.z == pytest.approx(same.z, rel=1e-4)


@given(one_group())
def test_parts_share_out_all_cells(case) -> None:
    truths, costs = case
    table = table_of([0] * len(costs), truths, costs)
    _, cells, _ = table.of(0, 1, range(len(truths)))
    whole = Part(TRUE, np.ones(cells.moments.shape[1], bool), ("X",))
    conditions = [condition(i) for i in range(len(truths))]
    limits = replace(LAX, max_groups=5)
    cut, steps = search([whole], cells, conditions, limits, 0.0, 1.0)
    assert len(cut) == len(steps) + 1 <= 5
    assert (sum(part.cells.astype(int) for part in cut) == 1).all()
    assert cut[-1].rule == TRUE


# --- Limits -----------------------------------------------------------------------------------


def two_sides(first, second, cv=0.3, seed=0):
    """Cells of two groups of cases (number, mean) that one condition tells apart."""
    rng = np.random.default_rng(seed)
    costs, truth = [], []
    for (number, mean), side in ((first, True), (second, False)):
        costs += (mean * rng.lognormal(-(cv**2) / 2, cv, number)).tolist()
        truth += [side] * number
    table = table_of([0] * len(costs), [truth], costs)
    return table.of(0, 1, [0])


def steps_of(sides, limits=None, z=5.0, kind="age"):
    _, cells, _ = sides
    whole = Part(TRUE, np.ones(cells.moments.shape[1], bool), ("X",))
    chosen = Condition(kind, parse_rule("NL <= 6"), "x")
    return search([whole], cells, [chosen], limits or SplitLimits(), z, 1e-3)[1]


def test_a_clear_difference_is_split() -> None:
    (step,) = steps_of(two_sides((100, 2000), (400, 1000)))
    assert step.cases == (100, 400)
    assert step.difference == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("sides", "limits"),
    [
        (two_sides((29, 5000), (400, 1000)), SplitLimits()),
        (two_sides((400, 1100), (400, 1000), cv=0.05), SplitLimits()),
        (two_sides((400, 3000), (400, 1000), cv=1.2), SplitLimits()),
        (two_sides((100, 2000), (400, 1000)), SplitLimits(penalty=0.5)),
        (two_sides((30, 1300), (30, 1000), cv=0.8), SplitLimits()),
    ],
    ids=["too few cases", "too small a difference", "too great a CV", "too small a gain", "chance"],
)
def test_each_limit_stops_a_split(sides, limits) -> None:
    assert steps_of(sides, limits) == []


def test_worse_complications_must_be_dearer() -> None:
    cheaper = two_sides((200, 1000), (200, 2000))
    assert len(steps_of(cheaper)) == 1
    assert steps_of(cheaper, kind="severity") == []


def three(means, counts=(100, 100, 100)):
    """DRGs of one ADRG by MCC, CC and neither."""
    rng = np.random.default_rng(1)
    drg = np.repeat([0, 1, 2], counts)
    cost = np.repeat(means, counts) * rng.lognormal(-0.02, 0.2, len(drg))
    table = table_of(drg, [np.zeros(len(drg), bool)], cost)
    where, cells, _ = table.of(0, 3, [0])
    rules = ["QTZD in MCC", "QTZD in CC", ""]
    parts = [
        Part(parse_rule(rule), table.drg[where] == i, (f"XX1{end}",))
        for i, (rule, end) in enumerate(zip(rules, "135", strict=True))
    ]
    return parts, cells


def test_neighbours_that_do_not_differ_are_merged() -> None:
    parts, cells = three((3000.0, 1010.0, 1000.0))
    cut, steps = search(parts, cells, [condition(0)], SplitLimits(), 5.0, 1e-3)
    assert [(s.why, s.of) for s in steps] == [("no_difference", "XX13+XX15")]
    assert [(p.origin, str(p.rule)) for p in cut] == [
        (("XX11",), "QTZD in MCC"),
        (("XX13", "XX15"), "1"),
    ]


def test_complications_that_are_cheaper_are_merged() -> None:
    parts, cells = three((1500.0, 2000.0, 1000.0))
    cut, steps = search(parts, cells, [condition(0)], SplitLimits(), 5.0, 1e-3)
    assert [s.why for s in steps] == ["not_monotone"]
    assert str(cut[0].rule) == "QTZD in {MCC, CC}"


def test_a_group_without_cases_stays_and_one_with_few_is_merged() -> None:
    parts, cells = three((3000.0, 2000.0, 1000.0), (4, 100, 0))
    cut, steps = search(parts, cells, [condition(0)], SplitLimits(), 5.0, 1e-3)
    assert [s.why for s in steps] == ["few_cases"]
    assert [p.origin for p in cut] == [("XX11", "XX13"), ("XX15",)]


def test_groups_that_differ_by_more_than_complications_are_not_merged() -> None:
    parts, cells = three((1000.0, 1000.0, 1000.0))
    parts[0] = replace(parts[0], rule=parse_rule("QTZD in MCC and NL >= 70"))
    cut, _ = search(parts, cells, [condition(0)], SplitLimits(), 5.0, 1e-3)
    assert [p.origin for p in cut] == [("XX11",), ("XX13", "XX15")]


def test_without_merging_all_stay() -> None:
    parts, cells = three((1000.0, 1000.0, 1000.0))
    cut, steps = search(parts, cells, [condition(0)], SplitLimits(merge=False), 5.0, 1e-3)
    assert (cut, steps) == (parts, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"min_cases": 3}, "min_cases=3 is below n_min=5"),
        ({"n_min": 1, "min_cases": 5}, "n_min and max_groups"),
        ({"max_groups": 1}, "n_min and max_groups"),
        ({"max_groups": 16}, "max_groups at most 15"),
        ({"merge_difference": 0.5}, "merge_difference must lie between"),
        ({"alpha": 0.0}, "alpha in"),
        ({"penalty": -1.0}, "penalty not negative"),
        ({"max_cv": 0.0}, "max_cv must be positive"),
    ],
)
def test_limits_that_make_no_sense(change, said) -> None:
    with pytest.raises(DrgcoreError, match=said):
        SplitLimits(**change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ages": (70, 18)}, "ages=.* must ascend"),
        ({"stay_days": (-1,)}, "stay_days=.* must ascend"),
        ({"listed": ("colour",)}, "listed='colour' must be one of"),
        ({"ages": (0, 7)}, "nobody is below 0 years"),
        ({"procedures": {"my set": ["17.4100"]}}, "'my set' cannot be the name of a set"),
        ({"procedures": {"MCC": ["17.4100"]}}, "'MCC' cannot be the name of a set"),
        ({"procedures": {"and": ["17.4100"]}}, "'and' cannot be the name of a set"),
        ({"diagnoses": {"QD_X": []}}, "QD_X must be a list of one code or more"),
        ({"procedures": {"OP_X": "17.4100"}}, "OP_X must be a list of one code or more"),
        ({"procedures": {"X": ["1"]}, "diagnoses": {"X": ["2"]}}, "X is a list of procedures and"),
    ],
)
def test_candidates_that_make_no_sense(change, said) -> None:
    with pytest.raises(DrgcoreError, match=said):
        SplitCandidates(**change)


def test_too_many_conditions() -> None:
    with pytest.raises(DrgcoreError, match="46 conditions are too many"):
        table_of([0], [[True]] * (MOST_CONDITIONS + 1), [1.0])


# --- Chance -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "m", "t"), [(10, 200, 3.0), (30, 30, 5.0), (5, 6, 2.0), (800, 900, 6)]
)
def test_z_has_the_probability_of_t(n: int, m: int, t: float) -> None:
    apart = t * np.sqrt(1 / n + 1 / m)
    z = float(z_of_difference(n, m, apart, n + m - 2))
    exact = stats.norm.isf(stats.t.sf(t, n + m - 2))
    assert z == pytest.approx(exact, rel=0.01)


def test_the_threshold_holds_for_all_tests_together() -> None:
    rng = np.random.default_rng(3)
    tests, regions = 200, 400
    least = threshold(0.05, tests)
    false = 0
    for _ in range(regions):
        first, second = rng.normal(size=(tests, 10)), rng.normal(size=(tests, 40))
        squares = first.var(axis=1) * 10 + second.var(axis=1) * 40
        z = z_of_difference(10, 40, first.mean(axis=1) - second.mean(axis=1), squares)
        false += bool((np.abs(z) >= least).any())
    # 20 of 400 are expected; 40 are beyond four standard deviations.
    assert 4 <= false <= 40


def test_a_small_part_of_wide_spread_is_not_taken_for_sure() -> None:
    rng = np.random.default_rng(4)
    draws, n, m = 3000, 30, 3000
    small = rng.normal(0.0, 1.0, (draws, n))
    mean = rng.normal(0.0, 0.4 / np.sqrt(m), draws)
    squares = 0.16 * rng.chisquare(m - 1, draws)
    apart, own = small.mean(axis=1) - mean, small.var(axis=1) * n
    # The two means are the same: by the variance of both together, 3 of 100 pass for certain.
    assert (np.abs(z_of_difference(n, m, apart, own + squares)) > 5.2).sum() > 30
    z = [z_of_parts(n, m, a, (q, s)) for a, q, s in zip(apart, own, squares, strict=True)]
    assert np.abs(z).max() < 5.2
    exact = stats.norm.isf(stats.t.sf(3.0, 29.7))
    assert z_of_parts(30, 3000, 3.0, (29 * 30, 0.0001)) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("fitted", [0, 8])
def test_means_that_were_taken_off_before_cost_certainty(fitted: int) -> None:
    rng = np.random.default_rng(8)
    least, draws, size = 2.5, 4000, 24
    strata = np.arange(size) % (fitted + 1)
    code = np.arange(size) // (fitted + 1) % 2 == 0
    values = rng.normal(size=(draws, size))
    for stratum in range(fitted + 1):
        here = strata == stratum
        values[:, here] -= values[:, here].mean(axis=1, keepdims=True)
    first, second = values[:, code], values[:, ~code]
    squares = sum(part.var(axis=1) * part.shape[1] for part in (first, second))
    apart = first.mean(axis=1) - second.mean(axis=1)
    z = z_of_difference(code.sum(), (~code).sum(), apart, squares, fitted)
    # 50 of 4,000 are expected; as if no mean had been taken off, 150 and more of them would be.
    assert (np.abs(z) >= least).sum() <= 80


def test_where_means_leave_nothing_nothing_is_certain() -> None:
    assert z_of_difference(2, 3, 5.0, 0.1, 3) == 0.0


# --- Codes and names of groups ----------------------------------------------------------------


def named(adrg: str, *merged: int, scheme: str = "chs-drg-3.0", words: tuple[str, ...] = ()):
    """The new group that some neighbours of an ADRG become: code, name."""
    base = load_scheme(scheme)
    parts = parts_of(base, adrg)
    origin = tuple(parts[at].origin[0] for at in merged)
    at = merged[0]
    rule = parts[merged[-1]].rule
    parts[at : merged[-1] + 1] = [Part(rule, parts[at].cells, origin, words, merged=True)]
    group = name_groups(base, adrg, parts)[at]
    return group.code, group.name


def test_what_a_merged_group_takes_is_read_from_rules_not_from_digits() -> None:
    # EN13 is "MCC or CC": with EN15 it takes cases with an MCC too, and may not be called without.
    assert named("EN1", 1, 2) == ("EN1J", "呼吸系统早期康复治疗，不分合并症或并发症")
    assert named("IE2", 1, 2) == ("IE2J", "股骨手术，不分合并症或并发症")
    assert named("PK1", 0, 1) == ("PK1A", "新生儿伴呼吸机支持，伴严重或一般合并症或并发症")
    assert named("PK1", 1, 2) == ("PK1B", "新生儿伴呼吸机支持，不伴严重合并症或并发症")
    assert named("PK1", 0, 1, 2) == ("PK19", "新生儿伴呼吸机支持")
    # In 1.1 the rule of the second group says "MCC or CC", but MCC are gone by then.
    assert named("PK1", 1, 2, scheme="chs-drg-1.1")[0] == "PK1B"


def test_the_rest_of_a_split_says_what_it_is() -> None:
    words = {
        c.words: c.otherwise for c in SplitCandidates(ages=(7, 60), stay_days=(3,)).everywhere()
    }
    assert words == {
        "伴严重合并症或并发症": "不伴严重合并症或并发症",
        "伴合并症或并发症": "不伴合并症或并发症",
        "小于等于6岁": "大于等于7岁",
        "大于等于60岁": "小于60岁",
        "住院大于3天": "其他",
    }


def test_a_code_of_another_adrg_is_not_given_out() -> None:
    base = load_scheme("chs-drg-3.0")
    rows = base.tables["drg"].to_pylist()
    next(row for row in rows if row["code"] == "BB25")["code"] = "PK1A"
    tables = {**base.tables, "drg": pa.Table.from_pylist(rows, base.tables["drg"].schema)}
    odd = Scheme("odd", tables)
    parts = parts_of(odd, "PK1")
    both = Part(parts[1].rule, parts[0].cells, ("PK11", "PK13"), merged=True)
    assert name_groups(odd, "PK1", [both, parts[2]])[0].code == "PK1J"


def test_more_new_groups_than_letters_are_refused() -> None:
    base = load_scheme("chs-drg-3.0")
    (whole,) = parts_of(base, "BR1")[:1]
    cut = [replace(whole, words=(str(i),)) for i in range(MOST_GROUPS + 1)]
    assert len({g.code for g in name_groups(base, "BR1", cut[:-1])}) == MOST_GROUPS
    with pytest.raises(SchemeError, match="no letters are left for the groups of BR1"):
        name_groups(base, "BR1", cut)
