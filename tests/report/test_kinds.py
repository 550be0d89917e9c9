"""The kinds of reports: what they show, of ordinary and of odd cases."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

import drgcore
from drgcore.budget.tables import plain
from drgcore.cli.tables import write_all
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.report import KINDS, ReportInputs, Settled, make_report, write_report
from drgcore.report.pdf import find_browser
from drgcore.report.settled import read_tables
from tests.cli.conftest import run
from tests.cli.test_readme import ROOT, commands

ODD = [
    "=cmd()|' /C calc'!A0",
    "<script>alert(1)</script>",
    "\"'&<b>",
    "长" * 300,
    "张㛃\U0002a6a5院",
    "$x_1^2$",
]


def keys(report) -> list[str]:
    """The sections that a report has."""
    return [section.key for section in report.sections]


@pytest.fixture(scope="module")
def tables(grouped: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the commands write that reports of tables read."""
    folder = tmp_path_factory.mktemp("tables")
    cases = folder / "cases.parquet"
    pa.parquet.write_table(grouped, cases)
    old = folder / "old.parquet"
    drgcore.write_sample(old, 400, "chs-drg-2.0", seed=3)
    run("scheme", "migrate", old, "--effect", "--out", folder / "moved")
    run("audit", cases, "--out", folder / "audit.xlsx", "--signals", "upcoding,shifted")
    policy = drgcore.Policy.load("example")
    variant = policy.with_changes({"outliers": {"low": {"multiples": 0.5}}})
    found = drgcore.compare(grouped, {"now": policy, "round 2": variant}, year=2027)
    found.to_csv(folder / "compared")
    return {name: folder / name for name in ("moved", "audit.xlsx", "compared")}


def inputs_of(kind: str, inputs: ReportInputs, tables: dict[str, Path]) -> ReportInputs:
    """What a kind is made from."""
    change = {
        "year": {"period": "2027"},
        "hospital": {"hospital": "H02", "period": "2027"},
        "department": {"hospital": "H02", "department": "骨科", "period": ""},
        "migration": {"tables": tables["moved"]},
        "audit": {"tables": tables["audit.xlsx"]},
        "negotiation": {"tables": tables["compared"]},
    }.get(kind, {})
    if "tables" in change:
        return ReportInputs(tables=read_tables(change["tables"], ("changed", "cases")))
    return dataclasses.replace(inputs, **change)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_there_in_both_languages(kind, language, inputs, tables, tmp_path):
    report = make_report(kind, inputs_of(kind, inputs, tables), language)
    assert len(set(keys(report))) == len(keys(report)) >= 2
    drawn = sum(section.figure is not None for section in report.sections)
    assert drawn >= 2
    if language == "en":
        # Names of groups and departments are Chinese; what the report says is not.
        said = [report.title, *(text for s in report.sections for text in (s.title, s.alt))]
        assert not re.search("[\u4e00-\u9fff]", "".join(said).replace("骨科", ""))
        return
    files = write_report(report, tmp_path)
    page = files["html"].read_text(encoding="utf-8")
    assert report.title in page
    assert page.count("<svg") == drawn
    names = CalamineWorkbook.from_path(str(files["xlsx"])).sheet_names
    assert len(names) == len(report.sections) + 2


def test_a_year_has_all_of_its_money(inputs, settled):
    report = make_report("year", dataclasses.replace(inputs, period="2027"))
    by_key = {section.key: section for section in report.sections}
    assert set(by_key) >= {"point-values", "payments", "balances", "reconciliation", "reserve"}
    assert len(by_key["point-values"].table) == 24
    paid = by_key["payments"].table
    assert paid["final"].sum() == pytest.approx(settled.year["units"]["final"].sum())
    parts = by_key["pnl-parts"].table
    total = parts.drop(columns="case_class").sum()
    assert total["surplus"] == pytest.approx(total["payment"] - total["cost"])
    for name in ("pnl-mdc", "pnl-hospital"):
        assert by_key[name].table["surplus"].sum() <= total["surplus"] + 1e6
    assert by_key["pnl-hospital"].table["surplus"].sum() == pytest.approx(total["surplus"])


def test_a_hospital_is_shown_beside_its_region(inputs, grouped):
    whole = dataclasses.replace(inputs, period="2027", hospital="H02")
    report = make_report("hospital", whole, "en")
    by_key = {section.key: section for section in report.sections}
    number = grouped["hospital"].to_pylist().count("H02")
    assert dict(report.facts)["number of cases"] == f"{number:,}"
    assert len(by_key["hospitals"].table) > 5
    assert by_key["hospitals"].sentence.startswith("H02 (hatched)")
    assert set(by_key["statement"].table["hospital"]) == {"H02"}
    # Its surplus is that which the report of the region gives it.
    region = make_report("year", dataclasses.replace(inputs, period="2027"))
    [of_region] = [s.table for s in region.sections if s.key == "pnl-hospital"]
    expected = of_region.set_index("hospital")["surplus"]["H02"]
    assert by_key["pnl-department"].table["surplus"].sum() == pytest.approx(expected)
    # Departments are compared with the region's means, not with their own.
    assert not by_key["department"].table["cost_index"].round(3).eq(1).all()


