"""What became of the files of a folder, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from drgcore.grouper.manifest import FileRecord
from drgcore.grouper.summary import GroupingSummary
from drgcore.language import _

_NUMBERS = (
    "rows_with_unknown_diagnosis",
    "rows_with_unknown_procedure",
    "codes_translated",
    "codes_untranslated",
    "rows_with_unreadable_local",
    "rows_with_unknown_principal_procedure",
)
_NAMED = ("statuses", "reasons", "schemes")


@dataclass(frozen=True)
class FolderSummary(GroupingSummary):
    """The counts of a `GroupingSummary` over all files that are done, and how the run went.

    Attributes
    ----------
    files : int
        Files that are done.
    kept : int
        Those of them that an earlier run had done.
    gone : tuple of str
        Inputs of earlier runs that are no longer among the cases; their results are still there.
    """

    files: int = 0
    kept: int = 0
    gone: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        done = _("{files:,} files, {kept:,} of them done before", files=self.files, kept=self.kept)
        lines = [super().__str__(), f"  {done}"]
        for name in self.gone:
            told = _("{name} is no longer among the cases; its result is still there", name=name)
            lines.append(f"  {_('warning: {text}', text=told)}")
        return "\n".join(lines)


def counts_of(summary: GroupingSummary) -> dict[str, Any]:
    """What a summary counts, as a line of the manifest holds it."""
    named = {name: dict(getattr(summary, name)) for name in _NAMED}
    return {"scheme": summary.scheme, **named, **{n: getattr(summary, n) for n in _NUMBERS}}


def folder_summary(
    scheme: str, records: Iterable[FileRecord], kept: int, gone: Iterable[str]
) -> FolderSummary:
    """Add up what is done.

    Parameters
    ----------
    scheme : str
        What grouped.
    records : iterable of FileRecord
        In the order in which their warnings are to be told.
    kept : int
        How many of them an earlier run had done.
    gone : iterable of str
        Inputs that are no longer among the cases.
    """
    records = list(records)
    added = {name: _added(r.counts[name] for r in records) for name in _NAMED}
    numbers: dict[str, Any] = {}
    for name in _NUMBERS:
        found = [r.counts[name] for r in records if r.counts[name] is not None]
        numbers[name] = sum(found) if found else None
    summary = FolderSummary(
        scheme,
        sum(record.rows for record in records),
        added["statuses"],
        dict(sorted(added["reasons"].items(), key=lambda item: (-item[1], item[0]))),
        schemes=added["schemes"],
        notes=tuple(f"{r.input}: {note}" for r in records for note in r.notes),
        warnings=tuple(f"{r.input}: {text}" for r in records for text in r.warnings),
        files=len(records),
        kept=kept,
        gone=tuple(gone),
    )
    return replace(summary, **numbers)


def _added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    added: Counter[str] = Counter()
    for part in parts:
        # `Counter.update` keeps the names that no row has, as every status is to be there.
        added.update(part)
    return dict(added)
