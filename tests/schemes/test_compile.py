"""Compiling a scheme: what is written, that it is whole or not there, and what is read again."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgcore.errors import SchemeError
from drgcore.schemes import Scheme, compile_scheme, load_scheme, read_source
from drgcore.schemes import compile as module
from drgcore.schemes.compile import content_digest
from drgcore.schemes.store import FORMAT_VERSION, MANIFEST

from .conftest import SMALL, Rows, make_scheme, write_csv, write_workbook


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _edit(folder: Path, **changes: Any) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")


@pytest.fixture
def local(rows: Rows) -> Rows:
    """A local version of the small scheme: one group cut otherwise, one set a code richer."""
    rows["drg"][1:4] = [["BB19", "开颅术", "", "BB1", "MDCB", 1]]
    rows["sets"].append(["OP_BB1", "55.5100"])
    return rows


def test_a_compiled_scheme_is_the_source(workbook: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    report = compile_scheme(
        workbook,
        tmp_path / "out",
        name="small",
        title="小方案",
        metadata={"in_force_from": "2027-01-01"},
        progress=steps.append,
    )
    assert steps == ["read", "check", "write"]
    assert report.folder == tmp_path / "out" / "small"
    assert report.changes is None
    scheme = load_scheme(report.folder)
    assert dict(scheme.tables) == make_scheme(SMALL).tables
    assert scheme.counts() == report.counts == report.scheme.counts()
    assert scheme.name == "small"
    assert scheme.metadata == {
        "title": "小方案",
        "digest": report.digest,
        "source": "small.xlsx",
        "in_force_from": "2027-01-01",
    }


def test_a_source_is_loaded_by_its_path(workbook: Path, tmp_path: Path) -> None:
    folder = write_csv(tmp_path / "small-1.0", SMALL)
    assert load_scheme(workbook).name == "small"
    assert load_scheme(str(folder)).name == "small-1.0"
    assert load_scheme(folder).metadata == {"source": "small-1.0"}


def test_counts_are_those_of_the_official_notice(workbook: Path) -> None:
    assert load_scheme(workbook).counts() == {
        "mdc": 2,
        "adrg": 3,
        "adrg_ambiguous": 1,
        "adrg_catch_all": 1,
        "drg": 5,
        "drg_rows": 7,
        "sets": 5,
        "set_rows": 10,
        "set_members": 10,
        "mcc": 1,
        "cc": 2,
        "exclusion_tables": 1,
        "exclusion_rows": 2,
    }


def test_repeats_count_as_rows_after_compiling_too(tmp_path: Path, rows: Rows) -> None:
    rows["sets"].append(rows["sets"][0])
    report = compile_scheme(write_csv(tmp_path / "csv", rows), tmp_path, name="small")
    counts = load_scheme(report.folder).counts()
    assert (counts["set_rows"], counts["set_members"]) == (11, 10)
    assert [repair.before for repair in report.repairs] == ["OP_AA1 33.6x00"]
    manifest = json.loads((report.folder / MANIFEST).read_text("utf-8"))
    assert manifest["repairs"] == {"sets: repeated row": 1}


def test_a_workbook_and_its_csv_compile_to_the_same(workbook: Path, tmp_path: Path) -> None:
    folder = write_csv(tmp_path / "csv" / "small", SMALL)
    metadata = {"source": "方案"}
    one = compile_scheme(workbook, tmp_path / "a", name="small", metadata=metadata)
    two = compile_scheme(folder, tmp_path / "b", name="small", metadata=metadata)
    assert one.digest == two.digest
    assert _files(one.folder) == _files(two.folder)


def test_compiling_again_gives_the_same_bytes(workbook: Path, tmp_path: Path) -> None:
    report = compile_scheme(workbook, tmp_path / "out", name="small")
    before = _files(tmp_path / "out")
    compile_scheme(read_source(workbook), tmp_path / "out", name="small")
    assert _files(tmp_path / "out") == before
    assert set(before) == {f"small/{table}.parquet" for table in SMALL} | {f"small/{MANIFEST}"}
    assert report.folder.is_dir()


def test_an_overlay_is_small_and_loads_whole(workbook: Path, tmp_path: Path, local: Rows) -> None:
    out = tmp_path / "out"
    compile_scheme(workbook, out, name="national")
    source = write_csv(tmp_path / "city", local)
    report = compile_scheme(source, out, name="city", base="national")
    assert report.changes == {"drg": 4, "sets": 1}
    assert set(_files(report.folder)) == {"drg.parquet", "sets.parquet", MANIFEST}
    laid = load_scheme(report.folder)
    direct = load_scheme(compile_scheme(source, tmp_path / "direct", name="city").folder)
    assert laid.metadata["base"] == "national"
    assert laid.metadata["digest"] == direct.metadata["digest"] == content_digest(laid.tables)
    assert laid.counts() == direct.counts()
    for of_scheme in ("mdcs", "adrgs", "drgs", "sets", "complications", "exclusions"):
        assert getattr(laid, of_scheme) == getattr(direct, of_scheme)


def test_an_overlay_may_lie_on_an_overlay(workbook: Path, tmp_path: Path, local: Rows) -> None:
    compile_scheme(workbook, tmp_path, name="national")
    compile_scheme(write_csv(tmp_path / "a", local), tmp_path, name="province", base="national")
    local["drg"][1][1] = "开颅手术"
    report = compile_scheme(
        write_csv(tmp_path / "b", local), tmp_path, name="city", base="province"
    )
    assert report.changes == {"drg": 1}
    assert load_scheme(tmp_path / "city").name_of("BB19") == "开颅手术"
    assert content_digest(load_scheme(tmp_path / "city").tables) == report.digest


def test_a_tie_is_broken_alike_with_and_without_overlay(tmp_path: Path, rows: Rows) -> None:
    rows["adrg"][3][4] = 2
    rows["adrg"][2], rows["adrg"][3] = rows["adrg"][3], rows["adrg"][2]
    compile_scheme(write_csv(tmp_path / "a", SMALL), tmp_path, name="national")
    source = write_csv(tmp_path / "b", rows)
    compile_scheme(source, tmp_path, name="city", base="national")
    assert load_scheme(tmp_path / "city").adrgs == load_scheme(source).adrgs


def test_an_overlay_needs_its_base(workbook: Path, tmp_path: Path, local: Rows) -> None:
    source = write_csv(tmp_path / "csv", local)
    with pytest.raises(SchemeError, match="no scheme 'national' to be the base"):
        compile_scheme(source, tmp_path, name="city", base="national")
    with pytest.raises(SchemeError, match="cannot be its own base"):
        compile_scheme(source, tmp_path, name="city", base="city")
    compile_scheme(workbook, tmp_path, name="national")
    compile_scheme(source, tmp_path, name="city", base="national")
    (tmp_path / "national").rename(tmp_path / "gone")
    with pytest.raises(SchemeError, match="no scheme 'national' to be the base"):
        load_scheme(tmp_path / "city")


def test_an_overlay_on_another_base_than_its_own_is_refused(
    workbook: Path, tmp_path: Path, local: Rows
) -> None:
    compile_scheme(workbook, tmp_path, name="national")
    compile_scheme(write_csv(tmp_path / "a", local), tmp_path, name="city", base="national")
    local["mdc"][0][1] = "先期"
    compile_scheme(write_csv(tmp_path / "b", local), tmp_path, name="national")
    with pytest.raises(SchemeError, match="base national is not the one that it was cut from"):
        load_scheme(tmp_path / "city")


def test_a_cycle_of_bases_is_refused(workbook: Path, tmp_path: Path) -> None:
    digest = compile_scheme(workbook, tmp_path, name="a").digest
    for name, base in (("b", "a"), ("c", "b")):
        compile_scheme(workbook, tmp_path, name=name, base=base)
    _edit(tmp_path / "a", base={"name": "c", "digest": digest}, tables=[])
    with pytest.raises(SchemeError, match="the overlay is its own base: b → a → c → b"):
        load_scheme(tmp_path / "b")


def test_another_format_version_is_refused(workbook: Path, tmp_path: Path) -> None:
    folder = compile_scheme(workbook, tmp_path, name="small").folder
    _edit(folder, format_version=FORMAT_VERSION + 1)
    with pytest.raises(SchemeError, match=f"format version {FORMAT_VERSION + 1}, this drgcore"):
        load_scheme(folder)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (MANIFEST, b"{", "the file is damaged"),
        (MANIFEST, b"[]", "format version None"),
        (MANIFEST, b'{"format_version": 1}', "the file is damaged: it lacks base, counts"),
        ("sets.parquet", b"PAR1", "the table cannot be read"),
        ("sets.parquet", None, "the table cannot be read"),
    ],
)
def test_a_damaged_compilation_is_told(
    workbook: Path, tmp_path: Path, file: str, content: bytes | None, message: str
) -> None:
    path = compile_scheme(workbook, tmp_path, name="small").folder / file
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(SchemeError, match=message) as caught:
        load_scheme(path.parent)
    assert str(path) in str(caught.value)


def test_a_table_with_other_columns_is_told(workbook: Path, tmp_path: Path) -> None:
    folder = compile_scheme(workbook, tmp_path, name="small").folder
    pq.write_table(pa.table({"set_id": ["A"]}), folder / "sets.parquet")
    with pytest.raises(SchemeError, match=r"sets\.parquet: the table has columns \['set_id'\]"):
        load_scheme(folder)


def test_a_scheme_with_errors_is_not_compiled(tmp_path: Path, rows: Rows) -> None:
    rows["adrg"][0][2] = "ZYSS in OP_X"
    rows["cc"][0][1] = "EX_9"
    path = write_workbook(tmp_path / "a.xlsx", rows)
    with pytest.raises(SchemeError, match=r"a\.xlsx: errors in the scheme: 2") as caught:
        compile_scheme(path, tmp_path / "out", name="small")
    assert "OP_X" in str(caught.value)
    assert "EX_9" in str(caught.value)
    assert not (tmp_path / "out").exists()
    with pytest.raises(SchemeError, match="errors in the scheme: 2"):
        load_scheme(path)
    assert isinstance(load_scheme(path, check=False), Scheme)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a b", "方案"])
def test_a_name_must_do_as_a_folder(workbook: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(SchemeError, match="cannot be the name of a scheme"):
        compile_scheme(workbook, tmp_path / "out", name=name)


def test_a_full_disk_leaves_nothing_behind(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    compile_scheme(workbook, out, name="small", title="old")
    before = _files(out)
    written: list[Path] = []

    def write_some(table: pa.Table, path: Path) -> None:
        if len(written) == 3:
            path.write_bytes(b"PAR1")
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        path.write_bytes(b"PAR1")

    monkeypatch.setattr(module, "write_table", write_some)
    for name in ("small", "other"):
        written.clear()
        with pytest.raises(SchemeError, match="No space left on device"):
            compile_scheme(workbook, out, name=name, title="new")
        assert len(written) == 3
        assert _files(out) == before
        assert [path.name for path in out.iterdir()] == ["small"]


def test_a_failed_exchange_puts_the_old_tables_back(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    compile_scheme(workbook, out, name="small", title="old")
    before = _files(out)
    replace = os.replace

    def fail_on_new(source: Path, target: Path) -> None:
        if source.name == "new":
            raise OSError(errno.EACCES, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(module.os, "replace", fail_on_new)
    with pytest.raises(SchemeError, match="Permission denied"):
        compile_scheme(workbook, out, name="small", title="new")
    assert _files(out) == before
    assert [path.name for path in out.iterdir()] == ["small"]


def test_a_file_in_the_way_is_told(workbook: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(SchemeError, match="cannot write there"):
        compile_scheme(workbook, tmp_path / "out", name="small")
