"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drgcore.errors import DrgcoreError
from drgcore.language import _, reason_of


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A path next to `target` that becomes `target` when the block ends well, else vanishes.

    Parameters
    ----------
    target : Path
        The file to write. An older one of that name stays until the new one is whole.

    Yields
    ------
    Path
        Where to write.

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
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise _unwritable(target, error) from error
    part = Path(name)
    try:
        yield part
        # mkstemp makes a file for its owner alone; the result gets what a new file would.
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        part.unlink(missing_ok=True)


def _unwritable(target: Path, error: OSError) -> DrgcoreError:
    return DrgcoreError(
        _(
            "cannot write {target}: {strerror}",
            target=target,
            strerror=reason_of(error),
        ),
        hint=_("Nothing of it is left. Check the free space and the rights of the folder."),
    )