def test_settled_is_the_same_from_ledger_and_from_files(settled, tmp_path, ledger):
    with drgcore.Ledger.open(ledger) as book:
        year = book.year(2027)
        march = book.closed_months(2027)[2]
    write_all(plain(year.settlement), tmp_path / "year.xlsx")
    write_all(plain(march.settlement), tmp_path / "month")
    again = Settled.from_files(tmp_path / "year.xlsx")
    # Written exactly, as fractions may be.
    exact = ["kappa", "ratio", "share", "limited"]
    for name in ("point_values", "statement", "units", "reconciliation"):
        pd.testing.assert_frame_equal(
            *(of.year[name].drop(columns=exact, errors="ignore") for of in (again, settled)),
            check_dtype=False,
        )
    month = Settled.from_files(tmp_path / "month", "2027-03")
    assert month.values("2027-03") == pytest.approx(settled.values("2027-03"))
    assert len(month.month("statement", "2027-03")) == len(settled.month("statement", "2027-03"))


# --- Odd cases --------------------------------------------------------------------------------


def odd(cases: pa.Table, **columns) -> pa.Table:
    """Cases with some columns otherwise."""
    for name, values in columns.items():
        cases = cases.set_column(cases.column_names.index(name), name, pa.array(values))
    return cases


def written(report, folder: Path) -> str:
    """A report as files; the page."""
    return write_report(report, folder, ["html"])["html"].read_text(encoding="utf-8")


def prices() -> dict:
    """How cases are paid without a settlement."""
    return {"policy": drgcore.Policy.load("example"), "values": {"employee": 64.5, "resident": 58}}


@pytest.mark.parametrize("kind", ["month", "year", "grouping"])
def test_an_empty_period(kind, inputs, tmp_path):
    period = "2031-05" if kind == "month" else "2031"
    report = make_report(kind, dataclasses.replace(inputs, period=period, settled=None))
    page = written(report, tmp_path)
    assert ("病例数", "0") in report.facts
    assert "<svg" not in page
    assert all(section.sentence for section in report.sections)


@pytest.mark.parametrize("cases", ["one hospital", "one case", "one case without a group"])
def test_very_few_cases(cases, grouped, tmp_path):
    if cases == "one hospital":
        chosen = grouped.filter(pa.compute.equal(grouped["hospital"].cast(pa.string()), "H01"))
    else:
        status = "grouped" if cases == "one case" else "invalid"
        chosen = grouped.filter(pa.compute.equal(grouped["status"].cast(pa.string()), status))
        chosen = chosen.slice(0, 1)
    report = make_report("month", ReportInputs(cases=chosen, period="2027-01", **prices()))
    whole = make_report("year", ReportInputs(cases=chosen, period="2027", **prices()))
    own = make_report("hospital", ReportInputs(cases=chosen, hospital=str(chosen["hospital"][0])))
    for i, made in enumerate((report, whole, own)):
        assert "看什么" in written(made, tmp_path / str(i))


