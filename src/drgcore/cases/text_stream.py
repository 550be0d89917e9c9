"""A text file as a stream of UTF-8, whatever its encoding."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import pyarrow as pa

_BLOCK = 1 << 20


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
    newlines : int
        Line ends that were read so far.
    quoted : bool
        Whether there was a quote.
    nul_line : int or None
        The line of the first byte 0, at which reading ended with OSError.
    """

    closed = False

    def __init__(self, source: Any, encoding: str) -> None:
        plain = encoding == "utf-8"
        self._source = source if plain else pa.transcoding_input_stream(source, encoding, "utf8")
        self._ahead = b""
        self.newlines = 0
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
        chunk = self._ahead or self._source.read(size)
        self._ahead = b""
        if chunk.endswith(b"\x1a"):
            self._ahead = self._source.read(size)
            chunk = chunk if self._ahead else chunk.rstrip(b"\x1a")
        zero = chunk.find(b"\0")
        if zero >= 0:
            self.nul_line = self._lines_skipped + self.newlines + chunk[:zero].count(b"\n") + 1
            raise OSError("a byte 0")
        self.quoted = self.quoted or b'"' in chunk
        self.newlines += chunk.count(b"\n") or chunk.count(b"\r")
        return bytes(chunk)

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
