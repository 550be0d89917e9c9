"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.files import whole_file


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def fail_half_way(target: Path, error: BaseException) -> None:
    """Write a part of a file, then raise."""
    with whole_file(target) as part:
        part.write_text("half")
        raise error


def test_the_target_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    with whole_file(target) as part:
        assert part.parent == tmp_path
        assert part != target
        part.write_bytes(b"half")
        assert not target.exists()
        part.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert names(tmp_path) == ["out.parquet"]


def test_an_older_file_stays_until_then(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("older")
    with whole_file(target) as part:
        part.write_text("newer")
        assert target.read_text() == "older"
    assert target.read_text() == "newer"


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyboardInterrupt(), CaseSchemaError("bad"), GeneratorExit()]
)
def test_whatever_goes_wrong_leaves_the_older_file_alone(
    error: BaseException, tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("older")
    with pytest.raises(type(error)) as raised:
        fail_half_way(target, error)
    assert raised.value is error
    assert names(tmp_path) == ["out.csv"]
    assert target.read_text() == "older"


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with pytest.raises(DrgcoreError) as raised:
        fail_half_way(target, OSError(28, "No space left on device"))
    assert str(raised.value).startswith(f"cannot write {target}: No space left on device\n")
    assert isinstance(raised.value.__cause__, OSError)
    assert names(tmp_path) == []


def test_a_system_error_without_text_is_told_by_its_kind(tmp_path: Path) -> None:
    with (
        pytest.raises(DrgcoreError, match=r"cannot write .*: PermissionError"),
        whole_file(tmp_path / "x"),
    ):
        raise PermissionError


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    target = tmp_path / "none" / "out.csv"
    with pytest.raises(DrgcoreError) as raised, whole_file(target):
        pytest.fail("the block must not run")
    assert str(raised.value) == f"{target.parent} is no folder\nCreate it first to write out.csv."


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.mkdir()
    with pytest.raises(DrgcoreError, match=r"cannot write .*out\.csv"), whole_file(target) as part:
        part.write_text("x")
    assert names(tmp_path) == ["out.csv"]
    assert target.is_dir()


def test_a_name_that_the_system_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(DrgcoreError, match="cannot write"), whole_file(tmp_path / ("x" * 300)):
        pytest.fail("the block must not run")
    assert names(tmp_path) == []


def test_a_part_that_was_taken_away_is_told(tmp_path: Path) -> None:
    with pytest.raises(DrgcoreError, match="cannot write"), whole_file(tmp_path / "x") as part:
        part.unlink()
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="permission bits are those of POSIX")
def test_the_file_gets_the_rights_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "x") as part:
            assert stat.S_IMODE(part.stat().st_mode) == 0o600
            part.write_text("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "x"
    with whole_file(target) as one, whole_file(target) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert target.read_text() == "one"
    assert names(tmp_path) == ["x"]
