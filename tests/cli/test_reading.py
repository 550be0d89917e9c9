"""Commands on the files that the readme promises to read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import drgcore
from drgcore.cases import read_table
from drgcore.errors import CaseSchemaError

from .conftest import run, run_alone

DATA = Path(__file__).parents[1] / "data"


def test_from_excel_and_back_to_excel(tmp_path: Path) -> None:
    source, out = tmp_path / "cases.xlsx", tmp_path / "grouped.xlsx"
    row = {"case_id": "0007", "principal_diagnosis": "K80.101", "other_diagnoses": "I50.900"}
    row |= {"principal_procedure": "51.2300", "other_procedures": "", "sex": "男", "age_years": 45}
    with pd.ExcelWriter(source, engine="xlsxwriter") as book:
        pd.DataFrame({"说明": ["x"]}).to_excel(book, sheet_name="封面", index=False)
        pd.DataFrame([row]).to_excel(book, sheet_name="一月", index=False, startrow=1)
        book.sheets["一月"].write(0, 0, "某医院2027年1月出院病例")
    said = run_alone("group", source, out, "--sheet", "一月")
    assert said.code == 0
    assert said.err == f"note: {source}: row 1 above the column names left out\n"
    table = read_table(out)
    assert table["drg"].to_pylist() == ["HC43"]
    assert table["case_id"].to_pylist() == ["0007"]
    assert "HC43" in run("explain", source, "--sheet", "一月", "--id", "0007")


def test_from_hqms(tmp_path: Path) -> None:
    out = tmp_path / "grouped.parquet"
    kept = "A48,B15,C03C,D01"
    run("group", DATA / "excel" / "gbk.csv", out, "--mapping", "hqms", "--columns", kept)
    assert read_table(out)["drg"].to_pylist()[0] == "HC43"


def test_ids_compare_without_blanks_and_several_are_named() -> None:
    file, options = DATA / "ids" / "ids.csv", ("--mapping", "hqms", "--id-column", "A48")
    assert "J18.900" in run("explain", file, *options, "--row", 3)
    assert "J18.900" in run("explain", file, *options, "--id", "0001235")
    with pytest.raises(CaseSchemaError, match="2 cases have the id ' 0001234'") as caught:
        run("explain", file, *options, "--id", " 0001234")
    assert "rows 1, 2" in str(caught.value.hint)
    with pytest.raises(CaseSchemaError, match="no case has the id '1234'"):
        run("explain", file, *options, "--id", "1234")


def test_an_open_quote_ends_every_command(tmp_path: Path) -> None:
    file = DATA / "open-quote" / "openquote.csv"
    book = tmp_path / "book.sqlite"
    done = run_alone(
        *("settle", "month", file, "--month", "2027-01", "--policy", "example", "--ledger", book)
    )
    assert (done.code, done.out) == (2, "")
    assert "a quote in row 7 is never closed" in done.err
    assert "T3" not in done.err
    assert "Traceback" not in done.err
    for words in (
        ("weights", "statistics", file),
        ("forecast", "shares", file, "--year", "2028"),
        ("scenario", "compare", file, "--policy", "example", "--year", "2027"),
        ("ledger", "sanction", book, file, file, "--policy", "example"),
    ):
        with pytest.raises(CaseSchemaError, match="a quote in row 7"):
            run(*words)


def test_a_folder_is_settled_as_one_file_is(tmp_path: Path) -> None:
    grouped = drgcore.group(drgcore.sample_cases(1500, seed=4, hospitals=3))
    pq.write_table(grouped, tmp_path / "whole.parquet")
    for start, pool in ((0, "a"), (500, "b"), (1000, "c")):
        folder = tmp_path / "parts" / f"batch={pool}"
        folder.mkdir(parents=True)
        pq.write_table(grouped.slice(start, 500), folder / "x.parquet")
    policy = ("--policy", "example")
    scores = tmp_path / "scores.csv"
    hospitals = sorted(set(grouped["hospital"].to_pylist()))
    lines = [f"{hospital},90,5,10" for hospital in hospitals]
    head = "hospital,record quality,readmission,patient burden"
    scores.write_text("\n".join([head, *lines]), "utf-8")
    made: dict[str, dict[str, bytes]] = {}
    sources = ("whole.parquet", "parts", "parts/batch=*/x.parquet")
    for number, source in enumerate(sources):
        out, book = tmp_path / f"out{number}", tmp_path / f"{number}.sqlite"
        out.mkdir()
        cases = (tmp_path / source, *policy)
        run("settle", "month", *cases, "--month", "2027-01", "--ledger", book, "--out", out / "m")
        run("settle", "trial", *cases, "--year", "2027", "--out", out / "t", "--quality", scores)
        run("points", "compute", *cases, "--out", out / "p.parquet")
        files = list(out.rglob("*.csv"))
        made[source] = {str(path.relative_to(out)): path.read_bytes() for path in files}
        points = read_table(out / "p.parquet")
        made[source]["points"] = str(points.select(["case_id", "points"]).to_pylist()).encode()
    assert len(made["parts"]) > 5
    assert made["parts"] == made["whole.parquet"] == made["parts/batch=*/x.parquet"]


def test_a_bad_file_of_a_folder_ends_with_code_2(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pq.write_table(drgcore.sample_cases(40, seed=4), tmp_path / "in" / "a.parquet")
    (tmp_path / "in" / "b.parquet").write_bytes(b"PAR1")
    done = run_alone("group", "in", "out", cwd=tmp_path)
    assert done.code == 2
    # What is done is told, and then what is not.
    assert "1 files, 0 of them done before" in done.out
    assert "1 of 2 files cannot be grouped\nb.parquet: " in done.err
    refused = run_alone("weights", "statistics", "out", cwd=tmp_path)
    assert refused.code == 2
    assert "the results in this folder are not complete" in refused.err
