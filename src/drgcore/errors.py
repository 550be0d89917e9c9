"""The one exception tree: a bad file or policy raises, a bad row is data with a reason."""

from __future__ import annotations

import unicodedata
from collections import abc


class DrgcoreError(Exception):
    """Base of every error that drgcore raises on purpose.

    Parameters
    ----------
    message : str
        What is wrong.
    where : str, optional
        File, sheet, row or column in which it is wrong.
    hint : str, optional
        What to do about it.
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n{self.hint}" if self.hint else text


class SchemeError(DrgcoreError):
    """A grouping scheme cannot be found, read, checked or compiled."""


class RuleSyntaxError(SchemeError):
    """A rule of a scheme does not follow the official rule language.

    Parameters
    ----------
    message : str
        What is wrong with the rule.
    rule : str
        The whole text of the rule.
    position : int
        Offset of the offending character in `rule`, counted from 0.
    where : str, optional
        Sheet, row and group of the rule.
    """

    def __init__(self, message: str, rule: str, position: int, *, where: str | None = None) -> None:
        self.rule = rule
        self.position = position
        super().__init__(message, where=where)

    def __str__(self) -> str:
        # A long rule is shown as the part around the fault, on one line, with a caret below it.
        start = max(0, self.position - 50)
        lead = ("…" if start else "") + _printable(self.rule[start : self.position])
        tail = _printable(self.rule[self.position : self.position + 30])
        tail += "…" if self.position + 30 < len(self.rule) else ""
        caret = " " * sum(map(_columns, lead)) + "^"
        return f"{super().__str__()}\n  {lead}{tail}\n  {caret}"


class CaseSchemaError(DrgcoreError):
    """Case data cannot be read: a file, a column or a type is not what the mapping says."""


class UnfinishedError(DrgcoreError):
    """Of several files some could not be worked; the others are done.

    Parameters
    ----------
    message : str
        How many, and what is wrong with each.
    failed : mapping of str to str
        Input → what is wrong with it.
    summary : object
        What became of the others, as the call would have returned it.
    """

    def __init__(
        self,
        message: str,
        *,
        failed: abc.Mapping[str, str],
        summary: object,
        hint: str | None = None,
    ) -> None:
        self.failed = failed
        self.summary = summary
        super().__init__(message, hint=hint)


class PolicyError(DrgcoreError):
    """A payment policy is incomplete or contradicts itself."""


class BudgetError(DrgcoreError):
    """A budget cannot be settled."""


def _printable(text: str) -> str:
    """Line breaks and what cannot be seen as spaces, so that each takes one column."""
    return "".join(c if c.isprintable() else " " for c in text)


def _columns(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
