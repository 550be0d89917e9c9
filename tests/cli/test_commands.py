"""`drgcore group`, `explain`, `sample`, `demo`: the library's answers on the command line."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from rich.cells import cell_len

import drgcore
from drgcore.grouper import RESULT_COLUMNS
from drgcore.synthetic import sample_cases

from .conftest import ROWS, plain, run, run_alone


def results(path: Path, prefix: str = "") -> list[dict[str, str | None]]:
    """The result columns of a file, null where a CSV file holds nothing."""
    if path.suffix == ".csv":
        options = pa_csv.ConvertOptions(strings_can_be_null=True)
        table = pa_csv.read_csv(path, convert_options=options)
    else:
        table = pq.read_table(path)
    columns = [as_text(table[prefix + name]) for name in RESULT_COLUMNS]
    return pa.table(columns, names=list(RESULT_COLUMNS)).to_pylist()


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A result column as a text file holds it."""
    return (
        pc.binary_join(column, "|") if pa.types.is_list(column.type) else column.cast(pa.string())
    )


def expected(cases: Path, scheme: str = "chs-drg-3.0") -> list[dict[str, str | None]]:
    """The same by the library."""
    result = drgcore.group(pq.read_table(cases), scheme, columns=[])
    columns = [as_text(result[name]) for name in RESULT_COLUMNS]
    return pa.table(columns, names=list(RESULT_COLUMNS)).to_pylist()


def without_null_codes(cases: Path, folder: Path) -> Path:
    """The cases whose lists hold no null."""
    table = pq.read_table(cases)
    whole = [None not in codes for codes in table["other_diagnoses"].to_pylist()]
    assert 0 < sum(whole) < len(whole)
    pq.write_table(table.filter(pa.array(whole)), folder / "whole.parquet")
    return folder / "whole.parquet"


# --- group ------------------------------------------------------------------------------------


