"""Every command that may last says of each step how much there is, and comes to its end."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from typer.testing import CliRunner

import drgcore
import drgcore.points
from drgcore.cli.app import app
from drgcore.cli.progress import Lines
from drgcore.language import use_language
from drgcore.points import Policy
from drgcore.progress import showing
from drgcore.report import ReportInputs, make_report
from drgcore.report.pdf import find_browser, write_pdf
from drgcore.weights import segments
from drgcore.workbooks import write_tables

ROWS = 400
EXAMPLE = ("--policy", "example")
LINE = re.compile(r"(?P<what>.+): (?P<done>[\d,]+) of (?P<total>[\d,]+) (?P<unit>.+?), [\d.,e+]+/s")


def counted(said: str) -> dict[str, str]:
    """What each step counted, which at its end is all that there is."""
    found = [LINE.match(line) for line in said.splitlines()]
    # The last line about a step is that of its end; the ones before it hang on the clock.
    last = {line["what"]: line for line in found if line}
    for line in last.values():
        assert line["done"] == line["total"], line[0]
    return {what: f"{line['total']} {line['unit']}" for what, line in last.items()}


def told_by(*arguments: str | Path) -> dict[str, str]:
    """What the steps of a command counted, which succeeds."""
    done = CliRunner().invoke(app, [*map(str, arguments), "--progress"])
    assert done.exit_code == 0, done.output
    return counted(done.stderr)


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """What the steps of calls within the block say."""
    text = io.StringIO()
    with showing(Lines(Console(file=text, width=200))):
        yield text


@pytest.fixture(scope="module")
def sample() -> pa.Table:
    """Cases of a year."""
    return drgcore.sample_cases(ROWS, seed=5)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, sample: pa.Table) -> Path:
    """A folder with cases, the same grouped and with points, and quality scores."""
    folder = tmp_path_factory.mktemp("counted")
    pq.write_table(sample, folder / "cases.parquet")
    grouped = drgcore.group(sample)
    pq.write_table(grouped, folder / "grouped.parquet")
    points = drgcore.compute_points(grouped, Policy.load("example"), year=2027)
    pq.write_table(points, folder / "points.parquet")
    hospitals = sorted(set(sample["hospital"].to_pylist()))
    scores = dict.fromkeys(("record quality", "readmission", "patient burden"), 90)
    pd.DataFrame({"hospital": hospitals, **scores}).to_csv(folder / "quality.csv", index=False)
    return folder


def test_closing_months_and_the_year(files: Path, tmp_path: Path) -> None:
    cases, book = files / "points.parquet", tmp_path / "ledger.sqlite"
    for month in range(1, 13):
        when = f"2027-{month:02d}"
        ledger = ("--ledger", book, *EXAMPLE, "--close")
        told = told_by("settle", "month", cases, "--month", when, *ledger)
        assert told[f"closing {when}"] == "3 steps"
        assert told[f"cases of {when}"] == told["adding up"] == f"{ROWS} cases"
    quality = ("--quality", files / "quality.csv")
    told = told_by("settle", "year", cases, "--year", "2027", *ledger, *quality)
    for step in ("reading closed months", "comparing with the closed months", "closing the year"):
        assert told[step] == "12 months"
    assert told_by("ledger", "verify", book) == {"checking": "13 entries"}
    with use_language("zh"):
        verify = ["ledger", "verify", str(book), "--progress"]
        assert "正在核对: 13 / 13 条记录" in CliRunner().invoke(app, verify).stderr


def test_comparing_policies(files: Path, tmp_path: Path) -> None:
    presets = Path(drgcore.points.__file__).parent / "presets"
    shutil.copy(presets / "example.toml", tmp_path / "other.toml")
    shutil.copy(presets / "example-base-points.csv", tmp_path)
    policies = (*EXAMPLE, "--policy", tmp_path / "other.toml")
    told = told_by("scenario", "compare", files / "grouped.parquet", *policies, "--year", "2027")
    assert told["comparing policies"] == "2 policies"
    assert told["points by example"] == f"{ROWS} cases"


def test_comparing_groups_with_the_official_ones(files: Path, tmp_path: Path) -> None:
    grouped = drgcore.group(pq.read_table(files / "cases.parquet"), "chs-drg-2.0")
    pacsv.write_csv(grouped.select(["case_id", "drg"]), tmp_path / "official.csv")
    told = told_by("compare-groups", files / "cases.parquet", tmp_path / "official.csv")
    assert told["comparing the groups"] == "6 steps"
    assert told["grouping the cases that differ by other schemes"].endswith(" schemes")
    assert told["trying other codes"].endswith(" cases")


def test_grouping_by_two_schemes(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "moved"
    told = told_by("scheme", "migrate", files / "cases.parquet", "--effect", "--out", out)
    assert told["grouping by both schemes"] == f"{ROWS} cases"
    assert told["explaining what moved"].endswith(" comparisons")
    assert told["counting what moved"] == "6 tables"
    assert told["writing moved"] == f"{len(list(out.iterdir()))} tables"


def test_comparing_with_what_was_returned(files: Path, tmp_path: Path) -> None:
    cases = pq.read_table(files / "points.parquet", columns=["case_id", "drg", "points"])
    cases = cases.append_column("amount", pa.nulls(ROWS, pa.float64()).fill_null(100.0))
    pq.write_table(cases, tmp_path / "returned.parquet")
    ours = ("--cases", files / "points.parquet", *EXAMPLE)
    quality = ("--quality", files / "quality.csv")
    statement = ("settle", "compare-returned", tmp_path / "returned.parquet", *ours)
    told = told_by(*statement, "--year", "2027", *quality)
    assert told["amounts of cases"] == f"{ROWS} cases"
    assert told["naming the differences"] == f"{ROWS} rows"
    assert told["comparing with what was returned"] == "5 steps"


def test_indicators_and_their_intervals(files: Path, tmp_path: Path) -> None:
    cases, out = files / "grouped.parquet", tmp_path / "indicators.csv"
    told = told_by("indicators", cases, "--interval", "bootstrap", "--out", out)
    assert told["readmissions"] == "4 steps"
    assert told["bringing the sums in order"].endswith(" columns")
    assert told["intervals"].endswith(" indicators")
    assert told["intervals by case"].endswith(" indicators")
    assert told["drawing cases again"].endswith(" units")


def test_profit_and_loss(files: Path) -> None:
    price = (*EXAMPLE, "--value", "employee=64.5,resident=58")
    told = told_by("pnl", files / "grouped.parquet", *price)
    assert told["points of cases"] == "4 steps"
    assert told["profit and loss"] == "6 steps"
    assert told["adding up"].endswith(" amounts")


def test_weights_and_the_sort_by_group(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = files / "grouped.parquet"
    told = told_by("weights", "statistics", cases)
    assert told["preparing the history"].endswith(" columns")
    # So few cases are sorted before anybody could read it.
    assert "sorting by group" not in told
    monkeypatch.setattr(segments, "_SHOWN_FROM", 0)
    assert told_by("weights", "statistics", cases)["sorting by group"].endswith(" cases")
    told = told_by("weights", "performance", cases, "--against", cases)
    assert told["measuring"] == "2 groupings"


def test_readmissions_of_a_policy(files: Path) -> None:
    rule = {"kind": "readmission", "within_days": 15, "same": "drg", "hospital": "same"}
    change = {"readmissions": [rule], "violations": {"points": {"readmission": "0.5"}}}
    policy = Policy.load("example").with_changes(change)
    with listening() as text:
        drgcore.find_readmissions(pq.read_table(files / "grouped.parquet"), policy)
    assert counted(text.getvalue())["readmissions"] == "3 steps"


def test_a_report_and_its_files(files: Path, tmp_path: Path) -> None:
    told = told_by("report", "grouping", files / "points.parquet", "--out", tmp_path)
    assert told["composing the report"] == "4 parts"
    assert told["writing the sheets"].endswith(" cells")


@pytest.mark.parametrize(
    "of",
    [
        {"period": "2027-03"},
        {"period": "2027"},
        {"hospital": "H01"},
        {"department": "产科"},
    ],
)
def test_composing_reports(files: Path, of: dict[str, str]) -> None:
    kind = "month" if "-" in of.get("period", "") else next(iter(of)).replace("period", "year")
    values = {"employee": 64.5, "resident": 58.0}
    cases = pq.read_table(files / "points.parquet")
    inputs = ReportInputs(cases, policy=Policy.load("example"), values=values, **of)
    with listening() as text:
        make_report(kind, inputs, "en")
    assert counted(text.getvalue())["composing the report"] == "4 parts"


@pytest.mark.skipif(find_browser() is None, reason="a page is printed by Chromium")
def test_printing_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>one page</p>", encoding="utf-8")
    with listening() as text:
        write_pdf(page, tmp_path / "page.pdf")
    assert counted(text.getvalue()) == {"printing page.pdf": "2 steps"}


def test_a_large_workbook_is_packed(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).random((30_000, 6))
    with listening() as text:
        write_tables(tmp_path / "large.xlsx", {"numbers": pd.DataFrame(numbers)})
    assert re.search(r"packing the workbook: [1-9]\d* MB", text.getvalue())


def test_patients_in_house(files: Path, tmp_path: Path) -> None:
    history = ("--history", files / "grouped.parquet")
    told = told_by("in-stay", files / "cases.parquet", tmp_path / "house.csv", *history)
    assert told["counting likely groups"] == "3 steps"
    assert told["checking likely groups"].endswith(" estimates")
