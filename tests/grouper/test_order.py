"""The order of evaluation and what it does in a case, one small scheme for each sentence."""

from __future__ import annotations

from typing import Any

import pytest

from drgcore.grouper.plain import group_plainly
from drgcore.schemes import Scheme
from tests.grouper.helpers import Row, assert_same, by_kernel, by_plain, case_row, twin_of
from tests.grouper.strategies import DIAGNOSES, PROCEDURES, SchemeRows, scheme_of
from tests.grouper.test_random_schemes import _plain_case

pytestmark = pytest.mark.usefixtures("small_dictionaries")

SETS = [("DI_A", "A00"), ("DI_AB", "A00"), ("DI_AB", "B01.x"), ("OP_ALL", "00.1")]


def _scheme(
    mdcs: list[tuple[str, str, int]],
    adrgs: list[tuple[str, str, str, int]],
    drgs: list[tuple[str, str, str, int]] | None = None,
    **more: Any,
) -> Scheme:
    """MDC (code, rule, sort); ADRG and DRG (code, name, rule, sort). A DRG `…9` for each ADRG."""
    if drgs is None:
        drgs = [(f"{code}9", name, "", 1) for code, name, _, _ in adrgs]
    rows: SchemeRows = {
        "mdc": [(code, "", rule, sort) for code, rule, sort in mdcs],
        "adrg": [(c, name, rule, f"MDC{c[0]}", sort) for c, name, rule, sort in adrgs],
        "drg": [(c, name, rule, c[:3], f"MDC{c[0]}", sort) for c, name, rule, sort in drgs],
        "sets": SETS,
        **more,
    }
    return scheme_of(rows)


def _group(of: Scheme, **case: Any) -> Row:
    """Group one case in all three ways, which must agree."""
    row = case_row(**{"principal_diagnosis": "A00", "sex": 1, "age_years": 40, **case})
    [kernel] = by_kernel([row], of)
    assert_same([kernel], [by_plain(group_plainly(of, _plain_case(of, row)))], [row])
    assert kernel == twin_of(of, DIAGNOSES, PROCEDURES).group(row)
    return kernel


def test_the_first_mdc_in_sort_order_wins() -> None:
    of = _scheme(
        [("MDCB", "ZYZD in DI_AB", 2), ("MDCC", "ZYZD in DI_A", 1)],
        [("BA1", "b", "", 1), ("CA1", "c", "", 1)],
    )
    assert _group(of)["drg"] == "CA19"
    assert _group(of, principal_diagnosis="B01.x")["drg"] == "BA19"


def test_an_mdc_of_which_no_adrg_holds_is_passed_over() -> None:
    of = _scheme(
        [("MDCA", "", 1), ("MDCB", "ZYZD in DI_AB", 2), ("MDCC", "ZYZD in DI_A", 3)],
        [("AA1", "a", "ZYSS in OP_ALL", 1), ("BA1", "b", "NL > 60", 1), ("CA1", "c", "", 1)],
    )
    assert _group(of)["drg"] == "CA19"
    assert _group(of, age_years=61)["drg"] == "BA19"
    assert _group(of, age_years=61, principal_procedure="00.1")["drg"] == "AA19"


def test_groups_are_tried_in_sort_order_and_equal_sorts_by_code() -> None:
    of = _scheme(
        [("MDCB", "", 1)],
        [("BA1", "x", "NL > 60", 2), ("BA3", "x", "", 2), ("BA2", "x", "", 2), ("BA4", "x", "", 1)],
        [
            *[("BA43", "x", "", 2), ("BA45", "x", "NL < 50", 1), ("BA19", "x", "", 1)],
            *[("BA29", "x", "", 1), ("BA39", "x", "", 1)],
        ],
    )
    assert _group(of)["drg"] == "BA45"
    assert _group(of, age_years=50)["drg"] == "BA43"
    tied = _scheme([("MDCB", "", 1)], [("BA3", "x", "", 2), ("BA2", "x", "", 2)])
    assert _group(tied)["adrg"] == "BA2"


