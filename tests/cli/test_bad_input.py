"""Bad input: exit code 2 and one clear message, without traceback and without a patient's data."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgcore
from drgcore.cli import app as cli
from drgcore.files import whole_file
from drgcore.grouper import parquet_writer, stream

from .conftest import ALONE, ROWS, run_alone

SECRET = "GEHEIM"
CODES = "principal_diagnosis,other_diagnoses,principal_procedure,other_procedures"
HEADER = f"{CODES},sex,age_years\n"


def fail(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one message of a command that cannot do what is asked."""
    before = sys.argv
    sys.argv = ["drgcore", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as left:
            cli.main()
    finally:
        sys.argv = before
    out, err = capfd.readouterr()
    assert left.value.code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("error: ") == 1
    assert "Traceback" not in err
    assert SECRET not in err
    assert len(err.splitlines()) <= 14
    return err.removeprefix("error: ")


Make = Callable[[Path, pa.Table], None]


def text(content: str, encoding: str = "utf-8") -> Make:
    return lambda path, _: path.write_text(content, encoding=encoding) and None


def raw(content: bytes) -> Make:
    return lambda path, _: path.write_bytes(content) and None


def changed(change: Callable[[pa.Table], pa.Table]) -> Make:
    return lambda path, table: pq.write_table(change(table), path)


def cut(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path)
    path.write_bytes(path.read_bytes()[:-100])


def overwritten(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 3000] = b"\x55" * 3000
    path.write_bytes(content)


def column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


# File, how it is made, and what the message must say.
FILES: list[tuple[str, Make, list[str]]] = [
    ("none.parquet", lambda path, table: None, ["none.parquet: there is no such file"]),
    ("a.parquet", lambda path, table: path.mkdir(), ["there is no file of cases"]),
    ("a.parquet", raw(b""), ["the file is empty (0 bytes)"]),
    ("a.csv", raw(b""), ["the file is empty (0 bytes)"]),
    ("a.csv", text("\n\n  \n"), ["the file is empty"]),
    ("a.parquet", text(f"{SECRET},1\n" * 9), ["the file is not parquet", "suffix .csv"]),
    ("a.xlsx", text(SECRET), ["the workbook is damaged or truncated"]),
    ("a", text(SECRET), ["'without suffix' cannot be read"]),
    ("a.parquet", cut, ["truncated: its end is missing"]),
    ("a.parquet", overwritten, ["the parquet file is damaged or truncated"]),
    ("a.parquet", raw(b"PAR1" + SECRET.encode() * 50 + b"PAR1"), ["damaged or truncated"]),
    (
        "a.parquet",
        changed(lambda t: t.rename_columns([n.replace("sex", "Sexe") for n in t.column_names])),
        ["columns are missing from the data:", "sex: 'sex' (nearest: 'Sexe')"],
    ),
    (
        "a.parquet",
        changed(lambda t: t.select(["case_id", "total_cost"])),
        ["principal_diagnosis: 'principal_diagnosis'", "age_years: 'age_years'", "preset"],
    ),
    (
        "a.parquet",
        changed(lambda t: column(t, "age_years", pa.array([[1]] * len(t)))),
        ["age_years: column 'age_years' is list<"],
    ),
    (
        "a.parquet",
        changed(lambda t: column(t, "principal_diagnosis", pa.array([1.5] * len(t)))),
        ["principal_diagnosis: column 'principal_diagnosis' is double"],
    ),
    (
        "a.parquet",
        changed(lambda t: column(t, "sex", pa.array([b"1"] * len(t)))),
        ["sex: column 'sex' is binary"],
    ),
    ("a.csv", text(f"{HEADER}A00.000,,,,1,50\n{SECRET},,,,1,50,7\n"), ["row 3 has 7 values"]),
    ("a.csv", text(f'{HEADER}A00.000,,,,1,50\n{SECRET},,,,1,"50\n'), ["row"]),
    ("a.csv", text(HEADER.replace("sex", "age_years")), ["more than once: 'age_years'"]),
    ("a.csv", raw(b"a,b\0" + SECRET.encode()), ["line 1 holds a byte 0"]),
]


@pytest.mark.parametrize(
    ("name", "make", "says"), FILES, ids=[f"{i}-{f[2][0][:30]}" for i, f in enumerate(FILES)]
)
@pytest.mark.parametrize("command", ["group", "explain"])
def test_a_bad_file(
    command: str,
    name: str,
    make: Make,
    says: list[str],
    cases: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make(tmp_path / name, pq.read_table(cases).append_column("name", [[SECRET] * ROWS]))
    (tmp_path / "out").mkdir()
    rest = [tmp_path / "out" / "o.parquet"] if command == "group" else ["--row", "1"]
    message = fail(capfd, command, tmp_path / name, *rest)
    for words in says:
        assert words in message
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--scheme", "nope"], "there is no scheme 'nope'\nShipped are "),
        (["--mapping", "nope"], "there is no mapping preset 'nope'\nPresets: canonical, hqms"),
        (["--mapping", "none.toml"], "none.toml: the mapping file cannot be read"),
        (["--mapping", "hqms"], "principal_diagnosis: 'C03C' (nearest: "),
        (["--columns", "case_id,nope"], "the input has no column 'nope' to keep\nIt has: case_id"),
        (["--threads", "0"], "threads must be 1 or more, not 0"),
    ],
)
def test_a_bad_option_of_group(
    options: list[str],
    says: str,
    cases: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert says in fail(capfd, "group", cases, tmp_path / "o.parquet", *options)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_target(cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inside = tmp_path / "none" / "o.parquet"
    assert f"{inside.parent} is no folder" in fail(capfd, "group", cases, inside)
    assert "unknown kind of output '.json'" in fail(capfd, "group", cases, tmp_path / "o.json")
    assert "is the input itself" in fail(capfd, "group", cases, cases)
    (tmp_path / "o.parquet").mkdir()
    assert "Is a directory" in fail(capfd, "group", cases, tmp_path / "o.parquet")
    assert "File exists" in fail(capfd, "demo", "--out", cases)
    long = tmp_path / ("x" * 300 + ".parquet")
    assert "File name too long" in fail(capfd, "group", cases, long)
    assert [path.name for path in tmp_path.iterdir()] == ["o.parquet"]


def test_results_do_not_replace_columns(
    cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    once = tmp_path / "once.parquet"
    drgcore.group_file(cases, once)
    message = fail(capfd, "group", once, tmp_path / "twice.parquet")
    assert message.startswith("the input already has columns mdc, adrg, drg, status, reason,")
    assert [path.name for path in tmp_path.iterdir()] == ["once.parquet"]


def test_a_full_disk_leaves_nothing(
    cases: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full:
        def __init__(self, path: Path, schema: pa.Schema) -> None:
            path.write_bytes(b"half")

        def write(self, batch: pa.RecordBatch) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(parquet_writer, "ParquetWriter", Full)
    target = tmp_path / "o.parquet"
    target.write_text("older")
    message = fail(capfd, "group", cases, target)
    assert message.startswith(f"cannot write {target}: No space left on device\n")
    assert target.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["o.parquet"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "say which case: either --row or --id"),
        (["--row", "1", "--id", "x"], "say which case: either --row or --id"),
        (["--row", "0"], "there is no row 0: the first is row 1"),
        (["--row", "-3"], "there is no row -3: the first is row 1"),
        (["--row", "601"], "there is no row 601: the file has 600"),
        (["--id", "nope"], "no case has the id 'nope' in column 'case_id'"),
        (["--id", "3", "--id-column", "hospital_level"], "cases have the id '3' in column"),
        (["--id", "x", "--id-column", "nope"], "no column 'nope' to look the id up in"),
        (["--id", "x", "--id-column", "other_diagnoses"], "which holds no ids"),
        (["--row", "1", "--scheme", "nope"], "there is no scheme 'nope'"),
        (["--row", "1", "--mapping", "hqms"], "columns are missing from the data"),
    ],
)
def test_a_case_that_is_not_there(
    options: list[str], says: str, cases: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert says in fail(capfd, "explain", cases, *options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["s.parquet", "--rows", "-1"], "rows=-1 is out of range"),
        (["s.parquet", "--dirty", "1.5"], "dirty=1.5 is out of range"),
        (["s.parquet", "--dirty", "nan"], "dirty=nan is out of range"),
        (["s.parquet", "--year", "12"], "year=12 is out of range"),
        (["s.parquet", "--hospitals", "0"], "hospitals=0 is out of range"),
        (["s.parquet", "--scheme", "nope"], "there is no scheme 'nope'"),
        (["s.csv"], "a sample is written as parquet, not as '.csv'"),
        (["none/s.parquet"], "none is no folder"),
    ],
)
def test_a_sample_that_cannot_be(
    options: list[str],
    says: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in fail(capfd, "sample", *options)
    assert list(tmp_path.iterdir()) == []


BOOKS: list[tuple[str, Make, str]] = [
    ("a.xlsx", text("no workbook"), "a.xlsx"),
    ("a.xlsx", raw(b""), "a.xlsx"),
    ("a.xlsx", raw(b"PK\x03\x04" + b"x" * 100), "a.xlsx"),
    ("none.xlsx", lambda path, table: None, "none.xlsx"),
    ("folder", lambda path, table: path.mkdir(), "folder"),
]


@pytest.mark.parametrize(("name", "make", "says"), BOOKS)
def test_a_workbook_that_is_none(
    name: str, make: Make, says: str, cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / name, pq.read_table(cases))
    out = tmp_path / "out"
    message = fail(capfd, "scheme", "compile", tmp_path / name, out, "--name", "x")
    assert says in message
    assert not (out / "x").exists()


# --- In a process of its own ------------------------------------------------------------------


def test_a_bad_file_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = run_alone("group", "none.parquet", "o.parquet", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: none.parquet: there is no such file\nCheck the path.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["group"],
        ["group", "a.parquet", "b.parquet", "--threads", "many"],
        ["group", "a.parquet", "b.parquet", "--nope"],
        ["nope"],
        ["sample", "s.parquet", "--rows", "1.5"],
    ],
)
def test_wrong_usage(
    arguments: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["drgcore", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    out, err = capfd.readouterr()
    assert (left.value.code, out) == (2, "")
    assert "Usage:" in err
    assert "Traceback" not in err


def test_what_the_system_refuses_has_no_traceback(
    cases: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(cases))

    monkeypatch.setattr(Path, "open", refuse)
    assert fail(capfd, "group", cases, tmp_path / "o.parquet") == f"{cases}: Permission denied\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, drgcore.cli.app as a, drgcore.synthetic.sample as s; s.BLOCK_ROWS = 1000; "
        "sys.argv = ['drgcore', 'sample', 'x.parquet', '--rows', '2000000000', '--progress']; "
        "a.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=ALONE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    while not list(tmp_path.iterdir()) and process.poll() is None:
        time.sleep(0.05)
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_part_that_is_written_is_whole_file_s() -> None:
    # What the tests above say of files holds because every writer goes through it.
    assert stream.whole_file is whole_file
