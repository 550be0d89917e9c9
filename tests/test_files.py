"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from drgcore import files
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.files import passing_folder, whole_file


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


def in_a_fork_killed(work: Callable[[], object]) -> None:
    """Do something in a process that kills itself by `die` within it."""
    child = os.fork()
    if not child:
        work()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


forks = pytest.mark.skipif(os.name != "posix", reason="forks and locks of POSIX")


@forks
def test_what_a_kill_left_is_swept_by_the_next_writer(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"

    # Two that wrote at once are killed, and both parts are gone afterwards.
    def work() -> None:
        with whole_file(target), whole_file(target):
            die()

    in_a_fork_killed(work)
    assert len(names(tmp_path)) == 2
    with whole_file(target) as part:
        assert names(tmp_path) == [part.name]
        part.write_text("whole")
    assert names(tmp_path) == ["out.csv"]


@forks
def test_a_part_that_is_being_written_is_not_swept(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with whole_file(target) as part:
        part.write_text("slow")
        child = os.fork()
        if not child:
            with whole_file(target) as other:
                other.write_text("fast")
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert target.read_text() == "fast"
        assert part.read_text() == "slow"
    assert target.read_text() == "slow"
    assert names(tmp_path) == ["out.csv"]


def test_more_writers_than_places_for_parts_write_all_the_same(tmp_path: Path) -> None:
    target = tmp_path / "x"
    with ExitStack() as stack:
        parts = [stack.enter_context(whole_file(target)) for _ in range(20)]
        assert len(set(parts)) == 20
        for number, part in enumerate(parts):
            part.write_text(str(number))
    assert target.read_text() == "0"
    assert names(tmp_path) == ["x"]


def test_somebody_elses_files_are_not_swept(tmp_path: Path) -> None:
    others = (".out.csv.part", ".out.csv.old", ".out.csv.0.part.txt", "out.csv.0.part")
    for name in others:
        (tmp_path / name).write_text("another's")
    (tmp_path / ".out.csv.1.part").symlink_to(tmp_path / "out.csv.0.part")
    with whole_file(tmp_path / "out.csv") as part:
        part.write_text("whole")
    assert names(tmp_path) == sorted([*others, ".out.csv.1.part", "out.csv"])
    assert {(tmp_path / name).read_text() for name in others} == {"another's"}


@forks
def test_a_passing_folder_is_swept_after_a_kill(tmp_path: Path) -> None:
    def work() -> None:
        with passing_folder("upload", tmp_path) as folder:
            (folder / "cases.csv").write_text("cases of people")
            die()

    in_a_fork_killed(work)
    assert len(names(tmp_path)) == 1
    with passing_folder("upload", tmp_path) as one, passing_folder("upload", tmp_path) as other:
        assert one != other
        assert list(one.iterdir()) == list(other.iterdir()) == []
    assert names(tmp_path) == []


def test_a_passing_folder_is_gone_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with passing_folder("upload", tmp_path) as folder:
            (folder / "cases.csv").write_text("cases of people")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == []


def interrupted(*_given: object, **_more: object) -> None:
    raise KeyboardInterrupt


def interrupted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first lock is interrupted; what is left is looked at with the real one."""
    real, calls = files._lock, iter([interrupted])
    monkeypatch.setattr(files, "_lock", lambda handle: next(calls, real)(handle))


def test_an_interruption_before_the_lock_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_once(monkeypatch)
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "note.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_when_the_part_is_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def made(path: Path, flags: int, mode: int = 0o777) -> int:
        handle = real(path, flags, mode)
        if flags & os.O_CREAT:
            # The number of the open file is known to nobody.
            os.close(handle)
            raise KeyboardInterrupt
        return handle

    monkeypatch.setattr(os, "open", made)
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "note.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("operation", ["chmod", "replace"])
def test_an_interruption_before_the_file_is_whole_leaves_no_part(
    operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, operation, interrupted)
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "note.txt") as part:
        part.write_text("whole")
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_while_a_passing_folder_is_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_once(monkeypatch)
    with pytest.raises(KeyboardInterrupt), passing_folder("upload", tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