@pytest.mark.parametrize("sort", [0, 5, 9])
def test_a_catch_all_is_tried_last_whatever_its_sort(sort: int) -> None:
    of = _scheme([("MDCB", "", 1)], [("B00", "", "", sort), ("BA1", "x", "NL > 60", 5)])
    assert _group(of, age_years=61)["drg"] == "BA19"
    last = _group(of)
    assert (last["drg"], last["status"], last["reason"]) == ("B009", "ungrouped", "catch_all")


def test_a_named_group_with_an_empty_rule_is_tried_in_its_place() -> None:
    of = _scheme([("MDCB", "", 1)], [("BA1", "x", "NL > 60", 5), ("BZ1", "x", "", 1)])
    assert _group(of, age_years=61)["drg"] == "BZ19"


def test_an_unnamed_drg_without_a_rule_is_tried_last() -> None:
    of = _scheme(
        [("MDCB", "", 1)],
        [("BA1", "x", "", 1)],
        [("BA15", "", "", 1), ("BA11", "x", "QTZD in MCC", 2)],
        cc=[("C02", "无", "MCC")],
    )
    assert _group(of)["drg"] == "BA15"
    assert _group(of, other_diagnoses=["C02"])["drg"] == "BA11"


def test_an_ambiguous_group_stands_in_sort_order_and_has_its_own_status() -> None:
    of = _scheme(
        [("MDCB", "ZYZD in DI_AB", 1)],
        [
            ("BA1", "surgery", "ZYSS in OP_ALL and ZYZD in DI_A", 1),
            ("BQY", "", "ZYSS in OP_ALL", 2),
            ("BR1", "medicine", "", 3),
        ],
    )
    assert _group(of, principal_procedure="00.1")["adrg"] == "BA1"
    other = _group(of, principal_diagnosis="B01.x", principal_procedure="00.1")
    assert (other["adrg"], other["status"]) == ("BQY", "ambiguous")
    assert other["reason"] == "unrelated_procedure"
    assert _group(of, principal_diagnosis="B01.x")["adrg"] == "BR1"


def test_reasons_of_an_ungrouped_case() -> None:
    of = _scheme(
        [("MDCA", "", 1), ("MDCB", "ZYZD in DI_AB", 2)],
        [("AA1", "a", "ZYSS in OP_ALL", 1), ("BA1", "b", "NL > 60", 1), ("BA2", "b", "NL < 9", 1)],
        [("AA19", "a", "", 1), ("BA11", "b", "QTZD in CC", 1)],
    )
    assert _group(of, principal_diagnosis="C02")["reason"] == "no_mdc_diagnosis"
    assert _group(of)["reason"] == "no_adrg"
    no_drg = _group(of, age_years=61)
    assert (no_drg["mdc"], no_drg["adrg"], no_drg["drg"]) == ("MDCB", "BA1", None)
    assert (no_drg["status"], no_drg["reason"]) == ("ungrouped", "no_drg")
    # An ADRG was found: the next one is not tried, though its DRG would hold.
    assert _group(of, age_years=5)["reason"] == "no_drg"


def test_an_excluded_complication_does_not_count() -> None:
    of = _scheme(
        [("MDCB", "", 1)],
        [("BA1", "b", "", 1)],
        [("BA11", "b", "QTZD in MCC", 1), ("BA13", "b", "QTZD in CC", 2), ("BA15", "b", "", 3)],
        cc=[("C02", "EX_1", "MCC"), ("D03", "EX_2", "CC"), ("E04", "无", "MCC")],
        exclusions=[("EX_1", "A00"), ("EX_2", "B01.x")],
    )

    def of_case(principal: str, *others: str) -> tuple[str | None, str | None]:
        result = _group(of, principal_diagnosis=principal, other_diagnoses=others)
        return result["drg"], result["severity"]

    assert of_case("A00", "C02") == ("BA15", "none")
    assert of_case("B01.x", "C02") == ("BA11", "MCC")
    assert of_case("A00", "C02", "D03") == ("BA13", "CC")
    assert of_case("B01.x", "D03") == ("BA15", "none")
    # A table that the sheet of exclusions does not have excludes nothing.
    assert of_case("E04", "E04") == ("BA11", "MCC")
    # The principal diagnosis is no complication of itself unless it is coded twice.
    assert of_case("D03") == ("BA15", "none")


