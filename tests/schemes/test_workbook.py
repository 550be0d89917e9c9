"""Opening a workbook: what is none, what is damaged, and what is made to do harm."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from drgcore.errors import SchemeError
from drgcore.schemes import workbook as module
from drgcore.schemes.workbook import read_workbook


@pytest.fixture
def never_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when a file gets as far as the reader that unpacks it into memory."""

    def fail(path: str) -> None:
        raise AssertionError(f"{path} was unpacked")

    monkeypatch.setattr(module.python_calamine, "load_workbook", fail)


def _archive(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"xl/workbook.xml": b"<workbook/>", **parts}.items():
            archive.writestr(name, content)
    return path


def test_rows_and_columns_count_from_the_first(workbook: Path) -> None:
    sheets = {sheet.name: sheet for sheet in read_workbook(workbook)}
    assert list(sheets) == ["MDC", "ADRG", "DRG", "集合", "CC", "排除表"]
    assert sheets["MDC"].rows[1][0] == "MDC编码"
    assert sheets["ADRG"].rows[0][:2] == ["", "ADRG编码"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is no .xlsx workbook"),
        (b"MDC,ADRG\n", "this is no .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "encrypted workbook or one in the old"),
        (b"PK\x03\x04" + b"\0" * 100, "damaged or cut off"),
    ],
)
@pytest.mark.usefixtures("never_unpacked")
def test_what_is_no_workbook_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(SchemeError, match=message) as caught:
        read_workbook(path)
    assert str(caught.value).startswith(str(path))


def test_a_folder_cannot_be_opened_as_a_workbook(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="cannot be opened"):
        read_workbook(tmp_path)


@pytest.mark.usefixtures("never_unpacked")
def test_a_zip_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mdc.csv", "code")
    with pytest.raises(SchemeError, match=r"a zip archive, but no \.xlsx workbook"):
        read_workbook(path)


def test_a_workbook_of_nonsense_is_told(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="cannot be read"):
        read_workbook(_archive(tmp_path / "a.xlsx", {}))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.usefixtures("never_unpacked")
def test_a_workbook_that_is_cut_off_is_told(workbook: Path, share: float) -> None:
    whole = workbook.read_bytes()
    workbook.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(SchemeError, match="damaged or cut off"):
        read_workbook(workbook)


@pytest.mark.usefixtures("never_unpacked")
def test_a_damaged_part_is_told(workbook: Path) -> None:
    with zipfile.ZipFile(workbook) as archive:
        part = archive.getinfo("xl/worksheets/sheet4.xml")
    whole = workbook.read_bytes()
    start = part.header_offset + 30 + len(part.filename)
    for content, reason in [
        (_replaced(whole, start, b"\xff" * part.compress_size), "Error -3"),
        (_replaced(whole, part.header_offset, b"PK\x05\x06"), "it is not where it should be"),
    ]:
        workbook.write_bytes(content)
        with pytest.raises(
            SchemeError, match=rf"part xl/worksheets/sheet4\.xml is damaged: {reason}"
        ):
            read_workbook(workbook)


def _replaced(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


@pytest.mark.usefixtures("never_unpacked")
def test_a_changed_letter_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", "<t>ZYSS in OP_AA1</t>")
    path.write_bytes(path.read_bytes().replace(b"OP_AA1", b"OP_AB1"))
    with pytest.raises(SchemeError, match="its size or checksum is not what the archive says"):
        read_workbook(path)


@pytest.mark.usefixtures("never_unpacked")
def test_an_encrypted_part_is_told(workbook: Path) -> None:
    content = bytearray(workbook.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    workbook.write_bytes(content)
    with pytest.raises(SchemeError, match="the workbook is encrypted"):
        read_workbook(workbook)


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20, 3 * 2**20 + 258])
def test_a_part_of_any_size_is_measured_whole(tmp_path: Path, size: int) -> None:
    path = _archive(tmp_path / "a.xlsx", {"xl/media/image1.png": b"\0" * size})
    with pytest.raises(SchemeError, match="the workbook cannot be read"):  # and not "damaged"
        read_workbook(path)


@pytest.mark.usefixtures("never_unpacked")
def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.xlsx", {"xl/sharedStrings.xml": b" " * 20 * 2**20})
    assert path.stat().st_size < 50_000
    with pytest.raises(SchemeError, match="would unpack to more"):
        read_workbook(path)


@pytest.mark.usefixtures("never_unpacked")
def test_a_bomb_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNPACKED", 2**20)
    monkeypatch.setattr(module, "_unpacked", None)  # the directory is enough
    parts = {f"xl/worksheets/sheet{i}.xml": b" " * 2**18 for i in range(4)}
    with pytest.raises(SchemeError, match="would unpack to more"):
        read_workbook(_archive(tmp_path / "a.xlsx", parts))


@pytest.mark.usefixtures("never_unpacked")
def test_a_bomb_that_lies_about_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UNPACKED", 2**20)
    size = 3 * 2**20
    path = _archive(tmp_path / "a.xlsx", {"xl/worksheets/sheet1.xml": b" " * size})
    content = path.read_bytes()
    assert content.count(struct.pack("<I", size)) == 2
    path.write_bytes(content.replace(struct.pack("<I", size), struct.pack("<I", 100)))
    with zipfile.ZipFile(path) as archive:
        assert sum(part.file_size for part in archive.infolist()) < 200
    with pytest.raises(SchemeError, match="would unpack to more"):
        read_workbook(path)
    monkeypatch.setattr(module, "MAX_UNPACKED", 2 * size)
    with pytest.raises(SchemeError, match="its size or checksum is not what the archive says"):
        read_workbook(path)


@pytest.mark.parametrize(
    "sheet",
    [
        b'<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
        b"<c r='A1'/><c  r = 'zz900000' />",
        # The reference lies across two chunks of what is unpacked.
        b" " * (2**20 - 6) + b'<c r="XFD1048576">',
    ],
)
@pytest.mark.usefixtures("never_unpacked")
def test_one_cell_far_out_is_refused(tmp_path: Path, sheet: bytes) -> None:
    path = _archive(tmp_path / "a.xlsx", {"xl/worksheets/sheet1.xml": sheet})
    with pytest.raises(SchemeError, match=r"spans .* rows by .* columns"):
        read_workbook(path)


@pytest.mark.usefixtures("never_unpacked")
def test_an_unusual_packing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>" * 100)
    with pytest.raises(SchemeError, match="is damaged: it is packed in an unusual way"):
        read_workbook(path)
