"""What is exported is compiled to the same scheme again, whatever the form."""

from __future__ import annotations

from pathlib import Path

import pytest

from drgcore.errors import SchemeError
from drgcore.schemes import compile_scheme, export_scheme, list_schemes, load_scheme, read_source
from drgcore.schemes.compile import content_digest
from drgcore.schemes.store import read_source_beside

from .conftest import Rows, make_scheme


@pytest.mark.parametrize("name", [info.name for info in list_schemes() if info.base is None])
def test_a_national_scheme_comes_back_from_its_sheets(name: str, tmp_path: Path) -> None:
    scheme = load_scheme(name)
    export_scheme(scheme, tmp_path / "sheets")
    source = read_source(tmp_path / "sheets")
    assert source.repairs == ()
    assert content_digest(source.tables) == scheme.metadata["digest"]


@pytest.mark.parametrize("name", [info.name for info in list_schemes() if info.base])
def test_a_local_scheme_comes_back_from_its_changes(name: str, tmp_path: Path) -> None:
    scheme = load_scheme(name)
    files = export_scheme(scheme, tmp_path / "city", changes=True)
    assert files[-1].read_text("utf-8").strip() == scheme.metadata["base"]
    source, base = read_source_beside(tmp_path / "city", tmp_path)
    assert (base, source.repairs) == (scheme.metadata["base"], ())
    assert content_digest(source.tables) == scheme.metadata["digest"]


def test_a_workbook_has_the_official_sheets(rows: Rows, tmp_path: Path) -> None:
    scheme = make_scheme(rows)
    (book,) = export_scheme(scheme, tmp_path / "plan.xlsx")
    report = compile_scheme(book, tmp_path, name="again")
    assert report.digest == content_digest(scheme.tables)
    assert report.repairs == ()
    first = book.read_bytes()
    export_scheme(scheme, book)
    assert book.read_bytes() == first


def test_groups_stand_in_the_order_in_which_they_are_tried(rows: Rows, tmp_path: Path) -> None:
    rows["drg"].reverse()
    scheme = make_scheme(rows)
    export_scheme(scheme, tmp_path / "sheets")
    lines = (tmp_path / "sheets" / "drg.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == "DRG编码,DRG名称,DRG规则,所属ADRG编码,所属MDC编码,排序"
    assert [line.split(",")[0] for line in lines[1:]] == [d.code for d in scheme.drgs]
    text = (tmp_path / "sheets" / "sets.csv").read_text("utf-8-sig")
    assert "OP_AA1,33.6x00,心脏-肺联合移植" in text


def test_what_is_refused(rows: Rows, tmp_path: Path) -> None:
    scheme = make_scheme(rows)
    (tmp_path / "there.csv").write_text("", encoding="utf-8")
    with pytest.raises(SchemeError, match="there are files already"):
        export_scheme(scheme, tmp_path)
    with pytest.raises(SchemeError, match="is no overlay"):
        export_scheme(scheme, tmp_path / "new", changes=True)
    with pytest.raises(SchemeError, match="not as a workbook"):
        export_scheme(load_scheme("suzhou-2023"), tmp_path / "new.xlsx", changes=True)
    assert not (tmp_path / "new").exists()