def test_the_newborns_weight_is_asked_for_only_where_the_group_hangs_on_it() -> None:
    of = _scheme(
        [("MDCP", "NL = 0", 1), ("MDCB", "", 2)],
        [
            ("PS1", "p", "XSRTZ < 1500 and ZYZD in DI_A", 1),
            ("PS2", "p", "XSRTZ >= 1500 and ZYZD in DI_A", 2),
            ("PU1", "p", "", 3),
            ("BA1", "b", "", 1),
        ],
        [
            *[("PS19", "p", "", 1), ("PS29", "p", "", 1), ("BA19", "b", "", 1)],
            *[("PU11", "p", "XSRTZ < 20001", 1), ("PU15", "p", "", 2)],
        ],
    )
    newborn = {"age_years": 0, "age_days": 3}
    assert _group(of, **newborn, newborn_weight_g=1499)["drg"] == "PS19"
    assert _group(of, **newborn, newborn_weight_g=1500)["drg"] == "PS29"
    assert _group(of, **newborn)["reason"] == "newborn_weight_missing"
    assert _group(of, **newborn, newborn_weight_g=-5)["reason"] == "newborn_weight_invalid"
    # With another diagnosis only the DRG hangs on it: each weight gives PU11, none gives PU15.
    assert _group(of, **newborn, principal_diagnosis="C02")["reason"] == "newborn_weight_missing"
    # A patient beyond the first year has no such weight.
    assert _group(of)["drg"] == "BA19"


def test_the_weight_is_not_asked_for_where_every_weight_leads_to_the_same_group() -> None:
    of = _scheme(
        [("MDCP", "", 1)],
        [("PS1", "p", "XSRTZ < 1500 and ZYZD in DI_A", 1), ("PU1", "p", "", 3)],
        [("PS19", "p", "", 1), ("PU19", "p", "", 1)],
    )
    assert _group(of, age_years=0, principal_diagnosis="B01.x")["drg"] == "PU19"
    assert _group(of, age_years=0)["reason"] == "newborn_weight_missing"


def test_a_weight_that_decides_only_which_mdc_fits_is_not_asked_for() -> None:
    of = _scheme([("MDCP", "ZYZD in DI_A and XSRTZ > 999", 1)], [("PS1", "p", "NL > 60", 1)])
    result = _group(of, age_years=0)
    assert (result["status"], result["reason"]) == ("ungrouped", "no_mdc")


def test_weights_that_no_newborn_has_do_not_matter() -> None:
    of = _scheme([("MDCP", "", 1)], [("PS1", "p", "XSRTZ < 1", 1), ("PU1", "p", "", 2)])
    assert _group(of, age_years=0)["adrg"] == "PU1"
    beyond = _scheme([("MDCP", "", 1)], [("PS1", "p", "XSRTZ > 20000", 1), ("PU1", "p", "", 2)])
    assert _group(beyond, age_years=0)["adrg"] == "PU1"


