"""Cases that lie in several files: folders, patterns of names, folders named after values."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote

from drgcore.errors import CaseSchemaError
from drgcore.language import _

CASE_SUFFIXES = (".parquet", ".pq", ".xlsx", ".xls", ".csv", ".tsv", ".txt", ".dbf")
"""The endings of files of cases; those of text also with ``.gz`` behind them."""

MANIFEST = "_drgcore_manifest.jsonl"
"""The file that says of a folder of results what it is made from; programs that read folders of
parquet leave such names out."""

_TEXT = (".csv", ".tsv", ".txt")
# A folder that is named after the value that a column has in all files below it.
_PARTITION = re.compile(r"([^\W\d]\w*)=(.*)")
_NOTHING = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class CaseFile:
    """One of several files of cases.

    Attributes
    ----------
    path : Path
    name : str
        Its path below the folder of all, with ``/``.
    partitions : mapping of str to str or None
        Columns that the names of its folders give values to: ``year=2027/month=03``; None is
        no value.
    """

    path: Path
    name: str
    partitions: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseFiles:
    """Files of cases, in the order of their names.

    Attributes
    ----------
    root : Path
        The folder under which all lie.
    files : tuple of CaseFile
    is_folder : bool
        Whether they are all that there are below it.
    """

    root: Path
    files: tuple[CaseFile, ...]
    is_folder: bool = False


def are_several(source: Any) -> bool:
    """Whether a source of cases is a folder, a pattern of names, or several paths.

    A file that is there is one file, whatever signs its name has.

    Examples
    --------
    >>> are_several("2027-*/cases.parquet"), are_several("cases.parquet")
    (True, False)
    """
    if isinstance(source, list | tuple):
        return bool(source) and all(isinstance(path, str | os.PathLike) for path in source)
    if not isinstance(source, str | os.PathLike):
        return False
    path = os.fspath(source)
    return os.path.isdir(path) or (glob.has_magic(path) and not os.path.exists(path))


def find_files(source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> CaseFiles:
    """The files of cases of a folder, a pattern of names, or several of these.

    Of a folder, at any depth, and of what a pattern finds, those that end like files of cases;
    names that begin with ``.`` or ``_`` are left out, as programs call files by which they work.

    Parameters
    ----------
    source : str, path, or sequence of them
        A folder; a pattern with ``*``, ``?``, ``[…]``, and ``**`` for folders of any depth; or
        several files, folders and patterns.

    Returns
    -------
    CaseFiles
        Its root is the folder given, or that above the first sign of a pattern, or the lowest one
        that is above all; but never one that is named after a value, nor one below such.

    Raises
    ------
    CaseSchemaError
        There is no such file; or the folder holds results of a run that was stopped or that could
        not read all its files.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "year=2027" / "month=03").mkdir(parents=True)
    >>> (folder / "year=2027" / "month=03" / "cases.csv").touch()
    >>> [file] = find_files(folder).files
    >>> file.name, file.partitions
    ('year=2027/month=03/cases.csv', {'year': '2027', 'month': '03'})
    """
    is_folder = isinstance(source, str | os.PathLike) and os.path.isdir(source)
    if isinstance(source, str | os.PathLike):
        where, paths = os.fspath(source), sorted(set(_below(source)))
        root = _root_of(Path(where), is_pattern=not is_folder)
    else:
        where = ", ".join(map(str, source))
        paths = sorted({Path(os.path.abspath(p)) for one in source for p in _below(one)})
        parents = [path.parent for path in paths]
        root = _root_of(Path(os.path.commonpath(parents)) if parents else Path(), is_pattern=False)
    _refuse_unfinished(root)
    if not paths:
        raise CaseSchemaError(
            _("there is no file of cases"),
            where=where,
            hint=_(
                "Files that end with {suffixes} are taken, at any depth; no names that begin with "
                ". or _.",
                suffixes=", ".join(CASE_SUFFIXES),
            ),
        )
    names = [PurePath(os.path.relpath(path, root)).as_posix() for path in paths]
    files = [CaseFile(p, n, _partitions(n)) for p, n in zip(paths, names, strict=True)]
    return CaseFiles(root, tuple(files), is_folder)


def _refuse_unfinished(folder: Path) -> None:
    """Refuse results of which some are still to be made: a sum over them would be too small."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            complete = json.loads(file.readline())["complete"]
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        complete = False
    if not complete:
        raise CaseSchemaError(
            _("the results in this folder are not complete"),
            where=str(folder),
            hint=_("Run the command that makes them again; it goes on with what is not done."),
        )


def _below(source: str | os.PathLike[str]) -> Iterator[Path]:
    path = Path(source)
    if path.is_dir():
        yield from _in_folder(path)
    elif path.exists() or not glob.has_magic(os.fspath(source)):
        yield path
    else:
        for found in map(Path, glob.glob(os.fspath(source), recursive=True)):
            if found.is_dir():
                yield from _in_folder(found)
            elif _is_case_file(found.name):
                yield found


def _in_folder(folder: Path) -> Iterator[Path]:
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] not in "._"]
        yield from (Path(above, n) for n in names if _is_case_file(n))


def _is_case_file(name: str) -> bool:
    lower = name.lower()
    if lower[0] in "._":
        return False
    return lower.endswith(CASE_SUFFIXES) or lower.endswith(tuple(s + ".gz" for s in _TEXT))


def _root_of(path: Path, *, is_pattern: bool) -> Path:
    parts = path.parts
    for place, part in enumerate(parts):
        if _PARTITION.fullmatch(part) or (is_pattern and glob.has_magic(part)):
            return Path(*parts[:place])
    return path


def _partitions(name: str) -> dict[str, str | None]:
    found = (_PARTITION.fullmatch(part) for part in name.split("/")[:-1])
    return {f[1]: None if f[2] == _NOTHING else unquote(f[2]) for f in found if f}