def test_group_keeps_the_columns_and_adds_the_results(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    text = run("group", cases, out)
    written = pq.read_table(out)
    assert written.schema.names == [*pq.read_schema(cases).names, *RESULT_COLUMNS]
    assert written.select(pq.read_schema(cases).names).equals(pq.read_table(cases))
    assert results(out) == expected(cases)
    assert text.startswith(f"{ROWS} cases by chs-drg-3.0\n  grouped ")
    assert "sex_missing" in text


@pytest.mark.parametrize("scheme", ["chs-drg-1.1", "suzhou-2023"])
def test_group_by_another_scheme(scheme: str, cases: Path, tmp_path: Path) -> None:
    assert f"by {scheme}" in run("group", cases, tmp_path / "o.parquet", "--scheme", scheme)
    assert results(tmp_path / "o.parquet") == expected(cases, scheme)


def test_group_to_csv_and_from_it_again(cases: Path, tmp_path: Path) -> None:
    cases = without_null_codes(cases, tmp_path)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    run("group", cases, first)
    assert first.read_bytes().startswith(b"\xef\xbb\xbf")
    assert results(first) == expected(cases)
    # What was written can be read as cases; its results are left out or given another name.
    run("group", first, second, "--prefix", "new_")
    assert results(second, "new_") == expected(cases)
    assert results(second) == expected(cases)


def test_group_keeps_the_columns_named(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    run("group", cases, out, "--columns", "total_cost, case_id", "--prefix", "p_")
    names = pq.read_schema(out).names
    assert names == ["total_cost", "case_id", *(f"p_{name}" for name in RESULT_COLUMNS)]
    assert results(out, "p_") == expected(cases)
    run("group", cases, out, "--columns", "")
    assert pq.read_schema(out).names == list(RESULT_COLUMNS)


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_group_is_the_same_on_any_number_of_threads(
    threads: str, cases: Path, tmp_path: Path
) -> None:
    run("group", cases, tmp_path / "o.parquet", "--threads", threads)
    assert results(tmp_path / "o.parquet") == expected(cases)


HQMS = ["A48", "A49", "B20", "A12C", "A14", "A16", "A17", "C03C", "C06X01C", "C06X02C", "C06X03C"]
HQMS += ["C14X01C", "C35X01C", "C35X02C", "D01", "医院名称"]
ADMISSIONS = [
    [
        "1",
        "1",
        "9",
        "2",
        "69",
        "",
        "",
        "G11.900",
        "S52.804",
        "",
        "-",
        "",
        "",
        "",
        "9000.50",
        "一院",
    ],
    [
        "2",
        "1",
        "3",
        "男",
        "0",
        "3",
        "999",
        "S82.100X011",
        "S13.101",
        "",
        "",
        "21.4X00",
        "",
        "",
        "",
        "二院",
    ],
    ["3", "2", "3", "", "50", "", "", "I10.X00", "", "", "", "", "", "", "1.00", "一院"],
    ["4", "1", "3", "1", "50", "", "", "无", "", "", "", "", "", "", "1.00", "一院"],
    ["5", "1", "3", "1", "60岁", "", "", "i10.x00", "", "", "", "", "", "", "1.00", "一院"],
]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_group_a_national_front_page_export(encoding: str, tmp_path: Path) -> None:
    src, out = tmp_path / "hqms.csv", tmp_path / "out.csv"
    with src.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([HQMS, *ADMISSIONS])
    text = run("group", src, out, "--mapping", "hqms")
    assert text.startswith("5 cases by chs-drg-3.0")
    found = [(r["drg"], r["status"], r["reason"], r["severity"]) for r in results(out)]
    assert found == [
        ("BU23", "grouped", None, "CC"),
        ("PQY", "ambiguous", "unrelated_procedure", "CC"),
        (None, "invalid", "sex_missing", None),
        (None, "invalid", "principal_diagnosis_missing", None),
        (None, "ungrouped", "no_mdc_diagnosis", "none"),
    ]
    kept = pa_csv.read_csv(out)
    assert kept["医院名称"].to_pylist() == [row[-1] for row in ADMISSIONS]
    assert kept.column_names[: len(HQMS)] == HQMS


def test_group_with_a_mapping_file_and_clinical_codes(tmp_path: Path) -> None:
    pair = drgcore.load_dictionary("diagnoses")["code"][0].as_py()
    mapping = tmp_path / "my.toml"
    mapping.write_text(
        'preset = "canonical"\nprincipal_diagnosis = "诊断"\nother_diagnoses = ""\n'
        'principal_procedure = ""\nother_procedures = ""\nsex = "性别"\nage_years = "年龄"\n',
        encoding="utf-8",
    )
    (tmp_path / "in.csv").write_text(f"诊断,性别,年龄\n{pair},女,30\n", encoding="utf-8")
    text = run("group", tmp_path / "in.csv", tmp_path / "o.csv", "--mapping", mapping, "--clinical")
    assert "codes translated to the insurance version" in text
    assert "codes unknown after translation: 0" in text


def test_progress_goes_to_the_error_stream(cases: Path, tmp_path: Path) -> None:
    done = run_alone("group", cases, tmp_path / "out.parquet", "--threads", "1", "--progress")
    assert done.code == 0
    assert f"reading cases.parquet: {ROWS} of {ROWS} cases, " in plain(done.err)
    assert done.out.startswith(f"{ROWS} cases by chs-drg-3.0\n")
    assert results(tmp_path / "out.parquet") == expected(cases)
    quiet = run_alone("sample", tmp_path / "s.parquet", "--rows", "5")
    assert (quiet.code, quiet.err) == (0, "")


# --- explain ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, ROWS])
def test_explain_a_row_or_an_id(number: int, cases: Path, tmp_path: Path) -> None:
    table = pq.read_table(cases)
    row = table.slice(number - 1, 1)
    text = run("explain", cases, "--row", str(number))
    assert text == f"{drgcore.explain(row)}\n"
    assert text == run("explain", cases, "--id", row["case_id"][0].as_py())
    grouped = drgcore.group(row).to_pylist()[0]
    assert (grouped["drg"] or grouped["status"]) in text.splitlines()[0]


def test_explain_finds_a_row_in_any_batch(tmp_path: Path) -> None:
    rows = 131_072 + 10
    table = sample_cases(4, "chs-drg-1.1", seed=3)
    few = table.take(pa.array([0] * (rows - 2) + [1, 2]))
    numbered = few.set_column(0, "number", pa.array(range(rows)))
    pq.write_table(numbered, tmp_path / "big.parquet")
    for row, of in ((rows, 2), (rows - 1, 1), (131_073, 0)):
        text = run("explain", tmp_path / "big.parquet", "--row", str(row))
        assert text == f"{drgcore.explain(table.slice(of, 1))}\n"
    by_id = ["--id-column", "number", "--id", str(rows - 1)]
    assert run("explain", tmp_path / "big.parquet", *by_id) == (
        f"{drgcore.explain(table.slice(2, 1))}\n"
    )


def test_explain_by_another_scheme_and_mapping(tmp_path: Path) -> None:
    with (tmp_path / "hqms.csv").open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([HQMS, *ADMISSIONS])
    common = ["explain", tmp_path / "hqms.csv", "--mapping", "hqms"]
    assert "BU23" in run(*common, "--row", "1").splitlines()[0]
    assert "PQY" in run(*common, "--id", "2", "--id-column", "A48").splitlines()[0]
    assert "; chs-drg-1.1]" in run(*common, "--row", "1", "--scheme", "chs-drg-1.1")


# --- sample and demo --------------------------------------------------------------------------


def test_sample_is_the_librarys(tmp_path: Path) -> None:
    out = tmp_path / "s.parquet"
    options = ["--rows", "1200", "--scheme", "chs-drg-1.1", "--seed", "4", "--year", "2025"]
    options += ["--hospitals", "3", "--dirty", "0.2"]
    assert run("sample", out, *options) == f"1,200 synthetic cases in {out}\n"
    same = sample_cases(1200, "chs-drg-1.1", seed=4, year=2025, hospitals=3, dirty=0.2)
    assert pq.read_table(out).equals(same)


def test_demo_shows_the_main_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # A folder's name is no markup.
    folder = Path("new", "[b]demo")
    text = run("demo", "--out", folder, "--rows", "3000")
    assert {"cases.parquet", "grouped.parquet"} <= {path.name for path in folder.iterdir()}
    assert "3,000 cases by chs-drg-3.0" in text
    grouped = pq.read_table(folder / "grouped.parquet")
    assert grouped.num_rows == 3000
    lines = text.splitlines()
    counts = grouped["mdc"].value_counts().to_pylist()
    for count in counts:
        if count["values"] is not None:
            line = next(line for line in lines if line.startswith(f"{count['values']}  "))
            assert f" {count['counts']} " in line
    titles = ["A surgical case with a major complication", "An ambiguous case"]
    titles.append("A case that cannot be grouped")
    places = [next(i for i, line in enumerate(lines) if f" {t} " in line) for t in titles]
    assert places == sorted(places)
    # A long first line is broken into two.
    first = [plain(" ".join(lines[place + 1 : place + 3])) for place in places]
    assert "complications MCC; chs-drg-3.0]" in first[0]
    assert "QY" in first[1]
    assert "[invalid; chs-drg-3.0]" in first[2]
    assert "synthetic cases → new/[b]demo/cases.parquet" in text
    for title in ("Indicators of three", "Paid by weight", "Signals", "Beside groups of version"):
        assert title in text
    assert {path.name for path in (folder / "report").iterdir()} == {"year.html", "year.xlsx"}
    assert "new/[b]demo/report/year.html" in lines
    assert lines[-1].endswith("serve --data 'new/[b]demo'")


# --- The command itself -----------------------------------------------------------------------


def test_version() -> None:
    done = run_alone("--version")
    assert (done.code, done.out, done.err) == (0, f"drgcore {drgcore.__version__}\n", "")


def test_no_arguments_show_the_help() -> None:
    assert "Usage:" in run(code=2)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([], ["group", "explain", "sample", "demo", "scheme", "Exit codes: 0 done, 1 a check"]),
        (["group"], ["IN", "OUT", "--scheme", "--mapping", "--columns", "--threads", "--progress"]),
        (["explain"], ["--row", "--id", "--id-column"]),
        (["sample"], ["--rows", "--seed", "--dirty"]),
        (["demo"], ["--out", "--rows"]),
        (["scheme"], ["list", "compile", "show", "check", "diff"]),
        (["scheme", "compile"], ["--name", "--base"]),
    ],
)
def test_help_fits_a_narrow_terminal(command: list[str], words: list[str]) -> None:
    text = run(*command, "--help")
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    for word in words:
        assert word in text


def test_a_console_without_chinese_gets_question_marks(cases: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = run_alone("scheme", "list", env=env)
    assert (done.code, done.err) == (0, "")
    assert "chs-drg-3.0" in done.out
    assert "?" in done.out
