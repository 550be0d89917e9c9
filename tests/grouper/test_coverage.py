"""Every group has a case that reaches it, or a proof that none can; and the proofs are right."""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
import pytest

from drgcore.cases import FIRST_CODE
from drgcore.grouper.coverage import Coverage, Draft, cover, drafts_of, group_drafts, plain_case
from drgcore.grouper.plain import PlainCase, group_plainly
from drgcore.grouper.recipes import number_samples, recipes_for
from drgcore.grouper.tables import compile_tables
from drgcore.schemes import check_scheme
from tests.grouper.helpers import (
    SCHEMES,
    assert_same,
    by_kernel,
    by_plain,
    coverage,
    row_of,
    scheme,
    twin,
)
from tests.grouper.strategies import SchemeRows, scheme_of

# 1.0r (and Wuhan's version, which only cuts its DRG anew) lacks procedures and diagnoses in some
# rules, so that an ADRG takes all that comes by:
# - PB1 asks for nothing but an age of at most 28 days. What stands behind it in MDCP asks for that
#   too, but for PV1, which asks for nothing.
# - WB1 and YC1 have empty rules and stand first in their MDC.
_BEHIND_PB1 = ["PC1", "PJ1", "PK1", "PR1", "PS1", "PT1", "PT2", "PU1"]
_BEHIND_WB1 = ["WC1", "WJ1", "WR1", "WZ1"]
_BEHIND_YC1 = ["YR1", "YR2"]

# In 3.0 an MDC's last named ADRG take every diagnosis that the MDC admits, each of them by the
# diagnosis alone. MDCA has no catch-all; MDCP admits by age, not by diagnosis, so that P000 is
# reached by a newborn with a diagnosis of none of its groups.
_CATCH_ALLS = [f"{letter}000" for letter in "BCDEFGHIJKLMNOQRSTUVWXY"]

# PV1 of Suzhou asks for an age of at most 28 days and a diagnosis of DI_PV1, all of which are in
# DI_PR1 or DI_PU1, whose groups ask for the same age and stand before it.
_SUZHOU = ["PV19"]

UNREACHABLE = {
    "chs-drg-3.0": _CATCH_ALLS,
    "chs-drg-2.0": [],
    "chs-drg-1.1": [],
    "chs-drg-1.0r": [*_BEHIND_PB1, *_BEHIND_WB1, *_BEHIND_YC1],
    "wuhan-2022": [*_BEHIND_PB1, *_BEHIND_WB1, *_BEHIND_YC1],
    "suzhou-2023": _SUZHOU,
}


def _unreachable(name: str) -> set[str]:
    """The DRG listed above, those of an ADRG where that is listed."""
    listed = UNREACHABLE[name]
    return {d.code for d in scheme(name).drgs if d.code in listed or d.adrg in listed}


@pytest.mark.parametrize("name", SCHEMES)
def test_every_drg_has_a_witness_or_a_proof(name: str) -> None:
    found = coverage(name)
    assert found.open == ()
    assert set(found.unreachable) == _unreachable(name)
    everything = {d.code for d in scheme(name).drgs}
    assert set(found.witnesses) == everything - _unreachable(name)


@pytest.mark.parametrize("name", SCHEMES)
def test_each_witness_reaches_its_group_in_every_way(name: str) -> None:
    witnesses = coverage(name).witnesses
    rows = [row_of(case) for case in witnesses.values()]
    kernel = by_kernel(rows, scheme(name))
    assert [r["drg"] for r in kernel] == list(witnesses)
    plain = [by_plain(group_plainly(scheme(name), c)) for c in witnesses.values()]
    assert_same(kernel, plain, rows, "plain")
    assert_same(kernel, [twin(name).group(r) for r in rows], rows, "twin")


@pytest.mark.parametrize("name", SCHEMES)
def test_a_proof_names_rules_that_are_tried_earlier(name: str) -> None:
    of = scheme(name)
    order = [a.code for a in of.adrgs]
    for drg, proof in coverage(name).unreachable.items():
        reason, _, blockers = proof.partition(": ")
        assert reason == "an earlier rule always holds"
        target = of.drgs[[d.code for d in of.drgs].index(drg)]
        siblings = [d.code for d in of.drgs_of(target.adrg)]
        for blocker in blockers.split(", "):
            if blocker in siblings:
                assert siblings.index(blocker) < siblings.index(drg)
            else:
                assert order.index(blocker) < order.index(target.adrg)


# --- proofs checked by hand -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chs-drg-1.0r", "wuhan-2022"])
def test_what_blocks_groups_of_the_2020_revision(name: str) -> None:
    of = scheme(name)
    rules = {a.code: str(a.rule) for a in of.adrgs}
    assert rules["PB1"] == "XSRTL <= 28"
    assert rules["WB1"] == rules["YC1"] == "1"
    for mdc, blocker, behind in (
        ("MDCP", "PB1", _BEHIND_PB1),
        ("MDCW", "WB1", _BEHIND_WB1),
        ("MDCY", "YC1", _BEHIND_YC1),
    ):
        order = [a.code for a in of.adrgs_of(mdc)]
        assert order[0] == blocker
        assert set(behind) <= set(order)
    assert all("XSRTL <= 28" in rules[a] for a in _BEHIND_PB1)
    # The blocker itself has a DRG for every case.
    assert all(any(str(d.rule) == "1" for d in of.drgs_of(a)) for a in ("PB1", "WB1", "YC1"))


