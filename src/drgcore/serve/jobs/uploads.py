"""What is uploaded: its name, its kind, and whether it would grow without bounds when read."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from drgcore.errors import CaseSchemaError
from drgcore.files import whole_file
from drgcore.language import _

KINDS = (".xlsx", ".xls", ".csv", ".tsv", ".txt", ".dbf", ".parquet")

_LONGEST = 120
_MOST_FILES = 10_000
# A worksheet shrinks to a twentieth; what shrinks to a thousandth is no worksheet.
_MOST_GROWTH = 200
_FREE_GROWTH = 64 << 20
_MOST_UNPACKED = 8 << 30


def shown_name(name: str) -> str:
    """The name of an upload as it is shown; it never becomes a path.

    Examples
    --------
    >>> shown_name("../../etc/passwd"), shown_name("C:\\\\a\\\\出院 病例.xlsx"), shown_name("")
    ('passwd', '出院 病例.xlsx', 'upload')
    """
    last = re.split(r"[/\\\\]", name)[-1]
    plain = "".join(c for c in last if c.isprintable()).strip(". ")
    return plain[-_LONGEST:] or "upload"


def kind_of(name: str) -> str:
    """The ending of an upload's name, of those that can be read.

    Raises
    ------
    CaseSchemaError

    Examples
    --------
    >>> kind_of("Cases.XLSX")
    '.xlsx'
    """
    ending = Path(shown_name(name)).suffix.lower()
    if ending not in KINDS:
        raise CaseSchemaError(
            _("a file of the kind {ending!r} is not read", ending=ending),
            hint=_("Kinds: {kinds}.", kinds=", ".join(KINDS)),
        )
    return ending


def keep_upload(source: BinaryIO, target: Path, most: int) -> None:
    """Write an upload to its place, and refuse one that is too large or a bomb.

    Parameters
    ----------
    source : file
    target : Path
        Its ending is that of `kind_of`.
    most : int
        Most bytes.

    Raises
    ------
    CaseSchemaError
        Nothing is left of it then, and nothing stands at its place before it is whole.
    """
    with whole_file(target) as part:
        with part.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        if part.stat().st_size > most:
            raise CaseSchemaError(_("the file is too large: at most {most:,} bytes", most=most))
        refuse_bomb(part, target.suffix)


def refuse_bomb(path: Path, kind: str) -> None:
    """Refuse a file that is small and would be huge when it is unpacked.

    Raises
    ------
    CaseSchemaError
    """
    packed = path.stat().st_size
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise CaseSchemaError(_("the workbook is damaged")) from error
        sizes = [entry.file_size for entry in entries]
        if len(entries) > _MOST_FILES or any(e.flag_bits & 1 for e in entries):
            raise CaseSchemaError(_("the workbook is encrypted or holds too many parts"))
        _refuse_growth(packed, sum(sizes))
    elif kind == ".parquet":
        try:
            with pq.ParquetFile(path) as file:
                told = file.metadata
                groups = [told.row_group(i) for i in range(told.num_row_groups)]
                unpacked = sum(group.total_byte_size for group in groups)
        except (pa.ArrowException, OSError) as error:
            raise CaseSchemaError(_("the parquet file is damaged")) from error
        _refuse_growth(packed, unpacked)


def _refuse_growth(packed: int, unpacked: int) -> None:
    if unpacked > min(packed * _MOST_GROWTH + _FREE_GROWTH, _MOST_UNPACKED):
        raise CaseSchemaError(
            _(
                "the file has {packed:,} bytes and would have {unpacked:,} when unpacked",
                packed=packed,
                unpacked=unpacked,
            ),
            hint=_("It is no file of cases, or must be split."),
        )
