"""Bad input: each a clear error or a status; never a hang, a crash or half a file."""

from __future__ import annotations

import resource
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgcore.errors import CaseSchemaError, DrgcoreError, SchemeError
from drgcore.grouper import group, group_file, parquet_writer
from drgcore.grouper.batch import BatchGrouper
from tests.grouper.helpers import (
    CASE_COLUMNS,
    DATA,
    RESULT,
    case_row,
    plain_rows,
    read_samples,
    scheme,
    table_of,
)

NAME = "chs-drg-3.0"


def _table(rows: int = 50) -> pa.Table:
    return table_of(read_samples(DATA / f"expected_{NAME}.csv")[:rows])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A good parquet file of cases."""
    pq.write_table(_table(), tmp_path / "in.parquet", row_group_size=20)
    return tmp_path / "in.parquet"


def _refused(
    src: Path, dst: Path, *parts: str, kind: type[DrgcoreError] = DrgcoreError, **options: Any
) -> str:
    """Grouping fails with a message that has all `parts`, and leaves the folder as it was."""
    before = (
        {p: p.read_bytes() for p in dst.parent.iterdir() if p.is_file()}
        if (dst.parent.is_dir())
        else {}
    )
    with pytest.raises(kind) as error:
        group_file(src, dst, scheme(NAME), **options)
    message = str(error.value)
    for part in parts:
        assert part in message
    if dst.parent.is_dir():
        assert {p: p.read_bytes() for p in dst.parent.iterdir() if p.is_file()} == before
    return message


# --- files that are no files of cases ---------------------------------------------------------


def test_no_such_file(tmp_path: Path) -> None:
    _refused(tmp_path / "no.parquet", tmp_path / "out.parquet", "no.parquet", "no such file")


def test_a_folder_without_cases(tmp_path: Path) -> None:
    _refused(tmp_path, tmp_path / "out.parquet", "there is no file of cases")


@pytest.mark.parametrize("name", ["in.parquet", "in.csv"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    _refused(tmp_path / name, tmp_path / "out.parquet", name, "empty")


@pytest.mark.parametrize("content", [b"sex,age\n1,2\n", b"PAR1", b"PAR1" * 40, bytes(9000)])
def test_no_parquet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.parquet").write_bytes(content)
    _refused(tmp_path / "in.parquet", tmp_path / "out.parquet", "in.parquet", "parquet")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_parquet(source: Path, tmp_path: Path, share: float) -> None:
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * share)])
    _refused(source, tmp_path / "out.parquet", "in.parquet", "truncated")


def test_parquet_damaged_in_its_middle(source: Path, tmp_path: Path) -> None:
    whole = bytearray(source.read_bytes())
    for i in range(40, len(whole) // 2):
        whole[i] ^= 0xFF
    source.write_bytes(whole)
    _refused(source, tmp_path / "out.parquet", "in.parquet", "damaged")


def test_an_unknown_kind_of_input(tmp_path: Path) -> None:
    (tmp_path / "in.xlsx").write_bytes(b"PK")
    _refused(tmp_path / "in.xlsx", tmp_path / "out.parquet", ".xlsx")


@pytest.mark.parametrize("name", ["out", "out.json", "out.parquet.gz", ".csv"])
def test_an_unknown_kind_of_output(source: Path, tmp_path: Path, name: str) -> None:
    _refused(source, tmp_path / name, "ending", ".parquet")


def test_a_missing_folder(source: Path, tmp_path: Path) -> None:
    message = _refused(source, tmp_path / "no" / "out.parquet", "no folder")
    assert "out.parquet" in message
    assert not (tmp_path / "no").exists()


def test_the_target_is_a_folder(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out.parquet").mkdir()
    _refused(source, tmp_path / "out.parquet", "out.parquet")


def test_the_input_is_not_written_over(source: Path, tmp_path: Path) -> None:
    _refused(source, source, "input itself")
    (tmp_path / "link.parquet").symlink_to(source)
    _refused(source, tmp_path / "link.parquet", "input itself")
    _refused(source, tmp_path / "." / "in.parquet", "input itself")


# --- columns ----------------------------------------------------------------------------------


def test_missing_columns_are_named_with_the_nearest(tmp_path: Path) -> None:
    table = _table().rename_columns(
        [{"sex": "sexx", "age_years": "age_year"}.get(n, n) for n in CASE_COLUMNS]
    )
    pq.write_table(table, tmp_path / "in.parquet")
    _refused(
        tmp_path / "in.parquet",
        tmp_path / "out.parquet",
        "'sex' (nearest: 'sexx'",
        "'age_years' (nearest: 'age_year'",
        kind=CaseSchemaError,
    )
    with pytest.raises(CaseSchemaError, match="age_year"):
        group(table, scheme(NAME))


def test_an_hqms_file_without_the_mapping_says_what_to_do(tmp_path: Path) -> None:
    pq.write_table(pa.table({"A12C": ["1"], "C03C": ["I10.x00"]}), tmp_path / "in.parquet")
    _refused(tmp_path / "in.parquet", tmp_path / "out.parquet", "principal_diagnosis", "hqms")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("principal_diagnosis", pa.array([1.5] * 50)),
        ("principal_diagnosis", pa.array([[1]] * 50)),
        ("other_diagnoses", pa.array([[1.5]] * 50)),
        ("other_diagnoses", pa.array([3] * 50)),
        ("sex", pa.array([["1"]] * 50)),
        ("sex", pa.array([True] * 50)),
        ("age_years", pa.array([{"a": 1}] * 50)),
        ("age_years", pa.array([0] * 50, pa.date32())),
    ],
)
def test_wrong_types_are_named(tmp_path: Path, column: str, values: pa.Array) -> None:
    table = _table().set_column(CASE_COLUMNS.index(column), column, values)
    pq.write_table(table, tmp_path / "in.parquet")
    src, dst = tmp_path / "in.parquet", tmp_path / "out.parquet"
    _refused(src, dst, column, kind=CaseSchemaError)


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_zero_rows(tmp_path: Path, ending: str) -> None:
    pq.write_table(_table(0), tmp_path / "in.parquet")
    summary = group_file(tmp_path / "in.parquet", tmp_path / f"out{ending}", scheme(NAME))
    assert summary.rows == 0
    assert set(summary.statuses.values()) == {0}
    if ending == ".parquet":
        result = pq.read_table(tmp_path / "out.parquet")
        assert result.num_rows == 0
        assert result.schema.field("other_diagnoses").type == pa.list_(pa.string())
    else:
        text = (tmp_path / "out.csv").read_text("utf-8-sig")
        assert text.replace('"', "").strip().split(",") == [*CASE_COLUMNS, *RESULT]


def test_a_header_alone_is_zero_rows(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(",".join(CASE_COLUMNS) + "\n")
    assert group_file(tmp_path / "in.csv", tmp_path / "out.csv", scheme(NAME)).rows == 0


@pytest.mark.parametrize(
    "empty",
    [
        pa.nulls(50),
        pa.array([None] * 50, pa.list_(pa.string())),
        pa.array([[None, None]] * 50, pa.list_(pa.string())),
        pa.array([[]] * 50, pa.list_(pa.null())),
        pa.array([None] * 50, pa.float64()),
        pa.array([""] * 50),
    ],
)
def test_a_list_column_of_nulls(tmp_path: Path, empty: pa.Array) -> None:
    at = CASE_COLUMNS.index("other_diagnoses")
    nothing = _table().set_column(at, "other_diagnoses", pa.array([[]] * 50, pa.list_(pa.string())))
    table = _table().set_column(at, "other_diagnoses", empty)
    expected = plain_rows(group(nothing, scheme(NAME)))
    assert plain_rows(group(table, scheme(NAME))) == expected
    pq.write_table(table, tmp_path / "in.parquet")
    group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", scheme(NAME))
    result = pq.read_table(tmp_path / "out.parquet")
    assert plain_rows(result) == expected
    assert result["other_diagnoses"].type == pq.read_schema(tmp_path / "in.parquet").field(at).type


def test_monstrous_rows(tmp_path: Path) -> None:
    plain = case_row("G11.900", ["S52.804"], sex=2, age_years=69)
    rows = [
        plain,
        {**plain, "other_diagnoses": ["S52.804"] * 500},
        {**plain, "other_diagnoses": ["S52.804", *(f"{i}" * 200 for i in range(100))]},
        {**plain, "other_procedures": ["y" * 200] * 500},
        {**plain, "age_years": -1},
        {**plain, "age_years": 2**31 - 1},
        {**plain, "sex": -128},
    ]
    pq.write_table(table_of(rows), tmp_path / "in.parquet")
    group_file(tmp_path / "in.parquet", tmp_path / "out.parquet", scheme(NAME))
    result = plain_rows(pq.read_table(tmp_path / "out.parquet"))
    assert [r.pop("code_flags") for r in result[:4]] == [
        None,
        None,
        "other_diagnoses",
        "other_procedures",
    ]
    assert result[:4] == [result[0]] * 4
    assert result[0]["drg"] == "BU23"
    assert [r["reason"] for r in result[4:]] == ["age_invalid", "age_invalid", "sex_invalid"]


def test_csv_with_columns_without_a_name(tmp_path: Path) -> None:
    """Spreadsheets leave empty columns behind the last one."""
    header = ",".join([*CASE_COLUMNS, "", ""])
    (tmp_path / "in.csv").write_text(f"{header}\nG11.900,S52.804,,,2,69,,,,\n")
    group_file(tmp_path / "in.csv", tmp_path / "out.parquet", scheme(NAME))
    result = pq.read_table(tmp_path / "out.parquet")
    assert plain_rows(result)[0]["drg"] == "BU23"
    group_file(tmp_path / "in.csv", tmp_path / "out.csv", scheme(NAME), columns=["sex"])
    assert "BU23" in (tmp_path / "out.csv").read_text("utf-8-sig")


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    table = _table().append_column("cost", pa.array([1] * 50))
    table = table.append_column("cost", pa.array([2] * 50))
    with pytest.raises(CaseSchemaError, match="more than once: 'cost'"):
        group(table, scheme(NAME))
    pq.write_table(table, tmp_path / "in.parquet")
    _refused(tmp_path / "in.parquet", tmp_path / "out.parquet", "more than once: 'cost'")


def test_a_column_asked_for_twice_is_kept_once() -> None:
    result = group(_table(), scheme(NAME), columns=["sex", "sex"])
    assert result.column_names == ["sex", *RESULT]


def test_ragged_csv(tmp_path: Path) -> None:
    rows = ["G11.900,S52.804,,,2,69,,"] * 30 + ["G11.900,S52.804,2,69"]
    (tmp_path / "in.csv").write_text("\n".join([",".join(CASE_COLUMNS), *rows]) + "\n")
    _refused(tmp_path / "in.csv", tmp_path / "out.parquet", "row 32", "in.csv")


def test_no_such_scheme_mapping_or_column(source: Path, tmp_path: Path) -> None:
    dst = tmp_path / "out.parquet"
    with pytest.raises(SchemeError, match=r"chs-drg-3\.0"):
        group_file(source, dst, "chs-drg-3")
    with pytest.raises(CaseSchemaError, match="hqms"):
        group_file(source, dst, scheme(NAME), mapping="hqsm")
    with pytest.raises(CaseSchemaError):
        group_file(source, dst, scheme(NAME), mapping=tmp_path / "no.toml")
    with pytest.raises(DrgcoreError, match="threads"):
        group_file(source, dst, scheme(NAME), threads=0)
    assert not dst.exists()


# --- failures while the file is written -------------------------------------------------------


class _Boom(Exception):
    pass


def _boom(*_: object, **__: object) -> None:
    raise _Boom


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
@pytest.mark.parametrize("older", [True, False])
def test_an_exception_inside_the_run_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, older: bool
) -> None:
    dst = tmp_path / f"out{ending}"
    if older:
        dst.write_text("older")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(_Boom):
        group_file(source, dst, scheme(NAME), batch_rows=20, progress=_boom)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    monkeypatch.setattr(BatchGrouper, "group", _boom)
    with pytest.raises(_Boom):
        group_file(source, dst, scheme(NAME), threads=3)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def _writer_that_fails(when: str) -> Callable[..., Any]:
    whole = pq.ParquetWriter

    class Failing(whole):  # type: ignore[misc, valid-type]
        def write_table(self, *args: Any, **options: Any) -> None:
            if when == "write":
                raise OSError(28, "No space left on device")
            super().write_table(*args, **options)

        def close(self) -> None:
            super().close()
            if when == "close":
                raise OSError(28, "No space left on device")

    return Failing


@pytest.mark.parametrize("when", ["write", "close"])
def test_a_full_disk_at_the_start_or_the_end(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    dst = tmp_path / "out.parquet"
    dst.write_text("older")
    monkeypatch.setattr(parquet_writer.pq, "ParquetWriter", _writer_that_fails(when))
    _refused(source, dst, "cannot write", "out.parquet", "No space left")
    assert dst.read_text() == "older"


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_a_disk_that_fills_up(tmp_path: Path, ending: str) -> None:
    """A limit of the system on the size of files, in a process of its own."""
    noise = pa.array([f"{i * 7919 % 1_000_003:x}" * 8 for i in range(20_000)])
    table = pa.concat_tables([_table(1000)] * 20).append_column("noise", noise)
    pq.write_table(table, tmp_path / "in.parquet")
    (tmp_path / f"out{ending}").write_text("older")
    code = f"""
        import resource, signal, sys
        from drgcore.errors import DrgcoreError
        from drgcore.grouper import group_file
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            group_file("in.parquet", "out{ending}", batch_rows=1000)
        except DrgcoreError as error:
            print(error)
            sys.exit(7)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        # Many a Python keeps bytecode that was cut off there, and loads no library from it again.
        env={
            "PYTHONPATH": ":".join(p for p in sys.path if p),
            "NUMBA_DISABLE_CACHING": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 7, run.stderr
    assert "cannot write" in run.stdout
    assert f"out{ending}" in run.stdout
    assert (tmp_path / f"out{ending}").read_text() == "older"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.parquet", f"out{ending}"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100_000
