"""What reading noticed on the way: unknown codes, lists in one text, ages that were deduced."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.nearest import Kind, nearest_codes
from drgcore.language import N_, _

CODE_FIELDS: dict[str, Kind] = {
    "principal_diagnosis": "diagnosis",
    "other_diagnoses": "diagnosis",
    "principal_procedure": "procedure",
    "other_procedures": "procedure",
}
"""The canonical columns of codes, and what kind of codes each holds."""

# A column of free text that was mapped by mistake must not fill the memory.
_MOST_TEXTS = 200_000

# What may be shown of an unknown text: a code has this form, a name or a record's number has not.
_CODE_LIKE = re.compile(r"""[ '"=]*[A-Za-z0-9]{1,4}[ .,]?[A-Za-z0-9]{0,4}(x[0-9]{1,4})?[+*]?""")


@dataclass(frozen=True)
class UnknownCode:
    """A text that the dictionary does not know, in one of the columns of codes.

    Attributes
    ----------
    column : str
        Canonical column.
    text : str
        As the data hold it.
    count : int
        How often.
    near : tuple of str
        Codes of the dictionary that may be meant (`nearest_codes`).
    """

    column: str
    text: str
    count: int
    near: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The text where it has the form of a code; else that it has not: it may be a name."""
        return self.text.strip() if _CODE_LIKE.fullmatch(self.text.strip()) else _("(free text)")


@dataclass
class ReadingNotes:
    """What reading noticed; added up from whatever thread.

    Attributes
    ----------
    unknown : dict of str to Counter
        Canonical column → text that is no known code → how often.
    unknown_left_out : int
        Unknown texts that were too many to be kept one by one.
    lists : Counter
        (canonical column, separator) → texts that were no code but fell into codes there.
    ages_deduced : int
        Cases without age in years that are 0 years old by their age in days.
    days_deduced : int
        Cases without age in days that have it from birth date and admission date.
    zeros_restored : int
        Procedures to which the zeros were given back that a spreadsheet ate; on request only.
    """

    unknown: dict[str, Counter[str]] = field(default_factory=dict)
    unknown_left_out: int = 0
    lists: Counter[tuple[str, str]] = field(default_factory=Counter)
    ages_deduced: int = 0
    days_deduced: int = 0
    zeros_restored: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add_unknown(self, column: str, texts: pa.Array) -> None:
        """Count texts that are no known code."""
        counts = pc.value_counts(texts)
        values = counts.field("values").to_pylist()
        numbers = counts.field("counts").to_pylist()
        with self._lock:
            kept = self.unknown.setdefault(column, Counter())
            for text, number in zip(values, numbers, strict=True):
                if text in kept or len(kept) < _MOST_TEXTS:
                    kept[text] += number
                else:
                    self.unknown_left_out += number

    def add_lists(self, column: str, separator: str, texts: int) -> None:
        """Count texts that held several codes."""
        with self._lock:
            self.lists[column, separator] += texts

    def add(self, *, ages: int = 0, days: int = 0, zeros: int = 0) -> None:
        """Count what was deduced."""
        with self._lock:
            self.ages_deduced += ages
            self.days_deduced += days
            self.zeros_restored += zeros

    def unknown_codes(self, most: int | None = None) -> list[UnknownCode]:
        """The unknown codes, the commonest first, with the codes that are near to them.

        Parameters
        ----------
        most : int, optional
            How many at most; all by default.
        """
        every = [
            (column, text, count)
            for column, texts in self.unknown.items()
            for text, count in texts.items()
        ]
        every.sort(key=lambda row: (-row[2], row[0], row[1]))
        chosen = every[:most]
        near: dict[tuple[str, str], tuple[str, ...]] = {}
        for kind in ("diagnosis", "procedure"):
            texts = list(dict.fromkeys(t for c, t, _count in chosen if CODE_FIELDS[c] == kind))
            found = nearest_codes(texts, kind)
            near.update({(kind, t): f for t, f in zip(texts, found, strict=True)})
        return [UnknownCode(c, t, n, near[CODE_FIELDS[c], t]) for c, t, n in chosen]

    def lines(self, most: int = 8) -> list[str]:
        """What was noticed, as lines for a person; of the unknown codes the commonest."""
        lines = []
        for number, text in (
            (self.ages_deduced, N_("ages of 0 years deduced from the age in days")),
            (self.days_deduced, N_("ages in days deduced from dates or from the text of the age")),
            (self.zeros_restored, N_("procedures given back the zeros that a spreadsheet ate")),
        ):
            if number:
                lines.append(f"  {_(text)}: {number:,}")
        for (column, separator), number in self.lists.most_common():
            sign = _("blanks") if separator == " " else repr(separator)
            told = _("{number:,} texts read as lists, split at {sign}", number=number, sign=sign)
            lines.append(f"  {column}: {told}")
        if self.unknown:
            lines.append("  " + _("commonest unknown codes: count, column, code → near codes"))
            for code in self.unknown_codes(most):
                near = f" → {', '.join(code.near)}" if code.near else ""
                lines.append(f"    {code.count:>9,} {code.column:<20} {code.shown}{near}")
        return lines
