"""A text file as a stream of UTF-8, whatever its encoding."""

from __future__ import annotations

import codecs
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from drgcore.language import _

WRONG_BYTES = "\uffff"
"""What stands for bytes that are not of the file's encoding: no character of any text."""

_BLOCK = 1 << 20
_MARK = "drgcore.wrong_bytes"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return WRONG_BYTES, error.end


codecs.register_error(_MARK, _mark)


class TextStream:
    """A file as UTF-8 bytes, without the ^Z of old systems at its end.

    Parameters
    ----------
    source : pyarrow.NativeFile
        The file from its beginning, decompressed.
    encoding : str
        Of the file.

    Attributes
    ----------
    bytes_read : int
        Bytes of the file, decompressed, that were read so far.
    newlines : int
        Line ends that were read so far.
    quoted : bool
        Whether there was a quote.
    wrong_bytes : bool
        Whether there were bytes not of the encoding, in whose place `WRONG_BYTES` was given.
    nul_line : int or None
        The line of the first byte 0, at which reading ended with OSError.
    """

    closed = False

    def __init__(self, source: Any, encoding: str) -> None:
        self._source = source
        utf8 = encoding == "utf-8"
        self._decoder = None if utf8 else codecs.getincrementaldecoder(encoding)(_MARK)
        self._begun = b""
        self.wrong_bytes = False
        self._ahead = b""
        self.newlines = self.bytes_read = 0
        self._lines_skipped = 0
        self.quoted = False
        self.nul_line: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self.closed = True
            self._source.close()

    def readable(self) -> bool:
        """A stream can be read."""
        return True

    def read(self, size: int = _BLOCK) -> bytes:
        """The next bytes, none at the end; OSError at a byte 0."""
        chunk = self._ahead
        while len(chunk) < size and (more := self._utf8(size - len(chunk))):
            chunk += more
        # UTF-8 may be longer than what was read, and Arrow gets no more than it asks for.
        chunk, self._ahead = chunk[:size], chunk[size:]
        if chunk.endswith(b"\x1a") and not self._ahead:
            self._ahead = self._utf8(size)
            chunk = chunk if self._ahead else chunk.rstrip(b"\x1a")
        zero = chunk.find(b"\0")
        if zero >= 0:
            self.nul_line = self._lines_skipped + self.newlines + chunk[:zero].count(b"\n") + 1
            raise OSError(_("a byte 0"))
        self.quoted = self.quoted or b'"' in chunk
        self.newlines += chunk.count(b"\n") or chunk.count(b"\r")
        return chunk

    def _utf8(self, size: int) -> bytes:
        """The next bytes of the file in UTF-8."""
        found = b""
        while not found:
            chunk: bytes = self._source.read(size)
            self.bytes_read += len(chunk)
            if self._decoder is not None:
                found = self._decoder.decode(chunk, final=not chunk).encode()
                self.wrong_bytes = self.wrong_bytes or WRONG_BYTES.encode() in found
            else:
                whole = self._begun + chunk
                end = len(whole) - (_begun(whole) if chunk else 0)
                found, self._begun = whole[:end], whole[end:]
                if not _is_utf8(found):
                    self.wrong_bytes = True
                    found = found.decode("utf-8", _MARK).encode()
            if not chunk:
                break
        return found

    def skip(self, size: int) -> None:
        """Pass over bytes at the beginning."""
        passed = b""
        while len(passed) < size and (chunk := self.read(_BLOCK)):
            passed += chunk
        self._ahead = passed[size:] + self._ahead
        self._lines_skipped = passed[:size].count(b"\n")
        self.newlines = 0

    def has_more(self) -> bool:
        """Whether anything but white space is left."""
        while not self._ahead.strip():
            # What lies ahead is what `read` gives first: without this it would be read for ever.
            blank, self._ahead = self._ahead, b""
            chunk = self.read(_BLOCK)
            if not chunk:
                return False
            self._ahead = blank + chunk + self._ahead
        self.newlines = 0
        return True


def _begun(block: bytes) -> int:
    """How many bytes at the end begin a character that the next block ends.

    Examples
    --------
    >>> [_begun("a男".encode()[:size]) for size in (1, 2, 3, 4)]
    [0, 1, 2, 0]
    """
    for back, byte in enumerate(reversed(block[-3:]), 1):
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            return back if back < 2 + (byte >= 0xE0) + (byte >= 0xF0) else 0
    return 0


def _is_utf8(block: bytes) -> bool:
    """Whether all is UTF-8, which Arrow tells several times faster than decoding does."""
    if block.isascii():
        return True
    ends = pa.py_buffer(np.array([0, len(block)], np.int32))
    text = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(block)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
