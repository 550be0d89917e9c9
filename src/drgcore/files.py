"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drgcore.errors import DrgcoreError
from drgcore.language import _, reason_of

if sys.platform != "win32":
    import fcntl

_SLOTS = 8
"""So many at once may write one file before their parts get names that nobody sweeps."""

_MARK, _FILES = "in-use", "files"


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A path next to `target` that becomes `target` when the block ends well, else vanishes.

    What a killed process left of an earlier attempt at the same target is removed first; the parts
    of those that still write are known by their locks and stay.

    Parameters
    ----------
    target : Path
        The file to write. An older one of that name stays until the new one is whole.

    Yields
    ------
    Path
        Where to write; it exists, empty, and is not to be replaced by another file.

    Raises
    ------
    DrgcoreError
        When the folder is missing or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with whole_file(target) as part:
    ...     _ = part.write_text("whole")
    ...     target.exists()
    False
    >>> target.read_text()
    'whole'
    """
    if not target.parent.is_dir():
        raise DrgcoreError(
            _("{parent} is no folder", parent=target.parent),
            hint=_("Create it first to write {name}.", name=target.name),
        )
    ended_well = False
    try:
        part, handle = _new_part(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    except BaseException:
        # Ctrl+C between the making of the file and anybody's knowing of it.
        sweep_parts(target)
        raise
    try:
        try:
            yield part
            # The part is for its owner alone; the result gets what a new file would.
            mask = os.umask(0)
            os.umask(mask)
            part.chmod(0o666 & ~mask)
            ended_well = True
        except OSError as error:
            raise _unwritable(target, error) from error
        finally:
            with _let_go(handle):
                if ended_well:
                    _rename(part, target)
                else:
                    part.unlink(missing_ok=True)
    except BaseException:
        # Ctrl+C comes at any moment, before the renaming or the removal, too.
        _sweep(part)
        raise


def sweep_parts(target: Path) -> None:
    """Remove what killed processes left of a file that is not to be written now.

    Parameters
    ----------
    target : Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> target.with_name(".note.txt.0.part").touch()
    >>> sweep_parts(target)
    >>> sorted(target.parent.iterdir())
    []
    """
    for part in _parts(target):
        _sweep(part)


@contextmanager
def passing_folder(name: str, parent: Path | None = None) -> Iterator[Path]:
    """A folder that is gone when the block ends; after a kill, when the next one begins.

    Parameters
    ----------
    name : str
        What it is for: those of one name and parent are swept together.
    parent : Path, optional
        Where; in the system's temporary folder by default.

    Yields
    ------
    Path
        An empty folder for its owner alone.

    Raises
    ------
    OSError
        When it cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> with passing_folder("upload", Path(tempfile.mkdtemp())) as folder:
    ...     sorted(folder.iterdir())
    []
    >>> folder.exists()
    False
    """
    outer, handle = _new_folder(parent or Path(tempfile.gettempdir()), name)
    try:
        try:
            inner = outer / _FILES
            inner.mkdir()
            yield inner
        finally:
            with _let_go(handle):
                _remove_folder(outer)
    except BaseException:
        _sweep_folder(outer)
        raise


def _new_part(target: Path) -> tuple[Path, int]:
    """An empty, locked file beside a target, after those are swept that nobody writes any more."""
    for part in [part for part in _parts(target) if _sweep(part)]:
        made = _create(part)
        if made is not None:
            return part, made
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    return Path(name), handle


def _parts(target: Path) -> list[Path]:
    return [target.with_name(f".{target.name}.{slot}.part") for slot in range(_SLOTS)]


def _new_folder(parent: Path, name: str) -> tuple[Path, int]:
    folders = [parent / f".{name}.{slot}.part" for slot in range(_SLOTS)]
    for folder in [folder for folder in folders if _sweep_folder(folder)]:
        try:
            folder.mkdir(mode=0o700)
            handle = _create(folder / _MARK)
        except (FileExistsError, FileNotFoundError):
            continue  # Another one was faster.
        except BaseException:
            _sweep_folder(folder)
            raise
        if handle is not None:
            return folder, handle
    other = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".part", dir=parent))
    return other, os.open(other / _MARK, os.O_CREAT | os.O_RDWR, 0o600)


def _create(path: Path) -> int | None:
    """Make a file and lock it; None where another process was faster."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except FileExistsError:
        return None
    try:
        if _lock(handle) is not False and os.fstat(handle).st_nlink:
            return handle
    except BaseException:
        os.close(handle)
        _sweep(path)
        raise
    # Swept between its making and its lock.
    os.close(handle)
    return None


def _lock(handle: int) -> bool | None:
    """Lock an open file as long as its process lives; False: somebody has; None: not here."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None  # A file system without locks: its parts are never swept.
    return True


@contextmanager
def _let_go(handle: int) -> Iterator[None]:
    """Remove or rename within the lock, so that nobody sweeps what has just got the same name.

    On Windows an open file is neither removed nor renamed: there it is closed before.
    """
    if sys.platform == "win32":
        os.close(handle)
    try:
        yield
    finally:
        if sys.platform != "win32":
            os.close(handle)


def _sweep(part: Path) -> bool:
    """Remove a part that nobody writes; whether there is none any more."""
    handle = _claim(part)
    if handle is None:
        return not os.path.lexists(part)
    with _let_go(handle):
        part.unlink(missing_ok=True)
    return True


def _sweep_folder(folder: Path) -> bool:
    if not os.path.lexists(folder):
        return True
    handle = _claim(folder / _MARK)
    if handle is None:
        try:
            folder.rmdir()  # A process killed at once after making it.
        except OSError:
            return False
        return True
    with _let_go(handle):
        _remove_folder(folder)
    return not os.path.lexists(folder)


def _remove_folder(folder: Path) -> None:
    """Remove a folder, its mark last: without it nobody would know what a kill has left."""
    shutil.rmtree(folder / _FILES, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _claim(path: Path) -> int | None:
    """Open and lock what a process left that lives no more; None where there is no such file."""
    if sys.platform == "win32":
        # What a process has open cannot be removed there, so that trying it tells.
        try:
            path.unlink()
        except OSError:
            return None
        return os.open(os.devnull, os.O_RDONLY)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if _lock(handle) and os.path.samestat(os.fstat(handle), path.lstat()):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _rename(part: Path, target: Path) -> None:
    try:
        part.replace(target)
    except OSError as error:
        # Only then: after it has become the target, a part of that name is another writer's.
        part.unlink(missing_ok=True)
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: OSError) -> DrgcoreError:
    return DrgcoreError(
        _(
            "cannot write {target}: {strerror}",
            target=target,
            strerror=reason_of(error),
        ),
        hint=_("Nothing of it is left. Check the free space and the rights of the folder."),
    )