def test_what_blocks_the_catch_alls_of_3_0() -> None:
    """Without a parser: each diagnosis of MDCB is named alone by an ADRG of it."""
    of = scheme("chs-drg-3.0")
    for letter, mdc in (("B", "MDCB"), ("L", "MDCL"), ("Y", "MDCY")):
        assert str(of.group(mdc).rule) == f"ZYZD in DI_{letter}00"
        alone = [
            str(a.rule).removeprefix("ZYZD in ")
            for a in of.adrgs_of(mdc)
            if str(a.rule).startswith("ZYZD in ") and " " not in str(a.rule)[8:]
        ]
        taken = frozenset().union(*(of.sets[s] for s in alone))
        assert of.sets[f"DI_{letter}00"] <= taken


def test_what_blocks_a_group_of_suzhou() -> None:
    of = scheme("suzhou-2023")
    rules = {a.code: str(a.rule) for a in of.adrgs}
    assert rules["PV1"] == "ZYZD in DI_PV1 and XSRTL <= 28"
    assert rules["PR1"] == "ZYZD in DI_PR1 and XSRTL <= 28"
    assert rules["PU1"] == "ZYZD in DI_PU1 and XSRTL <= 28"
    # The MDC admits the diagnoses of DI_P00 only.
    assert of.sets["DI_PV1"] & of.sets["DI_P00"] <= of.sets["DI_PR1"] | of.sets["DI_PU1"]


# --- a wrong proof would be found out ---------------------------------------------------------


@lru_cache
def _reached_by_chance(name: str) -> frozenset[str]:
    """The DRG that 20,000 random cases reach, half of them aimed at groups proven unreachable."""
    draw = random.Random(f"search {name}")
    tables = compile_tables(scheme(name))
    diagnoses = range(FIRST_CODE, len(tables.diagnoses))
    procedures = range(FIRST_CODE, len(tables.procedures))
    numbers = {v: number_samples(tables, v) for v in ("XB", "NL", "XSRTL", "XSRTZ")}
    listed = np.flatnonzero(tables.complication).tolist()

    def anything() -> Draft:
        years = draw.choice((0, 0, 0, *numbers["NL"]))
        return Draft(
            draw.choice(diagnoses),
            tuple(
                draw.choice((draw.choice(listed), draw.choice(diagnoses)))
                for _ in range(draw.randrange(4))
            ),
            draw.choice((0, draw.choice(procedures))),
            tuple(draw.choice(procedures) for _ in range(draw.randrange(3))),
            draw.choice((1, 2)),
            years,
            min(draw.choice(numbers["XSRTL"]), 365) if years == 0 else -1,
            draw.choice(numbers["XSRTZ"]) if years == 0 else -1,
        )

    drafts = [anything() for _ in range(10_000)]
    aims = sorted(i for i, c in enumerate(tables.drg_codes) if c in coverage(name).unreachable)
    recipes = [r for i in aims for r in recipes_for(tables, i)]
    share = 10_000 // max(1, len(recipes)) + 1
    aimed = [d for r in recipes for d in drafts_of(tables, r, share)]
    # A recipe has few drafts where all is fixed but the diagnosis: fill up with other procedures.
    while aims and len(aimed) < 10_000:
        old = draw.choice(aimed[:2000])
        aimed.append(
            Draft(
                old.principal_diagnosis,
                (*old.other_diagnoses, draw.choice(listed)),
                draw.choice((old.principal_procedure, 0, draw.choice(procedures))),
                (*old.other_procedures, draw.choice(procedures)),
                *(old.sex, old.age_years, old.age_days, old.newborn_weight_g),
            )
        )
    drafts += aimed or [anything() for _ in range(10_000)]
    assert len(drafts) >= 20_000
    found = group_drafts(tables, drafts).drg
    return frozenset(tables.drg_codes[i] for i in np.unique(found[found >= 0]))


@pytest.mark.parametrize("name", SCHEMES)
def test_no_random_case_lands_in_a_group_proven_unreachable(name: str) -> None:
    reached = _reached_by_chance(name)
    assert len(reached) > 100
    assert not reached & set(coverage(name).unreachable)


def _tiny(adrgs: list[tuple[str, str]], drgs: dict[str, str] | None = None) -> Coverage:
    """Coverage of one MDC with these ADRG (code, rule)."""
    rows: SchemeRows = {
        "mdc": [("MDCB", "b", "ZYZD in DI_AB", 1)],
        "adrg": [(c, "x", rule, "MDCB", i) for i, (c, rule) in enumerate(adrgs)],
        "drg": [
            (c, "x", rule, c[:3], "MDCB", i)
            for i, (c, rule) in enumerate((drgs or {f"{a}9": "" for a, _ in adrgs}).items())
        ],
        "sets": [("DI_AB", "A00"), ("DI_AB", "B01.x"), ("DI_A", "A00"), ("OP_1", "00.1")],
        "cc": [("C02", "EX", "MCC"), ("D03", "无", "CC")],
        "exclusions": [("EX", "A00")],
    }
    return cover(scheme_of(rows))


