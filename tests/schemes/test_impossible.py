"""What no case can bring about, found in small schemes and in the shipped ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from drgcore.schemes import check_scheme, load_scheme

from .conftest import Rows, make_scheme


def _found(rows: Rows, *kinds: str) -> list[tuple[str, str, tuple[str, ...]]]:
    report = check_scheme(make_scheme(rows))
    return [(f.code, f.where, f.items) for f in report.warnings if f.code in kinds]


def _add(table: str, *row: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[table].append(list(row))


_KINDS = ("not-admitted", "same-rule", "same-name", "two-mdc", "unused-exclusion")


def test_a_sound_scheme_has_none(rows: Rows) -> None:
    assert _found(rows, *_KINDS) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([_add("sets", "DI_BR1", "S02.100")], ("not-admitted", "ADRG BR1", ("S02.100",))),
        # A rule of a DRG asks for less than its ADRG has let in.
        (
            [
                _add("sets", "DI_X", "G40.900"),
                _add("drg", "BR11", "名", "ZYZD in DI_X", "BR1", "MDCB", 0),
            ],
            ("not-admitted", "DRG BR11", ("G40.900",)),
        ),
        (
            [_add("drg", "BB12", "名", "NL >= 17 and QTZD in CC", "BB1", "MDCB", 0)],
            None,  # the same condition in another order is another rule to this check
        ),
        (
            [_add("drg", "BB12", "名", "QTZD in  CC and NL>=17", "BB1", "MDCB", 3)],
            ("same-rule", "ADRG BB1", ("BB13", "BB12")),
        ),
        (
            [_add("drg", "BB14", "开颅术", "NL < 3", "BB1", "MDCB", 2)],
            ("same-name", "ADRG BB1", ("BB14", "BB15")),
        ),
        ([_add("exclusions", "EX_9", "I46.900")], ("unused-exclusion", "exclusion table EX_9", ())),
    ],
)
def test_what_is_found(
    changes: list[Callable[[Rows], None]],
    expected: tuple[str, str, tuple[str, ...]] | None,
    rows: Rows,
) -> None:
    for change in changes:
        change(rows)
    assert _found(rows, *_KINDS) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("ZYZD in DI_B00", "ZYZD in DI_C00", True),
        ("ZYZD in DI_B00 and XB = 1", "ZYZD in DI_C00 and XB = 2", False),
        ("ZYZD in DI_B00 and XB = 1", "ZYZD in DI_C00", True),
        # What asks for more than the principal diagnosis takes some of its cases only.
        ("ZYZD in DI_B00 and QTZD in DI_B00", "ZYZD in DI_C00", False),
        ("ZYZD not in DI_B00", "ZYZD in DI_C00", False),
    ],
)
def test_diagnoses_of_two_mdc(first: str, second: str, found: bool, rows: Rows) -> None:
    rows["mdc"][1][2] = first
    rows["mdc"].append(["MDCC", "眼", second, 3])
    rows["adrg"].append(["CR1", "眼病", "", "MDCC", 1])
    rows["drg"].append(["CR19", "眼病", "", "CR1", "MDCC", 1])
    rows["sets"] += [["DI_C00", "I61.900"], ["DI_C00", "H26.900"]]
    expected = [("two-mdc", "MDC MDCB", ("I61.900",))] if found else []
    assert _found(rows, "two-mdc") == expected


def test_the_known_ones_of_the_shipped_schemes() -> None:
    found = {
        name: {f.where: f.items for f in check_scheme(load_scheme(name)).warnings if f.items}
        for name in ("chs-drg-1.1", "chs-drg-3.0", "chs-drg-2.0")
    }
    assert "S02.100" in found["chs-drg-1.1"]["ADRG BB1"]
    three = ("C85.900x008", "C85.900x013", "C85.900x020")
    assert found["chs-drg-3.0"]["ADRG RA1"] == found["chs-drg-3.0"]["ADRG RK2"] == three
    assert found["chs-drg-2.0"] == {}
