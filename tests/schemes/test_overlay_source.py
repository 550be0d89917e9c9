"""Overlays as folders that people edit: what they say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from drgcore.errors import SchemeError
from drgcore.schemes import Scheme, compile_scheme, load_scheme
from drgcore.schemes.overlay_source import base_of_source, read_overlay_source
from drgcore.schemes.store import read_source_beside

from .conftest import Rows, make_scheme


def _folder(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        file = path / name.replace("__", ".").replace("base", "base.txt")
        file.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def base(rows: Rows) -> Scheme:
    return make_scheme(rows)


def test_rows_are_added_changed_and_removed(tmp_path: Path, base: Scheme) -> None:
    folder = _folder(
        tmp_path / "city",
        drg__csv="code,name,rule,adrg,mdc,sort\nBR11,出血,NL > 60,BR1,MDCB,0\n"
        "BR19,其他,,BR1,MDCB,1\n",
        drg__removed__csv="code\nBB13\n",
        sets__removed__csv="set_id,code\nOP_BB1,01.2500\n",
        cc__removed__csv="code\nI10.x00\n",
    )
    read = read_overlay_source(folder, base.tables)
    city = Scheme("city", read.tables)
    assert [d.code for d in city.drgs_of("BR1")] == ["BR11", "BR19"]
    assert city.name_of("BR19") == "其他"
    assert [d.code for d in city.drgs_of("BB1")] == ["BB11", "BB15"]
    assert city.sets["OP_BB1"] == {"01.2400"}
    assert "I10.x00" not in city.complications
    assert city.exclusions == base.exclusions


def test_marks_and_spaces_are_stripped_and_told(tmp_path: Path, base: Scheme) -> None:
    folder = _folder(tmp_path / "city", cc__csv="code,exclusion,type\n\ufeffI60.000,EX_1,MCC\n")
    read = read_overlay_source(folder, base.tables)
    assert Scheme("city", read.tables).complications["I60.000"].type == "MCC"
    assert read.repairs_by_kind() == {"cc: invisible character": 1}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"drg__removed__csv": "code\nBB99\n"}, "removes rows of drg that its base does not have"),
        (
            {"sets__removed__csv": "set_id,code\nOP_BB1,99.9999\n"},
            "removes rows of sets .* OP_BB1 99.9999",
        ),
        (
            {
                "cc__csv": "code,exclusion,type\nI10.x00,EX_1,MCC\n",
                "cc__removed__csv": "code\nI10.x00\n",
            },
            "both removes and adds I10.x00 in cc",
        ),
        ({"weights__csv": "code\nBB11\n"}, "there is no table weights; there are mdc, adrg"),
        ({"drg__removed__csv": "drgs\nBB11\n"}, "there is no column"),
        ({"drg__csv": "code,name,rule,adrg,mdc,sort\nBB14,名,NL >,BB1,MDCB,9\n"}, "BB14"),
    ],
)
def test_what_is_refused(files: dict[str, str], message: str, tmp_path: Path, base: Scheme) -> None:
    folder = _folder(tmp_path / "city", **files)
    with pytest.raises(SchemeError, match=message) as caught:
        read_overlay_source(folder, base.tables)
    assert "city" in str(caught.value)


def test_the_base_is_named_in_its_file(tmp_path: Path) -> None:
    assert base_of_source(tmp_path) is None
    folder = _folder(tmp_path / "city", base="\ufeffchs-drg-1.1\n")
    assert base_of_source(folder) == "chs-drg-1.1"
    for wrong in ("", "two names"):
        (folder / "base.txt").write_text(wrong, encoding="utf-8")
        with pytest.raises(SchemeError, match=r"base\.txt: the file must hold the name of one"):
            base_of_source(folder)


def test_a_base_that_is_not_there(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "city", base="no-such-scheme")
    for use in (lambda: load_scheme(folder), lambda: compile_scheme(folder, tmp_path, name="x")):
        with pytest.raises(SchemeError, match="there is no scheme 'no-such-scheme' to be the base"):
            use()
    assert [path.name for path in tmp_path.iterdir()] == ["city"]


def test_an_overlay_is_not_its_own_base(tmp_path: Path) -> None:
    header = "code,name,rule,adrg,mdc,sort\n"
    one = _folder(
        tmp_path / "one", base="chs-drg-1.1", drg__csv=header + "AA19,心肺移植一,,AA1,MDCA,1\n"
    )
    compile_scheme(one, tmp_path / "out", name="one")
    two = _folder(tmp_path / "two", base="one", drg__csv=header + "AA19,二,,AA1,MDCA,1\n")
    assert compile_scheme(two, tmp_path / "out", name="two").changes == {"drg": 1}
    assert load_scheme(tmp_path / "out" / "two").name_of("AA19") == "二"
    (one / "base.txt").write_text("two", encoding="utf-8")
    with pytest.raises(SchemeError, match="would be its own base: one → two → one"):
        compile_scheme(one, tmp_path / "out", name="one")
    assert load_scheme(tmp_path / "out" / "one").name_of("AA19") == "心肺移植一"
    (two / "base.txt").write_text("two", encoding="utf-8")
    with pytest.raises(SchemeError, match="scheme two cannot be its own base"):
        compile_scheme(two, tmp_path / "out", name="two")


def test_a_loaded_folder_knows_its_base(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "city", base="chs-drg-1.0r", mdc__removed__csv="code\nMDCX\n")
    source, base = read_source_beside(folder, tmp_path)
    assert base == "chs-drg-1.0r"
    assert source.tables["mdc"].num_rows == 25
    with pytest.raises(SchemeError, match="belongs to the MDC MDCX, which the scheme lacks"):
        load_scheme(folder)
    assert load_scheme(folder, check=False).metadata["base"] == "chs-drg-1.0r"
