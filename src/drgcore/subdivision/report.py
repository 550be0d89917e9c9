"""What a subdivision did: the new scheme, each step with its reason, the effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pandas as pd

from drgcore.files import whole_file
from drgcore.language import N_, _, word
from drgcore.schemes import Scheme, compile_scheme
from drgcore.schemes.compile import CompileReport
from drgcore.schemes.model import GroupKind
from drgcore.schemes.source import SourceTables
from drgcore.subdivision.coded import CodedCases
from drgcore.subdivision.contrast import threshold
from drgcore.subdivision.hospitals import hospital_effects
from drgcore.subdivision.local_scheme import LocalGroup
from drgcore.subdivision.partition import SplitLimits
from drgcore.subdivision.told import (
    GROUP_COLUMNS,
    STEP_COLUMNS,
    AdrgCut,
    decision_of,
    groups_of,
    steps_of,
)
from drgcore.weights.history import History
from drgcore.weights.performance import compare_groupings

_TABLES = ("decisions", "steps", "groups", "codes", "performance", "hospitals", "left_out")


@dataclass(frozen=True, eq=False)
class Subdivision:
    """A local scheme, proposed from history.

    Parameters
    ----------
    scheme : Scheme
        The new scheme; groups cases like any other.
    base : str
        Name of the scheme that it was cut from.
    decisions : pandas.DataFrame
        One row a named ADRG: adrg, name, cases, groups_before, groups_after, action (kept, merged,
        split, recut), riv_gain, why.
    steps : pandas.DataFrame
        One row a split or merger in the order in which they were made: adrg, step, action, of,
        condition, cases and means [yuan] and CVs of the two parts, difference, z, riv_gain (of a
        merger negative), and in how many hospitals with five cases or more on both sides the same
        part is dearer.
    groups : pandas.DataFrame
        The groups of every ADRG that was cut anew: drg, name, rule, comes_from, cases, mean_cost
        [yuan], cv.
    codes : pandas.DataFrame
        Codes that were listed: adrg, kind, code, cases, others, difference, z.
    performance : pandas.DataFrame
        `compare_groupings` of base and new scheme.
    hospitals : pandas.DataFrame or None
        One row a hospital: cases whose groups have a weight in both groupings, sums of these
        relative weights before and after, change, change relative to before; None where the cases
        name no hospitals.
    left_out : pandas.DataFrame
        Columns reason and cases: those that did not speak in the search, each counted once.
    tests : int
        How many differences were looked at, at most.
    limits : SplitLimits
        What was asked of new groups.
    """

    scheme: Scheme
    base: str
    decisions: pd.DataFrame
    steps: pd.DataFrame
    groups: pd.DataFrame
    codes: pd.DataFrame
    performance: pd.DataFrame
    hospitals: pd.DataFrame | None
    left_out: pd.DataFrame
    tests: int
    limits: SplitLimits = field(repr=False)

    def compile(self, out: str | Path, *, title: str | None = None) -> CompileReport:
        """Compile the new scheme as an overlay on its base.

        Parameters
        ----------
        out : str or Path
            The folder under which the scheme's folder is written. A base that is not shipped must
            stand there, compiled.
        title : str, optional
            Title of the scheme.

        Returns
        -------
        CompileReport
            As `drgcore.compile_scheme` gives it.

        Raises
        ------
        SchemeError
            As `drgcore.compile_scheme`.
        """
        origin = _("subdivision of {name}", name=self.base)
        source = SourceTables(origin, self.scheme.tables, {})
        return compile_scheme(source, out, name=self.scheme.name, title=title, base=self.base)

    def write(self, folder: str | Path) -> None:
        """Write the report's tables as CSV files.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        for name in _TABLES:
            table = getattr(self, name)
            if table is not None:
                with whole_file(place / f"{name}.csv") as part:
                    table.to_csv(part, index=False)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        actions = self.decisions["action"].value_counts()
        told = ", ".join(
            f"{actions[a]} {_(a)}"
            for a in (N_("split"), N_("merged"), N_("recut"), N_("kept"))
            if a in actions
        )
        yield _(
            "{name}, cut from {base}: of {count} ADRG {told}",
            name=self.scheme.name,
            base=self.base,
            count=len(self.decisions),
            told=told,
        )
        limits = self.limits
        yield (
            "  "
            + _(
                "{tests:,} differences looked at; |z| ≥ {threshold:.2f} "
                "needed, so that noise alone proposes a split with chance "
                "{alpha:g} at most",
                tests=self.tests,
                threshold=threshold(limits.alpha, self.tests),
                alpha=limits.alpha,
            )
        )
        for metric in (
            "riv",
            "riv_log",
            "cv_below_1",
            "groups",
            "groups_below_n_min",
        ):
            row = self.performance[self.performance["metric"] == metric].iloc[0]
            yield f"  {metric:<20} {row['before']:10.4f} → {row['after']:10.4f}"
        changed = self.decisions[self.decisions["action"] != "kept"]
        most = changed.nlargest(10, "riv_gain")
        for adrg, action, why in most[["adrg", "action", "why"]].to_numpy(str).tolist():
            yield f"  {adrg} {_(action)}: {why}"
        if len(changed) > 10:
            yield _("  … and {count} more", count=len(changed) - 10)
        for reason, cases in self.left_out.to_numpy().tolist():
            yield _("left out: {cases:,} cases, {reason}", cases=cases, reason=word(reason))


