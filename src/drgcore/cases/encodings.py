"""The encoding of a text file: UTF-8, GB18030 or UTF-16, by evidence."""

from __future__ import annotations

import codecs
from typing import Protocol

import numpy as np

from drgcore.errors import CaseSchemaError
from drgcore.language import _

BLOCK_BYTES = 4 << 20

# Text in GB18030 does not look like UTF-8 for thousands of characters by chance.
_CONVINCING_BYTES = 8192


class Stream(Protocol):
    """What is read in pieces."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""
        ...


def find_encoding(stream: Stream, where: str) -> str:
    """Find the encoding of a file by reading as much of it as is needed to be sure.

    Parameters
    ----------
    stream : object with read
        The file from its beginning.
    where : str
        Its name, for the message.

    Returns
    -------
    {"utf-8", "gb18030", "utf-16", "utf-16-le", "utf-16-be"}
        A file that is UTF-8 but for some bytes is UTF-8, and cannot be read at those. One whose
        only characters beyond ASCII are Latin and the like in UTF-8 but Chinese in GB18030 is
        GB18030, as a file of obstetrics is whose only Chinese word is 女.

    Raises
    ------
    CaseSchemaError
        The file is empty.

    Examples
    --------
    >>> import io
    >>> [find_encoding(io.BytesIO("sex\\n女\\n".encode(name)), "") for name in ("utf-8", "gbk")]
    ['utf-8', 'gb18030']
    """
    first = chunk = stream.read(BLOCK_BYTES)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if not first.removeprefix(codecs.BOM_UTF8).strip():
        raise CaseSchemaError(
            _("the file is empty"),
            where=where,
            hint=_("A file of cases starts with a row of column names."),
        )
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8"
    # ASCII in UTF-16 has a NUL in every other place.
    if first[:4096].count(0) * 4 > len(first[:4096]):
        little = first[1:4096:2].count(0) >= first[0:4096:2].count(0)
        return "utf-16-le" if little else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond_ascii = 0
    seen: set[str] = set()
    read = b""
    try:
        # A file in ASCII is read to its end: its first Chinese character may be its last.
        while chunk and beyond_ascii < _CONVINCING_BYTES:
            read = chunk
            # ASCII says nothing, unless a character of the block before ends in it.
            if not chunk.isascii() or decoder.getstate()[0]:
                text = decoder.decode(chunk)
                beyond_ascii += max(0, len(chunk) - len(text))
                seen.update(set(text))
            chunk = stream.read(BLOCK_BYTES)
        if not chunk:
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "utf-8" if _mostly_utf8(read) else "gb18030"
    return "gb18030" if _chinese_by_chance(seen) else "utf-8"


def _mostly_utf8(block: bytes) -> bool:
    text = block.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    characters = np.frombuffer(text.encode("utf-32-le"), "<u4")
    return int(np.count_nonzero(characters > 0x07FF)) - wrong > wrong


def _chinese_by_chance(seen: set[str]) -> bool:
    beyond = {character for character in seen if character > "\x7f"}
    if not beyond or any(character > "\u07ff" for character in beyond):
        return False
    # Degrees, dots, Greek letters and Western names may well be all that a file in UTF-8 holds.
    if all("\xa0" <= c <= "\xff" or "\u0391" <= c <= "\u03c9" for c in beyond):
        return False
    try:
        read = [character.encode("utf-8").decode("gb18030") for character in beyond]
    except UnicodeDecodeError:
        return False
    return all("\u4e00" <= text <= "\u9fff" for text in read)
