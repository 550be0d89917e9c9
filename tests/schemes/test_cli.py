"""`drgcore scheme`: thin, but what it prints is what the library says."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from drgcore.cli.scheme import app
from drgcore.errors import SchemeError
from drgcore.schemes import load_scheme

from .conftest import SMALL, Rows, write_csv, write_workbook


def _run(*arguments: str | Path, code: int = 0) -> str:
    """The output of a command, which must fit a terminal of 80 columns."""
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, list(map(str, arguments)))
    if isinstance(done.exception, Exception):
        raise done.exception
    assert done.exit_code == code
    assert all(cell_len(line) <= 80 for line in done.stdout.splitlines())
    return done.stdout


def _words(text: str) -> str:
    return " ".join(text.split())


def test_list() -> None:
    text = _words(_run("list"))
    assert "chs-drg-3.0 national 2027-01-01 492 825" in text
    assert text.index("chs-drg-3.0 ") < text.index("chs-drg-2.0 ") < text.index("anyang-2021 ")
    assert "beijing-2022 北京市 2022 chs-drg-1.1 376 696" in text
    assert "suzhou-2023 苏州市 2023 chs-drg-1.1 376 648" in text


def test_compile_writes_and_tells(workbook: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = _words(_run("compile", workbook, out, "--name", "small", "--title", "小方案"))
    assert "DRG, all rows 7" in text
    assert "repairs:" not in text
    assert load_scheme(out / "small").metadata["title"] == "小方案"


def test_compile_tells_repairs_warnings_and_changes(
    workbook: Path, tmp_path: Path, rows: Rows
) -> None:
    rows["sets"] += [["op_bb1", f"02.{i:04}"] for i in range(30)]
    rows["adrg"][3][2] = ""
    city = write_workbook(tmp_path / "city.xlsx", rows)
    _run("compile", workbook, tmp_path, "--name", "small")
    text = _words(_run("compile", city, tmp_path, "--name", "city", "--base", "small"))
    assert "rows of sets that differ from small 30" in text
    assert "repairs: 30 集合, row 12, 集合编号: letter case: 'op_bb1' → 'OP_BB1'" in text
    assert "… and 10 more" in text
    assert "warnings: 2 " in text
    assert "ADRG B00" in text
    assert "[unreachable]" in text


def test_show_a_scheme() -> None:
    text = _words(_run("show"))
    assert "医保发〔2026〕22号" in text
    assert "sets, rows in the source 106,950" in text
    assert "MDCE 呼吸系统疾病及功能障碍 30 69" in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--group", "MDCY"), "rule: ZYZD in DI_Y00 Group Name Rule YC1 HIV相关疾病的手术 ZYSS in"),
        (("--group", "AA1"), "MDC: MDCA 先期分组 Group Name Rule AA19 心肺移植 always"),
        (("--group", "AA19"), "rule: always ADRG: AA1 心肺移植"),
        (("--set", "OP_AA1"), "OP_AA1 1 codes Code Name 33.6x00 心脏-肺联合移植术"),
        (("--code", "33.6x00"), "ADRG AA1 OP_AA1 ZYSS 心肺移植"),
        (("--code", "Q99.nope"), "no rule of chs-drg-3.0 names it"),
    ],
)
def test_show_a_part(arguments: tuple[str, str], expected: str) -> None:
    assert expected in _words(_run("show", "chs-drg-3.0", *arguments))


def test_what_is_not_there_is_left_to_the_caller() -> None:
    with pytest.raises(SchemeError, match="no group 'ZZ99'"):
        _run("show", "--group", "ZZ99")
    with pytest.raises(SchemeError, match="no scheme 'nope'"):
        _run("show", "nope")


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("chs-drg-2.0", "B95.000", "不作为主要诊断: is no principal diagnosis for grouping"),
        ("chs-drg-3.0", "17.4100", "counts as none; here a rule names it, so it counts there"),
        (
            "chs-drg-3.0",
            "00.1000",
            "不参与分组: as a procedure it counts as none (不参与分组的手术",
        ),
        ("chs-drg-1.1", "A00.000x001", "MDC"),
        ("chs-drg-1.1", "47.0900", "置灰: a heading, not to be used on a settlement list"),
    ],
)
def test_show_the_lists_of_a_code(name: str, code: str, expected: str) -> None:
    assert expected in _words(_run("show", name, "--code", code))


def test_show_a_basic_group() -> None:
    assert "基层病组" in _run("show", "chs-drg-3.0", "--group", "BR29")
    assert "基层病组" not in _run("show", "chs-drg-3.0", "--group", "ES43")


def test_export_and_diff_to_files(tmp_path: Path) -> None:
    text = _run("export", "suzhou-2023", str(tmp_path / "city"), "--changes")
    assert "base.txt" in text.replace("\n", "")
    assert _run("check", str(tmp_path / "city"))
    _run("diff", "chs-drg-1.1", str(tmp_path / "city"), "--out", str(tmp_path / "diff"))
    lines = (tmp_path / "diff" / "sets.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == "set_id,change,code,member"
    assert "OP_FM1,changed,36.0700,removed" in lines


def test_check_a_sound_scheme() -> None:
    text = _words(_run("check", "suzhou-2023"))
    assert "warnings: 24 " in text
    assert "ADRG PV1 no case gets here: PU1" in text
    assert "suzhou-2023: errors 0, warnings 24; 168 diagnoses" in text


def test_check_a_scheme_with_errors(tmp_path: Path, rows: Rows) -> None:
    rows["adrg"][0][2] = "ZYSS in OP_X"
    text = _words(_run("check", write_csv(tmp_path / "bad", rows), code=1))
    assert "errors: 1 ADRG AA1 the rule names the set OP_X" in text
    assert "bad: errors 1, warnings 1" in text


def test_diff(workbook: Path, tmp_path: Path, rows: Rows) -> None:
    rows["drg"][0][1] = "心肺联合移植"
    text = _words(_run("diff", workbook, write_csv(tmp_path / "new", rows)))
    assert "drg 0 0 1" in text
    assert "small → new drg: 1 changed ~ AA19 name: 心肺移植 → 心肺联合移植" in text
    same = _words(_run("diff", workbook, write_csv(tmp_path / "same", SMALL)))
    assert same.endswith("small → same")
