"""Schemes with local variables: what a check says, and that they are compiled as any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drgcore.cli.scheme import app
from drgcore.errors import SchemeError
from drgcore.schemes import (
    Scheme,
    Severity,
    check_scheme,
    compile_scheme,
    diff_schemes,
    list_schemes,
    load_dictionary,
    load_scheme,
    read_source,
)
from drgcore.schemes.checks import refuse_unsound
from drgcore.schemes.rules import LOCAL_NAMES, LOCAL_VARIABLES, SetsMet, atoms

from .conftest import SMALL, Rows, make_scheme, write_csv, write_workbook

# Keeps the sets of departments asked for.
REST = " and CYKB not in {DEPT_X, DEPT_Y}"


@pytest.fixture
def local(rows: Rows) -> Rows:
    """The small scheme, one of its groups cut by each local variable."""
    rows["drg"][1][2] = "QTZD in MCC or ICUSC >= 96"
    rows["drg"][2][2] = "ZYTS > 60 and CYKB not in {DEPT_X, DEPT_Y}"
    rows["drg"].append(["BR11", "颅内出血，死亡", "LYFS = 5", "BR1", "MDCB", 0])
    rows["sets"] += [["DEPT_X", "0301"], ["DEPT_X", "ICU"], ["DEPT_Y", "内科"]]
    return rows


def _as_overlay(scheme: Scheme) -> Scheme:
    return Scheme(scheme.name, scheme.tables, {"base": "small"})


def test_a_scheme_says_which_columns_it_needs(local: Rows, rows: Rows) -> None:
    asked = ("ZYTS", "LYFS", "ICUSC", "CYKB")
    assert dict(make_scheme(local).local_columns) == {n: LOCAL_NAMES[n] for n in asked}
    rule = " or ".join(f"{name} = 1" for name in LOCAL_VARIABLES)
    rows["drg"] = [*SMALL["drg"][1:], ["AA19", "", rule, "AA1", "MDCA", 1]]
    assert dict(make_scheme(rows).local_columns) == dict(LOCAL_VARIABLES)
    assert not make_scheme(SMALL).local_columns
    rows["drg"] = [*SMALL["drg"][1:], ["AA19", "", "CYKB in DEPT_X", "AA1", "MDCA", 1]]
    assert dict(make_scheme(rows).local_columns) == {"CYKB": "department"}


def test_local_variables_are_a_warning_but_in_an_overlay(local: Rows) -> None:
    report = check_scheme(make_scheme(local))
    assert report.ok
    assert [(f.code, f.severity, f.where, f.items) for f in report.warnings] == [
        ("local-variable", Severity.WARNING, "variable CYKB", ("DRG BB13",)),
        ("local-variable", Severity.WARNING, "variable ICUSC", ("DRG BB11",)),
        ("local-variable", Severity.WARNING, "variable LYFS", ("DRG BR11",)),
        ("local-variable", Severity.WARNING, "variable ZYTS", ("DRG BB13",)),
    ]
    assert "cases must have the column icu_hours" in report.warnings[1].message
    assert check_scheme(_as_overlay(make_scheme(local))).warnings == ()


def test_many_groups_are_not_listed_whole(local: Rows) -> None:
    local["drg"] += [[f"BR2{i}", "名", f"ZYTS > {i}", "BR1", "MDCB", -9 + i] for i in range(7)]
    found = [f for f in check_scheme(make_scheme(local)).warnings if f.where == "variable ZYTS"]
    assert len(found[0].items) == 8
    assert found[0].message.endswith("DRG BR20, DRG BR21, DRG BR22, DRG BR23 … and 3 more")


def test_beijing_asks_for_the_length_of_stay() -> None:
    assert dict(load_scheme("beijing-2022").local_columns) == {"ZYTS": "length_of_stay"}


@pytest.mark.parametrize("name", [i.name for i in list_schemes() if i.name != "beijing-2022"])
def test_the_shipped_schemes_are_free_of_them(name: str) -> None:
    scheme = load_scheme(name)
    assert not scheme.local_columns
    # Not for being an overlay: its own tables have none.
    bare = check_scheme(Scheme(name, scheme.tables))
    assert not [f for f in bare.warnings if f.code.startswith("local-")]
    groups = (*scheme.mdcs, *scheme.adrgs, *scheme.drgs)
    assert not [g.code for g in groups if any(isinstance(a, SetsMet) for a in atoms(g.rule))]


def test_sets_met_are_a_warning_but_in_an_overlay(rows: Rows) -> None:
    rows["drg"][1][2] = "count({DI_B00, DI_BR1} ∩ QTZD) >= 2"
    report = check_scheme(make_scheme(rows))
    assert [(f.code, f.items) for f in report.warnings if f.code.startswith("local")] == [
        ("local-count", ("DRG BB11",))
    ]
    assert not [
        f for f in check_scheme(_as_overlay(make_scheme(rows))).warnings if "local" in f.code
    ]
    rows["drg"][1][2] = "count({DI_B00, DI_X} ∩ QTZD) >= 2"
    assert [f.code for f in check_scheme(make_scheme(rows)).errors] == ["unknown-set"]
    rows["drg"][1][2] = "count({DI_B00, DI_BR1} ∩ QTZD) > 2"
    assert "never-true" in [f.code for f in check_scheme(make_scheme(rows)).warnings]


def _member(set_id: str, code: str) -> Callable[[Rows], None]:
    return lambda rows: rows["sets"].append([set_id, code])


def _rule(row: int, rule: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows["drg"][row][2] = rule

    return change


@pytest.mark.parametrize(
    ("change", "code", "where", "message"),
    [
        (_member("DEPT_X", "无"), "no-code", "set DEPT_X", "stands for no code"),
        (_member("DI_B00", "--"), "no-code", "set DI_B00", "stands for no code"),
        (_member("DEPT_X", ""), None, "", ""),
        (_rule(2, "CYKB in {DEPT_X, DEPT_Z}"), "unknown-set", "DRG BB13", "the set DEPT_Z"),
        (_rule(3, "CYKB in DI_BR1 or 1"), "mixed-set", "set DI_BR1", "departments and of codes"),
        (_rule(2, f"LYFS > 9{REST}"), "never-true", "DRG BB13", "no case"),
        (_rule(2, f"ZYTS > 3 and ZYTS < 4{REST}"), "never-true", "DRG BB13", "no case"),
        (_rule(2, f"ICUSC > 100{REST}"), "unreachable", "DRG BB13", "BB11, tried before it"),
        (_rule(3, "ZYTS >= 0"), "falls-through", "ADRG BB1", "its last DRG BB15"),
        # Whatever the letters of a department look like, a case may have it.
        (_rule(2, "CYKB in DEPT_X"), None, "", ""),
        (_rule(2, "CYKB in {DEPT_Y, DEPT_X} and ZYTS >= 0"), None, "", ""),
    ],
)
def test_a_slip_is_found(
    local: Rows, change: Callable[[Rows], None], code: str | None, where: str, message: str
) -> None:
    change(local)
    report = check_scheme(_as_overlay(make_scheme(local)))
    found = [f for f in (*report.errors, *report.warnings) if f.code != "unused-set"]
    assert [(f.code, f.where) for f in found] == ([(code, where)] if code else [])
    if code:
        assert message in found[0].message
    assert report.ok is (code not in ("no-code", "unknown-set"))


def test_departments_are_looked_up_in_no_dictionary(local: Rows) -> None:
    kinds = ("diagnoses", "procedures")
    dictionaries = {kind: load_dictionary(kind) for kind in kinds}
    before = check_scheme(make_scheme(SMALL), dictionaries).warnings
    after = check_scheme(_as_overlay(make_scheme(local)), dictionaries).warnings
    assert after == before
    local["drg"][3][2] = "ZYZD not in DEPT_Y or ZYTS > 3 or 1"
    told = [f.items for f in check_scheme(make_scheme(local), dictionaries).warnings]
    assert ("内科",) in told


# --- Sources ----------------------------------------------------------------------------------


def test_workbook_folder_and_overlay_hold_the_same_scheme(local: Rows, tmp_path: Path) -> None:
    book = write_workbook(tmp_path / "city.xlsx", local)
    folder = write_csv(tmp_path / "city", local)
    assert read_source(folder).tables == read_source(book).tables
    compile_scheme(write_workbook(tmp_path / "small.xlsx", SMALL), tmp_path / "out", name="small")
    whole = compile_scheme(book, tmp_path / "out", name="whole")
    overlay = compile_scheme(folder, tmp_path / "out", name="city", base="small")
    assert [f.code for f in whole.warnings] == ["local-variable"] * 4
    assert overlay.warnings == ()
    assert overlay.digest == whole.digest
    assert overlay.changes == {"drg": 3, "sets": 3}
    loaded = load_scheme(tmp_path / "out" / "city")
    assert loaded.metadata["base"] == overlay.scheme.metadata["base"] == "small"
    assert check_scheme(loaded).warnings == ()
    assert not diff_schemes(loaded, load_scheme(tmp_path / "out" / "whole")).rows["drg"]
    assert loaded.local_columns == make_scheme(local).local_columns
    assert [use.fields for use in loaded.uses_of("ICU")] == [("CYKB",)]


def test_a_department_must_be_text_in_a_workbook_as_codes_must(local: Rows, tmp_path: Path) -> None:
    local["sets"].append(["DEPT_X", 301])
    with pytest.raises(SchemeError, match="stored as the number 301"):
        read_source(write_workbook(tmp_path / "city.xlsx", local))


def test_a_set_without_a_real_department_is_refused(local: Rows) -> None:
    local["sets"].append(["DEPT_X", "-"])
    with pytest.raises(SchemeError, match="set DEPT_X: holds '-'"):
        refuse_unsound(make_scheme(local))


def test_the_command_shows_what_cases_must_have(local: Rows, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> str:
        done = CliRunner(env={"COLUMNS": "80"}).invoke(app, list(map(str, arguments)))
        assert done.exit_code == 0, done.output
        return " ".join(done.stdout.split())

    folder = write_csv(tmp_path / "city", local)
    text = run("show", folder)
    assert "local variable ZYTS: cases must have the column length_of_stay" in text
    assert "local variable CYKB: cases must have the column department" in text
    assert "local variable" not in run("show", "chs-drg-1.1")
    assert "ZYTS > 60 and CYKB not in {DEPT_X, DEPT_Y}" in run("show", folder, "--group", "BB1")
    assert "ICU" in run("show", folder, "--set", "DEPT_X")
    assert "BB13 DEPT_X CYKB" in run("show", folder, "--code", "ICU")
    assert "[local-variable]" in run("check", folder)
