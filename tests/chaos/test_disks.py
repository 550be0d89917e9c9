"""A disk that is full, a folder that nobody may write."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from drgcore.budget.ledger import Ledger
from tests.budget.test_ledger import a_region, closed_months

from . import jobs
from .disks import small_disk, write_no_more
from .killing import Job, Warm, contents, entries, killed, leftovers, temporary, undisturbed
from .test_kills import MAKINGS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits and mounts of POSIX")


def full_at(limit: int, warm: Warm, job: Job, folder: Path, whole: dict[str, object]) -> int:
    """Run a job whose files cannot grow beyond so many bytes, and again without that."""
    ended = killed(warm, job, folder / f"full{limit}", whole, limit=limit)
    assert ended.code in (0, 2), ended.said
    assert "Traceback" not in ended.said
    if ended.code:
        assert "cannot" in ended.said
        assert leftovers(folder / f"full{limit}", temporary(folder / f"full{limit}")) == []
    return ended.code


@pytest.mark.parametrize("name", ["parquet over an older file", "first month"])
def test_a_full_disk_is_told_and_leaves_nothing(
    name: str, warm: Warm, few: Path, tmp_path: Path
) -> None:
    job = MAKINGS[name](few)
    whole, _ended = undisturbed(warm, job, tmp_path / "whole")
    assert full_at(4_000, warm, job, tmp_path, whole) == 2


@pytest.mark.long
@pytest.mark.parametrize("name", MAKINGS)
def test_a_disk_that_is_full_at_any_byte(name: str, warm: Warm, few: Path, tmp_path: Path) -> None:
    job = MAKINGS[name](few)
    whole, _ended = undisturbed(warm, job, tmp_path / "whole")
    limits = (1_000, 2_000, 4_096, 10_000, 20_000, 33_000, 50_000, 100_000, 200_000)
    codes = [full_at(limit, warm, job, tmp_path, whole) for limit in limits]
    assert 2 in codes
    # Space that suffices stays enough.
    assert codes == sorted(codes, reverse=True)


@pytest.mark.long
@pytest.mark.parametrize("name", ["parquet", "csv over an older file", "xlsx", "first month"])
def test_a_disk_without_space(name: str, warm: Warm, many: Path, tmp_path: Path) -> None:
    job = MAKINGS[name](many)
    whole, _ended = undisturbed(warm, job, tmp_path / "whole")
    with small_disk(tmp_path / "disk", "400k") as disk:
        folder = disk / "work"
        folder.mkdir()
        job.prepare(folder)
        before = contents(folder)
        filler = disk / "filler"
        filler.write_bytes(bytes(300_000 if name == "first month" else 1))
        ended = warm.run(job.argv(folder), TMPDIR=str(temporary(tmp_path / "other")))
        assert ended.code == 2, ended.said
        assert "cannot" in ended.said
        if name != "first month":
            assert contents(folder) == before
        if name == "first month":
            filler.unlink()
            again = warm.run(job.argv(folder), TMPDIR=str(temporary(tmp_path / "other")))
            assert again.code == 0, again.said
            assert contents(folder) == whole


def test_where_nobody_writes_a_ledger_is_read_all_the_same(
    warm: Warm, few: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        book = jobs.a_ledger(3, disk)
        write_no_more(disk)
        before, stated = contents(disk), entries(book)
        for command in ("verify", "list"):
            ended = warm.run(["ledger", command, book])
            assert ended.code == 0, ended.said
        for job in (jobs.year("year.xlsx"), jobs.adjust(), jobs.grouping("parquet", few)):
            ended = warm.run(job.argv(disk))
            assert ended.code == 2, ended.said
            assert "cannot" in ended.said or "cannot be written" in ended.said
            assert "Traceback" not in ended.said
        assert contents(disk) == before
        assert entries(book) == stated


def test_a_ledger_whose_process_was_killed_is_read_where_nobody_writes(
    warm: Warm, tmp_path: Path
) -> None:
    months, path = closed_months(a_region()), tmp_path / "book.sqlite"
    child = os.fork()
    if not child:
        ledger = Ledger.open(path)
        ledger.close_month(months[0])
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert Path(f"{path}-wal").stat().st_size
    with small_disk(tmp_path / "disk", "4m") as disk:
        for found in tmp_path.glob("book.sqlite*"):
            if found.is_file():
                shutil.copy(found, disk)
        write_no_more(disk)
        ended = warm.run(["ledger", "verify", disk / "book.sqlite"])
        assert ended.code == 0, ended.said
        assert "1 entries" in ended.said
