"""The questions that a scheme answers."""

from __future__ import annotations

import pytest

from drgcore.errors import RuleSyntaxError, SchemeError
from drgcore.schemes import Adrg, CodeUse, Complication, Drg, GroupKind, Mdc, load_scheme

from .conftest import SMALL, Rows, make_scheme

SCHEME = make_scheme(SMALL)


def test_groups_are_in_the_order_in_which_they_are_tried(rows: Rows) -> None:
    for table in ("mdc", "adrg", "drg"):
        rows[table].reverse()
    rows["adrg"][0][4] = 0  # B00: a catch-all is tried last whatever its sort
    scheme = make_scheme(rows)
    assert [m.code for m in scheme.mdcs] == ["MDCA", "MDCB"]
    assert [a.code for a in scheme.adrgs] == ["AA1", "BB1", "BQY", "BR1", "B00"]
    assert [d.code for d in scheme.drgs] == [row[0] for row in SMALL["drg"]]


def test_the_official_catch_all_that_sorts_too_early_comes_last() -> None:
    scheme = load_scheme("chs-drg-3.0")
    codes = [a.code for a in scheme.adrgs_of("MDCO")]
    assert codes[-1] == "O00"
    assert {"OS2", "OT1", "OZ1"} <= set(codes)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("BB1", GroupKind.NAMED), ("BQY", GroupKind.AMBIGUOUS), ("B00", GroupKind.CATCH_ALL)],
)
def test_kinds_of_adrg(code: str, kind: GroupKind) -> None:
    group = SCHEME.group(code)
    assert isinstance(group, Adrg)
    assert group.kind is kind


def test_an_unnamed_group_with_a_rule_is_no_catch_all(rows: Rows) -> None:
    rows["adrg"][4][2] = "ZYZD in DI_B00"
    group = make_scheme(rows).group("B00")
    assert isinstance(group, Adrg)
    assert group.kind is GroupKind.NAMED


@pytest.mark.parametrize(
    ("code", "level", "name"),
    [
        ("MDCA", Mdc, "先期分组"),
        ("BB1", Adrg, "开颅术"),
        ("BB11", Drg, "开颅术，伴严重并发症"),
        ("BQY", Adrg, "歧义组"),
        ("B00", Adrg, "未入组"),
        ("B000", Drg, "未入组"),
    ],
)
def test_groups_by_code(code: str, level: type, name: str) -> None:
    assert isinstance(SCHEME.group(code), level)
    assert SCHEME.name_of(code) == name


def test_an_unknown_group_is_told() -> None:
    with pytest.raises(SchemeError, match="scheme small has no group 'ZZ9'"):
        SCHEME.group("ZZ9")


def test_what_belongs_to_a_group() -> None:
    assert [a.code for a in SCHEME.adrgs_of("MDCB")] == ["BB1", "BQY", "BR1", "B00"]
    assert [d.code for d in SCHEME.drgs_of("BB1")] == ["BB11", "BB13", "BB15"]
    assert [d.code for d in SCHEME.drgs_of("MDCA")] == ["AA19"]
    assert SCHEME.drgs_of("ZZ9") == ()


def test_codes_of_sets_and_exclusion_tables() -> None:
    assert SCHEME.codes_of("OP_BB1") == ("01.2400", "01.2500")
    assert SCHEME.codes_of("EX_1") == ("I46.100", "I46.900")
    with pytest.raises(SchemeError, match="scheme small has no set 'OP_X'"):
        SCHEME.codes_of("OP_X")


def test_complications() -> None:
    assert SCHEME.complications["I46.900"] == Complication("I46.900", "MCC", "EX_1")
    assert len(SCHEME.complications) == 3


def test_where_a_code_takes_part(rows: Rows) -> None:
    rows["drg"][2][2] = "length(OP_BB1 ∩ {ZYSS, QTSS}) > 1 or ZYSS in OP_BB1"
    scheme = make_scheme(rows)
    assert scheme.uses_of("01.2500") == (
        CodeUse("ADRG", "BB1", "OP_BB1", ("ZYSS", "QTSS")),
        CodeUse("ADRG", "BQY", "OP_ALL", ("ZYSS",)),
        CodeUse("DRG", "BB13", "OP_BB1", ("ZYSS", "QTSS")),
        CodeUse("DRG", "BB13", "OP_BB1", ("ZYSS",)),
    )
    assert scheme.uses_of("I46.900") == (
        CodeUse("CC", "MCC", "EX_1", ("QTZD",)),
        CodeUse("exclusion", "", "EX_1", ("ZYZD",)),
    )
    assert scheme.uses_of("X00.000") == ()


def test_sets_that_rules_name() -> None:
    assert SCHEME.named_sets() == SCHEME.sets.keys()


def test_a_wrong_scheme_is_told_when_it_is_used(rows: Rows) -> None:
    rows["drg"][1][2] = "QTZD inn MCC"
    with pytest.raises(RuleSyntaxError, match=r"^DRG BB11: expected 'in'"):
        _ = make_scheme(rows).drgs
    rows["adrg"][0][3] = "MDCX"
    with pytest.raises(SchemeError, match="group AA1 belongs to MDCX, which the scheme lacks"):
        _ = make_scheme(rows).adrgs
