"""What a folder of results is made from: by it a run goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from drgcore.cases.folders import MANIFEST
from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.language import _, reason_of

_FORMAT = 1


@dataclass(frozen=True)
class FileRecord:
    """A file that is done: one line of the manifest.

    Attributes
    ----------
    input, output : str
        Paths below the folders of cases and of results, with ``/``.
    input_size : int
        [bytes]
    input_mtime_ns : int
        When the input was last changed [ns since 1970].
    input_sha256, output_sha256 : str
        Of their bytes, as ``sha256sum`` prints it.
    rows : int
    counts : dict
        What a summary counts.
    warnings, notes : list of str
    """

    input: str
    output: str
    input_size: int
    input_mtime_ns: int
    input_sha256: str
    output_sha256: str
    rows: int
    counts: Mapping[str, Any]
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def is_of(self, path: Path) -> bool:
        """Whether the input is still the one: by size and time, where the time differs by bytes."""
        state = path.stat()
        if state.st_size != self.input_size:
            return False
        return state.st_mtime_ns == self.input_mtime_ns or sha256_of(path) == self.input_sha256

    def is_whole(self, folder: Path) -> bool:
        """Whether the result is there, byte for byte."""
        path = folder / self.output
        return path.is_file() and sha256_of(path) == self.output_sha256


@dataclass(frozen=True)
class Manifest:
    """The manifest of a folder of results.

    A file of JSON lines: first whether all is done and the options, then a line for each file that
    is done, added when its result is whole. A line without an end is one at which the run was
    killed, and counts for nothing. When all is done it is written anew, in the order of the inputs'
    names, so that it does not tell in how many runs the results were made.

    Attributes
    ----------
    folder : Path
        Of the results.
    options : mapping of str to JSON
        All that decides what a result holds.
    done : dict of str to FileRecord
        By input.
    """

    folder: Path
    options: Mapping[str, Any]
    done: dict[str, FileRecord]

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / MANIFEST

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The manifest of a folder; None where there is none.

        Raises
        ------
        DrgcoreError
            It cannot be read as one.
        """
        path = folder / MANIFEST
        try:
            *lines, _unended = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return None
        try:
            head, *rows = map(json.loads, lines)
            known = head["drgcore_manifest"] == _FORMAT
            done = {row["input"]: FileRecord(**row) for row in rows}
            options = head["options"]
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(path) from error
        if not known:
            raise _unreadable(path)
        return cls(folder, options, done)

    def begin(self) -> None:
        """Write what is there so far, before the first result; from now on it is not complete."""
        self._write(self.done.values(), complete=False)

    def add(self, record: FileRecord) -> None:
        """Enter a file whose result is whole, so that no kill loses it.

        Raises
        ------
        DrgcoreError
            It cannot be written, and a run must not go on without it.
        """
        try:
            with self.path.open("ab") as file:
                file.write(_line(asdict(record)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise DrgcoreError(
                _("the manifest cannot be written: {reason}", reason=reason_of(error)),
                where=str(self.path),
                hint=_("Check the free space and run the same command again."),
            ) from error
        self.done[record.input] = record

    def finish(self, *, complete: bool) -> None:
        """Write it in the order of the inputs' names, and whether there is nothing left to do."""
        self._write((self.done[name] for name in sorted(self.done)), complete=complete)

    def _write(self, records: Iterable[FileRecord], *, complete: bool) -> None:
        head = {"drgcore_manifest": _FORMAT, "complete": complete, "options": self.options}
        lines = [_line(head)]
        lines += [_line(asdict(record)) for record in records]
        with whole_file(self.path) as part:
            part.write_bytes(b"".join(lines))

    def differences(self, options: Mapping[str, Any]) -> list[str]:
        """In what other options differ from those of the results that are there."""
        told = []
        for name in dict.fromkeys((*self.options, *options)):
            there, now = (
                json.dumps(o.get(name), ensure_ascii=False) for o in (self.options, options)
            )
            if there != now:
                told.append(
                    _(
                        "{name}: {there} there, {now} now",
                        name=name,
                        there=_cut(there),
                        now=_cut(now),
                    )
                )
        return told


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def _cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _unreadable(path: Path) -> DrgcoreError:
    return DrgcoreError(
        _("the manifest cannot be read"),
        where=str(path),
        hint=_("Name another folder, or make every result anew with --fresh (fresh=True)."),
    )
