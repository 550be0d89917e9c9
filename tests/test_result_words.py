"""Result files say in the language that is asked for what their codes mean; the codes stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

import drgcore
from drgcore.audit import audit_cases
from drgcore.estimate import DIFFERENCE_REASONS, WARNINGS
from drgcore.grouper import CODE_FLAGS
from drgcore.indicators import QUADRANTS
from drgcore.language import Language, Texts, use_language
from drgcore.migration import REASON_KINDS
from drgcore.migration.reasons import PARTED, ReasonKind
from drgcore.migration.summary import cause_text
from drgcore.scenarios import compare
from drgcore.subdivision import SplitCandidates, SplitLimits
from drgcore.trial import DIFFERENCE_KINDS, compare_returned
from drgcore.workbooks import write_tables
from tests.points.regions import cases as cases_of
from tests.points.regions import small

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAMPLE = drgcore.sample_cases(2_000, "chs-drg-3.0", seed=2)

Files = Mapping[str, list[str]]
"""File of a result → its columns that are in words."""


def compared_groups(folder: Path) -> Files:
    few = SAMPLE.slice(0, 200)
    official = drgcore.group(few, "chs-drg-2.0").select(["case_id", "drg"])
    found = drgcore.compare_groups(few, official, schemes=["chs-drg-2.0"])
    write_tables(folder / "kinds.csv", {"kinds": found.kinds})
    return {"kinds.csv": ["meaning"]}


def compared_returned(folder: Path) -> Files:
    ours = pd.DataFrame({"case_id": ["1", "2"], "drg": ["AA11", "BB11"], "points": [100.0, 50.0]})
    ours = ours.assign(value=64.0, amount_fen=[640_000, 320_000])
    theirs = pd.DataFrame({"case_id": ["1", "3"], "points": [100.0, 40.0], "amount": ["1", "2"]})
    found = compare_returned(ours, theirs)
    write_tables(folder / "by_kind.csv", {"by_kind": found.by_kind})
    return {"by_kind.csv": ["meaning"]}


def subdivided(folder: Path) -> Files:
    limits = SplitLimits(min_cases=5, alpha=0.99)
    candidates = SplitCandidates(listed=())
    ages = SAMPLE["age_years"].fill_null(0).to_numpy()
    cost = pa.array(np.where(ages >= 60, 20_000.0, 5_000.0) + ages)
    cases = SAMPLE.set_column(SAMPLE.column_names.index("total_cost"), "total_cost", cost)
    drgcore.subdivide(cases, candidates=candidates, limits=limits, bootstrap=0).write(folder)
    actions = pd.read_csv(folder / "steps.csv")["action"]
    assert set(actions) == {"merge", "split"}
    return {"decisions.csv": ["why"], "steps.csv": ["why"]}


def compared_policies(folder: Path) -> Files:
    change = {"base_points": {"groups": {"BR15": {"base_points": "81"}}}}
    table = cases_of({"pool": "employee"}, {"pool": "resident"})
    compare(table, {"a": small(), "b": small(change)}, year=2026).to_csv(folder)
    return {"differences.csv": ["parameter"]}


def audited(folder: Path) -> Files:
    severity = ["CC"] * 40 + ["none"] * 60 + (["CC"] * 10 + ["none"] * 90) * 2
    hospital = [name for name in ("H1", "H2", "H3") for _case in range(100)]
    table = pd.DataFrame({"hospital": hospital, "severity": severity, "drg": "ES25"})
    table = table.assign(case_id=[str(i) for i in range(300)], status="grouped", total_cost=9e3)
    found = audit_cases(table)
    write_tables(folder / "summary.csv", {"summary": found.summary})
    write_tables(folder / "cases.csv", {"cases": found.cases})
    return {"summary.csv": ["name", "definition", "not_run"], "cases.csv": ["note"]}


def checked(folder: Path) -> Files:
    report = drgcore.check_cases(SAMPLE.slice(0, 50))
    write_tables(folder / "checks.csv", {"checks": report.checks.to_pandas()})
    return {"checks.csv": ["why"]}


RESULTS: dict[str, Callable[[Path], Files]] = {
    "compare-groups": compared_groups,
    "compare-returned": compared_returned,
    "subdivide": subdivided,
    "compare-policies": compared_policies,
    "audit": audited,
    "check": checked,
}


@pytest.mark.parametrize("result", RESULTS)
def test_columns_of_words_are_in_the_language_that_is_asked_for(
    result: str, tmp_path: Path
) -> None:
    tables: dict[Language, dict[str, pd.DataFrame]] = {"zh": {}, "en": {}}
    wording: Files = {}
    for language, of in tables.items():
        folder = tmp_path / language
        folder.mkdir()
        with use_language(language):
            wording = RESULTS[result](folder)
        of |= {file: pd.read_csv(folder / file, dtype=str).fillna("") for file in wording}
    for file, columns in wording.items():
        chinese, english = tables["zh"][file], tables["en"][file]
        codes = chinese.columns.difference(columns)
        # What programs read is the same in both.
        pd.testing.assert_frame_equal(chinese[codes], english[codes])
        for column in columns:
            assert ((chinese[column] == "") == (english[column] == "")).all()
            assert (chinese[column] != "").any()
            assert [t for t in chinese[column] if t and not CHINESE.search(t)] == []
            assert [t for t in english[column] if CHINESE.search(t)] == []


@pytest.mark.parametrize(
    "texts",
    [
        *(drgcore.REASONS, CODE_FLAGS, REASON_KINDS, PARTED, DIFFERENCE_REASONS),
        *(DIFFERENCE_KINDS, WARNINGS, QUADRANTS),
    ],
)
def test_a_code_means_one_text_in_each_language(texts: Mapping[str, str]) -> None:
    assert isinstance(texts, Texts)
    with use_language("zh"):
        chinese = dict(texts)
    with use_language("en"):
        english = dict(texts)
    assert list(chinese) == list(english)
    assert all(CHINESE.search(text) for text in chinese.values())
    assert not any(CHINESE.search(text) for text in english.values())


@pytest.mark.parametrize("kind", list(ReasonKind))
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_cause_of_a_migration_is_a_sentence_in_each_language(kind: ReasonKind, side: str) -> None:
    own = {"kind": str(kind), "side": side, "level": "ADRG", "group": "AH1", "set_id": "OP_AH1"}
    cause = {**own, "codes": "96.7201"} | {f"then_{name}": None for name in (*own, "codes")}
    with use_language("zh"):
        assert CHINESE.search(cause_text(cause))
    with use_language("en"):
        assert not CHINESE.search(cause_text(cause))
        assert "{" not in cause_text(cause)


@pytest.mark.parametrize(
    ("language", "sheets", "headings"),
    [
        ("zh", ["检查汇总", "科室汇总", "问题明细"], ["校验", "级别", "状态", "原因"]),
        ("en", ["Checks", "By department", "Findings"], ["check", "level", "status", "why"]),
    ],
)
def test_a_workbook_of_findings_is_in_the_language_that_is_asked_for(
    language: Language, sheets: list[str], headings: list[str], tmp_path: Path
) -> None:
    source = tmp_path / "cases.parquet"
    drgcore.write_sample(source, 300, seed=3, dirty=0.3)
    with use_language(language):
        report = drgcore.check_file(source, tmp_path / "f.xlsx")
        said = str(report)
    book = CalamineWorkbook.from_path(tmp_path / "f.xlsx")
    assert book.sheet_names == sheets
    head, *rows = book.get_sheet_by_name(sheets[0]).to_python()
    assert head[:4] == headings
    levels = {row[1] for row in rows}
    assert levels == (
        {"错误", "提示", "建议"} if language == "zh" else {"error", "warning", "hint"}
    )
    assert bool(CHINESE.search(said)) == (language == "zh")


def test_texts_are_looked_up_when_one_asks() -> None:
    texts = Texts({"age_missing": "age in years is missing"})
    shown = []
    for language in ("zh", "en"):
        with use_language(language):
            shown.append((texts["age_missing"], dict(texts), repr(texts)))
    assert shown[0][0] == "年龄缺失"
    assert shown[1][0] == "age in years is missing"
    assert shown[0][1] != shown[1][1]
    assert shown[0][2] == "Texts({'age_missing': '年龄缺失'})"
    assert texts.get("other") is None
