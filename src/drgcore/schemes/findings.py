"""What a check says: findings, and the report that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from drgcore.language import _

_SHOWN = 5


class Severity(StrEnum):
    """An error makes a scheme unusable; a warning is for a person to look at."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Parameters
    ----------
    code : str
        What kind of thing, e.g. ``"unknown-set"``.
    severity : Severity
        Error or warning.
    where : str
        The group, set or table, e.g. ``"DRG ES43"``.
    message : str
        What is wrong, as a sentence.
    items : tuple of str
        All codes that it is about, where they are many.
    """

    code: str
    severity: Severity
    where: str
    message: str
    items: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.code}]"


@dataclass(frozen=True)
class CheckReport:
    """What `check_scheme` found.

    Parameters
    ----------
    scheme : str
        Name of the scheme.
    errors, warnings : tuple of Finding
        In the order of the tables.
    without_table : int
        Rows of the CC sheet that say that they have no exclusion table.
    """

    scheme: str
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    without_table: int

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors


def error(code: str, where: str, message: str, items: tuple[str, ...] = ()) -> Finding:
    """A finding that makes the scheme unusable."""
    return Finding(code, Severity.ERROR, where, message, items)


def warning(code: str, where: str, message: str, items: tuple[str, ...] = ()) -> Finding:
    """A finding for a person to look at."""
    return Finding(code, Severity.WARNING, where, message, items)


def listed(names: Sequence[str]) -> str:
    """Names one after the other, the first few where they are many.

    Examples
    --------
    >>> listed(["BB1", "BB2", "BC1", "BC2", "BD1", "BD2", "BE1"])
    'BB1, BB2, BC1, BC2, BD1 … and 2 more'
    """
    more = _(" … and {count:,} more", count=len(names) - _SHOWN) if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
