"""What became of the rows of a file or table, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.notes import ReadingNotes
from drgcore.cases.statuses import STATUSES
from drgcore.grouper.result import (
    FLAG_SETS,
    REASONS,
    UNKNOWN_OTHER_DIAGNOSIS,
    UNKNOWN_OTHER_PROCEDURE,
    UNKNOWN_PRINCIPAL_PROCEDURE,
    UNREADABLE_LOCAL,
    GroupedRows,
)
from drgcore.language import N_, _, get_language, word

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class GroupingSummary:
    """Counts of what became of the rows of a file or table.

    Attributes
    ----------
    scheme : str
    rows : int
    statuses : dict of str to int
        Rows by status; every status is there and they add up to `rows`.
    reasons : dict of str to int
        Rows by reason, the most frequent first; only reasons that occur.
    rows_with_unknown_diagnosis, rows_with_unknown_procedure : int or None
        Rows that have an other diagnosis, or a procedure, that is no code of the dictionary. Such a
        code takes part in no rule. None where it was not counted.
    rows_with_unreadable_local : int or None
        Rows in which a number that only this local scheme asks for is written but cannot be read;
        every comparison with it is false. None where the scheme asks for none, or it was not
        counted.
    schemes : dict of str to int
        Rows by scheme, where the day of discharge decides it; else empty.
    codes_translated, codes_untranslated : int or None
        With translation from the clinical version: occurrences of codes that were changed, and of
        codes that are unknown after it.
    rows_with_unknown_principal_procedure : int or None
        Rows whose principal procedure is no code of the dictionary: they are grouped as if there
        were none.
    reading : ReadingNotes or None
        What reading noticed: unknown codes one by one, texts that were lists, deduced ages.
    notes : tuple of str
        What the reader of a file left out: title rows, rows of totals, rows without any value.
    warnings : tuple of str
        Rows that repeat the id of another one, rows without an id.
    """

    scheme: str
    rows: int
    statuses: dict[str, int]
    reasons: dict[str, int]
    rows_with_unknown_diagnosis: int | None = None
    rows_with_unknown_procedure: int | None = None
    codes_translated: int | None = None
    codes_untranslated: int | None = None
    rows_with_unreadable_local: int | None = None
    schemes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    rows_with_unknown_principal_procedure: int | None = None
    reading: ReadingNotes | None = field(default=None, compare=False, repr=False)

    @property
    def grouping_rate(self) -> float:
        """Share of rows in a named group (入组率); NaN for no rows."""
        return self.statuses["grouped"] / self.rows if self.rows else float("nan")

    def __str__(self) -> str:
        lines = [_("{rows:,} cases by {scheme}", rows=self.rows, scheme=self.scheme)]
        lines += [f"  {name:<20} {count:>12,}" for name, count in self.schemes.items()]
        for status, count in self.statuses.items():
            share = f"{count / self.rows:7.2%}" if self.rows else ""
            meaning = word(status) if get_language() == "zh" else ""
            lines.append(f"  {status:<10} {count:>12,} {share} {meaning}".rstrip())
        for reason, count in self.reasons.items():
            meaning = REASONS[reason] if get_language() == "zh" else ""
            lines.append(f"    {reason:<30} {count:>12,} {meaning}".rstrip())
        for text, number in (
            (N_("rows with an unknown other diagnosis"), self.rows_with_unknown_diagnosis),
            (N_("rows with an unknown procedure"), self.rows_with_unknown_procedure),
            (N_("rows with an unreadable local number"), self.rows_with_unreadable_local),
            (N_("codes translated to the insurance version"), self.codes_translated),
            (N_("codes unknown after translation"), self.codes_untranslated),
        ):
            if number is not None:
                lines.append(f"  {_(text)}: {number:,}")
        if self.rows_with_unknown_principal_procedure:
            told = _(
                "warning: in {count:,} rows the principal procedure is unknown\n"
                "  and was left out of grouping (code_flags)",
                count=self.rows_with_unknown_principal_procedure,
            )
            lines.append(f"  {told}")
        if self.reading is not None:
            lines += self.reading.lines()
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {_('warning: {text}', text=warning)}" for warning in self.warnings]
        return "\n".join(lines)


@dataclass
class SummaryCount:
    """Adds up the batches of one run."""

    rows: int = 0
    statuses: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(len(STATUSES), dtype=np.int64)
    )
    reasons: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(len(REASONS) + 1, dtype=np.int64)
    )
    flags: NDArray[np.int64] = field(default_factory=lambda: np.zeros(FLAG_SETS, dtype=np.int64))
    schemes: Counter[str] = field(default_factory=Counter)

    def add(self, rows: GroupedRows) -> None:
        """Count the rows of one batch."""
        self.rows += len(rows)
        self.statuses += np.bincount(rows.status, minlength=len(STATUSES))
        self.reasons += np.bincount(rows.reason, minlength=len(REASONS) + 1)
        self.flags += np.bincount(rows.code_flags, minlength=FLAG_SETS)

    def summary(
        self,
        scheme: str,
        translated: int | None = None,
        untranslated: int | None = None,
        *,
        local: bool = False,
    ) -> GroupingSummary:
        """The counts as a `GroupingSummary`; with `local`, also of unreadable local numbers."""
        reasons = Counter(dict(zip(REASONS, self.reasons[1:].tolist(), strict=True)))
        return GroupingSummary(
            scheme,
            self.rows,
            dict(zip(STATUSES, self.statuses.tolist(), strict=True)),
            {r: n for r, n in reasons.most_common() if n},
            self._flagged(UNKNOWN_OTHER_DIAGNOSIS),
            self._flagged(UNKNOWN_OTHER_PROCEDURE | UNKNOWN_PRINCIPAL_PROCEDURE),
            translated,
            untranslated,
            self._flagged(UNREADABLE_LOCAL) if local else None,
            dict(sorted(self.schemes.items())),
            rows_with_unknown_principal_procedure=self._flagged(UNKNOWN_PRINCIPAL_PROCEDURE),
        )

    def _flagged(self, bits: int) -> int:
        """Rows that have any of these flags."""
        return int(self.flags[(np.arange(FLAG_SETS) & bits) != 0].sum())


def summarise(result: pa.Table | pd.DataFrame, scheme: str, prefix: str = "") -> GroupingSummary:
    """Count the statuses and reasons of grouped cases.

    Parameters
    ----------
    result : pyarrow.Table or pandas.DataFrame
        With the columns `status` and `reason` that `group` adds.
    scheme : str
        Name of the scheme, for the summary.
    prefix : str, optional
        Prefix of the result columns.

    Returns
    -------
    GroupingSummary

    Examples
    --------
    >>> import drgcore
    >>> grouped = drgcore.group(drgcore.sample_cases(1000, seed=1))
    >>> print(drgcore.summarise(grouped, "chs-drg-3.0"))
    1,000 cases by chs-drg-3.0
      grouped             985  98.50%
      ambiguous            14   1.40%
      ungrouped             1   0.10%
      invalid               0   0.00%
        unrelated_procedure                      14
        catch_all                                 1
    """

    def counted(column: str) -> Counter[str]:
        values = result[prefix + column]
        if not isinstance(values, pa.ChunkedArray):
            values = pa.Array.from_pandas(values)
        counts = pc.value_counts(values.cast(pa.string()))
        return Counter(
            {c["values"]: c["counts"] for c in counts.to_pylist() if c["values"] is not None}
        )

    statuses = counted("status")
    return GroupingSummary(
        scheme,
        len(result),
        {s: statuses[s] for s in STATUSES},
        dict(counted("reason").most_common()),
    )
