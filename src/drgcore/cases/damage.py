"""Whatever a library says about a damaged file, as the one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import _


@contextmanager
def damage_as_error(path: Path, what: str, hint: str) -> Iterator[None]:
    """Turn any error of a block that reads a file with a library into `CaseSchemaError`.

    Messages of libraries quote cells, and their kinds are many: a panic of compiled code is not
    even an Exception.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What the file is, for the message.
    hint : str
        What to do about it.

    Raises
    ------
    CaseSchemaError

    Examples
    --------
    >>> with damage_as_error(Path("a.xlsx"), "workbook", "Save it again."):
    ...     raise IndexError("Zhang San")
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: a.xlsx: the workbook is damaged or truncated
    Save it again.
    """
    try:
        yield
    except (DrgcoreError, GeneratorExit, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        if type(error).__name__ == "PasswordError":
            raise CaseSchemaError(
                _("the {what} is locked with a password", what=what),
                where=str(path),
                hint=_("Save it without a password."),
            ) from None
        raise CaseSchemaError(
            _("the {what} is damaged or truncated", what=what), where=str(path), hint=hint
        ) from None