def report(
    coded: CodedCases,
    history: History,
    after: History,
    scheme: Scheme,
    cuts: Sequence[AdrgCut],
    named: Mapping[str, Sequence[LocalGroup]],
    codes: pd.DataFrame,
    tests: int,
    limits: SplitLimits,
    bootstrap: int,
) -> Subdivision:
    """Put the report of a subdivision together.

    Parameters
    ----------
    coded : CodedCases
        The cases, grouped by the base.
    history : History
        Their costs, trimmed as the search saw them.
    after : History
        The same cases grouped by the new scheme.
    scheme : Scheme
        The new scheme.
    cuts : sequence of AdrgCut
        What the search did.
    named : mapping of str to sequence of LocalGroup
        The groups of the ADRGs that were cut anew.
    codes : pandas.DataFrame
        The listed codes.
    tests : int
    limits : SplitLimits
    bootstrap : int
        Replicates for the intervals.

    Returns
    -------
    Subdivision
    """
    base = coded.tables.scheme
    seen = {cut.adrg: cut for cut in cuts}
    steps = {cut.adrg: list(steps_of(cut, history)) for cut in cuts}
    decisions = [
        decision_of(base, adrg.code, seen.get(adrg.code), steps.get(adrg.code, ()), limits)
        for adrg in base.adrgs
        if adrg.kind is GroupKind.NAMED
    ]
    groups = [row for cut in cuts if cut.adrg in named for row in groups_of(cut, named[cut.adrg])]
    trimmed = after.only(history.usable)
    return Subdivision(
        scheme,
        base.name,
        pd.DataFrame(decisions),
        pd.DataFrame(chain.from_iterable(steps.values()), columns=STEP_COLUMNS),
        pd.DataFrame(groups, columns=GROUP_COLUMNS),
        codes,
        compare_groupings(history, trimmed, n_min=limits.n_min, bootstrap=bootstrap),
        hospital_effects(coded.history, history, after, trimmed),
        _left_out(coded.history, history),
        tests,
        limits,
    )


def _left_out(all_cases: History, history: History) -> pd.DataFrame:
    trimmed = int(all_cases.usable.sum() - history.usable.sum())
    if not trimmed:
        return history.left_out
    return pd.concat(
        [history.left_out, pd.DataFrame({"reason": ["trimmed"], "cases": [trimmed]})],
        ignore_index=True,
    )