@pytest.mark.usefixtures("small_dictionaries")
def test_coverage_of_small_schemes() -> None:
    shadowed = _tiny([("BA1", "ZYZD in DI_AB"), ("BA2", "ZYZD in DI_A")])
    assert set(shadowed.witnesses) == {"BA19"}
    assert shadowed.unreachable == {"BA29": "an earlier rule always holds: BA1"}
    apart = _tiny([("BA1", "ZYZD in DI_A"), ("BA2", "ZYSS in OP_1"), ("BA3", "")])
    assert set(apart.witnesses) == {"BA19", "BA29", "BA39"}
    assert apart.witnesses["BA29"].principal_diagnosis == "B01.x"
    nothing = _tiny([("BA1", "ZYZD in DI_NONE"), ("BA2", "NL < 5 and NL > 6"), ("BA3", "")])
    assert set(nothing.witnesses) == {"BA39"}
    assert set(nothing.unreachable) == {"BA19", "BA29"}
    assert all("contradict" in why for why in nothing.unreachable.values())


@pytest.mark.usefixtures("small_dictionaries")
def test_a_complication_that_the_diagnosis_excludes_is_no_witness() -> None:
    found = _tiny(
        [("BA1", "ZYZD in DI_A"), ("BA2", "")],
        {"BA11": "QTZD in MCC", "BA13": "QTZD in CC", "BA15": "", "BA21": "QTZD in MCC"},
    )
    # C02, the only MCC, is excluded by A00, the only diagnosis of BA1.
    assert "BA11" not in found.witnesses
    assert {"BA13", "BA15", "BA21"} <= set(found.witnesses)


@pytest.mark.usefixtures("small_dictionaries")
def test_what_is_not_proven_is_left_open_and_not_called_unreachable() -> None:
    # Two rules that together, but not singly, take all that BA3 could.
    found = _tiny([("BA1", "NL < 50"), ("BA2", "NL >= 50"), ("BA3", "")])
    assert "BA39" not in found.witnesses
    assert "BA39" in found.open


@pytest.mark.usefixtures("small_dictionaries")
def test_a_rule_that_only_a_missing_number_fulfils_is_not_called_unreachable() -> None:
    # An adult's age in days is not asked for, so that no comparison with it holds.
    rows: SchemeRows = {
        "mdc": [("MDCB", "b", "", 1)],
        "adrg": [("BA1", "x", "not XSRTL < 29 and not XSRTL >= 29", "MDCB", 1)],
        "drg": [("BA19", "x", "", "BA1", "MDCB", 1)],
    }
    of = scheme_of(rows)
    [adult] = by_kernel([row_of(PlainCase("A00", sex=1, age_years=40))], of)
    assert adult["drg"] == "BA19"
    assert "BA19" not in cover(of).unreachable


@pytest.mark.usefixtures("small_dictionaries")
def test_a_rule_of_too_many_alternatives_is_not_called_unreachable() -> None:
    # The first thousand alternatives contradict themselves; the last one does not.
    either = " and ".join(f"(ZYZD in DI_{i} or QTZD in DI_{i})" for i in range(10))
    rule = f"(NL < 5 and NL > 6 and {either}) or (ZYZD in DI_A and NL > 3)"
    rows: SchemeRows = {
        "mdc": [("MDCB", "b", "", 1)],
        "adrg": [("BA1", "x", rule, "MDCB", 1)],
        "drg": [("BA19", "x", "", "BA1", "MDCB", 1)],
        "sets": [("DI_A", "A00"), *((f"DI_{i}", "B01.x") for i in range(10))],
    }
    of = scheme_of(rows)
    [case] = by_kernel([row_of(PlainCase("A00", sex=1, age_years=40))], of)
    assert case["drg"] == "BA19"
    assert "BA19" not in cover(of).unreachable


def test_a_draft_is_written_out_as_the_case_it_is() -> None:
    tables = compile_tables(scheme("chs-drg-3.0"))
    draft = Draft(FIRST_CODE, (FIRST_CODE + 1,), 0, (), 1, 0, 3, -1)
    case = plain_case(tables, draft)
    first, second = tables.diagnoses.codes[:2].to_pylist()
    assert (case.principal_diagnosis, case.other_diagnoses) == (first, (second,))
    assert case.principal_procedure is None
    assert (case.age_days, case.newborn_weight_g) == (3, None)


@pytest.mark.parametrize("name", SCHEMES)
def test_what_the_rules_alone_prove_the_codes_prove_too(name: str) -> None:
    of = scheme(name)
    said = {
        finding.where
        for finding in check_scheme(of).warnings
        if finding.code in ("never-true", "unreachable")
    }
    proved = {d.code for d in of.drgs if not {f"ADRG {d.adrg}", f"DRG {d.code}"}.isdisjoint(said)}
    assert proved <= set(coverage(name).unreachable)
