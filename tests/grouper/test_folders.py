"""Folders in, folders out: layout, resume, what is refused, what is left after errors."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from drgcore.cases import read_table
from drgcore.errors import CaseSchemaError, DrgcoreError, UnfinishedError
from drgcore.grouper import FolderSummary, folder_run, group, group_file
from drgcore.grouper.manifest import MANIFEST, Manifest
from drgcore.synthetic import sample_cases
from tests.grouper.helpers import RESULT

EACH = 40
MONTHS = ("01", "02", "03")


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """The cases of three months."""
    return sample_cases(EACH * len(MONTHS), seed=3, dirty=0.1)


@pytest.fixture
def lake(tmp_path: Path, table: pa.Table) -> Path:
    """They as folders that are named after year and month."""
    for place, month in enumerate(MONTHS):
        folder = tmp_path / "lake" / "year=2027" / f"month={month}"
        folder.mkdir(parents=True)
        pq.write_table(table.slice(place * EACH, EACH), folder / "part-0.parquet")
    return tmp_path / "lake"


def part(month: str) -> str:
    return f"year=2027/month={month}/part-0.parquet"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, but for the lock of the run."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != folder_run._LOCK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def folder_summary(*arguments: Any, **options: Any) -> FolderSummary:
    summary = group_file(*arguments, **options)
    assert isinstance(summary, FolderSummary)
    return summary


def test_the_layout_stays_and_the_results_are_those_of_the_whole(
    lake: Path, tmp_path: Path, table: pa.Table
) -> None:
    out = tmp_path / "out"
    summary = folder_summary(lake, out)
    assert (summary.rows, summary.files, summary.kept) == (len(table), 3, 0)
    assert set(contents(out)) == {MANIFEST, *map(part, MONTHS)}
    expected = group(table)
    result = pq.read_table(out)
    assert result.select(RESULT).to_pylist() == expected.select(RESULT).to_pylist()
    # The columns that the folders give are in their names, not a second time in the files.
    assert set(result.column_names) - set(expected.column_names) == {"year", "month"}
    written = pq.ParquetFile(out / part("02")).schema_arrow
    assert written.names == expected.column_names
    assert summary.statuses == group_file(lake, tmp_path / "one.parquet").statuses
    one = pq.read_table(tmp_path / "one.parquet")
    assert one.select(RESULT).to_pylist() == expected.select(RESULT).to_pylist()
    assert one["month"].to_pylist() == [m for m in MONTHS for _ in range(EACH)]


def test_a_rerun_makes_only_what_is_not_there(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = folder_summary(lake, out)
    before = contents(out)
    worked: list[str] = []
    real = folder_run._worked

    def watched(file: Any, *others: Any) -> Any:
        worked.append(file.name)
        return real(file, *others)

    monkeypatch.setattr(folder_run, "_worked", watched)
    again = folder_summary(lake, out)
    assert (worked, again.kept) == ([], 3)
    assert again.statuses == first.statuses
    assert again.reasons == first.reasons
    # A result that is damaged, one that is gone, and one whose input is another now.
    (out / part("01")).write_bytes(b"PAR1")
    (out / part("02")).unlink()
    assert contents(out) != before
    folder_summary(lake, out)
    assert worked == [part("01"), part("02")]
    assert contents(out) == before
    changed = pq.read_table(lake / part("03"), partitioning=None).slice(0, 7)
    pq.write_table(changed, lake / part("03"))
    assert folder_summary(lake, out).rows == 2 * EACH + 7
    assert worked[2:] == [part("03")]


def test_a_copy_of_the_input_is_no_other_input(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    group_file(lake, out)
    for month in MONTHS:
        os.utime(lake / part(month), ns=(1, 1))
    assert folder_summary(lake, out).kept == 3
    manifest = Manifest.read(out)
    assert manifest is not None
    assert {record.input_mtime_ns for record in manifest.done.values()} == {1}


@pytest.mark.parametrize("at", [0, 1, 2])
def test_after_a_kill_the_same_bytes(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    group_file(lake, whole)
    real = folder_run._worked

    def stopped(file: Any, target: str, folder: Path, work: Any) -> Any:
        if file.name == part(MONTHS[at]):
            # What a killed run leaves: a file begun, and a line of the manifest without an end.
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            left = (folder / target).with_name(".part-0.parquet.0.part")
            left.write_bytes(b"PAR1 begun")
            with (folder / MANIFEST).open("ab") as file:
                file.write(b'{"input": "year=20')
            raise KeyboardInterrupt
        return real(file, target, folder, work)

    with monkeypatch.context() as patch:
        patch.setattr(folder_run, "_worked", stopped)
        with pytest.raises(KeyboardInterrupt) as caught:
            group_file(lake, out)
    assert f"{at} of 3 files are done and whole" in caught.value.__notes__[0]
    with pytest.raises(CaseSchemaError, match="results in this folder are not complete"):
        read_table(out)
    assert folder_summary(lake, out).kept == at
    assert contents(out) == contents(whole)


def test_a_bad_file_is_told_and_the_others_are_done(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    group_file(lake, out)
    good = (lake / part("01")).read_bytes()
    (lake / part("01")).write_bytes(good[:-100])
    (lake / part("02")).touch()
    with pytest.raises(UnfinishedError, match="1 of 3 files cannot be grouped") as caught:
        group_file(lake, out)
    assert list(caught.value.failed) == [part("01")]
    assert "truncated" in caught.value.failed[part("01")]
    assert isinstance(caught.value.summary, FolderSummary)
    assert caught.value.summary.rows == 2 * EACH
    with pytest.raises(CaseSchemaError, match="results in this folder are not complete"):
        read_table(out)
    # An old result must not be taken for that of the new input.
    assert set(contents(out)) == {MANIFEST, part("02"), part("03")}
    with pytest.raises(UnfinishedError) as stopped:
        group_file(lake, tmp_path / "new", stop_at_first_error=True)
    assert set(contents(tmp_path / "new")) == {MANIFEST}
    assert list(stopped.value.failed) == [part("01")]
    (lake / part("01")).write_bytes(good)
    assert folder_summary(lake, out).kept == 2
    assert len(read_table(out)) == 3 * EACH


def test_an_input_that_changes_meanwhile_is_not_done(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touching(path: Path) -> str:
        os.utime(path, ns=(7, 7))
        return "0"

    monkeypatch.setattr(folder_run, "sha256_of", touching)
    with pytest.raises(UnfinishedError, match="changed while it was read"):
        group_file(lake, tmp_path / "out")
    assert set(contents(tmp_path / "out")) == {MANIFEST}


OTHERWISE: list[tuple[Mapping[str, Any], str]] = [
    ({"scheme": "chs-drg-2.0"}, 'scheme: "chs-drg-3.0" there, "chs-drg-2.0" now'),
    ({"scheme": "by-date"}, '"by-date" now'),
    ({"columns": ["case_id"]}, 'columns: null there, ["case_id"] now'),
    ({"prefix": "p_"}, "prefix"),
    ({"mapping": "hqms"}, "mapping"),
    ({"stamp": True}, "stamp: false there, true now"),
    ({"kind": "csv"}, 'kind: null there, ".csv" now'),
]


@pytest.mark.parametrize(("options", "says"), OTHERWISE, ids=[says for _, says in OTHERWISE])
def test_other_options_are_refused(
    lake: Path, tmp_path: Path, options: Mapping[str, Any], says: str
) -> None:
    out = tmp_path / "out"
    group_file(lake, out)
    before = contents(out)
    with pytest.raises(DrgcoreError, match="made otherwise") as caught:
        group_file(lake, out, **options)
    assert says in str(caught.value)
    assert "--fresh" in str(caught.value)
    assert contents(out) == before


def test_afresh_with_other_options(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    group_file(lake, out)
    assert folder_summary(lake, out, columns=["case_id"], fresh=True).kept == 0
    group_file(lake, tmp_path / "new", columns=["case_id"])
    assert contents(out) == contents(tmp_path / "new")


def test_files_of_nobody_are_not_replaced(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / part("02")).parent.mkdir(parents=True)
    (out / part("02")).write_bytes(b"mine")
    with pytest.raises(DrgcoreError, match="no manifest says what it was made from"):
        group_file(lake, out)
    assert contents(out) == {part("02"): b"mine"}
    (out / MANIFEST).write_text("{}\n")
    with pytest.raises(DrgcoreError, match="the manifest cannot be read"):
        group_file(lake, out)
    assert folder_summary(lake, out, fresh=True).files == 3


def test_two_runs_do_not_share_a_folder(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with (
        FileLock(out / folder_run._LOCK),
        pytest.raises(DrgcoreError, match="another run is at work"),
    ):
        group_file(lake, out)
    assert contents(out) == {}


def test_results_do_not_become_cases(lake: Path, tmp_path: Path) -> None:
    with pytest.raises(DrgcoreError, match="cases lie in the folder of the results"):
        group_file(lake, lake)
    with pytest.raises(DrgcoreError, match="cases lie in the folder of the results"):
        group_file(lake, tmp_path)
    with pytest.raises(DrgcoreError, match="results lie in the folder of the cases"):
        group_file(lake, lake / "grouped")
    (tmp_path / "file").touch()
    with pytest.raises(DrgcoreError, match="results cannot be written there"):
        group_file(lake, tmp_path / "file")


def test_kinds_of_files(tmp_path: Path, table: pa.Table) -> None:
    flat = table.to_pandas()
    for column in ("other_diagnoses", "other_procedures"):
        flat[column] = flat[column].str.join("|")
    folder = tmp_path / "in"
    folder.mkdir()
    flat.to_csv(folder / "a.csv", index=False)
    (folder / "b.txt").write_bytes((folder / "a.csv").read_bytes())
    group_file(folder, tmp_path / "own")
    assert set(contents(tmp_path / "own")) == {MANIFEST, "a.csv", "b.csv"}
    group_file(folder, tmp_path / "parquet", kind="parquet")
    assert set(contents(tmp_path / "parquet")) == {MANIFEST, "a.parquet", "b.parquet"}
    (folder / "a.txt").write_bytes(b"")
    with pytest.raises(DrgcoreError, match=r"a.csv and a.txt have the same result"):
        group_file(folder, tmp_path / "own")
    with pytest.raises(DrgcoreError, match=r"unknown kind of output '\.json'"):
        group_file(folder, tmp_path / "own", kind="json")
    with pytest.raises(DrgcoreError, match="are for a folder of results"):
        group_file(folder / "a.csv", tmp_path / "x.csv", fresh=True)


def test_an_input_that_is_gone_is_told(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    group_file(lake, out)
    (lake / part("02")).unlink()
    summary = folder_summary(lake, out)
    assert (summary.rows, summary.gone) == (2 * EACH, (part("02"),))
    assert f"{part('02')} is no longer among the cases" in str(summary)
    assert (out / part("02")).exists()


def test_a_column_that_only_folders_give_can_decide(tmp_path: Path, table: pa.Table) -> None:
    for sex in ("1", "2"):
        folder = tmp_path / "in" / f"sex={sex}"
        folder.mkdir(parents=True)
        pq.write_table(table.drop(["sex"]), folder / "a.parquet")
    group_file(tmp_path / "in", tmp_path / "out", columns=["case_id"])
    for sex in ("1", "2"):
        own = table.set_column(table.column_names.index("sex"), "sex", pa.array([sex] * len(table)))
        found = pq.ParquetFile(tmp_path / "out" / f"sex={sex}" / "a.parquet").read()
        assert found.to_pylist() == group(own, columns=["case_id"]).to_pylist()


def test_the_manifest_says_what_each_result_is_made_from(lake: Path, tmp_path: Path) -> None:
    group_file(lake, tmp_path / "out")
    lines = (tmp_path / "out" / MANIFEST).read_text(encoding="utf-8").splitlines()
    head, *rows = map(json.loads, lines)
    assert head["options"]["scheme"] == "chs-drg-3.0"
    assert [row["input"] for row in rows] == [part(month) for month in MONTHS]
    assert all(sum(row["counts"]["statuses"].values()) == row["rows"] == EACH for row in rows)


def test_a_file_that_is_absent_in_a_list_is_told(lake: Path, tmp_path: Path) -> None:
    files = [lake / part("01"), lake / "absent.parquet"]
    with pytest.raises(UnfinishedError, match=r"absent.parquet: No such file"):
        group_file(files, tmp_path / "out")
    with pytest.raises(CaseSchemaError, match="there is no such file"):
        group_file(files, tmp_path / "one.parquet")
