"""The sheets of an official .xlsx configuration workbook, opened with care.

What a user hands in comes from a mail or a download. Before the reader unpacks it, the archive is
measured: by what its directory claims and by what really comes out, so that a decompression bomb
costs neither memory nor time.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import python_calamine

from drgcore.errors import SchemeError
from drgcore.language import _

MAX_UNPACKED = 512 * 2**20
"""Most bytes that a workbook may unpack to; the official ones take about 30 MiB."""

MAX_RATIO = 250
"""Most times its packed size to which a large part may unpack; sheets of text reach about 30."""

MAX_CELLS = 20_000_000
"""Most cells in the rectangle that a sheet spans; the official ones span about 430,000."""

_RATIO_FROM = 16 * 2**20  # smaller parts are harmless whatever their ratio
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']""")
_CHUNK = 2**20
_LOCAL_HEADER = 30


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet's cells; the first row is row 1 and the first column is column A."""

    name: str
    rows: Sequence[Sequence[object]]


def read_workbook(path: Path) -> list[Sheet]:
    """All sheets of an .xlsx workbook.

    Raises
    ------
    SchemeError
        When the file is no workbook, is damaged, is encrypted, or unpacks to more than a scheme
        can need.
    """
    _check_signature(path)
    _check_archive(path)
    try:
        with python_calamine.load_workbook(str(path)) as book:
            return [
                Sheet(
                    found.name, book.get_sheet_by_name(found.name).to_python(skip_empty_area=False)
                )
                for found in book.sheets_metadata
                if found.typ == python_calamine.SheetTypeEnum.WorkSheet
            ]
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise SchemeError(
            _("the workbook cannot be read: {error}", error=error),
            where=str(path),
            hint=_("Open it in Excel or WPS and save it again as .xlsx."),
        ) from error


def _check_signature(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise SchemeError(
            _("the file cannot be opened: {strerror}", strerror=error.strerror), where=str(path)
        ) from None
    if start == _OLE:
        raise SchemeError(
            _("this is an encrypted workbook or one in the old .xls format"),
            where=str(path),
            hint=_("Open it in Excel or WPS and save it as .xlsx without a password."),
        )
    if not start.startswith(b"PK"):
        raise SchemeError(
            _("this is no .xlsx workbook"),
            where=str(path),
            hint=_(
                "Give the official configuration workbook, or the folder of its sheets as .csv."
            ),
        )


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise SchemeError(
            _("the workbook is damaged or cut off ({error})", error=error),
            where=str(path),
            hint=_("Download or copy it again."),
        ) from None
    if "xl/workbook.xml" not in {part.filename.lower() for part in parts}:
        raise SchemeError(_("this is a zip archive, but no .xlsx workbook"), where=str(path))
    if any(part.flag_bits & 1 for part in parts):
        raise SchemeError(_("the workbook is encrypted"), where=str(path))
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _too_large(path)
    for part in parts:
        if part.file_size > max(_RATIO_FROM, MAX_RATIO * part.compress_size):
            raise _too_large(path)
    # The directory may lie about sizes, so what really comes out is counted too.
    left = MAX_UNPACKED
    with path.open("rb") as file:
        for part in parts:
            left -= _unpacked(path, file, part, left)


def _unpacked(path: Path, file: BinaryIO, part: zipfile.ZipInfo, limit: int) -> int:
    """Bytes that a part really unpacks to; on the way its furthest cell is looked for."""
    is_sheet = part.filename.lower().startswith("xl/worksheets/")
    total = checksum = rows = columns = 0
    tail = b""
    try:
        for chunk in _chunks(file, part):
            total += len(chunk)
            if total > limit:
                raise _too_large(path)
            checksum = zlib.crc32(chunk, checksum)
            if is_sheet:
                # A reference may lie across two chunks, so the end of one is looked at again.
                for letters, digits in set(_REFERENCE.findall(tail + chunk)):
                    rows = max(rows, int(digits))
                    columns = max(columns, _column(letters))
                tail = chunk[-32:]
    except (zlib.error, ValueError) as error:
        raise _damaged(path, part, str(error)) from None
    if (total, checksum) != (part.file_size, part.CRC):
        raise _damaged(path, part, _("its size or checksum is not what the archive says"))
    if rows * columns > MAX_CELLS:
        raise SchemeError(
            _(
                "a sheet ({filename}) spans {rows:,} rows by {columns:,} columns",
                filename=part.filename,
                rows=rows,
                columns=columns,
            ),
            where=str(path),
            hint=_("Delete what stands far below or to the right of the table."),
        )
    return total


def _chunks(file: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked content of a part, bit by bit, however large it says it is."""
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(_("it is packed in an unusual way"))
    file.seek(max(part.header_offset, 0))
    head = file.read(_LOCAL_HEADER)
    if len(head) < _LOCAL_HEADER or not head.startswith(b"PK\x03\x04"):
        raise ValueError(_("it is not where it should be"))
    file.seek(sum(struct.unpack("<HH", head[26:30])), 1)
    inflate = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None
    left = part.compress_size
    while left:
        packed = file.read(min(_CHUNK, left))
        if not packed:
            raise ValueError(_("it is cut off"))
        left -= len(packed)
        if inflate is None:
            yield packed
            continue
        while packed:
            yield inflate.decompress(packed, _CHUNK)
            packed = inflate.unconsumed_tail
    if inflate is not None:
        yield inflate.flush()


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _damaged(path: Path, part: zipfile.ZipInfo, reason: str) -> SchemeError:
    return SchemeError(
        _("part {filename} is damaged: {reason}", filename=part.filename, reason=reason),
        where=str(path),
        hint=_("Download or copy the workbook again, or save it again in Excel or WPS."),
    )


def _too_large(path: Path) -> SchemeError:
    return SchemeError(
        _(
            "the workbook would unpack to more than a scheme can need ({max_unpacked} "
            "MiB, or {max_ratio} times its packed size)",
            max_unpacked=MAX_UNPACKED // 2**20,
            max_ratio=MAX_RATIO,
        ),
        where=str(path),
        hint=_("A workbook that does this is damaged or made to do harm; get it from its issuer."),
    )