def test_a_number_that_no_rule_asks_for_may_be_missing() -> None:
    of = _scheme([("MDCB", "ZYZD in DI_A", 1)], [("BA1", "b", "", 1)])
    assert _group(of, sex=None, age_years=None)["drg"] == "BA19"


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        # Different codes are counted, each once, wherever they stand.
        ("length(DI_AB ∩ {ZYZD, QTZD}) = 2", True),
        ("length(DI_AB ∩ QTZD) >= 2", True),
        ("length(DI_AB ∩ ZYZD) > 1", False),
        ("length(DI_AB ∩ {ZYZD, QTZD}) >= 3", False),
        ("length(DI_AB ∩ {ZYZD, QTZD}) > 1.5", True),
        ("length(DI_AB ∩ {ZYZD, QTZD}) = 1.5", False),
        ("length(DI_AB ∩ {ZYZD, QTZD}) < 2000000000", True),
        ("length(DI_AB ∩ {ZYZD, QTZD}) >= 2000000000", False),
        ("length(DI_NONE ∩ QTZD) = 0", True),
        ("length(OP_ALL ∩ {ZYZD, QTSS}) = 0", True),
        # A missing number makes a comparison false, and its negation true.
        ("XSRTL < 29", False),
        ("not XSRTL < 29", True),
        ("ZYSS in OP_ALL", False),
        ("ZYSS not in OP_ALL", True),
        ("not (ZYSS not in OP_ALL)", False),
        ("NL >= 39.5 and NL < 40.5", True),
        ("NL < 99999999999", True),
    ],
)
def test_what_a_condition_says(rule: str, holds: bool) -> None:
    of = _scheme([("MDCB", "", 1)], [("BA1", "b", rule, 1), ("BZ1", "b", "", 2)])
    result = _group(of, other_diagnoses=["A00", "B01.x", "B01.x", "A00", "C02"])
    assert result["adrg"] == ("BA1" if holds else "BZ1")


def test_a_diagnosis_and_a_procedure_are_two_codes_to_a_count() -> None:
    # Both are the first of their kind, and so have the same number inside.
    rule = "length(MIXED ∩ {ZYZD, QTZD, ZYSS, QTSS}) = 2"
    sets = [("MIXED", "A00"), ("MIXED", "00.1")]
    of = _scheme([("MDCB", "", 1)], [("BA1", "b", rule, 1), ("BZ1", "b", "", 2)], sets=sets)
    assert _group(of)["adrg"] == "BZ1"
    assert _group(of, principal_procedure="00.1")["adrg"] == "BA1"
    assert _group(of, other_procedures=["00.1", "00.1"])["adrg"] == "BA1"
    other = {"principal_diagnosis": "C02", "other_diagnoses": ["A00"]}
    assert _group(of, **other, other_procedures=["00.1"])["adrg"] == "BA1"
    assert _group(of, **other, principal_procedure="00.1")["adrg"] == "BA1"
    # A code written in both places is both.
    both = {"principal_diagnosis": "00.1", "other_diagnoses": ["00.1"]}
    assert _group(of, **both)["adrg"] == "BZ1"
    assert _group(of, **both, other_procedures=["00.1", "00.1"])["adrg"] == "BA1"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("XSRTL = 365", "no_mdc_age"),
        ("XSRTL = 366", "no_mdc"),
        ("XSRTL > 59999", "no_mdc"),
        ("NL = 150", "no_mdc_age"),
        ("NL > 150", "no_mdc"),
        ("XSRTL > 364 and XB = 2", "no_mdc_sex, no_mdc_age"),
    ],
)
def test_only_an_age_that_somebody_can_have_is_another_age(rule: str, reason: str) -> None:
    of = _scheme([("MDCB", f"ZYZD in DI_A and {rule}", 1)], [("BA1", "b", "", 1)])
    for infant in ({}, {"age_years": 0, "age_days": 3}):
        assert ", ".join(_group(of, **infant)["reasons"]) == reason


def test_a_scheme_without_groups_or_sets_still_answers() -> None:
    assert (
        _group(scheme_of({"mdc": [("MDCA", "", "ZYZD in DI_A", 1)]}))["reason"]
        == "no_mdc_diagnosis"
    )
    assert _group(scheme_of({"mdc": [("MDCA", "", "ZYZD not in DI_A", 1)]}))["reason"] == "no_adrg"
    assert _group(scheme_of({}))["reason"] == "no_mdc_diagnosis"