def test_names_that_want_to_be_code(grouped, tmp_path):
    rows = len(grouped)
    cases = odd(
        grouped,
        hospital=[ODD[i % len(ODD)] for i in range(rows)],
        department=[ODD[(i // 7) % len(ODD)] for i in range(rows)],
        doctor_id=[ODD[(i // 3) % len(ODD)] for i in range(rows)],
    )
    inputs = ReportInputs(
        cases=cases, period="2027", hospital=ODD[1], department=ODD[0], **prices()
    )
    region = dataclasses.replace(inputs, hospital="", department="")
    for kind, of in (("year", region), ("hospital", inputs), ("department", inputs)):
        made = make_report(kind, of)
        files = write_report(made, tmp_path / kind)
        page = files["html"].read_text(encoding="utf-8")
        assert page.count("<script") == 1
        assert "alert(1)&lt;/script&gt;" in page
        book = CalamineWorkbook.from_path(str(files["xlsx"]))
        cells = {
            c for n in book.sheet_names for r in book.get_sheet_by_name(n).to_python() for c in r
        }
        assert ODD[0] in cells


def test_cases_that_have_little_else(tmp_path):
    cases = pa.table({"drg": ["BR13", None], "status": ["grouped", "ungrouped"]})
    report = make_report("grouping", ReportInputs(cases=cases))
    assert "reasons" not in keys(report)
    assert "BR13" in written(report, tmp_path)


# --- What is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("weekly", {}, "no report 'weekly'"),
        ("month", {"period": ""}, "needs the month"),
        ("month", {"period": "2027"}, "needs the month"),
        ("year", {"period": "2027-01"}, "needs the year"),
        ("hospital", {}, "needs its name"),
        ("hospital", {"hospital": "H99"}, "no case is of the hospital 'H99'"),
        ("department", {}, "needs its name"),
        ("month", {"cases": None}, "there are no cases"),
        ("migration", {}, "there is no table statuses"),
    ],
)
def test_what_is_missing_is_asked_for(inputs, kind, change, message):
    with pytest.raises(DrgcoreError, match=message):
        make_report(kind, dataclasses.replace(inputs, **change))


@pytest.mark.parametrize("period", ["2027-13", "27", "2027-1", "2027-01-01", "x"])
def test_a_period_is_a_month_or_a_year(period):
    with pytest.raises(DrgcoreError, match="is no period"):
        ReportInputs(period=period)


def test_files_that_are_no_settlement(tmp_path):
    with pytest.raises(DrgcoreError, match="no such file"):
        Settled.from_files(tmp_path / "x.xlsx")
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(DrgcoreError, match="there is no settlement"):
        Settled.from_files(tmp_path)
    (tmp_path / "b.xlsx").write_bytes(b"PK no workbook")
    with pytest.raises(DrgcoreError, match="cannot be read"):
        Settled.from_files(tmp_path / "b.xlsx")
    with pytest.raises(DrgcoreError, match="no ledger"):
        Settled.from_ledger(str(tmp_path / "none.sqlite"), 2027)
    assert not (tmp_path / "none.sqlite").exists()


def test_a_department_without_its_column(grouped):
    cases = grouped.drop_columns(["department"])
    inputs = ReportInputs(cases=cases, period="2027", **prices())
    assert any("department" in note for note in make_report("year", inputs).notes)
    with pytest.raises((CaseSchemaError, DrgcoreError), match="department"):
        make_report("department", dataclasses.replace(inputs, department="骨科"))


# --- The documents ----------------------------------------------------------------------------


@pytest.fixture
def at_hand(grouped: pa.Table, ledger: Path, tmp_path: Path, monkeypatch) -> Path:
    """A folder with the files that the documents speak of."""
    monkeypatch.chdir(tmp_path)
    pa.parquet.write_table(grouped, "grouped.parquet")
    for path in ledger.parent.iterdir():
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def test_the_readmes_commands(at_hand):
    starts = ["drgcore report year", "drgcore report month"]
    lines = commands("README.md", *starts)
    assert commands("README.zh.md", *starts) == lines
    for line in lines:
        wanted = shlex.split(line)[1:]
        if find_browser() is None:
            wanted = [part.removesuffix(",pdf") for part in wanted]
        assert "written report" in run(*wanted)
    names = {path.name for path in (at_hand / "report").iterdir()}
    assert names >= {"year.html", "year.xlsx", "month.html", "month.xlsx"}


def test_the_documents_python(at_hand):
    text = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(code, {})
    assert (at_hand / "report" / "month.html").exists()


# --- The command ------------------------------------------------------------------------------


def test_the_command_writes_and_names_its_files(grouped, ledger, tmp_path):
    cases = tmp_path / "grouped.parquet"
    pa.parquet.write_table(grouped, cases)
    out = tmp_path / "out"
    said = run("report", "month", cases, "--month", "2027-02", "--ledger", ledger, "--out", out,
               "--lang", "en", "--format", "html")  # fmt: skip
    assert said.splitlines() == [f"written {out / 'month.html'}"]
    assert [p.name for p in out.iterdir()] == ["month.html"]
    with pytest.raises(DrgcoreError, match="two sources"):
        run("report", "month", cases, "--month", "2027-02", "--out", out, "--ledger", ledger,
            "--settled", out)  # fmt: skip


def test_without_a_period_a_ledger_of_one_year_gives_it(grouped, ledger, tmp_path):
    cases = tmp_path / "grouped.parquet"
    pa.parquet.write_table(grouped, cases)
    run("report", "hospital", cases, "--hospital", "H01", "--ledger", ledger, "--lang", "en",
        "--format", "html", "--out", tmp_path)  # fmt: skip
    page = (tmp_path / "hospital.html").read_text(encoding="utf-8")
    assert "2027" in page.partition("</h1>")[2][:200]
    with drgcore.Ledger.open(tmp_path / "empty.sqlite"):
        pass
    with pytest.raises(DrgcoreError, match="the ledger has the years –"):
        run("report", "department", cases, "--department", "骨科", "--out", tmp_path, "--ledger",
            tmp_path / "empty.sqlite")  # fmt: skip
