"""What the checks find: every finding on a scheme that is sound but for one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from drgcore.errors import SchemeError
from drgcore.schemes import Severity, check_scheme
from drgcore.schemes.checks import refuse_unsound

from .conftest import SMALL, Rows, make_scheme

ERROR, WARNING = Severity.ERROR, Severity.WARNING


def _set(table: str, row: int, column: int, value: Any) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[table][row][column] = value

    return change


def _add(table: str, *values: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[table].append(list(values))


def _drop(table: str, *at: int) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[table] = [row for i, row in enumerate(rows[table]) if i not in at]

    return change


def test_a_sound_scheme_has_no_findings() -> None:
    report = check_scheme(make_scheme(SMALL))
    assert report.errors == ()
    assert report.warnings == ()
    assert report.ok
    assert report.without_table == 1


@pytest.mark.parametrize(
    ("change", "code", "severity", "where", "message"),
    [
        (_set("drg", 0, 2, "XB == 1"), "rule-syntax", ERROR, "DRG AA19", "expected a number"),
        (_set("mdc", 1, 2, "ZYZD in DI_X"), "unknown-set", ERROR, "MDC MDCB", "the set DI_X"),
        (
            _set("drg", 1, 2, "length(OP_X ∩ QTSS) > 1"),
            "unknown-set",
            ERROR,
            "DRG BB11",
            "the set OP_X",
        ),
        (
            _add("adrg", "AA1", "又", "ZYSS in OP_BB1", "MDCA", 2),
            "duplicate-group",
            ERROR,
            "ADRG AA1",
            "stands 2 times",
        ),
        (
            _add("drg", "AA1", "又", "", "BR1", "MDCB", 9),
            "duplicate-group",
            ERROR,
            "DRG AA1",
            "of another level that it is not part of",
        ),
        (_set("adrg", 0, 3, "MDCX"), "unknown-parent", ERROR, "ADRG AA1", "the MDC MDCX, which"),
        (_set("drg", 0, 3, "AX1"), "unknown-parent", ERROR, "DRG AA19", "the ADRG AX1, which"),
        (_set("adrg", 0, 3, "AA1"), "wrong-level", ERROR, "ADRG AA1", "stands among the ADRG"),
        (_set("adrg", 0, 3, "BR19"), "wrong-level", ERROR, "ADRG AA1", "stands among the DRG"),
        (_set("drg", 0, 3, "MDCA"), "wrong-level", ERROR, "DRG AA19", "stands among the MDC"),
        (_set("drg", 0, 4, "MDCB"), "mdc-mismatch", ERROR, "DRG AA19", "its ADRG AA1 is in MDCA"),
        (_drop("drg", 0), "no-children", ERROR, "ADRG AA1", "has no DRG"),
        (
            _add("mdc", "MDCC", "眼", "ZYZD in DI_BR1", 3),
            "no-children",
            WARNING,
            "MDC MDCC",
            "ADRG",
        ),
        (
            _set("adrg", 3, 4, 2),
            "equal-sort",
            WARNING,
            "ADRG BR1",
            "shares sort 2 in MDCB with BQY; the lower code is tried first",
        ),
        (
            _set("adrg", 4, 4, 2),
            "equal-sort",
            WARNING,
            "ADRG B00",
            "shares sort 2 in MDCB with BQY; being a catch-all, it is tried last",
        ),
        (_set("adrg", 4, 4, 0), "catch-all-order", WARNING, "ADRG B00", "before BB1, BQY, BR1"),
        (_set("mdc", 1, 3, 1), "equal-sort", WARNING, "MDC MDCB", "shares sort 1 with MDCA"),
        (_add("sets", "DI_NEW", "G40.900"), "unused-set", WARNING, "set DI_NEW", "no rule names"),
        (_set("sets", 9, 1, ""), "empty-set", ERROR, "set DI_BR1", "has no member"),
        (_add("sets", "OP_AA1", "G40.900"), "mixed-set", WARNING, "set OP_AA1", "both diagnoses"),
        (
            _set("adrg", 3, 2, ""),
            "unreachable",
            WARNING,
            "ADRG B00",
            "BR1, tried before it, takes every case",
        ),
        (
            _set("adrg", 3, 2, "ZYSS in OP_BB1 and ZYZD in DI_BR1"),
            "unreachable",
            WARNING,
            "ADRG BR1",
            "BB1, tried before it, takes every case",
        ),
        (
            _set("adrg", 3, 2, "ZYSS in {OP_AA1, OP_BB1} and NL > 1"),
            "unreachable",
            WARNING,
            "ADRG BR1",
            "BQY, tried before it",
        ),
        (
            _set("adrg", 3, 2, "(ZYSS in OP_AA1 and XB = 1) or QTSS in OP_BB1"),
            "unreachable",
            WARNING,
            "ADRG BR1",
            "the groups tried before it together",
        ),
        (
            _set("drg", 2, 2, "QTZD in MCC and NL >= 17"),
            "unreachable",
            WARNING,
            "DRG BB13",
            "BB11, tried before it",
        ),
        (
            _set("drg", 1, 2, "ZYZD not in DI_B00"),
            "unreachable",
            WARNING,
            "DRG BB11",
            "excludes what the rules above it ask for",
        ),
        (_set("drg", 2, 2, "NL < 1 and NL >= 17"), "never-true", WARNING, "DRG BB13", "no case"),
        (_set("drg", 2, 2, "length(OP_BB1 ∩ QTSS) > 2"), "never-true", WARNING, "DRG BB13", "no"),
        (_set("drg", 2, 2, "ZYZD in OP_BB1"), "never-true", WARNING, "DRG BB13", "no case"),
        (
            _set("drg", 3, 2, "QTZD not in MCC and XB = 1"),
            "falls-through",
            WARNING,
            "ADRG BB1",
            "its last DRG BB15 has a condition",
        ),
        (_set("cc", 0, 2, "CCC"), "unknown-type", ERROR, "CC I46.900", "has type 'CCC'"),
        (
            _add("cc", "I46.900", "EX_1", "CC"),
            "cc-conflict",
            ERROR,
            "CC I46.900",
            "stands 2 times: MCC EX_1, CC EX_1",
        ),
        (
            _set("cc", 0, 1, "EX_9"),
            "unknown-exclusion",
            ERROR,
            "CC I46.900",
            "names the exclusion table EX_9",
        ),
    ],
)
def test_a_slip_is_found(
    rows: Rows,
    change: Callable[[Rows], None],
    code: str,
    severity: Severity,
    where: str,
    message: str,
) -> None:
    change(rows)
    report = check_scheme(make_scheme(rows))
    found = [f for f in (*report.errors, *report.warnings) if f.code == code]
    assert [(f.severity, f.where) for f in found] == [(severity, where)]
    assert message in found[0].message
    assert report.ok is (severity is WARNING)


@pytest.mark.parametrize(
    "last",
    [
        "",
        "1",
        # Whatever comes so far stands in DI_B00, and these two leave no case over.
        "ZYZD in DI_B00",
        "not QTZD in MCC",
        "QTZD not in MCC",
    ],
)
def test_a_last_group_that_takes_the_rest_is_fine(rows: Rows, last: str) -> None:
    rows["drg"][3][2] = last
    assert check_scheme(make_scheme(rows)).warnings == ()


@pytest.mark.parametrize("mark", ["无", "999", ""])
def test_no_exclusion_table_is_no_slip(rows: Rows, mark: str) -> None:
    rows["cc"][0][1] = mark
    report = check_scheme(make_scheme(rows))
    assert (report.errors, report.warnings, report.without_table) == ((), (), 2)


def test_a_table_may_be_called_999(rows: Rows) -> None:
    rows["cc"][0][1] = "999"
    rows["exclusions"].append(["999", "I10.x00"])
    assert check_scheme(make_scheme(rows)).without_table == 1


def test_codes_are_looked_up(rows: Rows) -> None:
    known = {
        "diagnoses": ["G40.900", "I61.900", "I46.900", "I46.100", "A18.000x047+M49.0*"],
        "procedures": ["33.6x00", "01.2400"],
    }
    dictionaries = {kind: pa.table({"code": codes}) for kind, codes in known.items()}
    report = check_scheme(make_scheme(rows), dictionaries)
    assert [(f.where, f.items) for f in report.warnings] == [
        ("table sets", ("01.2500", "55.5100")),
        ("table cc", ("I10.x00",)),
    ]
    assert report.warnings[0].message == "2 procedures are not in the dictionary: 01.2500, 55.5100"


def test_all_errors_are_told_at_once(rows: Rows) -> None:
    rows["adrg"][0][3] = "MDCX"
    rows["cc"][0][2] = "CCC"
    with pytest.raises(SchemeError) as caught:
        refuse_unsound(make_scheme(rows))
    told = str(caught.value)
    assert "errors in the scheme: 3" in told
    assert "ADRG AA1: belongs to the MDC MDCX" in told
    assert "DRG AA19: is said to be in MDCA" in told
    assert "CC I46.900: has type 'CCC'" in told
