"""What the search did with an ADRG: as rows of the report's tables, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.language import _
from drgcore.schemes import Scheme
from drgcore.schemes.rules import TRUE
from drgcore.subdivision.local_scheme import LocalGroup
from drgcore.subdivision.partition import Cells, Part, SplitLimits, Step
from drgcore.weights.history import History
from drgcore.weights.segments import sort_by_group

_ENOUGH = 5
"""A hospital's word on a difference counts if it has so many cases on both sides."""

STEP_COLUMNS = (
    "adrg",
    "step",
    "action",
    "of",
    "condition",
    "cases",
    "other_cases",
    "mean_cost",
    "other_mean_cost",
    "cv",
    "other_cv",
    "difference",
    "z",
    "riv_gain",
    "hospitals",
    "hospitals_agree",
    "why",
)
GROUP_COLUMNS = ("drg", "adrg", "name", "rule", "comes_from", "cases", "mean_cost", "cv")


@dataclass(frozen=True, eq=False)
class AdrgCut:
    """How the search cut one ADRG.

    Parameters
    ----------
    adrg : str
    before, parts : list of Part
        The DRGs of the base, and the parts that the search made of them.
    steps : list of Step
        What it did.
    cells : Cells
        What it looked at.
    mean : float
        Mean cost of the ADRG [yuan].
    rows : ndarray of int64
        The cases, cell by cell.
    cell_of_row : ndarray of int64
        The cell of each.
    """

    adrg: str
    before: list[Part]
    parts: list[Part]
    steps: list[Step]
    cells: Cells
    mean: float
    rows: NDArray[np.int64]
    cell_of_row: NDArray[np.int64]

    @property
    def cases(self) -> int:
        """Cases that the search looked at."""
        return len(self.rows)


def decision_of(
    base: Scheme,
    adrg: str,
    cut: AdrgCut | None,
    steps: Sequence[tuple[Any, ...]],
    limits: SplitLimits,
) -> dict[str, Any]:
    """The row of an ADRG in the table of decisions; why, in the language that is spoken."""
    before = len(base.drgs_of(adrg))
    row: dict[str, Any] = {
        "adrg": adrg,
        "name": base.name_of(adrg),
        "cases": cut.cases if cut else 0,
        "groups_before": before,
        "groups_after": len(cut.parts) if cut else before,
        "action": "kept",
        "riv_gain": 0.0,
    }
    if cut is None:
        return {**row, "why": _("no case in history: as in the base")}
    if not cut.steps:
        few = cut.cases < 2 * limits.min_cases and before == 1
        why = _("too few cases to split") if few else _("nothing that fulfils the limits")
        return {**row, "why": why}
    done = {step.action for step in cut.steps}
    row["action"] = "recut" if len(done) == 2 else "split" if "split" in done else "merged"
    row["riv_gain"] = sum(step.gain for step in cut.steps)
    return {**row, "why": _("; ").join(step[-1] for step in steps)}


def _said(step: Step, mean: float, hospitals: int, agree: int) -> str:
    costs = _(" against ").join(f"{m * mean:,.0f}" for m in step.means)
    cases = _(" and ").join(f"{n:,}" for n in step.cases)
    if step.action == "merge":
        reason = {
            "few_cases": _("one has too few cases"),
            "no_difference": _("they differ by {difference:.1%}", difference=step.difference),
            "not_monotone": _("the worse complication is cheaper"),
        }[step.why]
        return _(
            "merged {groups}: {reason} ({costs} yuan, {cases} cases)",
            groups=step.of,
            reason=reason,
            costs=costs,
            cases=cases,
        )
    assert step.condition is not None
    said = _(
        "split {group} by {rule}: {costs} yuan ({difference:.0%} apart), {cases} cases",
        group=step.of,
        rule=step.condition.rule,
        costs=costs,
        difference=step.difference,
        cases=cases,
    )
    if not hospitals:
        return said
    # What one hospital makes of its patients is no reason for a group of the whole region.
    return said + _(
        ", the same in {agree} of {hospitals} hospitals", agree=agree, hospitals=hospitals
    )


def steps_of(cut: AdrgCut, history: History) -> Iterator[tuple[Any, ...]]:
    """The rows of an ADRG in the table of steps, `STEP_COLUMNS`, in their order."""
    for number, step in enumerate(cut.steps, 1):
        hospitals, agree = _agreement(cut, step, history)
        yield (
            cut.adrg,
            number,
            step.action,
            step.of,
            "" if step.condition is None else str(step.condition.rule),
            *step.cases,
            *(m * cut.mean for m in step.means),
            *step.cvs,
            step.difference,
            step.z,
            step.gain,
            hospitals,
            agree,
            _said(step, cut.mean, hospitals, agree),
        )


def _agreement(cut: AdrgCut, step: Step, history: History) -> tuple[int, int]:
    """In how many hospitals both parts have cases, and in how many the same one is dearer."""
    size = len(history.hospital.names)
    if not size:
        return 0, 0
    hospital, cost = history.hospital.codes[cut.rows], history.cost[cut.rows]
    sides = [
        sort_by_group(np.where(mask[cut.cell_of_row], hospital, -1), cost, size)
        for mask in step.cells
    ]
    both = (sides[0].count >= _ENOUGH) & (sides[1].count >= _ENOUGH)
    apart = (sides[0].mean - sides[1].mean)[both]
    return int(both.sum()), int(((apart > 0) == (step.means[0] > step.means[1])).sum())


def groups_of(cut: AdrgCut, groups: Sequence[LocalGroup]) -> Iterator[tuple[Any, ...]]:
    """The rows of an ADRG in the table of groups, `GROUP_COLUMNS`; mean cost in yuan."""
    for group in groups:
        n, total, squares = (cut.cells.moments[:3] * group.part.cells).sum(axis=1)
        mean = total / n if n else np.nan
        cv = np.sqrt(max(squares / n - mean**2, 0.0)) / (1 + mean) if n else np.nan
        rule = "" if group.part.rule == TRUE else str(group.part.rule)
        origin = "+".join(group.part.origin)
        yield (
            group.code, cut.adrg, group.name, rule, origin, int(n), (1 + mean) * cut.mean, cv,
        )  # fmt: skip
