"""What checks found: how often, where, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drgcore.checks.catalogue import LEVELS, Check
from drgcore.checks.frame import Frame
from drgcore.language import N_, _, get_language, word

CHECKS_SCHEMA: pa.Schema = pa.schema(
    [
        ("check", pa.string()),
        ("level", pa.string()),
        ("status", pa.string()),
        ("why", pa.string()),
        ("cases", pa.int64()),
        ("undecided", pa.int64()),
        ("message", pa.string()),
        ("message_en", pa.string()),
        ("source", pa.string()),
        ("when", pa.string()),
    ]
)
"""Columns of the table of checks. `status` is "run", "not_run" (`why` says what is missing) or
"off"; `undecided` counts the cases whose missing or unreadable values left a check open."""

PROFILE_SCHEMA: pa.Schema = pa.schema(
    [
        ("hospital", pa.string()),
        ("department", pa.string()),
        ("check", pa.string()),
        ("level", pa.string()),
        ("cases", pa.int64()),
        ("found", pa.int64()),
        ("share", pa.float64()),
        ("message", pa.string()),
        ("message_en", pa.string()),
    ]
)
"""Columns of the profile: for each hospital and department the cases, and how many of them a check
found; ``check`` is null in the lines that count cases with any finding of a level."""


@dataclass(frozen=True)
class CaseChecks:
    """What checks found in cases.

    Attributes
    ----------
    rows : int
        Cases that were looked at.
    checks : pyarrow.Table
        Every check with what became of it (`CHECKS_SCHEMA`).
    profile : pyarrow.Table
        By hospital and department (`PROFILE_SCHEMA`).
    by_level : dict of str to int
        Cases with a finding of each level, and ``"none"`` for cases without any.
    findings : pyarrow.Table or pandas.DataFrame, optional
        One row a finding (`FINDINGS_SCHEMA`); None where they were written to a file.
    """

    rows: int
    checks: pa.Table
    profile: pa.Table
    by_level: dict[str, int]
    findings: object = None

    def __str__(self) -> str:
        lines = [_("{rows:,} cases", rows=self.rows)]
        for level in (*LEVELS, "none"):
            count = self.by_level[level]
            share = f"{count / self.rows:7.2%}" if self.rows else ""
            lines.append(f"  {_(_WORDS[level]):<14}{count:>12,} {share}".rstrip())
        checks = self.checks.to_pylist()
        found = sorted((c for c in checks if c["cases"]), key=lambda c: -c["cases"])
        if found:
            lines.append("")
        for check in found[:_SHOWN]:
            text = cut(check["message" if get_language() == "zh" else "message_en"], 48)
            level = word(check["level"])
            lines.append(f"  {check['check']:<5}{level:<8}{check['cases']:>10,}  {text}")
        if len(found) > _SHOWN:
            lines.append(
                "  " + _("… and {count} more checks found something", count=len(found) - _SHOWN)
            )
        absent = [c for c in checks if c["status"] == "not_run"]
        if absent:
            lines += [
                "",
                _(
                    "{count} of {all} checks were not run:",
                    count=len(absent),
                    all=len(checks),
                ),
            ]
            why: dict[str, list[str]] = {}
            for check in absent:
                why.setdefault(check["why"], []).append(check["check"])
            for reason, codes in why.items():
                shown = " ".join(codes[:6]) + (f" … ({len(codes)})" if len(codes) > 6 else "")
                lines.append(f"  {cut(reason, 45)}: {shown}")
        return "\n".join(lines)


_SHOWN = 15
_WORDS = {
    "error": N_("with errors"),
    "warning": N_("with warnings"),
    "hint": N_("with hints"),
    "none": N_("nothing found"),
}


def cut(text: str, width: int) -> str:
    """A text cut to so many columns of a terminal; a Chinese character takes two.

    Examples
    --------
    >>> cut("性别未填写", 6)
    '性别…'
    """
    from unicodedata import east_asian_width

    taken = 0
    for i, character in enumerate(text):
        taken += 2 if east_asian_width(character) in "WF" else 1
        if taken > width:
            while i and sum(2 if east_asian_width(c) in "WF" else 1 for c in text[:i]) >= width:
                i -= 1
            return text[:i] + "…"
    return text


class Tally:
    """Counts findings by check, by hospital and department, over batches."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = list(checks)
        self._units: dict[tuple[str | None, str | None], int] = {}
        self._cases = np.zeros(0, np.int64)
        self._found = np.zeros((0, len(checks)), np.int64)
        self._levels = np.zeros((0, len(LEVELS)), np.int64)
        self.rows = 0
        self.clean = 0
        self.undecided = np.zeros(len(checks), np.int64)

    def add(
        self, frame: Frame, found: dict[int, npt.NDArray[np.int64]], open_cases: dict[int, int]
    ) -> None:
        """Count a batch: the rows that each check found, and how many it left open."""
        n = len(frame)
        unit = self._unit_of(frame)
        size = len(self._units)
        grow = size - len(self._cases)
        self._cases = np.pad(self._cases, (0, grow)) + np.bincount(unit, minlength=size)
        self._found = np.pad(self._found, ((0, grow), (0, 0)))
        self._levels = np.pad(self._levels, ((0, grow), (0, 0)))
        of_level = np.zeros((len(LEVELS), n), bool)
        for number, rows in found.items():
            self._found[:, number] += np.bincount(unit[rows], minlength=size)
            of_level[LEVELS.index(self._checks[number].level), rows] = True
        for place, flags in enumerate(of_level):
            self._levels[:, place] += np.bincount(unit[flags], minlength=size)
        self.clean += int(n - of_level.any(axis=0).sum())
        for number, count in open_cases.items():
            self.undecided[number] += count
        self.rows += n

    def _unit_of(self, frame: Frame) -> npt.NDArray[np.int64]:
        parts, words = [], []
        for name in ("hospital", "department"):
            if not frame.layout.columns_of(name):
                parts.append(np.zeros(len(frame), np.int64))
                words.append([None])
                continue
            encoded = frame.text(name).dictionary_encode()
            texts = encoded.dictionary.to_pylist()
            parts.append(encoded.indices.fill_null(len(texts)).to_numpy().astype(np.int64))
            words.append([*texts, None])
        pairs, place = np.unique(parts[0] * len(words[1]) + parts[1], return_inverse=True)
        numbers = []
        for pair in pairs.tolist():
            key = (words[0][pair // len(words[1])], words[1][pair % len(words[1])])
            numbers.append(self._units.setdefault(key, len(self._units)))
        return np.array(numbers, np.int64)[place] if len(pairs) else np.zeros(0, np.int64)

    def by_level(self) -> dict[str, int]:
        """Cases with a finding of each level."""
        whole = self._levels.sum(axis=0).tolist()
        return {**dict(zip(LEVELS, whole, strict=True)), "none": self.clean}

    def found(self) -> npt.NDArray[np.int64]:
        """Cases that each check found."""
        return self._found.sum(axis=0)

    def profile(self) -> pa.Table:
        """The profile by hospital and department, ordered by both."""
        rows = []
        units = sorted(self._units.items(), key=lambda u: tuple((t is None, t or "") for t in u[0]))
        for (hospital, department), unit in units:
            cases = int(self._cases[unit])
            lines: list[tuple[str | None, str, int, str | None, str | None]] = [
                (None, level, int(self._levels[unit, place]), None, None)
                for place, level in enumerate(LEVELS)
            ]
            lines += [
                (check.code, check.level, int(self._found[unit, number]), check.zh, check.en)
                for number, check in enumerate(self._checks)
                if self._found[unit, number]
            ]
            rows += [
                {
                    "hospital": hospital,
                    "department": department,
                    "check": code,
                    "level": level,
                    "cases": cases,
                    "found": count,
                    "share": count / cases if cases else 0.0,
                    "message": chinese,
                    "message_en": english,
                }
                for code, level, count, chinese, english in lines
            ]
        return pa.Table.from_pylist(rows, PROFILE_SCHEMA)
